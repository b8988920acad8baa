"""Aligners as they are loaded: checkpoints of transformers, torchaudio's bundle, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from phonoscope.alignment import aligners, forced
from phonoscope.alignment import fetch as fetching
from phonoscope.encoders.timebase import Timebase
from phonoscope.errors import InputError

MODELS = Path(__file__).resolve().parents[2] / "resources" / "models"
NOISE = np.random.default_rng(0).normal(size=16000).astype("f4")


@pytest.fixture
def checkpoint(tmp_path):
    """A function that saves a tiny network as transformers does, with a vocabulary of four."""
    from transformers import HubertConfig, HubertForCTC, Wav2Vec2FeatureExtractor

    def save(vocabulary, **settings):
        torch.manual_seed(0)
        config = HubertConfig(
            hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8, vocab_size=4,
            conv_dim=(4,) * 7, num_conv_pos_embeddings=4, num_conv_pos_embedding_groups=2, pad_token_id=0,
        )  # fmt: skip
        HubertForCTC(config).save_pretrained(tmp_path)
        Wav2Vec2FeatureExtractor(return_attention_mask=False, do_normalize=True).save_pretrained(tmp_path)
        (tmp_path / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
        if settings:
            (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
        return tmp_path

    return save


FRAMES = {"<pad>": 0, "<unk>": 1, "a": 2, "b": 3}


@pytest.mark.parametrize("kind", ["frames", "ctc"])
def test_a_checkpoint_says_log_probabilities(checkpoint, kind):
    from transformers import HubertForCTC

    folder = checkpoint(FRAMES)
    aligner = aligners.load(kind, folder)
    assert (aligner.timebase.hop_s, aligner.timebase.offset_s) == (0.02, 0.0125)
    found = aligner.log_probs(NOISE)
    assert found.shape == (49, 4) == (aligner.frames(16000), aligner.classes)
    assert np.exp(found).sum(axis=1) == pytest.approx(np.ones(49), abs=1e-5)
    normal = torch.from_numpy((NOISE - NOISE.mean()) / np.sqrt(NOISE.var() + 1e-7))
    with torch.no_grad():
        expected = HubertForCTC.from_pretrained(folder).eval()(normal[None]).logits[0].log_softmax(-1)
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-5)


def test_a_long_recording_is_taken_in_windows(checkpoint, monkeypatch):
    aligner = aligners.load("ctc", checkpoint(FRAMES))
    long = np.tile(NOISE, 3)
    whole = aligner.log_probs(long)
    monkeypatch.setattr(aligners, "WINDOW_S", 1.5)
    monkeypatch.setattr(aligners, "OVERLAP_S", 0.5)
    found = aligner.log_probs(long)
    assert found.shape == whole.shape and 0 < np.abs(found - whole).max() < 1


def test_kinds_of_checkpoints(checkpoint):
    vocabulary = {"<pad>": 0, "a": 1, "b": 2, "/": 3}
    plain = aligners.load("ctc", checkpoint({"[PAD]": 0, "a": 1, "b": 2, "|": 3}))
    assert (plain.blank, plain.silence, plain.delimiter, plain.phonetic) == (0, None, "|", False)
    settings = {"word_delimiter_token": "/", "tokenizer_class": "Wav2Vec2PhonemeCTCTokenizer"}
    phonetic = aligners.load("ctc", checkpoint(vocabulary, **settings))
    assert (phonetic.delimiter, phonetic.phonetic) == ("/", True)
    frames = aligners.load("frames", checkpoint(FRAMES))
    assert (frames.blank, frames.silence, frames.delimiter, frames.phonetic) == (None, 0, None, True)


@pytest.mark.parametrize(
    ("kind", "vocabulary", "message"),
    [
        ("frames", {"a": 0, "<unk>": 1}, "lacks <pad>"),
        ("ctc", {"eng": {"a": 1}, "fin": {"a": 1}}, "several languages .eng, fin"),
        ("tape", {}, "no aligner `tape`.*Fix: use one of ctc, frames, mms_fa"),
    ],
)
def test_what_is_no_aligner(checkpoint, kind, vocabulary, message):
    with pytest.raises(InputError, match=message):
        aligners.load(kind, checkpoint(vocabulary))


def test_files_that_are_not_there(tmp_path):
    for kind in ("ctc", "frames"):
        with pytest.raises(InputError, match="no aligner can be loaded"):
            aligners.load(kind, tmp_path)
    with pytest.raises(InputError, match="weights of MMS_FA are not here"):
        aligners.load("mms_fa", tmp_path)


def test_a_recogniser_is_not_taken_for_an_aligner():
    with pytest.raises(InputError, match="is a recogniser"):
        aligners.load("frames", MODELS / "hubert-fi-ctc")
    assert aligners.load("frames", MODELS / "aligner-phones").timebase.hop_s == 0.02


def test_a_recording_shorter_than_a_frame():
    aligner = aligners.load("frames", MODELS / "aligner-phones")
    with pytest.raises(InputError, match="399 samples are too few for a frame, which needs 400"):
        aligner.log_probs(NOISE[:399])
    assert aligner.log_probs(NOISE[:400]).shape == (1, aligner.classes)


# The quiet ends of a recording


def test_quiet_ends_are_those_below_the_loud_middle():
    audio = 0.001 * NOISE
    audio[4800:9600] = 0.3 * NOISE[4800:9600]
    quiet = aligners.quiet_ends(audio, 49, Timebase(0.02, 0.0125))
    # Frame i reaches from 2.5 ms + 20 i ms on for 20 ms.
    assert np.flatnonzero(~quiet).tolist() == list(range(14, 30))
    loud_between = audio.copy()
    loud_between[6400:8000] *= 0.003
    np.testing.assert_array_equal(aligners.quiet_ends(loud_between, 49, Timebase(0.02, 0.0125)), quiet)


@pytest.mark.parametrize("audio", [np.zeros(16000, "f4"), NOISE, np.ones(16000, "f4")])
def test_no_telling_what_is_quiet(audio):
    assert not aligners.quiet_ends(audio, 49, Timebase(0.02, 0.0125)).any()


def test_quiet_ends_are_silence_whatever_the_model_hears():
    aligner = aligners.load("frames", MODELS / "aligner-phones")
    audio = 0.001 * NOISE
    audio[4800:9600] = 0.3 * NOISE[4800:9600]
    heard, found = aligner.log_probs(audio), aligner.emissions(audio)
    np.testing.assert_array_equal(found[14:30], heard[14:30])
    assert np.exp(found).sum(axis=1) == pytest.approx(np.ones(49), abs=1e-5)
    assert np.exp(found[:14, 0]).min() == pytest.approx(0.99, abs=1e-5)


def test_two_frames_for_each_phone_where_there_are_frames(monkeypatch):
    aligner = aligners.load("frames", MODELS / "aligner-phones")
    least = []
    monkeypatch.setattr(forced, "align", lambda *_, **options: least.append(options["least"]))
    for frames in (3, 4):
        aligner.align(np.zeros((frames, aligner.classes)), [2, 3])
    assert least == [1, 2]


# MMS_FA, whose weights of 1.2 GB are not at hand


class Bundle:
    """Stands for torchaudio.pipelines.MMS_FA: the same calls, a small network."""

    calls, _path = [], "an address"

    def get_dict(self, star="*"):
        return {"-": 0, "a": 1, "'": 2} | ({star: 3} if star else {})

    def get_model(self, with_star=True, *, dl_kwargs=None):
        from torchaudio.models import wav2vec2_model

        self.calls.append(dl_kwargs)
        assert (Path(dl_kwargs["model_dir"]) / dl_kwargs["file_name"]).read_bytes() == b"weights"
        torch.manual_seed(0)
        layers = [(4, 10, 5), *[(4, 3, 2)] * 4, *[(4, 2, 2)] * 2]
        model = wav2vec2_model(
            "layer_norm", layers, True, 8, 0.0, 4, 2, 1, 2, 0.0, 8, 0.0, 0.0, True, 0.0, 3
        )  # fmt: skip

        class LogSoftmax(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.model = model

            def forward(self, waveforms, lengths=None):
                output, lengths = self.model(waveforms, lengths)
                return output.log_softmax(-1), lengths

        assert not with_star
        return LogSoftmax()


@pytest.fixture
def bundle(monkeypatch, tmp_path):
    import huggingface_hub.constants
    import torchaudio

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(torchaudio.pipelines, "MMS_FA", Bundle())
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(Bundle, "calls", [])
    fetched = []
    monkeypatch.setattr(Bundle, "fetched", fetched, raising=False)

    def download(url, path, **_):
        fetched.append(url)
        path.write_bytes(b"weights")

    monkeypatch.setattr(fetching, "download", download)
    (tmp_path / "checkpoints").mkdir()
    return tmp_path / "checkpoints"


def test_mms_fa_is_fetched_once_and_loaded_from_there(bundle):
    manifest = fetching.fetch({"name": "x", "kind": "mms_fa"})
    assert manifest["folder"] == str(bundle) and list(manifest["files"]) == ["mms_fa.pt"]
    assert fetching.fetch({"name": "x", "kind": "mms_fa"}) == manifest and Bundle.fetched == ["an address"]
    assert Bundle.calls[0]["weights_only"] and Bundle.calls[0]["model_dir"] == str(bundle)
    aligner = aligners.load(manifest["kind"], manifest["folder"])
    assert aligner.vocabulary == {"a": 1, "'": 2} and (aligner.blank, aligner.classes) == (0, 3)
    assert (aligner.timebase.hop_s, aligner.timebase.offset_s) == (0.02, 0.0125)
    found = aligner.log_probs(NOISE)
    assert found.shape == (49, 3) and np.exp(found).sum(axis=1) == pytest.approx(np.ones(49), abs=1e-5)


def test_mms_fa_is_not_fetched_offline(bundle, monkeypatch):
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(InputError, match="the network is forbidden.*Fix: fetch them on a machine"):
        fetching.fetch({"name": "x", "kind": "mms_fa"})
    assert not Bundle.calls and not Bundle.fetched
    (bundle / "mms_fa.pt").write_bytes(b"weights")
    assert fetching.fetch({"name": "x", "kind": "mms_fa"})["kind"] == "mms_fa"


def test_mms_fa_that_cannot_be_loaded(bundle, monkeypatch):
    def fails(*_, **__):
        raise OSError("no route")

    monkeypatch.setattr(Bundle, "get_model", fails)
    with pytest.raises(InputError, match="cannot be loaded .no route.*delete the file"):
        fetching.fetch({"name": "x", "kind": "mms_fa"})


def test_mms_fa_of_torchaudio_has_what_is_asked_of_it():
    """The real bundle, without its weights."""
    import inspect

    from torchaudio.pipelines import MMS_FA

    vocabulary = MMS_FA.get_dict(star=None)
    assert vocabulary["-"] == 0 and len(vocabulary) == 28 and MMS_FA.sample_rate == aligners.RATE_HZ
    assert MMS_FA._path.startswith("https://")
    assert {"with_star", "dl_kwargs"} <= set(inspect.signature(MMS_FA.get_model).parameters)
    options = {"weights_only", "model_dir", "file_name", "progress"}
    assert options <= set(inspect.signature(torch.hub.load_state_dict_from_url).parameters)


def test_a_local_checkpoint_is_described_by_its_files():
    manifest = fetching.fetch({"name": "x", "kind": "frames", "path": str(MODELS / "aligner-phones")})
    assert manifest["kind"] == "frames" and manifest["commit"].startswith("sha256:")
    assert {"vocab.json", "model.safetensors"} <= set(manifest["files"])
    with pytest.raises(InputError, match="no such folder"):
        fetching.fetch({"name": "x", "kind": "ctc", "path": "nowhere"})
