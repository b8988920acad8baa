"""Probes of tones on features of segments: fitted on all folds but one, tested on that one."""

from dataclasses import dataclass

import numpy as np

from phonoscope.errors import InputError
from phonoscope.probes import logistic
from phonoscope.probes.classification import confusion, f1


@dataclass(frozen=True)
class Tested:
    """What :func:`cross_validate` found.

    Attributes
    ----------
    logits : float64 array of shape (n_items, n_classes)
        Of the probe that has not seen the item's fold.
    scores : float64 array of shape (n_folds,)
        Macro-F1 of each fold.
    probes : list of logistic.Classifier
        One per fold, fitted on the others.
    """

    logits: np.ndarray
    scores: np.ndarray
    probes: list

    @property
    def predicted(self):
        """Index of the likeliest class of every item."""
        return self.logits.argmax(axis=1)


def cross_validate(x, labellings, fold, n_classes, penalties, solver="preconditioned"):
    """Fit and test one probe per fold, for several labellings of the same items.

    With several penalties each fold chooses its own: the next fold is held out of the training part, and the
    penalty with the highest macro-F1 there is used to fit the whole training part.

    Parameters
    ----------
    x : float array of shape (n_items, dim)
    labellings : list of int arrays of shape (n_items,)
        Such as the true labels and shuffled ones; they share what does not depend on labels.
    fold : int array of shape (n_items,)
    n_classes : int
    penalties : list of float
        scikit-learn's C.
    solver : str

    Returns
    -------
    list of Tested
        One per labelling.

    Raises
    ------
    InputError
        Where a feature is not finite, or a penalty is to be chosen with two folds.
    """
    if not np.isfinite(x).all():
        bad = int(np.flatnonzero(~np.isfinite(x).all(axis=1))[0])
        raise InputError("a feature of a tone is not finite", row=f"item {bad}", fix="check the recording")
    n_folds = int(fold.max()) + 1
    if n_folds < 3 and len(penalties) > 1:
        raise InputError(
            "two folds leave nothing to choose a penalty on", row="tone.C", fix="give one C, or more folds"
        )
    logits = [np.zeros((len(x), n_classes)) for _ in labellings]
    probes = [[] for _ in labellings]
    for k in range(n_folds):
        train, test = fold != k, fold == k
        items = logistic.prepare(x[train])
        if len(penalties) > 1:
            held = fold == (k + 1) % n_folds
            inner = logistic.prepare(x[train & ~held])
        for y, out, kept in zip(labellings, logits, probes, strict=True):
            chosen = penalties
            if len(penalties) > 1:
                tried = logistic.fit(inner, y[train & ~held], penalties, n_classes, solver)
                found = [macro_f1(y[held], probe.predict(x[held]), n_classes) for probe in tried]
                chosen = [penalties[int(np.argmax(found))]]
            kept += logistic.fit(items, y[train], chosen, n_classes, solver)
            out[test] = kept[-1].logits(x[test])
    return [
        Tested(out, scores(y, out.argmax(axis=1), fold, n_classes), kept)
        for y, out, kept in zip(labellings, logits, probes, strict=True)
    ]


def macro_f1(truth, predicted, n_classes):
    """Mean F1 over all classes, those without items included."""
    return float(f1(confusion(truth, predicted, n_classes)).mean())


def scores(truth, predicted, fold, n_classes):
    """Macro-F1 of every fold."""
    return np.array(
        [macro_f1(truth[fold == k], predicted[fold == k], n_classes) for k in range(int(fold.max()) + 1)]
    )


def majority(items, n_classes):
    """Macro-F1 per fold of naming the commonest class of the other folds."""
    y, fold = items["label"], items["fold"]
    predicted = np.empty_like(y)
    for k in range(int(fold.max()) + 1):
        predicted[fold == k] = np.bincount(y[fold != k], minlength=n_classes).argmax()
    return scores(y, predicted, fold, n_classes)


def shuffled(items, seed):
    """The labels, shuffled within each fold, so that every fold keeps its classes."""
    label, rng = items["label"].copy(), np.random.default_rng(seed)
    for k in range(int(items["fold"].max()) + 1):
        here = np.flatnonzero(items["fold"] == k)
        label[here] = label[rng.permutation(here)]
    return label


def score_rows(items, probe, values, model, experiment, target, layer=None):
    """Rows of ``tables.SCORES``, one per fold, of macro-F1."""
    fold = items["fold"]
    return [
        {
            "experiment": experiment,
            "probe": probe,
            "model": model,
            "layer": layer,
            "train": "other folds",
            "test": str(k),
            "target": target,
            "metric": "macro_f1",
            "value": float(value),
            "n_train": int((fold != k).sum()),
            "n_test": int((fold == k).sum()),
            "note": "",
        }
        for k, value in enumerate(values)
    ]
