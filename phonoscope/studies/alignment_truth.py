"""How well the filter of look-alikes finds those that are known."""

from dataclasses import dataclass

from phonoscope.corpora import lists
from phonoscope.probes.retrieval import binomial_interval
from phonoscope.studies.alignment_challenge import EMPTY, MISSING

_KEYS = ("sentence_id", "language_a", "language_b", "word_a", "word_b")


@dataclass(frozen=True)
class Agreement:
    """Precision or recall.

    Attributes
    ----------
    level : str
        ``sentence pair``: those with words that sound alike; ``dropped``: those that were dropped for
        whatever is in them, of which recall says how clean the challenge set is; ``word pair``.
    pair : str
        Languages, or ``all``, where a sentence counts once for each pair of languages: the interval is then
        too narrow.
    metric : {"precision", "recall"}
    value, low, high : float
        With its exact binomial interval; NaN for a share of nothing.
    hits, n : int
    """

    level: str
    pair: str
    metric: str
    value: float
    low: float
    high: float
    hits: int
    n: int


def precision_recall(pairs, lookalikes, truth, sentences=None):
    """Precision and recall of the look-alikes that were found.

    Parameters
    ----------
    pairs, lookalikes : pyarrow.Table
        Of ``alignment_challenge.choose``.
    truth : path-like
        Tab-separated, with sentence_id, language_a, language_b, word_a and word_b: all words that sound
        alike. Sentences that a language lacks do not count.
    sentences : collection of str, optional
        Count only these.

    Returns
    -------
    list of Agreement
        For ``all`` and each pair of languages, per level precision and recall.

    Raises
    ------
    InputError
        Where the truth cannot be read or lacks a column.
    """
    rows = [
        (_sentence(row), row)
        for row in pairs.to_pylist()
        if row["reason"] not in (MISSING, EMPTY) and (sentences is None or row["sentence_id"] in sentences)
    ]
    counted = {key for key, _ in rows}
    known = {
        key for key in map(_words, lists.read(truth, _KEYS, "the known look-alikes")) if key[:2] in counted
    }
    found = {key for key in map(_words, lookalikes.to_pylist()) if key[:2] in counted}
    dropped = {key for key, row in rows if not row["kept"]}
    levels = {
        "sentence pair": ({key[:2] for key in found}, {key[:2] for key in known}),
        "dropped": (dropped, {key[:2] for key in known}),
        "word pair": (found, known),
    }
    agreements = []
    for pair in [None, *sorted({languages for _, languages in counted})]:
        for level, sides in levels.items():
            ours, theirs = ({key for key in side if pair in (None, key[1])} for side in sides)
            for metric, n in (("precision", len(ours)), ("recall", len(theirs))):
                hits = len(ours & theirs)
                interval = binomial_interval(hits, n)
                name = "-".join(pair) if pair else "all"
                agreements.append(
                    Agreement(level, name, metric, hits / n if n else float("nan"), *interval, hits, n)
                )
    return agreements


def _sentence(row):
    return row["sentence_id"], tuple(sorted((row["language_a"], row["language_b"])))


def _words(row):
    """Sentence, languages and words, whichever language is named first."""
    words = sorted([(row["language_a"], row["word_a"].lower()), (row["language_b"], row["word_b"].lower())])
    return *_sentence(row), *(word for _, word in words)
