"""How much of what a study finds is of particular languages: one number per model, study and corpus.

Each is a difference that is 0 where languages make no difference; docs/atlas.md has the formulas.
"""

from itertools import combinations

import numpy as np
import pandas as pd

from phonoscope.probes.inference import DRAWS, LEVEL, bootstrap_mean, resampled

_EDGES = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
COLUMNS = ["model", "layer", "value", "low", "high", "chance", "note"]


def _table(rows, columns=COLUMNS):
    return pd.DataFrame(rows).reindex(columns=columns)


def native_languages(cells, models):
    """r of the native language that is read best, less r of the one that is read worst (E5).

    Parameters
    ----------
    cells : pandas.DataFrame
        The table ``E5_speakers`` of one probe: r per speaker at each model's best layer.
    models : iterable of str
        Models to give a row.

    Returns
    -------
    pandas.DataFrame
        Of :data:`COLUMNS`. The interval is a bootstrap over speakers within the two groups; ``chance`` is the
        mean difference of the best and the worst group where native languages are shuffled over speakers.
    """
    whole = cells[(cells.task == "all") & (cells.condition == "all") & (cells.channel == "all")]
    rows = []
    for model in models:
        mine = whole[(whole.model == model) & whole.r.notna()]
        groups = {name: part.r.to_numpy() for name, part in mine.groupby("group", sort=True)}
        if len(groups) < 2:
            why = "E5 was not run" if mine.empty else "one native language only"
            rows.append({"model": model, "note": why})
            continue
        means = {name: values.mean() for name, values in groups.items()}
        best, worst = max(means, key=means.get), min(means, key=means.get)
        low, high = _difference(groups[best], groups[worst])
        rows.append(
            {"model": model, "layer": mine.layer.iloc[0], "value": means[best] - means[worst], "low": low}
            | {"high": high, "chance": shuffled_gap(list(groups.values())), "note": f"{best} > {worst}"}
        )
    return _table(rows)


def _difference(a, b):
    """Bootstrap interval of the difference of two means; nothing where one has a single value."""
    if min(len(a), len(b)) < 2:
        return np.nan, np.nan
    draws = [resampled(len(values), seed=seed) @ values / len(values) for seed, values in enumerate((a, b))]
    return np.quantile(draws[0] - draws[1], _EDGES)


def shuffled_gap(groups, draws=DRAWS, seed=0):
    """Mean over shufflings of the largest less the smallest group mean: what group sizes alone give.

    Parameters
    ----------
    groups : list of array
        Values of each group. Two groups are split in every way, if there are no more ways than ``draws``.
    """
    values, sizes = np.concatenate(groups), [len(group) for group in groups]
    n = len(values)
    if len(groups) == 2 and _ways(n, sizes[0]) <= draws:
        first = np.array([values[list(chosen)].sum() for chosen in combinations(range(n), sizes[0])])
        return np.abs(first / sizes[0] - (values.sum() - first) / sizes[1]).mean()
    rng = np.random.default_rng([seed, *sizes])
    order = rng.permuted(np.tile(values, (draws, 1)), axis=1)
    edges = np.cumsum([0, *sizes[:-1]])
    means = np.add.reduceat(order, edges, axis=1) / sizes
    return np.ptp(means, axis=1).mean()


def _ways(n, k):
    from math import comb

    return comb(n, k)


def transfers(differences, pairs):
    """The share of r that is lost from speakers of the same language to those of another.

    Parameters
    ----------
    differences : pandas.DataFrame
        The table ``contrast`` of the kinematics study.
    pairs : pandas.DataFrame
        corpus, model, probe, experiment, by (``language`` as spoken, ``native_language``, or what is of no
        language) and best_layer of every row to make.

    Returns
    -------
    pandas.DataFrame
        Of :data:`COLUMNS` and ``corpus``: 1 - r of the other / r of the same language, at the best layer,
        with the study's interval and verdict.
    """
    kept = differences[(differences["map"] == "none") & differences.by.isin(["language", "native_language"])]
    keys = ["corpus", "model", "probe", "experiment", "by", "layer"]
    found = kept.assign(layer=pd.to_numeric(kept.layer)).set_index(keys)
    rows = []
    for pair in pairs.itertuples():
        case = {"corpus": pair.corpus, "model": pair.model}
        key = (pair.corpus, pair.model, pair.probe, pair.experiment, pair.by, pair.best_layer)
        if key not in found.index:
            rows.append(case | {"note": "no two languages to compare"})
            continue
        row = found.loc[key]
        ratio, low, high = (row[name] for name in ("ratio", "ratio_low", "ratio_high"))
        rows.append(
            case
            | {"layer": pair.best_layer, "value": 1 - ratio, "low": 1 - high, "high": 1 - low}
            | {"chance": 0.0, "note": row.verdict}
        )
    return _table(rows, ["corpus", *COLUMNS])


def own_tones(layers, folds):
    """How much better a model tells the tones of the language it was tuned to than its siblings do.

    Parameters
    ----------
    layers, folds : pandas.DataFrame
        Tables of the tone study over all corpora and models. Siblings have the same base model, and were
        tuned in the same way to other languages.

    Returns
    -------
    pandas.DataFrame
        Of :data:`COLUMNS` and ``corpus``: macro-F1 of the model less the mean of its siblings on the same
        folds of the same corpus, each at its best layer; the interval is a bootstrap over folds.
    """
    measured = layers.dropna(subset="macro_f1")
    best = measured.loc[measured.groupby(["corpus", "model"]).macro_f1.idxmax()]
    best = best.set_index(["corpus", "model"]).layer
    per_fold = dict(list(folds.set_index("fold").groupby(["corpus", "model", "layer"]).macro_f1))
    rows = []
    for (corpus, model), part in layers.groupby(["corpus", "model"], sort=False):
        siblings, why = _siblings(layers, part)
        compared = [name for name in siblings if (corpus, name) in best]
        if not compared or (corpus, model) not in best:
            rows.append({"corpus": corpus, "model": model, "note": why or "no macro-F1 to compare"})
            continue
        scores = {name: per_fold[corpus, name, best[corpus, name]] for name in [model, *compared]}
        scores = pd.DataFrame(scores).dropna()
        differences = scores[model] - scores[compared].mean(axis=1)
        (low,), (high,) = bootstrap_mean(differences.to_numpy()[:, None])
        rows.append(
            {"corpus": corpus, "model": model, "layer": best[corpus, model], "value": differences.mean()}
            | {"low": low, "high": high, "chance": 0.0, "note": f"less {', '.join(compared)}"}
        )
    return _table(rows, ["corpus", *COLUMNS])


def _siblings(layers, part):
    """Models of the same base that were tuned in the same way to other languages; or why there are none."""
    corpus, model, base, variant = part[["corpus", "model", "base", "variant"]].iloc[0]
    if not variant.startswith("target "):
        targets = layers[(layers.model == model) & layers.variant.str.startswith("target ")].corpus.unique()
        return [], f"tuned to {', '.join(targets)}, not to this" if len(
            targets
        ) else "not tuned to a language"
    task = variant.removeprefix("target")
    others = layers[(layers.corpus == corpus) & (layers.base == base) & layers.variant.str.endswith(task)]
    found = [name for name in others.model.unique() if name not in set(_targeted(others))]
    return found, "" if found else f"no other model was tuned from {base} in the same way"


def _targeted(rows):
    return rows.model[rows.variant.str.startswith("target ")]


def lookalikes(rows):
    """How much of R@1 goes when sentences with words that sound alike are left out.

    Parameters
    ----------
    rows : pandas.DataFrame
        R@1 of one measure over all pairs: columns corpus, model, layer, subset, value, ci_low, ci_high, p.

    Returns
    -------
    pandas.DataFrame
        Of :data:`COLUMNS` and ``corpus``: mean R@1 of random sets of the challenge set's size, less that of
        the challenge set, at the best layer of the full set. ``low`` and ``high`` are that of the random sets
        between which 95 % of them lie.
    """
    found = []
    for (corpus, model), part in rows.groupby(["corpus", "model"], sort=False):
        case = {"corpus": corpus, "model": model}
        full = part[(part.subset == "full") & part.value.notna()]
        if full.empty:
            found.append(case | {"note": "nothing was retrieved from the full set"})
            continue
        at = part[part.layer == full.layer[full.value.idxmax()]].set_index("subset")
        values = at.value.reindex(["random", "challenge"])
        if values.isna().any():
            found.append(case | {"note": "no challenge set, or no random sets of its size"})
            continue
        drawn, challenge = at.loc["random"], values["challenge"]
        found.append(
            case
            | {"layer": drawn.layer, "value": drawn.value - challenge, "chance": 0.0}
            | {"low": drawn.ci_low - challenge, "high": drawn.ci_high - challenge}
            | {"note": f"p = {at.p['challenge']:.2g}"}
        )
    return _table(found, ["corpus", *COLUMNS])
