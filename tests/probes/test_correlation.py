"""Correlations and Steiger's test against scipy, closed forms and simulation."""

import numpy as np
import pytest
from scipy import stats

from phonoscope.probes import correlation


@pytest.mark.parametrize("n", [3, 5, 30])
@pytest.mark.parametrize("ties", [False, True])
def test_correlations_are_scipys(n, ties):
    rng = np.random.default_rng(n)
    x, y = rng.normal(size=(2, 4, n))
    if ties:
        x, y = np.round(x), np.round(y + x)
    for row in range(4):
        if np.ptp(x[row]) == 0 or np.ptp(y[row]) == 0:
            continue
        found = correlation.pearson_rows(x, y)[row], correlation.spearman_rows(x, y)[row]
        expected = stats.pearsonr(x[row], y[row])[0], stats.spearmanr(x[row], y[row])[0]
        assert found == pytest.approx(expected, abs=1e-12)


def test_what_does_not_vary_has_no_correlation():
    flat = np.full(5, 0.1)
    assert np.isnan(correlation.pearson_rows(flat, np.arange(5.0)))
    assert np.isnan(correlation.spearman_rows(np.arange(5.0), flat))


def test_the_bootstrap_is_paired_and_covers_what_scipy_says():
    rng = np.random.default_rng(0)
    y = rng.normal(size=25)
    predictors = np.stack([y + rng.normal(size=25), y + rng.normal(size=25), -y])
    r, drawn, low, high = correlation.bootstrap("pearson", predictors, y, draws=4000)
    assert r[2] == pytest.approx(-1) and drawn[:, 2] == pytest.approx(-1)
    for i in range(2):
        sample = stats.bootstrap(
            (predictors[i], y), lambda a, b: stats.pearsonr(a, b)[0], paired=True, vectorized=False,
            method="percentile", n_resamples=2000, rng=np.random.default_rng(1),
        )  # fmt: skip
        assert (low[i], high[i]) == pytest.approx(sample.confidence_interval, abs=0.03)
    again = correlation.bootstrap("pearson", predictors, y, draws=4000)
    assert np.array_equal(drawn, again[1])


def test_few_models_have_no_interval():
    r, drawn, low, high = correlation.bootstrap("spearman", [[1, 2]], [3, 4])
    assert r == pytest.approx([1]) and not len(drawn) and np.isnan([low, high]).all()


def asymptotic_covariance(r, jk, hm):
    """Of two sample correlations, times n; Olkin & Siotani's general form, from a correlation matrix."""
    (j, k), (h, m) = jk, hm
    return (
        0.5 * r[j, k] * r[h, m] * (r[j, h] ** 2 + r[j, m] ** 2 + r[k, h] ** 2 + r[k, m] ** 2)
        + r[j, h] * r[k, m]
        + r[j, m] * r[k, h]
        - r[j, k] * (r[j, h] * r[j, m] + r[k, h] * r[k, m])
        - r[h, m] * (r[j, h] * r[k, h] + r[j, m] * r[k, m])
    )


@pytest.mark.parametrize("case", range(6))
def test_steiger_is_fishers_z_with_the_general_covariance(case):
    rng = np.random.default_rng(case)
    data = rng.normal(size=(40, 3)) @ rng.normal(size=(3, 3))
    sample = np.corrcoef(data.T)
    pooled = sample.copy()
    mean = (sample[0, 1] + sample[0, 2]) / 2
    pooled[0, 1] = pooled[1, 0] = pooled[0, 2] = pooled[2, 0] = mean
    shared = asymptotic_covariance(pooled, (0, 1), (0, 2)) / (1 - mean**2) ** 2
    assert asymptotic_covariance(pooled, (0, 1), (0, 1)) == pytest.approx((1 - mean**2) ** 2)
    z = (np.arctanh(sample[0, 1]) - np.arctanh(sample[0, 2])) * np.sqrt(37 / (2 - 2 * shared))
    found, p = correlation.steiger(sample[0, 1], sample[0, 2], sample[1, 2], 40)
    assert found == pytest.approx(z, rel=1e-9)
    assert p == pytest.approx(2 * stats.norm.sf(abs(z)), rel=1e-9)


def test_the_covariance_is_that_of_simulated_correlations():
    """Which keeps the reference itself honest."""
    true = np.array([[1, 0.6, 0.4], [0.6, 1, 0.5], [0.4, 0.5, 1]])
    draws = np.random.default_rng(0).multivariate_normal(np.zeros(3), true, size=(4000, 100))
    r_12, r_13 = (correlation.pearson_rows(draws[..., 0], draws[..., k]) for k in (1, 2))
    expected = asymptotic_covariance(true, (0, 1), (0, 2)) / 100
    assert np.cov(r_12, r_13)[0, 1] == pytest.approx(expected, rel=0.12)


@pytest.mark.parametrize("n", [10, 40])
def test_steiger_keeps_its_size_and_finds_a_difference(n):
    rng = np.random.default_rng(1)

    def share_below(true):
        draws = rng.multivariate_normal(np.zeros(3), true, size=(3000, n))
        y, a, b = np.moveaxis(draws, 2, 0)
        r = [correlation.pearson_rows(*pair) for pair in ((y, a), (y, b), (a, b))]
        return np.mean([correlation.steiger(*each, n)[1] < 0.05 for each in zip(*r, strict=True)])

    equal = share_below(np.array([[1, 0.5, 0.5], [0.5, 1, 0.6], [0.5, 0.6, 1]]))
    assert 0.03 < equal < 0.07
    assert share_below(np.array([[1, 0.9, 0.1], [0.9, 1, 0.2], [0.1, 0.2, 1]])) > 5 * equal


def test_steiger_is_undefined_where_it_cannot_be_made():
    assert np.isnan(correlation.steiger(0.5, 0.4, 0.3, 3)).all()
    assert np.isnan(correlation.steiger(1.0, 0.4, 0.4, 9)).all()
    assert np.isnan(correlation.steiger(0.4, 0.4, 1.0, 9)).all()
    assert np.isnan(correlation.steiger(np.nan, 0.4, 0.4, 9)).all()
    z, p = correlation.steiger(0.4, 0.4, 0.2, 9)
    assert z == 0 and p == 1
