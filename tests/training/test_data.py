"""What is trained on and what is held out, and items that follow from their number alone."""

import numpy as np
import pytest

from phonoscope import tables
from phonoscope.errors import InputError
from phonoscope.training import data


def corpus(path, rows):
    tables.write(tables.from_rows([{"duration_s": 1.0, **row} for row in rows], tables.UTTERANCES), path)
    return path


def names(found):
    return {split: [row["utterance_id"] for row in rows] for split, rows in found.items()}


def test_splits_are_those_of_the_corpus(tmp_path):
    rows = [("d", "test"), ("a", "train"), ("c", "dev"), ("b", None), ("e", "")]
    path = corpus(tmp_path / "a.parquet", [{"utterance_id": name, "split": split} for name, split in rows])
    assert names(data.utterances([path])) == {"train": ["a", "b", "e"], "dev": ["c"], "test": ["d"]}


def test_a_corpus_without_splits_holds_out_speakers(tmp_path):
    rows = [{"utterance_id": f"{s}{k}", "speaker": f"s{s}"} for s in range(8) for k in range(9)]
    path = corpus(tmp_path / "a.parquet", rows)
    found = data.utterances([path])
    assert {row["speaker"] for row in found["dev"]} == {"s6"} and len(found["dev"]) == 9
    assert not {row["speaker"] for row in found["train"]} & {"s6"}
    found = data.utterances([path], by="utterance_id")
    assert len(found["dev"]) == 72 // 7 and {row["speaker"] for row in found["train"]} == {
        f"s{k}" for k in range(8)
    }


def test_few_speakers_hold_out_recordings(tmp_path):
    path = corpus(tmp_path / "a.parquet", [{"utterance_id": f"{k:02}", "speaker": "one"} for k in range(14)])
    assert names(data.utterances([path]))["dev"] == ["06", "13"]


def test_one_name_twice_and_nothing_to_train_on(tmp_path):
    first = corpus(tmp_path / "a.parquet", [{"utterance_id": "a", "split": "test"}])
    with pytest.raises(InputError, match="a: two recordings have this utterance_id"):
        data.utterances([first, first])
    with pytest.raises(InputError, match="no recording has the split train"):
        data.utterances([first])


def test_items_follow_from_their_number():
    drawn = data.Drawn(lambda rng: rng.random(), 5, seed=3)
    again = [drawn[k] for k in (4, 2, 0, 2)]
    assert again[1] == again[3] and len(set(again)) == 3 and len(drawn) == 5
    assert data.Drawn(lambda rng: rng.random(), 5, seed=4)[2] != drawn[2]
    with pytest.raises(IndexError):
        drawn[5]


def test_sounds_are_normalised():
    found = data.normalised(np.array([1.0, 3.0, 5.0], np.float32))
    assert found.mean() == pytest.approx(0, abs=1e-6) and found.std() == pytest.approx(1, abs=1e-5)
