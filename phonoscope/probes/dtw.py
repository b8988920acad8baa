"""Dynamic time warping of hidden states by cosine distance, for many pairs of utterances at once."""

import os
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import as_strided

from phonoscope.errors import InputError
from phonoscope.probes.pairs import (
    MEMORY_BYTES,
    checked,
    longest_of,
    share_out,
    too_little_memory,
    unit_frames,
    workers,
)

# Cost and length of a path travel in one float64, cost + length * CELL. Cosine distances in float32 are
# multiples of 2**-24, so with paths below 2**14 cells, and costs below 2**15, their sums are exact.
CELL = 2.0**-38
LONGEST_PATH = 2**14 - 1
# Frames of one group of utterances. Fewer, and the steps along a diagonal are too short to pay for a call.
GROUP_FRAMES = 2**14


def dtw_matrix(a, b, memory_bytes=MEMORY_BYTES, threads=None, names=None):
    """DTW distance of every utterance of ``a`` to every one of ``b``: the mean along the best path.

    The best path runs from the first frames to the last ones by steps of one frame in either utterance or
    in both, all of weight 1, and has the least sum of cosine distances 1 - cos (Sakoe & Chiba 1978, IEEE
    TASSP 26(1), symmetric, without slope constraint); among equal ones it is the shortest. The distance is
    that sum over the number of cells of the path. It is symmetric.

    Parameters
    ----------
    a, b : lists of arrays of shape (n_frames, d)
        Hidden states, one array per utterance, without padding frames; float16 or float32. A frame of zeros
        is at distance 1 of every frame.
    memory_bytes : int
        Bound on what is held besides the input and the result.
    threads : int, optional
        All cores by default.
    names : pair of lists of str, optional
        Of the utterances of a and of b, for errors.

    Returns
    -------
    float32 array of shape (len(a), len(b)), in [0, 2]

    Raises
    ------
    InputError
        As ``seqsim_matrix`` does, and where two utterances together exceed 16,383 frames.
    """
    a, b, names = checked(a, b, names)
    distances = np.zeros((len(a), len(b)), np.float32)
    if not a or not b:
        return distances
    threads = threads or os.cpu_count() or 1

    def fill(members):
        group = _interleave(a, members, names[0])

        def warp(j, _):
            distances[members, j] = _distances(group, b[j], names[1][j])

        share_out(pool, warp, range(len(b)), range(threads))

    plan = _plan(a, b, memory_bytes, threads, names)
    with workers(threads) as pool:
        for members in plan:
            fill(members)
    return distances


def mean_along_path(distance, lengths):
    """Mean distance along the best path, for many pairs whose second utterances share a batch.

    Cells of an anti-diagonal depend on the two before it only, so each is one vector operation over its
    cells and all pairs.

    Parameters
    ----------
    distance : C-contiguous float32 array of shape (n_rows, n_columns, n_pairs)
        Multiples of 2**-24 in [0, 2]; beyond a pair's length, anything.
    lengths : integer array of shape (n_pairs,)
        Columns of each pair that count.

    Returns
    -------
    float64 array of shape (n_pairs,)
    """
    n_rows, n_columns, n_pairs = distance.shape
    cells = distance.reshape(-1)
    step = distance.itemsize
    strides = ((n_columns - 1) * n_pairs * step, step)
    at_end = np.empty((n_columns, n_pairs))
    # Diagonals k - 2, k - 1 and k; row j of the table is row j + 1 here, behind a row of no path.
    older, newer, current = np.full((3, n_rows + 1, n_pairs), np.inf)
    older[0] = 0
    for k in range(n_rows + n_columns - 1):
        low, high = max(0, k - n_columns + 1), min(n_rows, k + 1)
        first = (low * n_columns + k - low) * n_pairs
        best = current[low + 1 : high + 1]
        np.minimum(newer[low + 1 : high + 1], newer[low:high], out=best)
        np.minimum(best, older[low:high], out=best)
        best += CELL
        best += as_strided(cells[first:], (high - low, n_pairs), strides, writeable=False)
        if k == 0:
            older[0] = np.inf
        if high == n_rows:
            at_end[k - n_rows + 1] = current[n_rows]
        older, newer, current = newer, current, older
    found = at_end[lengths - 1, np.arange(n_pairs)]
    cost = np.floor(found * 2.0**24) / 2.0**24
    return cost / ((found - cost) / CELL)


def _plan(a, b, memory_bytes, threads, names):
    """Groups of utterances of ``a`` by rising length, as large as pays and fits into the bound."""
    order = np.argsort([len(x) for x in a], kind="stable")
    lengths, longest, d = [len(a[i]) for i in order], max(len(x) for x in b), a[0].shape[1]
    if (frames := lengths[-1] + longest) > LONGEST_PATH:
        raise InputError(
            f"the longest utterances have {frames} frames together; paths are exact up to {LONGEST_PATH}",
            row=longest_of(a, b, names),
            fix="cut the recordings into shorter ones",
        )

    def held(frames, utterances):
        """Bytes for a group of so many frames, padding included."""
        tables = 8 * (3 * (longest + 1) * utterances + frames)
        return 4 * frames * d + threads * (4 * longest * (d + frames) + tables)

    if (needed := held(lengths[-1], 1)) > memory_bytes:
        raise too_little_memory(memory_bytes, needed, a, b, names, "or use fewer threads")
    found, start = [], 0
    for stop, length in enumerate(lengths[1:], start=1):
        frames = (stop + 1 - start) * length
        if frames > GROUP_FRAMES or held(frames, stop + 1 - start) > memory_bytes:
            found.append(order[start:stop])
            start = stop
    return [*found, order[start:]]


@dataclass(frozen=True)
class _Interleaved:
    """Unit frames in the order frame, utterance: a product with them has pairs along its last axis."""

    lengths: np.ndarray
    frames: np.ndarray


def _interleave(utterances, members, names):
    lengths = np.array([len(utterances[i]) for i in members])
    frames = np.zeros((lengths.max(), len(members), utterances[0].shape[1]), np.float32)
    for place, i in enumerate(members):
        unit_frames(utterances[i], names[i], frames[: lengths[place], place])
    return _Interleaved(lengths, frames)


def _distances(group, utterance, name):
    """Distances of one utterance to those of a group."""
    rows = np.empty(utterance.shape, np.float32)
    unit_frames(utterance, name, rows)
    n_columns, n_pairs, d = group.frames.shape
    distance = rows @ group.frames.reshape(-1, d).T
    np.subtract(1, distance, out=distance)
    np.clip(distance, 0, 2, out=distance)
    return mean_along_path(distance.reshape(len(rows), n_columns, n_pairs), group.lengths)
