"""Multinomial logistic regression with an L2 penalty, for many fits on features that are much alike.

The estimator is scikit-learn's ``LogisticRegression(C=C, class_weight="balanced")`` on standardised
features: the minimum of Σᵢ sᵢ·log-loss(xᵢ, yᵢ) + |W|²/(2C), intercepts free, sᵢ = n/(K·n_class). The minimum
is unique (up to what leaves every probability as it is), so how it is found decides the time only:

- with fewer items than features the fit is done in the space that the items span, where the minimum lies;
- L-BFGS works on W·L, where LLᵀ is the curvature at W = 0 (the Gram matrix of the features, weighted, plus
  the penalty): all classes share it, and a third of the iterations reach a gradient that scikit-learn's
  default tolerance does not (benchmarks/logistic.py);
- penalties are solved from the strongest, each from the last one's minimum.
"""

import logging
from dataclasses import dataclass

import numpy as np

# Largest element of the gradient of the mean loss, in the preconditioned variables, at the minimum:
# probabilities are then within 1e-3 of the minimum's (scikit-learn's default leaves 1e-3 to 6e-3).
TOLERANCE = 1e-5
ITERATIONS = 2000


@dataclass(frozen=True)
class Classifier:
    """A fitted probe: logits = ((x − mean) / scale) coefᵀ + intercept.

    Attributes
    ----------
    coef : float64 array of shape (n_classes, dim)
    intercept : float64 array of shape (n_classes,)
    mean, scale : float64 arrays of shape (dim,)
        Of the training items; a constant feature has scale 1.
    C : float
    iterations : int
    """

    coef: np.ndarray
    intercept: np.ndarray
    mean: np.ndarray
    scale: np.ndarray
    C: float
    iterations: int

    def logits(self, x):
        """Array of shape (n_items, n_classes)."""
        return ((x - self.mean) / self.scale) @ self.coef.T + self.intercept

    def predict(self, x):
        """Index of the likeliest class of every item."""
        return self.logits(x).argmax(axis=1)


@dataclass(frozen=True)
class Prepared:
    """Training items, ready to be fitted to any labels.

    Attributes
    ----------
    x : float64 array of shape (n_items, rank)
        Standardised, in the space that the items span where they are fewer than the features.
    basis : float64 array of shape (rank, dim) or None
        Orthonormal rows, of that space.
    gram : float64 array of shape (rank, rank)
        xᵀx.
    mean, scale : float64 arrays of shape (dim,)
    """

    x: np.ndarray
    basis: np.ndarray | None
    gram: np.ndarray
    mean: np.ndarray
    scale: np.ndarray


def prepare(x):
    """Standardise training items once for all labels and penalties.

    Parameters
    ----------
    x : float array of shape (n_items, dim)

    Returns
    -------
    Prepared
    """
    x = np.asarray(x, dtype=np.float64)
    mean, scale = x.mean(axis=0), x.std(axis=0)
    scale[scale <= 1e-12 * np.maximum(1.0, np.abs(mean))] = 1.0
    x = (x - mean) / scale
    if len(x) >= x.shape[1]:
        return Prepared(x, None, x.T @ x, mean, scale)
    values, vectors = np.linalg.eigh(x @ x.T)
    kept = values > values.max(initial=0) * len(x) * np.finfo(float).eps
    root = np.sqrt(values[kept])
    basis = (vectors[:, kept] / root).T @ x
    return Prepared(vectors[:, kept] * root, basis, np.diag(values[kept]), mean, scale)


def fit(items, y, penalties, n_classes, solver="preconditioned"):
    """Fit one probe per penalty.

    Parameters
    ----------
    items : Prepared
    y : int array of shape (n_items,)
        Classes from 0.
    penalties : sequence of float
        scikit-learn's C: the inverse of the penalty, for the sum of the losses.
    n_classes : int
        Every class must have items.
    solver : {"preconditioned", "scikit-learn"}
        Ours, or scikit-learn's L-BFGS at its default tolerance, which stops a little short of the minimum.

    Returns
    -------
    list of Classifier
        In the order of ``penalties``.

    Raises
    ------
    ValueError
        Where a class has no items.
    """
    if len(empty := np.flatnonzero(np.bincount(y, minlength=n_classes) == 0)):
        raise ValueError(f"class {empty[0]} has no items to learn from")
    minimise = {"preconditioned": _preconditioned, "scikit-learn": _scikit_learn}[solver]
    found, start = {}, None
    for C in sorted(set(penalties)):
        coef, intercept, iterations = minimise(items, y, C, n_classes, start)
        start = coef, intercept
        full = coef if items.basis is None else coef @ items.basis
        found[C] = Classifier(full, intercept, items.mean, items.scale, C, iterations)
    return [found[C] for C in penalties]


def _scikit_learn(items, y, C, n_classes, start):
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=C, class_weight="balanced", max_iter=ITERATIONS, warm_start=True)
    if start is not None and n_classes > 2:
        model.coef_, model.intercept_ = start
    model.fit(items.x, y)
    coef, intercept = model.coef_, model.intercept_
    if n_classes == 2:  # scikit-learn keeps the difference of the two
        coef, intercept = np.vstack([-coef, coef]) / 2, np.concatenate([-intercept, intercept]) / 2
    return coef, intercept, int(model.n_iter_.max())


def _preconditioned(items, y, C, n_classes, start):
    from scipy.linalg import cholesky, solve_triangular
    from scipy.optimize import minimize

    x, (n, dim) = items.x, items.x.shape
    weights = (n / (n_classes * np.bincount(y)))[y]
    if n_classes == 2:
        # scikit-learn penalises the difference of the two classes: half as much for the same C.
        C = C / 2
    rows, total = np.arange(n), weights.sum()
    # Curvature of the log-loss at equal probabilities, weights aside; the same for every class and labelling.
    curvature = items.gram * ((1 - 1 / n_classes) / n_classes)
    curvature[np.diag_indices(dim)] += 1 / C
    factor = cholesky(curvature, lower=True, overwrite_a=True, check_finite=False)

    def weights_of(u):
        return solve_triangular(factor, u.T, lower=True, trans="T", check_finite=False).T

    def loss(variables):
        u = variables.reshape(n_classes, dim + 1)
        coef = weights_of(u[:, :dim])
        logits = x @ coef.T + u[:, dim]
        logits -= logits.max(axis=1, keepdims=True)
        residual = np.exp(logits)
        sums = residual.sum(axis=1, keepdims=True)
        value = weights @ (np.log(sums[:, 0]) - logits[rows, y]) + (coef * coef).sum() / (2 * C)
        residual /= sums
        residual[rows, y] -= 1
        residual *= weights[:, None]
        slope = residual.T @ x + coef / C
        slope = solve_triangular(factor, slope.T, lower=True, check_finite=False).T
        return value / total, np.column_stack([slope, residual.sum(axis=0)]).ravel() / total

    first = np.zeros((n_classes, dim + 1))
    if start is not None:
        first[:, :dim], first[:, dim] = start[0] @ factor, start[1]
    options = {"maxiter": ITERATIONS, "gtol": TOLERANCE, "ftol": 0.0, "maxcor": 10}
    found = minimize(loss, first.ravel(), jac=True, method="L-BFGS-B", options=options)
    if found.nit >= ITERATIONS:
        logging.warning("a logistic regression stopped after %d iterations (C = %g)", found.nit, C)
    u = found.x.reshape(n_classes, dim + 1)
    coef, intercept = weights_of(u[:, :dim]), u[:, dim]
    # What all classes share changes no probability; scikit-learn's minimum has none of it.
    return coef - coef.mean(axis=0), intercept - intercept.mean(), int(found.nit)
