"""Word pairs against loops over all pairs of frames."""

import numpy as np
import pytest

from phonoscope.errors import InputError
from phonoscope.probes.word_pairs import NO_WORD, by_centres, by_frames, centre_frames, words_of_frames


def cosine(x, y):
    x, y = x.astype(float), y.astype(float)
    norms = np.linalg.norm(x) * np.linalg.norm(y)
    return x @ y / norms if norms else 0.0


def mutual(a, b):
    """Mutual nearest frames, one by one."""
    for i, x in enumerate(a):
        j = max(range(len(b)), key=lambda k: (cosine(x, b[k]), -k))
        back = max(range(len(a)), key=lambda k: (cosine(a[k], b[j]), -k))
        if back == i:
            yield i, j, cosine(x, b[j])


KINDS = ("normal", "half", "offset", "huge", "zeros")


def states(rng, n, kind, d=12):
    x = rng.standard_normal((n, d))
    if kind == "zeros":
        x[::3] = 0
    scale = {"huge": 1e30, "half": 3.0}.get(kind, 1.0)
    return (scale * x + (20 if kind == "offset" else 0)).astype(np.float16 if kind == "half" else np.float32)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (6, 8), (15, 11)])
def test_words_by_their_centres(kind, shape):
    rng = np.random.default_rng(shape)
    for _ in range(5):
        a, b = (states(rng, n, kind) for n in shape)
        found, expected = by_centres(a, b), list(mutual(a, b))
        assert [(pair.i, pair.j) for pair in found] == [pair[:2] for pair in expected]
        np.testing.assert_allclose([p.cosine for p in found], [p[2] for p in expected], atol=1e-5)
        assert found and all(pair.frames == 1 for pair in found)


@pytest.mark.parametrize("kind", KINDS)
def test_words_by_frames(kind):
    rng = np.random.default_rng(2)
    for n, m in ((20, 30), (3, 40), (25, 25)):
        a, b = states(rng, n, kind), states(rng, m, kind)
        b[: min(n, m)] += a[: min(n, m)]
        words_a, words_b = (np.sort(rng.integers(-1, 5, k)) for k in (n, m))
        expected = {}
        for i, j, c in mutual(a, b):
            if words_a[i] >= 0 and words_b[j] >= 0:
                expected.setdefault((words_a[i], words_b[j]), []).append(c)
        found = by_frames(a, b, words_a, words_b)
        assert [(p.i, p.j) for p in found] == sorted(expected)
        for pair in found:
            assert pair.frames == len(expected[pair.i, pair.j])
            assert pair.cosine == pytest.approx(np.mean(expected[pair.i, pair.j]), abs=1e-5)


def test_the_same_words_in_another_order_are_found():
    a = states(np.random.default_rng(3), 7, "normal")
    order = [4, 0, 6, 2, 1, 5, 3]
    found = by_centres(a, 5 * a[order])
    assert [(pair.i, order[pair.j]) for pair in found] == [(k, k) for k in range(7)]
    assert all(pair.cosine == pytest.approx(1, abs=1e-6) for pair in found)


def test_equal_frames_give_one_pair():
    same = np.ones((4, 3), np.float32)
    assert [(p.i, p.j) for p in by_centres(same, same)] == [(0, 0)]


def test_frames_in_words():
    times = 0.02 * np.arange(12)
    starts, ends = [0.04, 0.09, 0.09, 0.2], [0.08, 0.09, 0.12, 0.2]
    expected = [
        next((k for k, (s, e) in enumerate(zip(starts, ends, strict=True)) if s <= t < e), NO_WORD)
        for t in times
    ]
    assert words_of_frames(times, starts, ends).tolist() == expected
    assert {-1, 0, 2} == set(expected)
    assert words_of_frames(times, [], []).tolist() == [NO_WORD] * 12


def test_frames_of_centres():
    times = 0.0125 + 0.02 * np.arange(50)
    centres = [0.0, 0.0125, 0.03, 0.5, 2.0]
    expected = [min(range(50), key=lambda k: abs(times[k] - c)) for c in centres]
    assert centre_frames(times, centres).tolist() == expected
    assert centre_frames(times, []).shape == (0,)


def test_what_cannot_be_compared_is_named():
    a = np.ones((2, 3), np.float32)
    bad = a.copy()
    bad[1, 1] = np.nan
    with pytest.raises(InputError, match="s1_fi: has NaN"):
        by_centres(a, bad, names=("s1_en", "s1_fi"))
    with pytest.raises(InputError, match="s1_en: has states of shape"):
        by_frames(a[:0], a, [], [0, 1], names=("s1_en", "s1_fi"))
    with pytest.raises(ValueError, match="every frame"):
        by_frames(a, a, [0], [0, 1])
