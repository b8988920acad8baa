"""Extraction: order, memory running out, bad recordings, nothing half-written."""

from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from phonoscope import embeddings, tables
from phonoscope.encoders import windows
from phonoscope.encoders.batches import Budget, ahead
from phonoscope.encoders.extract import extract
from phonoscope.encoders.timebase import Timebase
from phonoscope.errors import InputError

OPTIONS = {"dtype": "float16", "window": 3.0, "overlap": 0.5, "batch_seconds": 4}
SECONDS = (1.0, 0.3, 2.2, 0.05, 7.3, 1.0, 0.4)


class FakeEncoder:
    """Frames of 320 samples holding their mean; runs out of memory above ``room`` seconds."""

    name, depth, layers, dim, rate = "fake", 1, [0, 1], 4, 16000
    least_samples, longest_s, precision, timebase = 320, None, "float32", Timebase(0.02, 0.01)
    device = SimpleNamespace(type="cuda")

    def __init__(self, room=np.inf, scale=1.0):
        self.room, self.scale, self.batches = room, scale, []

    def frames(self, n_samples):
        return n_samples // 320

    def computed_samples(self, n_samples):
        return n_samples

    def prepare(self, samples):
        return samples

    def forward(self, prepared):
        import torch

        seconds = len(prepared) * max(map(len, prepared)) / self.rate
        self.batches.append(len(prepared))
        if seconds > self.room:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        means = [p[: len(p) // 320 * 320].reshape(-1, 320).mean(1) for p in prepared]
        base = [np.repeat(m[:, None], 4, 1).astype(np.float32) * self.scale for m in means]
        return [{0: b, 1: -b} for b in base]


@pytest.fixture
def corpus(tmp_path, speechlike):
    """(utterances table, list of audio arrays)."""
    rows, audios = [], []
    for k, seconds in enumerate(SECONDS):
        audios.append(speechlike(seconds, k) + np.float32(0.05))
        path = tmp_path / f"{k}.wav"
        soundfile.write(path, audios[-1], 16000, subtype="FLOAT")
        rows.append({"utterance_id": f"u{k}", "audio": str(path), "duration_s": seconds, "speaker": "s"})
    return tables.from_rows(rows, tables.UTTERANCES), audios


def paths_of(encoder, folder):
    return {layer: folder / f"layer{layer}.parquet" for layer in encoder.layers}


@pytest.mark.parametrize("family", ["wav2vec2-base", "whisper"])
def test_states_of_every_utterance_in_the_order_of_the_table(encoder_of, corpus, tmp_path, family):
    encoder, (utterances, audios) = encoder_of(family), corpus
    paths = paths_of(encoder, tmp_path)
    notes = extract(encoder, utterances, paths, {**OPTIONS, "dtype": "float32"}, {"revision": "r"})
    assert notes == []
    for layer, path in paths.items():
        read = embeddings.read(path)
        assert read.utterance_ids == [f"u{k}" for k in range(len(SECONDS))]
        for k, audio in enumerate(audios):
            expected = windows.encode(encoder, audio, OPTIONS["window"], OPTIONS["overlap"])[layer]
            rows = read.values[read.utterance == k]
            assert rows.shape == expected.shape == (encoder.frames(len(audio)), encoder.dim)
            error = np.linalg.norm(rows - expected, axis=1) / np.linalg.norm(expected, axis=1)
            assert error.max() < 1e-4


def test_provenance_of_a_file(corpus, tmp_path):
    encoder = FakeEncoder()
    extract(encoder, corpus[0], paths_of(encoder, tmp_path), OPTIONS, {"revision": "abc"})
    found = embeddings.read(tmp_path / "layer1.parquet").provenance
    assert (found["model"], found["revision"], found["layer"], found["d"]) == ("fake", "abc", 1, 4)
    assert (found["hop_s"], found["offset_s"], found["dtype"]) == (0.02, 0.01, "float16")
    assert set(found["versions"]) == {"torch", "torchaudio", "transformers"}


def test_two_runs_write_the_same_bytes(encoder_of, corpus, tmp_path):
    encoder = encoder_of("wav2vec2-base", layers=[0, 3])
    for run in ("a", "b"):
        extract(encoder, corpus[0], paths_of(encoder, tmp_path / run), OPTIONS, {})
    for layer in (0, 3):
        first, second = ((tmp_path / run / f"layer{layer}.parquet").read_bytes() for run in ("a", "b"))
        assert first == second


def test_halves_the_batch_when_the_gpu_runs_out_of_memory(corpus, tmp_path):
    roomy, tight = FakeEncoder(), FakeEncoder(room=3.1)
    for name, encoder in (("roomy", roomy), ("tight", tight)):
        options = {**OPTIONS, "batch_seconds": 100}
        extract(encoder, corpus[0], paths_of(encoder, tmp_path / name), options, {})
    assert max(roomy.batches) > max(tight.batches[1:])
    assert (tmp_path / "roomy/layer1.parquet").read_bytes() == (
        tmp_path / "tight/layer1.parquet"
    ).read_bytes()


def test_one_utterance_too_large_for_the_gpu(corpus, tmp_path):
    encoder = FakeEncoder(room=1.5)
    with pytest.raises(InputError, match=r"utterance u\d: the GPU's memory is too small.*window"):
        extract(encoder, corpus[0], paths_of(encoder, tmp_path), OPTIONS, {})
    assert not list(tmp_path.glob("*layer*"))


def test_overflow_stops_the_job_and_leaves_no_file(corpus, tmp_path):
    encoder = FakeEncoder(scale=1e7)
    with pytest.raises(InputError, match=r"utterance u\d: layer \d of model fake .*dtype: float32"):
        extract(encoder, corpus[0], paths_of(encoder, tmp_path), OPTIONS, {})
    assert not list(tmp_path.glob("*layer*")) and not list(tmp_path.glob(".*layer*"))


@pytest.mark.parametrize("damage", ["missing", "not audio", "too short"])
def test_bad_recordings_stop_or_are_skipped_with_a_note(corpus, tmp_path, damage):
    from pathlib import Path

    encoder, bad = FakeEncoder(), Path(corpus[0].column("audio")[2].as_py())
    bad.unlink()
    if damage == "not audio":
        bad.write_text("hello")
    elif damage == "too short":
        soundfile.write(bad, np.full(100, 0.1), 16000)
    paths = paths_of(encoder, tmp_path / "out")
    with pytest.raises(InputError, match=bad.name):
        extract(encoder, corpus[0], paths, OPTIONS, {})
    assert not list((tmp_path / "out").iterdir())
    notes = extract(encoder, corpus[0], paths, OPTIONS, {}, on_error="skip")
    assert [(note["utterance_id"], note["kind"]) for note in notes] == [("u2", "left_out")]
    assert tables.from_rows(notes, tables.NOTES).num_rows == 1
    assert embeddings.read(paths[0]).utterance_ids == ["u0", "u1", "u3", "u4", "u5", "u6"]


def test_a_failing_forward_pass_leaves_the_older_file(corpus, tmp_path):
    encoder = FakeEncoder()
    paths = paths_of(encoder, tmp_path)
    extract(encoder, corpus[0], paths, OPTIONS, {})
    before = paths[0].read_bytes()
    encoder.forward = lambda prepared: 1 / 0
    with pytest.raises(ZeroDivisionError):
        extract(encoder, corpus[0], paths, OPTIONS, {})
    assert paths[0].read_bytes() == before and len(list(tmp_path.glob("*.partial"))) == 0


def test_an_empty_shard_gives_an_empty_file(tmp_path):
    encoder = FakeEncoder()
    extract(encoder, tables.UTTERANCES.empty_table(), paths_of(encoder, tmp_path), OPTIONS, {})
    assert embeddings.read(tmp_path / "layer0.parquet").values.shape == (0, 4)


def test_progress_tells_audio_seconds_per_second(corpus, tmp_path, capfd):
    encoder = FakeEncoder()
    extract(encoder, corpus[0], paths_of(encoder, tmp_path), OPTIONS, {})
    assert "audio-s/s" in capfd.readouterr().err


def test_batches_stay_within_the_budget():
    encoder = FakeEncoder()
    rng = np.random.default_rng(0)
    pieces = [
        SimpleNamespace(order=k, audio=np.empty(n)) for k, n in enumerate(rng.integers(8000, 48000, 40))
    ]
    budget = Budget(encoder, 12)
    batches = list(budget.batches(pieces))
    assert sorted(piece.order for batch in batches for piece in batch) == list(range(40))
    assert all(budget.cost(batch) <= 12 for batch in batches) and len(batches) < 12


def test_ahead_hands_over_items_and_errors():
    def numbers():
        yield from range(5)
        raise KeyError("end")

    with pytest.raises(KeyError, match="end"), ahead(numbers()) as items:
        assert [next(items) for _ in range(5)] == list(range(5))
        next(items)
    with ahead(iter(range(1000))) as items:
        assert next(items) == 0


def test_impossible_windows_stop_even_where_recordings_may_be_skipped(corpus, tmp_path):
    encoder, options = FakeEncoder(), {**OPTIONS, "overlap": 5.0}
    with pytest.raises(InputError, match="well below the window"):
        extract(encoder, corpus[0], paths_of(encoder, tmp_path), options, {}, on_error="skip")
