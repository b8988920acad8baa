"""Retrieval of all layers of one model as a table: per pair of languages and over all of them."""

import numpy as np
import pandas as pd

from phonoscope import tables
from phonoscope.probes.inference import LEVEL
from phonoscope.studies import calibration
from phonoscope.studies.alignment_retrieval import CHALLENGE, RANDOM

ALL = "all"
COLUMNS = [
    *["corpus", "model", "layer", "measure", "query", "candidate", "subset", "metric", "value", "ci_low"],
    *["ci_high", "chance", "p", "hits", "n", "n_candidates", "draws"],
]
_CASE = ["layer", "measure", "query", "candidate", "metric"]
_EDGES = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]


def summarise(corpus, model, scores, ranks):
    """The table of :data:`COLUMNS` for one model.

    Parameters
    ----------
    corpus, model : str
    scores, ranks : list of path
        One per layer, as ``alignment_retrieval.score`` gives them.

    Returns
    -------
    pandas.DataFrame
        ``query`` and ``candidate`` are languages, or both ``all``: every query of every ordered pair.
        ``ci_low`` and ``ci_high`` are the exact binomial interval of a pair's R@k, a bootstrap over sentences
        for ``all``, and for ``random`` the quantiles of its sets, whose mean is ``value``. ``p``, of the
        challenge set: how often a random set of its size scores at most as low, 1 + of them over 1 + sets.
    """
    rows = tables.read(scores).to_pandas()
    rows = rows.rename(columns={"low": "ci_low", "high": "ci_high"})
    drawn = rows[rows.subset == RANDOM]
    fixed = rows[rows.subset != RANDOM].drop(columns="draw")
    pooled = _pooled_draws(drawn)
    found = pd.concat(
        [
            _with_p(fixed, drawn),
            _over_draws(drawn),
            _with_p(_pooled(tables.read(ranks).to_pandas(), fixed), pooled),
            _over_draws(pooled),
        ]
    )
    found = found.sort_values(["layer", "measure"], kind="stable")
    return found.assign(corpus=corpus, model=model).reindex(columns=COLUMNS).reset_index(drop=True)


def of_rank(rank, metric):
    """What a rank counts for: 1 or 0 for R@k, 1 / rank for MRR."""
    rank = np.asarray(rank)
    return 1 / rank if metric == "MRR" else (rank <= int(metric.removeprefix("R@"))).astype(float)


def _over_draws(drawn):
    """Mean over random sets, and the quantiles between which most of them lie."""
    if drawn.empty:
        return drawn
    groups = drawn.groupby([*_CASE, "subset"], sort=False)
    mean = groups[["value", "chance", "n", "n_candidates"]].mean()
    low, high = (groups.value.quantile(edge) for edge in _EDGES)
    return mean.assign(ci_low=low, ci_high=high, draws=groups.size()).reset_index()


def _pooled_draws(drawn):
    """Each random set over all pairs: its queries count alike."""
    if drawn.empty:
        return drawn
    weighted = drawn.assign(value=drawn.value * drawn.n, chance=drawn.chance * drawn.n)
    case = ["layer", "measure", "metric", "subset", "draw"]
    sums = weighted.groupby(case, sort=False)[["value", "chance", "n"]].sum()
    sums["value"], sums["chance"] = sums.value / sums.n, sums.chance / sums.n
    return sums.reset_index().assign(query=ALL, candidate=ALL, n_candidates=np.nan)


def _pooled(ranks, fixed):
    """All queries of all pairs, per layer, measure and set.

    A sentence stands in many pairs, whose hits depend on one another: sentences are drawn, not queries.
    """
    found = []
    weights = fixed.assign(chance=fixed.chance * fixed.n)
    sums = weights.groupby(["layer", "measure", "subset", "metric"])[["chance", "n"]].sum()
    for (layer, measure, subset), part in ranks.groupby(["layer", "measure", "subset"], sort=False):
        for metric in dict.fromkeys(fixed.metric):
            sentences = part.assign(value=of_rank(part["rank"], metric)).groupby("sentence_id").value
            value, low, high = calibration.share_interval(sentences.sum(), sentences.size())
            if sentences.mean().nunique() == 1 and value not in (0, 1):
                low, high = np.nan, np.nan  # what is the same for all sentences is the same in every draw
            chance, n = sums.loc[layer, measure, subset, metric]
            where = {"layer": layer, "measure": measure, "subset": subset, "metric": metric}
            where |= {"query": ALL, "candidate": ALL, "chance": chance / n, "n": n}
            hits = np.nan if metric == "MRR" else sentences.sum().sum()
            found.append(where | {"value": value, "ci_low": low, "ci_high": high, "hits": hits})
    return pd.DataFrame(
        found, columns=[*_CASE, "subset", "value", "ci_low", "ci_high", "chance", "hits", "n"]
    )


def _with_p(fixed, drawn):
    """How often random sets score no more than the challenge set."""
    if drawn.empty:
        return fixed
    values = drawn.groupby(_CASE).value.apply(np.asarray)

    def p(row):
        if row.subset != CHALLENGE or not np.isfinite(row.value):
            return np.nan
        others = values[tuple(row[name] for name in _CASE)]
        # Sums of the same hits in another order differ in their last bits.
        return (1 + np.sum(others <= row.value + 1e-12)) / (1 + len(others))

    return fixed.assign(p=fixed.apply(p, axis=1)) if len(fixed) else fixed
