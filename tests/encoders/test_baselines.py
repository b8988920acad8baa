"""log mel and MFCC."""

import numpy as np
import pytest

from phonoscope.encoders.load import load


@pytest.mark.parametrize("n", [400, 640, 16000, 16001, 16319])
def test_frames_and_width(speechlike, n):
    audio = speechlike(1.1)[:n]
    mel, mfcc = load({"encoder": "mel", "depth": 0}), load({"encoder": "mfcc", "context": 5})
    assert mel.encode([audio])[0][0].shape == (mel.frames(n), 80) == (n // 320 + 1, mel.dim)
    assert mfcc.encode([audio])[0][0].shape == (mfcc.frames(n), 13 * 11) == (n // 320 + 1, mfcc.dim)


def test_mfcc_is_the_cosine_transform_of_the_log_mel(speechlike):
    from scipy.fft import dct

    audio = speechlike(1.0)
    mel = load({"encoder": "mel", "n_mels": 40}).encode([audio])[0][0]
    mfcc = load({"encoder": "mfcc"}).encode([audio])[0][0]
    np.testing.assert_allclose(mfcc, dct(mel, norm="ortho", axis=1)[:, :13], rtol=1e-3, atol=1e-3)


def test_context_stacks_neighbours_and_repeats_edges(speechlike):
    audio = speechlike(0.5)
    plain = load({"encoder": "mfcc"}).encode([audio])[0][0]
    wide = load({"encoder": "mfcc", "context": 2}).encode([audio])[0][0].reshape(-1, 5, 13)
    np.testing.assert_array_equal(wide[10], plain[8:13])
    np.testing.assert_array_equal(wide[0], plain[[0, 0, 0, 1, 2]])
    np.testing.assert_array_equal(wide[-1], plain[[-3, -2, -1, -1, -1]])


def test_silence_is_finite_and_a_tone_is_where_it_belongs():
    mel = load({"encoder": "mel"})
    assert np.isfinite(mel.encode([np.zeros(16000, np.float32)])[0][0]).all()
    time = np.arange(16000) / 16000
    low, high = (np.sin(2 * np.pi * f * time).astype(np.float32) for f in (300, 3000))
    bands = [states[0][25].argmax() for states in mel.encode([low, high])]
    assert bands[0] < 20 < bands[1]


def test_baselines_do_not_mix_a_batch(speechlike):
    encoder = load({"encoder": "mfcc", "context": 1})
    audios = [speechlike(0.3, 1), speechlike(0.8, 2)]
    for alone, together in zip(audios, encoder.encode(audios), strict=True):
        np.testing.assert_array_equal(encoder.encode([alone])[0][0], together[0])
