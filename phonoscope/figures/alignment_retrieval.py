"""R@1 against layer on the full set, the challenge set and random sets of its size, per model."""

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from phonoscope.figures import curves, style

NAMES = {"seqsim": "SeqSim", "mean_pooled": "mean-pooled cosine", "dtw": "DTW"}
# The challenge set lies over the others, which it is compared with.
FULL = style.Look("full set", "trained", "#0072B2", "-", "o")
CHALLENGE = style.Look("challenge set", "trained", "#D55E00", "-", "s")
RANDOM = {"color": style.GREY, "linestyle": (0, (5, 2)), "linewidth": 1.2}


def draw(retrieval, corpus):
    """A column of panels per model, a row per measure; all pairs of languages together.

    Parameters
    ----------
    retrieval : pandas.DataFrame
        The table of this name of the alignment study.
    corpus : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    rows = retrieval[(retrieval.corpus == corpus) & (retrieval.metric == "R@1")]
    rows = rows[rows["query"] == "all"]
    if not rows.value.notna().any():
        return style.message("No sentence was retrieved from.", f"Retrieval: {corpus}")
    measures = [measure for measure in NAMES if measure in set(rows.measure)]
    top = min(1.02, 1.06 * np.nanmax(rows[["value", "ci_high"]].to_numpy(dtype=float)))
    with style.styled():
        drawn, axes = curves.facets({m: m for m in dict.fromkeys(rows.model)}, len(measures), 2.7, 2.2)
        for model, column in axes.items():
            for ax, measure in zip(column, measures, strict=True):
                _panel(ax, rows[(rows.model == model) & (rows.measure == measure)])
                curves.layer_axis(ax, rows.layer)
                ax.set_ylim(0, top)
        curves.label_edges(axes, [f"R@1, {NAMES[measure]}" for measure in measures])
        drawn.suptitle(f"Retrieval of a sentence in another language: {corpus}", x=0.01, ha="left")
        style.legend_below(drawn, _keys(rows))
        return drawn


def _panel(ax, rows):
    of = dict(list(rows.sort_values("layer").groupby("subset")))
    if "random" in of:
        sets = of["random"]
        if len(sets) > 1:
            ax.fill_between(sets.layer, sets.ci_low, sets.ci_high, color=style.LIGHT, alpha=0.6, linewidth=0)
        ax.plot(sets.layer, sets.value, **RANDOM)
    for look, name in ((FULL, "full"), (CHALLENGE, "challenge")):
        if name in of:
            curves.of_model(ax, of[name], ("value", "ci_low", "ci_high"), look, None)
            chance = of[name].chance.iloc[0]
            ax.axhline(chance, **style.CHANCE | {"color": look.colour})


def _keys(rows):
    keys = [Line2D([], [], label=look.name, **look.line()) for look in (FULL, CHALLENGE)]
    if "random" in set(rows.subset):
        keys.append(Line2D([], [], **RANDOM, label="random sets of its size, mean"))
        keys.append(Patch(color=style.LIGHT, alpha=0.6, linewidth=0, label="where 95 % of them lie"))
    return [*keys, Line2D([], [], **style.CHANCE, label="chance, 1/N, of the set in the same colour")]
