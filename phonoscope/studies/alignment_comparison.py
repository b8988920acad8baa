"""The alignment study over models and corpora: contrasts of models, sets of sentences, published values."""

from itertools import combinations

import numpy as np
import pandas as pd

from phonoscope import tables
from phonoscope.probes.inference import FLIPS, holm, sign_flip_test
from phonoscope.studies import alignment_published, sheets
from phonoscope.studies.alignment_retrieval import CHALLENGE, FULL, RANDOM
from phonoscope.studies.alignment_summary import ALL
from phonoscope.studies.alignment_words_summary import best_layer

BEST, LAYER = "best", "layer"
CONTRAST = [
    *["corpus", "measure", "subset", "at", "model_a", "layer_a", "model_b", "layer_b", "query", "candidate"],
    *["n", "r1_a", "r1_b", "only_a", "only_b", "mean_difference", "test", "p", "p_holm", "note"],
]
CHALLENGES = [
    *["corpus", "language_a", "language_b", "sentence_id", "in_set", "reason", "proper_nouns"],
    *["word_a", "word_b", "distance", "threshold", "by_chance"],
]


def compare(corpora, summaries, ranks, challenges, left_out, published, hub_ids, papers, words=None):
    """All tables over corpora and models.

    Parameters
    ----------
    corpora : list of str
    summaries : list of path
        Sheets of ``alignment_summary.summarise``, of all corpora and models.
    ranks : list of list of path
        Per corpus, of all models and layers.
    challenges, left_out : list of path
        Per corpus, of ``alignment_challenge.choose`` and ``alignment_sentences.choose``.
    published : path
        Sheet of published numbers.
    hub_ids : dict of str to str
        Hub id of each model that comes from there.
    papers : dict of str to str or None
        Corpus to the paper whose corpus it is.
    words : path, optional
        Sheet of pairs of words over all corpora and models.

    Returns
    -------
    dict of str to pandas.DataFrame
        retrieval, best, contrast, challenge, left_out, published.
    """
    retrieval = pd.concat([sheets.read(path) for path in summaries], ignore_index=True)
    best = best_layers(retrieval)
    pairs = [tables.read(path).to_pandas() for path in challenges]
    contrasts = [
        contrast(tables.read(paths), best[best.corpus == corpus]).assign(corpus=corpus)
        for corpus, paths in zip(corpora, ranks, strict=True)
    ]
    dropped = [
        _counted(corpus, table, tables.read(path).to_pandas())
        for corpus, table, path in zip(corpora, pairs, left_out, strict=True)
    ]
    challenge = pd.concat([t.assign(corpus=c) for c, t in zip(corpora, pairs, strict=True)])
    challenge = challenge.assign(in_set=np.where(challenge.kept, "yes", "no"))
    return {
        "retrieval": retrieval,
        "best": best,
        "contrast": pd.concat(contrasts)[CONTRAST],
        "challenge": challenge[CHALLENGES],
        "left_out": pd.concat(dropped, ignore_index=True),
        "published": with_published(
            published, retrieval, best, hub_ids, papers, sheets.read(words) if words else None
        ),
    }


def best_layers(retrieval):
    """Per corpus, model and measure the layer with the best R@1 over all pairs of the full set.

    Returns
    -------
    pandas.DataFrame
        corpus, model, measure, best_layer; R@1 there on the sets (full, challenge, random) with full_low,
        full_high, challenge_low, …, chance of each, and p of the challenge set.
    """
    rows = retrieval[(retrieval["query"] == ALL) & (retrieval.metric == "R@1")]
    case, found = ["corpus", "model", "measure"], []
    for names, part in rows.groupby(case, sort=False):
        full = part[part.subset == FULL].reset_index(drop=True)
        layer = full.layer[full.value.idxmax()]
        row = dict(zip(case, names, strict=True)) | {"best_layer": layer}
        at = part[part.layer == layer].set_index("subset")
        for subset in (FULL, CHALLENGE, RANDOM):
            values = at.loc[subset] if subset in at.index else {}
            row |= {subset: values.get("value", np.nan)}
            for end in ("low", "high"):
                row[f"{subset}_{end}"] = values.get(f"ci_{end}", np.nan)
            row[f"{subset}_chance"] = values.get("chance", np.nan)
        row["p"] = at.p.get(CHALLENGE, np.nan)
        found.append(row)
    return pd.DataFrame(found)


def contrast(ranks, best):
    """Every two models on the same queries, each at its best layer, and layer by layer.

    Parameters
    ----------
    ranks : pyarrow.Table
        Of ``alignment_retrieval.RANKS``: all models and layers of one corpus.
    best : pandas.DataFrame
        Of :func:`best_layers`.

    Returns
    -------
    pandas.DataFrame
        Of :data:`CONTRAST`, without the corpus. Of a pair of languages: McNemar's exact test over sentences.
        For ``all``: a permutation test over sentences that flips the signs of the differences in the share of
        their queries that hit. Holm's correction is within measure, set, ``at`` and test.
    """
    frame = ranks.to_pandas(strings_to_categorical=True)
    frame["hit"] = frame["rank"] == 1
    index, found = ["query", "candidate", "sentence_id"], []
    layer_of = best.set_index(["measure", "model"]).best_layer
    for (measure, subset), part in frame.groupby(["measure", "subset"], sort=False, observed=True):
        hits = {
            key: rows.set_index(index).hit
            for key, rows in part.groupby(["model", "layer"], sort=False, observed=True)
        }
        for at, a, b in _contrasted(hits, layer_of[measure]):
            where = {"measure": measure, "subset": subset, "at": at, "model_a": a[0], "layer_a": a[1]}
            where |= {"model_b": b[0], "layer_b": b[1]}
            found += [where | row for row in compared(hits[a], hits[b])]
    table = pd.DataFrame(found).reindex(columns=CONTRAST)
    families = table.groupby(["measure", "subset", "at", "test"]).p
    table["p_holm"] = families.transform(holm) if len(table) else table.p
    return table


def _contrasted(hits, layer_of):
    """What is compared: best layers, then layers of the same number, as (at, a, b)."""
    models = list(dict.fromkeys(model for model, _ in hits))
    for a, b in combinations(models, 2):
        ends = (a, layer_of[a]), (b, layer_of[b])
        if all(end in hits for end in ends):
            yield BEST, *ends
        for layer in sorted(layer for model, layer in hits if model == a and (b, layer) in hits):
            yield LAYER, (a, layer), (b, layer)


def compared(a, b):
    """Tests of two models on the queries that both have.

    Parameters
    ----------
    a, b : pandas.Series of bool
        Hit or not, by query (language), candidate (language) and sentence_id.

    Returns
    -------
    list of dict
        One for ``all``, then one per pair of languages.
    """
    both = pd.concat([a.rename("a"), b.rename("b")], axis=1, join="inner").astype(float)
    means = both.groupby(level="sentence_id", observed=True).mean()
    n, different, difference, p, exact = sign_flip_test(means.a, means.b)
    note = f"{different} of {n} sentences differ" + ("" if exact else f"; p of {FLIPS} random flips")
    rows = [
        {"query": ALL, "candidate": ALL, "n": n, "r1_a": both.a.mean(), "r1_b": both.b.mean()}
        | {"mean_difference": difference, "test": "sign flips", "p": p, "note": note}
    ]
    for (query, candidate), part in both.groupby(level=["query", "candidate"], sort=False, observed=True):
        only_a, only_b = int((part.a > part.b).sum()), int((part.a < part.b).sum())
        rows.append(
            {"query": query, "candidate": candidate, "n": len(part), "r1_a": part.a.mean()}
            | {"r1_b": part.b.mean(), "only_a": only_a, "only_b": only_b, "test": "McNemar, exact"}
            | {"mean_difference": part.a.mean() - part.b.mean(), "p": mcnemar(only_a, only_b), "note": ""}
        )
    return rows


def mcnemar(only_a, only_b):
    """Exact two-sided p of McNemar's test (1947, Psychometrika 12): the discordant queries are even odds.

    Parameters
    ----------
    only_a, only_b : int
        Queries that only one of the two gets right.
    """
    from scipy.special import bdtr

    n = only_a + only_b
    return min(1.0, 2 * float(bdtr(min(only_a, only_b), n, 0.5))) if n else 1.0


def _counted(corpus, pairs, left_out):
    """What became of sentences and recordings: a row per language or pair, and reason."""
    kept = pairs.assign(
        language=pairs.language_a + "-" + pairs.language_b, reason=pairs.reason.fillna("in the challenge set")
    )
    counts = kept.groupby(["language", "reason"]).size().rename("items").reset_index()
    counts["reason"] = counts.reason.where(
        counts.reason == "in the challenge set", "not in the challenge set: " + counts.reason
    )
    columns = ["corpus", "language", "reason", "items"]
    return pd.concat([left_out, counts]).assign(corpus=corpus)[columns]


def with_published(path, retrieval, best, hub_ids, papers, word_pairs=None):
    """Published R@1 beside ours at the best layer, and the published p of pairs of words.

    Parameters
    ----------
    path : path
    retrieval, best : pandas.DataFrame
    hub_ids, papers : dict
        See :func:`compare`.
    word_pairs : pandas.DataFrame, optional
        The table of ``alignment_words_summary.compare``.

    Returns
    -------
    pandas.DataFrame
        The published columns, and corpus, our_model, layer, measured_low, measured_high (R@1 over pairs of
        languages), p, p_permutation (similarity in meaning of pairs of words over all pairs of languages, at
        the layer where it is largest beyond random pairs; uncorrected), comparable (yes, or no with the
        reasons), verdict.
    """
    sheet = alignment_published.read(path, ("retrieval", "SeqSimInterp"))
    of_words = sheet.experiment == "SeqSimInterp"

    def measured(row, corpus, model):
        return _measured(row, corpus, model, retrieval, best)

    def measured_words(_row, corpus, model):
        return _measured_words(corpus, model, word_pairs)

    def unnamed(row):
        return "its pairs are not named" if "distant" in row["experiment"] else ""

    of_layer = "yes (the paper does not state its layer)"
    beside = alignment_published.beside
    found = beside(sheet[~of_words], hub_ids, papers, measured, unnamed, of_layer)
    found += beside(sheet[of_words], hub_ids, papers, measured_words, unnamed, of_layer, _within)
    where, judged = alignment_published.MEASURED[:5], alignment_published.MEASURED[5:]
    columns = [*sheet.columns, *where, "p", "p_permutation", *judged]
    return pd.DataFrame(found).reindex(columns=columns)


def _measured_words(corpus, model, word_pairs):
    """p of words' similarity in meaning against random pairs."""
    if word_pairs is None:
        return {}
    rows = word_pairs[(word_pairs.corpus == corpus) & (word_pairs.model == model)]
    if not len(rows):
        return {}
    layer = best_layer(rows)
    rows = rows[(rows.layer == layer) & (rows.language_a == ALL) & (rows.measure == "similarity")]
    return {"layer": layer} | rows.iloc[0][["p", "p_permutation", "difference"]].to_dict()


def _within(row, ours):
    """Whether words that find each other are more alike than random ones, as surely as published."""
    p = {"t-test": ours["p"], "permutation": ours["p_permutation"]}
    above = [name for name, each in p.items() if not each <= row["value_high"]]
    if ours["difference"] <= 0:
        return "not more alike than random pairs"
    return f"above the bound: {', '.join(above)}" if above else "both p within the bound"


def _measured(row, corpus, model, retrieval, best):
    """Range of R@1 over the pairs that the published row is about."""
    subset = {"retrieval full set": FULL, "retrieval challenge set": CHALLENGE}.get(row["experiment"])
    at = best[(best.corpus == corpus) & (best.model == model) & (best.measure == "seqsim")].best_layer
    rows = retrieval[(retrieval.corpus == corpus) & (retrieval.model == model) & (retrieval.metric == "R@1")]
    rows = rows[(rows.measure == "seqsim") & (rows.subset == subset) & (rows["query"] != ALL)]
    rows = rows[rows.layer.isin(at)]
    languages = set(row["condition"].split("-"))
    if len(languages) == 2 and all(len(name) in (2, 3) for name in languages):
        rows = rows[[{a, b} == languages for a, b in zip(rows["query"], rows.candidate, strict=True)]]
    if rows.value.isna().all():
        return {}
    return {"layer": at.iloc[0], "measured_low": rows.value.min(), "measured_high": rows.value.max()}
