"""Variance of EMA that is the phones' alone, shared, and the layer's alone: a column per model."""

from textwrap import wrap

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from phonoscope.figures import curves, style

# From the bottom of a bar to its top; hatches tell them apart without colour.
PARTS = {
    "unique_phones": ("phones alone (both − layer)", {"facecolor": "#E69F00", "hatch": "///"}),
    "shared": ("shared", {"facecolor": "#d9d9d9", "hatch": ""}),
    "unique_layer": ("the layer alone (both − phones)", {"facecolor": "#0072B2", "hatch": "..."}),
}
EDGE = {"edgecolor": "black", "linewidth": 0.5}
WIDTH = 0.74
PLACES = dict(zip(PARTS, (-0.22, 0.0, 0.22), strict=True))
LABELS = {"speaker": "held-out speaker", "language": "held-out language"}


def draw(partition, statements, corpus):
    """Stacked bars by layer, held-out speakers above held-out languages.

    Parameters
    ----------
    partition, statements : pandas.DataFrame
        The tables ``partition`` and ``partition_statements``.
    corpus : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    rows = partition[(partition.corpus == corpus) & (partition.held_out == "all") & partition.r2.notna()]
    rows = rows[~rows.layer.isin(["all", "best"])]
    rows = rows.assign(layer=rows.layer.astype(float).astype(int))
    title = f"Variance of EMA explained by phones and by layers: {corpus}"
    if rows.empty:
        return style.message("There is no score: too few speakers or languages with phones.", title)
    ways = [way for way in LABELS if way in set(rows.leave_out)]
    models = list(dict.fromkeys(rows.model))
    said = statements[(statements.corpus == corpus) & (statements.layer == "best")]
    with style.styled():
        drawn, axes = curves.facets({model: model for model in models}, len(ways), 2.3, 2.3)
        for model, column in axes.items():
            for ax, way in zip(column, ways, strict=True):
                _panel(ax, rows[(rows.model == model) & (rows.leave_out == way)])
                curves.layer_axis(ax, rows.layer)
        _same_limits(axes, ways)
        curves.label_edges(axes, [f"R², {LABELS[way]}" for way in ways])
        drawn.suptitle(title, x=0.01, ha="left")
        legend = style.legend_below(drawn, _keys())
        _say(drawn, said, ways, legend)
        return drawn


def _panel(ax, rows):
    """Bars of one model; parts below 0 hang from it."""
    for layer, part in rows.groupby("layer"):
        of = part.set_index("part")
        up = down = 0.0
        for name, (_, look) in PARTS.items():
            value, low, high = of.loc[name, ["r2", "ci_low", "ci_high"]].astype(float)
            base = up if value >= 0 else down
            ax.bar(layer, value, WIDTH, bottom=base, zorder=2, **look, **EDGE)
            if np.isfinite(low):
                x = layer + PLACES[name]
                ax.plot([x, x], [base + low, base + high], color="black", linewidth=1.3, zorder=3)
            up, down = (up + value, down) if value >= 0 else (up, down + value)
        ends = [layer - WIDTH / 2, layer + WIDTH / 2]
        ax.plot(
            ends, [of.loc["phones", "r2"]] * 2, color="black", linewidth=1.6, linestyle=(0, (2, 1)), zorder=4
        )
        chance = of.loc["both", "control"]
        if np.isfinite(chance):
            ax.plot([layer - 0.5, layer + 0.5], [chance] * 2, **style.CHANCE, zorder=1)
    ax.axhline(0, color="black", linewidth=0.7)


def _same_limits(axes, ways):
    """Panels of one way of holding out have the same limits."""
    for row in range(len(ways)):
        panels = [column[row] for column in axes.values()]
        low, high = min(ax.get_ylim()[0] for ax in panels), max(ax.get_ylim()[1] for ax in panels)
        for ax in panels:
            ax.set_ylim(low, high)


def _keys():
    handles = [Patch(label=label, **look, **EDGE) for label, look in list(PARTS.values())[::-1]]
    handles.append(Line2D([], [], color="black", linewidth=1.3, label="95 % interval of the part it ends"))
    handles.append(
        Line2D([], [], color="black", linewidth=1.6, linestyle=(0, (2, 1)), label="all that phones explain")
    )
    handles.append(Line2D([], [], **style.CHANCE, label=style.CHANCE_LABEL))
    return handles


def _say(drawn, said, ways, legend):
    """The statements of each model's best layer, below the legend."""
    lines = []
    for way in ways:
        part = said[said.leave_out == way]
        lines += [f"{LABELS[way].capitalize()}, at the layer that explains most by itself:"] * bool(len(part))
        for row in part.itertuples():
            said_of = f"   {row.model}, layer {row.best_layer}: {row.statement}"
            # Some 17 letters of this size are an inch; a longer line would widen the figure.
            lines += wrap(said_of, int(17 * drawn.get_figwidth()), subsequent_indent="      ")
    drawn.text(0.02, legend.bottom, "\n".join(lines), va="top", size=8, linespacing=1.4)
