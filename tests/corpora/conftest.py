"""Fixtures of the corpora: real recordings where they lie, small written ones elsewhere."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = {
    "rate": 200,
    "cutoff_hz": 20,
    "order": 6,
    "zscore": "file",
    "min_sd_mm": 0.5,
    "max_missing": 0.5,
    "max_length_difference_s": 0.25,
}


@pytest.fixture(scope="session")
def real_ema():
    """The folder of real recordings."""
    folder = ROOT.parent / "shared" / "data" / "ema"
    if not folder.is_dir():
        pytest.skip("../shared/data is absent")
    return folder


@pytest.fixture
def options():
    """The options of filter_ema that the config has by default."""
    return dict(OPTIONS)


@pytest.fixture
def movement():
    """A function that makes smooth positions in mm of shape (n, n_sensors, 3)."""
    return _movement


@pytest.fixture
def write_text():
    """A function that writes positions as an AG501 text export."""
    return _write_text


def _movement(n, n_sensors, rate, seed=0):
    """Smooth positions in mm of shape (n, n_sensors, 3)."""
    rng = np.random.default_rng(seed)
    times = np.arange(n) / rate
    phases, rates = rng.uniform(0, 6, (2, n_sensors, 3))
    return 10 * np.sin(2 * np.pi * (0.5 + rates) * times[:, None, None] + phases) + rng.normal(
        0, 30, (n_sensors, 3)
    )


@pytest.fixture
def make_corpus(tmp_path):
    """Write a corpus of AG501 text recordings; returns (corpus, speaker rows)."""

    def make(
        speakers=("a", "b"), stems=("T1A_001", "T2C_002"), seconds=2.0, rate=250, ema_seconds=None, **keys
    ):
        for number, speaker in enumerate(speakers):
            for kind in ("pos", "wav"):
                (tmp_path / speaker / kind).mkdir(parents=True, exist_ok=True)
            for index, stem in enumerate(stems):
                seed = 10 * number + index
                positions = _movement(round((ema_seconds or seconds) * rate), 3, rate, seed)
                _write_text(tmp_path / speaker / "pos" / f"{stem}.txt", positions)
                noise = 0.1 * np.random.default_rng(seed).normal(size=round(seconds * 16000))
                soundfile.write(tmp_path / speaker / "wav" / f"{stem}.wav", noise, 16000)
        corpus = {
            "name": "small",
            "reader": "carstens_text",
            "path": str(tmp_path),
            "shards": "speakers",
            "files": {"ema": "{speaker}/pos/{stem}.txt", "audio": "{speaker}/wav/{stem}.wav"},
            "sensors": {"TT": 1, "UL": 3},
            "axes": {"x": "+x", "z": "+z"},
            "ema_rate": rate,
            "name_pattern": r"(?P<task>T\d)(?P<condition>[ABC])_(?P<sentence_id>\d+)",
            "on_error": "stop",
        } | keys
        native = {"a": "fi", "b": "ru"}
        return corpus, [
            {"speaker": name, "sex": "f", "native_language": native.get(name, "")} for name in speakers
        ]

    return make


def _write_text(path, positions, header=True):
    """Write positions (n, n_channels, 3) as an AG501 text export with seven values per channel."""
    n, n_channels, _ = positions.shape
    values = np.zeros((n, n_channels, 7))
    values[:, :, :3] = positions
    names = ("X", "Y", "Z", "phi", "theta", "RMS", "Extra")
    head = "\t".join(f"Ch{channel + 1}_{name}" for channel in range(n_channels) for name in names)
    np.savetxt(
        path, values.reshape(n, -1), fmt="%.4f", delimiter="\t", header=head if header else "", comments=""
    )
