"""Spans of known profiles in closed form; energies, bins, edges; the width that keeps nine tenths."""

import numpy as np
import pytest

from phonoscope.probes import focus as tf

W, BIN = 500.0, 20.0
CENTRES = tf.bin_centres(W, BIN)


def test_bins_lie_evenly_about_the_centre():
    assert len(CENTRES) == 50 and CENTRES[0] == -490 and CENTRES[25] == 10
    assert (-CENTRES[::-1] == CENTRES).all()


def test_spans_of_known_profiles():
    delta = np.where(np.abs(CENTRES) < BIN, 1.0, 0.0)
    flat = np.ones(50)
    # A triangle down to 0 at W has its centre of mass at W / 3.
    triangle = W - np.abs(CENTRES)
    # A box of ± 100 ms has it at 50 ms.
    box = np.where(np.abs(CENTRES) < 100, 1.0, 0.0)
    exponential = np.exp(-np.abs(CENTRES) / 40)
    found = tf.spans(np.array([delta, flat, triangle, box, exponential, 7 * box]), CENTRES)
    assert found[0] == pytest.approx(BIN)
    assert found[1] == pytest.approx(W)
    assert found[2] == pytest.approx(2 * W / 3, rel=1e-3)
    assert found[3] == found[5] == pytest.approx(100)
    # The bins are a sum, not an integral: BIN / tanh(BIN / 80) / 2 is the mean distance.
    assert found[4] == pytest.approx(BIN / np.tanh(BIN / 80), rel=1e-3)


def test_no_energy_has_no_span_and_the_flat_reference_knows_the_edges():
    assert np.isnan(tf.spans(np.zeros(50), CENTRES))
    profile = np.random.default_rng(0).random((2, 50))
    profile[1, 30:] = np.nan
    flat = tf.flat_reference(profile, CENTRES)
    assert flat[0] == pytest.approx(W)
    assert flat[1] == pytest.approx(2 * np.abs(CENTRES[:30]).mean())


@pytest.mark.parametrize("form", ["energy", "rms"])
def test_energy_per_bin(form):
    rng = np.random.default_rng(1)
    values = rng.normal(size=(3, 40))
    values[1, 35:] = np.nan
    values[2, 30:] = np.nan
    found = tf.energy(values, 4, form)
    for k in range(4):
        part = values[0, 10 * k : 10 * k + 10]
        assert found[0, k] == pytest.approx(
            np.sum(part**2) if form == "energy" else np.sqrt(np.mean(part**2))
        )
    half = np.mean(values[1, 30:35] ** 2)
    assert found[1, 3] == pytest.approx(10 * half if form == "energy" else np.sqrt(half))
    assert np.isnan(found[2, 3]) and np.isfinite(found[2, :3]).all()


def test_width_that_keeps_nine_tenths():
    half = [20, 40, 80, 160]
    kept = np.array(
        [
            [0.0, 0.4, 0.9, 1.0],
            [0.0, 0.8, 1.0, 1.0],
            [0.95, 0.95, 0.95, 0.95],
            # It must stay kept: a dip further out counts.
            [0.95, 0.5, 0.7, 1.1],
            [0.1, 0.2, 0.3, 0.4],
        ]
    )
    found = tf.widths_that_keep(half, kept)
    assert found[:4] == pytest.approx([160, 2 * 60, 40, 2 * (80 + 80 * 0.5)])
    assert np.isnan(found[4])
