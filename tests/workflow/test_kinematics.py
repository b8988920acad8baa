"""What the kinematics study may be told, which options reach which rule, and what is made again."""

import shutil

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


MODELS = ("mel", "untrained")
LAYERS = {"mel": [0], "mfcc": [0], "untrained": [0, 2]}
FIGURES = ("matrix", "matrices", "groups", "layers", "seconds")
OVER_MODELS = (
    {("compare_transfer", ""), ("show_kinematics", "")}
    | {(f"draw_kinematics_{figure}", "corpus=tiny") for figure in FIGURES}
    | {("collect_atlas", ""), ("draw_atlas", "")}
)
ITEMS = {("map_items", "corpus=tiny")}


def transferred(*models):
    """The jobs of some models."""
    return {("transfer", f"corpus=tiny, model={m}, layer={n}") for m in models for n in LAYERS[m]} | {
        ("summarise_transfer", f"corpus=tiny, model={m}") for m in models
    }


def configure(project, **more):
    options = {"corpora": ["tiny"], "models": [*MODELS], "groups": ["sex"], "map_seconds": ["all"]}
    project.config(lambda config: config.update(kinematics=options | more))


@pytest.fixture(scope="module")
def studied(finished, tmp_path_factory):
    """The finished project, after the kinematics study joined it. Not to be changed."""
    project = type(finished)(tmp_path_factory.mktemp("kinematics") / "project")
    shutil.copytree(finished.folder, project.folder, symlinks=True)
    configure(project)
    assert project.planned() == transferred(*MODELS) | ITEMS | OVER_MODELS
    project.snakemake()
    return project


@pytest.fixture
def kinematic(studied, tmp_path):
    """A copy of it, with the time stamps of the original."""
    project = type(studied)(tmp_path / "project")
    shutil.copytree(studied.folder, project.folder, symlinks=True)
    return project


@pytest.mark.slow
@pytest.mark.parametrize(
    ("option", "value", "jobs"),
    [
        ("groups", ["sex"], set()),
        ("map_seconds", [10, "all"], transferred(*MODELS) | OVER_MODELS),
        ("maps", ["affine"], transferred(*MODELS) | ITEMS | OVER_MODELS),
        ("silence", ["sil"], ITEMS | OVER_MODELS),
        # A model comes with the hidden states that another study has, or goes.
        ("models", ["mel", "untrained", "mfcc"], transferred("mfcc") | OVER_MODELS),
        ("models", ["untrained"], OVER_MODELS),
    ],
)
def test_an_option_makes_this_study_again_and_no_other(kinematic, option, value, jobs):
    configure(kinematic, **{option: value})
    assert kinematic.planned() == jobs


@pytest.mark.slow
def test_a_speaker_is_in_every_score(kinematic):
    kinematic.append("speakers.tsv", "s3\tf\ta\n")
    found = kinematic.planned()
    assert {job for job in found if "shard=" in job[1]} == {
        (rule, f"corpus=tiny, {model}shard=s3")
        for rule, model in [
            *[("tabulate", ""), ("filter_ema", ""), ("embed_layers_0_2", "model=untrained, ")],
            *[("embed_1", f"model={name}, ") for name in ("mfcc", "mel")],
        ]
    }
    assert found >= transferred(*MODELS) | ITEMS | OVER_MODELS


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "jobs"),
    [
        ("phonoscope/probes/affine.py", transferred(*MODELS) | ITEMS | OVER_MODELS),
        ("phonoscope/figures/kinematics_groups.py", {("draw_kinematics_groups", "corpus=tiny")}),
        ("phonoscope/studies/alignment_retrieval.py", set()),
    ],
)
def test_its_code_makes_it_again_and_no_others(kinematic, path, jobs):
    kinematic.append(path)
    assert kinematic.planned() == jobs
