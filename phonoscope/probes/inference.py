"""How sure a score is: bootstrap over speakers, paired tests between models, Holm's correction.

Speakers are the unit everywhere. Frames of a recording depend on one another, and so do channels of
a speaker, so resampling either would give intervals that are far too narrow.
"""

import numpy as np

DRAWS = 2000
FLIPS = 9999
# Up to so many sums of signs a sign-flip test goes through all of them.
ENUMERATED = 2**16
LEVEL = 0.95


def resampled(n_units, draws=DRAWS, seed=0):
    """How often each unit is drawn in each resample, int array of shape (draws, n_units).

    The draws depend on ``seed`` and the number of units only.
    """
    rng = np.random.default_rng([seed, int(n_units)])
    return rng.multinomial(n_units, np.full(n_units, 1 / n_units), size=draws)


def bootstrap_mean(values, draws=DRAWS, level=LEVEL, seed=0):
    """Percentile bootstrap of the mean over rows, for every column at once.

    A resample of n speakers is a vector of counts, so that all resampled means are one product of
    the matrix of counts with the values. Columns with the same number of speakers share their draws.

    Parameters
    ----------
    values : array of shape (n_speakers, n_columns)
        One score per speaker and column; NaN where the speaker has none (it is not resampled there).
    draws : int
        Number of resamples.
    level : float
        Coverage of the interval.
    seed : int
        The draws depend on this and the number of speakers only.

    Returns
    -------
    low, high : arrays of shape (n_columns,)
        NaN for columns with fewer than two speakers.

    References
    ----------
    Efron & Tibshirani (1993), An Introduction to the Bootstrap, section 13.3 (percentile interval).
    """
    values = np.asarray(values, dtype=float)
    low, high = np.full((2, values.shape[1]), np.nan)
    n_valid = np.isfinite(values).sum(axis=0)
    tails = [(1 - level) / 2, (1 + level) / 2]
    for n in np.unique(n_valid[n_valid >= 2]):
        columns = np.flatnonzero(n_valid == n)
        block = values[:, columns].T
        block = block[np.isfinite(block)].reshape(len(columns), n)
        counts = resampled(n, draws, seed)
        low[columns], high[columns] = np.quantile(counts @ block.T / n, tails, axis=0)
    return low, high


def paired_test(a, b):
    """Wilcoxon's signed-rank test of two models' scores on the same speakers, two-sided.

    Parameters
    ----------
    a, b : arrays of shape (n_speakers,)
        Scores; pairs with a NaN are left out.

    Returns
    -------
    n : int
        Pairs used.
    difference : float
        Mean of ``a - b``.
    statistic, p : float
        The smaller of the two rank sums, and its p; NaN where no test can be made.
    note : str
        Why there is no test, or why its p cannot be small.

    References
    ----------
    Wilcoxon (1945), Biometrics Bulletin 1(6); exact distribution as in scipy.stats.wilcoxon.
    """
    difference = np.asarray(a, dtype=float) - np.asarray(b, dtype=float)
    difference = difference[np.isfinite(difference)]
    n = len(difference)
    if n < 2:
        return n, difference.mean() if n else np.nan, np.nan, np.nan, "fewer than two speakers: no test"
    if not difference.any():
        return n, 0.0, np.nan, np.nan, "equal for every speaker: no test"
    from scipy.stats import wilcoxon  # half a second, which only this function should cost

    result = wilcoxon(difference)
    note = f"p cannot fall below {2.0 ** (1 - n):.2g} with {n} speakers" if n < 6 else ""
    return n, difference.mean(), float(result.statistic), float(result.pvalue), note


def sign_flip_test(a, b, draws=FLIPS, seed=0):
    """Whether two scores of the same units differ on average, two-sided: signs of differences are flipped.

    It holds where most differences are 0 or equal to others, as those of shares of a few hits are, for which
    the normal approximation of Wilcoxon's test is too sure.

    Parameters
    ----------
    a, b : arrays of shape (n_units,)
        Pairs with a NaN are left out.
    draws : int
        Of random flips, where there are too many to go through all; p cannot be below 1 / (1 + draws).
    seed : int

    Returns
    -------
    n : int
        Pairs used.
    n_different : int
    difference : float
        Mean of ``a - b``; NaN without pairs.
    p : float
        How often a sum of differences with random signs is as far from 0; 1 where none differs, NaN without
        pairs.
    exact : bool
        Whether all flips were gone through.

    References
    ----------
    Fisher (1935), The Design of Experiments, section 21.
    """
    difference = np.asarray(a, dtype=float) - np.asarray(b, dtype=float)
    difference = difference[np.isfinite(difference)]
    if not len(difference):
        return 0, 0, np.nan, np.nan, True
    # Shares of the same hits differ in their last bits; differences of one size are flipped together.
    sizes, counts = np.unique(np.abs(difference).round(12), return_counts=True)
    sizes, counts = sizes[sizes > 0], counts[sizes > 0]
    observed = abs(difference.sum()) - 1e-9
    exact = float(np.prod(counts + 1.0)) <= ENUMERATED
    if exact:
        from scipy.special import gammaln

        sums, weights = np.zeros(1), np.ones(1)
        for size, count in zip(sizes, counts, strict=True):
            k = np.arange(count + 1)
            ways = gammaln(count + 1) - gammaln(k + 1) - gammaln(count - k + 1)
            sums = np.add.outer(sums, size * (2 * k - count)).ravel()
            weights = np.outer(weights, np.exp(ways - count * np.log(2))).ravel()
        p = min(1.0, weights[np.abs(sums) >= observed].sum())
    else:
        rng = np.random.default_rng([seed, len(difference)])
        sums = (2 * rng.binomial(counts, 0.5, size=(draws, len(counts))) - counts) @ sizes
        p = (1 + np.sum(np.abs(sums) >= observed)) / (1 + draws)
    return len(difference), int(counts.sum()), float(difference.mean()), float(p), exact


def holm(p):
    """Holm's step-down correction; NaN are no tests and stay NaN.

    Parameters
    ----------
    p : array of shape (n_tests,)

    Returns
    -------
    array of shape (n_tests,)
        Adjusted p, at most 1.

    References
    ----------
    Holm (1979), Scandinavian Journal of Statistics 6(2).
    """
    p = np.asarray(p, dtype=float)
    adjusted = np.full(p.shape, np.nan)
    tests = np.flatnonzero(np.isfinite(p))
    order = tests[np.argsort(p[tests], kind="stable")]
    steps = p[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return adjusted
