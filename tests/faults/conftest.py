"""A project that was run without disturbance, copies of it to disturb, and ways to disturb them."""

import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.workflow.conftest import PARTS, ROOT, Project, copy_code, write_corpus, write_speakers

TARGET = "results/tables/tiny/E1.csv"
MADE = (".parquet", ".json", ".csv")
HOOKS = Path(__file__).parent / "hooks"
MODEL = ROOT / "resources" / "models" / "hubert-tiny-synthetic"
# Seconds to wait for something that is going to happen.
PATIENCE_S = 180


@dataclass(frozen=True)
class Disturbed(Project):
    """A project to break; what it makes is compared with what the undisturbed one made."""

    undisturbed: Path = field(kw_only=True)

    def run(self, *arguments, check=True):
        """Make the table; without ``check``, it may fail."""
        return self.snakemake("--", *(arguments or [TARGET]), check=check)

    def refused(self, *words):
        """Make the table, which fails in one line that has all of the words. Returns that line."""
        done = self.run(check=False)
        assert done.returncode, done.stdout[-3000:]
        lines = [line for line in done.stdout.splitlines() if all(word in line for word in words)]
        assert lines, f"{words} not in one line of\n{done.stdout[-3000:]}"
        assert "Traceback" not in done.stdout
        return lines[0]

    def start(self, hold):
        """Start to make the table, until ``hold`` is to get its name. Returns the process, and the job."""
        told = self.folder / "held"
        environment = dict(os.environ, PYTHONPATH=str(HOOKS), HOLD_AT=hold, HOLD_FILE=str(told))
        command = [sys.executable, "-m", "snakemake", "--cores", "2", TARGET]
        with open(self.folder / "first.log", "wb") as log:
            process = subprocess.Popen(command, cwd=self.folder, env=environment, stdout=log, stderr=log)
        wait_for(lambda: told.is_file() or process.poll() is not None)
        assert told.is_file(), (self.folder / "first.log").read_text()[-3000:]
        return process, int(told.read_text())

    def release(self):
        """Let the job go on."""
        (self.folder / "held").unlink(missing_ok=True)

    def forget(self, *parts):
        """Remove results, by the beginnings of their paths below results/."""
        for part in ("tables", *parts):
            path = self.folder / "results" / part
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    def stamps(self):
        """When each result that is there was made."""
        kept = (
            path
            for path in (self.folder / "results").rglob("*")
            if path.suffix in (".parquet", ".json", ".csv")
        )
        return {path: path.stat().st_mtime_ns for path in kept if not path.name.startswith(".")}

    def check_same(self):
        """Everything is as in the undisturbed project, and nothing is left over or left to do."""
        from phonoscope import embeddings, tables

        folders = [self.folder / "results", self.undisturbed / "results"]
        ours, theirs = (
            {path.relative_to(folder) for path in folder.rglob("*") if path.suffix in MADE}
            for folder in folders
        )
        assert ours == theirs
        for name in sorted(ours):
            one, other = (folder / name for folder in folders)
            if "embeddings" in name.parts and "notes" not in name.parts:
                one, other = embeddings.read(one), embeddings.read(other)
                assert one.values.tobytes() == other.values.tobytes() and one.provenance == other.provenance
            elif name.suffix == ".parquet":
                one, other = tables.read(one), tables.read(other)
                # As text, where what is not a number equals itself.
                assert str(one.to_pydict()) == str(other.to_pydict()), name
                assert tables.provenance(one) == tables.provenance(other), name
            else:
                assert one.read_bytes() == other.read_bytes(), name
        assert not list(folders[0].rglob("*.partial"))
        assert self.planned(TARGET) == set()


def jobs_of(printed):
    """The jobs that a run says it started: a set of (rule, wildcards as a string)."""
    found = set()
    for block in re.split(r"(?m)^(?:local)?rule ", printed)[1:]:
        wildcards = re.search(r"(?m)^ {4}wildcards: (.*)$", block)
        found.add((re.match(r"[^:]+", block)[0], wildcards[1] if wildcards else ""))
    return found


def wait_for(what):
    """Wait until ``what()`` is true."""
    end = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def alive(process):
    """Whether the process with this number does anything; what nobody has buried does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def flip(path, at, bit=3):
    """Flip one bit as a disk would: the file's time stays."""
    stat, data = path.stat(), bytearray(path.read_bytes())
    data[at] ^= 1 << bit
    path.write_bytes(data)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def cut(path, keep):
    """Truncate a file as a disk would: its time stays."""
    stat = path.stat()
    os.truncate(path, keep)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


@pytest.fixture
def mount(request):
    """A function that mounts something until the test is over; skips the test where that is not allowed."""

    def mounted(*arguments, at):
        done = subprocess.run(["mount", *arguments, at], text=True, capture_output=True)
        if done.returncode:
            pytest.skip(f"mount needs root: {done.stderr.strip()}")
        if "remount" not in " ".join(arguments):
            request.addfinalizer(lambda: subprocess.run(["umount", "--lazy", at], check=True))

    if os.geteuid() or not shutil.which("mount"):
        pytest.skip("only root can mount a small or read-only disk")
    return mounted


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory):
    """The folder of a project after a run. Not to be changed."""
    folder = tmp_path_factory.mktemp("undisturbed") / "project"
    folder.mkdir()
    copy_code(folder, [part for part in PARTS if part != "resources/models"])
    write_corpus(folder / "corpus", ["s1", "s2"])
    write_speakers(folder, ["s1", "s2"])
    shutil.copytree(MODEL, folder / "model")
    project = Project(folder)

    def change(config):
        tiny = {"encoder": "transformers", "path": "model", "depth": 4, "layers": [0, 2]}
        config["models"] = {"mel": config["models"]["mel"], "tiny": tiny}

    project.config(change)
    project.snakemake("--", TARGET)
    return folder


@pytest.fixture
def project(undisturbed, tmp_path):
    """A copy of it, with the times of the original."""
    folder = tmp_path / "project"
    shutil.copytree(undisturbed, folder, symlinks=True)
    return Disturbed(folder, undisturbed=undisturbed)
