"""Recordings of the SPIRE EMA corpus."""

import pickle
import zipfile

import numpy as np
import pytest

from phonoscope.corpora import spire
from phonoscope.errors import InputError


def write_pt(path, content):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("recording/data.pkl", pickle.dumps(content, protocol=2))
        archive.writestr("recording/version", "3")
    return path


@pytest.fixture
def content():
    ema = np.random.default_rng(0).normal(size=(50, 18))
    return {
        "ema_trimmed": ema,
        "begin_end": [20, 70],
        "phonemes": ["sil", "ah"],
        "durations": [10, np.int64(40)],
    }


def test_positions_and_phones(tmp_path, content):
    path = write_pt(tmp_path / "a.pt", content)
    track = spire.read(path, {"UL": 1, "TT": "7"})
    assert track.rate == 100 and track.start_s == 0.2 and track.partial
    assert np.array_equal(track.sensors["TT"][:, [0, 2]], content["ema_trimmed"][:, [12, 13]])
    assert spire.segments(path) == [
        {"tier": "phone", "start_s": 0.2, "end_s": 0.3, "label": "sil"},
        {"tier": "phone", "start_s": 0.3, "end_s": 0.7, "label": "ah"},
    ]


def test_what_torch_writes(tmp_path, content):
    torch = pytest.importorskip("torch")
    torch.save(content, tmp_path / "a.pt")
    assert spire.read(tmp_path / "a.pt", {"TT": 7}).n_samples == 50


def test_nothing_but_numbers_is_unpickled(tmp_path):
    path = write_pt(tmp_path / "a.pt", {"ema_trimmed": print})
    with pytest.raises(InputError, match=r"a\.pt: not a recording .*print is not allowed"):
        spire.read(path, {"TT": 7})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"ema_trimmed": None}, "dimensions"),
        ({"ema_trimmed": "words"}, "ValueError"),
        ({"begin_end": []}, "IndexError"),
    ],
)
def test_unusable_content(tmp_path, content, change, said):
    with pytest.raises(InputError, match=said):
        spire.read(write_pt(tmp_path / "a.pt", content | change), {"TT": 7})


def test_absent_pair_and_truncation(tmp_path, content):
    path = write_pt(tmp_path / "a.pt", content)
    with pytest.raises(InputError, match="sensor TT: .*`10`.*1 to 9"):
        spire.read(path, {"TT": 10})
    data = path.read_bytes()
    for keep in range(0, len(data), 97):
        path.write_bytes(data[:keep])
        with pytest.raises(InputError, match=r"a\.pt: .*Fix: fetch it again"):
            spire.read(path, {"TT": 7})
