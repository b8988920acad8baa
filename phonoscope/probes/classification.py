"""Scores of classifiers: confusion, F1, and how sure a mean over folds is."""

import numpy as np

from phonoscope.probes.inference import DRAWS, LEVEL, resampled


def confusion(truth, predicted, n_classes):
    """Counts, int array of shape (n_classes, n_classes): true class by predicted class."""
    counts = np.zeros((n_classes, n_classes), dtype=np.int64)
    np.add.at(counts, (truth, predicted), 1)
    return counts


def f1(counts):
    """F1 of every class, 2·TP / (2·TP + FP + FN); 0 for a class that is neither there nor predicted.

    Parameters
    ----------
    counts : array of shape (..., n_classes, n_classes)
        As :func:`confusion` gives them.

    Returns
    -------
    float array of shape (..., n_classes)
        The mean over classes is macro-F1.
    """
    hits = np.diagonal(counts, axis1=-2, axis2=-1)
    both = counts.sum(axis=-1) + counts.sum(axis=-2)
    return 2 * hits / np.maximum(both, 1)


def smallest_within_one_se(scores):
    """The first column whose mean over folds is within one standard error of the best column's.

    Parameters
    ----------
    scores : array of shape (n_folds, n_columns)
        Columns from the smallest window (or simplest model) to the largest.

    Returns
    -------
    int

    References
    ----------
    Breiman et al. (1984), Classification and Regression Trees, section 3.4.3 (the 1 SE rule).
    """
    return int(chosen_by_one_se(scores, np.ones((1, len(scores))))[0])


def one_se_interval(scores, draws=DRAWS, level=LEVEL, seed=0):
    """Percentile bootstrap over folds of what :func:`smallest_within_one_se` chooses.

    Returns
    -------
    low, high : int
        Columns.
    """
    chosen = chosen_by_one_se(scores, resampled(len(scores), draws, seed))
    low, high = np.quantile(chosen, [(1 - level) / 2, (1 + level) / 2], method="inverted_cdf")
    return int(low), int(high)


def chosen_by_one_se(scores, counts):
    """What :func:`smallest_within_one_se` chooses where folds count several times or not at all.

    Parameters
    ----------
    scores : array of shape (n_folds, n_columns)
    counts : array of shape (n_draws, n_folds)
        As ``inference.resampled`` gives them.

    Returns
    -------
    int array of shape (n_draws,)
    """
    scores = np.asarray(scores, dtype=float)
    n = len(scores)
    means = counts @ scores / n
    squares = counts @ scores**2 / n
    # Of the folds as a sample: n - 1 in the variance, n in the error of the mean.
    errors = np.sqrt(np.maximum(squares - means**2, 0) / max(n - 1, 1))
    rows, best = np.arange(len(means)), means.argmax(axis=1)
    least = means[rows, best] - errors[rows, best]
    return (means >= least[:, None] - 1e-12).argmax(axis=1)
