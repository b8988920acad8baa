"""Figures of the kinematics study's transfer, on tables from one layer and two speakers up to 33 and 40."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import QuadMesh

from phonoscope.figures import (
    kinematics_groups,
    kinematics_layers,
    kinematics_matrices,
    kinematics_matrix,
    kinematics_seconds,
    style,
)

KINDS = ["none", "affine", "rotation", "articulator"]


def matrix(models=2, speakers=4, missing=None):
    rng = np.random.default_rng(0)
    names = [f"s{i}" for i in range(1, speakers + 1)]
    rows = [
        {"corpus": "c", "model": f"m{model}", "probe": "ridge", "experiment": "speakers", "by": "speaker"}
        | {"map": kind, "layer": 3, "source": a, "target": b, "r": 0.3 + 0.5 * rng.random()}
        | {"source_group": "fi" if int(a[1:]) % 2 else "ru", "target_group": "fi" if int(b[1:]) % 2 else "ru"}
        for model in range(models)
        for kind in KINDS[:2]
        for a in names
        for b in names
        if kind == "none" or a != b
    ]
    frame = pd.DataFrame(rows)
    frame.loc[frame.source == missing, "r"] = np.nan
    return frame


def matrices(models=2, layers=3, speakers=4, missing=None):
    """``missing``: a layer that the last model does not have."""
    each = [matrix(models, speakers).assign(layer=layer, best_layer=1) for layer in range(layers)]
    frame = pd.concat(each, ignore_index=True)
    frame["r"] -= 0.02 * (frame.layer - 1) ** 2
    return frame[(frame.model != f"m{models - 1}") | (frame.layer != missing)]


def groups(models=2, kinds=2, missing=None):
    rng = np.random.default_rng(1)
    names = {"native_language": ["fi", "ru"], "condition": ["L1", "L1-accent", "L2"], "sex": ["f", "m"]}
    rows = [
        {"corpus": "c", "model": f"m{model}", "probe": "ridge", "experiment": "groups", "by": by}
        | {"map": "none", "layer": 3, "source": a, "target": b, "r": 0.3 + 0.5 * rng.random()}
        for model in range(models)
        for by in list(names)[:kinds]
        for a in names[by]
        for b in names[by]
    ]
    frame = pd.DataFrame(rows)
    frame.loc[frame.source == missing, "r"] = np.nan
    return frame


def transfer(models=2, layers=5, by=("speaker", "native_language")):
    rows = []
    for model in range(models):
        for layer in range(layers):
            for name in by:
                for relation in ("within", "same", "other"):
                    for kind in KINDS if relation != "within" else KINDS[:1]:
                        if name == "speaker" and relation == "same":
                            continue
                        r = {"within": 0.8, "same": 0.6, "other": 0.4}[relation] + 0.05 * KINDS.index(kind)
                        r -= 0.01 * layer
                        rows.append(
                            {"corpus": "c", "model": f"m{model}", "probe": "ridge", "experiment": "speakers"}
                            | {"by": name, "relation": relation, "map": kind, "layer": layer, "r": r}
                            | {"ci_low": r - 0.05, "ci_high": r + 0.05, "chance": 0.01 * layer}
                        )
    return pd.DataFrame(rows)


def seconds(models=2, sizes=(10.0, 20.0, 40.0, 51.6)):
    rows = []
    for model in range(models):
        for kind in [*KINDS, "own"]:
            for size in [0.0] if kind == "none" else sizes:
                r = 0.5 + 0.1 * (kind != "none") - 1 / (size + 5)
                rows.append(
                    {"corpus": "c", "model": f"m{model}", "probe": "ridge", "layer": 2, "map": kind, "r": r}
                    | {"seconds": size, "ci_low": r - 0.05, "ci_high": r + 0.05, "chance": 0.01}
                )
    return pd.DataFrame(rows)


MADE = [
    (kinematics_matrix.draw, lambda big: matrix(*((5, 40) if big else (1, 2)))),
    (kinematics_matrices.draw, lambda big: matrices(*((5, 33, 12) if big else (1, 1, 2)))),
    (kinematics_groups.draw, lambda big: groups(*((5, 3) if big else (1, 1)))),
    (kinematics_layers.draw, lambda big: transfer(*((7, 33) if big else (1, 1)))),
    (kinematics_seconds.draw, lambda big: seconds(*((7,) if big else (1, (30.0,))))),
]


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize(("draw", "made"), MADE)
def test_every_size_is_drawn_the_same_twice(draw, made, big, tmp_path):
    for name in "ab":
        style.save(draw(made(big), "c"), tmp_path / f"{name}.svg", tmp_path / f"{name}.png", dpi=40)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert (tmp_path / "a.png").stat().st_size > 2000


@pytest.mark.parametrize(("draw", "made"), MADE)
def test_a_corpus_without_scores_says_so(draw, made):
    assert not draw(made(False), "another").axes
    assert not draw(made(False).assign(r=np.nan), "c").axes


def test_maps_of_groups_are_the_matrix():
    table = groups(models=2, kinds=2, missing="L2")
    drawn = kinematics_groups.draw(table, "c")
    meshes = [
        ax.collections[0] for ax in drawn.axes if ax.collections and isinstance(ax.collections[0], QuadMesh)
    ]
    shown = {ax.get_title(loc="left") or ax.get_title() for ax in drawn.axes} - {""}
    assert shown == {"m0, layer 3", "m1, layer 3"}
    expected = [
        table[(table.model == model) & (table.by == by)].pivot(index="source", columns="target", values="r")
        for model in ("m0", "m1")
        for by in ("native_language", "condition")
    ]
    for values in expected:
        fits = [
            np.allclose(m.get_array().reshape(values.shape), values.to_numpy(), equal_nan=True)
            for m in meshes
            if m.get_array().size == values.size
        ]
        assert any(fits)
    assert "–" in {text.get_text() for ax in drawn.axes for text in ax.texts}


def test_maps_are_the_matrix_ordered_by_group():
    table = matrix(missing="s3")
    drawn = kinematics_matrix.draw(table, "c")
    panels = [ax for ax in drawn.axes if any(isinstance(c, QuadMesh) and c.get_array().shape == (4, 4)
                                             for c in ax.collections)]  # fmt: skip
    assert len(panels) == 4
    order = ["s1", "s3", "s2", "s4"]
    assert [label.get_text() for label in panels[0].get_yticklabels()] == order
    values = np.ma.filled(panels[0].collections[0].get_array(), np.nan)
    rows = table[(table.model == "m0") & (table["map"] == "none")]
    expected = rows.pivot(index="source", columns="target", values="r").loc[order, order]
    assert values == pytest.approx(expected.to_numpy(), nan_ok=True) and np.isnan(values[1]).all()
    assert [line.get_ydata()[0] for line in panels[0].lines[:1]] == [2]


def test_maps_of_all_layers_are_the_matrices():
    table = matrices(missing=2)
    drawn = kinematics_matrices.draw(table, "c")
    panels = [ax for ax in drawn.axes[:6] if ax.collections]
    cases = [(model, layer) for model in ("m0", "m1") for layer in range(3)][:-1]
    assert len(panels) == len(cases)
    order = ["s1", "s3", "s2", "s4"]
    for ax, (model, layer) in zip(panels, cases, strict=True):
        rows = table[(table.model == model) & (table.layer == layer) & (table["map"] == "none")]
        expected = rows.pivot(index="source", columns="target", values="r").loc[order, order]
        assert np.asarray(ax.collections[0].get_array()) == pytest.approx(expected.to_numpy())
        assert ax.spines["left"].get_visible() == (layer == 1), "the best layer alone is framed"
        assert [line.get_ydata()[0] for line in ax.lines[:1]] == [2]


def test_curves_are_those_of_the_groups():
    table = transfer()
    drawn = kinematics_layers.draw(table, "c")
    ax = drawn.axes[0]
    assert len(drawn.axes) == 2
    for relation, kind, look in kinematics_layers.CURVES:
        rows = table[(table.model == "m0") & (table.by == "native_language")]
        rows = rows[(rows.relation == relation) & (rows["map"] == kind)]
        curve = [
            line
            for line in ax.lines
            if line.get_color() == look.colour and line.get_marker() == look.marker
            and (line.get_markerfacecolor() == "white") != look.filled
        ]  # fmt: skip
        assert len(curve) == 1 and curve[0].get_ydata() == pytest.approx(rows.r.to_numpy())
    labels = [text.get_text() for text in drawn.legends[0].get_texts()]
    assert "another speaker, same native language" in labels and style.CHANCE_LABEL in labels
    # Without groups all other speakers are drawn, and nothing is called the same.
    alone = kinematics_layers.draw(transfer(by=("speaker",)), "c")
    labels = [text.get_text() for text in alone.legends[0].get_texts()]
    assert "another speaker, another speaker" not in labels and not any("same speaker," in t for t in labels)


def test_seconds_are_drawn_by_kind():
    table = seconds()
    ax = kinematics_seconds.draw(table, "c").axes[0]
    own = next(line for line in ax.lines if line.get_marker() == "o")
    rows = table[(table.model == "m0") & (table["map"] == "own")]
    assert own.get_xdata() == pytest.approx(rows.seconds.to_numpy())
    assert own.get_ydata() == pytest.approx(rows.r.to_numpy())
    before = table[(table.model == "m0") & (table["map"] == "none")].r.iloc[0]
    assert any(len(set(line.get_ydata())) == 1 and line.get_ydata()[0] == before for line in ax.lines)
