"""Occlusion: what is kept, and what stands in its place."""

import numpy as np
import pytest

from phonoscope.studies import tone_occlusion as oc


def test_noise_has_the_spectrum_of_the_recording():
    rng = np.random.default_rng(0)
    for n in (4000, 4001):
        samples = np.cumsum(rng.normal(size=n)).astype(np.float32) * 0.01
        noise = oc.neutral(samples, "noise", [0, 1])
        assert np.abs(np.fft.rfft(noise)) == pytest.approx(np.abs(np.fft.rfft(samples)), rel=1e-3, abs=1e-3)
        assert abs(np.corrcoef(noise, samples)[0, 1]) < 0.9 and len(noise) == n
        assert np.array_equal(noise, oc.neutral(samples, "noise", [0, 1]))
    assert not oc.neutral(samples, "silence", [0]).any()


def test_what_is_kept():
    samples, instead = np.ones(1600, dtype=np.float32), np.zeros(1600, dtype=np.float32)
    found = oc.occlude(samples, instead, 0.05, 0.02, 16000)
    times = np.arange(1600) / 16000
    inside = np.abs(times - 0.05) <= 0.02
    assert (found[inside] == 1).all()
    assert not found[np.abs(times - 0.05) >= 0.02 + oc.FADE_S].any()
    assert (np.diff(found[: 800 - 319]) >= 0).all() and found.min() >= 0 and 0 < found[440] < 1
