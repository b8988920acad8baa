"""The rules of the atlas: the page of a run has the run's numbers, and it is in the report."""

import csv
import json
import re

import pytest

pytestmark = pytest.mark.slow


def test_the_page_has_the_numbers_of_the_run(finished):
    results = finished.folder / "results"
    page = (results / "atlas.html").read_text(encoding="utf-8")
    found = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)[1])
    with open(results / "tables" / "tiny" / "layers.csv", newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["experiment"] == "E1"]
    curves = found["articulation"]["curves"].values()
    assert [curve["model"] for curve in curves] == list(dict.fromkeys(row["model"] for row in rows))
    for curve in curves:
        assert curve["sources"] == ["tables/tiny/layers.csv"]
        mine = [row for row in rows if row["model"] == curve["model"]]
        series = curve["series"]["r_same_speaker"]
        for name, column in (("value", "r"), ("low", "ci_low"), ("high", "ci_high"), ("chance", "chance")):
            assert series[name] == [float(row[column]) for row in mine]
        depth = 4 if curve["model"] == "untrained" else None
        layers = [int(row["layer"]) for row in mine]
        assert series["relative_depth"] == [layer / depth if depth else None for layer in layers]
    with open(results / "tables" / "atlas.csv", newline="", encoding="utf-8") as file:
        kinds = {row["model"]: row["kind"] for row in csv.DictReader(file)}
    assert kinds == {"mfcc": "baseline", "mel": "baseline", "untrained": "untrained"}


def test_its_look_draws_it_again_and_nothing_else(project):
    project.append("phonoscope/figures/atlas_page/page.css", "\n/* A change. */\n")
    assert project.planned() == {("draw_atlas", "")}


def test_it_is_in_the_report(project):
    project.snakemake("--report", "report.html")
    assert "results/atlas.html" in (project.folder / "report.html").read_text(encoding="utf-8")
