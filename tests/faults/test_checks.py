"""What finds out that a file is not what it was, piece by piece."""

import os
import shutil
import subprocess
import sys
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from phonoscope import embeddings, tables
from phonoscope.corpora import audio
from phonoscope.corpora.notes import Notes
from phonoscope.encoders.fetch import fetch
from phonoscope.encoders.manifest import held
from phonoscope.errors import ChangedError, InputError
from phonoscope.studies.shards import check_one_model
from tests.faults.conftest import MODEL, alive, flip, wait_for
from tests.workflow.conftest import ROOT
from workflow.dag import places


def table_file(path):
    rng = np.random.default_rng(0)
    columns = {
        "utterance_id": pa.array(["a", "b"] * 50).dictionary_encode(),
        "time_s": np.arange(100.0),
        "TT_x": pa.array(rng.normal(size=100), pa.float32()),
    }
    tables.write(pa.table(columns), path, scale={"TT_x": 12.5}, rate=100)

    def read():
        found = tables.read(path)
        return str(found.to_pydict()), str(found.schema), tables.provenance(tables.schema(path))

    return read


def states_file(path, revision="r", frames=40):
    rng = np.random.default_rng(0)
    said = {"model": "m", "layer": 3, "revision": revision, "hop_s": 0.02}
    with embeddings.Writer(path, 8, "float16", said) as writer:
        for name in ("u1", "u2", "u3"):
            writer.append(name, rng.normal(size=(frames, 8)).astype(np.float32))

    def read():
        found = embeddings.read(path, threads=1)
        return found.values.tobytes(), found.utterance_ids, found.frame.tobytes(), found.provenance

    return read


@pytest.mark.parametrize("kind", [table_file, states_file])
def test_no_flipped_bit_changes_what_is_read(kind, tmp_path):
    path = tmp_path / "x.parquet"
    read = kind(path)
    whole, data = read(), bytearray(path.read_bytes())
    bits = np.random.default_rng(1).permutation(8 * len(data))[:800]
    refused = 0
    for place in map(int, bits):
        data[place // 8] ^= 1 << place % 8
        path.write_bytes(data)
        try:
            # Some bits say nothing: they are the same read as they were.
            assert read() == whole, divmod(place, 8)
        except InputError as error:
            refused += 1
            assert str(path) in str(error) and "--force" in str(error)
        data[place // 8] ^= 1 << place % 8
    assert refused > len(bits) / 2


def test_a_table_that_other_programs_copied_is_read(tmp_path):
    table_file(tmp_path / "x.parquet")
    copy = pq.read_table(tmp_path / "x.parquet").slice(0, 3)
    pq.write_table(copy, tmp_path / "copy.parquet")
    assert tables.read(tmp_path / "copy.parquet").num_rows == 3
    assert tables.provenance(tables.schema(tmp_path / "copy.parquet"))["rate"] == 100


def manifest_of(tmp_path):
    import hashlib
    import json

    (tmp_path / "model").mkdir()
    files = {}
    for name, content in (("config.json", b"{}"), ("model.safetensors", bytes(5000))):
        (tmp_path / "model" / name).write_bytes(content)
        files[name] = hashlib.sha256(content).hexdigest()
    said = {"folder": str(tmp_path / "model"), "files": files, "commit": "c"}
    (tmp_path / "m.json").write_text(json.dumps(said))
    return tmp_path / "m.json", tmp_path / "model" / "model.safetensors"


def test_files_of_a_model_are_held_to_their_manifest(tmp_path):
    manifest, weights = manifest_of(tmp_path)
    with held(manifest) as said:
        assert said["commit"] == "c"
        # Touched, or copied again, is not changed.
        weights.write_bytes(bytes(5000))
    with pytest.raises(InputError, match=r"model\.safetensors: was changed while .*m\.json"), held(manifest):
        weights.write_bytes(b"\1" + bytes(4999))
    with pytest.raises(InputError, match=r"was damaged or replaced.*--force .*m\.json"), held(manifest):
        pytest.fail("it was used")
    weights.unlink()
    with pytest.raises(InputError, match="cannot be read"), held(manifest):
        pytest.fail("it was used")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"folder": 3, "files": {"a": "b"}}', '{"files": {}}'])
def test_a_damaged_manifest_is_named(tmp_path, content):
    (tmp_path / "m.json").write_text(content)
    with (
        pytest.raises(InputError, match=r"m\.json: not a readable manifest.*--force"),
        held(tmp_path / "m.json"),
    ):
        pytest.fail("it was used")


def test_a_baseline_has_no_files_to_hold(tmp_path):
    (tmp_path / "m.json").write_text('{"folder": null, "files": {}}')
    with held(tmp_path / "m.json") as said:
        assert said["folder"] is None


def test_a_recording_that_changed_is_never_left_out(tmp_path):
    import soundfile

    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros(1600), 16000)
    digest = audio.probe(path).sha256
    assert len(audio.load(path, 16000, digest)[0]) == 1600
    soundfile.write(path, np.full(1600, 0.1), 16000)
    notes = Notes("skip")
    with pytest.raises(ChangedError, match=r"a\.wav: the audio was damaged or changed"), notes.guard():
        audio.load(path, 16000, digest)
    path.unlink()
    with pytest.raises(ChangedError, match="no such audio"), notes.guard():
        audio.load(path, 16000, digest)
    assert notes.rows == []


def test_shards_of_two_models_are_not_mixed(tmp_path):
    for name, revision in (("s1", "old"), ("s2", "old"), ("s3", "new")):
        states_file(tmp_path / f"{name}.parquet", revision)
    paths = [tmp_path / f"s{index}.parquet" for index in (1, 2, 3)]
    check_one_model(paths[:2])
    with pytest.raises(
        InputError, match=r"s3\.parquet: does not go with .*s1\.parquet: revision new, there old"
    ):
        check_one_model(paths)


def test_what_killed_jobs_left_is_removed_and_what_others_write_is_not(tmp_path):
    path = tmp_path / "x.csv"
    code = (
        "import sys, time\nfrom phonoscope import tables\n"
        "with tables.beside(sys.argv[1]) as partial:\n"
        "    partial.write_text('half')\n    print(flush=True)\n    time.sleep(600)\n"
    )
    other = [
        subprocess.Popen([sys.executable, "-c", code, path], cwd=ROOT, stdout=subprocess.PIPE) for _ in "ab"
    ]
    for each in other:
        each.stdout.readline()
    other[0].kill()
    other[0].wait()
    assert len(list(tmp_path.iterdir())) == 2
    with tables.beside(path) as partial:
        partial.write_text("whole")
    left = [each.name for each in tmp_path.iterdir()]
    assert len(left) == 2 and path.name in left and any(f"-{other[1].pid}." in name for name in left)
    other[1].kill()
    other[1].wait()
    with tables.beside(path) as partial:
        partial.write_text("whole again")
    assert [each.name for each in tmp_path.iterdir()] == ["x.csv"] and path.read_text() == "whole again"


def test_times_to_come_are_found(tmp_path):
    results = tmp_path / "results"
    (results / "a" / "source").mkdir(parents=True)
    places.check_times(tmp_path / "none")
    for name in ("a/x.parquet", "a/source/y.wav"):
        (results / name).touch()
    now = time.time()
    places.check_times(results, now)
    # Seconds are the difference of two clocks of a cluster; archives may be from anywhere.
    os.utime(results / "a/x.parquet", (now + 60, now + 60))
    os.utime(results / "a/source/y.wav", (now + 1e6, now + 1e6))
    places.check_times(results, now)
    os.utime(results / "a/x.parquet", (now + 1e4, now + 1e4))
    with pytest.raises(InputError, match=r"x\.parquet: 1 of the results are dated in the future"):
        places.check_times(results, now)


def test_a_job_ends_with_who_started_it(tmp_path):
    # The starter starts a shell, which starts the job: as conda does.
    job = (
        "import os, sys, time\nfrom phonoscope.joblog import log_to\nlog_to(sys.argv[1])\n"
        "print(os.getpid(), flush=True)\ntime.sleep(600)\n"
    )
    starter = (
        "import os, subprocess, sys\nos.environ['PHONOSCOPE_STARTED_BY'] = str(os.getpid())\n"
        "subprocess.run(['sh', '-c', '\"$@\"; true', 'sh', sys.executable, '-c', *sys.argv[1:]])\n"
    )
    command = [sys.executable, "-c", starter, job, tmp_path / "job.log"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    number = int(process.stdout.readline())
    assert alive(number)
    process.kill()
    process.wait()
    wait_for(lambda: not alive(number))
    assert "Snakemake has ended" in (tmp_path / "job.log").read_text()


def test_a_folder_can_be_pinned(tmp_path):
    model = tmp_path / "model"
    shutil.copytree(MODEL, model)
    asked = {"path": str(model), "depth": 4}
    commit = fetch(asked)["commit"]
    assert fetch(asked | {"revision": commit})["revision"] == commit
    flip(model / "model.safetensors", 1_000_000)
    assert fetch(asked)["commit"] != commit
    with pytest.raises(InputError, match=r"model: revision: model .* is at sha256:.*, not at its revision"):
        fetch(asked | {"revision": commit})
