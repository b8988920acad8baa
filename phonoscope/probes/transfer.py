"""Probes on frames that they were not fitted on, from moments: r and all that a map of the predictions needs.

With G, C the products of a test cell's features with themselves and with its targets, the predictions p = Wᵀx
of a probe W have Cov(p) = WᵀGW and Cov(p, y) = WᵀC. One product G [W₁ W₂ …] applies many probes to a cell.
"""

from dataclasses import dataclass

import numpy as np

from phonoscope.probes import moments
from phonoscope.probes.fitting import assemble
from phonoscope.probes.least_squares import IllConditioned, ols, ols_triangle
from phonoscope.probes.ridge import ridge

# Where weights are large and cancel, WᵀGW loses digits: predictions whose variance could be off by more than
# this share of itself are made on the frames instead.
DOUBT = 1e-8
# A variance below this share of the raw sum of squares is rounding.
_FLAT = 1e-13


@dataclass(frozen=True)
class Joint:
    """Sums over frames of the predictions p of some fits and of the targets y, kept apart for every target.

    Predictions and targets come in versions: the first is the EMA, the others are its shifted controls.
    Version v of the predictions meets version v of the targets only. k is the number of channels. Sums over
    the frames in which target c is valid stand at place c.

    Attributes
    ----------
    n : array of shape (1, n_versions, k)
    p : array of shape (n_fits, n_versions, k, k)
        Sum of each prediction (last axis) over the frames of each target.
    pp : array of shape (n_fits, n_versions, k, k, k)
        Sum of products of predictions over the frames of each target (third axis).
    py : array of shape (n_fits, n_versions, k, k)
        Sum of products of each prediction (last axis) with each target.
    y, yy : arrays of shape (1, n_versions, k)
        Sums of each target and of its square.
    bulk : array of shape (n_fits, n_versions, k)
        Upper bound of what was added up to give ``pp``; 0 for sums over frames.
    """

    n: np.ndarray
    p: np.ndarray
    pp: np.ndarray
    py: np.ndarray
    y: np.ndarray
    yy: np.ndarray
    bulk: np.ndarray

    def __add__(self, other):
        return Joint(*(a + b for a, b in zip(self._parts(), other._parts(), strict=True)))

    def _parts(self):
        return self.n, self.p, self.pp, self.py, self.y, self.yy, self.bulk

    def of(self, fits):
        """The same sums of only some fits (integer indices)."""
        n, y, yy = self.n, self.y, self.yy
        return Joint(n, self.p[fits], self.pp[fits], self.py[fits], y, yy, self.bulk[fits])

    def replaced(self, fits, other):
        """The same sums with those of the fits ``fits`` (integer indices) taken from ``other``."""
        parts = [part.copy() for part in self._parts()]
        for mine, theirs in zip(parts, other._parts(), strict=True):
            if len(mine) == len(self.p):
                mine[fits] = theirs
        return Joint(*parts)

    def centred(self):
        """Covariances times n: of predictions, of predictions with the target, and variances of targets.

        Returns
        -------
        pp : array of shape (n_fits, n_versions, k, k, k)
        py : array of shape (n_fits, n_versions, k, k)
        yy : array of shape (1, n_versions, k)
        """
        n = np.maximum(self.n, 1)
        pp = self.pp - self.p[..., :, None] * self.p[..., None, :] / n[..., None, None]
        py = self.py - self.p * (self.y / n)[..., None]
        return pp, py, np.maximum(self.yy - self.y**2 / n, 0.0)

    def doubtful(self):
        """Which fits should be applied to the frames instead: boolean array of shape (n_fits,)."""
        own = np.diagonal(self.centred()[0], axis1=-2, axis2=-1).max(axis=2)
        used = self.bulk > 0
        return (used & (np.finfo(float).eps * self.bulk > DOUBT * own)).any(axis=(1, 2))


def pearson(joint, weights=None):
    """Pearson r of every target with its prediction, or with a weighted sum of all predictions.

    Parameters
    ----------
    joint : Joint
    weights : array of shape (n_fits, n_versions, k, k), optional
        ``weights[..., c, :]`` are the weights of the predictions for target c (phonoscope.probes.affine); by
        default each channel is predicted by itself. NaN where a target cannot be predicted.

    Returns
    -------
    r : array of shape (n_fits, n_versions, k)
        NaN where fewer than two frames are valid, or where prediction or target has no variance.
    """
    pp, py, yy = joint.centred()
    if weights is None:
        weights = np.eye(pp.shape[-1])
    weights = np.broadcast_to(weights, py.shape)
    covariance = (weights * py).sum(axis=-1)
    own = (weights * (pp @ weights[..., None])[..., 0]).sum(axis=-1)
    raw = (weights * (joint.pp @ weights[..., None])[..., 0]).sum(axis=-1)
    varies = (own > _FLAT * np.abs(raw)) & (yy > _FLAT * joint.yy) & (joint.n > 1) & (own > 0) & (yy > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(varies, covariance / np.sqrt(own * yy), np.nan)


class Stack:
    """Fits side by side, so that one product applies them all.

    Parameters
    ----------
    fits : list of Fit
        Each with ``n_versions * k`` targets; those that a fit does not cover are NaN and predict a constant.
    shift : array of shape (n_features,)
        Pilot mean of the moments.
    n_versions : int
    """

    def __init__(self, fits, shift, n_versions):
        weights = np.stack([fit.weights.T for fit in fits])
        self.shape = len(fits), n_versions, weights.shape[1] // n_versions
        offset = np.stack([fit.intercept for fit in fits])
        known = np.isfinite(offset)
        # (n_fits, n_versions, k, n_features)
        self.weights = np.where(known[..., None], weights, 0.0).reshape(*self.shape, -1)
        offset = np.where(known, offset + np.where(known[..., None], weights, 0.0) @ shift, 0.0)
        self.offset = offset.reshape(self.shape)
        self.known = known.reshape(self.shape)
        self.shift = shift

    def on_cell(self, cell):
        """The :class:`Joint` of a Cell from its moments."""
        found = _zeros(self.shape)
        flat = self.weights.reshape(-1, self.weights.shape[-1])
        (fits, versions, k), d = self.shape, flat.shape[1]
        for valid, moment in cell.parts.items():
            g, c = moment.product[:d, :d], moment.product[:d, d:].reshape(d, versions, k)
            sy = moment.total[d:].reshape(versions, k)
            yy = np.diag(moment.product)[d:].reshape(versions, k)
            applied = (flat @ g).reshape(fits * versions, k, d)
            pp = applied @ self.weights.reshape(fits * versions, k, d).transpose(0, 2, 1)
            pp = pp.reshape(fits, versions, k, k)
            py = self.weights @ c.transpose(1, 0, 2)
            bulk = (np.abs(flat) @ np.sqrt(np.maximum(np.diag(g), 0))).reshape(self.shape) ** 2
            p = (flat @ moment.total[:d]).reshape(self.shape)
            o, n = self.offset, moment.n
            pp = pp + p[..., None] * o[..., None, :] + o[..., None] * (p + n * o)[..., None, :]
            py = py + o[..., None] * sy[:, None, :]
            sums = n, p + n * o, pp, py, sy, yy, bulk
            _add(found, np.array(valid).reshape(versions, k), sums)
        return Joint(*found)

    def on_frames(self, x, y, fits=None):
        """The :class:`Joint` of frames; as :meth:`on_cell`, where moments are not good enough.

        Parameters
        ----------
        x : array of shape (n_frames, n_features)
        y : array of shape (n_frames, n_versions * k)
            NaN where not valid.
        fits : integer array, optional
            Only these fits.
        """
        fits = slice(None) if fits is None else np.asarray(fits)
        z = np.subtract(x, self.shift, dtype=np.float64)
        predicted = np.einsum("nd,fvkd->fvnk", z, self.weights[fits], optimize=True)
        predicted += self.offset[fits][:, :, None, :]
        return on_predictions(predicted, y.reshape(len(y), *self.shape[1:]))


def on_predictions(predicted, y):
    """The :class:`Joint` of predictions that are at hand.

    Parameters
    ----------
    predicted : array of shape (n_fits, n_versions, n_frames, k)
    y : array of shape (n_frames, n_versions, k)
        NaN where not valid.
    """
    found = _zeros((*predicted.shape[:2], y.shape[2]))
    for v, c in np.ndindex(y.shape[1:]):
        rows = np.flatnonzero(~np.isnan(y[:, v, c]))
        p, one = predicted[:, v, rows], y[rows, v, c]
        found[0][0, v, c], found[4][0, v, c], found[5][0, v, c] = len(rows), one.sum(), one @ one
        found[1][:, v, c] = p.sum(axis=1)
        found[2][:, v, c] = p.transpose(0, 2, 1) @ p
        found[3][:, v, c] = one @ p
    return Joint(*found)


def _zeros(shape):
    """The arrays of a Joint of (n_fits, n_versions, k), all zero."""
    fits, versions, k = shape
    per_target = np.zeros((1, versions, k))
    predictions = np.zeros((fits, versions, k, k))
    return [
        *(per_target.copy(), predictions.copy(), np.zeros((fits, versions, k, k, k)), predictions.copy()),
        *(per_target.copy(), per_target.copy(), np.zeros(shape)),
    ]


def _add(found, valid, sums):
    """Add one part's sums to the targets that are valid in it."""
    n, p, pp, py, sy, yy, bulk = sums
    found[0] += valid * n
    found[1] += valid[..., None] * p[:, :, None, :]
    found[2] += valid[..., None, None] * pp[:, :, None]
    found[3] += valid[..., None] * py.transpose(0, 1, 3, 2)
    found[4] += valid * sy
    found[5] += valid * yy
    found[6] += bulk


def fit_together(units, n_targets, shift, probe, triangles):
    """The probe fitted on all units.

    Parameters
    ----------
    units : list of Cell
        Ridge chooses its penalty by leaving out each in turn.
    n_targets : int
    shift : array of shape (n_features,)
    probe : phonoscope.probes.fitting.Probe
    triangles : callable
        ``triangles(targets)`` gives the list over units of their Triangle (None without frames); called only
        where the moments are ill-conditioned.

    Returns
    -------
    Fit
        NaN for targets that no unit has.
    """
    pieces = []
    for targets, parts in moments.target_groups(units, n_targets):
        parts = [part for part in parts if part is not None]
        if probe.name == "ridge":
            fit = ridge(parts, shift, probe.alphas)
        else:
            try:
                fit = ols(moments.add(parts), shift)
            except IllConditioned:
                present = [part for part in triangles(targets) if part is not None]
                fit = ols_triangle(moments.add(present), shift)
        pieces.append((targets, fit))
    return assemble(n_targets, len(shift), pieces)
