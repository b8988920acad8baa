"""Shards: pure rules."""

import subprocess
import sys

import pytest

from phonoscope.corpora.shards import bucket_of, shard_names, speakers_of
from phonoscope.errors import InputError

SPEAKERS = ["c", "a", "b", "d", "e"]


def test_one_per_speaker():
    assert shard_names("speakers", SPEAKERS) == SPEAKERS
    assert speakers_of("b", "speakers", SPEAKERS) == ["b"]


@pytest.mark.parametrize("n", range(1, 6))
def test_buckets_share_out_all_speakers(n):
    names = shard_names(n, SPEAKERS)
    parts = [speakers_of(name, n, SPEAKERS) for name in names]
    assert names == [f"bucket{i}" for i in range(n)]
    assert sorted(sum(parts, [])) == sorted(SPEAKERS) and all(parts)


def test_a_speaker_added_changes_one_bucket():
    changed = [
        name
        for name in shard_names(3, SPEAKERS)
        if speakers_of(name, 3, SPEAKERS) != speakers_of(name, 3, [*SPEAKERS, "f"])
    ]
    assert changed == ["bucket2"]


def test_without_speakers():
    assert shard_names(2, []) == ["bucket0", "bucket1"] and speakers_of("bucket1", 2, []) == []
    # Fixed for good: these names are in users' results.
    assert [bucket_of(stem, 4) for stem in ("rec1", "rec2", "ä")] == ["bucket2", "bucket0", "bucket0"]


@pytest.mark.parametrize(
    ("shards", "speakers", "said"),
    [
        ("speakers", [], "no speaker to make shards of"),
        (6, SPEAKERS, "6 shards are more than the 5 speakers"),
        (0, SPEAKERS, "`0` is not a way"),
        (True, SPEAKERS, "`True` is not a way"),
        ("files", SPEAKERS, "`files` is not a way"),
    ],
)
def test_refused(shards, speakers, said):
    with pytest.raises(InputError, match=f"{said}.*Fix: "):
        shard_names(shards, speakers)


def test_unknown_shard():
    with pytest.raises(InputError, match="no shard `x`"):
        speakers_of("x", "speakers", SPEAKERS)


def test_cheap_to_import():
    code = "import sys, phonoscope.corpora.shards, phonoscope.corpora.sheets; print('numpy' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"
    )
