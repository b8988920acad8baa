"""Calibration of word times: how far cross-attention puts words from where they are known to be."""

import numpy as np

from phonoscope import tables
from phonoscope.encoders.word_errors import equal_parts, errors
from phonoscope.errors import InputError
from phonoscope.probes.inference import resampled
from phonoscope.studies import calibration
from phonoscope.studies.calibration_aligner import quantile

WITHIN_MS = 50
CONTROL = "equal parts"
EDGES = ("start", "end", "centre")

# name, unit, whether less is better, statistic of errors in ms and how often each counts
_STATISTICS = (
    ("error, median", "ms", True, lambda e, times: quantile(e, times, 0.5)),
    ("error, 90th percentile", "ms", True, lambda e, times: quantile(e, times, 0.9)),
    (f"within {WITHIN_MS} ms", "", False, lambda e, times: float(times[e <= WITHIN_MS].sum() / times.sum())),
)


def rows(corpus, model, word_times, segments, utterances):
    """Rows of the calibration table: errors of start, end and centre, and of the centre per language.

    The control shares each recording out among its words by their numbers of letters. Intervals are a
    bootstrap over recordings, each drawn with all of its words; verdicts go by the same draws of the
    difference to the control.

    Parameters
    ----------
    corpus, model : str
    word_times : path
        As ``alignment_word_times.time_words`` gives it.
    segments, utterances : list of path
        Of all shards; the tier ``word`` has the known times.

    Returns
    -------
    pyarrow.Table
        Of ``calibration.ROWS``; ``n`` counts words.

    Raises
    ------
    InputError
        Where a recording's words are not known, or are those of another text.
    """
    found, made = measured(word_times, segments, utterances), []
    about = tables.provenance(tables.schema(word_times))
    languages = list(dict.fromkeys(language for language, _, _ in found.values()))
    for language in ["all"] * (len(languages) > 1) + languages:
        mine = [each for each in found.values() if language in ("all", each[0])]
        edges = EDGES if language == "all" or len(languages) == 1 else EDGES[2:]
        units = np.repeat(np.arange(len(mine)), [len(ours) for _, ours, _ in mine])
        pair = [1000 * np.abs(np.concatenate([each[at] for each in mine])) for at in (1, 2)]
        for edge in edges:
            at = EDGES.index(edge)
            made += _rows(f"word times: {language}", edge, [each[:, at] for each in pair], units, about)
    return calibration.table([row | {"corpus": corpus, "model": model} for row in made])


def measured(word_times, segments, utterances):
    """Errors of the words of each recording, and those of the control.

    Returns
    -------
    dict of str to (language, float array of shape (n_words, 3), the same of the control)
        By utterance_id; seconds, of start, end and centre.
    """
    found, known = {}, {}
    for row in tables.read(word_times).to_pylist():
        word = {key: row[key] for key in ("utterance_id", "start_s", "end_s")} | {"word": row["label"]}
        found.setdefault(row["utterance_id"], []).append(word)
    for row in tables.read(segments).to_pylist():
        if row["tier"] == "word" and row["utterance_id"] in found:
            known.setdefault(row["utterance_id"], []).append((row["start_s"], row["end_s"], row["label"]))
    about = {row["utterance_id"]: row for row in tables.read(utterances).to_pylist()}
    errors_of = {}
    for name, words in found.items():
        if name not in known:
            raise InputError(
                "the recording has no words with known times", path=segments[0], row=name,
                fix="take its corpus out of calibration.word_times",
            )  # fmt: skip
        true = [(label, start, end) for start, end, label in sorted(known[name])]
        control = equal_parts(words, about[name]["duration_s"])
        errors_of[name] = about[name]["language"] or "", errors(words, true), errors(control, true)
    return errors_of


def _rows(case, edge, pair, units, about):
    """Measures of one edge of the words of some recordings: errors in ms, ours and of the control."""
    n, once, made = int(units.max()) + 1, np.ones(len(units)), []
    # Sorted once for all draws.
    orders = [np.argsort(each, kind="stable") for each in pair]
    ranked = [(each[order], units[order]) for each, order in zip(pair, orders, strict=True)]
    draws = resampled(n) if n > 1 else []
    heads = ", ".join(f"{layer}.{head}" for layer, head in about["heads"])
    note = f"n: words, of {n} recordings; heads (layer.head) {heads}, by {about['heads_from']}"
    for name, unit, less, statistic in _STATISTICS:
        drawn = np.array([[statistic(e, times[u]) for e, u in ranked] for times in draws]).reshape(-1, 2)
        bounds = calibration.interval(drawn[:, 0]) if len(drawn) else (np.nan, np.nan)
        gap = calibration.interval(drawn[:, 0] - drawn[:, 1]) if len(drawn) else (np.nan, np.nan)
        made.append(
            {"study": "alignment", "case": case, "reference": CONTROL, "measure": f"{edge} {name}"}
            | {"unit": unit, "measured": statistic(pair[0], once), "chance": statistic(pair[1], once)}
            | {"truth": 0.0 if less else 1.0, "ci_low": bounds[0], "ci_high": bounds[1], "n": len(units)}
            | {"verdict": calibration.against(*gap, CONTROL, less_is_better=less), "note": note}
        )
    return made
