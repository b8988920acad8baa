"""Retrieval of parallel utterances by a score: rank of the true one, R@k, MRR, how sure they are."""

from dataclasses import dataclass

import numpy as np

LEVEL = 0.95


@dataclass(frozen=True)
class Retrieved:
    """One score of retrieval.

    Attributes
    ----------
    metric : str
        ``R@1``, ``R@5``, … or ``MRR``.
    value : float
        Share of queries whose true candidate is among the first k, or mean of 1 / rank.
    hits : int or None
        Queries whose true candidate is among the first k; None for MRR, which counts none.
    n, n_candidates : int
        Queries, and candidates of each.
    chance : float
        Expected value where the order of the candidates is random.
    low, high : float
        Exact binomial interval of the share; NaN for MRR.
    """

    metric: str
    value: float
    hits: int | None
    n: int
    n_candidates: int
    chance: float
    low: float
    high: float


def ranks(scores, targets=None):
    """Rank of each query's true candidate, from 1; a candidate of equal score counts as ahead of it.

    So a model whose states are all alike retrieves nothing, where any other rule would credit it with what
    the order of the corpus happens to be.

    Parameters
    ----------
    scores : array of shape (n_queries, n_candidates)
        Higher is more alike: distances with a minus sign.
    targets : integer array of shape (n_queries,), optional
        Column of each query's true candidate; its own number by default.

    Returns
    -------
    integer array of shape (n_queries,)

    Raises
    ------
    ValueError
        Where a score is NaN, or a query's target is no column.
    """
    scores = np.asarray(scores)
    targets = np.arange(len(scores)) if targets is None else np.asarray(targets)
    if np.isnan(scores).any():
        raise ValueError("a score is NaN: nothing can be ranked")
    if len(targets) != len(scores) or ((targets < 0) | (targets >= scores.shape[1])).any():
        raise ValueError("every query needs one of the candidates as its target")
    true = np.take_along_axis(scores, targets[:, None], axis=1)
    return (scores >= true).sum(axis=1)


def retrieval(scores, targets=None, ks=(1, 5), level=LEVEL):
    """R@k and MRR with their counts, chance and intervals.

    Parameters
    ----------
    scores, targets
        As for ``ranks``.
    ks : sequence of int
    level : float
        Coverage of the interval.

    Returns
    -------
    list of Retrieved
        One per k, then MRR. Without queries the values are NaN.
    """
    rank = ranks(scores, targets)
    n, n_candidates = np.shape(scores)
    found = []
    for k in ks:
        hits = int((rank <= k).sum())
        chance = min(k, n_candidates) / n_candidates if n_candidates else np.nan
        interval = binomial_interval(hits, n, level)
        found.append(Retrieved(f"R@{k}", hits / n if n else np.nan, hits, n, n_candidates, chance, *interval))
    places = 1 / np.arange(1, n_candidates + 1)
    chance = float(places.mean()) if n_candidates else np.nan
    value = float((1 / rank).mean()) if n else np.nan
    return [*found, Retrieved("MRR", value, None, n, n_candidates, chance, np.nan, np.nan)]


def binomial_interval(hits, n, level=LEVEL):
    """Exact two-sided interval of a proportion.

    Parameters
    ----------
    hits, n : int
        Successes among trials.
    level : float
        Coverage is at least this.

    Returns
    -------
    low, high : float
        NaN for no trials.

    References
    ----------
    Clopper & Pearson (1934), Biometrika 26(4).
    """
    if not n:
        return np.nan, np.nan
    from scipy.special import betaincinv  # 0.2 s, which only this function should cost

    tail = (1 - level) / 2
    low = float(betaincinv(hits, n - hits + 1, tail)) if hits else 0.0
    high = float(betaincinv(hits + 1, n - hits, 1 - tail)) if hits < n else 1.0
    return low, high
