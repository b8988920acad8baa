"""Frame counts against the models' own, frame centres against a click."""

import numpy as np
import pytest

from phonoscope.encoders.load import load
from phonoscope.encoders.timebase import Timebase


def test_times():
    np.testing.assert_allclose(Timebase(0.02, 0.0125).times(3), [0.0125, 0.0325, 0.0525])
    assert Timebase(0.02, 0.0).times(0).shape == (0,)


def test_wav2vec2_centres_are_those_of_its_receptive_field(encoder_of):
    encoder = encoder_of("wav2vec2-base")
    expected = (320 * np.arange(50) + 200) / 16000
    np.testing.assert_allclose(encoder.timebase.times(50), expected, atol=1e-12)


@pytest.mark.parametrize("family", ["wav2vec2-base", "data2vec-audio", "wavlm-large"])
def test_frame_count_is_the_models_own(encoder_of, family):
    encoder = encoder_of(family)
    for n in [400, 719, 720, 721, *range(15999, 16330, 37), 48000]:
        assert encoder.frames(n) == int(encoder.model._get_feat_extract_output_lengths(n))


@pytest.mark.parametrize("n", [560, 719, 720, 879, 880, 16000, 16160])
def test_frame_count_of_filter_banks(encoder_of, n):
    encoder = encoder_of("wav2vec2-bert")
    out = encoder.extractor(np.ones(n, np.float32), sampling_rate=16000, return_tensors="np")
    assert encoder.frames(n) == out["attention_mask"].sum()


def test_convolutions_see_exactly_the_receptive_field(encoder_of, speechlike):
    import torch

    encoder = encoder_of("wav2vec2-large")
    audio = speechlike(0.5)
    changed = audio.copy()
    changed[3201] += 0.5
    with torch.inference_mode():
        before, after = (
            encoder.model.feature_extractor(torch.from_numpy(a)[None])[0] for a in (audio, changed)
        )
    frames = np.flatnonzero((before != after).any(0).numpy())
    assert frames.tolist() == [i for i in range(24) if 320 * i <= 3201 < 320 * i + 400]


CLICKS = (4000, 5200, 6560, 8003, 9999)


def centre_of_change(encoder, audio, sample):
    """Time, in seconds, around which layer 0 changes when a click is added at ``sample``."""
    clicked = audio.copy()
    clicked[sample] += 0.02
    before, after = (encoder.encode([a])[0][0] for a in (audio, clicked))
    energy = ((after - before) ** 2).sum(1)
    times = encoder.timebase.times(len(energy))
    return (energy * times).sum() / energy.sum()


@pytest.mark.parametrize("family", ["wav2vec2-bert", "whisper"])
def test_frames_are_centred_on_a_click(encoder_of, speechlike, family):
    encoder = encoder_of(family, layers=[0])
    audio = speechlike(0.9) * 0.1
    late = [centre_of_change(encoder, audio, sample) - sample / 16000 for sample in CLICKS]
    assert abs(np.mean(late)) < 0.005 and np.abs(late).max() < 0.012


@pytest.mark.parametrize(
    "model", [{"encoder": "mel"}, {"encoder": "mfcc"}, {"encoder": "mfcc", "context": 3}]
)
def test_baseline_frames_are_centred_on_a_click(speechlike, model):
    encoder, audio = load(model), speechlike(0.9) * 0.1
    late = [centre_of_change(encoder, audio, sample) - sample / 16000 for sample in CLICKS]
    assert abs(np.mean(late)) < 0.005 and np.abs(late).max() < 0.012
