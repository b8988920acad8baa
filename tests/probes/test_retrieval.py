import numpy as np
import pytest
from scipy.stats import binomtest

from phonoscope.probes.retrieval import binomial_interval, ranks, retrieval


def naive_rank(row, target):
    """Place of the target in a list sorted by falling score, behind all of its equals."""
    order = sorted(range(len(row)), key=lambda j: (-row[j], j == target))
    return order.index(target) + 1


@pytest.mark.parametrize("levels", [2, 5, 10**9])
@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (7, 7), (12, 30), (30, 12)])
def test_ranks_equal_a_sort(levels, shape):
    rng = np.random.default_rng([levels, *shape])
    scores = rng.integers(levels, size=shape).astype(np.float32)
    targets = rng.integers(shape[1], size=shape[0])
    expected = [naive_rank(row, target) for row, target in zip(scores, targets, strict=True)]
    assert ranks(scores, targets).tolist() == expected
    found = {r.metric: r for r in retrieval(scores, targets, ks=(1, 3, 5))}
    for k in (1, 3, 5):
        hits = sum(rank <= k for rank in expected)
        assert (found[f"R@{k}"].hits, found[f"R@{k}"].value) == (hits, hits / shape[0])
    assert found["MRR"].value == pytest.approx(sum(1 / rank for rank in expected) / shape[0])


def test_the_diagonal_is_true_by_default():
    scores = np.array([[0.9, 0.1, 0.2], [0.8, 0.7, 0.6], [0.3, 0.5, 0.5]])
    assert ranks(scores).tolist() == [1, 2, 2]
    assert ranks(scores.T).tolist() == [1, 1, 2]


def test_states_that_are_all_alike_retrieve_nothing():
    at_1, at_5, mrr = retrieval(np.ones((20, 20)))
    assert at_1.hits == at_5.hits == 0
    assert mrr.value == pytest.approx(1 / 20)


def test_chance_is_what_random_scores_reach():
    rng = np.random.default_rng(0)
    found = [retrieval(rng.standard_normal((10, 10)), ks=(1, 5, 20)) for _ in range(2000)]
    for metric in range(4):
        values = [r[metric].value for r in found]
        assert np.mean(values) == pytest.approx(found[0][metric].chance, abs=4 * np.std(values) / 2000**0.5)
    assert [r.chance for r in found[0][:3]] == [0.1, 0.5, 1.0]
    assert (found[0][0].n, found[0][0].n_candidates) == (10, 10)


def test_interval_of_a_score_is_that_of_its_hits():
    scores = np.eye(8)
    scores[1:4, 7] = 2  # three of eight go astray
    at_1 = retrieval(scores, level=0.9)[0]
    assert (at_1.hits, at_1.n, at_1.value) == (5, 8, 5 / 8)
    assert (at_1.low, at_1.high) == binomial_interval(at_1.hits, 8, 0.9)
    assert at_1.low < at_1.value < at_1.high


@pytest.mark.parametrize("n", [1, 2, 7, 50, 427])
@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_interval_equals_scipy(n, level):
    for hits in sorted({0, 1, n // 3, n - 1, n}):
        expected = binomtest(hits, n).proportion_ci(level, method="exact")
        assert binomial_interval(hits, n, level) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_interval_covers_at_least_its_level():
    n, p = 20, 0.15
    from scipy.stats import binom

    covered = sum(
        binom.pmf(k, n, p)
        for k in range(n + 1)
        if binomial_interval(k, n)[0] <= p <= binomial_interval(k, n)[1]
    )
    assert 0.95 <= covered < 0.99


def test_what_cannot_be_ranked_is_refused():
    with pytest.raises(ValueError, match="NaN"):
        ranks([[1.0, np.nan]])
    for targets in ([2], [-1], [0, 1]):
        with pytest.raises(ValueError, match="target"):
            ranks(np.ones((1, 2)), targets)
    with pytest.raises(ValueError, match="target"):
        ranks(np.ones((3, 2)))


def test_no_queries_give_no_values():
    found = retrieval(np.ones((0, 3)))
    assert all(np.isnan(r.value) and r.n == 0 for r in found)
    assert np.isnan([found[0].low, found[0].high]).all()
