"""Variance explained by two blocks of features, each alone and both together, from one Gram matrix.

The features of a frame are stacked: a layer's hidden states, phone identity (one-hot), and phone identity
of shuffled phones as a control. The normal equations of any choice of blocks are a sub-block of those of the
stack, so that one pass over the frames serves all of them.

Both blocks together are fitted by ridge with a penalty of its own for each block (banded ridge): a
penalty that suits a thousand hidden units would otherwise be forced on a hundred one-hots. A penalty of
infinity leaves the block out, so that "both" has each block alone among its candidates and is not worse
for having more dimensions, as far as the training units can tell. With R the correlations of the features,
LLᵀ = R(layer, layer) + αI and V = L⁻¹R(layer, phones), the phones' weights for the penalties (α, β) solve
their Schur complement, (R(phones, phones) + βI − VᵀV) w = r(phones) − VᵀL⁻¹r(layer): the layer's block,
the large one, is factorised once for all penalties of the phones.

References
----------
Nunez-Elizalde, Huth & Gallant (2019), NeuroImage 197 (banded ridge); Borcard, Legendre & Drapeau (1992),
Ecology 73(3) (unique and shared parts of the variance).
"""

from dataclasses import dataclass
from itertools import combinations, groupby

import numpy as np
from scipy import linalg

from phonoscope.probes.least_squares import varying
from phonoscope.probes.moments import add, leave_one_out

OUT = np.inf
# Smaller penalties per dimension would be lost in the rounding of the correlations.
LEAST = 1e-14
# Units are left out in so many groups when penalties are chosen.
GROUPS = 4
PHONES, SHUFFLED = "phones", "shuffled"


@dataclass(frozen=True)
class Blocks:
    """Where the blocks stand among the stacked features: layer, phones, shuffled phones."""

    n_layer: int
    n_phones: int

    @property
    def layer(self):
        return slice(0, self.n_layer)

    def phones(self, kind):
        """Columns of the real (``PHONES``) or the shuffled phones (``SHUFFLED``)."""
        start = self.n_layer + (kind == SHUFFLED) * self.n_phones
        return slice(start, start + self.n_phones)

    @property
    def n_features(self):
        return self.n_layer + 2 * self.n_phones


@dataclass(frozen=True)
class Grid:
    """Penalties per frame, on features of unit variance, that are tried for each block."""

    layer: tuple
    phones: tuple

    @property
    def pairs(self):
        """(layer's, phones') penalties, ``OUT`` for a block that is left out; both out predicts the mean."""
        return [(a, b) for a in (*self.layer, OUT) for b in (*self.phones, OUT)]

    def of(self, part):
        """Which of :attr:`pairs` may be chosen for a part: layer, phones or both; a boolean array."""
        a, b = np.isfinite(self.pairs).T
        return {"layer": ~b, "phones": ~a, "both": a | True}[part]

    def middle(self, part):
        """What is taken where there is nothing to choose by."""
        a, b = (values[len(values) // 2] for values in (self.layer, self.phones))
        wanted = {"layer": (a, OUT), "phones": (OUT, b), "both": (a, b)}[part]
        return self.pairs.index(wanted)


# What is fitted, and with which phones.
PARTS = {
    "phones": ("phones", PHONES),
    "layer": ("layer", PHONES),
    "both": ("both", PHONES),
    "phones_shuffled": ("phones", SHUFFLED),
    "both_shuffled": ("both", SHUFFLED),
}


class Banded:
    """Banded ridge on the frames of ``moment``, for all pairs of penalties.

    Parameters
    ----------
    moment : Moments
        Of stacked features.
    shift : array of shape (n_features,)
        Pilot mean that the moments are relative to.
    blocks : Blocks
    """

    def __init__(self, moment, shift, blocks):
        mean, xx, xy = moment.centred()
        self.n, self.blocks, self.n_targets = moment.n, blocks, xy.shape[1]
        scale = np.sqrt(np.maximum(np.diag(xx), 0) / moment.n)
        keep = varying(scale, shift + mean[: len(xx)])
        self.whiten = np.divide(1.0, scale, out=np.zeros_like(scale), where=keep)
        xx *= self.whiten / moment.n
        xx *= self.whiten[:, None]
        xy *= (self.whiten / moment.n)[:, None]
        self.correlation, self.met = xx, xy
        self.factored = {}

    def _layer(self, alpha):
        """Cholesky factor L of the layer's block with its penalty; L⁻¹ times all that stands beside it."""
        if alpha not in self.factored:
            at = self.blocks.layer
            gram = self.correlation[at, at].copy()
            gram[np.diag_indices(len(gram))] += max(alpha, LEAST * len(gram))
            factor = linalg.cholesky(gram.T, lower=True, overwrite_a=True, check_finite=False)
            beside = np.hstack([self.correlation[at, self.blocks.n_layer :], self.met[at]])
            solved = linalg.solve_triangular(factor, beside, lower=True, overwrite_b=True, check_finite=False)
            self.factored[alpha] = factor, solved[:, : -self.n_targets], solved[:, -self.n_targets :]
        return self.factored[alpha]

    def weights(self, pairs, kind, targets=slice(None)):
        """Weights for centred features, for several pairs of penalties.

        Parameters
        ----------
        pairs : list of (float, float)
            Those of one of the layer's penalties stand together.
        kind : {"phones", "shuffled"}
            Which phones stand beside the layer.
        targets : index, optional
            Which targets; all by default.

        Returns
        -------
        array of shape (n_features, n_pairs, n_targets)
            Zero for blocks that have no part in it.
        """
        at = self.blocks.phones(kind)
        k = self.met[:1, targets].shape[1]
        out = np.zeros((self.blocks.n_features, len(pairs), k))
        for alpha, beside in groupby(enumerate(pairs), key=lambda item: item[1][0]):
            where, betas = zip(*((index, beta) for index, (_, beta) in beside), strict=True)
            rows = slice(where[0], where[-1] + 1)
            gram, right = self.correlation[at, at], self.met[at, targets]
            if alpha != OUT:
                factor, cross, met = self._layer(alpha)
                cross = cross[:, at.start - self.blocks.n_layer : at.stop - self.blocks.n_layer]
                met = met[:, targets]
                gram, right = gram - cross.T @ cross, right - cross.T @ met
            phones = np.stack([_solve(gram, right, beta) for beta in betas], axis=1)
            out[at, rows] = phones
            if alpha != OUT:
                left = np.repeat(met[:, None], len(betas), axis=1) - np.tensordot(cross, phones, 1)
                flat = left.reshape(len(left), -1)
                solved = linalg.solve_triangular(factor, flat, lower=True, trans="T", check_finite=False)
                out[self.blocks.layer, rows] = solved.reshape(left.shape)
        out *= self.whiten[:, None, None]
        return out


def _solve(gram, right, penalty):
    """Weights of the phones, zero where they are left out."""
    if penalty == OUT:
        return np.zeros_like(right)
    ridged = gram + max(penalty, LEAST * len(gram)) * np.eye(len(gram))
    return linalg.cho_solve(linalg.cho_factor(ridged, lower=True), right, check_finite=False)


def residual(moment, weights):
    """Sum of squared residuals after the mean of the frames is taken from targets and predictions.

    Parameters
    ----------
    moment : Moments
        Of the frames to test.
    weights : array of shape (n_features, ..., n_targets)

    Returns
    -------
    array of shape (..., n_targets)
    """
    used = np.flatnonzero(np.any(weights, axis=tuple(range(1, weights.ndim))))
    _, xx, xy = moment.centred()
    flat = weights[used].reshape(len(used), int(np.prod(weights.shape[1:])))
    explained = ((xx[np.ix_(used, used)] @ flat) * flat).sum(axis=0).reshape(weights.shape[1:])
    met = np.einsum("f...t,ft->...t", weights[used], xy[used])
    return variation(moment) + explained - 2 * met


def variation(moment):
    """Sum of squares of each target about its mean, array of shape (n_targets,)."""
    d = moment.n_features
    return np.diag(moment.product)[d:] - moment.total[d:] ** 2 / moment.n


def r_squared(moment, weights):
    """Share of the targets' variance that is explained, after the mean of the tested frames.

    ``1 − Σ(y − ŷ − mean(y − ŷ))² / Σ(y − mean(y))²``: below 0 where predicting the mean would be better.

    Returns
    -------
    array of shape (n_targets,)
        NaN where a target does not vary, or with fewer than two frames.
    """
    whole = variation(moment)
    scale = np.diag(moment.product)[moment.n_features :]
    varies = (moment.n > 1) & (whole > 1e-12 * scale)
    return np.where(varies, 1 - residual(moment, weights) / np.where(varies, whole, 1), np.nan)


@dataclass(frozen=True)
class Errors:
    """Squared residuals of the grid on units left out: ``kind`` -> array of shape (n_pairs, n_targets)."""

    of: dict

    def __add__(self, other):
        return Errors({kind: self.of[kind] + other.of[kind] for kind in self.of})


def _errors(train, tests, shift, blocks, grid):
    """:class:`Errors` of fits on ``train`` for each of the moments ``tests``."""
    banded = Banded(train, shift, blocks)
    weights = {kind: banded.weights(grid.pairs, kind) for kind in (PHONES, SHUFFLED)}
    return [Errors({kind: residual(test, each) for kind, each in weights.items()}) for test in tests]


def errors_within(units, shift, blocks, grid):
    """Errors summed over leaving each unit out of the others; None with fewer than two.

    Parameters
    ----------
    units : list of Moments
        Training units only.
    """
    found = None
    for unit, rest in zip(units, leave_one_out(units), strict=True):
        if rest is not None:
            (error,) = _errors(rest, [unit], shift, blocks, grid)
            found = error if found is None else found + error
    return found


def errors_without(units, shift, blocks, grid):
    """For each unit, :func:`errors_within` of all others, at half the cost.

    What is fitted without units i and j is tested on j where i is held out, and on i where j is.

    Returns
    -------
    list of Errors
        None for all where there are fewer than three units: nothing to choose by.
    """
    found = [None] * len(units)
    if len(units) < 3:
        return found
    for i, j in combinations(range(len(units)), 2):
        rest = add([unit for at, unit in enumerate(units) if at not in (i, j)])
        errors = _errors(rest, [units[j], units[i]], shift, blocks, grid)
        for held_out, error in zip((i, j), errors, strict=True):
            found[held_out] = error if found[held_out] is None else found[held_out] + error
    return found


def grouped(units, n_groups=GROUPS):
    """Units added up in at most ``n_groups`` groups, in turn.

    Returns
    -------
    groups : list of Moments
    group : list of int
        Group of every unit.
    """
    n = min(n_groups, len(units))
    group = [index % n for index in range(len(units))]
    return [add(units[first::n]) for first in range(n)], group


def fit(train, errors, shift, blocks, grid):
    """Weights of every part on ``train``, the penalties chosen for each target by ``errors``.

    Parameters
    ----------
    train : Moments
    errors : Errors or None
        None takes the middle penalties.
    shift, blocks, grid
        As for :class:`Banded`.

    Returns
    -------
    weights : dict of str to array of shape (n_features, n_targets)
        For :data:`PARTS`.
    penalties : dict of str to list of (float, float)
        The layer's and the phones' penalty of each target.
    """
    banded = Banded(train, shift, blocks)
    targets = np.arange(banded.n_targets)
    weights, penalties = {}, {}
    for name, (part, kind) in PARTS.items():
        if errors is None:
            best = np.full(len(targets), grid.middle(part))
        else:
            allowed = np.where(grid.of(part)[:, None], errors.of[kind], np.inf)
            best = allowed.argmin(axis=0)
        weights[name] = np.zeros((blocks.n_features, len(targets)))
        for at in np.unique(best):
            chosen = np.flatnonzero(best == at)
            weights[name][:, chosen] = banded.weights([grid.pairs[at]], kind, chosen)[:, 0]
        penalties[name] = [grid.pairs[at] for at in best]
    return weights, penalties
