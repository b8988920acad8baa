"""Which jobs ask for a GPU, by what the config says of each part, and what they do without one."""

import copy
import os
import re
import shutil

import pytest

from phonoscope.encoders import lease
from phonoscope.errors import InputError
from phonoscope.training import task
from workflow.dag import settings

PRETENDED = """
devices.__defaults__ = (Path('dev'), Path('none'))
lease_gpu.__defaults__ = (Path('dev'), 'locks', Path('none'))
"""
# A job of each part that can use a GPU, its rule, and where the config speaks of it.
PARTS = {
    "embed_5": ("results/said/embeddings/whisper/bucket0/layer0.parquet", ("embeddings",)),
    "time_words": ("results/alignment/said/word_times/whisper.parquet", ("embeddings",)),
    "exit_early": ("results/alignment/said/exits/whisper/layer4.parquet", ("embeddings",)),
    "focus": ("results/tone/said/focus/whisper/bucket0.parquet", ("embeddings",)),
    "align": ("results/said/aligned/bucket0.parquet", ("aligners", "phones")),
    "score_retrieval": ("results/alignment/said/scores/whisper/layer4.parquet", ("alignment", "retrieval")),
    "finetune_ctc": ("results/training/tuned/training.json", ("training", "tuned")),
}
CONFIG = {
    "corpora": {
        "said": {"reader": "table", "path": "x", "shards": 1, "align": {"aligner": "phones", "tones": "thai"}}
    },
    "models": {"whisper": {"encoder": "transformers", "path": "y", "depth": 4}, "mel": {"encoder": "mel"}},
    "embeddings": {},
    "aligners": {"phones": {"kind": "frames", "path": "z"}},
    "training": {"tuned": {"recipe": "finetune_ctc", "corpora": ["said"], "steps": 2}},
    "tone": {"corpora": ["said"]},
    "alignment": {
        "corpora": ["said"],
        "retrieval": {},
        "word_times": {"models": ["whisper"]},
        "early_exit": {"models": ["whisper"]},
    },
}


def said(gpu, only=None):
    """The config with ``gpu`` in every part, or in one."""
    config = copy.deepcopy(CONFIG)
    for where in {where for _, where in PARTS.values()} & (
        {only} if only else {w for _, w in PARTS.values()}
    ):
        part = config
        for key in where:
            part = part[key]
        part["gpu"] = gpu
    return config


@pytest.mark.parametrize(
    ("wanted", "devices", "local", "asked"),
    [
        ("auto", [], True, 0),
        ("auto", ["0"], True, 1),
        ("auto", ["0", "1"], True, 1),
        ("auto", ["0"], False, 0),
        (True, [], True, 1),
        (True, [], False, 1),
        (False, ["0"], True, 0),
    ],
)
def test_how_many_a_job_asks_for(monkeypatch, wanted, devices, local, asked):
    monkeypatch.setattr(settings.lease, "devices", lambda: devices)
    assert settings.gpus(wanted, local) == asked


def test_every_part_is_auto_unless_it_says_otherwise():
    found = settings.load(copy.deepcopy(CONFIG), "f")
    others = [found.training["tuned"]["gpu"], found.alignment["retrieval"]["gpu"]]
    assert [found.encodes_on("whisper"), found.aligns_on("said"), *others] == ["auto"] * 4
    assert found.encodes_on("mel") is False and settings.load(said(True), "f").encodes_on("mel") is False
    for _, where in PARTS.values():
        with pytest.raises(InputError, match=f"{'.'.join(where)}.*'always' is not a valid value"):
            settings.load(said("always", where), "f")


def asked(project, *arguments):
    """What the jobs of a dry run ask for: rule to (gpu, gpu_needed)."""
    targets = [target for target, _ in PARTS.values()]
    blocks = project.snakemake("-n", *arguments, "--", *targets).stdout.split("\nrule ")[1:]
    found = {}
    for block in blocks:
        numbers = re.search(r"resources: .*\bgpu=(\d), gpu_needed=(\d)", block)
        if numbers:
            found[block.partition(":")[0]] = tuple(map(int, numbers.groups()))
    return {rule: found[rule] for rule in PARTS}


@pytest.fixture
def planned(empty, tmp_path):
    """A function: what jobs ask for on a machine with so many GPUs."""
    project = type(empty)(tmp_path / "project")
    shutil.copytree(empty.folder, project.folder)
    project.append("phonoscope/encoders/lease.py", PRETENDED)

    def plan(config, devices, *arguments):
        project.config(lambda made: (made.clear(), made.update(config)))
        shutil.rmtree(project.folder / "dev", ignore_errors=True)
        (project.folder / "dev").mkdir()
        for number in range(devices):
            (project.folder / "dev" / f"nvidia{number}").touch()
        return asked(project, *arguments)

    return plan


@pytest.mark.slow
def test_jobs_of_a_dry_run_ask_for_what_the_config_says(planned):
    assert planned(CONFIG, 2) == dict.fromkeys(PARTS, (1, 0))
    assert planned(CONFIG, 0) == dict.fromkeys(PARTS, (0, 0))
    assert planned(said(False), 2) == dict.fromkeys(PARTS, (0, 0))
    assert planned(said(True), 0) == dict.fromkeys(PARTS, (1, 1))
    aligned = dict.fromkeys(PARTS, (0, 0)) | {"align": (1, 1)}
    assert planned(said(True, ("aligners", "phones")), 0) == aligned
    assert planned(said(True), 0, "--workflow-profile", "profiles/slurm") == dict.fromkeys(PARTS, (1, 1))


@pytest.mark.slow
def test_a_workstation_with_gpus_that_torch_cannot_use(project):
    """Pretended ones: they are counted and leased without a word of config, and the CPU goes on."""
    for name in ("dev", "locks"):
        (project.folder / name).mkdir()
    for number in range(3):
        (project.folder / "dev" / f"nvidia{number}").touch()
    before = {path: path.read_bytes() for path in project.folder.glob("results/tables/tiny/*.csv")}
    project.append("phonoscope/encoders/lease.py", PRETENDED)
    target = "results/tiny/embeddings/untrained/s1/layer2.parquet"
    told = project.snakemake("--forcerun", "embed_layers_0_2", "--", target).stdout
    assert re.search(r"Provided resources: .*gpu.*\b3\b", told)
    log = (project.folder / "results/logs/embed/untrained/tiny/s1.log").read_text(encoding="utf-8")
    assert "cannot use the GPU 0" in log and "Going on with the CPU" in log
    assert (project.folder / "locks/phonoscope-gpu-0.lock").is_file()
    assert before == {path: path.read_bytes() for path in project.folder.glob("results/tables/tiny/*.csv")}


class Reached(Exception):
    """The training goes on."""


@pytest.mark.parametrize("gpu", [0, 1])
def test_a_training_without_a_gpu_that_works(monkeypatch, gpu):
    def reached(*arguments):
        raise Reached

    monkeypatch.setattr(task.data, "utterances", reached)
    monkeypatch.setattr(lease, "devices", lambda *where: [])
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    given = {"utterances": [], "segments": []}, ["folder/model.safetensors"]
    how = {"gpu": gpu, "gpu_needed": 0, "log_every": 1, "save_every": 1, "threads": 1, "config": ""}
    with pytest.raises(Reached):
        task.perform(None, "tuned", "{}", *given, how)
    # The Trainer would take every GPU that it sees.
    assert os.environ["CUDA_VISIBLE_DEVICES"] == ""
    if gpu:
        with pytest.raises(InputError, match=r"training\.tuned\.gpu.*set `training\.tuned\.gpu: false`"):
            task.perform(None, "tuned", "{}", *given, how | {"gpu_needed": 1})
