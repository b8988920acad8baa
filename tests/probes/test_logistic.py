"""Logistic regression against scikit-learn's, at a tolerance where that has arrived."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from phonoscope.probes import logistic


def data(n, dim, n_classes, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, dim)) * np.arange(1, dim + 1) ** -0.5
    planes = rng.normal(size=(n_classes, dim)) * 3
    y = (x @ planes.T + rng.gumbel(size=(n, n_classes))).argmax(axis=1)
    y[:n_classes] = np.arange(n_classes)
    return x, y


def nasty(kind):
    x, y = data(300, 20, 4)
    if kind == "offset":
        x = x * 0.1 + 1000
    elif kind == "constant":
        x[:, 3] = 7.0
    elif kind == "collinear":
        x[:, 5] = 2 * x[:, 4] - x[:, 6]
    elif kind == "massive":
        x[:, 0] *= 1e6
    elif kind == "unbalanced":
        keep = (y != 2) | (np.arange(len(y)) % 12 == 0)
        x, y = x[keep], y[keep]
    elif kind == "separable":
        x[:, 0] = 5 * y
    elif kind == "two classes":
        y = y % 2
    elif kind == "fewer items than features":
        x, y = data(40, 200, 3)
    elif kind == "repeated items":
        x, y = np.vstack([x[:30]] * 3), np.concatenate([y[:30]] * 3)
    return x, y


KINDS = ["plain", "offset", "constant", "collinear", "massive", "unbalanced", "separable", "two classes"]


def reference(x, y, C):
    model = LogisticRegression(C=C, class_weight="balanced", max_iter=20000, tol=1e-9)
    return make_pipeline(StandardScaler(), model).fit(x, y)


@pytest.mark.parametrize("C", [0.01, 1.0])
@pytest.mark.parametrize("kind", [*KINDS, "fewer items than features", "repeated items"])
def test_the_minimum_is_that_of_scikit_learn(kind, C):
    x, y = nasty(kind)
    (found,) = logistic.fit(logistic.prepare(x), y, [C], int(y.max()) + 1)
    expected = reference(x, y, C).predict_proba(x)
    logits = found.logits(x)
    probability = np.exp(logits - logits.max(axis=1, keepdims=True))
    probability /= probability.sum(axis=1, keepdims=True)
    assert np.abs(probability - expected).max() < 3e-3
    assert (found.predict(x) == expected.argmax(axis=1)).mean() > 0.995


@pytest.mark.parametrize("kind", KINDS)
def test_scikit_learn_itself_can_be_asked(kind):
    x, y = nasty(kind)
    n_classes = int(y.max()) + 1
    ours, theirs = (
        logistic.fit(logistic.prepare(x), y, [0.1], n_classes, each)[0]
        for each in ("preconditioned", "scikit-learn")
    )
    assert np.abs(ours.coef - theirs.coef).max() < 0.02 * np.abs(theirs.coef).max()


def test_penalties_one_after_the_other_are_what_each_gives_alone():
    x, y = data(200, 30, 3)
    path = logistic.fit(logistic.prepare(x), y, [1.0, 0.01, 0.1], 3)
    for C, found in zip([1.0, 0.01, 0.1], path, strict=True):
        (alone,) = logistic.fit(logistic.prepare(x), y, [C], 3)
        assert found.C == C
        assert np.abs(found.coef - alone.coef).max() < 5e-3 * np.abs(alone.coef).max()


def test_the_gradient_vanishes_at_the_minimum():
    """Finite differences of the objective, written down anew."""
    x, y = data(150, 6, 3)
    (found,) = logistic.fit(logistic.prepare(x), y, [0.5], 3)
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    weights = (len(y) / (3 * np.bincount(y)))[y]

    def objective(coef, intercept):
        logits = z @ coef.T + intercept
        log = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        return -(weights * log[np.arange(len(y)), y]).sum() + (coef**2).sum() / (2 * 0.5)

    step = 1e-4
    for k in range(3):
        for j in range(6):
            moved = np.zeros((3, 6))
            moved[k, j] = step
            slope = objective(found.coef + moved, found.intercept) - objective(
                found.coef - moved, found.intercept
            )
            assert abs(slope / (2 * step)) < 5e-3


def test_a_class_without_items_is_refused():
    x, y = data(30, 3, 2)
    with pytest.raises(ValueError, match="class 2"):
        logistic.fit(logistic.prepare(x), y, [1.0], 3)
