"""Calibration of the tone study: languages whose tones are known to lie within a stretch, and one without
tones."""

import json
from itertools import combinations
from pathlib import Path

import numpy as np

from phonoscope import tables
from phonoscope.errors import InputError
from phonoscope.probes.classification import chosen_by_one_se
from phonoscope.probes.inference import resampled
from phonoscope.studies import calibration
from phonoscope.studies.tone_comparison import by_window

_COMMON = {"study": "tone", "model": "log-mel windows", "reference": "shuffled labels"}


def rows(corpora, windows, items, stretches):
    """Rows of the calibration table.

    Parameters
    ----------
    corpora : list of str
    windows, items : lists of path
        Per corpus, as ``tone_acoustic.score`` and ``tone_items.choose`` make them.
    stretches : list of float or None
        The known stretch in ms; None for a control without tones.

    Returns
    -------
    pyarrow.Table
        Of ``calibration.ROWS``: the span of every language beside its truth, every pair of languages with
        different stretches, and the control beside chance.
    """
    scores = [by_window(path)[:3] for path in windows]
    known = [tables.provenance(tables.schema(path)) for path in items]
    found = []
    for corpus, score, about, stretch in zip(corpora, scores, known, stretches, strict=True):
        row = _control(*score, about) if stretch is None else _span(*score, stretch)
        found.append(_COMMON | {"corpus": corpus, "n": about["folds"]} | row)
    toned = [k for k, stretch in enumerate(stretches) if stretch is not None]
    for a, b in combinations(sorted(toned, key=lambda k: stretches[k]), 2):
        if stretches[a] < stretches[b]:
            same = known[a]["fold_names"] == known[b]["fold_names"]
            row = _apart(scores[a], scores[b], stretches[b] - stretches[a], corpora[a], same)
            found.append(_COMMON | {"corpus": corpora[b], "n": known[b]["folds"]} | row)
    return calibration.table(found)


def stretch(path):
    """The stretch that a corpus's ``truth.json`` gives, in ms; None for a control without tones.

    Raises
    ------
    InputError
    """
    try:
        known = json.loads(Path(path).read_text(encoding="utf-8"))["stretch_s"]
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            f"no known stretch ({error})", path=path, fix="take the corpus out of calibration.tone"
        ) from error
    return None if known is None else 1000 * known


def _drawn(widths, scores):
    """The span, and its bootstrap over folds."""
    span = widths[chosen_by_one_se(scores, np.ones((1, len(scores))))[0]]
    return span, widths[chosen_by_one_se(scores, resampled(len(scores)))]


def _edges(drawn):
    edges = (1 - calibration.LEVEL) / 2, (1 + calibration.LEVEL) / 2
    return [float(each) for each in np.quantile(drawn, edges, method="inverted_cdf")]


def _span(widths, scores, shuffled, stretch):
    span, drawn = _drawn(widths, scores)
    low, high = _edges(drawn)
    means = scores.mean(axis=0)
    return {
        "case": "stretch that holds the tone",
        "measure": "smallest window within one standard error of the best",
        "unit": "ms",
        "measured": span,
        "truth": stretch,
        "ci_low": low,
        "ci_high": high,
        "verdict": f"truth {'within' if low <= stretch <= high else 'outside'} the interval",
        "note": f"macro-F1 {means[widths == span][0]:.2f} there, {means.max():.2f} at the best, "
        f"{shuffled.mean():.2f} with shuffled labels; n: folds",
    }


def _control(widths, scores, shuffled, about):
    # Over all windows: the best of many would be above chance by choice alone.
    mean, low, high, _ = calibration.mean_interval(scores.mean(axis=1))
    chance = 1 / len(about["classes"])
    return {
        "case": "language without tones",
        "measure": "macro-F1, mean over windows",
        "unit": "macro-F1",
        "measured": mean,
        "truth": chance,
        "chance": float(shuffled.mean()),
        "ci_low": low,
        "ci_high": high,
        "verdict": "at chance" if low <= chance else "above chance",
        "note": f"best window {scores.mean(axis=0).max():.2f}; n: folds",
    }


def _apart(near, wide, truth, reference, same_folds):
    (first, one), (second, other) = _drawn(*near[:2]), _drawn(*wide[:2])
    if not same_folds:
        # Resamples of one are then no resamples of the other.
        other = np.random.default_rng(0).permutation(other)
    low, high = _edges(other - one)
    (_, end), (start, _) = _edges(one), _edges(other)
    side = calibration.side(low, high)
    return {
        "case": "two stretches told apart",
        "reference": reference,
        "measure": "span, less that of the reference",
        "unit": "difference in ms",
        "measured": second - first,
        "truth": truth,
        "ci_low": low,
        "ci_high": high,
        "verdict": {1: "told apart", 0: "not told apart", -1: "the wrong way round"}[side],
        "note": f"intervals of the two spans {'do not overlap' if start > end else 'overlap'}; "
        f"{'the same voices' if same_folds else 'other folds'}; n: folds",
    }
