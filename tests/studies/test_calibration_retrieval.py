"""Planted states: what retrieval must find, and what it must not."""

from pathlib import Path

import numpy as np
import pytest

from phonoscope import tables
from phonoscope.alignment import phones
from phonoscope.errors import InputError
from phonoscope.studies import calibration_retrieval as planted
from phonoscope.studies.alignment_challenge import LEAST_PHONES, THRESHOLD

SHIPPED = Path(__file__).resolve().parents[2] / "resources" / "corpora" / "synthetic-parallel"
OPTIONS = {"languages": ["en", "fi"], "splits": ["test"], "pronunciation": "auto", "voices": {}, "seed": 0}
OPTIONS |= {"threshold": THRESHOLD, "least_phones": LEAST_PHONES, "drop_proper_nouns": True}
OPTIONS |= {"most_by_chance": 0.25}
OPTIONS |= {"spacy": {}, "names": None}


@pytest.fixture(scope="module")
def found():
    """Rows of the shipped corpus by kind of states, way and set."""
    where = [SHIPPED / "recordings.parquet"], [SHIPPED / "segments.parquet"], SHIPPED / "words.tsv"
    rows = planted.rows("synthetic-parallel", *where, OPTIONS, ["segments", "romanised"]).to_pylist()
    keys = [(r["model"].split()[-1], r["case"].split()[-1], r["measure"].split()[1]) for r in rows]
    assert len(set(keys)) == len(rows) == 6
    return dict(zip(keys, rows, strict=True))


def test_meaning_is_found_in_every_set(found):
    for (kind, _, subset), row in found.items():
        if kind == "meaning":
            assert row["measured"] == row["truth"] == 1 and row["ci_high"] == 1
            # All 64 sentences, or those of the challenge sets, hit: the exact interval of so many.
            assert 0.85 < row["ci_low"] < 1 and (
                subset != "full" or row["ci_low"] == pytest.approx(0.944, abs=1e-3)
            )
            assert row["verdict"] == "better than 1/N"


def test_sound_is_found_only_where_words_sound_alike(found):
    full = found["sound", "segments", "full"]
    assert full["n"] == 64 * 12 and full["chance"] == pytest.approx(1 / 64)
    assert full["ci_low"] > 10 * full["chance"]
    for way in ("segments", "romanised"):
        challenge = found["sound", way, "challenge"]
        assert challenge["truth"] == challenge["chance"]
        # Of what random sets of the same size have above chance, a tenth is left at most.
        random = float(challenge["note"].rpartition(" ")[2])
        assert challenge["measured"] - challenge["chance"] < 0.1 * (random - challenge["chance"])


def test_states(tmp_path):
    words = tmp_path / "words.tsv"
    words.write_text("language\tword\tconcept\nen\tdog\tdog\nen\tthe\t\nfi\tkoira\tdog\nfi\tse\t\n")
    said = {
        ("en", "s1"): [("the", ("d", "a")), ("dog", ("d", "o"))],
        ("fi", "s1"): [("koira", ("k", "o", "i")), ("se", ("s", "e"))],
    }
    states = planted.of_meaning(said, words, seed=3)
    en, fi = states["en", "s1"], states["fi", "s1"]
    assert en.shape == (4, planted.DIM) and fi.shape == (5, planted.DIM)
    assert np.array_equal(en[2], en[3]) and np.array_equal(en[2], fi[0]) and np.array_equal(fi[0], fi[2])
    assert len(np.unique(np.vstack([en, fi]), axis=0)) == 3  # the concept, and the two articles apart
    sound = planted.of_sound(said)["fi", "s1"]
    features = np.array([phones.features_of(phone) for phone in "koise"], np.float32)
    width = features.shape[1]
    for at in range(5):
        for shift in range(-2, 3):
            part = sound[at, (shift + 2) * width : (shift + 3) * width]
            assert np.array_equal(part, features[at + shift] if 0 <= at + shift < 5 else np.zeros(width))


def test_a_recording_without_phones(tmp_path):
    segments = tables.read(SHIPPED / "segments.parquet")
    rows = [row for row in segments.to_pylist() if row["tier"] != "phone" or row["label"] == "sil"]
    path = tmp_path / "segments.parquet"
    tables.write(tables.from_rows(rows, segments.schema), path)
    with pytest.raises(InputError, match="word"):
        planted.rows(
            "x", [SHIPPED / "recordings.parquet"], [path], SHIPPED / "words.tsv", OPTIONS, ["segments"]
        )
