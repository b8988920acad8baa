"""The alignment study's pairs of words as tables: of one model, then over corpora and models."""

import pandas as pd

from phonoscope import tables
from phonoscope.probes.inference import holm
from phonoscope.studies import sheets
from phonoscope.studies.alignment_words_pairs import KINDS, SHORT
from phonoscope.studies.alignment_words_types import ALL

WORD_PAIRS = [
    *[
        "corpus",
        "model",
        "layer",
        "language_a",
        "language_b",
        "measure",
        "value",
        "ci_low",
        "ci_high",
        "chance",
    ],
    *["difference", "statistic", "p", "p_holm", "p_permutation", "by_time", "statistic_time"],
    *["p_time", "p_time_holm", "n_sentences", "n_pairs"],
]
WORDS = [
    *["corpus", "model", "layer", "language_a", "language_b", "sentences", "group", "cosine", "similarity"],
    *["ci_low", "ci_high", "auc", "auc_low", "auc_high", "n_pairs"],
]
EXAMPLES = [
    *[
        "corpus",
        "model",
        "layer",
        "kind",
        "share",
        "sentence_id",
        "language_a",
        "language_b",
        "word_a",
        "word_b",
    ],
    *["start_a_s", "end_a_s", "start_b_s", "end_b_s", "cosine", "frames", "distance", "similarity"],
]
LEFT_OUT = ["corpus", "model", "language", "reason", "items"]
NO_MEANING = "word without a meaning"
_FAMILY = ["corpus", "language_a", "language_b", "measure"]


def summarise(corpus, model, pairs, scores, types, n_examples):
    """The tables of one model.

    Parameters
    ----------
    corpus, model : str
    pairs, scores, types : list of path
        One per layer, as ``alignment_words_pairs.score`` gives them.
    n_examples : int
        Of each kind.

    Returns
    -------
    dict of str to pandas.DataFrame
        word_pairs, words, word_examples, words_left_out.
    """
    where = {"corpus": corpus, "model": model}
    found = tables.read(scores).to_pandas()
    found = found.rename(columns={"low": "ci_low", "high": "ci_high", "t": "statistic", "p_t": "p"})
    found = found.rename(columns={"t_time": "statistic_time"})
    found = found.assign(difference=found.value - found.chance, **where).reindex(columns=WORD_PAIRS)
    words = tables.read(types).to_pandas()
    words = words.rename(columns={"low": "ci_low", "high": "ci_high"}).assign(**where)
    layer = best_layer(found)
    at = {path: tables.schema(path) for path in scores}
    short = tables.provenance(at[scores[0]]).get(SHORT, {})
    left = [{"language": language, "reason": SHORT, "items": n} for language, n in sorted(short.items()) if n]
    layers = [tables.read(path, ["layer"])["layer"][0].as_py() for path in scores]
    chosen = tables.read(pairs[layers.index(layer)]).to_pandas()
    return {
        "word_pairs": found,
        "words": words.reindex(columns=WORDS),
        "word_examples": examples(chosen, n_examples).assign(layer=layer, **where).reindex(columns=EXAMPLES),
        "words_left_out": pd.DataFrame(left).assign(**where).reindex(columns=LEFT_OUT),
    }


def best_layer(word_pairs):
    """The layer whose pairs are most alike in meaning, beyond random ones, over all pairs of languages."""
    rows = word_pairs[(word_pairs.language_a == ALL) & (word_pairs.measure == "similarity")]
    return int(rows.layer[rows.difference.idxmax()])


def examples(pairs, n):
    """Of each kind the pairs of words that are nearest to each other, no two of them of the same types.

    Parameters
    ----------
    pairs : pandas.DataFrame
        Of ``alignment_words_pairs.PAIRS``.
    n : int

    Returns
    -------
    pandas.DataFrame
        With the share that each kind has of all pairs.
    """
    judged = pairs[pairs.kind.notna()].sort_values(["cosine", "sentence_id"], ascending=[False, True])
    once = judged.drop_duplicates(["language_a", "language_b", "word_a", "word_b"])
    parts = [
        once[once.kind == kind].head(n).assign(share=(judged.kind == kind).sum() / len(judged))
        for kind in KINDS
    ]
    return pd.concat(parts, ignore_index=True)


def compare(corpora, summaries, types, meanings, left_out):
    """All tables over corpora and models.

    Parameters
    ----------
    corpora : list of str
    summaries : dict of str to list of path
        Sheets of :func:`summarise`, of all corpora and models, by table.
    types, meanings, left_out : list of path
        Per corpus: of ``alignment_words.choose`` and ``meaning.embed``.

    Returns
    -------
    dict of str to pandas.DataFrame
        As :func:`summarise`; ``p_holm`` and ``p_time_holm``, of the t-tests against random pairs and against
        those nearest in time, are over layers and models, within corpus, pair of languages and measure.
    """
    found = {
        table: pd.concat([sheets.read(path) for path in paths], ignore_index=True)
        for table, paths in summaries.items()
    }
    word_pairs = found["word_pairs"]
    families = word_pairs.groupby(_FAMILY)
    corrected = {"p_holm": families.p.transform(holm), "p_time_holm": families.p_time.transform(holm)}
    found["word_pairs"] = word_pairs.assign(**corrected)
    counted = [
        _left_out(corpus, *paths) for corpus, *paths in zip(corpora, types, meanings, left_out, strict=True)
    ]
    every = pd.concat([*counted, found["words_left_out"]], ignore_index=True)
    found["words_left_out"] = every[LEFT_OUT].fillna("")
    return found


def _left_out(corpus, types, meanings, left_out):
    """What no model has to do with."""
    tokens = tables.read(types).to_pandas()
    rows = tables.read(meanings, ["concept", "vector"]).to_pandas()
    unknown = tokens.assign(reason=NO_MEANING)[(rows.concept.isna() & rows.vector.isna()).to_numpy()]
    counts = unknown.groupby(["language", "reason"]).tokens.sum().rename("items").reset_index()
    return pd.concat([tables.read(left_out).to_pandas(), counts]).assign(corpus=corpus, model="")
