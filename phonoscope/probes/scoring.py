"""Pearson correlation of predictions with targets, for many targets and groups of frames at once."""

import numpy as np


def pearson(predicted, measured, groups=None, n_groups=1):
    """Pearson r per group of frames and target; frames with NaN in a target are left out for it.

    Parameters
    ----------
    predicted, measured : arrays of shape (n_frames, n_targets)
    groups : integer array of shape (n_frames,), optional
        Group of each frame, 0 … n_groups - 1; negative for none. One group by default.
    n_groups : int

    Returns
    -------
    r : array of shape (n_groups, n_targets)
        NaN where fewer than two frames, or no variance.
    n : integer array of shape (n_groups, n_targets)
        Frames that count.
    """
    groups = np.zeros(len(measured), dtype=int) if groups is None else groups
    r = np.full((n_groups, measured.shape[1]), np.nan)
    n = np.zeros(r.shape, dtype=int)
    for group in range(n_groups):
        rows = groups == group
        p, y = predicted[rows], measured[rows]
        valid = ~(np.isnan(p) | np.isnan(y))
        n[group] = valid.sum(axis=0)
        p, p_varies = _centred(p, valid, n[group])
        y, y_varies = _centred(y, valid, n[group])
        varies = p_varies & y_varies
        norms = np.sqrt((p[:, varies] ** 2).sum(axis=0) * (y[:, varies] ** 2).sum(axis=0))
        r[group, varies] = (p[:, varies] * y[:, varies]).sum(axis=0) / norms
    return r, n


def _centred(values, valid, n):
    """Values minus their mean (zero where not valid), and which columns vary beyond rounding."""
    mean = np.where(valid, values, 0.0).sum(axis=0) / np.maximum(n, 1)
    values = np.where(valid, values - mean, 0.0)
    return values, (n > 1) & (np.abs(values).max(axis=0, initial=0.0) > 1e-12 * np.abs(mean))
