"""Variance partitions from moments against scikit-learn on the frames, and on planted signals."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, Ridge

from phonoscope.probes import partition
from phonoscope.probes.moments import add, moments

BLOCKS = partition.Blocks(n_layer=7, n_phones=5)
GRID = partition.Grid((1e-4, 1e-2, 1.0), (1e-3, 0.1))


def frames(n, rng, blocks=BLOCKS, offset=0.0, collinear=False, constant=False, unseen=False):
    """Stacked features of ``n`` frames, and three targets that depend on layer and phones."""
    scale = 10.0 ** np.linspace(-2, 2, blocks.n_layer)
    layer = rng.normal(size=(n, blocks.n_layer)) * scale + offset
    if collinear:
        layer[:, 3] = layer[:, 1] - 2 * layer[:, 2]
    if constant:
        layer[:, 5] = 3.0
    hot = np.eye(blocks.n_phones)[rng.integers(blocks.n_phones - unseen, size=n)]
    x = np.hstack([layer, hot, hot[rng.permutation(n)]])
    weights = np.random.default_rng(0).normal(size=(x.shape[1], 3))
    weights[: blocks.n_layer] /= scale[:, None]
    y = x @ weights + rng.normal(size=(n, 3)) * [0.1, 1, 3]
    return x, y


def columns(blocks, part, kind):
    at = np.arange(blocks.n_features)
    return np.r_[at[blocks.layer] if part != "phones" else [], at[blocks.phones(kind)]].astype(int)


def on_frames(x, y, pair, blocks, kind):
    """Predictions of scikit-learn's Ridge on features that are standardised and scaled by their penalty."""
    alpha, beta = pair  # an infinite penalty scales its features to nothing
    scale = np.zeros(blocks.n_features)
    sd = x.std(axis=0)
    varies = sd > 1e-9 * np.abs(x.mean(axis=0))
    for at, penalty in ((blocks.layer, alpha), (blocks.phones(kind), beta)):
        scale[at] = np.where(varies[at], 1 / np.where(varies[at], sd[at], 1) / np.sqrt(penalty), 0)
    centre = x.mean(axis=0)
    model = Ridge(alpha=len(x), solver="svd").fit((x - centre) * scale, y)
    return lambda new: model.predict((new - centre) * scale)


def r2(y, predicted):
    """One minus residual over total variance, each about its mean."""
    return 1 - (y - predicted).var(axis=0) / y.var(axis=0)


@pytest.mark.parametrize(
    "nasty",
    [{}, {"offset": 100.0}, {"collinear": True}, {"constant": True}, {"unseen": True}],
    ids=lambda nasty: next(iter(nasty), "plain"),
)
@pytest.mark.parametrize("n", [400, 9])
@pytest.mark.parametrize("kind", [partition.PHONES, partition.SHUFFLED])
def test_every_pair_of_penalties_is_ridge_on_the_frames(nasty, n, kind):
    rng = np.random.default_rng(1)
    x, y = frames(n, rng, **nasty)
    new, truth = frames(50, rng, **nasty)
    shift = np.r_[x[:5, : BLOCKS.n_layer].mean(axis=0), np.zeros(2 * BLOCKS.n_phones)]
    banded = partition.Banded(moments(x, y, shift), shift, BLOCKS)
    tested = moments(new, truth, shift)
    pairs = GRID.pairs
    weights = banded.weights(pairs, kind)
    for at, pair in enumerate(pairs):
        predicted = on_frames(x, y, pair, BLOCKS, kind)(new)
        assert r2(truth, predicted) == pytest.approx(partition.r_squared(tested, weights[:, at]), abs=1e-6)


@pytest.mark.parametrize("part", ["layer", "both"])
def test_without_a_penalty_it_is_least_squares(part):
    rng = np.random.default_rng(2)
    x, y = frames(500, rng, offset=20.0)
    new, truth = frames(100, rng, offset=20.0)
    shift = np.zeros(x.shape[1])
    banded = partition.Banded(moments(x, y, shift), shift, BLOCKS)
    pair = (1e-13, partition.OUT if part == "layer" else 1e-13)
    at = columns(BLOCKS, part, partition.PHONES)
    at = at[at < BLOCKS.n_layer] if part == "layer" else at
    predicted = LinearRegression().fit(x[:, at], y).predict(new[:, at])
    found = partition.r_squared(moments(new, truth, shift), banded.weights([pair], partition.PHONES)[:, 0])
    assert found == pytest.approx(r2(truth, predicted), abs=1e-6)


def units(n_units, n, rng, shift, make):
    return [moments(*make(n, rng), shift) for _ in range(n_units)]


def test_penalties_are_chosen_on_the_training_units_alone():
    rng = np.random.default_rng(3)
    shift = np.zeros(BLOCKS.n_features)
    data = [frames(60, rng) for _ in range(5)]
    found = [moments(x, y, shift) for x, y in data]
    both_ways = partition.errors_without(found, shift, BLOCKS, GRID)
    for held_out in range(5):
        others = [unit for at, unit in enumerate(found) if at != held_out]
        within = partition.errors_within(others, shift, BLOCKS, GRID)
        for kind in (partition.PHONES, partition.SHUFFLED):
            assert both_ways[held_out].of[kind] == pytest.approx(within.of[kind], rel=1e-8)
    others = [each for at, each in enumerate(data) if at]
    assert GRID.pairs[-1] == (partition.OUT, partition.OUT)
    for at, pair in enumerate(GRID.pairs):
        total = 0
        for tested in range(4):
            rest = [each for index, each in enumerate(others) if index != tested]
            x, y = (np.vstack(part) for part in zip(*rest, strict=True))
            new, truth = others[tested]
            left = truth - on_frames(x, y, pair, BLOCKS, partition.PHONES)(new)
            total = total + ((left - left.mean(axis=0)) ** 2).sum(axis=0)
        assert both_ways[0].of[partition.PHONES][at] == pytest.approx(total, rel=1e-6)


def test_both_has_each_block_alone_among_its_candidates():
    """The best error of both, over the training units, is at most that of either block."""
    rng = np.random.default_rng(4)
    shift = np.zeros(BLOCKS.n_features)
    errors = partition.errors_within(units(4, 30, rng, shift, frames), shift, BLOCKS, GRID)
    for kind in (partition.PHONES, partition.SHUFFLED):
        best = {part: errors.of[kind][GRID.of(part)].min(axis=0) for part in ("phones", "layer", "both")}
        assert (best["both"] <= best["phones"]).all() and (best["both"] <= best["layer"]).all()


def test_a_block_of_noise_beside_a_signal_is_left_out_or_harmless():
    rng = np.random.default_rng(5)
    blocks = partition.Blocks(200, 5)
    beta = rng.normal(size=(5, 2))

    def make(n, rng):
        hot = np.eye(5)[rng.integers(5, size=n)]
        x = np.hstack([rng.normal(size=(n, 200)), hot, hot[rng.permutation(n)]])
        return x, hot @ beta + 0.3 * rng.normal(size=(n, 2))

    shift = np.zeros(blocks.n_features)
    train, test = units(4, 100, rng, shift, make), moments(*make(2000, rng), shift)
    errors = partition.errors_within(train, shift, blocks, partition.Grid((1e-3, 0.1, 10.0), (1e-3, 0.1)))
    grid = partition.Grid((1e-3, 0.1, 10.0), (1e-3, 0.1))
    weights, penalties = partition.fit(add(train), errors, shift, blocks, grid)
    of = {name: partition.r_squared(test, each) for name, each in weights.items()}
    assert (of["both"] > of["phones"] - 0.01).all()
    assert (of["phones"] > 0.8).all() and (of["layer"] < 0.05).all()
    assert (of["phones_shuffled"] < 0.02).all()
    assert all(alpha >= 10 for alpha, _ in penalties["both"])
    assert penalties["layer"] == [(partition.OUT, partition.OUT)] * 2 or (of["layer"] > -0.01).all()


def test_without_units_to_choose_by_the_middle_penalties_are_taken():
    rng = np.random.default_rng(6)
    shift = np.zeros(BLOCKS.n_features)
    two = units(2, 50, rng, shift, frames)
    assert partition.errors_without(two, shift, BLOCKS, GRID) == [None, None]
    assert partition.errors_within(two[:1], shift, BLOCKS, GRID) is None
    _, penalties = partition.fit(two[0], None, shift, BLOCKS, GRID)
    assert penalties["both"] == [(1e-2, 0.1)] * 3
    assert penalties["layer"] == [(1e-2, partition.OUT)] * 3
    assert penalties["phones_shuffled"] == [(partition.OUT, 0.1)] * 3


def test_a_target_that_does_not_vary_has_no_r_squared():
    rng = np.random.default_rng(7)
    x, y = frames(40, rng)
    y[:, 1] = 2.0
    shift = np.zeros(BLOCKS.n_features)
    found = partition.r_squared(moments(x, y, shift), np.zeros((BLOCKS.n_features, 3)))
    assert np.isnan(found[1]) and found[[0, 2]] == pytest.approx([0, 0])


def test_groups_hold_every_unit_once():
    rng = np.random.default_rng(8)
    shift = np.zeros(BLOCKS.n_features)
    found = units(7, 10, rng, shift, frames)
    groups, group = partition.grouped(found)
    assert group == [0, 1, 2, 3, 0, 1, 2]
    assert sum(each.n for each in groups) == 70
    assert add(groups).product == pytest.approx(add(found).product)
    assert groups[3].n == 10
