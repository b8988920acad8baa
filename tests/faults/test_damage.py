"""Files that are damaged or replaced: hidden states, tables, checkpoints, recordings."""

import re
import shutil

import pytest

from tests.faults.conftest import TARGET, cut, flip, jobs_of
from tests.faults.test_kills import STEPS

pytestmark = pytest.mark.slow


def test_damaged_hidden_states_and_scores(project):
    states = project.folder / "results/tiny/embeddings"
    # A weight of a frame; what the file says of itself; the end of the file.
    flip(states / "tiny/s2/layer2.parquet", 100_000)
    flip(states / "tiny/s1/layer0.parquet", -400)
    cut(states / "mel/s1/layer0.parquet", 30_000)
    project.forget("articulation/tiny")
    done = project.snakemake("--keep-going", "--", TARGET, check=False)
    fixes = set(
        re.findall(r"run snakemake with `(--force \S+)` and no other target, and then as before", done.stdout)
    )
    damaged = {"tiny/s2/layer2.parquet", "tiny/s1/layer0.parquet", "mel/s1/layer0.parquet"}
    assert fixes == {f"--force results/tiny/embeddings/{name}" for name in damaged}
    assert not list((project.folder / "results/articulation/tiny/scores").rglob("*.parquet"))
    for fix in fixes:
        project.snakemake(*fix.split())
    assert {rule for rule, _ in jobs_of(project.run().stdout)} == {"score", "summarise", "combine"}
    project.check_same()


def test_a_damaged_table(project):
    for name in ("utterances/s1", "articulation/s2"):
        path = project.folder / f"results/tiny/{name}.parquet"
        flip(path, path.stat().st_size // 3)
        project.forget("articulation/tiny")
        fix = re.search(r"`(--force \S+)`", project.refused(f"{name}.parquet", "not a readable table"))[1]
        # What is made again as it was has nothing else made again.
        assert len(jobs_of(project.snakemake(*fix.split()).stdout)) == 1
    again = {rule for rule, _ in jobs_of(project.run().stdout)}
    assert again == {"score", "summarise", "combine"}
    project.check_same()


def test_a_damaged_checkpoint(project):
    weights = project.folder / "model/model.safetensors"
    whole = project.stamps()
    project.forget(*STEPS["embed"][0])
    flip(weights, weights.stat().st_size // 2)
    assert "model/model.safetensors" in project.refused("was damaged or replaced", "results/models/tiny.json")
    flip(weights, weights.stat().st_size // 2)
    assert jobs_of(project.run().stdout) == STEPS["embed"][2]
    kept = project.folder / "results/tiny/embeddings/tiny/s1/layer0.parquet"
    assert kept.stat().st_mtime_ns == whole[kept]
    project.check_same()


@pytest.mark.parametrize("damage", [flip, cut])
def test_a_damaged_recording(project, damage):
    path = project.folder / "corpus/s2_3.flac"
    whole = path.read_bytes()
    project.forget(*STEPS["embed"][0])
    damage(path, 9000)
    assert "corpus/s2_3.flac" in project.refused("damaged or changed", "copy it again")
    path.write_bytes(whole)
    assert jobs_of(project.run().stdout) == STEPS["embed"][2]
    project.check_same()


def test_a_model_replaced_under_a_running_workflow(project):
    forgotten, _, due = STEPS["embed"]
    project.forget(*forgotten)
    complete = project.stamps()
    process, _ = project.start("embeddings/tiny/s2/layer0.parquet")
    model, old = project.folder / "model", project.folder / "old"
    model.rename(old)
    shutil.copytree(old, model)
    flip(model / "model.safetensors", 1_000_000)
    project.release()
    assert process.wait() == 1
    printed = (project.folder / "first.log").read_text()
    assert "was changed while it was in use" in printed and "model/model.safetensors" in printed
    assert project.stamps() == complete
    # With the dates of the old one, the next job sees that it is another; with its own, all shards are due.
    assert "model/model.safetensors" in project.refused("was damaged or replaced")
    (model / "model.safetensors").touch()
    s1 = ("embed_layers_0_2", "corpus=tiny, model=tiny, shard=s1")
    assert project.planned(TARGET) == due | {("fetch_model", "model=tiny"), s1}
    shutil.rmtree(model)
    old.rename(model)
    assert jobs_of(project.run().stdout) == due
    project.check_same()
