"""What the configuration of partition and measure may be, and which options reach which rule."""

import copy
import csv
import re
from pathlib import Path

import pytest
import yaml

from phonoscope.errors import InputError
from workflow.dag import kinematics_models
from workflow.dag.configuration import checked

ROOT = Path(__file__).resolve().parents[2]
CONFIG = {
    "corpora": {
        "c": {"reader": "table", "path": "x", "sensors": {"TT": 1}},
        "d": {"reader": "table", "path": "x", "sensors": {"TT": 1}},
        "audio": {"reader": "audio", "path": "x"},
    },
    "models": {"m": {"encoder": "mfcc"}, "n": {"encoder": "mel"}},
    "articulation": {"corpora": ["c"], "models": ["n", "m"], "probes": ["ols", "ridge"]},
    "kinematics": {"models": ["m", "n"], "partition": {"corpora": ["c", "d"]}, "measure": {"corpora": ["c"]}},
}


def config(**changes):
    made = checked(CONFIG, "config", "f")
    for where, value in changes.items():
        section = made
        *path, last = where.split("__")
        for key in path:
            section = section[key]
        section[last] = value
    return made


def test_options_reach_their_rules():
    made = config()
    kinematics_models.check(made, "f")
    study, articulation = made["kinematics"], made["articulation"]
    assert kinematics_models.measured(study, articulation) == ["m", "n"]
    options = kinematics_models.partition(study, articulation)
    assert set(options) == {
        *["leave_out", "phone_alphas", "silence", "alphas", "frame_alignment", "shifts_s", "seed"]
    }
    assert options["phone_alphas"] == [0.001, 0.03, 1.0] and "sil" in options["silence"]
    # What only the probe of phones needs, so that no option of transfer or of the partition scores it again.
    assert set(kinematics_models.phone_probe(study, articulation)) == {
        *["frames_per_class", "folds", "penalty", "silence", "frame_alignment", "seed"]
    }
    assert kinematics_models.probe(study, articulation) == "ridge"
    assert kinematics_models.probe(study | {"probes": ["ols"]}, articulation) == "ols"
    assert kinematics_models.probe(study, articulation | {"probes": ["ols"]}) == "ols"


def test_nothing_runs_by_default():
    made = checked({key: CONFIG[key] for key in ("corpora", "models")}, "config", "f")
    kinematics_models.check(made, "f")
    assert made["kinematics"]["partition"]["corpora"] == made["kinematics"]["measure"]["corpora"] == []


@pytest.mark.parametrize(
    ("changes", "row", "words"),
    [
        ({"kinematics__partition__corpora": ["e"]}, "kinematics.partition.corpora", "not configured"),
        ({"kinematics__partition__corpora": ["audio"]}, "kinematics.partition.corpora", "no sensors"),
        (
            {"kinematics__measure__corpora": ["d"]},
            "kinematics.measure.corpora",
            "not studied for articulation",
        ),
        ({"articulation__models": ["o"]}, "kinematics.measure", "no model is in both"),
    ],
)
def test_what_cannot_be_studied_is_refused(changes, row, words):
    with pytest.raises(InputError, match=words) as error:
        kinematics_models.check(config(**changes), "f")
    assert row in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    "change",
    [
        {"partition": {"leave_out": []}},
        {"partition": {"leave_out": ["layer"]}},
        {"partition": {"phone_alphas": [0]}},
        {"measure": {"folds": 1}},
        {"measure": {"publishd": []}},
    ],
)
def test_options_out_of_range_are_refused(change):
    bad = copy.deepcopy(CONFIG)
    bad["kinematics"] |= change
    with pytest.raises(InputError, match="kinematics"):
        checked(bad, "config", "f")


def test_the_comparison_at_full_size_has_all_models_with_scores():
    made = yaml.safe_load((ROOT / "config" / "paper_measure.yaml").read_text(encoding="utf-8"))
    scored = set()
    for name in ("superb", "librispeech"):
        with (ROOT / "resources" / "published" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            scored |= {row["model"] for row in csv.DictReader(file)}
    assert {model["hub"] for model in made["models"].values()} == scored


@pytest.mark.slow
def test_the_comparison_at_full_size_can_be_planned_without_its_corpus(empty):
    printed = empty.snakemake("-n", "--quiet", "rules", "--configfile", "config/paper_measure.yaml").stdout
    jobs = dict(re.findall(r"(?m)^(\w+) +(\d+)$", printed))
    assert jobs["fetch_model"] == "12" and jobs["draw_kinematics_measure"] == "1" and "transfer" not in jobs
    assert jobs["probe_phones"] == jobs["score"] and int(jobs["total"]) < 1500
