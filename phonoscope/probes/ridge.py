"""Ridge regression from moments, its penalty chosen by nested leave-one-out over units.

Features are scaled to unit variance on the training frames, and the penalty ``alpha`` counts per
frame: the estimator is scikit-learn's ``make_pipeline(StandardScaler(), Ridge(alpha * n_frames))``.
One eigendecomposition of the correlation matrix gives the weights for every alpha.
"""

from itertools import combinations

import numpy as np
from scipy import linalg

from phonoscope.probes.least_squares import Fit, fit, varying
from phonoscope.probes.moments import add, leave_one_out

ALPHAS = tuple(10.0**power for power in range(-6, 2))


def ridge_path(moment, shift, alphas):
    """Ridge weights for every penalty.

    Parameters
    ----------
    moment : Moments
    shift : array of shape (n_features,)
    alphas : sequence of float
        Penalties per frame, on features of unit variance.

    Returns
    -------
    list of Fit, one per alpha
    """
    mean, xx, xy = moment.centred()
    scale = np.sqrt(np.maximum(np.diag(xx), 0) / moment.n)
    keep = varying(scale, shift + mean[: len(xx)])
    whiten = np.divide(1.0, scale, out=np.zeros_like(scale), where=keep)
    correlation = xx * (whiten / moment.n)
    correlation *= whiten[:, None]
    # The divide-and-conquer driver is three times faster than the default at d = 1024.
    eigenvalues, vectors = linalg.eigh(correlation, driver="evd", overwrite_a=True, check_finite=False)
    projected = vectors.T @ (xy * (whiten / moment.n)[:, None])
    path = []
    for alpha in alphas:
        shrunk = projected / (np.maximum(eigenvalues, 0) + alpha)[:, None]
        path.append(fit(whiten[:, None] * (vectors @ shrunk), mean, shift, moment.n))
    return path


def squared_error(moment, shift, candidate):
    """Sum of squared errors of a fit on the frames that ``moment`` describes, per target.

    Returns
    -------
    array of shape (n_targets,)
    """
    d = moment.n_features
    w = candidate.weights
    bias = candidate.intercept + shift @ w
    xx, xy = moment.product[:d, :d], moment.product[:d, d:]
    sx, sy = moment.total[:d], moment.total[d:]
    explained = ((xx @ w) * w).sum(axis=0) - 2 * (w * xy).sum(axis=0) + 2 * bias * (sx @ w - sy)
    return np.diag(moment.product)[d:] + explained + moment.n * bias**2


def ridge(units, shift, alphas=ALPHAS):
    """Ridge with alpha chosen for every target by leaving out each training unit in turn.

    Parameters
    ----------
    units : list of Moments
        Training units (speakers, or blocks of utterances), None where a unit has no frames.
    shift : array of shape (n_features,)
    alphas : sequence of float

    Returns
    -------
    Fit
        With ``alpha=…`` in the notes. With a single unit there is nothing to choose by: the
        middle alpha is taken and the note says so.
    """
    units = [unit for unit in units if unit is not None]
    error = None
    if len(units) > 1:
        error = sum(
            _path_errors(ridge_path(rest, shift, alphas), shift, left_out)
            for left_out, rest in zip(units, leave_one_out(units), strict=True)
        )
    return _chosen(ridge_path(add(units), shift, alphas), error, alphas)


def ridge_leave_one_out(units, shift, alphas=ALPHAS):
    """For each unit, the ridge fitted on all others, its alpha chosen by leaving out each of those.

    Equal to ``ridge`` on the other units, at half its cost: the fit without units i and j serves to
    choose alpha in the fold of i (tested on j) and in the fold of j (tested on i).

    Returns
    -------
    list of Fit
        One per unit; None where it or all others have no frames.
    """
    present = [index for index, unit in enumerate(units) if unit is not None]
    rest = dict(zip(present, leave_one_out([units[i] for i in present]), strict=True))
    errors = dict.fromkeys(present)
    if len(present) > 2:
        for i, j in combinations(present, 2):
            path = ridge_path(rest[i] - units[j], shift, alphas)
            for fold, tested in ((i, j), (j, i)):
                found = _path_errors(path, shift, units[tested])
                errors[fold] = found if errors[fold] is None else errors[fold] + found
    fits = [None] * len(units)
    for index in present:
        if rest[index] is not None:
            fits[index] = _chosen(ridge_path(rest[index], shift, alphas), errors[index], alphas)
    return fits


def _path_errors(path, shift, moment):
    """Squared error of each fit of a path, array of shape (n_alphas, n_targets)."""
    return np.array([squared_error(moment, shift, candidate) for candidate in path])


def _chosen(path, error, alphas):
    """The fit of the path with the least error for every target; the middle one without errors."""
    targets = np.arange(path[0].weights.shape[1])
    if error is None:
        best, remark = np.full(len(targets), len(alphas) // 2), " (not chosen: one training unit)"
    else:
        best, remark = np.argmin(error, axis=0), ""
    weights = np.stack([candidate.weights for candidate in path])[best, :, targets].T
    intercept = np.stack([candidate.intercept for candidate in path])[best, targets]
    return Fit(weights, intercept, path[0].n, tuple(f"alpha={alphas[i]:g}{remark}" for i in best))
