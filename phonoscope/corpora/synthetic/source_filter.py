"""A source-filter synthesiser whose pitch is exact: harmonics of one phase, seen through formants.

The voice is a sum of harmonics. Their phase is the running sum of f0 sample by sample, their amplitudes and
phases are those of a glottal source and of a cascade of formant resonances [1]_ at the harmonic's frequency.
There is no filter state, so nothing of a pitch rings on after it has ended, and no aliasing. The power of the
voice is set after the filter: it follows the planned level whatever the pitch is.

.. [1] G. Fant (1960), Acoustic Theory of Speech Production, section 1.2.
"""

import numpy as np

RATE_HZ = 16000
STEP = 16  # samples between two values of a control track: 1 ms
TOP_HZ, ROLL_HZ = 7000.0, 800.0
GLOTTIS_HZ = 100.0
DARK_HZ = 500.0
FORMANTS = 7
UPPER_HZ = np.array([3500.0, 4500.0, 5500.0, 6500.0])
BANDWIDTH_HZ = np.array([60.0, 80.0, 120.0, 180.0, 250.0, 350.0, 450.0])


def eased(values, width):
    """Steps made smooth: the running mean of a track under a raised cosine.

    Parameters
    ----------
    values : array of shape (n, ...)
    width : int
        Length of the transition that a step becomes, centred at the step.

    Returns
    -------
    array of shape (n, ...)
    """
    from scipy.ndimage import convolve1d

    window = np.hanning(width + 2 | 1)[1:-1]
    return convolve1d(np.asarray(values, float), window / window.sum(), axis=0, mode="nearest")


def response(frequency_hz, formants_hz, bandwidths_hz, dark, tilt_hz):
    """What source and vocal tract make of harmonics.

    Parameters
    ----------
    frequency_hz : array of shape (n_harmonics, n)
    formants_hz, bandwidths_hz : array of shape (n, n_formants)
    dark : array of shape (n,)
        Order of an added low-pass at 500 Hz, for nasals and closures; 0 for none.
    tilt_hz : float
        Above it the source falls by another 6 dB per octave.

    Returns
    -------
    complex array of shape (n_harmonics, n)
    """
    s = 1j * frequency_hz
    gain = 1 / ((1 + s / GLOTTIS_HZ) * (1 + s / tilt_hz))
    for formant, bandwidth in zip(np.transpose(formants_hz), np.transpose(bandwidths_hz), strict=True):
        pole = formant**2 + bandwidth**2 / 4
        gain *= pole / ((s + bandwidth / 2) ** 2 + formant**2)
    gain *= (1 + (frequency_hz / DARK_HZ) ** 2) ** (-dark / 2)
    return gain * np.clip((TOP_HZ + ROLL_HZ - frequency_hz) / ROLL_HZ, 0, 1)


def voiced(f0_hz, formants_hz, bandwidths_hz, level, dark, tilt_hz):
    """The voice.

    Parameters
    ----------
    f0_hz : array of shape (n_samples,)
        A value per sample; n_samples is a multiple of :data:`STEP`.
    formants_hz, bandwidths_hz : array of shape (n_samples / STEP, n_formants)
    level : array of shape (n_samples / STEP,)
        Root mean square of the sound.
    dark : array of shape (n_samples / STEP,)
    tilt_hz : float
        See :func:`response`.

    Returns
    -------
    array of shape (n_samples,)
    """
    control = f0_hz[::STEP]
    harmonics = np.arange(1, int((TOP_HZ + ROLL_HZ) / control.min()) + 1)
    gain = response(harmonics[:, None] * control, formants_hz, bandwidths_hz, dark, tilt_hz)
    gain *= level / np.sqrt((np.abs(gain) ** 2).sum(axis=0) / 2)
    at = np.arange(len(f0_hz)) / STEP
    knots = np.arange(len(control))
    turn = np.exp(2j * np.pi * np.cumsum(f0_hz) / RATE_HZ)
    carrier, sound = np.ones_like(turn), np.zeros(len(f0_hz))
    for row in gain:
        carrier = carrier * turn
        sound += np.interp(at, knots, row.real) * carrier.real - np.interp(at, knots, row.imag) * carrier.imag
    return sound


def noise(rng, level, low_hz, high_hz):
    """White noise through a band-pass.

    Parameters
    ----------
    rng : numpy.random.Generator
    level : array of shape (n_samples,)
        Root mean square of the sound.
    low_hz, high_hz : float

    Returns
    -------
    array of shape (n_samples,)
    """
    from scipy.signal import butter, sosfilt

    band = butter(2, [low_hz, high_hz], "bandpass", fs=RATE_HZ, output="sos")
    run_in = 400
    white = sosfilt(band, rng.standard_normal(len(level) + run_in))[run_in:]
    return level * white / np.sqrt(2 * (high_hz - low_hz) / RATE_HZ)
