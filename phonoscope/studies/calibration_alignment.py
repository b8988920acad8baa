"""Calibration of the challenge sets: which of the known look-alikes the filter finds."""

from phonoscope.errors import InputError
from phonoscope.studies import calibration
from phonoscope.studies.alignment_challenge import EMPTY, MISSING, choose
from phonoscope.studies.alignment_truth import precision_recall

REFERENCE = "as many drawn at random"


def rows(corpus, utterances, segments, truth, options, ways):
    """Precision and recall of the filter, for each way that words get their phones.

    Only sentences with even numbers count: those with odd ones chose the threshold.

    Parameters
    ----------
    corpus : str
    utterances, segments : list of path
    truth : path
        As for ``alignment_truth.precision_recall``.
    options : dict
        Of ``alignment_challenge.choose``, but for languages, splits and pronunciation: all are used.
    ways : list of str
        Values of ``pronunciation``.

    Returns
    -------
    pyarrow.Table
        Of ``calibration.ROWS``: for all pairs of languages together sentence pairs, dropped ones and pairs of
        words, for each pair of languages sentence pairs. Chance is the value of a filter that marks as many
        sentence pairs at random; pairs of words have none.
    """
    found = []
    for way in ways:
        chosen = options | {"languages": None, "splits": None, "pronunciation": way}
        pairs, lookalikes = choose(utterances, segments, chosen)
        even = {sentence for sentence in pairs["sentence_id"].to_pylist() if number(sentence) % 2 == 0}
        whole = [
            row
            for row in pairs.to_pylist()
            if row["sentence_id"] in even and row["reason"] not in (MISSING, EMPTY)
        ]
        agreed = precision_recall(pairs, lookalikes, truth, even)
        sizes = {(each.level, each.pair, each.metric): each.n for each in agreed}
        for each in agreed:
            if each.pair != "all" and each.level != "sentence pair":
                continue
            named = f"{each.pair}, phones by {way}"
            found.append({"corpus": corpus} | _row(each, named, sizes, _count(whole, each.pair)))
    return calibration.table(found)


def number(sentence):
    """The number in a sentence_id such as s002.

    Raises
    ------
    InputError
        Where it has none.
    """
    digits = "".join(each for each in sentence if each.isdecimal())
    if not digits:
        raise InputError(
            "the sentence has no number", row=sentence, fix="take the corpus out of calibration.challenge"
        )
    return int(digits)


def _count(rows, pair):
    """Pairs of sentences of two languages, or of all."""
    return sum(pair in ("all", f"{row['language_a']}-{row['language_b']}") for row in rows)


def _row(each, named, sizes, total):
    # Of those marked at random the known share are right; of those known the marked share is found.
    other = sizes[each.level, each.pair, "recall" if each.metric == "precision" else "precision"]
    chance = other / total if total and each.level != "word pair" else float("nan")
    row = {"study": "alignment", "case": f"challenge set: {named}", "model": "look-alike filter"}
    row |= {"measure": f"{each.metric}, {each.level}" + "s" * (each.level != "dropped"), "unit": ""}
    row |= {"measured": each.value, "truth": 1.0, "chance": chance, "n": each.n}
    row |= {"ci_low": each.low, "ci_high": each.high, "note": f"n: {each.hits} of {each.n} right"}
    if each.pair == "all":
        row["note"] += "; a sentence counts once for each pair of languages: the interval is too narrow"
    if chance == chance:
        row |= {"reference": REFERENCE}
        row |= {"verdict": calibration.against(each.low - chance, each.high - chance, REFERENCE)}
    return row
