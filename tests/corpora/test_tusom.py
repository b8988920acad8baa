"""tusom2021 as it lies in its repository, and as it is shared beside the project."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from phonoscope.corpora.tabulate import tabulate
from phonoscope.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
ENTRY = """animals1-{n}.wav:
  gloss: {gloss}
  no_tones: xupi
  tone_dias: xúpî
  tone_letters: xu˥˧pi˥˩
"""


def corpus(path, **keys):
    return {"name": "tusom", "reader": "tusom", "path": str(path), "shards": 1, "on_error": "stop"} | keys


@pytest.fixture
def copy(tmp_path):
    """The public layout: data/mapping.yml of all recordings, sheets of splits, data/wav."""
    data = tmp_path / "data"
    (data / "wav").mkdir(parents=True)
    for n in range(1, 5):
        soundfile.write(data / "wav" / f"animals1-{n}.wav", np.full(1600, 0.1), 16000)
    glosses = ["male pig", "no", "1", "yes"]
    entries = [ENTRY.format(n=n, gloss=gloss) for n, gloss in enumerate(glosses, start=1)]
    (data / "mapping.yml").write_text("".join(entries), encoding="utf-8")
    (data / "train.yml").write_text("".join(entries[:2]), encoding="utf-8")
    (data / "test.yml").write_text(entries[2], encoding="utf-8")
    return data


@pytest.mark.parametrize("root", [".", "data"])
def test_the_public_layout(copy, root):
    found, segments, notes = tabulate(corpus(copy.parent / root), [], "bucket0")
    assert segments.num_rows == notes.num_rows == 0
    rows = found.to_pylist()
    assert [row["utterance_id"] for row in rows] == [f"animals1-{n}" for n in range(1, 5)]
    assert [row["split"] for row in rows] == ["train", "train", "test", ""]
    # YAML would read two of these as a truth value and a number.
    assert [row["sentence_id"] for row in rows] == ["male pig", "no", "1", "yes"]
    assert {row["text"] for row in rows} == {"xu˥˧pi˥˩"} and {row["language"] for row in rows} == {
        "East Tusom"
    }
    assert rows[0]["audio"].endswith("data/wav/animals1-1.wav") and rows[0]["speaker"] == ""


def test_buckets_share_the_recordings_out(copy):
    parts = [
        tabulate(corpus(copy, shards=2), [], f"bucket{k}")[0]["utterance_id"].to_pylist() for k in (0, 1)
    ]
    assert sorted(parts[0] + parts[1]) == [f"animals1-{n}" for n in range(1, 5)]
    (copy / "wav" / "animals1-1.wav").unlink()
    with pytest.raises(InputError, match=r"train\.yml: animals1-1\.wav: there is no recording"):
        for k in (0, 1):
            tabulate(corpus(copy, shards=2), [], f"bucket{k}")
    # What is wrong with a recording is said once, by its shard.
    notes = [tabulate(corpus(copy, shards=2, on_error="skip"), [], f"bucket{k}")[2] for k in (0, 1)]
    assert sum(each.num_rows for each in notes) >= 1
    assert {row["utterance_id"] for each in notes for row in each.to_pylist()} == {"animals1-1"}


def test_flac_in_a_folder_called_audio(copy):
    (copy / "wav").rename(copy / "audio")
    for path in (copy / "audio").iterdir():
        samples, rate = soundfile.read(path)
        soundfile.write(path.with_suffix(".flac"), samples, rate)
        path.unlink()
    found, _, _ = tabulate(corpus(copy), [], "bucket0")
    assert found.num_rows == 4 and found["audio"][0].as_py().endswith("audio/animals1-1.flac")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", r"train\.yml: not a readable sheet"),
        ("- animals1-1.wav\n", r"train\.yml: the sheet is not a mapping"),
        ("", r"train\.yml: the sheet is not a mapping"),
        ("animals1-1.wav: xupi\n", r"train\.yml: animals1-1\.wav: the entry lacks gloss or tone_letters"),
        ("animals1-1.wav: {gloss: a}\n", r"animals1-1\.wav: the entry lacks"),
        ("animals1-1.wav: {gloss: a, tone_letters: [x]}\n", r"animals1-1\.wav: the entry lacks"),
        ("../../x.wav: {gloss: a, tone_letters: x}\n", r"there is no recording \.\./\.\./x"),
    ],
)
def test_bad_sheets(copy, text, said):
    (copy / "train.yml").write_text(text, encoding="utf-8")
    (copy / "mapping.yml").unlink()
    with pytest.raises(InputError, match=f"{said}.*Fix: "):
        tabulate(corpus(copy), [], "bucket0")
    found, _, notes = tabulate(corpus(copy, on_error="skip"), [], "bucket0")
    assert found["utterance_id"].to_pylist() == ["animals1-3"]
    (note,) = notes.to_pylist()
    assert note["kind"] == "left_out" and note["file"].endswith("train.yml") and note["fix"]


def test_bytes_that_are_no_yaml(copy):
    (copy / "train.yml").write_bytes(b"\xff\xfe\x00x")
    with pytest.raises(InputError, match=r"train\.yml: not a readable sheet"):
        tabulate(corpus(copy), [], "bucket0")


def test_a_folder_without_sheets_and_a_sheet_of_speakers(copy, tmp_path):
    with pytest.raises(InputError, match="no sheet of tusom2021.*Fix: set `path`"):
        tabulate(corpus(copy / "wav"), [], "bucket0")
    with pytest.raises(InputError, match="s1: tusom2021 does not say who speaks.*Fix: give the corpus no"):
        tabulate(corpus(copy), [{"speaker": "s1"}], "bucket0")


def test_the_shared_copy():
    folder = ROOT.parent / "shared" / "data" / "tusom2021"
    if not folder.is_dir():
        pytest.skip("../shared/data is absent")
    found, _, notes = tabulate(corpus(folder, shards=40), [], "bucket3")
    rows = found.to_pylist()
    assert notes.num_rows == 0 and 10 < len(rows) < 50
    assert {row["split"] for row in rows} == {"train", "dev"}
    assert all(row["text"] and row["sentence_id"] for row in rows)
