import tracemalloc

import numpy as np
import pytest

from phonoscope.errors import InputError
from phonoscope.probes import seqsim
from phonoscope.probes.pairs import checked, groups, unit_frames
from phonoscope.probes.seqsim import harmonic_mean, mean_pooled_matrix, precision_recall, seqsim_matrix


def cosine(x, y):
    norms = np.linalg.norm(x) * np.linalg.norm(y)
    return x @ y / norms if norms else 0.0


def naive(a, b):
    """Precision and recall frame by frame and pair by pair, in float64."""
    result = np.zeros((2, len(a), len(b)))
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            s = np.array([[cosine(u, v) for v in y.astype(float)] for u in x.astype(float)])
            result[:, i, j] = s.max(axis=1).mean(), s.max(axis=0).mean()
    return result


def utterances(rng, lengths, d, dtype=np.float32, offset=0.0):
    return [(rng.standard_normal((n, d)) + offset).astype(dtype) for n in lengths]


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of a few frames, so that small data fill many of them."""
    monkeypatch.setattr(seqsim, "BLOCK_FRAMES", 8)
    monkeypatch.setattr(seqsim, "LEAST_BLOCK_FRAMES", 8)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("d", [1, 2, 33])
@pytest.mark.parametrize("offset", [0.0, 3.0])
def test_blocks_equal_a_loop_over_frames(small_blocks, dtype, d, offset):
    rng = np.random.default_rng([d, int(offset)])
    a = utterances(rng, [1, 7, 3, 20, 1, 5], d, dtype, offset)
    b = utterances(rng, [4, 1, 9, 2], d, dtype, offset)
    p, r = naive(a, b)
    got_p, got_r = precision_recall(a, b)
    np.testing.assert_allclose(got_p, p, atol=1e-6)
    np.testing.assert_allclose(got_r, r, atol=1e-6)
    assert got_p.dtype == got_r.dtype == np.float32
    np.testing.assert_allclose(seqsim_matrix(a, b), harmonic_mean(p, r), atol=1e-5)


def test_one_utterance_of_one_frame():
    x, y = np.array([[3.0, 4.0]]), np.array([[4.0, 3.0]])
    np.testing.assert_allclose(seqsim_matrix([x], [y]), [[24 / 25]], atol=1e-7)
    np.testing.assert_allclose(seqsim_matrix([x], [-y]), [[-24 / 25]], atol=1e-7)


def test_an_utterance_is_wholly_like_itself_and_never_more():
    rng = np.random.default_rng(0)
    a = utterances(rng, rng.integers(1, 40, 30), 64)
    scores = seqsim_matrix(a, a)
    np.testing.assert_allclose(np.diag(scores), 1, atol=1e-6)
    assert scores.max() <= 1
    assert (scores - np.diag(np.diag(scores)) < 0.99).all()


def test_swapping_transposes():
    rng = np.random.default_rng(1)
    a, b = utterances(rng, [5, 30, 1, 12], 16), utterances(rng, [8, 2, 40], 16)
    (p, r), (p_swapped, r_swapped) = precision_recall(a, b), precision_recall(b, a)
    np.testing.assert_allclose(p, r_swapped.T, atol=1e-6)
    np.testing.assert_allclose(r, p_swapped.T, atol=1e-6)
    np.testing.assert_allclose(seqsim_matrix(a, b), seqsim_matrix(b, a).T, atol=1e-6)


def test_precision_of_a_part_is_one():
    rng = np.random.default_rng(2)
    whole = rng.standard_normal((50, 24))
    part = whole[rng.choice(50, 20, replace=False)] * rng.uniform(0.5, 2, (20, 1))
    p, r = precision_recall([part], [whole])
    assert p[0, 0] == pytest.approx(1, abs=1e-6)
    assert r[0, 0] < 0.95


def test_order_of_frames_and_of_utterances_does_not_matter():
    rng = np.random.default_rng(3)
    a, b = utterances(rng, [5, 30, 1, 12], 16), utterances(rng, [8, 2, 40], 16)
    scores = seqsim_matrix(a, b)
    np.testing.assert_allclose(seqsim_matrix([rng.permutation(x) for x in a], b), scores, atol=1e-6)
    order = rng.permutation(4)
    np.testing.assert_allclose(seqsim_matrix([a[i] for i in order], b), scores[order], atol=1e-6)


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("frames", [1, 3, 16, 1000])
@pytest.mark.parametrize("memory", [30_000, 60_000, 2**30])
def test_blocks_threads_and_memory_do_not_matter(monkeypatch, threads, frames, memory):
    rng = np.random.default_rng(4)
    a, b = utterances(rng, rng.integers(1, 20, 25), 32), utterances(rng, rng.integers(1, 20, 31), 32)
    p, r = naive(a, b)
    monkeypatch.setattr(seqsim, "BLOCK_FRAMES", frames)
    monkeypatch.setattr(seqsim, "LEAST_BLOCK_FRAMES", 1)
    got_p, got_r = precision_recall(a, b, memory, threads)
    np.testing.assert_allclose(got_p, p, atol=1e-6)
    np.testing.assert_allclose(got_r, r, atol=1e-6)


def test_half_float_states_give_the_score_of_the_widened_states():
    rng = np.random.default_rng(5)
    a, b = utterances(rng, [40, 20], 64, np.float16), utterances(rng, [30, 10], 64, np.float16)
    wide = seqsim_matrix([x.astype(np.float32) for x in a], [x.astype(np.float32) for x in b])
    np.testing.assert_array_equal(seqsim_matrix(a, b), wide)


def test_frames_of_zeros_have_cosine_zero():
    rng = np.random.default_rng(6)
    a, b = utterances(rng, [6, 4], 8), utterances(rng, [5, 3], 8)
    a[0][2:4] = 0
    b[1][:] = 0
    p, r = naive(a, b)
    got_p, got_r = precision_recall(a, b)
    np.testing.assert_allclose(got_p, p, atol=1e-6)
    np.testing.assert_allclose(got_r, r, atol=1e-6)
    assert (seqsim_matrix(a, b)[:, 1] == 0).all()


@pytest.mark.parametrize("scale", [1e-40, 1e-30, 1e-18, 1e18, 1e30, 1e38])
def test_scale_does_not_matter(scale):
    rng = np.random.default_rng(7)
    a, b = (utterances(rng, lengths, 8) for lengths in ([6, 4], [5, 3]))
    a = [np.sign(x) * np.round(np.abs(x) * 4 + 1) for x in a]  # whole numbers survive as denormals
    scaled = [(x / (100 if scale > 1 else 1) * scale).astype(np.float32) for x in a]
    tolerance = 1e-4 if scale == 1e-40 else 1e-6
    np.testing.assert_allclose(seqsim_matrix(scaled, b), seqsim_matrix(a, b), atol=tolerance)
    out = np.empty((6, 8), np.float32)
    unit_frames(scaled[0], "x", out)
    np.testing.assert_allclose(np.linalg.norm(out, axis=1), 1, atol=1e-6)


def test_a_massive_dimension_does_not_drown_in_rounding():
    rng = np.random.default_rng(8)
    a, b = utterances(rng, [30, 20], 256), utterances(rng, [25, 15], 256)
    for x in [*a, *b]:
        x[:, 7] += 3000
    np.testing.assert_allclose(precision_recall(a, b), naive(a, b), atol=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("function", [seqsim_matrix, mean_pooled_matrix])
def test_states_that_are_no_numbers_are_named(bad, dtype, function):
    rng = np.random.default_rng(9)
    a, b = utterances(rng, [6, 4], 8, dtype), utterances(rng, [5, 3, 2], 8, dtype)
    b[1][2, 3] = bad
    with pytest.raises(InputError, match=r"fi_7.*NaN or infinite"):
        function(a, b, names=(["x", "y"], ["fi_6", "fi_7", "fi_8"]))
    with pytest.raises(InputError, match="utterance 1 of a"):
        function(b, a)


def test_shapes_that_do_not_fit_are_named():
    good = np.ones((3, 4))
    with pytest.raises(InputError, match="utterance 1 of b.*at least one frame"):
        seqsim_matrix([good], [good, np.ones((0, 4))])
    with pytest.raises(InputError, match="utterance 0 of a.*shape"):
        seqsim_matrix([np.ones(4)], [good])
    with pytest.raises(InputError, match="utterance 1 of b.*5 dimensions, others have 4"):
        seqsim_matrix([good], [good, np.ones((3, 5))])
    with pytest.raises(ValueError, match="shorter"):
        checked([good, good], [good], (["x"], ["y"]))


def test_no_utterances():
    good = [np.ones((3, 4))]
    assert seqsim_matrix([], good).shape == (0, 1)
    assert seqsim_matrix(good, []).shape == mean_pooled_matrix(good, []).shape == (1, 0)


def test_harmonic_mean_of_cosines():
    rng = np.random.default_rng(10)
    p, r = rng.uniform(0.01, 1, (2, 100))
    np.testing.assert_allclose(harmonic_mean(p, r), 2 / (1 / p + 1 / r))
    # no pole, within bounds, rising in both, continuous where the sign changes
    grid = np.linspace(-1, 1, 401)
    score = harmonic_mean(*np.meshgrid(grid, grid, indexing="ij"))
    assert np.isfinite(score).all() and np.abs(score).max() <= 1
    assert (np.diff(score, axis=0) >= -1e-12).all() and (np.diff(score, axis=1) >= -1e-12).all()
    assert np.abs(np.diff(score, axis=0)).max() < 2.1 * (grid[1] - grid[0])
    np.testing.assert_allclose(np.diag(score), grid, atol=1e-12)


def test_groups_hold_every_utterance_once_and_no_more_than_asked():
    rng = np.random.default_rng(11)
    for most in (1, 5, 30, 1000):
        lengths = rng.integers(1, 20, 50).tolist()
        found = groups(lengths, most)
        assert [i for g in found for i in range(g.start, g.stop)] == list(range(50))
        assert all(sum(lengths[g]) <= most or g.stop - g.start == 1 for g in found)
    assert groups([], 5) == []


@pytest.mark.parametrize("frames", [1, 20])
def test_memory_is_bounded_for_a_thousand_utterances(frames):
    rng = np.random.default_rng(12)
    states = rng.standard_normal((1000 * frames, 64), dtype=np.float32).astype(np.float16)
    a = np.split(states, 1000)
    bound, result = 4 * 2**20, 2 * 1000 * 1000 * 4
    expected = precision_recall(a[500:510], a[:20], threads=1)
    tracemalloc.start()
    found = precision_recall(a, a, memory_bytes=bound, threads=2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_allclose(np.array(found)[:, 500:510, :20], expected, atol=1e-6)
    # Beside the bound and the result: some small objects per utterance and block.
    assert result < peak < bound + result + 2**20, f"{(peak - result) / 2**20:.2f} MiB"


def test_memory_that_holds_no_pair_is_refused_and_the_advice_is_enough():
    rng = np.random.default_rng(13)
    a, b = utterances(rng, [300, 5, 40], 16), utterances(rng, [200, 7], 16)
    with pytest.raises(InputError, match="utterance 0 of a and utterance 0 of b") as error:
        seqsim_matrix(a, b, memory_bytes=100_000, threads=2)
    enough = int(error.value.fix.split(" to ")[1].split()[0])
    np.testing.assert_allclose(
        seqsim_matrix(a, b, memory_bytes=enough, threads=2), seqsim_matrix(a, b), atol=1e-6
    )
    with pytest.raises(InputError):
        seqsim_matrix(a, b, memory_bytes=enough - 1, threads=2)


def test_an_error_in_a_block_comes_out(monkeypatch, small_blocks):
    calls = []

    def broken(*_):
        calls.append(1)
        raise MemoryError("no more")

    monkeypatch.setattr(seqsim, "_block", broken)
    with pytest.raises(MemoryError, match="no more"):
        seqsim_matrix([np.ones((3, 4))] * 50, [np.ones((3, 4))] * 50, threads=3)
    assert 1 <= len(calls) <= 3  # the other threads took no further block


def test_matrix_products_get_all_cores_back():
    from threadpoolctl import threadpool_info

    before = [x["num_threads"] for x in threadpool_info() if x["user_api"] == "blas"]
    seqsim_matrix([np.ones((3, 4))], [np.ones((3, 4))])
    assert [x["num_threads"] for x in threadpool_info() if x["user_api"] == "blas"] == before


def test_mean_pooling_is_the_cosine_of_means():
    rng = np.random.default_rng(14)
    a, b = utterances(rng, [6, 4, 1], 8, np.float16, 0.3), utterances(rng, [5, 3], 8, np.float32, 0.3)
    b.append(np.vstack([np.eye(8), -np.eye(8)]))  # a mean of zero
    expected = [[cosine(x.astype(float).mean(axis=0), y.astype(float).mean(axis=0)) for y in b] for x in a]
    np.testing.assert_allclose(mean_pooled_matrix(a, b), expected, atol=1e-6)
    np.testing.assert_allclose(np.diag(mean_pooled_matrix(a, a)), 1, atol=1e-6)
