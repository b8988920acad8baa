"""The page: its numbers are the table's, in its data and in its curves, whatever the names are."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from phonoscope.figures import atlas_curves as curves
from phonoscope.figures.atlas import number, page
from phonoscope.figures.atlas_words import STUDIES
from phonoscope.studies import atlas

VOID = {"meta", "link", "input", "br"}


class Page(HTMLParser):
    """Elements of a page as (tag, attributes, parents, text so far); fails where tags do not match."""

    def __init__(self, text):
        super().__init__()
        self.stack, self.found = [], []
        self.feed(text)
        assert not self.stack

    def handle_starttag(self, tag, attrs):
        element = {"tag": tag, "parents": [each["tag"] for each in self.stack], "text": "", **dict(attrs)}
        self.found.append(element)
        if tag not in VOID:
            self.stack.append(element)

    def handle_startendtag(self, tag, attrs):
        self.found.append({"tag": tag, "text": "", "svg": self.stack[-1], **dict(attrs)})

    def handle_endtag(self, tag):
        assert self.stack.pop()["tag"] == tag

    def handle_data(self, data):
        if self.stack:
            self.stack[-1]["text"] += data

    def all(self, tag, **attributes):
        return [e for e in self.found if e["tag"] == tag and attributes.items() <= e.items()]


def data(text):
    """What the page's script reads."""
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)[1])


def curve_rows(table, study, curve, measure):
    mine = table[(table.study == study) & (table.model == curve["model"]) & (table.corpus == curve["corpus"])]
    return mine[(mine.measure == measure) & mine.layer.notna()]


@pytest.fixture(params=["plain", "hostile"])
def table(request, make_run, names, hostile):
    return make_run(names if request.param == "plain" else hostile, corpora=("one", "two")).collect()


def test_the_data_are_the_table(table):
    found = data(page(table))
    assert list(found) == ["articulation", "kinematics", "tone", "alignment"]
    seen = 0
    for study, part in found.items():
        for curve in part["curves"].values():
            for measure, series in curve["series"].items():
                rows = curve_rows(table, study, curve, measure)
                for name in ("layer", "relative_depth", "value", "low", "high", "chance"):
                    values = np.array(series[name], dtype=float)
                    np.testing.assert_array_equal(values, rows[name].to_numpy(float))
                seen += len(rows)
    assert seen == (table.layer.notna() & (table.measure != "specificity")).sum() > 200


def test_the_curves_are_the_data(table):
    """Each curve's points, turned back into depths and values."""
    text = page(table)
    found, parsed = data(text), Page(text)
    pictures = {e["data-key"]: e for e in parsed.all("svg") if "data-key" in e}
    assert set(pictures) == {key for part in found.values() for key in part["curves"]}
    for study, part in found.items():
        for key, curve in part["curves"].items():
            svg = pictures[key]
            low, high = float(svg["data-low"]), float(svg["data-high"])
            lines = [
                e
                for e in parsed.found
                if e.get("svg") is svg and e["tag"] == "path" and e["class"].startswith("line")
            ]
            drawn = [name for name in STUDIES[study]["curves"] if name in curve["series"]]
            assert len(lines) == len(drawn)
            for line, measure in zip(lines, drawn, strict=True):
                points = np.array(re.findall(r"([\d.-]+) ([\d.-]+)", line["d"]), dtype=float)
                depth = (points[:, 0] - curves.LEFT) / (curves.RIGHT - curves.LEFT)
                value = low + (curves.BOTTOM - points[:, 1]) / (curves.BOTTOM - curves.TOP) * (high - low)
                series = curve["series"][measure]
                if series["relative_depth"][0] is None:
                    series = {"relative_depth": [0, 1], "value": series["value"] * 2}
                np.testing.assert_allclose(depth, series["relative_depth"], atol=1e-3)
                np.testing.assert_allclose(value, series["value"], atol=2e-4 * (high - low) + 1e-9)


def test_best_layers_and_specificities_are_printed(table):
    parsed = Page(page(table))
    printed = [e["text"] for e in parsed.all("b")]
    for _, row in table[(table.best == "yes") | (table.measure == "specificity")].iterrows():
        if np.isfinite(row.value):
            assert number(row.value) in printed
    missing = parsed.all("span", **{"class": "missing"})
    assert missing and all(e["text"] == "–" and e["title"] == e["data-tip"] for e in missing)
    reasons = {e["title"] for e in missing}
    assert "not tuned to a language" in reasons and "no span was measured" in reasons


def test_names_stay_names(make_run, hostile):
    run = make_run(hostile)
    text = page(run.collect())
    parsed = Page(text)
    assert [e["text"] for e in parsed.all("span", **{"class": "model"})] == hostile
    assert len(parsed.all("script")) == 2 and not parsed.all("b", **{"class": "x"})
    assert (
        len(parsed.all("tbody")) == 1 and len([e for e in parsed.all("tr") if "tbody" in e["parents"]]) == 6
    )
    curve = next(iter(data(text)["articulation"]["curves"].values()))
    assert curve["model"] == hostile[0]


def test_nothing_comes_from_elsewhere(table):
    text = page(table)
    parsed = Page(text)
    assert not parsed.all("img") and not re.search(r"@import|url\(|https?://", text)
    assert [e["href"] for e in parsed.all("link")] == ["data:,"]
    assert not [e for e in parsed.all("script") if "src" in e]
    files = {e["href"] for e in parsed.all("a") if e.get("class") == "file"}
    assert {"tables/one/layers.csv", "tables/tone/layers.csv", "tables/alignment/retrieval.csv"} <= files
    assert {path for path in files if not path.startswith("../docs/")} >= set(
        table.source[table.best == "yes"]
    )


def test_every_curve_has_a_file_behind_it(table):
    parsed = Page(page(table))
    lines = parsed.all("div", **{"class": "links"})
    assert len(lines) == len([e for e in parsed.all("svg") if "data-key" in e])
    links = [e for e in parsed.all("a") if e.get("class") == "file" and "aria-label" in e]
    assert len(links) >= len(lines)


def test_a_study_that_was_not_run_is_said_and_left_out(make_run, names):
    run = make_run(names)
    del run.tables["tone"]
    text = page(run.collect())
    assert "Not in this run: tone." in text
    assert not [e for e in Page(text).found if e.get("data-study") == "tone"]


def test_a_page_without_any_study(make_run, names):
    run = make_run(names)
    run.tables = {}
    text = page(run.collect())
    assert "Not in this run: articulation, transfer, tone, alignment." in text
    assert data(text) == {}


def test_every_measure_that_is_drawn_is_made():
    """The words of the page and the measures of the table go together."""
    for study, words in STUDIES.items():
        assert words["curves"][0] == atlas.MAIN[study][0]
        assert set(words["curves"]) <= set(words["labels"])
        assert len(words["curves"]) <= len(curves.SHAPES)
    assert list(STUDIES) == list(atlas.MAIN)


# Curves.


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.02, 0.74], (0, 0.8)),
        ([-0.02, 0.74], (-0.1, 0.8)),
        ([0.3, 1.0], (0, 1)),
        ([0.0312, 0.39], (0, 0.4)),
        ([-0.5, -0.1], (-0.5, 0)),
        ([np.nan, np.inf, 0.2], (0, 0.2)),
        ([], (0, 1)),
        ([0, 0], (0, 1)),
        ([0.1 + 0.2], (0, 0.3)),
        ([0.004], (0, 0.004)),
    ],
)
def test_limits(values, expected):
    assert curves.limits(values) == pytest.approx(expected)


def test_limits_hold_all_values_on_few_steps():
    rng = np.random.default_rng(0)
    for _ in range(300):
        values = rng.normal(size=5) * 10 ** rng.uniform(-4, 3) + rng.normal()
        low, high = curves.limits(values)
        assert low <= min(values.min(), 0) + 1e-9 and high >= max(values.max(), 0) - 1e-9
        assert high - low <= 1.5 * (max(values.max(), 0) - min(values.min(), 0)) + 1e-9


def series(**changes):
    numbers = {"value": [0.1, 0.5, 0.3], "low": [0, 0.4, 0.2], "high": [0.2, 0.6, 0.4], "chance": [0, 0, 0]}
    return {"number": 1, "shape": "dot", "depth": [0, 0.5, 1], "best": 1} | numbers | changes


def test_gaps_break_lines_and_bands():
    drawn = curves.draw(
        [series(value=[0.1, None, 0.3], low=[0, None, None], best=None)], 0, 1, 'say "<it>"', "k"
    )
    line = re.search(r'<path class="line s1" d="([^"]*)"', drawn)[1]
    assert line.count("M") == 2 and "L" not in line
    band = re.search(r'<path class="band s1" d="([^"]*)"', drawn)[1]
    assert band.count("Z") == 1 and band.count("M") == 1
    assert 'aria-label="say &quot;&lt;it&gt;&quot;"' in drawn and "<circle" not in drawn


@pytest.mark.parametrize(
    ("value", "said"), [(0.8, ".8"), (-0.02, "−.02"), (0, "0"), (10.5, "10.5"), (1, "1")]
)
def test_ends_of_the_axis(value, said):
    low, high = min(value, 0), max(value, 1)
    assert f">{said}</text>" in curves.draw([], *((low, value) if value > 0 else (value, high)), "", "k")


def test_the_ring_is_at_the_best_layer():
    drawn = curves.draw([series()], 0, 1, "", "k")
    ring = re.search(r'<circle class="best s1" cx="([\d.]+)" cy="([\d.]+)"', drawn)
    assert [float(v) for v in ring.groups()] == pytest.approx(curves.place(0.5, 0.5, 0, 1), abs=0.01)


def test_many_layers_have_few_markers_but_the_best_one():
    n = 33
    many = series(depth=[i / 32 for i in range(n)], best=17) | {
        name: [0.5] * n for name in ("value", "low", "high", "chance")
    }
    marks = re.search(r'<path class="marks dot s1" d="([^"]*)"', curves.draw([many], 0, 1, "", "k"))[1]
    x = [float(v) for v in re.findall(r"M([\d.]+) ", marks)]
    assert len(x) <= 11
    assert any(abs(v - curves.place(17 / 32, 0.5, 0, 1)[0]) < 0.01 for v in x)


def test_a_number_never_reads_minus_zero():
    assert number(-0.0004, 2) == "0.00" and number(-0.004) == "−0.004"
