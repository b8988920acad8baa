"""Figures of physics against phones and of articulation as a measure, from one model up to many."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import Rectangle

from phonoscope.figures import kinematics_measure, kinematics_partition, style

VALUES = {"phones": 0.5, "layer": 0.4, "both": 0.6}
VALUES |= {"unique_phones": 0.2, "unique_layer": 0.1, "shared": 0.3, "layer_minus_phones": -0.1}
ACROSS = VALUES | {"phones": 0.0, "both": 0.6, "unique_layer": 0.6, "shared": -0.2}


def partition(models=3, layers=5, interval=True, ways=("speaker", "language")):
    rows, said = [], []
    for m in range(models):
        for way in ways:
            for layer in [*map(str, range(layers)), "all", "best"]:
                for part, value in (VALUES if way == "speaker" else ACROSS).items():
                    row = {"corpus": "c", "model": f"model-{m}", "leave_out": way, "held_out": "all"}
                    row |= {"layer": layer, "part": part, "r2": value, "control": 0.01}
                    row |= {"ci_low": value - 0.02, "ci_high": value + 0.03}
                    rows.append(row if interval else row | {"ci_low": np.nan, "ci_high": np.nan})
            said.append({"corpus": "c", "model": f"model-{m}", "leave_out": way, "layer": "best"})
            said[-1] |= {"best_layer": 1, "statement": f"statement {m} {way}"}
    return pd.DataFrame(rows), pd.DataFrame(said)


@pytest.mark.parametrize(("models", "layers", "interval"), [(1, 1, False), (3, 5, True), (9, 25, True)])
def test_partitions_of_every_size_are_drawn_the_same_twice(models, layers, interval, tmp_path):
    found = partition(models, layers, interval)
    for name in "ab":
        drawn = kinematics_partition.draw(*found, "c")
        style.save(drawn, tmp_path / f"{name}.svg", tmp_path / f"{name}.png", dpi=40)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def bars(ax, colour):
    """Bottom and top of the bars of a colour."""
    found = [p for p in ax.patches if isinstance(p, Rectangle) and p.get_hatch() == colour]
    return [tuple(sorted((p.get_y(), p.get_y() + p.get_height()))) for p in found]


def test_bars_are_the_numbers_of_the_table():
    drawn = kinematics_partition.draw(*partition(2, 3), "c")
    assert len(drawn.axes) == 4
    above, below = drawn.axes[0], drawn.axes[1]
    assert bars(above, "///") == [pytest.approx((0, 0.2))] * 3
    assert bars(above, "...") == [pytest.approx((0.5, 0.6))] * 3
    # What is below 0 hangs from the axis, and does not lower what stands on it.
    assert bars(below, "///") == [pytest.approx((0, 0.2))] * 3
    assert bars(below, "...") == [pytest.approx((0.2, 0.8))] * 3
    assert min(low for low, _ in bars(below, "")) == pytest.approx(-0.2)
    words = "".join(text.get_text() for text in drawn.texts)
    assert "statement 0 speaker" in words and "statement 1 language" in words


def test_one_way_of_holding_out_is_one_line_of_panels():
    drawn = kinematics_partition.draw(*partition(2, 3, ways=("speaker",)), "c")
    assert len(drawn.axes) == 2


def test_nothing_to_draw_is_said():
    frames = partition()
    assert not kinematics_partition.draw(*frames, "another").axes
    assert not kinematics_partition.draw(frames[0].assign(r2=np.nan), frames[1], "c").axes


def measure(n=5, tasks=0, corpora=("c",)):
    rng = np.random.default_rng(0)
    models = pd.DataFrame(
        {"corpus": corpus, "model": f"model-{m}", "experiment": experiment, "n_tasks": tasks * (m % 2)}
        | {"articulation_best": 0.3 + 0.05 * m, "articulation_chance": 0.0}
        | {"phones_best": 0.4 + 0.02 * m, "phones_shuffled": 0.03}
        for corpus in corpora
        for m in range(n)
        for experiment in ("E1", "E4")
    )
    rows = []
    for corpus in corpora:
        common = {"corpus": corpus, "experiment": "E4", "layers": "best", "n_models": n, "statement": "said"}
        numbers = {"pearson": 0.9, "pearson_low": 0.1, "pearson_high": 0.99}
        own = {"task": "phone probe", "metric": "macro-F1", "predictor": "articulation"}
        rows.append(common | numbers | own)
        for t in range(tasks):
            for predictor in ("articulation", "phones", "articulation − phones"):
                r = rng.uniform(-0.9, 0.9)
                row = {"task": f"task {t}", "metric": "accuracy", "predictor": predictor}
                rows.append(common | row | {"pearson": r, "pearson_low": r - 0.1, "pearson_high": r + 0.1})
    return pd.DataFrame(rows), models


@pytest.mark.parametrize(("n", "tasks", "corpora"), [(1, 0, "c"), (5, 0, "c"), (12, 10, "cd")])
def test_measures_of_every_size_are_drawn_the_same_twice(n, tasks, corpora, tmp_path):
    found = measure(n, tasks, corpora)
    for name in "ab":
        drawn = kinematics_measure.draw(*found, {"model-0": "baseline"})
        style.save(drawn, tmp_path / f"{name}.svg", tmp_path / f"{name}.png", dpi=40)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert len(drawn.axes) == len(corpora) * (1 + bool(tasks))


def test_points_are_models_and_missing_ones_are_named():
    drawn = kinematics_measure.draw(*measure(3, 2))
    points = [[line.get_xdata()[0], line.get_ydata()[0]] for line in drawn.axes[0].lines[:3]]
    assert points == [pytest.approx([0.3 + 0.05 * m, 0.4 + 0.02 * m]) for m in range(3)]
    words = " ".join(text.get_text() for text in drawn.texts).replace("\n", " ")
    assert "0.90 [0.10, 0.99]; said." in words
    assert "Not among the published scores: model-0, model-2." in words


def test_models_without_both_scores_are_nothing_to_draw():
    found = measure(3)
    assert not kinematics_measure.draw(found[0], found[1].assign(phones_best=np.nan)).axes
