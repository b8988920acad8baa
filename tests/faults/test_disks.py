"""Disks that are full or read-only, and clocks that jump."""

import os
import re
import shutil
import subprocess
import time

import pytest

from tests.faults.conftest import TARGET, jobs_of
from tests.faults.test_kills import ABOVE, SCORED, STEPS

pytestmark = pytest.mark.slow


def test_a_full_disk(project, mount):
    forgotten, _, due = STEPS["embed"]
    project.forget(*forgotten)
    complete = project.stamps()
    states, elsewhere = project.folder / "results/tiny/embeddings", project.folder / "elsewhere"
    shutil.move(states, elsewhere)
    states.mkdir()
    mount("-t", "tmpfs", "-o", "size=8m", "tmpfs", at=states)
    shutil.copytree(elsewhere, states, dirs_exist_ok=True)
    # One of two files has room.
    disk = os.statvfs(states)
    (states / "others").write_bytes(bytes(disk.f_bavail * disk.f_bsize - 300_000))
    line = project.refused("the disk is full", "make room")
    assert "results/tiny/embeddings/tiny/s2/layer" in line
    assert not list(states.rglob("*.partial")) and project.stamps() == complete
    (states / "others").unlink()
    assert jobs_of(project.run().stdout) == due
    assert project.stamps().items() >= complete.items()
    project.check_same()


def test_a_read_only_results_folder(project, mount):
    results = project.folder / "results"
    mount("--bind", str(results), at=results)
    mount("-o", "remount,ro,bind", at=results)
    assert "Nothing to be done" in project.run().stdout
    mount("-o", "remount,rw,bind", at=results)
    project.forget(*STEPS["score"][0])
    mount("-o", "remount,ro,bind", at=results)
    assert project.planned(TARGET) == STEPS["score"][2]
    assert str(results) in project.refused("cannot be written to", "make it writable")
    mount("-o", "remount,rw,bind", at=results)
    assert jobs_of(project.run().stdout) == STEPS["score"][2]
    project.check_same()


def test_a_read_only_project(project, mount):
    mount("--bind", str(project.folder), at=project.folder)
    mount("-o", "remount,ro,bind", at=project.folder)
    assert ".snakemake" in project.refused("cannot be written to", "run in a copy")
    mount("-o", "remount,rw,bind", at=project.folder)
    project.check_same()


def date(project, *seconds):
    """Date all results by these seconds from now, in turn."""
    for index, path in enumerate(sorted(project.folder.joinpath("results").rglob("*.*"))):
        at = time.time() + seconds[index % len(seconds)]
        os.utime(path, (at, at))


@pytest.mark.parametrize("seconds", [(-9e8,), (-60, -9000, -1e7, -1, -86400, -3, -500)])
def test_a_clock_that_was_slow(project, seconds):
    date(project, *seconds)
    assert project.planned(TARGET) == set()


def test_a_clock_that_was_fast(project):
    date(project, 2 * 86400, 90000, -3600)
    line = project.refused("dated in the future", "the clock has jumped")
    command = re.search(r"find results/ .* \{\} \+", line)[0]
    subprocess.run(command, shell=True, cwd=project.folder, check=True)
    assert project.planned(TARGET) == set()
    # What was made while the clock was ahead is used, and what is changed now is seen.
    project.forget("articulation/tiny/summary/tiny")
    assert jobs_of(project.run().stdout) == ABOVE
    project.check_same()
    project.append("model/config.json", " ")
    shards = {("embed_layers_0_2", f"corpus=tiny, model=tiny, shard={shard}") for shard in ("s1", "s2")}
    assert project.planned(TARGET) == {("fetch_model", "model=tiny")} | shards | SCORED | ABOVE
