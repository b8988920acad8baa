"""r of transferred probes and of maps, from moments, against scikit-learn on the frames."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from phonoscope.probes import affine, moments
from phonoscope.probes.fitting import Probe, assemble
from phonoscope.probes.least_squares import triangle
from phonoscope.probes.transfer import Stack, fit_together, pearson

K, VERSIONS = 4, 2
PLANES = [(0, 1), (2, 3)]


def features(kind, rng, n, d):
    """Features that are kind to least squares, and that are not."""
    x = rng.standard_normal((n, d)) @ rng.standard_normal((d, d))
    if kind == "offset":
        x = 100 + 0.1 * x
    elif kind == "massive":
        x[:, 0] = 3000 * (1 + 0.01 * rng.standard_normal(n))
    elif kind == "constant":
        x[:, 1] = 7.25
    elif kind == "collinear":
        x[:, -1] = x[:, 0] + x[:, 1]
        x[:, -2] = x[:, 2] * (1 + 1e-9) + 1e-9 * x[:, 3]
    return x.astype(np.float32)


def made(kind, n=300, d=12, seed=0, missing=False):
    """Frames of a source and a target: features and targets of K channels, two versions side by side."""
    rng = np.random.default_rng([seed, 7])
    mixing = rng.standard_normal((d, K * VERSIONS))
    found = []
    for size in (n, 280):
        x = features(kind, rng, size, d)
        scaled = (x - x.mean(axis=0)) / np.maximum(x.std(axis=0), 1e-6)
        y = scaled @ mixing + 2 * rng.standard_normal((size, K * VERSIONS))
        if missing:
            y[rng.random(y.shape) < 0.1] = np.nan
            y[:40, 3] = np.nan
        found.append((x, y))
    return found


def source_fit(x, y, shift, probe="ols"):
    """A probe fitted on all frames, each target on those where it is valid."""
    cell = moments.cells(x, y, np.zeros(len(x), dtype=int), shift)[0]

    def triangles(targets):
        rows = np.flatnonzero(~np.isnan(y[:, targets[0]]))
        return [triangle(x, y[:, targets], shift, rows)]

    return fit_together([cell], y.shape[1], shift, Probe(probe), triangles)


def reference(x, y):
    """LinearRegression of every target on the frames where it is valid."""
    rows = [~np.isnan(column) for column in y.T]
    return [LinearRegression().fit(x[r].astype(float), y[r, c]) for c, r in enumerate(rows)]


def correlation(p, y):
    rows = ~np.isnan(y)
    return np.corrcoef(p[rows], y[rows])[0, 1]


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("kind", ["random", "offset", "massive", "constant", "collinear", "few"])
def test_r_from_moments_is_that_of_linear_regression_on_frames(kind, missing):
    n, d = (60, 90) if kind == "few" else (300, 12)
    (x, y), (x_test, y_test) = made(kind, n, d, missing=missing)
    shift = x.mean(axis=0, dtype=float)
    stack = Stack([source_fit(x, y, shift)], shift, VERSIONS)
    cell = moments.cells(x_test, y_test, np.zeros(len(x_test), dtype=int), shift)[0]
    joint = stack.on_cell(cell)
    exact = stack.on_frames(x_test, y_test)
    if joint.doubtful()[0]:
        joint = joint.replaced([0], exact)
    predictions = [model.predict(x_test.astype(float)) for model in reference(x, y)]
    expected = [correlation(p, column) for p, column in zip(predictions, y_test.T, strict=True)]
    assert pearson(joint)[0].ravel() == pytest.approx(expected, abs=1e-6)
    assert pearson(exact)[0].ravel() == pytest.approx(expected, abs=1e-6)
    assert joint.n[0].ravel() == pytest.approx((~np.isnan(y_test)).sum(axis=0))


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("kind", ["random", "offset", "massive", "constant", "collinear", "few"])
def test_the_affine_map_is_linear_regression_on_predictions(kind, missing):
    n, d = (60, 90) if kind == "few" else (300, 12)
    (x, y), (x_test, y_test) = made(kind, n, d, missing=missing)
    shift = x.mean(axis=0, dtype=float)
    stack = Stack([source_fit(x, y, shift)], shift, VERSIONS)
    part = (np.arange(len(x_test)) >= 150).astype(int)
    cells = moments.cells(x_test, y_test, part, shift)
    fitted, tested = (stack.on_cell(cells[i]) for i in (0, 1))
    predicted = np.column_stack([m.predict(x_test.astype(float)) for m in reference(x, y)])
    predicted, measured = (v.reshape(-1, VERSIONS, K) for v in (predicted, y_test))
    for kind_of_map in ("affine", "articulator"):
        r = pearson(tested, affine.fit(kind_of_map, fitted, stack.known, PLANES))[0]
        for v in range(VERSIONS):
            for c in range(K):
                inputs = range(K) if kind_of_map == "affine" else [c, c ^ 1]
                p, target = predicted[:, v][:, list(inputs)], measured[:, v, c]
                rows = (part == 0) & ~np.isnan(target)
                model = LinearRegression().fit(p[rows], target[rows])
                expected = correlation(model.predict(p[part == 1]), target[part == 1])
                assert r[v, c] == pytest.approx(expected, abs=1e-6)


def test_several_fits_and_a_channel_that_one_lacks():
    (x, y), (x_test, y_test) = made("random")
    shift = x.mean(axis=0, dtype=float)
    lacking = y.copy()
    lacking[:, [1, 5]] = np.nan
    fits = [source_fit(x, y, shift), source_fit(x, lacking, shift), source_fit(x, y, shift, "ridge")]
    stack = Stack(fits, shift, VERSIONS)
    cell = moments.cells(x_test, y_test, np.zeros(len(x_test), dtype=int), shift)[0]
    joint = stack.on_cell(cell)
    r = pearson(joint)
    assert np.isnan(r[1, :, 1]).all() and np.isfinite(np.delete(r, 1, axis=0)).all()
    assert r[1][:, [0, 2, 3]] == pytest.approx(r[0][:, [0, 2, 3]])
    for i, fit in enumerate(fits):
        p = fit.predict(x_test)
        for c in np.flatnonzero(np.isfinite(fit.intercept)):
            assert r[i].ravel()[c] == pytest.approx(correlation(p[:, c], y_test[:, c]), abs=1e-9)
    # The affine map gives the channel from the others; the maps of single sensors do what they can.
    for kind, there in (("affine", True), ("articulator", True), ("rotation", False)):
        weights = affine.fit(kind, joint, stack.known, PLANES)
        assert np.isfinite(weights[1, :, 1]).all() == there
        assert np.isfinite(weights[0]).all()
        assert not np.any(weights[1, ..., 1][np.isfinite(weights[1, ..., 1])]), "an unknown channel is used"
    assert pearson(joint.of([1])) == pytest.approx(r[[1]], nan_ok=True)


def test_a_target_without_frames_has_no_r_and_no_map():
    (x, y), (x_test, y_test) = made("random")
    y_test[:, 2] = np.nan
    shift = x.mean(axis=0, dtype=float)
    stack = Stack([source_fit(x, y, shift)], shift, VERSIONS)
    joint = stack.on_cell(moments.cells(x_test, y_test, np.zeros(len(x_test), dtype=int), shift)[0])
    r = pearson(joint)
    assert np.isnan(r[0, 0, 2]) and np.isfinite(r[0, 1, 2]) and joint.n[0, 0, 2] == 0
    for kind in affine.KINDS:
        weights = affine.fit(kind, joint, stack.known, PLANES)
        assert np.isnan(weights[0, 0, 2]).all() and np.isfinite(weights[0, 0, 3]).all()


def test_sums_of_parts_are_the_sums_of_the_whole_and_large_weights_are_noticed():
    (x, y), (x_test, y_test) = made("random", missing=True)
    shift = x.mean(axis=0, dtype=float)
    fit = source_fit(x, y, shift)
    stack = Stack([fit], shift, VERSIONS)
    cells = moments.cells(x_test, y_test, np.arange(len(x_test)) % 3, shift)
    whole = stack.on_frames(x_test, y_test)
    added = moments.add([stack.on_cell(cell) for cell in cells.values()])
    for name in ("n", "p", "pp", "py", "y", "yy"):
        assert getattr(added, name) == pytest.approx(getattr(whole, name), rel=1e-9, abs=1e-7), name
    assert not added.doubtful()[0] and not whole.doubtful()[0]
    # Two features that are all but the same, with weights that cancel.
    twice = np.hstack([x_test, x_test[:, :1] + np.float32(1e-6) * x_test[:, 1:2]])
    large = np.vstack([fit.weights, np.zeros(K * VERSIONS)])
    large[0], large[-1] = 1e7, -1e7
    cancelling = type(fit)(large, fit.intercept, fit.n, fit.note)
    wide = np.r_[shift, shift[0]]
    found = Stack([cancelling], wide, VERSIONS).on_cell(
        moments.cells(twice, y_test, np.zeros(len(twice), dtype=int), wide)[0]
    )
    assert found.doubtful()[0]


def test_planted_rotation_is_found():
    """Movements of one tract are those of another, turned by 12 degrees and halved, in millimetres."""
    rng = np.random.default_rng(0)
    mm_source, mm_target = np.array([2.0, 3.0, 1.5, 4.0]), np.array([1.0, 2.5, 0.7, 3.0])
    p = rng.standard_normal((400, K)) @ rng.standard_normal((K, K))
    turn = np.radians(12)
    rotation = 0.5 * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    y = np.hstack([(p * mm_source)[:, list(pair)] @ rotation.T for pair in PLANES]) / mm_target + 3
    eye = assemble(K, K, [(np.arange(K), source_fit(p, p, np.zeros(K)))])
    stack = Stack([eye], np.zeros(K), 1)
    joint = stack.on_frames(p, y)
    before = pearson(joint)[0, 0]
    weights = affine.fit("rotation", joint, stack.known, PLANES, mm_source[None], mm_target)
    assert pearson(joint, weights)[0, 0] == pytest.approx(1, abs=1e-9) and before.min() < 0.99
    degrees, scale = affine.angle(weights, PLANES, mm_source[None], mm_target)
    assert (degrees[0, 0], scale[0, 0]) == (pytest.approx(12), pytest.approx(0.5))
    # A mirror image is no rotation.
    mirrored = stack.on_frames(p, y * [1, -1, 1, -1])
    turned = affine.fit("rotation", mirrored, stack.known, PLANES, mm_source[None], mm_target)
    assert pearson(mirrored, turned)[0, 0].min() < 0.9
    assert pearson(mirrored, affine.fit("affine", mirrored, stack.known, PLANES))[0, 0] == pytest.approx(1)


def test_the_rotation_is_the_best_of_all():
    """Against a search over angles of the summed squared error, at the best scale of each."""
    rng = np.random.default_rng(3)
    p, y = rng.standard_normal((2, 500, K))
    y += 0.5 * p[:, [1, 0, 3, 2]] * [1, -1, 1, -1]
    stack = Stack([source_fit(p, p, np.zeros(K))], np.zeros(K), 1)
    joint = stack.on_frames(p, y)
    degrees, scale = affine.angle(affine.fit("rotation", joint, stack.known, PLANES), PLANES)

    def error(angle, size):
        turn = np.radians(angle)
        rotation = size * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        residual = y - np.hstack([p[:, list(pair)] @ rotation.T for pair in PLANES])
        return (residual - residual.mean(axis=0)).var()

    best = error(degrees[0, 0], scale[0, 0])
    for angle in np.linspace(-180, 180, 73):
        for size in np.linspace(0, 2, 21):
            assert best <= error(angle, size) + 1e-12
    assert best < error(degrees[0, 0] + 0.5, scale[0, 0]) and best < error(degrees[0, 0], scale[0, 0] * 1.05)
