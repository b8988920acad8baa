"""The calibration in the workflow: what its section may say, and what is made again after a change."""

import shutil

import pytest

from phonoscope.errors import InputError
from workflow.dag import settings

ALIGNER = {"path": "aligner", "corpora": ["tiny"]}


@pytest.fixture
def config(tiny, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "speakers.tsv").write_text("speaker\nb\na\n", encoding="utf-8")
    tiny["corpora"]["heard"] = {"reader": "audio", "path": "x", "shards": 1}
    tiny["articulation"]["corpora"] = ["tiny"]
    return tiny


def test_without_a_section_there_is_none(config):
    assert settings.load(config, "mine.yaml").calibration == dict.fromkeys(
        ("articulation", "disjoint", "challenge", "word_times", "tone"), []
    )


def test_defaults_of_the_aligner(config):
    config["calibration"] = {"aligner": dict(ALIGNER)}
    found = settings.load(config, "mine.yaml").calibration["aligner"]
    assert (found["languages"], found["splits"]) == ([], ["test"])


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"disjoint": ["tinny"]}, ["calibration.disjoint", "tinny is not configured", "tiny, heard"]),
        ({"disjoint": ["heard"]}, ["calibration.disjoint", "heard has no sensors"]),
        ({"articulation": ["heard"]}, ["calibration.articulation", "add it to articulation.corpora"]),
        ({"aligner": {"corpora": ["tiny"]}}, ["calibration.aligner", "set one of path and trained"]),
        ({"aligner": ALIGNER | {"trained": "x"}}, ["calibration.aligner", "set one of path and trained"]),
        ({"aligner": {"trained": "x", "corpora": ["tiny"]}}, ["aligner.trained", "no training x"]),
        ({"aligner": ALIGNER | {"corpora": ["no"]}}, ["calibration.aligner.corpora", "no is not"]),
        ({"aliner": ALIGNER}, ["unknown key 'aliner'", "did you mean aligner"]),
    ],
)
def test_a_mistake_is_named_with_its_place_and_the_fix(config, section, words):
    config["calibration"] = section
    with pytest.raises(InputError) as caught:
        settings.load(config, "mine.yaml")
    for word in words:
        assert word in str(caught.value)


def trained(config):
    """The tiny project with a trained model beside its twin, and its articulation calibrated."""
    tiny = config["models"]["untrained"]
    folder = "resources/models/hubert-tiny-synthetic"
    for name, init in (("untrained", "random"), ("one", "pretrained"), ("two", "pretrained")):
        config["models"][name] = tiny | {"path": folder, "init": init}
    config["models"]["two"]["final_norm"] = "normed"
    config["calibration"] = {"articulation": ["tiny"]}


@pytest.mark.slow
def test_a_changed_model_redoes_its_branch_only(finished, tmp_path):
    folder = tmp_path / "project"
    shutil.copytree(finished.folder, folder, symlinks=True)
    project = type(finished)(folder)
    table = "results/tables/calibration.csv"
    project.config(trained)
    project.snakemake(table, "results/figures/calibration.svg")
    assert project.planned(table, "results/figures/calibration.svg") == set()

    def changed(config):
        trained(config)
        config["models"]["one"]["layers"] = [0, 2, 4]

    project.config(changed)
    planned = project.planned(table, "results/figures/calibration.svg")
    compared = {job for job in planned if job[0].startswith("calibrate_articulation")}
    assert compared == {("calibrate_articulation", "corpus=tiny, model=one")}
    assert {("calibrate_table", ""), ("draw_calibration", "")} <= planned
    assert not [job for job in planned if "model=two" in job[1]]
