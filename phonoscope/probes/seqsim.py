"""SeqSim: how alike two utterances are in a layer, by the best match of every frame; all pairs at once.

The cosines of all frames with all frames are one matrix product. It is made in blocks that stay in the
cache while the maxima over each utterance are taken from them, so it never exists as a whole.
"""

import math
import os
from dataclasses import dataclass
from itertools import product

import numpy as np

from phonoscope.probes.pairs import (
    MEMORY_BYTES,
    checked,
    groups,
    not_finite,
    share_out,
    too_little_memory,
    unit_frames,
    workers,
)

# Rows of a block, and half its columns. With a quarter of the rows the matrix product itself runs at 0.87
# of its speed.
BLOCK_FRAMES, LEAST_BLOCK_FRAMES = 1024, 256


def seqsim_matrix(a, b, memory_bytes=MEMORY_BYTES, threads=None, names=None):
    """SeqSim of every utterance of ``a`` with every one of ``b``.

    S_ij = cos(a_i, b_j), P = mean_i max_j S, R = mean_j max_i S, score 2PR / (P + R) (SeqSim of arXiv
    2505.19606; ``harmonic_mean`` says what it is where P or R is not positive). It is symmetric: the score
    of b with a is the transpose.

    Parameters
    ----------
    a, b : lists of arrays of shape (n_frames, d)
        Hidden states, one array per utterance, without padding frames; float16 or float32, computed in
        float32. A frame of zeros has cosine 0 with every frame.
    memory_bytes : int
        Bound on what is held besides the input and the result.
    threads : int, optional
        All cores by default.
    names : pair of lists of str, optional
        Of the utterances of a and of b, for errors.

    Returns
    -------
    float32 array of shape (len(a), len(b)), in [-1, 1]

    Raises
    ------
    InputError
        Where a state is NaN or infinite, an utterance has no frames or another d than the first, or two
        utterances do not fit into ``memory_bytes``.
    """
    return harmonic_mean(*precision_recall(a, b, memory_bytes, threads, names))


def precision_recall(a, b, memory_bytes=MEMORY_BYTES, threads=None, names=None):
    """The two halves of SeqSim; parameters and errors as for ``seqsim_matrix``.

    Returns
    -------
    precision, recall : float32 arrays of shape (len(a), len(b))
        Mean over the frames of a of the best cosine with a frame of b, and the other way round.
    """
    a, b, names = checked(a, b, names)
    precision, recall = np.zeros((2, len(a), len(b)), np.float32)
    if not a or not b:
        return precision, recall
    threads = threads or os.cpu_count() or 1
    plan = _plan(a, b, memory_bytes, threads, names)
    sizes = [frames * a[0].shape[1] for frames in plan.panel_frames] + [plan.block_cells] * threads
    # One array, because the system hands out a few large pages faster than many small ones.
    *stores, rest = np.split(np.empty(sum(sizes), np.float32), np.cumsum(sizes)[:2])
    store_a, store_b = (store.reshape(-1, a[0].shape[1]) for store in stores)
    buffers = rest.reshape(threads, -1)

    def score(block, buffer):
        rows, columns = block
        pairs = rows.utterances, columns.utterances
        precision[pairs], recall[pairs] = _block(rows, columns, buffer)

    with workers(threads) as pool:
        for panel_a in plan.panels_a:
            rows = _load(a, names[0], panel_a, store_a, pool, threads)
            for panel_b in plan.panels_b:
                columns = _load(b, names[1], panel_b, store_b, pool, threads)
                share_out(pool, score, product(rows, columns), buffers)
    # Rounding takes cosines up to 1e-7 beyond 1.
    return np.clip(precision, -1, 1, out=precision), np.clip(recall, -1, 1, out=recall)


def harmonic_mean(precision, recall):
    """2PR / (P + R) where both are positive, else the lesser of the two.

    Cosines can be negative, where the formula has a pole at P = -R and is no mean. The lesser of the two
    continues it: the score stays in [-1, 1], continuous, rises with P and with R, and is P where P = R.

    Parameters
    ----------
    precision, recall : float arrays of the same shape

    Returns
    -------
    array of that shape
    """
    lesser = np.minimum(precision, recall)
    total = precision + recall
    mean = np.divide(2 * precision * recall, total, out=np.zeros_like(total), where=lesser > 0)
    return np.where(lesser > 0, mean, lesser)


def mean_pooled_matrix(a, b, names=None):
    """Cosine of the utterances' mean states, all pairs; the baseline that ignores order and length.

    Parameters and errors as for ``seqsim_matrix``; an utterance whose mean is zero has cosine 0.

    Returns
    -------
    float32 array of shape (len(a), len(b))
    """
    a, b, names = checked(a, b, names)
    if not a or not b:
        return np.zeros((len(a), len(b)), np.float32)
    means = []
    for utterances, labels in zip((a, b), names, strict=True):
        mean = np.stack([x.mean(axis=0, dtype=np.float64) for x in utterances])
        for i in np.flatnonzero(~np.isfinite(mean).all(axis=1))[:1]:
            raise not_finite(labels[i])
        norm = np.linalg.norm(mean, axis=1, keepdims=True)
        means.append(np.divide(mean, norm, out=mean, where=norm > 0))
    return np.clip(means[0] @ means[1].T, -1, 1).astype(np.float32)


@dataclass(frozen=True)
class _Group:
    """Neighbouring utterances: which they are, their unit frames, and where each begins in those."""

    utterances: slice
    frames: np.ndarray
    starts: np.ndarray

    @property
    def lengths(self):
        return np.diff(self.starts, append=len(self.frames))


@dataclass(frozen=True)
class _Plan:
    """What is held at a time: panels of a and of b as lists of groups, each group a slice."""

    panels_a: list
    panels_b: list
    panel_frames: tuple
    block_cells: int


def _plan(a, b, memory_bytes, threads, names):
    """The largest panels and blocks within the bound."""
    lengths_a, lengths_b = [len(x) for x in a], [len(x) for x in b]
    totals, longest = (sum(lengths_a), sum(lengths_b)), (max(lengths_a), max(lengths_b))
    # Small problems are cut finer, so that every core gets its two blocks.
    most = math.isqrt(totals[0] * totals[1] // (4 * threads))
    most = min(BLOCK_FRAMES, max(LEAST_BLOCK_FRAMES, most))
    frame = 4 * a[0].shape[1]
    while True:
        cells, scratch = _block_size(lengths_a, lengths_b, most)
        needed = threads * scratch + sum(longest) * frame
        if most == 1 or max(4 * threads * scratch, needed) <= memory_bytes:
            break
        most //= 2
    if needed > memory_bytes:
        raise too_little_memory(memory_bytes, needed, a, b, names, "or use fewer threads")
    frames = (memory_bytes - threads * scratch) // frame
    held_a = min(totals[0], longest[0] + (frames - sum(longest)) // 2)
    held_b = min(totals[1], frames - held_a)
    held_a = min(totals[0], frames - held_b)

    def panels(lengths, held, size):
        return [
            [slice(p.start + g.start, p.start + g.stop) for g in groups(lengths[p], size)]
            for p in groups(lengths, held)
        ]

    return _Plan(
        panels(lengths_a, held_a, most),
        panels(lengths_b, held_b, 2 * most),
        (held_a, held_b),
        cells,
    )


def _block_size(lengths_a, lengths_b, most):
    """Cells of the largest block, and an upper bound of the bytes that ``_block`` holds for it."""
    sizes = []
    for lengths, limit in ((lengths_a, most), (lengths_b, 2 * most)):
        found = groups(lengths, limit)
        sizes.append((max(sum(lengths[g]) for g in found), max(g.stop - g.start for g in found)))
    (rows, n_a), (columns, n_b) = sizes
    scratch = 4 * (rows * columns + rows * n_b + 2 * n_a * columns) + 16 * n_a * n_b
    return rows * columns, scratch


def _load(utterances, names, panel, store, pool, threads):
    """Unit frames of a panel's utterances in ``store``, as groups."""
    begin, end = panel[0].start, panel[-1].stop
    edges = np.concatenate([[0], np.cumsum([len(x) for x in utterances[begin:end]])])

    def fill(i, _):
        unit_frames(utterances[i], names[i], store[edges[i - begin] : edges[i - begin + 1]])

    share_out(pool, fill, range(begin, end), range(threads))
    found = []
    for group in panel:
        own = edges[group.start - begin : group.stop - begin + 1]
        found.append(_Group(group, store[own[0] : own[-1]], own[:-1] - own[0]))
    return found


def _block(rows, columns, buffer):
    """Precision and recall of all pairs of two groups.

    Maxima over columns lie along the contiguous axis, where ``reduceat`` is at its best; over rows it takes
    twenty times as long as a maximum per utterance.
    """
    shape = len(rows.frames), len(columns.frames)
    cosines = buffer[: shape[0] * shape[1]].reshape(shape)
    np.matmul(rows.frames, columns.frames.T, out=cosines)
    best = np.maximum.reduceat(cosines, columns.starts, axis=1)
    precision = np.add.reduceat(best, rows.starts, axis=0, dtype=np.float64) / rows.lengths[:, None]
    stops = rows.starts + rows.lengths
    best = np.stack([cosines[i:j].max(axis=0) for i, j in zip(rows.starts, stops, strict=True)])
    recall = np.add.reduceat(best, columns.starts, axis=1, dtype=np.float64) / columns.lengths
    return precision, recall
