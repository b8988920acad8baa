"""Temporal focus: profiles over the offset from a segment's centre, their spans, and what must be kept.

r_com = Σ|τ|E / ΣE is the centre of mass of the energy E over the distance |τ|; the span is 2·r_com (arXiv
2511.12285). A flat profile within ± W has the span W: the reference beside every span.
"""

import numpy as np


def bin_centres(reach, width):
    """Offsets of the bins' centres, in the unit of both: an even number of bins, with an edge at 0."""
    half = round(reach / width)
    return (np.arange(-half, half) + 0.5) * width


def spans(profiles, centres):
    """Twice the centre of mass of the energy over the distance from the segment's centre.

    Parameters
    ----------
    profiles : array of shape (..., n_bins)
        Energy, at least 0; NaN where there is no audio.
    centres : array of shape (n_bins,)
        Offsets of the bins.

    Returns
    -------
    array of shape (...)
        In the unit of ``centres``; NaN where there is no energy.
    """
    energy = np.nan_to_num(profiles)
    total = energy.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(total > 0, 2 * (energy * np.abs(centres)).sum(axis=-1) / total, np.nan)


def flat_reference(profiles, centres):
    """The span of a flat profile over the bins that have audio; W for those that lie wholly inside."""
    return spans(np.where(np.isnan(profiles), np.nan, 1.0), centres)


def energy(values, n_bins, form):
    """Energy per bin.

    Parameters
    ----------
    values : array of shape (..., n_samples)
        Gradient, or gradient times input; NaN beyond the recording.
    n_bins : int
    form : {"energy", "rms"}
        Sum of squares, or root of their mean.

    Returns
    -------
    array of shape (..., n_bins)
        NaN where less than half of the bin has audio.
    """
    parts = values.reshape(*values.shape[:-1], n_bins, -1)
    inside = ~np.isnan(parts)
    squares = np.where(inside, parts, 0.0) ** 2
    count = inside.sum(axis=-1)
    mean = squares.sum(axis=-1) / np.maximum(count, 1)
    # As if the whole bin had audio, so that the last bin of a recording is not smaller for that alone.
    found = np.sqrt(mean) if form == "rms" else mean * parts.shape[-1]
    return np.where(2 * count >= parts.shape[-1], found, np.nan)


def widths_that_keep(half_ms, kept, share=0.9):
    """The smallest whole width, 2·w, from which on at least ``share`` of the margin is kept.

    Parameters
    ----------
    half_ms : array of shape (n_widths,)
        Rising.
    kept : array of shape (..., n_widths)
        Share of the margin that is kept within each.

    Returns
    -------
    array of shape (...)
        Between two widths by a straight line; NaN where the widest does not keep it.
    """
    half_ms, kept = np.asarray(half_ms, dtype=float), np.asarray(kept, dtype=float)
    enough = np.flip(np.logical_and.accumulate(np.flip(kept >= share, -1), axis=-1), -1)
    first = enough.argmax(axis=-1)
    before = np.maximum(first - 1, 0)
    high = np.take_along_axis(kept, first[..., None], -1)[..., 0]
    low = np.take_along_axis(kept, before[..., None], -1)[..., 0]
    with np.errstate(invalid="ignore", divide="ignore"):
        part = np.where(first > before, (share - low) / (high - low), 0.0)
    width = 2 * (half_ms[before] + part * (half_ms[first] - half_ms[before]))
    return np.where(enough.any(axis=-1), width, np.nan)
