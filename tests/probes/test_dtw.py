import tracemalloc
from functools import cache

import numpy as np
import pytest

from phonoscope.errors import InputError
from phonoscope.probes import dtw
from phonoscope.probes.dtw import dtw_matrix, mean_along_path


def utterances(rng, lengths, d, dtype=np.float32):
    return [rng.standard_normal((n, d)).astype(dtype) for n in lengths]


def cosine_distance(x, y):
    x, y = x.astype(float), y.astype(float)
    norms = np.linalg.norm(x, axis=1)[:, None] * np.linalg.norm(y, axis=1)
    return 1 - np.divide(x @ y.T, norms, out=np.zeros_like(norms), where=norms > 0)


def every_path(n, m):
    """All warping paths from (0, 0) to (n - 1, m - 1)."""

    @cache
    def paths(i, j):
        if (i, j) == (0, 0):
            return [((0, 0),)]
        before = [(i - 1, j - 1), (i - 1, j), (i, j - 1)]
        return [(*path, (i, j)) for p, q in before if p >= 0 and q >= 0 for path in paths(p, q)]

    return paths(n - 1, m - 1)


def brute_force(distance):
    """Least cost over all paths, and among those of equal cost the fewest cells; the mean."""
    costs = [(sum(distance[i, j] for i, j in path), len(path)) for path in every_path(*distance.shape)]
    cost, cells = min(costs)
    return cost / cells


def cell_by_cell(distance):
    """The textbook recursion."""
    n, m = distance.shape
    table = {(-1, -1): (0.0, 0)}
    for i in range(n):
        for j in range(m):
            before = [table[p] for p in ((i - 1, j - 1), (i - 1, j), (i, j - 1)) if p in table]
            cost, cells = min(before)
            table[i, j] = cost + distance[i, j], cells + 1
    cost, cells = table[n - 1, m - 1]
    return cost / cells


@pytest.mark.parametrize("n, m", [(1, 1), (1, 6), (6, 1), (2, 2), (3, 5), (5, 5), (6, 4)])
def test_equals_the_best_of_all_paths(n, m):
    rng = np.random.default_rng([n, m])
    for _ in range(5):
        a, b = rng.standard_normal((n, 3)), rng.standard_normal((m, 3))
        assert dtw_matrix([a], [b])[0, 0] == pytest.approx(brute_force(cosine_distance(a, b)), abs=1e-6)


@pytest.mark.parametrize("n, m", [(3, 5), (5, 5), (6, 4), (5, 2)])
def test_among_equal_costs_the_shortest_path_counts(n, m):
    """Distances of quarters are full of ties, and exact."""
    rng = np.random.default_rng([n, m])
    distance = rng.choice([0, 0.25, 0.5], (n, m, 40)).astype(np.float32)
    found = mean_along_path(distance, np.full(40, m))
    assert found.tolist() == [brute_force(distance[:, :, k].astype(float)) for k in range(40)]


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("d", [2, 40])
@pytest.mark.parametrize("group", [1, 40, 2**14])
def test_all_pairs_equal_the_recursion(monkeypatch, dtype, d, group):
    monkeypatch.setattr(dtw, "GROUP_FRAMES", group)
    rng = np.random.default_rng(d)
    a = utterances(rng, [20, 1, 7, 33, 2, 20, 11], d, dtype)
    b = utterances(rng, [4, 1, 40, 17, 2], d, dtype)
    a[2][1:3] = 0
    expected = [[cell_by_cell(np.float32(cosine_distance(x, y)).astype(float)) for y in b] for x in a]
    np.testing.assert_allclose(dtw_matrix(a, b), expected, atol=1e-6)
    np.testing.assert_allclose(dtw_matrix(b, a).T, expected, atol=1e-6)


def test_one_dimension_has_ties_everywhere():
    signs = [np.random.default_rng(n).choice([-1.0, 0.0, 1.0], (n, 1)) for n in (20, 1, 7, 33)]
    expected = [[cell_by_cell(cosine_distance(x, y)) for y in signs] for x in signs]
    np.testing.assert_allclose(dtw_matrix(signs, signs), expected, rtol=1e-7)


def test_of_an_utterance_with_itself_slowed_down_is_zero():
    rng = np.random.default_rng(1)
    a = utterances(rng, [30, 12], 16)
    slow = [np.repeat(x, rng.integers(1, 4, len(x)), axis=0) for x in a]
    distances = dtw_matrix(a, slow)
    np.testing.assert_allclose(np.diag(distances), 0, atol=1e-6)
    assert distances[0, 1] > 0.3 and distances[1, 0] > 0.3
    backwards = dtw_matrix([x[::-1] for x in a], slow)
    assert (np.diag(backwards) > 0.3).all()  # unlike SeqSim, DTW minds the order


def test_opposite_frames_are_at_distance_two():
    x = np.ones((5, 4))
    assert dtw_matrix([x], [-x[:3]])[0, 0] == 2
    assert dtw_matrix([x], [0 * x])[0, 0] == 1


def test_long_paths_keep_their_length_exactly():
    """2 * 6000 frames of distance 2 - 2**-23: the largest sums, and every bit of them counts."""
    n = 6000
    distance = np.full((n, 1, 1), np.float32(2 - 2**-23))
    assert mean_along_path(distance, np.array([1]))[0] == 2 - 2**-23
    ramp = (np.arange(n) % 97).astype(np.float32)[None, :, None] / 128
    assert mean_along_path(ramp, np.array([n]))[0] == ramp.sum(dtype=float) / n


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("memory", [50_000, 2**30])
def test_threads_and_memory_do_not_matter(threads, memory):
    rng = np.random.default_rng(2)
    a, b = utterances(rng, rng.integers(1, 20, 15), 32), utterances(rng, rng.integers(1, 20, 12), 32)
    expected = [[cell_by_cell(np.float32(cosine_distance(x, y)).astype(float)) for y in b] for x in a]
    np.testing.assert_allclose(dtw_matrix(a, b, memory, threads), expected, atol=1e-6)


def test_memory_is_bounded():
    rng = np.random.default_rng(3)
    a = utterances(rng, [40] * 200, 16, np.float16)
    bound = 2**20
    tracemalloc.start()
    dtw_matrix(a, a[:50], memory_bytes=bound, threads=2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert bound / 4 < peak < bound + 2**18, f"{peak / 2**20:.2f} MiB"


def test_what_cannot_be_done_is_said():
    rng = np.random.default_rng(4)
    a, b = utterances(rng, [300, 5], 16), utterances(rng, [200, 7], 16)
    with pytest.raises(InputError, match="fi_1 and ru_1") as error:
        dtw_matrix(a, b, memory_bytes=100_000, threads=1, names=(["fi_1", "fi_2"], ["ru_1", "ru_2"]))
    enough = int(error.value.fix.split(" to ")[1].split()[0])
    np.testing.assert_allclose(dtw_matrix(a, b, enough, threads=1), dtw_matrix(a, b), atol=1e-6)
    with pytest.raises(InputError, match="fi_2 and ru_1: .*16400 frames together"):
        names = ["fi_1", "fi_2"], ["ru_1"]
        dtw_matrix([np.ones((4, 1)), np.ones((16000, 1))], [np.ones((400, 1))], names=names)
    b[1][3, 3] = np.nan
    with pytest.raises(InputError, match="utterance 1 of b: has NaN"):
        dtw_matrix(a, b)
    assert dtw_matrix([], a).shape == (0, 2)
