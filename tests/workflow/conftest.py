"""A project with a tiny corpus, run once; every test looks at a copy of what it left."""

import copy
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PARTS = ["Snakefile", "workflow", "phonoscope", "profiles", "envs", "resources/published", "resources/models"]

CONFIG = {
    "corpora": {
        "tiny": {
            "reader": "table",
            "path": "corpus",
            "speakers": "speakers.tsv",
            "sensors": {"TT": "TT", "LL": "LL"},
        }
    },
    "models": {
        "mfcc": {"encoder": "mfcc", "context": 1},
        "mel": {"encoder": "mel", "n_mels": 20},
        "untrained": {
            "encoder": "transformers",
            "path": "resources/models/wav2vec2-tiny",
            "depth": 4,
            "layers": [0, 2],
            "init": "random",
        },
    },
    "articulation": {"probes": ["ridge"], "training_seconds": [5, 10]},
}


@dataclass(frozen=True)
class Project:
    """A folder that snakemake can be run in."""

    folder: Path

    def snakemake(self, *arguments, check=True):
        """Run snakemake; its exit status and all that it printed."""
        command = [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]
        done = subprocess.run(
            command, cwd=self.folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600
        )
        if check and done.returncode:
            pytest.fail(f"{' '.join(arguments)} failed:\n{done.stdout[-6000:]}")
        return done

    def planned(self, *arguments):
        """What a dry run would do: a set of (rule, wildcards as a string)."""
        blocks = re.split(r"(?m)^(?:local)?rule ", self.snakemake("-n", *arguments).stdout)[1:]
        jobs = set()
        for block in blocks:
            wildcards = re.search(r"(?m)^ {4}wildcards: (.*)$", block)
            jobs.add((re.match(r"[^:]+", block)[0], wildcards[1] if wildcards else ""))
        # What says where tables are from is written anew after every other job.
        return jobs - {("all", ""), ("write_provenance", "")}

    def config(self, change=lambda config: None, **options):
        """Write the config, changed in place by ``change``."""
        config = copy.deepcopy(CONFIG)
        change(config)
        (self.folder / "config").mkdir(exist_ok=True)
        text = yaml.safe_dump(config, sort_keys=False, **options)
        (self.folder / "config" / "config.yaml").write_text(text, encoding="utf-8")

    def append(self, path, text="\n# A change.\n"):
        """Change a file's content."""
        with open(self.folder / path, "a", encoding="utf-8") as file:
            file.write(text)


def write_corpus(folder, speakers):
    """Noise whose loudness follows an invented tongue: six recordings of four seconds per speaker."""
    import soundfile

    from phonoscope import tables

    folder.mkdir(parents=True)
    (folder / "ema").mkdir()
    rng, rows, channels = np.random.default_rng(0), [], ["TT_x", "TT_z", "LL_x", "LL_z"]
    for speaker in speakers:
        parts = []
        for index in range(6):
            name, time = f"{speaker}_{index}", np.arange(400) / 100
            phases = rng.uniform(0, 6.28, (4, 3))
            moves = np.sin(2 * np.pi * np.outer([1.3, 2.1, 3.7], time)[None] + phases[:, :, None]).sum(1)
            loud = np.exp(np.interp(np.arange(64000) / 16000, time, moves[1]) - 3)
            soundfile.write(folder / f"{name}.flac", loud * rng.normal(size=64000) * 0.3, 16000)
            values = [pa.array(4 * move, pa.float32()) for move in moves]
            parts.append(pa.table([[name] * 400, time, *values], names=["utterance_id", "time_s", *channels]))
            rows.append(
                {"utterance_id": name, "audio": f"{name}.flac", "speaker": speaker}
                | {"task": ["read", "free"][index % 2], "condition": ["L1", "L2"][index // 3]}
            )
        tables.write(pa.concat_tables(parts), folder / "ema" / f"{speaker}.parquet", rate=100)
    tables.write(tables.from_rows(rows, tables.UTTERANCES), folder / "recordings.parquet")


def write_speakers(folder, speakers):
    lines = ["speaker\tsex\tnative_language", *(f"{speaker}\tf\ta" for speaker in speakers)]
    (folder / "speakers.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def copy_code(folder, parts=PARTS):
    ignored = shutil.ignore_patterns("__pycache__")
    for part in parts:
        source, target = ROOT / part, folder / part
        if source.is_dir():
            shutil.copytree(source, target, ignore=ignored)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)


@pytest.fixture
def tiny():
    """The config of the tiny project, to be changed at will."""
    return copy.deepcopy(CONFIG)


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """The project after a run of everything, for two of three speakers. Not to be changed."""
    folder = tmp_path_factory.mktemp("finished") / "project"
    folder.mkdir()
    copy_code(folder)
    write_corpus(folder / "corpus", ["s1", "s2", "s3"])
    write_speakers(folder, ["s1", "s2"])
    project = Project(folder)
    project.config()
    project.snakemake()
    return project


@pytest.fixture
def project(finished, tmp_path):
    """A copy of the finished project, with the time stamps of the original."""
    folder = tmp_path / "project"
    shutil.copytree(finished.folder, folder, symlinks=True)
    return Project(folder)


@pytest.fixture(scope="session")
def empty(tmp_path_factory):
    """The project before anything was run, without its corpus. Not to be changed."""
    folder = tmp_path_factory.mktemp("empty") / "project"
    folder.mkdir()
    copy_code(folder)
    shutil.copytree(ROOT / "config", folder / "config")
    write_speakers(folder, ["s1", "s2"])
    os.environ.pop("SNAKEMAKE_PROFILE", None)
    return Project(folder)
