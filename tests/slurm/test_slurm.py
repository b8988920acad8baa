"""The articulation study on a real Slurm: all but local jobs through sbatch, and what goes wrong there."""

import re
import shutil
import subprocess
import sys
import time

import pytest

from phonoscope import tables
from tests.slurm.conftest import ask
from tests.workflow.conftest import Project, copy_code, write_corpus, write_speakers

pytestmark = pytest.mark.slow

TABLES = ["results/tables/tiny/E1.csv", "results/tables/tiny/E5.csv"]
MADE = [*TABLES, "results/tables/kinematics/matrix.csv", "results/tables/kinematics/maps.csv"]
SCORE = "results/articulation/tiny/scores/untrained/layer2.parquet"
GPU_RULE = "embed_layers_0_2"
# This Slurm has no accounting, two CPUs, and nothing to wait for.
HERE = ["--workflow-profile", "profiles/slurm", "--slurm-status-command", "squeue"]
HERE += ["--slurm-init-seconds-before-status-checks", "2", "--latency-wait", "10"]
HERE += ["--slurm-keep-successful-logs"]
HERE += ["--set-threads", "score=1", "transfer=1", "--set-resources", f"{GPU_RULE}:gpu=1", "--"]


def change(config):
    config["models"].pop("mfcc")
    config["kinematics"] = {"corpora": ["tiny"], "map_seconds": [5, "all"]}


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    """The project after a run without a cluster."""
    folder = tmp_path_factory.mktemp("local") / "project"
    folder.mkdir()
    copy_code(folder)
    write_corpus(folder / "corpus", ["s1", "s2", "s3"])
    write_speakers(folder, ["s1", "s2", "s3"])
    project = Project(folder)
    project.config(change)
    project.snakemake("--", *MADE)
    return project


class Run:
    """A run through sbatch: what Snakemake printed, and what Slurm says of the jobs."""

    def __init__(self, project, *arguments, check=True):
        done = project.snakemake(*(arguments or (*HERE, *MADE)), check=check)
        self.printed, self.status = done.stdout, done.returncode
        self.submitted = re.findall(r"has been submitted with SLURM jobid (\d+)", done.stdout)
        self.jobs = [described(job) for job in self.submitted]


def described(job):
    """What Slurm says of a job: name to value."""
    return dict(re.findall(r"(\w+)=(\S*)", ask("scontrol", "--oneliner", "show", "job", job)))


def contents(folder):
    return {path: (folder / path).read_bytes() for path in MADE}


@pytest.fixture(scope="module")
def clustered(slurm, local, tmp_path_factory):
    """The same project, run through sbatch from the start; scoring asks for too little memory."""
    folder = tmp_path_factory.mktemp("clustered") / "project"
    shutil.copytree(local.folder, folder, ignore=shutil.ignore_patterns("results", ".snakemake"))
    rules = folder / "workflow" / "rules" / "articulation.smk"
    text = rules.read_text(encoding="utf-8")
    assert text.count("mem_mb=grow(3000,") == 1
    rules.write_text(text.replace("mem_mb=grow(3000,", "mem_mb=grow(150,"), encoding="utf-8")
    project = Project(folder)
    return project, Run(project)


def test_results_are_those_of_a_local_run(local, clustered):
    assert contents(clustered[0].folder) == contents(local.folder)
    scores = [tables.read(project.folder / SCORE) for project in (local, clustered[0])]
    assert scores[0].equals(scores[1]) and scores[0].num_rows > 100


def test_every_job_that_is_not_local_went_through_sbatch(clustered):
    project, run = clustered
    rules = set(re.findall(r"(?m)^ *rule (\w+):$", run.printed)) - {"all"}
    local = set(re.findall(r"(?m)^ *localrule (\w+):$", run.printed))
    assert {"tabulate", "filter_ema", "embed_1", GPU_RULE, "score", "summarise", "transfer"} <= rules
    assert {"fetch_model"} <= local and not rules & local
    logs = {path.stem for path in project.folder.glob("slurm_logs/**/*.log")}
    assert logs == set(run.submitted)
    done = [job for job in run.jobs if job["JobState"] == "COMPLETED"]
    # Tables and encodings per speaker, scores per layer, summaries per model, items once; EMA in one group.
    assert len(done) == 3 + 6 + 2 * 3 + 2 * 2 + 1 + 1
    assert project.planned("--", *MADE) == set()


def test_short_jobs_are_bundled_and_their_cpus_capped(clustered):
    groups = [job for job in clustered[1].jobs if job["Comment"] == "rule_speakers_filter_ema"]
    # Three jobs of one core; Snakemake was given two.
    assert [job["NumCPUs"] for job in groups] == ["2"]


def test_jobs_ask_for_what_their_rules_say(clustered):
    asked = {job["Comment"]: (job["MinMemoryNode"], job["TimeLimit"]) for job in clustered[1].jobs}
    assert asked["rule_tabulate_wildcards_tiny_s1"] == ("2000M", "01:00:00")
    # Two speakers of 24 s at once, then one: 2,000 MB and as much per hour; 30 minutes, and 30 per hour.
    assert asked["rule_speakers_filter_ema"] == ("4028M", "01:02:00")


def test_a_job_killed_for_memory_is_tried_again_with_more(clustered):
    project, run = clustered
    scored = [job for job in run.jobs if job["Comment"].startswith("rule_score_")]
    ended = {(job["Comment"], job["MinMemoryNode"]): job["JobState"] for job in scored}
    assert len({comment for comment, _ in ended}) == 3
    for comment in {comment for comment, _ in ended}:
        asked = [memory for other, memory in ended if other == comment]
        # What it asked for grows by 150 MB each time, and by a little for the files that it reads.
        assert [int(memory[:-1]) // 150 for memory in asked] in ([1, 2], [1, 2, 3])
        assert [ended[comment, memory] for memory in asked] == ["FAILED"] * (len(asked) - 1) + ["COMPLETED"]
    logs = [path.read_text(encoding="utf-8") for path in project.folder.glob("slurm_logs/rule_score/*/*.log")]
    assert sum("exceeded memory limit" in text for text in logs) >= 3


def test_slurm_chooses_the_gpu(clustered):
    """A pretended one, which torch cannot use: the job says so and goes on with the CPU."""
    project, run = clustered
    asked = [job for job in run.jobs if GPU_RULE in job["Comment"]]
    assert len(asked) == 3 and all(job["TresPerJob"] == "gres:gpu:1" for job in asked)
    log = (project.folder / "results/logs/embed/untrained/tiny/s1.log").read_text(encoding="utf-8")
    assert re.search(r"cannot use the GPU [01]\b", log) and "Going on with the CPU" in log


def test_a_cancelled_job_is_finished_by_the_next_call(local, clustered, tmp_path):
    project = Project(tmp_path / "project")
    shutil.copytree(clustered[0].folder, project.folder, symlinks=True)
    embedding = "results/tiny/embeddings/mel/s1/layer0.parquet"
    for path in (embedding, *MADE):
        (project.folder / path).unlink()
    # What is missing is made for those that need it only.
    for study in ("articulation", "kinematics"):
        for made in ("scores", "summary"):
            shutil.rmtree(project.folder / "results" / study / "tiny" / made / "mel")
    kept = project.folder.glob("results/*/embeddings/**/*.parquet")
    before = {path: path.stat().st_mtime_ns for path in kept}
    assert len(before) == 8
    command = [sys.executable, "-m", "snakemake", *HERE[:-3], "--retries", "0", "--", *MADE]
    with open(tmp_path / "first.log", "wb") as log:
        first = subprocess.Popen(command, cwd=project.folder, stdout=log, stderr=log)
    try:
        until(lambda: "rule_embed_1" in ask("squeue", "-h", "-t", "RUNNING", "-o", "%k"), first)
        job = ask("squeue", "-h", "-t", "RUNNING", "-o", "%A").strip()
        subprocess.run(["scancel", job], check=True)
        assert first.wait(180) != 0
    finally:
        first.kill()
    assert described(job)["JobState"] == "CANCELLED"
    said = (tmp_path / "first.log").read_text(encoding="utf-8")
    assert f"SLURM-job '{job}' failed" in said and "CANCELLED" in said
    assert not (project.folder / embedding).exists()
    again = Run(project)
    assert again.status == 0 and contents(project.folder) == contents(local.folder)
    assert sum("embed" in found.get("Comment", "") for found in again.jobs) == 1
    assert {path: path.stat().st_mtime_ns for path in before} == before


def until(happens, process, patience_s=180):
    for _ in range(patience_s * 10):
        if happens():
            return
        assert process.poll() is None, "Snakemake ended before"
        time.sleep(0.1)
    raise AssertionError("it did not happen in time")
