"""Corpora of Parquet and FLAC."""

import shutil

import numpy as np
import pyarrow as pa
import pytest
import soundfile

from phonoscope import tables
from phonoscope.corpora import table
from phonoscope.corpora.articulation import filter_ema
from phonoscope.corpora.tabulate import tabulate
from phonoscope.errors import InputError


@pytest.fixture
def corpus(tmp_path, movement):
    """Two speakers with two utterances of one second each, EMA at 100 Hz."""
    rows, segments = [], []
    for number, speaker in enumerate(("s1", "s2")):
        parts = []
        for index in range(2):
            name = f"{speaker}_{index}"
            samples = 0.1 * np.random.default_rng(index).normal(size=16000)
            (tmp_path / "audio").mkdir(exist_ok=True)
            soundfile.write(tmp_path / "audio" / f"{name}.flac", samples, 16000)
            row = {"utterance_id": name, "audio": f"audio/{name}.flac", "speaker": speaker, "task": "read"}
            rows.append(row | {"language": "Talmi"})
            segments.append(
                {"utterance_id": name, "tier": "phone", "start_s": 0.1, "end_s": 0.2, "label": "a"}
            )
            positions = movement(100, 1, 100, seed=10 * number + index)[:, 0].astype(np.float32)
            positions[40:45] = np.nan
            parts.append(
                pa.table(
                    {
                        "utterance_id": [name] * 100,
                        "time_s": np.arange(100) / 100,
                        "TT_x": pa.array(positions[:, 0], mask=np.isnan(positions[:, 0])),
                        "TT_z": positions[:, 2],
                    }
                )
            )
        tables.write(pa.concat_tables(parts), tmp_path / "ema" / f"{speaker}.parquet", rate=100)
    tables.write(tables.from_rows(rows, tables.UTTERANCES), tmp_path / "recordings.parquet")
    tables.write(tables.from_rows(segments, tables.SEGMENTS), tmp_path / "segments.parquet")
    return {
        "name": "t",
        "reader": "table",
        "path": str(tmp_path),
        "sensors": {"TT": "TT"},
        "shards": "speakers",
    }


def test_read(corpus, tmp_path):
    track = table.read(tmp_path / "ema" / "s1.parquet", {"TT": "TT"}, utterance_id="s1_1")
    assert track.rate == 100 and track.sensors["TT"].shape == (100, 3)
    missing = np.isnan(track.sensors["TT"])
    assert missing[:, 1].all() and missing[40:45].all() and missing.sum() == 110


def test_the_whole_way(corpus, options):
    utterances, segments, notes = tabulate(corpus, [{"speaker": "s2", "sex": "m", "language": "x"}], "s2")
    rows = utterances.to_pylist()
    assert [row["utterance_id"] for row in rows] == ["s2_0", "s2_1"]
    assert rows[0]["audio"].endswith("audio/s2_0.flac") and rows[0]["duration_s"] == 1.0
    # The recording table has the last word; the speaker sheet fills what it leaves open.
    assert (rows[0]["language"], rows[0]["sex"], rows[0]["task"], rows[0]["condition"]) == (
        "Talmi",
        "m",
        "read",
        "",
    )
    assert segments.num_rows == 2 and segments["utterance_id"].to_pylist() == ["s2_0", "s2_1"]
    assert notes.num_rows == 0
    articulation, quality, _ = filter_ema(corpus, [{"speaker": "s2"}], "s2", options)
    assert articulation.num_rows == 400 and articulation["TT_x"].null_count == 0
    assert quality["missing_share"].to_pylist() == pytest.approx([0.05] * 4)


def test_a_corpus_of_audio_only(corpus, tmp_path):
    shutil.rmtree(tmp_path / "ema")
    corpus |= {"sensors": {}, "shards": 1}
    path = tmp_path / "recordings.parquet"
    rows = tables.read(path).to_pylist()
    for number, row in enumerate(rows):
        row |= {"split": ("train", "dev", "test", None)[number], "sex": "f", "native_language": "fi"}
        row |= {"sentence_id": f"n{number}", "text": "sana"}
    tables.write(tables.from_rows(rows, tables.UTTERANCES), path)
    utterances, segments, notes = tabulate(corpus, [], "bucket0")
    assert utterances["split"].to_pylist() == ["train", "dev", "test", ""]
    one = utterances.to_pylist()[0]
    assert (one["speaker"], one["sex"], one["language"], one["native_language"]) == ("s1", "f", "Talmi", "fi")
    assert (one["sentence_id"], one["text"], one["task"]) == ("n0", "sana", "read")
    assert segments["label"].to_pylist() == ["a"] * 4 and notes.num_rows == 0


def test_a_corpus_without_sheet_is_shared_out_by_its_recordings(corpus):
    corpus |= {"shards": 2}
    ids = [tabulate(corpus, [], f"bucket{i}")[0]["utterance_id"].to_pylist() for i in range(2)]
    assert sorted(ids[0] + ids[1]) == ["s1_0", "s1_1", "s2_0", "s2_1"] and all(ids)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (({"TB": "TB"}, None, "s1_0"), "sensor TB: .*`TB`, which is not in the file.*Fix: .*TT"),
        (({"TT": "TT"}, None, "s1_9"), "s1_9: the utterance has no EMA samples"),
    ],
)
def test_refused(corpus, tmp_path, arguments, said):
    with pytest.raises(InputError, match=rf"s1\.parquet: {said}"):
        table.read(tmp_path / "ema" / "s1.parquet", *arguments)


def test_tables_that_cannot_be_used(corpus, tmp_path):
    path = tmp_path / "ema" / "bad.parquet"
    tables.write(
        pa.table({"utterance_id": ["a", "b", "a"], "time_s": [0.0, 0.0, 0.1], "TT_x": [0.0] * 3}), path
    )
    with pytest.raises(InputError, match="a: the utterance's samples are not in one run of rows"):
        table.read(path, {}, utterance_id="a")
    tables.write(pa.table({"time_s": [0.0]}), tmp_path / "ema" / "other.parquet")
    with pytest.raises(InputError, match="there is no column utterance_id"):
        table.read(tmp_path / "ema" / "other.parquet", {}, utterance_id="a")
    (tmp_path / "ema" / "cut.parquet").write_bytes((tmp_path / "ema" / "s1.parquet").read_bytes()[:500])
    with pytest.raises(InputError, match=r"cut\.parquet: not a readable table"):
        table.read(tmp_path / "ema" / "cut.parquet", {}, utterance_id="s1_0")


def test_rate(corpus, tmp_path):
    path = tmp_path / "ema" / "s1.parquet"
    tables.write(tables.read(path).replace_schema_metadata(None), tmp_path / "ema" / "bare.parquet")
    with pytest.raises(InputError, match="gives no sampling rate.*Fix: set `ema_rate`"):
        table.read(tmp_path / "ema" / "bare.parquet", {"TT": "TT"}, utterance_id="s1_0")
    assert table.read(tmp_path / "ema" / "bare.parquet", {"TT": "TT"}, 100.0, "s1_0").rate == 100
