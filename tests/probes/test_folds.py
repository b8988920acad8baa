"""Folds never share a group, and every class is in all of them or in none."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonoscope.errors import InputError
from phonoscope.probes.folds import assign, settle


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 12), st.integers(2, 8), st.integers(0, 5))
def test_no_group_is_in_two_folds(n_groups, n_folds, seed):
    rng = np.random.default_rng(seed)
    groups = rng.permutation([f"s{k % n_groups}" for k in range(60)])
    labels = rng.integers(0, 3, 60)
    folds = assign(labels, groups, n_folds, seed)
    assert set(folds) == set(range(min(n_groups, n_folds)))
    for group in set(groups):
        assert len(set(folds[groups == group])) == 1


def test_few_groups_are_a_fold_each_and_one_is_refused():
    assert list(assign("abab", ["x", "y", "z", "x"], 10)) == [0, 1, 2, 0]
    with pytest.raises(InputError, match="1 group"):
        assign("ab", ["x", "x"], 2)


def test_labels_are_spread():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(50), 8)
    labels = rng.integers(0, 4, 400)
    folds = assign(labels, groups, 5)
    counts = np.array([np.bincount(labels[folds == k], minlength=4) for k in range(5)])
    assert counts.min() >= 12 and counts.max() <= 28


def corpus(rare):
    labels = ["a"] * 40 + ["b"] * 40 + ["c"] * rare
    groups = [f"s{k % 4}" for k in range(len(labels))]
    return labels, groups


def test_a_rare_class_is_left_out():
    labels, groups = corpus(rare=12)
    found, folds, changed = settle(labels, groups, 4, least=5)
    assert changed == [("c", "left out", 12)]
    assert (folds[:80] >= 0).all() and (folds[80:] == -1).all() and list(found) == labels


def test_a_rare_class_is_merged_and_what_stays_too_rare_left_out():
    labels, groups = corpus(rare=12)
    found, folds, changed = settle(labels, groups, 4, least=5, rare="merge")
    assert [each[1] for each in changed] == ["merged", "left out"]
    assert (folds[80:] == -1).all()
    two_rare = labels + ["d"] * 12, groups + [f"s{k % 4}" for k in range(12)]
    found, folds, changed = settle(*two_rare, 4, least=5, rare="merge")
    assert Counter(found)["other"] == 24 and (folds >= 0).all()
    assert sorted(changed) == [("c", "merged", 12), ("d", "merged", 12)]


def test_enough_of_every_class_changes_nothing():
    labels, groups = corpus(rare=20)
    found, folds, changed = settle(labels, groups, 4, least=5)
    assert not changed and list(found) == labels
    for k in range(4):
        assert min(Counter(found[folds == k]).values()) >= 5


def test_two_classes_must_be_left():
    with pytest.raises(InputError, match="1 classes are left"):
        settle(["a"] * 20 + ["b"] * 4, [f"s{k % 4}" for k in range(24)], 4, least=5)
