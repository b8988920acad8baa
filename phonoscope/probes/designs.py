"""Designs: which frames train a probe and which test it.

A design is made before any embedding is read, from utterances and seeds alone, so that every layer
of every model is trained and tested on the same frames.
"""

from zlib import crc32

import numpy as np

TEST = -1


def generator(seed, *names):
    """A random generator that depends on the seed and on names (speaker, split), not on their order."""
    return np.random.default_rng([seed, *(crc32(name.encode()) for name in names)])


def split_utterances(utterance, strata, test_share, rng):
    """Hold out whole utterances of each stratum; put the others in a random training order.

    Parameters
    ----------
    utterance : integer array of shape (n_frames,)
        Utterance of each frame.
    strata : dict
        utterance -> hashable, such as (task, condition): each gives its share of test utterances.
    test_share : float
        Share of utterances to hold out, rounded so that the shares of small strata add up.
    rng : numpy Generator

    Returns
    -------
    order : integer array of shape (n_frames,)
        Position of the frame in the training sequence; TEST for test frames.
    block : integer array of shape (n_frames,)
        Position of the frame's utterance in the training sequence; TEST for test frames.

    Raises
    ------
    ValueError
        With a single utterance.
    """
    ids, counts = np.unique(utterance, return_counts=True)
    if len(ids) < 2:
        raise ValueError("one utterance cannot be split by utterances")
    shuffled = ids[rng.permutation(len(ids))]
    members = {}
    for one in shuffled:
        members.setdefault(strata[one], []).append(one)
    test, owed = set(), 0.0
    for stratum in sorted(members, key=str):
        owed += test_share * len(members[stratum])
        take = min(int(owed + 0.5), len(members[stratum]))
        test.update(members[stratum][:take])
        owed -= take
    test = test or {shuffled[0]}
    if len(test) == len(ids):
        test.discard(shuffled[-1])
    size = dict(zip(ids.tolist(), counts.tolist(), strict=True))
    order = np.full(len(utterance), TEST)
    block = np.full(len(utterance), TEST)
    start = 0
    for position, one in enumerate(one for one in shuffled if one not in test):
        rows = utterance == one
        order[rows] = start + np.arange(size[int(one)])
        block[rows] = position
        start += size[int(one)]
    return order, block


def split_frames(n_frames, test_share, rng):
    """Hold out single frames at random, as published; neighbours of test frames train the probe.

    Returns
    -------
    order, block : integer arrays of shape (n_frames,)
        As for :func:`split_utterances`; every training frame is a block of its own.
    """
    n_test = min(max(round(test_share * n_frames), 1), n_frames - 1)
    order = rng.permutation(n_frames) - n_test
    order = np.where(order < 0, TEST, order)
    return order, order


def steps(order, sizes):
    """Cut a training order at increasing sizes, so that each training set is a union of first steps.

    Parameters
    ----------
    order : integer array of shape (n_frames,)
    sizes : sequence of int
        Increasing training sizes in frames, none above the number of training frames.

    Returns
    -------
    integer array of shape (n_frames,)
        0 for the frames of the first size, 1 for those the second adds, …; TEST for test frames.
    """
    return np.where(order == TEST, TEST, np.searchsorted(np.asarray(sizes), order, side="right"))


def with_controls(y, hop_s, shifts_s):
    """Targets and their shifted controls side by side.

    Parameters
    ----------
    y : array of shape (n_frames, n_targets)
    hop_s : float
        Between frames, seconds.
    shifts_s : list of float
        Of the controls, seconds; round the circle, no frame ends up nearer than a second to its own.

    Returns
    -------
    array of shape (n_frames, (1 + n_shifts) n_targets)
    """
    nearest = int(np.ceil(1.0 / hop_s))
    return np.hstack([y, *(circular_shift(y, round(shift / hop_s), nearest) for shift in shifts_s)])


def circular_shift(y, by, nearest):
    """Targets moved by ``by`` frames against the features, round a circle.

    Parameters
    ----------
    y : array of shape (n_frames, n_targets)
    by : int
        Frames; positive for targets that come late.
    nearest : int
        Round the circle, no frame may end up nearer than this to its own; half the length is taken
        where the sequence is too short for that.

    Returns
    -------
    array of shape (n_frames, n_targets)
    """
    n = len(y)
    if n < 2 * nearest:
        return np.roll(y, n // 2, axis=0)
    return np.roll(y, int(np.sign(by)) * min(abs(by), n - nearest), axis=0)
