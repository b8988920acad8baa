"""Figures of the alignment study's retrieval, on tables from one layer up to 33 and one model up to four."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import QuadMesh

from phonoscope.figures import alignment_pairs, alignment_retrieval, style
from phonoscope.figures.alignment_retrieval import CHALLENGE, FULL
from phonoscope.studies.alignment_summary import COLUMNS

LANGUAGES = ["en", "fi", "ru"]


def table(models=3, layers=5, measures=("seqsim", "mean_pooled"), random=True, corpus="c"):
    """What ``alignment_summary`` gives, with values that rise with the layer."""
    rng = np.random.default_rng(0)
    pairs = [(a, b) for a in LANGUAGES for b in LANGUAGES if a != b] + [("all", "all")]
    rows = []
    for model in range(models):
        for layer in range(layers):
            for measure in measures:
                for query, candidate in pairs:
                    for subset, chance in (("full", 0.05), ("challenge", 0.1), ("random", 0.1)):
                        if subset == "random" and not random:
                            continue
                        value = 0.1 + 0.5 * layer / max(layers - 1, 1) * rng.uniform(0.8, 1)
                        for metric in ("R@1", "MRR"):
                            rows.append(
                                {
                                    "corpus": corpus,
                                    "model": f"whisper-{model}",
                                    "layer": layer,
                                    "measure": measure,
                                }
                                | {"query": query, "candidate": candidate, "subset": subset, "metric": metric}
                                | {"value": value + (metric == "MRR"), "chance": chance}
                                | {"ci_low": value - 0.05, "ci_high": value + 0.05}
                            )
    return pd.DataFrame(rows).reindex(columns=COLUMNS)


@pytest.mark.parametrize("draw", [alignment_retrieval.draw, alignment_pairs.draw])
@pytest.mark.parametrize(("models", "layers", "random"), [(1, 1, False), (4, 33, True)])
def test_every_size_is_drawn_the_same_twice(draw, models, layers, random, tmp_path):
    found = table(models, layers, random=random)
    for name in "ab":
        style.save(draw(found, "c"), tmp_path / f"{name}.svg", tmp_path / f"{name}.png", dpi=40)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert (tmp_path / "a.png").stat().st_size > 2000


@pytest.mark.parametrize("draw", [alignment_retrieval.draw, alignment_pairs.draw])
def test_a_corpus_without_scores_says_so(draw):
    assert not draw(table(), "another").axes
    assert not draw(table().assign(value=np.nan), "c").axes


def test_curves_are_the_table_of_all_pairs_at_r1():
    found = table()
    drawn = alignment_retrieval.draw(found, "c")
    assert len(drawn.axes) == 6 and drawn.axes[0].get_ylabel() == "R@1, SeqSim"
    mine = found[(found["query"] == "all") & (found.metric == "R@1") & (found.model == "whisper-0")]
    mine = mine[mine.measure == "seqsim"].set_index("subset")
    lines = drawn.axes[0].lines
    for look, subset in ((FULL, "full"), (CHALLENGE, "challenge")):
        curve = next(
            line for line in lines if line.get_color() == look.colour and line.get_marker() == look.marker
        )
        assert curve.get_ydata() == pytest.approx(mine.loc[subset].value.to_numpy())
        level = [line for line in lines if line.get_color() == look.colour and line is not curve]
        assert [line.get_ydata()[0] for line in level] == [mine.loc[subset].chance.iloc[0]]
    labels = [text.get_text() for text in drawn.legends[0].get_texts()]
    assert "random sets of its size, mean" in labels
    without = alignment_retrieval.draw(table(random=False), "c").legends[0].get_texts()
    assert len(without) == len(labels) - 2


def test_maps_are_the_table_of_pairs():
    found = table(models=2)
    found.loc[(found["query"] == "fi") & (found.subset == "challenge"), "value"] = np.nan
    drawn = alignment_pairs.draw(found, "c")
    meshes = [c for ax in drawn.axes for c in ax.collections if isinstance(c, QuadMesh)]
    assert len([m for m in meshes if m.get_array().shape == (6, 5)]) == 4
    first = np.ma.filled(drawn.axes[0].collections[0].get_array(), np.nan)
    rows = found[(found.model == "whisper-0") & (found.metric == "R@1") & (found.measure == "seqsim")]
    rows = rows[(rows.subset == "full") & (rows["query"] == "en") & (rows.candidate == "fi")]
    assert first[0] == pytest.approx(rows.value.to_numpy())
    assert drawn.axes[0].get_yticklabels()[0].get_text() == "en → fi"
    below = [text.get_text() for text in drawn.axes[1].texts]
    assert below.count("–") == 10
