"""Ordinary least squares from moments, and from the frames where moments are not good enough.

The estimator is that of scikit-learn >= 1.7, ``LinearRegression()`` on float64 features: features
and targets are centred, and singular values of the centred features below ``TOLERANCE`` times the
largest count as zero (its ``tol``, handed to ``scipy.linalg.lstsq`` as ``cond``), which gives the
solution of least norm. As long as nothing is cut, the normal equations have the same solution and
Cholesky finds it; XᵀX squares the condition number, so beyond ``MAX_CONDITION`` the fit is redone on
the frames: from their triangular factor, which adds up over cells as moments do.
"""

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from phonoscope.probes.moments import BLOCK_FRAMES, stacked

TOLERANCE = 1e-6
MAX_CONDITION = 1e10
# A dimension whose standard deviation is below this share of its offset does not vary: float32
# cannot even represent such a change.
CONSTANT = 1e-9


class IllConditioned(ArithmeticError):
    """The normal equations would not give the least-squares solution; use the frames."""


@dataclass(frozen=True)
class Fit:
    """A linear map from features to targets.

    Attributes
    ----------
    weights : array of shape (n_features, n_targets)
    intercept : array of shape (n_targets,)
        Prediction is ``x @ weights + intercept`` for unshifted features.
    n : int
        Training frames.
    note : tuple of str, one per target
        How the fit was found, where that is not the ordinary way.
    """

    weights: np.ndarray
    intercept: np.ndarray
    n: int
    note: tuple

    def predict(self, x):
        """Predictions in float64 for frames ``x`` of shape (n_frames, n_features)."""
        return predict([self], x)[0]


def predict(fits, x):
    """Predictions of several fits for the same frames, which are widened to float64 only once.

    Parameters
    ----------
    fits : list of Fit
    x : array of shape (n_frames, n_features)

    Returns
    -------
    list of float64 array of shape (n_frames, n_targets), one per fit
    """
    weights = np.hstack([fit.weights for fit in fits])
    out = np.empty((len(x), weights.shape[1]))
    wide = np.empty((min(BLOCK_FRAMES, len(x)), x.shape[1]))
    for start in range(0, len(x), BLOCK_FRAMES):
        rows = slice(start, start + BLOCK_FRAMES)
        block = wide[: len(x[rows])]
        block[...] = x[rows]
        np.matmul(block, weights, out=out[rows])
    out += np.hstack([fit.intercept for fit in fits])
    return np.split(out, np.cumsum([fit.weights.shape[1] for fit in fits])[:-1], axis=1)


def fit(weights, mean, shift, n, note=""):
    """A :class:`Fit` from weights for centred features and the mean of (x - shift, y)."""
    d = len(weights)
    intercept = mean[d:] - (shift + mean[:d]) @ weights
    return Fit(weights, intercept, n, (note,) * weights.shape[1])


def varying(scale, shift):
    """Which dimensions vary, from their standard deviations and offsets, both of shape (n_features,)."""
    return scale > CONSTANT * np.maximum(np.abs(shift), np.finfo(float).tiny)


def ols(moment, shift):
    """Least squares from moments.

    Parameters
    ----------
    moment : Moments
    shift : array of shape (n_features,)

    Returns
    -------
    Fit

    Raises
    ------
    IllConditioned
        With fewer frames than varying dimensions, or where the condition number exceeds 1e10 after
        scaling to unit variance, or where singular values would be cut.
    """
    mean, xx, xy = moment.centred()
    keep = varying(np.sqrt(np.maximum(np.diag(xx), 0) / moment.n), shift + mean[: len(xx)])
    if moment.n - 1 < keep.sum():
        raise IllConditioned("fewer frames than dimensions")
    weights = np.zeros(xy.shape)
    if keep.any():
        weights[keep] = _solve(xx, xy) if keep.all() else _solve(xx[np.ix_(keep, keep)], xy[keep])
    return fit(weights, mean, shift, moment.n)


def _solve(xx, xy):
    """Solve the normal equations by Cholesky on features scaled to unit norm; overwrites ``xx``."""
    scale = np.sqrt(np.diag(xx))
    norm = _norm(xx)
    xx /= scale
    xx /= scale[:, None]
    correlation_norm = _norm(xx)
    try:
        factor = _cholesky(xx)
    except linalg.LinAlgError as error:
        raise IllConditioned("not positive definite") from error
    if _condition(factor, correlation_norm) > MAX_CONDITION:
        raise IllConditioned(f"condition number above {MAX_CONDITION:.0e}")
    # Scaling mends one large dimension (a "massive activation") for Cholesky, but LinearRegression
    # does not scale and may cut small singular values: only then are the frames needed.
    unscaled = scale[:, None] * factor
    if _condition(unscaled, norm) > MAX_CONDITION:
        unscaled = np.tril(unscaled)
        eigenvalues = linalg.eigvalsh(unscaled @ unscaled.T, check_finite=False)
        if eigenvalues[0] < 4 * TOLERANCE**2 * eigenvalues[-1]:
            raise IllConditioned("singular values would be cut")
    solution = linalg.cho_solve((factor, True), xy / scale[:, None], check_finite=False)
    return solution / scale[:, None]


def _cholesky(symmetric):
    """Lower Cholesky factor, in place of ``symmetric``: its transpose is what LAPACK works on uncopied."""
    return linalg.cho_factor(symmetric.T, lower=True, overwrite_a=True, check_finite=False)[0]


def _norm(symmetric):
    """1-norm of a symmetric matrix."""
    return linalg.lapack.dlange("1", symmetric.T)


def _condition(factor, norm):
    """LAPACK's estimate of the 1-norm condition number, from a lower Cholesky factor and the norm."""
    reciprocal, _ = linalg.lapack.dpocon(factor, norm, uplo="L")
    return np.inf if reciprocal == 0 else 1 / reciprocal


@dataclass(frozen=True)
class Triangle:
    """Triangular factor R of the frames [1, x - shift, y] = Q R. Triangles add like moments.

    Eliminating the column of ones is centring, so the lower rows of R are those of the centred
    frames, and the singular values of its block of features are theirs.
    """

    n: int
    factor: np.ndarray
    n_features: int

    def __add__(self, other):
        rows = np.vstack([self.factor, other.factor])
        return Triangle(self.n + other.n, np.linalg.qr(rows, mode="r"), self.n_features)


def triangle(x, y, shift, rows):
    """The :class:`Triangle` of frames ``rows`` of x (n_frames, n_features), y (n_frames, n_targets)."""
    d, k = x.shape[1], y.shape[1]
    factor = np.zeros((0, 1 + d + k))
    for start in range(0, len(rows), BLOCK_FRAMES):
        picked = rows[start : start + BLOCK_FRAMES]
        block = np.ones((len(picked), 1 + d + k))
        stacked(x, y, shift, picked, block[:, 1:])
        factor = np.linalg.qr(np.vstack([factor, block]), mode="r")
    return Triangle(len(rows), factor, d)


def ols_triangle(triangle, shift):
    """Least squares as ``LinearRegression`` would on the frames, from their triangular factor."""
    d, factor = triangle.n_features, triangle.factor
    ones = factor[0, 0]
    mean = factor[0, 1:] / ones
    centred = factor[1:, 1:]
    weights = linalg.lstsq(centred[:, :d], centred[:, d:], cond=TOLERANCE, check_finite=False)[0]
    return fit(weights, mean, shift, triangle.n, "lstsq on frames")


def ols_dual(x, y, shift):
    """Least squares of least norm for fewer frames than dimensions.

    The weights are Xᵀa with XXᵀa = y on centred frames. XXᵀ has the vector of ones in its null space;
    adding its projector makes it positive definite without changing a, which is orthogonal to it.

    Parameters
    ----------
    x : array of shape (n_frames, n_features)
    y : array of shape (n_frames, n_targets), no NaN
    shift : array of shape (n_features,)

    Returns
    -------
    Fit
    """
    z = np.subtract(x, shift, dtype=np.float64)
    mean = np.r_[z.mean(axis=0), y.mean(axis=0)]
    z -= mean[: z.shape[1]]
    target = y - mean[z.shape[1] :]
    kernel = z @ z.T
    kernel += np.trace(kernel) / max(len(z) - 1, 1) / len(z)
    note = "least norm: fewer frames than dimensions"
    try:
        norm = _norm(kernel)
        factor = _cholesky(kernel)
        if _condition(factor, norm) > MAX_CONDITION:
            raise linalg.LinAlgError
        weights = z.T @ linalg.cho_solve((factor, True), target, check_finite=False)
    except linalg.LinAlgError:
        weights = linalg.lstsq(z, target, cond=TOLERANCE, check_finite=False)[0]
        note += "; lstsq on frames"
    return fit(weights, mean, shift, len(z), note)
