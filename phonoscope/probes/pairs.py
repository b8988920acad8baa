"""What scores of all pairs of utterances share: checks, unit vectors, groups, threads."""

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np

from phonoscope.errors import InputError

MEMORY_BYTES = 2**30
# Squared norms outside of these bounds are computed again in float64: float32 would lose or overflow them.
TINY, HUGE = 1e-30, 1e30


def checked(a, b, names=None):
    """Utterances as lists of arrays with their names, or what is wrong with their shapes.

    Returns
    -------
    a, b : lists of arrays of shape (n_frames, d)
    names : pair of lists of str
    """
    sides = [[np.asarray(x) for x in side] for side in (a, b)]
    if names is None:
        names = [
            [f"utterance {i} of {which}" for i in range(len(s))] for which, s in zip("ab", sides, strict=True)
        ]
    dims = {}
    for side, labels in zip(sides, names, strict=True):
        for x, label in zip(side, labels, strict=True):
            if x.ndim != 2 or not x.size:
                raise InputError(
                    f"has states of shape {x.shape}, not (frames, dimensions) with at least one frame",
                    row=label,
                    fix="leave the recording out",
                )
            dims.setdefault(x.shape[1], label)
    if len(dims) > 1:
        (one, _), (other, label) = list(dims.items())[:2]
        raise InputError(
            f"has states of {other} dimensions, others have {one}",
            row=label,
            fix="compare hidden states of one layer of one model",
        )
    return *sides, names


def unit_frames(frames, name, out):
    """Frames as float32 unit vectors; frames of zeros stay zeros.

    Parameters
    ----------
    frames : array of shape (n_frames, d)
    name : str
        Of the utterance, for the error.
    out : float32 array of shape (n_frames, d)
        Is filled.

    Raises
    ------
    InputError
        Where a state is NaN or infinite.
    """
    with np.errstate(over="ignore"):  # overflow is handled below
        out[...] = frames
        squared = np.einsum("ij,ij->i", out, out)
    extreme = np.flatnonzero(~((squared > TINY) & (squared < HUGE)))
    squared[extreme] = 1
    out *= (1 / np.sqrt(squared))[:, None]
    for i in extreme:
        row = frames[i].astype(np.float64)
        if not np.isfinite(row).all():
            raise not_finite(name)
        out[i] = row / (np.linalg.norm(row) or 1)


def groups(lengths, most):
    """Runs of neighbouring utterances with at most ``most`` frames, or of one utterance with more; as even
    as the longest utterance lets them be without one run more.

    Parameters
    ----------
    lengths : sequence of int
        Frames of each utterance.
    most : int

    Returns
    -------
    list of slice
    """
    if not len(lengths):
        return []
    runs = -(-sum(lengths) // most)
    most = min(most, -(-sum(lengths) // runs) + max(lengths) - 1)
    found, start, frames = [], 0, 0
    for i, length in enumerate(lengths):
        if i > start and frames + length > most:
            found.append(slice(start, i))
            start, frames = i, 0
        frames += length
    return [*found, slice(start, len(lengths))]


@contextmanager
def workers(threads):
    """A pool of threads in which every matrix product uses one core.

    Blocks side by side on all cores reach 0.97 of the speed of one large product; BLAS's own threads, which
    wait for each other in every block and for the maxima between blocks, 0.93.

    Yields
    ------
    concurrent.futures.ThreadPoolExecutor
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(threads) as pool:
        yield pool


def share_out(pool, function, items, scratches):
    """Call ``function(item, scratch)`` for every item, on one thread per scratch.

    Threads take the next item when they are free, so nothing is queued; after an error they take no more.

    Parameters
    ----------
    pool : concurrent.futures.ThreadPoolExecutor
        With a thread for every scratch.
    function : callable
    items, scratches : iterables
    """
    items = iter(items)

    def work(scratch):
        try:
            for item in items:
                function(item, scratch)
        finally:
            deque(items, maxlen=0)

    try:
        list(pool.map(work, scratches))
    finally:
        deque(items, maxlen=0)


class TooLittleMemory(InputError):
    """Utterances that do not fit into ``memory_bytes``: who has another name for that can say it anew.

    Attributes
    ----------
    needed : int
        Bytes.
    instead : str
        What helps too.
    """

    def __init__(self, memory_bytes, needed, row, instead):
        self.needed, self.instead = needed, instead
        super().__init__(
            f"memory_bytes {memory_bytes} is too little for the longest utterances, which need {needed}",
            row=row,
            fix=f"set memory_bytes to {needed} or more, {instead}",
        )


def too_little_memory(memory_bytes, needed, a, b, names, instead):
    """The error of a longest utterance of a and of b that do not fit into the bound."""
    return TooLittleMemory(memory_bytes, needed, longest_of(a, b, names), instead)


def longest_of(a, b, names):
    """Names of the longest utterance of a and of b."""
    return " and ".join(names[i][np.argmax([len(x) for x in side])] for i, side in enumerate((a, b)))


def not_finite(name):
    """The error of an utterance with NaN or infinite states."""
    return InputError(
        "has NaN or infinite hidden states",
        row=name,
        fix="encode it again in float32, or leave the recording out",
    )
