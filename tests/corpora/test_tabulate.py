"""From a folder of recordings to the utterance table, and what bad input does on the way."""

import shutil

import numpy as np
import pytest
import soundfile

from phonoscope import tables
from phonoscope.corpora.tabulate import tabulate
from phonoscope.errors import InputError


def test_what_is_known_of_a_recording(make_corpus, tmp_path):
    corpus, speakers = make_corpus()
    utterances, segments, notes = tabulate(corpus, speakers[:1], "a")
    assert utterances.schema.equals(tables.UTTERANCES) and segments.num_rows == notes.num_rows == 0
    rows = utterances.to_pylist()
    assert [row["utterance_id"] for row in rows] == ["a_T1A_001", "a_T2C_002"]
    one = rows[0]
    assert (one["task"], one["condition"], one["sentence_id"]) == ("T1", "A", "001")
    assert (one["speaker"], one["sex"], one["native_language"], one["shard"]) == ("a", "f", "fi", "a")
    assert (one["duration_s"], one["sample_rate"]) == (2.0, 16000) and len(one["audio_sha256"]) == 64
    assert one["audio"] == (tmp_path / "a" / "wav" / "T1A_001.wav").as_posix()
    assert one["text"] == one["split"] == one["language"] == ""


def test_ids_are_unique_over_speakers_and_keep_names_that_say_the_speaker(make_corpus):
    corpus, speakers = make_corpus(speakers=("a", "a1"), stems=("a1_7", "8"), name_pattern=None)
    ids = [tabulate(corpus, [row], row["speaker"])[0]["utterance_id"].to_pylist() for row in speakers]
    assert ids == [["a_8", "a_a1_7"], ["a1_8", "a1_7"]]


def test_two_files_of_one_name(make_corpus, tmp_path):
    corpus, speakers = make_corpus()
    (tmp_path / "a" / "pos" / "again").mkdir()
    (tmp_path / "a" / "pos" / "T1A_001.txt").rename(tmp_path / "a" / "pos" / "again" / "T2C_002.txt")
    corpus["files"]["ema"] = "{speaker}/pos/**/{stem}.txt"
    with pytest.raises(InputError, match="two recordings are called a_T2C_002.*Fix: narrow `files: ema`"):
        tabulate(corpus, speakers[:1], "a")


def test_recording_sheet_over_name_pattern(make_corpus, tmp_path):
    corpus, speakers = make_corpus()
    sheet = tmp_path / "recordings.tsv"
    sheet.write_text("utterance\ttask\tlanguage\tsplit\nT1A_001\tstory\tfi\ttest\n")
    utterances, _, notes = tabulate(corpus | {"recordings": str(sheet)}, speakers[:1], "a")
    one, two = utterances.to_pylist()
    assert (one["task"], one["condition"], one["language"], one["split"]) == ("story", "A", "fi", "test")
    assert two["task"] == "T2"
    assert [(row["utterance_id"], row["kind"]) for row in notes.to_pylist()] == [("a_T2C_002", "warning")]


def test_names_that_do_not_match(make_corpus):
    corpus, speakers = make_corpus(stems=("palate",))
    _, _, notes = tabulate(corpus, speakers[:1], "a")
    assert notes["reason"].to_pylist() == ["the file's name does not match `name_pattern`"]
    with pytest.raises(InputError, match="unknown groups mood.*Fix: use groups among"):
        tabulate(corpus | {"name_pattern": "(?P<mood>x)"}, speakers[:1], "a")


def test_files_column_and_buckets(make_corpus):
    corpus, speakers = make_corpus(shards=1)
    speakers = [{"speaker": "anna", "files": "a"}, {"speaker": "b"}]
    utterances, _, _ = tabulate(corpus, speakers, "bucket0")
    assert utterances["speaker"].to_pylist() == ["anna", "anna", "b", "b"]
    assert utterances["utterance_id"].to_pylist()[0] == "anna_T1A_001"


def test_without_speakers(make_corpus):
    corpus, _ = make_corpus(speakers=("all",), stems=tuple("abcdef"), shards=2, name_pattern=None)
    corpus["files"] = {"ema": "all/pos/{stem}.txt", "audio": "all/wav/{stem}.wav"}
    ids = [tabulate(corpus, [], f"bucket{i}")[0]["utterance_id"].to_pylist() for i in range(2)]
    assert sorted(ids[0] + ids[1]) == list("abcdef") and all(ids)


def audio_only(make_corpus, **keys):
    """The recordings of `make_corpus`, which the config no longer says have EMA."""
    corpus, speakers = make_corpus(sensors={}, **keys)
    corpus["files"] = {"audio": "{speaker}/wav/{stem}.wav"}
    return corpus, speakers


@pytest.mark.parametrize("reader", ["audio", "carstens_text", "spire"])
def test_recordings_without_ema_are_found_by_their_audio(make_corpus, tmp_path, reader):
    corpus, speakers = audio_only(make_corpus)
    corpus["reader"] = reader
    shutil.rmtree(tmp_path / "a" / "pos")
    utterances, segments, notes = tabulate(corpus, speakers[:1], "a")
    rows = utterances.to_pylist()
    assert [row["utterance_id"] for row in rows] == ["a_T1A_001", "a_T2C_002"]
    assert rows[0]["audio"] == (tmp_path / "a" / "wav" / "T1A_001.wav").as_posix()
    assert (rows[0]["task"], rows[0]["sex"], rows[0]["native_language"]) == ("T1", "f", "fi")
    assert segments.num_rows == notes.num_rows == 0


def test_what_is_said_of_recordings_without_ema(make_corpus, tmp_path):
    corpus, speakers = audio_only(make_corpus, speakers=("a", "b"))
    corpus |= {"reader": "audio", "on_error": "skip"}
    corpus["files"] |= {"audio": "{speaker}/**/{stem}.wav", "phones": "{speaker}/{stem}.MAU"}
    (tmp_path / "a" / "T1A_001.MAU").write_text("signal x\n#\n 0.5 125 a\n")
    (tmp_path / "a" / "again").mkdir()
    garble(tmp_path / "a" / "again" / "T1A_001.wav")
    garble(tmp_path / "a" / "wav" / "T2C_002.wav")
    _, segments, notes = tabulate(corpus, speakers[:1], "a")
    said = {(row["kind"], row["file"].removeprefix(f"{tmp_path}/")): row for row in notes.to_pylist()}
    assert segments["utterance_id"].to_pylist() == []
    assert "cannot be decoded" in said["left_out", "a/again/T1A_001.wav"]["reason"]
    twice = said["left_out", "a/wav/T1A_001.wav"]
    assert "two recordings are called a_T1A_001" in twice["reason"] and "`files: audio`" in twice["fix"]
    assert "cannot be decoded" in said["left_out", "a/wav/T2C_002.wav"]["reason"]
    with pytest.raises(InputError, match="nobody has no recordings.*Fix: check `path`, `files: audio`"):
        tabulate(corpus | {"on_error": "stop"}, [{"speaker": "nobody"}], "nobody")


def test_phone_labels(make_corpus, tmp_path):
    corpus, speakers = make_corpus(stems=("T1A_001",))
    corpus["files"]["phones"] = "{speaker}/{stem}.MAU"
    (tmp_path / "a" / "T1A_001.MAU").write_text("signal x\nnfields 1\n#\n 0.5 125 a\n 0.75 125 b\n")
    _, segments, _ = tabulate(corpus, speakers[:1], "a")
    assert segments.to_pylist()[1] == {
        "utterance_id": "a_T1A_001",
        "tier": "phone",
        "start_s": 0.5,
        "end_s": 0.75,
        "label": "b",
        "score": None,
    }


def remove(path):
    path.unlink()


def garble(path):
    path.write_text("words")


def empty(path):
    soundfile.write(path, np.zeros(0), 16000)


def not_a_number(path):
    soundfile.write(path, np.full(100, np.nan), 16000, subtype="FLOAT")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (remove, "no such audio file"),
        (garble, "cannot be decoded"),
        (empty, "the audio is empty"),
        (not_a_number, "100 audio samples are NaN"),
    ],
)
def test_bad_audio_stops_or_is_left_out(make_corpus, tmp_path, spoil, said):
    corpus, speakers = make_corpus()
    spoil(tmp_path / "a" / "wav" / "T1A_001.wav")
    with pytest.raises(InputError, match=rf"a/wav/T1A_001\.wav: .*{said}.*Fix: "):
        tabulate(corpus, speakers[:1], "a")
    utterances, _, notes = tabulate(corpus | {"on_error": "skip"}, speakers[:1], "a")
    assert utterances["utterance_id"].to_pylist() == ["a_T2C_002"]
    (note,) = notes.to_pylist()
    assert note["kind"] == "left_out" and said in note["reason"] and note["fix"]
    assert (
        note["utterance_id"] == "a_T1A_001"
        and note["speaker"] == "a"
        and note["file"].endswith("T1A_001.wav")
    )


def test_audio_that_is_converted_is_noted(make_corpus, tmp_path):
    corpus, speakers = make_corpus()
    for stem, shape, rate in (("T1A_001", (32000, 2), 16000), ("T2C_002", (16000,), 8000)):
        soundfile.write(tmp_path / "a" / "wav" / f"{stem}.wav", np.full(shape, 0.1), rate)
    utterances, _, notes = tabulate(corpus, speakers[:1], "a")
    assert utterances["sample_rate"].to_pylist() == [16000, 8000]
    assert [(row["kind"], row["reason"]) for row in notes.to_pylist()] == [
        ("converted", "2 audio channels averaged to one"),
        ("converted", "audio of 8000 Hz raised to 16000 Hz: nothing above 4000 Hz"),
    ]


def test_a_speaker_without_recordings(make_corpus):
    corpus, speakers = make_corpus(shards=1)
    speakers.insert(0, {"speaker": "nobody"})
    with pytest.raises(InputError, match="nobody has no recordings.*Fix: check `path`, `files: ema`"):
        tabulate(corpus, speakers, "bucket0")
    utterances, _, notes = tabulate(corpus | {"on_error": "skip"}, speakers, "bucket0")
    assert utterances.num_rows == 4 and notes["speaker"].to_pylist() == ["nobody"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"path": "nowhere"}, "nowhere: there is no such folder.*Fix: set `path`"),
        ({"reader": "tape"}, "no reader `tape`.*Fix: choose one of table, audio"),
        ({"on_error": "ignore"}, "`ignore` is not known.*Fix: use `stop` or `skip`"),
        ({"files": {"ema": "{speaker}/pos/*.txt"}}, "`files: audio` is not given"),
        ({"name_pattern": "(?P<task>"}, "`name_pattern` is no regular expression"),
    ],
)
def test_bad_settings(make_corpus, change, said):
    corpus, speakers = make_corpus()
    with pytest.raises(InputError, match=said):
        tabulate(corpus | {"on_error": "skip"} | change, speakers[:1], "a")


def test_several_audio_files_fit(make_corpus, tmp_path):
    corpus, speakers = make_corpus()
    corpus["files"]["audio"] = "{speaker}/wav/{stem}*.wav"
    (tmp_path / "a" / "wav" / "T1A_001b.wav").write_bytes(b"")
    with pytest.raises(InputError, match="2 audio files fit.*Fix: narrow `files: audio`"):
        tabulate(corpus, speakers[:1], "a")
    utterances, _, notes = tabulate(corpus | {"on_error": "skip"}, speakers[:1], "a")
    assert utterances["utterance_id"].to_pylist() == ["a_T2C_002"]
    assert notes["utterance_id"].to_pylist() == ["a_T1A_001"]
