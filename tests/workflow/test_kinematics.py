"""What the kinematics study's configuration may be, and which options reach which rule."""

import pytest

from phonoscope.errors import InputError
from workflow.dag import kinematics
from workflow.dag.configuration import checked


def config(**more):
    corpora = {"c": {"reader": "table", "path": "x", "sensors": {"TT": "TT"}}}
    corpora["silent"] = {"reader": "table", "path": "y"}
    made = {"corpora": corpora, "models": {"m": {"encoder": "mel"}, "n": {"encoder": "mfcc"}}}
    return checked(made | {"kinematics": more}, "config", "f")


def test_it_is_off_by_default_and_models_are_filled_in():
    made = config()
    kinematics.check(made, "f")
    assert made["kinematics"]["corpora"] == [] and made["kinematics"]["models"] == ["m", "n"]


def test_options_reach_their_rules():
    made = config(corpora=["c"], models=["n"], probes=["ols"], map_seconds=[5, "all"], maps=["affine"])
    kinematics.check(made, "f")
    options = kinematics.transfer(made["kinematics"], made["articulation"])
    assert options == {
        "probes": ["ols"],
        "groups": ["native_language", "sex", "condition"],
        "maps": ["affine"],
        "map_seconds": [5, "all"],
        **{key: made["articulation"][key] for key in ("alphas", "test_share", "frame_alignment")},
        **{key: made["articulation"][key] for key in ("shifts_s", "seed")},
    }
    silence = made["kinematics"]["silence"]
    assert (
        kinematics.items(made["kinematics"]) == {"maps": ["affine"], "silence": silence} and "sil" in silence
    )


@pytest.mark.parametrize(
    ("more", "row"),
    [
        ({"corpora": ["d"]}, "kinematics.corpora"),
        ({"models": ["o"]}, "kinematics.models"),
        ({"corpora": ["silent"]}, "kinematics.corpora.*no sensors"),
    ],
)
def test_what_cannot_be_studied_is_refused(more, row):
    made = config(**more)
    with pytest.raises(InputError, match=row):
        kinematics.check(made, "f")


@pytest.mark.parametrize(
    "more", [{"groups": ["age"]}, {"maps": ["shear"]}, {"map_seconds": [0]}, {"map_seconds": []}, {"map": 1}]
)
def test_the_schema_refuses_what_is_not_an_option(more):
    with pytest.raises(InputError, match="kinematics"):
        config(**more)
