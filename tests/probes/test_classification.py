"""F1 against scikit-learn; the rule of one standard error against its definition."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, f1_score

from phonoscope.probes import classification as cl
from phonoscope.probes.inference import resampled


@pytest.mark.parametrize("seed", range(5))
def test_f1_and_confusion(seed):
    rng = np.random.default_rng(seed)
    truth, predicted = rng.integers(0, 4, 60), rng.integers(0, 5, 60)
    counts = cl.confusion(truth, predicted, 6)
    assert (counts == confusion_matrix(truth, predicted, labels=range(6))).all()
    expected = f1_score(truth, predicted, labels=range(6), average=None, zero_division=0)
    assert cl.f1(counts) == pytest.approx(expected)


def by_definition(scores):
    means = scores.mean(axis=0)
    best = means.argmax()
    error = scores[:, best].std(ddof=1) / np.sqrt(len(scores))
    return next(k for k, mean in enumerate(means) if mean >= means[best] - error - 1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_one_standard_error(seed):
    rng = np.random.default_rng(seed)
    scores = np.minimum(np.arange(10) / 6, 1) + rng.normal(scale=0.2, size=(7, 10))
    assert cl.smallest_within_one_se(scores) == by_definition(scores)
    counts = resampled(7, draws=50, seed=seed)
    expected = []
    for each in counts:
        # Resampled folds count n - 1 in the variance, as the sample itself does.
        drawn = np.repeat(scores, each, axis=0)
        expected.append(by_definition(drawn))
    assert (cl.chosen_by_one_se(scores, counts) == expected).all()


def test_a_flat_curve_gives_the_smallest_and_a_certain_one_the_best():
    assert cl.smallest_within_one_se(np.full((5, 4), 0.3)) == 0
    assert cl.smallest_within_one_se(np.tile([0.1, 0.2, 0.5, 0.4], (5, 1))) == 2
    assert cl.one_se_interval(np.tile([0.1, 0.2, 0.5, 0.4], (5, 1))) == (2, 2)
