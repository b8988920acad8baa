"""Designs: what is held out, what is nested, what never meets."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonoscope.probes.designs import (
    TEST,
    circular_shift,
    generator,
    split_frames,
    split_utterances,
    steps,
)


@settings(max_examples=50, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 40), min_size=2, max_size=40),
    strata=st.integers(1, 6),
    seed=st.integers(0, 1000),
)
def test_utterances_are_never_cut(lengths, strata, seed):
    utterance = np.repeat(np.arange(len(lengths)), lengths)
    stratum = {u: u % strata for u in range(len(lengths))}
    order, block = split_utterances(utterance, stratum, 0.2, generator(seed, "s"))
    test = order == TEST
    assert test.any() and not test.all()
    for u in range(len(lengths)):
        assert len(set(test[utterance == u])) == 1 and len(set(block[utterance == u])) == 1
    assert sorted(order[~test]) == list(range((~test).sum()))
    assert abs(len(set(utterance[test])) - 0.2 * len(lengths)) <= 1


def test_every_stratum_gives_its_share_of_test_utterances():
    utterance = np.repeat(np.arange(90), 10)
    stratum = {u: (f"T{u % 3}", "AB"[u % 2]) for u in range(90)}
    order, _ = split_utterances(utterance, stratum, 0.2, generator(0, "s"))
    held = [stratum[u] for u in set(utterance[order == TEST])]
    assert all(held.count(s) == 3 for s in set(stratum.values()))


def test_a_single_utterance_cannot_be_split():
    with pytest.raises(ValueError, match="one utterance"):
        split_utterances(np.zeros(10, dtype=int), {0: ""}, 0.2, generator(0))


@given(n=st.integers(2, 500), share=st.floats(0.05, 0.6), seed=st.integers(0, 99))
def test_frames_split_sizes(n, share, seed):
    order, block = split_frames(n, share, generator(seed))
    assert (order == TEST).sum() == min(max(round(share * n), 1), n - 1)
    assert sorted(order[order >= 0]) == list(range((order >= 0).sum()))
    np.testing.assert_array_equal(order, block)


def test_steps_are_cumulative_sizes():
    order = np.array([5, TEST, 0, 3, 1, 4, 2])
    np.testing.assert_array_equal(steps(order, [2, 4]), [2, TEST, 0, 1, 0, 2, 1])
    np.testing.assert_array_equal(steps(order, []), [0, TEST, 0, 0, 0, 0, 0])


def test_a_split_depends_on_seed_and_speaker_only():
    utterance = np.repeat(np.arange(30), 5)
    strata = dict.fromkeys(range(30), "")
    one = [split_utterances(utterance, strata, 0.2, generator(*key))[0] for key in ((0, "a"), (0, "a"))]
    np.testing.assert_array_equal(*one)
    for other in ((1, "a"), (0, "b")):
        assert (split_utterances(utterance, strata, 0.2, generator(*other))[0] != one[0]).any()


@given(n=st.integers(2, 300), nearest=st.integers(1, 60), by=st.integers(-400, 400).filter(bool))
def test_shifts_are_far_enough_both_ways_round(n, nearest, by):
    by = by if abs(by) >= nearest else nearest * np.sign(by)
    (moved,) = np.flatnonzero(circular_shift(np.arange(n)[:, None], by, nearest)[:, 0] == 0)
    assert min(moved, n - moved) >= min(nearest, n // 2)
    if abs(by) <= n - nearest:
        assert moved == by % n
