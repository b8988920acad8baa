"""From cells to fits: groups targets by where they are valid, and turns to the frames where it must."""

from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from phonoscope.probes import moments
from phonoscope.probes.least_squares import Fit, IllConditioned, ols, ols_dual, ols_triangle, triangle
from phonoscope.probes.ridge import ALPHAS, ridge, ridge_leave_one_out

INNER_FOLDS = 4


@dataclass(frozen=True)
class Probe:
    """Which estimator: ``name`` is ols or ridge, ``alphas`` are ridge penalties per training frame."""

    name: str
    alphas: tuple = ALPHAS


def assemble(n_targets, n_features, pieces):
    """One fit for all targets from fits of some; the weights of targets that none covers are NaN.

    Parameters
    ----------
    n_targets, n_features : int
    pieces : list of (targets, Fit)

    Returns
    -------
    Fit
        Its ``n`` is an array of shape (n_targets,).
    """
    weights, intercept = np.full((n_features, n_targets), np.nan), np.full(n_targets, np.nan)
    n, note = np.zeros(n_targets, dtype=int), ["no valid training frames"] * n_targets
    for targets, piece in pieces:
        weights[:, targets], intercept[targets], n[targets] = piece.weights, piece.intercept, piece.n
        for position, target in enumerate(targets):
            note[target] = piece.note[position]
    return Fit(weights, intercept, n, tuple(note))


def labels(step, block, n_steps, probes):
    """Cell of each frame for growing training sets, as :func:`fit_steps` wants them.

    Parameters
    ----------
    step : integer array of shape (n_frames,)
        designs.steps: negative for test frames, which get a cell of their own, the last.
    block : integer array of shape (n_frames,)
        Block of each training frame (designs.split_utterances): ridge chooses alpha by leaving out
        fourths of the blocks, so that frames of one utterance stay together.
    n_steps : int
    probes : list of Probe

    Returns
    -------
    integer array of shape (n_frames,)
    """
    folds = _folds(probes)
    return np.where(step < 0, n_steps * folds, step * folds + block % folds)


def fit_steps(found, x, y, step, n_steps, shift, probes):
    """Fit on growing training sets of one speaker: the frames of step 0, of steps 0–1, and so on.

    Parameters
    ----------
    found : dict of Cell
        moments.cells of these frames, by :func:`labels`.
    x : array of shape (n_frames, n_features)
    y : array of shape (n_frames, n_targets)
        NaN where not valid.
    step, n_steps, shift, probes
        As for :func:`labels` and moments.cells.

    Returns
    -------
    dict
        probe name -> list of Fit, one per step
    """
    n_targets, folds = y.shape[1], _folds(probes)
    keys = [key for key in sorted(found) if key < n_steps * folds]
    pieces = {probe.name: [[] for _ in range(n_steps)] for probe in probes}
    for targets, units in moments.target_groups([found[key] for key in keys], n_targets):
        by_key = dict(zip(keys, units, strict=True))
        sums = [
            list(accumulate((by_key.get(s * folds + fold) for s in range(n_steps)), moments.plus))
            for fold in range(folds)
        ]
        valid = ~np.isnan(y[:, targets[0]])
        for s in range(n_steps):
            units = [row[s] for row in sums if row[s] is not None]
            if not units:
                continue
            rows = np.flatnonzero(valid & (step >= 0) & (step <= s))
            for probe in probes:
                fit = (
                    ridge(units, shift, probe.alphas)
                    if probe.name == "ridge"
                    else _ols_or_frames(moments.add(units), shift, x, y[:, targets], rows)
                )
                pieces[probe.name][s].append((targets, fit))
    return {name: [assemble(n_targets, x.shape[1], p) for p in steps] for name, steps in pieces.items()}


def _folds(probes):
    return INNER_FOLDS if any(probe.name == "ridge" for probe in probes) else 1


def _ols_or_frames(moment, shift, x, y, rows):
    try:
        return ols(moment, shift)
    except IllConditioned:
        if len(rows) - 1 < x.shape[1]:
            return ols_dual(x[rows], y[rows], shift)
        return ols_triangle(triangle(x, y, shift, rows), shift)


def fit_leave_one_out(units, n_targets, shift, probe, triangles):
    """For each unit, the probe fitted on all the others.

    Parameters
    ----------
    units : list of Cell
        Speakers, or utterances.
    n_targets : int
    shift : array of shape (n_features,)
    probe : Probe
    triangles : callable
        ``triangles(targets)`` gives the list over units of their Triangle (None without frames); called
        only if the moments are ill-conditioned.

    Returns
    -------
    list of Fit, one per unit
        NaN for targets that the unit itself has no frame of, since nothing could test them.
    """
    pieces = [[] for _ in units]
    for targets, parts in moments.target_groups(units, n_targets):
        if probe.name == "ridge":
            fits = ridge_leave_one_out(parts, shift, probe.alphas)
        else:
            fits = _ols_leave_one_out(parts, shift, lambda targets=targets: triangles(targets))
        for piece, fit in zip(pieces, fits, strict=True):
            if fit is not None:
                piece.append((targets, fit))
    return [assemble(n_targets, len(shift), piece) for piece in pieces]


def _ols_leave_one_out(parts, shift, triangles):
    fits, ill = [None] * len(parts), []
    for index, rest in enumerate(moments.leave_one_out(parts)):
        if rest is None or parts[index] is None:
            continue
        try:
            fits[index] = ols(rest, shift)
        except IllConditioned:
            ill.append(index)
    if ill:
        for index, rest in enumerate(moments.leave_one_out(triangles())):
            if index in ill:
                fits[index] = ols_triangle(rest, shift)
    return fits
