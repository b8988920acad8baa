"""Correlations over a handful of models: intervals, and whether one predictor goes with a score better."""

import numpy as np

from phonoscope.probes.inference import DRAWS, LEVEL


def pearson_rows(x, y):
    """Pearson correlation of each row of ``x`` with that of ``y``; NaN where either does not vary.

    Parameters
    ----------
    x, y : arrays of shape (..., n)

    Returns
    -------
    array of shape (...)
    """
    x, y = (each - each.mean(axis=-1, keepdims=True) for each in (np.asarray(x, float), np.asarray(y, float)))
    norms = np.sqrt((x**2).sum(axis=-1) * (y**2).sum(axis=-1))
    varies = (np.ptp(x, axis=-1) > 0) & (np.ptp(y, axis=-1) > 0) & (norms > 0)
    return np.where(varies, (x * y).sum(axis=-1) / np.where(varies, norms, 1), np.nan)


def spearman_rows(x, y):
    """As :func:`pearson_rows`, of ranks; equal values share the mean of theirs."""
    from scipy.stats import rankdata

    return pearson_rows(rankdata(x, axis=-1), rankdata(y, axis=-1))


KINDS = {"pearson": pearson_rows, "spearman": spearman_rows}


def bootstrap(kind, predictors, y, draws=DRAWS, level=LEVEL, seed=0):
    """Correlations of predictors with one score over models, with percentile bootstrap intervals.

    The models are drawn, with all their scores, so that differences between predictors are paired.

    Parameters
    ----------
    kind : {"pearson", "spearman"}
    predictors : array of shape (n_predictors, n_models)
    y : array of shape (n_models,)
    draws : int
    level : float
    seed : int

    Returns
    -------
    r : array of shape (n_predictors,)
    drawn : array of shape (n_draws, n_predictors)
        Of the resamples in which all correlations are defined: in some a single model is drawn n times.
    low, high : arrays of shape (n_predictors,)
        NaN with fewer than three models.
    """
    correlate = KINDS[kind]
    predictors, y = np.asarray(predictors, float), np.asarray(y, float)
    n = len(y)
    r = correlate(predictors, np.broadcast_to(y, predictors.shape))
    if n < 3:
        return r, np.empty((0, len(r))), *np.full((2, len(r)), np.nan)
    index = np.random.default_rng([seed, n]).integers(n, size=(draws, n))
    drawn = np.stack([correlate(each[index], y[index]) for each in predictors], axis=1)
    drawn = drawn[np.isfinite(drawn).all(axis=1)]
    if not len(drawn):
        return r, drawn, *np.full((2, len(r)), np.nan)
    return r, drawn, *quantiles(drawn, level)


def quantiles(drawn, level=LEVEL):
    """Ends of the percentile interval of each column."""
    return np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)


def fisher(r, n):
    """Two-sided p of a Pearson correlation against 0, by Fisher's z: normal, with SD 1 / √(n − 3).

    Parameters
    ----------
    r : float
    n : int
        Pairs of values.

    Returns
    -------
    float
        NaN with fewer than four pairs, or where r is NaN; 0 where it is ±1.
    """
    if n < 4 or not np.isfinite(r):
        return np.nan
    from scipy.stats import norm

    with np.errstate(divide="ignore"):
        z = np.arctanh(np.clip(abs(r), 0, 1)) * np.sqrt(n - 3)
    return float(2 * norm.sf(z))


def steiger(r_12, r_13, r_23, n):
    """Do two predictors (2, 3) correlate equally with one score (1) over the same models?

    Parameters
    ----------
    r_12, r_13 : float
        Pearson correlations of each predictor with the score.
    r_23 : float
        That of the predictors with one another.
    n : int
        Models.

    Returns
    -------
    z, p : float
        Two-sided. NaN with fewer than four models, or where a correlation is ±1: Fisher's z is infinite
        or the predictors are one.

    References
    ----------
    Steiger (1980), Psychological Bulletin 87(2), equation 14: Dunn & Clark's test (1969) of dependent
    correlations after Fisher's z, with the mean of both correlations in their covariance.
    """
    if n < 4 or not max(map(abs, (r_12, r_13, r_23))) < 1 - 1e-12:
        return np.nan, np.nan
    from scipy.stats import norm

    mean = (r_12 + r_13) / 2
    left = 1 - 2 * mean**2
    covariance = (r_23 * left - mean**2 * (left - r_23**2) / 2) / (1 - mean**2) ** 2
    variance = 2 * (1 - covariance) / (n - 3)
    if variance <= 0:
        return np.nan, np.nan
    z = (np.arctanh(r_12) - np.arctanh(r_13)) / np.sqrt(variance)
    return float(z), float(2 * norm.sf(abs(z)))
