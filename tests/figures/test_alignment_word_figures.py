"""Figures of pairs and types of words, on tables from one layer up to 33."""

import numpy as np
import pandas as pd
import pytest

from phonoscope.figures import alignment_word_similarity, alignment_word_split, style

KINDS = ["meaning", "both", "sound", "neither"]


def split(models=2, layers=5):
    rng, rows = np.random.default_rng(0), []
    for model in range(models):
        for layer in range(layers):
            for pair in ("all", "en"):
                shares = {name: rng.dirichlet(np.ones(4)) for name in ("value", "chance", "by_time")}
                for at, kind in enumerate(KINDS):
                    row = {"corpus": "c", "model": f"m{model}", "layer": layer, "language_a": pair}
                    rows.append(row | {"measure": kind} | {name: each[at] for name, each in shares.items()})
                rows.append(row | {"measure": "similarity", "value": 9.0})
    return pd.DataFrame(rows)


def types(models=2, layers=5):
    rng, rows = np.random.default_rng(0), []
    for model in range(models):
        for layer in range(layers):
            for sentences in ("different", "same"):
                for group in ("unrelated", "translation", "near-homophone", "both"):
                    value, auc = rng.uniform(0, 0.3), rng.uniform(0.5, 1)
                    row = {"corpus": "c", "model": f"m{model}", "layer": layer, "language_a": "all"}
                    row |= {"sentences": sentences, "group": group, "n_pairs": 7 + layer}
                    row |= {"similarity": value, "ci_low": value - 0.1, "ci_high": value + 0.1}
                    rows.append(row | {"auc": auc, "auc_low": auc - 0.1, "auc_high": auc + 0.1})
    return pd.DataFrame(rows)


CASES = [(alignment_word_split.draw, split), (alignment_word_similarity.draw, types)]


@pytest.mark.parametrize(("draw", "table"), CASES)
@pytest.mark.parametrize(("models", "layers"), [(1, 1), (5, 33)])
def test_every_size_is_drawn_the_same_twice(draw, table, models, layers, tmp_path):
    found = table(models, layers)
    for name in "ab":
        style.save(draw(found, "c"), tmp_path / f"{name}.svg", tmp_path / f"{name}.png", dpi=40)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert (tmp_path / "a.png").stat().st_size > 2000


@pytest.mark.parametrize(("draw", "table"), CASES)
def test_a_corpus_without_words_says_so(draw, table):
    assert not draw(table(), "another").axes
    empty = table().assign(value=np.nan, similarity=np.nan)
    assert not draw(empty, "c").axes


def test_bars_are_the_shares_and_their_controls():
    found = split()
    ax = alignment_word_split.draw(found, "c").axes[1]
    bars = np.array([[bar.get_height() for bar in part] for part in ax.containers])
    rows = found[(found.model == "m1") & (found.language_a == "all")]
    for kind, heights in zip(KINDS, bars, strict=True):
        mine = rows[rows.measure == kind]
        assert heights[:5] == pytest.approx(mine.value.to_numpy())
        assert heights[5:] == pytest.approx([mine.chance.mean(), mine.by_time.mean()])
    np.testing.assert_allclose(bars.sum(axis=0), 1)
    assert [label.get_text() for label in ax.get_xticklabels()] == [*"01234", "random", "time"]
    hatches = {bar.get_hatch() or part[0].get_facecolor() for part in ax.containers for bar in part[:1]}
    assert len(hatches) == 4


def test_curves_are_the_table_of_all_languages():
    found = types()
    drawn = alignment_word_similarity.draw(found, "c")
    assert len(drawn.axes) == 4
    for ax, column in zip(drawn.axes[:2], ("similarity", "auc"), strict=True):
        for group, look in alignment_word_similarity.GROUPS.items():
            mine = found[(found.model == "m0") & (found.sentences == "different") & (found.group == group)]
            curve = next(line for line in ax.lines if line.get_marker() == look.marker)
            assert curve.get_ydata() == pytest.approx(mine[column].to_numpy())
    assert any("11 translations" in text.get_text() for text in drawn.texts)
