"""The embedding store."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonoscope import embeddings
from phonoscope.embeddings import Writer, read
from phonoscope.errors import InputError

REPOSITORY = Path(__file__).resolve().parents[1]
PROVENANCE = {"model": "m", "revision": "r", "layer": 3, "hop_s": 0.02, "offset_s": 0.0125, "versions": {}}


def states(n, d=24, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32)


def write(path, utterances, dtype="float16"):
    dim = next(iter(utterances.values())).shape[1]
    with Writer(path, dim, dtype, PROVENANCE) as writer:
        for utterance_id, values in utterances.items():
            writer.append(utterance_id, values)
    return path


@pytest.fixture
def many(tmp_path):
    """(path, utterances) with one longer than a row group may be."""
    counts = [3, 700, 90, 1, 1200, 350, 5000, 60, 800]
    utterances = {f"u{k}": states(n, seed=k) for k, n in enumerate(counts)}
    return write(tmp_path / "layer3.parquet", utterances), utterances


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("threads", [1, 3])
def test_round_trip(tmp_path, dtype, threads):
    utterances = {f"u{k}": states(n, seed=k) for k, n in enumerate([5, 1100, 2100, 1, 40])}
    found = read(write(tmp_path / "a.parquet", utterances, dtype), threads=threads)
    expected = np.concatenate(list(utterances.values())).astype(dtype).astype(np.float32)
    assert found.values.dtype == np.float32 and found.values.flags.c_contiguous
    np.testing.assert_array_equal(found.values, expected)
    assert found.utterance_ids == list(utterances) and found.utterance.dtype == np.int32
    np.testing.assert_array_equal(found.utterance, np.repeat(np.arange(5), [5, 1100, 2100, 1, 40]))
    np.testing.assert_array_equal(
        found.frame, np.concatenate([np.arange(len(u)) for u in utterances.values()])
    )
    assert found.frame.dtype == np.int32
    assert found.provenance == {**PROVENANCE, "d": 24, "dtype": dtype}


def test_every_half_float_is_widened_exactly():
    halves = np.arange(65536, dtype=np.uint16).view(np.float16)
    halves = halves[np.isfinite(halves)].reshape(-1, 64)
    out = np.empty(halves.shape, np.float32)
    embeddings._widen(halves, out)
    np.testing.assert_array_equal(out.view(np.int32), halves.astype(np.float32).view(np.int32))


def test_columns_and_layout_are_those_of_the_design(many):
    path, _ = many
    schema = pq.read_schema(path)
    assert [str(field.type) for field in schema] == [
        "dictionary<values=string, indices=int32, ordered=0>",
        "int32",
        "fixed_size_binary[48]",
    ]
    column = pq.read_metadata(path).row_group(0).column(2)
    assert column.compression == "UNCOMPRESSED" and not column.has_dictionary_page
    assert json.loads(schema.metadata[b"phonoscope"])["layer"] == 3


def test_row_groups_follow_utterances(many):
    path, utterances = many
    file = pq.ParquetFile(path)
    sizes = [file.metadata.row_group(k).num_rows for k in range(file.num_row_groups)]
    assert max(sizes) <= 2000 and min(sizes[:-1]) >= 400
    for k in range(file.num_row_groups):
        group = file.read_row_group(k, columns=["utterance_id", "frame"]).to_pandas()
        for utterance_id, rows in group.groupby("utterance_id", observed=True):
            if len(utterances[utterance_id]) <= 1500:
                assert len(rows) == len(utterances[utterance_id])


def test_some_utterances_touch_their_row_groups_only(many, monkeypatch):
    path, utterances = many
    touched = []
    original = pq.ParquetFile.read_row_group
    monkeypatch.setattr(
        pq.ParquetFile, "read_row_group", lambda self, k, **o: touched.append(k) or original(self, k, **o)
    )
    found = read(path, ["u7", "u1"])
    assert found.utterance_ids == ["u1", "u7"] and len(set(touched)) == 2
    for k, utterance_id in enumerate(found.utterance_ids):
        expected = utterances[utterance_id].astype(np.float16).astype(np.float32)
        np.testing.assert_array_equal(found.values[found.utterance == k], expected)
        np.testing.assert_array_equal(found.frame[found.utterance == k], np.arange(len(expected)))


@settings(max_examples=30, deadline=None)
@given(counts=st.lists(st.integers(0, 2600), min_size=1, max_size=8), data=st.data())
def test_any_selection_of_any_file(tmp_path_factory, counts, data):
    utterances = {f"u{k}": states(n, d=2, seed=k) for k, n in enumerate(counts)}
    path = write(tmp_path_factory.mktemp("any") / "a.parquet", utterances)
    chosen = data.draw(st.lists(st.sampled_from(sorted(utterances)), unique=True))
    found = read(path, chosen)
    assert sorted(found.utterance_ids) == sorted(chosen)
    for k, utterance_id in enumerate(found.utterance_ids):
        expected = utterances[utterance_id].astype(np.float16).astype(np.float32)
        np.testing.assert_array_equal(found.values[found.utterance == k], expected)


def test_an_utterance_may_come_in_pieces(tmp_path):
    values = states(3000)
    with Writer(tmp_path / "a.parquet", 24, "float32", PROVENANCE) as writer:
        for first in range(0, 3000, 700):
            writer.append("long", values[first : first + 700])
        writer.append("next", values[:10])
        with pytest.raises(ValueError, match="already written"):
            writer.append("long", values[:5])
        with pytest.raises(ValueError, match="shape"):
            writer.append("wide", values[:5, :7])
    found = read(tmp_path / "a.parquet", ["long"])
    np.testing.assert_array_equal(found.values, values)
    np.testing.assert_array_equal(found.frame, np.arange(3000))


def test_two_lines_for_pandas(many):
    path, utterances = many
    frame = pq.read_table(path).to_pandas()
    values = np.frombuffer(b"".join(frame["embedding"]), "<f2").reshape(len(frame), -1)
    np.testing.assert_array_equal(values[3:703], utterances["u1"].astype(np.float16))


@pytest.mark.parametrize(
    "spoil, says",
    [
        (lambda row: row.__setitem__(5, 70000.0), "above the largest half float"),
        (lambda row: row.__setitem__(5, -1e30), "above the largest half float"),
        (lambda row: row.__setitem__(5, np.nan), "not finite"),
        (lambda row: row.__setitem__(5, np.inf), "not finite"),
        (lambda row: row.__imul__(1e-7), "lose"),
    ],
)
def test_what_half_floats_cannot_hold(tmp_path, spoil, says):
    values = states(50)
    spoil(values[20])
    with pytest.raises(InputError, match=f"utterance bad: layer 3 of model m .*{says}.*dtype: float32"):
        write(tmp_path / "a.parquet", {"good": states(50), "bad": values})
    assert not list(tmp_path.iterdir())


def test_what_half_floats_can_hold(tmp_path):
    values = states(6)
    values[0] = 0.0
    values[1, 0] = 65504.0
    values[2] = 60000.0
    values[3] *= 1e-3
    found = read(write(tmp_path / "a.parquet", {"u": values}))
    lost = np.linalg.norm(found.values - values, axis=1)
    assert (lost <= 1e-2 * np.linalg.norm(values, axis=1)).all()


@settings(max_examples=60, deadline=None)
@given(exponent=st.floats(-9, 6), seed=st.integers(0, 99))
def test_the_quick_check_agrees_with_the_full_one(exponent, seed):
    values = (states(3, 16, seed) * 10.0**exponent).astype(np.float32)
    with np.errstate(over="ignore"):
        half = values.astype(np.float16).astype(np.float64)
    loss = np.linalg.norm(values - half, axis=1) / np.linalg.norm(values.astype(np.float64), axis=1)
    fits = np.abs(values).max() <= 65504 and loss.max() <= 1e-2
    try:
        np.testing.assert_array_equal(embeddings.to_half(values), values.astype(np.float16))
        assert fits
    except OverflowError:
        assert not fits


def test_an_error_leaves_the_older_file(tmp_path):
    path = write(tmp_path / "a.parquet", {"u": states(10)})
    before = path.read_bytes()
    with pytest.raises(RuntimeError), Writer(path, 24, "float16", PROVENANCE) as writer:
        writer.append("u", states(3000))
        raise RuntimeError
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_a_killed_writer_leaves_no_file(tmp_path):
    path = tmp_path / "a.parquet"
    code = (
        "import os, sys, numpy as np; from phonoscope.embeddings import Writer\n"
        "with Writer(sys.argv[1], 8, 'float16', {}) as writer:\n"
        "    writer.append('u', np.ones((5000, 8), np.float32)); os._exit(9)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run([sys.executable, "-c", code, str(path)], env=environment)
    assert done.returncode == 9 and not path.exists()


@pytest.mark.parametrize("keep", [0, 3, 100, 0.5, 0.999])
def test_truncated_files(many, keep):
    path, _ = many
    data = path.read_bytes()
    path.write_bytes(data[: int(keep * len(data)) if keep < 1 else keep])
    with pytest.raises(InputError, match=r"layer3\.parquet.*run snakemake with `--force .*layer3\.parquet`"):
        read(path)


def test_a_flipped_bit_is_found(many):
    path, _ = many
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)
    with pytest.raises(InputError, match="not a readable"):
        read(path)


def test_other_files_missing_files_and_missing_utterances(many, tmp_path):
    import pyarrow as pa

    path, _ = many
    pq.write_table(pa.table({"x": [1, 2]}), tmp_path / "other.parquet")
    for wrong in (tmp_path / "other.parquet", tmp_path / "absent.parquet"):
        with pytest.raises(InputError, match="not a readable embeddings file"):
            read(wrong)
    with pytest.raises(InputError, match="nobody: has no such utterance"):
        read(path, ["u1", "nobody"])


def test_unknown_dtype(tmp_path):
    with pytest.raises(InputError, match="float16 or float32"):
        Writer(tmp_path / "a.parquet", 4, "bfloat16")


def test_no_heavy_import():
    code = "import sys, phonoscope.embeddings; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True)
    assert not {"torch", "pandas", "scipy"} & set(done.stdout.split())
