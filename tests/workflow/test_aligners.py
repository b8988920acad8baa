"""Alignment in the workflow: what its section may say, what it makes, what is made again after a change."""

import shutil
from pathlib import Path

import pytest

from phonoscope import tables
from phonoscope.errors import InputError
from workflow.dag import aligners
from workflow.dag.configuration import checked, schema

ROOT = Path(__file__).resolve().parents[2]
FRAMES = {"kind": "frames", "path": "resources/models/aligner-phones"}
HUB = {"kind": "ctc", "hub": "owner/name", "revision": "main"}


def load(tiny, **sections):
    """The config as the schema and this section's check leave it."""
    config = checked(tiny | sections, "config", "mine.yaml")
    aligners.check(config, "mine.yaml")
    return config


def test_defaults(tiny):
    tiny["corpora"]["tiny"]["align"] = {"aligner": "x"}
    config = load(tiny, aligners={"x": dict(FRAMES), "mms": {"kind": "mms_fa"}, "hub": dict(HUB)})
    assert config["corpora"]["tiny"]["align"] == {"aligner": "x", "units": "auto", "tones": None}
    assert [each["gpu"] for each in config["aligners"].values()] == ["auto"] * 3
    assert "align" not in load(tiny["corpora"]["tiny"].pop("align") and tiny)["corpora"]["tiny"]


def test_a_trained_aligner_has_the_folder_of_its_training(tiny):
    training = {"a": {"recipe": "finetune_ctc", "corpora": ["tiny"], "steps": 2}}
    config = load(tiny, training=training, aligners={"x": {"kind": "frames", "trained": "a"}})
    assert config["aligners"]["x"]["path"] == "results/training/a"
    assert aligners.deciding("x", config["aligners"]["x"]) == {
        "name": "x", "kind": "frames", "path": "results/training/a"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"kind": "frames"}, ["aligners.x", "set one of path, trained"]),
        (FRAMES | {"trained": "a"}, ["aligners.x", "set one of path, trained"]),
        ({"kind": "frames", "trained": "a"}, ["aligners.x.trained", "no training a"]),
        ({"kind": "ctc"}, ["aligners.x", "set one of hub, path, trained"]),
        (HUB | {"path": "x"}, ["aligners.x", "set one of hub, path, trained"]),
        ({"kind": "ctc", "hub": "owner/name"}, ["aligners.x", "needs a revision"]),
        (FRAMES | {"hub": "owner/name"}, ["unknown key 'hub'"]),
        ({"kind": "mms_fa", "path": "x"}, ["unknown key 'path'"]),
        ({"kind": "mmsfa"}, ["did you mean mms_fa"]),
        ({"path": "x"}, ["the key 'kind' is missing"]),
    ],
)
def test_a_mistake_is_named_with_its_place_and_the_fix(tiny, section, words):
    with pytest.raises(InputError) as caught:
        load(tiny, aligners={"x": section})
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("align", "words"),
    [
        ({"aligner": "y"}, ["corpora.tiny.align.aligner", "no aligner y", "use a name among x"]),
        ({"units": "phones"}, ["the key 'aligner' is missing"]),
        ({"aligner": "x", "units": "letters"}, ["'letters' is not a valid value"]),
        ({"aligner": "x", "tones": "thay"}, ["did you mean thai"]),
        ({"aligner": "x", "rule": "thai"}, ["unknown key 'rule'"]),
    ],
)
def test_a_mistake_in_a_corpus(tiny, align, words):
    tiny["corpora"]["tiny"]["align"] = align
    with pytest.raises(InputError) as caught:
        load(tiny, aligners={"x": FRAMES})
    for word in words:
        assert word in str(caught.value)


def test_units_rules_and_kinds_are_those_of_the_library():
    from phonoscope.alignment import tokens, tones
    from phonoscope.alignment.aligners import KINDS

    align = schema("config")["$defs"]["corpus"]["properties"]["align"]["properties"]
    assert align["units"]["enum"] == list(tokens.UNITS)
    assert align["tones"]["enum"] == [*tones.RULES, None]
    assert set(schema("config")["$defs"]["aligner"]["properties"]["kind"]["enum"]) == set(KINDS)


def spoken(config):
    """Two buckets of a shipped tone language, aligned by a shipped recogniser of it."""
    config["corpora"]["naile"] = {
        "reader": "table",
        "path": str(ROOT / "resources" / "corpora" / "synthetic-tone" / "naile"),
        "shards": 2,
        "align": {"aligner": "naile"},
    }
    config["aligners"] = {"naile": {"kind": "ctc", "path": "resources/models/hubert-naile-ctc"}}
    config["articulation"]["corpora"] = ["tiny"]


@pytest.mark.slow
def test_a_shard_is_aligned_and_a_change_redoes_alignment_only(finished, tmp_path):
    folder = tmp_path / "project"
    shutil.copytree(finished.folder, folder, symlinks=True)
    project = type(finished)(folder)
    wanted = [f"results/naile/aligned/bucket{k}.parquet" for k in range(2)]
    project.config(spoken)
    project.snakemake(*wanted)
    found = tables.read(folder / wanted[0])
    assert found.schema.equals(tables.SEGMENTS)
    assert set(found["tier"].to_pylist()) == {"phone", "word"}
    said = tables.provenance(found)
    assert said["aligner"] == "naile" and said["commit"].startswith("sha256:") and said["not_aligned"] == 0
    assert tables.read(folder / "results/naile/notes/align-bucket0.parquet").num_rows == 0
    assert project.planned(*wanted) == set()

    def changed(config):
        spoken(config)
        config["corpora"]["naile"]["align"]["units"] = "characters"

    project.config(changed)
    assert project.planned(*wanted) == {("align", f"corpus=naile, shard=bucket{k}") for k in range(2)}
    project.config(spoken)
    project.append("resources/models/hubert-naile-ctc/vocab.json", "\n")
    assert project.planned(*wanted) == {
        ("fetch_aligner", "aligner=naile"), *(("align", f"corpus=naile, shard=bucket{k}") for k in range(2))
    }  # fmt: skip
