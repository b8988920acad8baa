"""Parts of labelled items that are held out in turn, so that no group is on both sides."""

import logging

import numpy as np

from phonoscope.errors import InputError


def assign(labels, groups, n_folds, seed=0):
    """A fold for every item: items of one group share it, and labels are spread evenly over the folds.

    scikit-learn's ``StratifiedGroupKFold``. With fewer groups than ``n_folds`` every group is a fold.

    Parameters
    ----------
    labels, groups : sequences of str, of length n_items
    n_folds : int
    seed : int

    Returns
    -------
    int array of shape (n_items,)
        From 0.

    Raises
    ------
    InputError
        With fewer than two groups.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    groups = np.asarray(groups, dtype=object)
    names, codes = np.unique(groups, return_inverse=True)
    if len(names) < 2:
        raise InputError(
            f"{len(names)} group of items cannot be parted into folds",
            fix="use another `fold_by`, or more data",
        )
    if len(names) <= n_folds:
        return codes
    split = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
    folds = np.zeros(len(groups), dtype=int)
    for k, (_, test) in enumerate(split.split(np.zeros(len(groups)), np.asarray(labels), codes)):
        folds[test] = k
    return folds


def settle(labels, groups, n_folds, least, rare="leave_out", seed=0, other="other"):
    """Folds in which every class has ``least`` items or more; classes that have not are dealt with.

    The rarest such class goes first, then folds are made anew: they depend on the items there are.

    Parameters
    ----------
    labels, groups : sequences of str, of length n_items
    n_folds, least : int
    rare : {"leave_out", "merge"}
        Leave the items out, or call them ``other`` (which is left out if it is too rare itself).
    seed : int
    other : str

    Returns
    -------
    labels : array of str of shape (n_items,)
        After merging.
    folds : int array of shape (n_items,)
        -1 for items that are left out.
    changed : list of (str, str, int)
        Class, what was done (``left out`` or ``merged``), number of items.

    Raises
    ------
    InputError
        Where fewer than two classes are left.
    """
    labels, groups = np.array(labels, dtype=object), np.asarray(groups, dtype=object)
    folds, changed = np.full(len(labels), -1), []
    kept = np.ones(len(labels), dtype=bool)
    while True:
        classes, codes = np.unique(labels[kept], return_inverse=True)
        if len(classes) < 2:
            raise InputError(
                f"{len(classes)} classes are left of which every fold has {least} items",
                fix="take fewer folds, a smaller `least`, or more data",
            )
        folds[:] = -1
        folds[kept] = assign(labels[kept], groups[kept], n_folds, seed)
        counts = np.zeros((folds.max() + 1, len(classes)), dtype=int)
        np.add.at(counts, (folds[kept], codes), 1)
        short = np.flatnonzero(counts.min(axis=0) < least)
        if not len(short):
            return labels, folds, changed
        worst = classes[min(short, key=lambda k: counts[:, k].sum())]
        items = kept & (labels == worst)
        if rare == "merge" and worst != other and len(classes) > 2:
            labels[items] = other
            changed.append((worst, "merged", int(items.sum())))
        else:
            kept &= ~items
            changed.append((worst, "left out", int(items.sum())))
        logging.warning("class %s: %s, %d items: too few in a fold", *changed[-1])
