"""A finished run of the default config, in the folder that PHONOSCOPE_DEMO names; tests look at copies of it.

`make contract` gives them the one that `make demo` has left.
"""

import os
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

CONFIG = "config/config.yaml"
# Caches and environments, which are not the project's.
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", "__pycache__", ".pytest_cache", ".ruff_cache", ".hypothesis"
)


@dataclass(frozen=True)
class Job:
    """A job of a plan, as Snakemake prints it."""

    rule: str
    said: str
    inputs: frozenset
    outputs: frozenset
    benchmark: str
    why: str

    @property
    def wildcards(self):
        return dict(re.findall(r"(\w+)=([^,]+)", self.said))

    @property
    def model(self):
        return self.wildcards.get("model")

    @property
    def follows(self):
        """Whether it is only there because what it reads is made again."""
        return all(part.startswith("Input files updated by another job") for part in self.why.split("; "))


def jobs_of(text):
    """What Snakemake has printed of its jobs: (rule, wildcards as a string) to Job, without `all`."""
    found = {}
    for block in re.split(r"(?m)^(?:local)?rule ", text)[1:]:
        said = dict(re.findall(r"(?m)^ {4}(\w+): (.*)$", block))
        files = [frozenset(filter(None, said.get(key, "").split(", "))) for key in ("input", "output")]
        job = Job(
            block.partition(":")[0], said.get("wildcards", ""), *files, said.get("benchmark"), said["reason"]
        )
        if job.rule != "all":
            found[job.rule, job.said] = job
    return found


def below(dag, roots):
    """The keys ``roots`` and those of all jobs that read, directly or through others, what they make."""
    readers = defaultdict(set)
    for key, job in dag.items():
        for path in job.inputs:
            readers[path].add(key)
    found, todo = set(), set(roots)
    while todo:
        key = todo.pop()
        found.add(key)
        todo |= set().union(*(readers[path] for path in dag[key].outputs)) - found
    return found


def fed_otherwise(old, new):
    """Keys of the jobs of the plan ``new`` that are not in ``old``, or read other files there."""
    return {key for key, job in new.items() if key not in old or old[key].inputs != job.inputs}


@dataclass
class Bed:
    """A copy of the finished project, whose files can be changed and put back."""

    folder: Path
    kept: dict = field(default_factory=dict)

    def snakemake(self, *arguments):
        """All that it prints; the test fails where it does."""
        command = [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]
        done = subprocess.run(
            command,
            cwd=self.folder,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=1800,
        )
        if done.returncode:
            pytest.fail(f"{' '.join(arguments)} failed:\n{done.stdout[-6000:]}")
        return done.stdout

    def plan(self, *arguments):
        """The jobs of a dry run."""
        return jobs_of(self.snakemake("-n", *arguments))

    def write(self, path, text):
        path = self.folder / path
        if path not in self.kept:
            self.kept[path] = (path.read_bytes(), path.stat()) if path.exists() else None
        path.write_text(text, encoding="utf-8")

    def append(self, path, text="\n_CHANGED = True\n"):
        self.write(path, (self.folder / path).read_text(encoding="utf-8") + text)

    def config(self):
        """The default config."""
        return yaml.safe_load((self.folder / CONFIG).read_text(encoding="utf-8"))

    def configure(self, change):
        """Change the default config in place by a function."""
        config = self.config()
        change(config)
        self.write(CONFIG, yaml.dump(config, Dumper=yaml.SafeDumper, sort_keys=False))

    def put_back(self):
        """Undo all changes, times included."""
        for path, kept in self.kept.items():
            if kept is None:
                path.unlink()
            else:
                path.write_bytes(kept[0])
                os.utime(path, ns=(kept[1].st_atime_ns, kept[1].st_mtime_ns))
        self.kept.clear()


@pytest.fixture(scope="session")
def demo():
    """The folder of a finished run of the default config. Not to be changed."""
    given = os.environ.get("PHONOSCOPE_DEMO")
    if not given:
        pytest.skip("PHONOSCOPE_DEMO names no finished run of the default config (make contract)")
    folder = Path(given).resolve()
    if not (folder / "results/provenance.json").is_file():
        pytest.fail(f"{folder} has no finished run of the default config")
    return folder


@pytest.fixture
def copy(demo, tmp_path):
    """A copy of the project for a test of its own, with the times of the original."""
    bed = Bed(tmp_path / "project")
    shutil.copytree(demo, bed.folder, symlinks=True, ignore=LEFT_OUT)
    yield bed
    shutil.rmtree(bed.folder)


@pytest.fixture(scope="session")
def planning(demo, tmp_path_factory):
    """The copy in which only dry runs are made."""
    bed = Bed(tmp_path_factory.mktemp("contract") / "project")
    shutil.copytree(demo, bed.folder, symlinks=True, ignore=LEFT_OUT)
    yield bed
    shutil.rmtree(bed.folder)


@pytest.fixture
def bed(planning):
    """The project, to be changed and planned; what is changed is put back after the test."""
    yield planning
    planning.put_back()


@pytest.fixture(scope="session")
def dag(planning):
    """All jobs of the default config."""
    return planning.plan("--forceall")
