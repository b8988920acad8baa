import warnings

import numpy as np
import pytest

from phonoscope.probes.inference import bootstrap_mean, holm, paired_test, sign_flip_test


def loop_bootstrap(column, draws=2000, seed=0):
    """The percentile interval with one plain resample at a time, same counts."""
    column = column[np.isfinite(column)]
    counts = np.random.default_rng([seed, len(column)]).multinomial(
        len(column), np.full(len(column), 1 / len(column)), size=draws
    )
    means = [np.repeat(column, count).mean() for count in counts]
    return np.percentile(means, [2.5, 97.5])


def test_bootstrap_equals_a_loop_with_missing_speakers():
    values = np.random.default_rng(0).normal(size=(7, 5))
    values[2, 1] = values[0, 3] = values[5, 3] = np.nan
    low, high = bootstrap_mean(values)
    for column in range(5):
        np.testing.assert_allclose([low[column], high[column]], loop_bootstrap(values[:, column]), atol=1e-12)


def test_bootstrap_of_two_speakers_has_its_closed_form():
    # two speakers a < b: a resampled mean is a, (a+b)/2, b with probabilities 1/4, 1/2, 1/4
    low, high = bootstrap_mean(np.array([[0.2], [0.6]]))
    assert (low[0], high[0]) == pytest.approx((0.2, 0.6))


def test_bootstrap_width_follows_the_standard_error():
    values = np.random.default_rng(1).normal(0.5, 0.1, size=(400, 1))
    low, high = bootstrap_mean(values)
    expected = 2 * 1.96 * values.std() / np.sqrt(400)
    assert high[0] - low[0] == pytest.approx(expected, rel=0.08)


def test_bootstrap_needs_two_speakers():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        low, high = bootstrap_mean(np.array([[0.3, np.nan, 0.1]]))
    assert np.isnan(low).all() and np.isnan(high).all()


def test_bootstrap_is_reproducible_and_does_not_depend_on_other_columns():
    values = np.random.default_rng(2).normal(size=(9, 3))
    low, high = bootstrap_mean(values)
    alone = bootstrap_mean(values[:, [1]])
    assert (low[1], high[1]) == pytest.approx((alone[0][0], alone[1][0]), abs=1e-14)
    assert bootstrap_mean(values, seed=1)[0][0] != low[0]


@pytest.mark.parametrize("n", [2, 5, 18, 60])
def test_paired_test_gives_the_p_of_scipy(n):
    from scipy.stats import wilcoxon

    rng = np.random.default_rng(n)
    a, b = rng.normal(size=(2, n))
    pairs, difference, statistic, p, note = paired_test(np.append(a, np.nan), np.append(b, 1.0))
    reference = wilcoxon(a, b)
    assert pairs == n
    assert (statistic, p) == (reference.statistic, reference.pvalue)
    assert difference == pytest.approx((a - b).mean())
    assert bool(note) == (n < 6)


def test_paired_test_on_five_speakers_against_all_signs():
    difference = np.array([0.1, 0.25, -0.05, 0.4, 0.3])
    ranks = np.abs(difference).argsort().argsort() + 1
    observed = min(ranks[difference > 0].sum(), ranks[difference < 0].sum())
    signs = np.array(np.meshgrid(*[[0, 1]] * 5)).reshape(5, -1).T
    sums = signs @ ranks
    p = (np.minimum(sums, 15 - sums) <= observed).mean()
    assert paired_test(difference, np.zeros(5))[2:4] == pytest.approx((observed, p))


def test_paired_test_says_why_there_is_none():
    assert "fewer than two" in paired_test([0.1], [0.2])[4]
    assert paired_test([np.nan], [0.2])[0] == 0
    assert "equal for every speaker" in paired_test([0.1, 0.2, 0.3], [0.1, 0.2, 0.3])[4]


def every_flip(difference):
    signs = np.array(np.meshgrid(*[[-1, 1]] * len(difference))).reshape(len(difference), -1).T
    return np.mean(np.abs(signs @ difference) >= abs(difference.sum()) - 1e-9)


@pytest.mark.parametrize("kind", ["all differ", "few sizes", "mostly zero"])
def test_sign_flips_equal_all_flips(kind):
    rng = np.random.default_rng(2)
    for n in (1, 2, 5, 11, 14):
        a, b = rng.normal(size=(2, n)) if kind == "all differ" else rng.integers(0, 4, (2, n)) / 3
        b[n // 4 :] = a[n // 4 :] if kind == "mostly zero" else b[n // 4 :]
        pairs, different, difference, p, exact = sign_flip_test(np.append(a, np.nan), np.append(b, 1.0))
        assert (pairs, different, exact) == (n, np.sum(np.abs(a - b) > 1e-9), True)
        assert difference == pytest.approx((a - b).mean())
        assert p == pytest.approx(every_flip(a - b))


def test_random_sign_flips_are_near_the_exact_p():
    rng = np.random.default_rng(3)
    sizes = rng.normal(0.3, 1, 40)
    # Whole numbers, whose sums have an exact distribution by convolution.
    whole = np.round(sizes * 50)
    way = np.ones(1)
    for size in np.abs(whole).astype(int):
        grown = np.zeros(len(way) + 2 * size)
        grown[: len(way)] += way / 2
        grown[2 * size :] += way / 2
        way = grown
    sums = np.arange(len(way)) - len(way) // 2
    due = way[np.abs(sums) >= abs(whole.sum())].sum()
    _, _, _, p, exact = sign_flip_test(whole, np.zeros(40))
    assert not exact and 0.01 < due < 0.99 and p == pytest.approx(due, abs=4 * np.sqrt(due / 9999))
    assert sign_flip_test(whole, np.zeros(40))[3] == p
    assert sign_flip_test(np.arange(1.0, 41), np.zeros(40))[3] == 1 / 10_000


def test_one_size_of_difference_is_the_sign_test():
    from scipy.stats import binomtest

    a = np.repeat([0.25, -0.25, 0.0], [140, 100, 600])
    n, different, _, p, exact = sign_flip_test(a, np.zeros(840))
    assert (n, different, exact) == (840, 240, True)
    assert p == pytest.approx(binomtest(140, 240).pvalue)


def test_sign_flips_where_nothing_differs():
    assert sign_flip_test([0.1, 0.2], [0.1, 0.2]) == (2, 0, 0.0, 1.0, True)
    assert np.isnan(sign_flip_test([np.nan], [0.2])[3])


@pytest.mark.parametrize("size", [8, 40])
def test_sign_flips_are_not_too_sure_of_few_differences(size):
    rng, found = np.random.default_rng(size), []
    for _ in range(300):
        a, b = np.zeros((2, 200))
        a[:size], b[:size] = rng.integers(0, 3, (2, size)) / 2
        found.append(sign_flip_test(a, b)[3])
    assert np.mean(np.array(found) <= 0.05) <= 0.08


@pytest.mark.parametrize("n", [1, 2, 10, 66])
def test_holm_equals_statsmodels(n):
    from statsmodels.stats.multitest import multipletests

    p = np.random.default_rng(n).uniform(size=n) ** 3
    p[: n // 3] = p[0]  # ties
    np.testing.assert_allclose(holm(p), multipletests(p, method="holm")[1], atol=1e-15)


def test_holm_leaves_missing_tests_out_of_the_count():
    np.testing.assert_allclose(holm([0.01, np.nan, 0.04]), [0.02, np.nan, 0.04])
    assert holm([]).shape == (0,)
