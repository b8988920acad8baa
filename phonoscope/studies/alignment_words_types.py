"""Types of words across languages: are translations, or words that sound alike, nearer than unrelated ones?

The word-level experiment of arXiv 2505.19606, version 1, over all types of two languages and with unrelated
pairs as its control: hidden states are alike for reasons of their own, and words of one sentence more so.
"""

import numpy as np
import pyarrow as pa

from phonoscope.probes.inference import resampled
from phonoscope.studies.calibration import interval

UNRELATED, TRANSLATION, HOMOPHONE, SAME = GROUPS = ("unrelated", "translation", "near-homophone", "both")
# Words of two sentences have no context in common; those of one sentence have.
DIFFERENT, WITHIN = "different", "same"
# Where a larger share of resamples has no pair of a group, there is no interval.
MOST_EMPTY = 0.01
ALL = "all"

# similarity: mean cosine less that of unrelated words of the same languages. auc: how often a pair is more
# alike than an unrelated one. Intervals: bootstrap over types of both languages.
SCORES = pa.schema(
    [
        ("model", pa.string()),
        ("layer", pa.int32()),
        *((name, pa.string()) for name in ("language_a", "language_b", "sentences", "group")),
        *((name, pa.float64()) for name in ("cosine", "similarity", "low", "high")),
        *((name, pa.float64()) for name in ("auc", "auc_low", "auc_high")),
        ("n_pairs", pa.int64()),
    ]
)


def compare(relations, states, types, sentences, draws, seed):
    """Similarity of types of words in each group, of every pair of languages and of all together.

    Parameters
    ----------
    relations : alignment_words_pairs.Relations
    states : float32 array of shape (n_words, d)
        Mean states of the words that were said.
    types, sentences : int arrays of shape (n_words,)
    draws : int
        Of the bootstrap.
    seed : int

    Returns
    -------
    list of dict
        Rows of :data:`SCORES` but for the model and the layer; ``sentences`` is ``different`` for the words'
        occurrences in different sentences, ``same`` for those in the same one.
    """
    norms = np.linalg.norm(states, axis=1, keepdims=True)
    units = states / np.where(norms > 0, norms, 1)
    weights, kept = {}, {}
    for at, language in enumerate(sorted({name for pair in relations.pairs for name in pair})):
        mine = np.flatnonzero((relations.languages == language) & relations.known)
        kept[language] = mine[np.isin(mine, types)]
        weights[language] = resampled(len(kept[language]), draws, seed + at) if len(kept[language]) else None
    rows, pooled = [], {}
    for pair in relations.pairs:
        if any(weights[language] is None for language in pair):
            continue
        groups = _groups(relations, pair, *(kept[language] for language in pair))
        sides = [_of(kept[language], units, types, sentences) for language in pair]
        for context, alike in zip((DIFFERENT, WITHIN), similarities(*sides), strict=True):
            parts = _parts(alike, groups, *(weights[language] for language in pair))
            for group, part in parts.items():
                rows.append(_row(pair, context, group, [part]))
                pooled.setdefault((context, group), []).append(part)
    return rows + [_row((ALL, ALL), context, group, parts) for (context, group), parts in pooled.items()]


def similarities(a, b):
    """Mean cosine between the occurrences of every type of one language and of the other.

    Parameters
    ----------
    a, b : tuple of (units, types, sentences, n_types)
        Unit vectors of shape (n_words, d), their types from 0 and their sentences.

    Returns
    -------
    different, same : float64 arrays of shape (n_types of a, n_types of b)
        Over occurrences in different sentences, and in the same one; NaN where there are none.
    """
    shape = a[3], b[3]
    sums, counts = np.zeros((2, *shape)), np.zeros((2, *shape))
    totals = [np.zeros((n, units.shape[1])) for units, _, _, n in (a, b)]
    for total, (units, types, _, _) in zip(totals, (a, b), strict=True):
        np.add.at(total, types, units)
    sums[0] = totals[0] @ totals[1].T
    counts[0] = np.outer(*(np.bincount(types, minlength=n) for _, types, _, n in (a, b)))
    for sentence in np.intersect1d(a[2], b[2]):
        at, bt = (np.flatnonzero(side[2] == sentence) for side in (a, b))
        where = a[1][at][:, None], b[1][bt]
        np.add.at(sums[1], where, a[0][at].astype(np.float64) @ b[0][bt].T)
        np.add.at(counts[1], where, 1)
    sums[0] -= sums[1]
    counts[0] -= counts[1]
    return tuple(
        np.where(n > 0, total / np.maximum(n, 1), np.nan) for total, n in zip(sums, counts, strict=True)
    )


def _groups(relations, pair, first, second):
    """Number of the group of every pair of types."""
    _, _, means, sounds = relations.of(pair, first, second)
    return means * GROUPS.index(TRANSLATION) + sounds * GROUPS.index(HOMOPHONE)


def _of(kept, units, types, sentences):
    """What one language has, with its types numbered from 0."""
    place = np.full(max(types.max(initial=0), kept.max(initial=0)) + 1, -1)
    place[kept] = np.arange(len(kept))
    mine = place[types] >= 0
    return units[mine], place[types[mine]], sentences[mine], len(kept)


def _parts(alike, groups, weights_a, weights_b):
    """Per group what means over pairs are made of, by resample: those of the sample come first."""
    known = np.isfinite(alike)
    alike = np.where(known, alike, 0)
    unrelated = known & (groups == GROUPS.index(UNRELATED))
    control = np.sort(alike[unrelated])
    if not len(control):
        return {}
    # How many unrelated pairs are less alike; those that are as alike count half.
    below = sum(np.searchsorted(control, alike, side) for side in ("left", "right")) / (2 * len(control))
    weights = [
        np.vstack([np.ones(each.shape[1]), each]).astype(np.float64) for each in (weights_a, weights_b)
    ]
    found = {}
    for number, group in enumerate(GROUPS):
        mask = known & (groups == number)
        # Unrelated pairs are the measure of the others, and have no interval of their own.
        used = [each[:1] for each in weights] if group == UNRELATED else weights
        values = np.stack([mask, mask * (alike - control.mean()), mask * below, mask * alike])
        found[group] = np.stack([((used[0] @ each) * used[1]).sum(axis=1) for each in values])
    return found


def _row(pair, context, group, parts):
    """Means over the pairs of one pair of languages, or of several."""
    n, *sums = sum(parts)
    row = dict(zip(("language_a", "language_b"), pair, strict=True)) | {"sentences": context, "group": group}
    row["n_pairs"] = int(round(n[0]))
    if not row["n_pairs"]:
        return row
    row["cosine"] = sums[2][0] / n[0]
    full = n > 0
    sure = len(n) > 1 and row["n_pairs"] > 1 and full.mean() >= 1 - MOST_EMPTY
    names = (("similarity", "low", "high"), ("auc", "auc_low", "auc_high"))
    for (name, low, high), total in zip(names, sums, strict=False):
        row[name] = total[0] / n[0]
        if sure:
            row[low], row[high] = interval((total[1:] / np.maximum(n[1:], 1))[full[1:]])
    return row
