"""Jobs, and Snakemake itself, that are killed; two Snakemakes at once."""

import os
import signal

import pytest

from tests.faults.conftest import alive, jobs_of, wait_for

pytestmark = pytest.mark.slow

SCORED = {("score", f"corpus=tiny, model=tiny, layer={layer}") for layer in (0, 2)}
ABOVE = {("summarise", "corpus=tiny, model=tiny"), ("combine", "corpus=tiny")}
# What is forgotten, where the run is disturbed, and what is to be made by the next run.
STEPS = {
    "embed": (
        [
            "tiny/embeddings/tiny/s2",
            "tiny/notes/embeddings/tiny/s2.parquet",
            "articulation/tiny/scores/tiny",
            "articulation/tiny/predictions/tiny",
            "articulation/tiny/summary/tiny",
        ],
        "embeddings/tiny/s2/layer2.parquet",
        {("embed_layers_0_2", "corpus=tiny, model=tiny, shard=s2")} | SCORED | ABOVE,
    ),
    "score": (
        [
            "articulation/tiny/scores/tiny/layer2.parquet",
            "articulation/tiny/predictions/tiny/layer2.parquet",
            "articulation/tiny/summary/tiny",
        ],
        "scores/tiny/layer2.parquet",
        {("score", "corpus=tiny, model=tiny, layer=2")} | ABOVE,
    ),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_killed_job(project, step):
    forgotten, where, due = STEPS[step]
    project.forget(*forgotten)
    complete = project.stamps()
    process, job = project.start(where)
    os.kill(job, signal.SIGKILL)
    project.release()
    assert process.wait() == 1
    # Nothing has the name of a result that is not whole.
    assert project.stamps() == complete
    assert jobs_of(project.run().stdout) == due
    assert project.stamps().items() >= complete.items()
    project.check_same()


@pytest.mark.parametrize("step", STEPS)
def test_a_killed_snakemake(project, step):
    forgotten, where, due = STEPS[step]
    project.forget(*forgotten)
    complete = project.stamps()
    process, job = project.start(where)
    process.kill()
    process.wait()
    wait_for(lambda: not alive(job))
    log = (project.folder / "results/logs/embed/tiny/tiny/s2.log").read_text()
    assert step != "embed" or "Snakemake has ended" in log
    project.release()
    assert "--unlock" in project.run(check=False).stdout
    project.snakemake("--unlock")
    assert jobs_of(project.run().stdout) == due
    assert project.stamps().items() >= complete.items()
    project.check_same()


def test_two_workflows_on_one_results_folder(project):
    forgotten, where, _ = STEPS["score"]
    project.forget(*forgotten)
    first, _ = project.start(where)
    before = project.stamps()
    second = project.run(check=False)
    assert second.returncode and "cannot be locked" in second.stdout and str(project.folder) in second.stdout
    assert project.stamps() == before and first.poll() is None
    project.release()
    assert first.wait() == 0
    project.check_same()
