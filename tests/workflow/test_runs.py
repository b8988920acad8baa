"""Runs and dry runs as a user would make them."""

import copy
import json
import os
import re
import shutil
import subprocess
import sys

import pytest
import yaml

pytestmark = pytest.mark.slow


def test_everything_was_made(finished):
    results = finished.folder / "results"
    tables = {path.stem for path in (results / "tables" / "tiny").glob("*.csv")}
    assert {"E1", "E5", "comparisons", "published_vs_measured", "quality", "left_out"} <= tables
    figures = {path.relative_to(results / "figures" / "tiny").as_posix() for path in results.rglob("*.svg")}
    assert {"layer_profiles.svg", "heatmap.svg", "quality.svg", "trajectories/mel.svg"} <= figures
    assert all(path.with_suffix(".png").is_file() for path in results.rglob("*.svg"))


def test_report(project):
    project.snakemake("--report", "report.html")
    report = (project.folder / "report.html").read_text(encoding="utf-8")
    assert "layer_profiles.svg" in report and "published_vs_measured.html" in report


def test_hidden_states_are_kept_or_not(project):
    states = project.folder / "results" / "tiny" / "embeddings"
    assert len(list(states.rglob("*.parquet"))) == 8

    def change(config):
        config["keep_embeddings"] = False
        config["models"] = {"mel": config["models"]["mel"]}
        config["articulation"]["test_share"] = 0.3

    project.config(change)
    project.snakemake("results/articulation/tiny/scores/mel/layer0.parquet")
    assert not list((states / "mel").rglob("*.parquet"))
    assert project.planned("results/articulation/tiny/scores/mel/layer0.parquet") == set()


def test_the_paper_can_be_planned_quickly_without_its_corpus(empty):
    # Seconds of one core, as a dry run uses no more: other work on the machine does not count.
    start = sum(os.times()[2:4])
    printed = empty.snakemake("-n", "--quiet", "rules", "--configfile", "config/paper.yaml").stdout
    jobs = int(re.search(r"(?m)^total +(\d+)$", printed)[1])
    assert jobs < 5000
    # Snakemake takes some 5 ms for a job with its inputs, of which hidden states are most.
    assert sum(os.times()[2:4]) - start < 2 + 0.008 * jobs


def test_the_paper_can_be_planned_for_a_cluster(empty):
    given = ("--workflow-profile", "profiles/slurm", "--configfile", "config/paper.yaml")
    printed = empty.snakemake("-n", *given).stdout
    asked = dict(re.findall(r"(?ms)^ *rule (\w+):$.*?^ *resources: ([^\n]*)", printed))
    assert "gpu=1" in asked["embed_25"] and "gpu=1" in asked["focus"]
    assert "gpu=1" not in asked["tabulate"] and "mem_mb=2000" in asked["tabulate"]
    assert "mem_mb=4000" in asked["score_tones"] and "runtime=60" in asked["score_tones"]
    profile = yaml.safe_load((empty.folder / "profiles/slurm/profile.yaml").read_text(encoding="utf-8"))
    # What is bundled is short and leaves GPUs alone.
    for rule in profile["groups"]:
        minutes = int(re.search(r"runtime=(\d+)", asked[rule])[1])
        assert "gpu=1" not in asked[rule] and minutes <= 60, rule
    # Comments name every rule that asks for a GPU.
    text = (empty.folder / "profiles/slurm/profile.yaml").read_text(encoding="utf-8")
    asking = {rule for rule in asked if "gpu=1" in asked[rule]}
    assert asking == set(re.findall(r"#   (\w+): \{slurm_partition: gpu\}", text))


def test_planning_imports_nothing_heavy(empty):
    """Beyond what an empty workflow loads: Snakemake and its plugins import pandas themselves."""
    code = (
        "import sys\nfrom snakemake.cli import main\n"
        "try:\n    main(['-n', '--quiet', 'all', *sys.argv[1:]])\n"
        "except SystemExit as end:\n    assert not end.code, end.code\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )

    def loaded(*arguments):
        command = [sys.executable, "-c", code, *arguments]
        done = subprocess.run(command, cwd=empty.folder, text=True, capture_output=True, check=True)
        return set(done.stdout.splitlines()[-1].split())

    (empty.folder / "nothing.smk").write_text("rule all:\n", encoding="utf-8")
    more = loaded("--configfile", "config/paper.yaml") - loaded("-s", "nothing.smk")
    heavy = {
        "torch",
        "transformers",
        "pandas",
        "seaborn",
        "matplotlib",
        "sklearn",
        "scipy",
        "numpy",
        "pyarrow",
    }
    assert "phonoscope" in more and not heavy & more


def test_a_given_config_takes_the_place_of_the_default(empty):
    mine = {
        "corpora": {
            "mine": {"reader": "table", "path": "x", "speakers": "speakers.tsv", "sensors": {"TT": "TT"}}
        },
        "models": {"mel": {"encoder": "mel"}},
    }
    (empty.folder / "mine.yaml").write_text(yaml.safe_dump(mine), encoding="utf-8")
    jobs = empty.planned("--configfile", "mine.yaml")
    assert {rule for rule, _ in jobs if rule.startswith("embed")} == {"embed_1"}
    assert all("corpus=mine" in wildcards for _, wildcards in jobs if "corpus=" in wildcards)


HEARD = {
    "corpora": {
        "heard": {"reader": "audio", "path": "x", "shards": 2, "files": {"audio": "{stem}.wav"}},
        "spoken": {"reader": "table", "speak": {"language": "fi", "minutes": 0.2}, "shards": 1},
    },
    "models": {"mel": {"encoder": "mel"}},
}


def test_corpora_without_ema_are_planned(empty):
    (empty.folder / "heard.yaml").write_text(yaml.safe_dump(HEARD), encoding="utf-8")
    given = ("--configfile", "heard.yaml")
    assert empty.planned(*given) == set()
    wanted = [
        "results/heard/embeddings/mel/bucket1/layer0.parquet",
        "results/spoken/segments/bucket0.parquet",
    ]
    assert empty.planned(*given, "--", *wanted) == {
        ("fetch_model", "model=mel"),
        ("tabulate", "corpus=heard, shard=bucket1"),
        ("embed_1", "corpus=heard, model=mel, shard=bucket1"),
        ("speak_corpus", "corpus=spoken"),
        ("tabulate", "corpus=spoken, shard=bucket0"),
    }


def test_a_corpus_is_spoken_and_spoken_again_only_if_asked_otherwise(empty, tmp_path):
    pytest.importorskip("espeakng_loader", reason="espeak-ng, which speaks, is not installed")
    from phonoscope import tables

    project = type(empty)(tmp_path / "project")
    shutil.copytree(empty.folder, project.folder)
    given, wanted = ("--configfile", "heard.yaml"), "results/spoken/utterances/bucket0.parquet"

    def configure(**speak):
        heard = copy.deepcopy(HEARD)
        heard["corpora"]["spoken"]["speak"].update(speak)
        (project.folder / "heard.yaml").write_text(yaml.safe_dump(heard), encoding="utf-8")

    configure()
    project.snakemake(*given, "--", wanted)
    first = tables.read(project.folder / wanted)
    source = json.loads((project.folder / "results/spoken/source.json").read_text(encoding="utf-8"))
    assert source["speak"] == {"language": "fi", "minutes": 0.2, "seed": 0}
    assert source["files"].keys() == {"recordings.parquet", "segments.parquet"}
    assert set(first["language"].to_pylist()) == {"fi"} and all(first["text"].to_pylist())
    assert project.planned(*given, "--", wanted) == set()
    configure(seed=1)
    both = {("speak_corpus", "corpus=spoken"), ("tabulate", "corpus=spoken, shard=bucket0")}
    assert project.planned(*given, "--", wanted) == both
    project.snakemake(*given, "--", wanted)
    assert tables.read(project.folder / wanted)["audio_sha256"] != first["audio_sha256"]


def test_an_unknown_key_ends_the_run_with_its_name(empty):
    wrong = empty.snakemake("-n", "--config", "articulation={probe: [ols]}", check=False)
    assert wrong.returncode and "unknown key 'probe'. Fix: did you mean probes." in wrong.stdout


def test_a_missing_corpus_is_said_in_one_line(project):
    project.config(lambda config: config["corpora"]["tiny"].update(path="nowhere"))
    wrong = project.snakemake("results/tiny/utterances/s1.parquet", check=False)
    log = project.folder / "results" / "logs" / "tabulate" / "tiny" / "s1.log"
    said = [line for line in wrong.stdout.splitlines() if "nowhere" in line and "Fix:" in line]
    assert wrong.returncode and len(said) == 1 and "(log: results/logs/tabulate/tiny/s1.log)" in said[0]
    assert "Traceback" in log.read_text(encoding="utf-8") and "Traceback" not in wrong.stdout
