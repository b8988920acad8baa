"""Character errors against the layer that the decoder attends to, per model; languages as lines."""

from dataclasses import replace

import numpy as np
from matplotlib.lines import Line2D

from phonoscope.figures import curves, style

# Decoders that do not end write several times as many characters as there are.
HIGHEST = 1.6
# A language that is detected, or named by another one's token.
NOT_NAMED = {"role": "untrained", "dashes": (0, (4, 2))}
LAST = {"color": style.LIGHT, "linewidth": 5, "alpha": 0.5, "zorder": 0}


def draw(exits, corpus):
    """A panel per model: CER by the first normaliser, chance dotted in the colour of its language.

    Parameters
    ----------
    exits : pandas.DataFrame
        The table early_exit of the alignment study.
    corpus : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    rows = exits[(exits.corpus == corpus) & (exits.metric == "CER") & (exits.language != "all")]
    rows, normaliser = style.choose(rows, "normaliser")
    if not rows.value.notna().any():
        return style.message("Nothing was decoded.", f"Early exit: {corpus}")
    top = 1.06 * min(np.nanmax(rows[["value", "ci_high", "chance"]].to_numpy(dtype=float)), HIGHEST)
    with style.styled():
        looks = style.looks(rows.language)
        drawn, axes = curves.facets({model: model for model in dict.fromkeys(rows.model)}, 1, 3.1, 2.7)
        for model, (ax,) in axes.items():
            _panel(ax, rows[rows.model == model], looks)
            ax.set_ylim(0, top)
        curves.label_edges(axes, [f"CER ({normaliser} normaliser)"])
        drawn.suptitle(f"What is written from each layer: {corpus}", x=0.01, ha="left")
        legend = style.legend_below(drawn, _keys(looks, rows.prompted))
        if (rows.value > top).any():
            style.note_below(drawn, f"Above {top:.1f} not drawn: texts that do not end.", legend)
        return drawn


def _panel(ax, rows, looks):
    ax.axvline(rows.layer.max(), **LAST)
    of_language = dict(list(rows.sort_values("layer").groupby("language", sort=False)))
    # Bands of more languages than this cannot be told apart.
    ends = ("ci_low", "ci_high") if len(of_language) <= curves.OVERLAID else ("none", "none")
    for language, mine in of_language.items():
        look = looks[language]
        if mine.prompted.iloc[0] != "given":
            look = replace(look, **NOT_NAMED)
        ax.plot(mine.layer, mine.chance, **style.CHANCE | {"color": look.colour})
        curves.of_model(ax, mine.assign(none=np.nan), ("value", *ends), look, None)
    curves.layer_axis(ax, rows.layer)


def _keys(looks, prompted):
    keys = [Line2D([], [], label=name, **look.line()) for name, look in looks.items()]
    if set(prompted) - {"given"}:
        look = style.Look("", NOT_NAMED["role"], style.GREY, NOT_NAMED["dashes"], "o")
        keys.append(Line2D([], [], label="no token of its own", **look.line()))
    keys.append(Line2D([], [], **style.CHANCE, label="chance: other texts"))
    return [*keys, Line2D([], [], **LAST | {"zorder": 2}, label="last layer")]
