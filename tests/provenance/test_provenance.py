"""What is said of where results are from, by records that are made up; tests/workflow has real ones."""

import json
import os
import socket
import sys
import zipfile
from base64 import urlsafe_b64encode
from hashlib import sha256
from pathlib import Path

import pytest

from phonoscope import tables
from phonoscope.provenance import describe as provenance
from phonoscope.provenance.records import record

CONFIG = {
    "corpora": {"c": {"path": "data/c", "note": "http://me:secret@host/x?key=SIGNED"}},
    "models": {"m": {}},
}


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Records of a run of two tables: of a model and a corpus, and of a corpus alone."""
    monkeypatch.chdir(tmp_path)
    rows = [
        {
            "utterance_id": name,
            "audio": f"{name}.wav",
            "audio_sha256": name * 64,
            "duration_s": 1.5,
            "shard": "s",
        }
        for name in "ab"
    ]
    tables.write(tables.from_rows(rows, tables.UTTERANCES), Path("results/c/utterances/s.parquet"))
    for path, text in {
        "results/models/m.json": json.dumps({"commit": "0123", "hub": "owner/m", "files": {"f": "1"}}),
        "results/tables/c/E1.csv": "r\n1\n",
        "results/tables/c/quality.csv": "n\n2\n",
        "results/tables/old.csv": "x\n",
        "results/logs/embed/1.log": "2026 INFO on the GPU NVIDIA H200 of node3\n",
        "results/logs/embed/2.log": "2026 INFO on the GPU NVIDIA H200 of node3\n",
    }.items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text)
    made = {
        "results/tables/c/E1.csv": ("combine", ["results/score.parquet"], 300, []),
        "results/score.parquet": ("score", ["results/layer0.parquet"], 200, []),
        "results/layer0.parquet": (
            "embed",
            ["results/models/m.json", "results/c/utterances/s.parquet"],
            100,
            ["results/logs/embed/1.log", "results/logs/embed/2.log", "results/logs/gone.log"],
        ),
        "results/models/m.json": ("fetch_model", [], 60, []),
        "results/c/utterances/s.parquet": ("tabulate", ["speakers.tsv"], 50, []),
        "results/tables/c/quality.csv": ("assess", ["results/c/utterances/s.parquet"], 120, []),
    }
    return {
        path: {
            "rule": rule,
            "inputs": inputs,
            "code": {"x.py": "ab"},
            "log": log,
            "started": at,
            "ended": at + 9,
        }
        for path, (rule, inputs, at, log) in made.items()
    }


WANTED = ["results/tables/c/E1.csv", "results/tables/c/quality.csv"]


def test_each_table_names_what_it_came_from(run):
    said = provenance.describe(WANTED, run.get, CONFIG)
    assert said == json.loads(json.dumps(said))
    table = said["tables"]["results/tables/c/E1.csv"]
    assert table == {
        "sha256": sha256(b"r\n1\n").hexdigest(),
        "rule": "combine",
        "started": "1970-01-01T00:05:00+00:00",
        "ended": "1970-01-01T00:05:09+00:00",
        "inputs": {"results/score.parquet": None},
        "code": {"x.py": "ab"},
        "models": ["m"],
        "aligners": [],
        "corpora": ["c"],
    }
    assert said["tables"]["results/tables/c/quality.csv"]["models"] == []
    assert said["models"] == {"m": {"commit": "0123", "hub": "owner/m", "files": {"f": "1"}}}
    corpus = said["corpora"]["c"]
    assert (corpus["recordings"], corpus["seconds"], corpus["path"], corpus["source"]) == (
        2,
        3.0,
        "data/c",
        None,
    )
    listing = f"a\0{'a' * 64}\nb\0{'b' * 64}\n"
    assert corpus["audio_sha256"] == sha256(listing.encode()).hexdigest()
    assert (said["started"], said["ended"]) == ("1970-01-01T00:00:50+00:00", "1970-01-01T00:05:09+00:00")
    assert said["gpus"] == {"NVIDIA H200 of node3": 2}


def test_the_machine_and_the_versions(run):
    import numpy

    said = provenance.describe(WANTED, run.get, CONFIG)
    assert said["machine"]["host"] == socket.gethostname()
    assert said["machine"]["python"] == ".".join(map(str, sys.version_info[:3]))
    assert said["packages"]["numpy"] == numpy.__version__ and len(said["packages"]) > 50
    assert said["phonoscope"] == "0.1.0"


def test_no_secrets(run):
    text = json.dumps(provenance.describe(WANTED, run.get, CONFIG))
    assert "secret" not in text and "SIGNED" not in text and "http://host/x" in text


def test_what_nobody_knows_is_null(run):
    said = provenance.describe(["results/tables/old.csv"], run.get, CONFIG)
    table = said["tables"]["results/tables/old.csv"]
    assert table["sha256"] == sha256(b"x\n").hexdigest() and table["rule"] is table["inputs"] is None
    assert said["started"] is said["ended"] is None and said["models"] == said["corpora"] == {}
    assert provenance.describe([], run.get, CONFIG)["tables"] == {}


def test_a_repository_and_none(tmp_path):
    import subprocess

    assert provenance.git_state(tmp_path / "none") is None
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=b"]
    subprocess.run([*git, "init", "-q"], check=True)
    (tmp_path / "a").write_text("1")
    subprocess.run([*git, "add", "a"], check=True)
    subprocess.run([*git, "commit", "-qm", "a"], check=True)
    state = provenance.git_state(tmp_path)
    assert len(state["commit"]) == 40 and state["changed"] is False
    (tmp_path / "a").write_text("2")
    assert provenance.git_state(tmp_path) == {"commit": state["commit"], "changed": True}


def test_gpus_by_the_drivers_word(tmp_path):
    (tmp_path / "0000:17:00.0").mkdir()
    (tmp_path / "0000:17:00.0" / "information").write_text("Model: \t\t NVIDIA H200\nIRQ: 1\n")
    assert provenance.machine(tmp_path)["gpus"] == ["NVIDIA H200"]


@pytest.mark.parametrize("length", [10, 200, 500])
def test_records_of_files_with_names_of_any_length(tmp_path, length):
    path = "results/" + "x" * length
    name = urlsafe_b64encode(path.encode()).decode()
    pieces = [name[at : at + 254] for at in range(0, len(name), 254)]
    place = tmp_path.joinpath(*(f"@{piece}" for piece in pieces[:-1]), pieces[-1])
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(
        json.dumps(
            {"rule": "score", "input": ["a"], "log": None, "starttime": 1.0, "endtime": 2.0}
            | {"params": ["'phonoscope/x.py 0a1b'", '\'{"probe": "ols"}\'', "3"]}
        )
    )
    assert os.pathconf(tmp_path, "PC_NAME_MAX") == 255
    assert record(path, tmp_path) == {
        "rule": "score",
        "inputs": ["a"],
        "code": {"phonoscope/x.py": "0a1b"},
        "log": [],
        "started": 1.0,
        "ended": 2.0,
    }
    place.write_text("{")
    assert record(path, tmp_path) is None and record("other", tmp_path) is None


def test_records_are_snakemakes_own(tmp_path):
    """Where it looks for them itself."""
    from snakemake.persistence.file import FilePersistence

    for length in (10, 200, 500):
        path, where = "results/" + "x" * length, str(tmp_path)
        stand_in = type("", (), {"_fetch_max_len": lambda self, subject: 255})()
        expected = FilePersistence._record_path(stand_in, where, path)
        Path(expected).parent.mkdir(parents=True, exist_ok=True)
        Path(expected).write_text('{"rule": "r"}')
        assert record(path, where)["rule"] == "r"


def test_a_crate(run, tmp_path):
    pytest.importorskip("rocrate")
    from phonoscope.provenance.crate import write

    said = provenance.describe(WANTED, run.get, CONFIG)
    Path("results/provenance.json").write_text(json.dumps(said))
    Path("Snakefile").write_text("rule all:\n")
    Path("mine.yaml").write_text("corpora: {}\n")
    write("results/crate.zip", "results/provenance.json", WANTED, "Snakefile", ["mine.yaml"], "Apache-2.0")
    with zipfile.ZipFile("results/crate.zip") as crate:
        names = set(crate.namelist())
        graph = {
            entity["@id"]: entity for entity in json.loads(crate.read("ro-crate-metadata.json"))["@graph"]
        }
        assert crate.read("tables/c/E1.csv") == b"r\n1\n"
    files = {
        "tables/c/E1.csv",
        "tables/c/quality.csv",
        "provenance.json",
        "config/mine.yaml",
        "workflow/Snakefile",
    }
    assert names == files | {"ro-crate-metadata.json"} and files <= set(graph)
    assert {"ComputationalWorkflow", "SoftwareSourceCode"} <= set(graph["workflow/Snakefile"]["@type"])
    assert graph["./"]["mainEntity"] == {"@id": "workflow/Snakefile"}
    action = graph["#run"]
    assert action["@type"] == "CreateAction" and action["instrument"] == {"@id": "workflow/Snakefile"}
    assert (action["startTime"], action["endTime"]) == (said["started"], said["ended"])
    assert {entity["@id"] for entity in action["object"]} == {"config/mine.yaml", "#model-m", "#corpus-c"}
    assert {entity["@id"] for entity in action["result"]} == {*files} - {
        "config/mine.yaml",
        "workflow/Snakefile",
    }
    table = graph["tables/c/E1.csv"]
    assert table["sha256"] == said["tables"]["results/tables/c/E1.csv"]["sha256"]
    assert {entity["@id"] for entity in table["isBasedOn"]} == {"#model-m", "#corpus-c"}
    assert graph["#model-m"]["version"] == "0123" and graph["#corpus-c"]["description"] == "2 recordings, 3 s"
    for entity in graph.values():
        for value in entity.values():
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, dict) and each["@id"].startswith(("#", "tables", "config", "workflow/")):
                    assert each["@id"] in graph
