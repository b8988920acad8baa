"""Energy of the gradient against the offset from the tone's centre, a curve per layer."""

from textwrap import fill

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from phonoscope.figures import curves, style

# How far under a flat profile the axis goes.
BELOW = 100


def draw(profiles, spans, corpus):
    """A panel per model of one corpus.

    Parameters
    ----------
    profiles, spans : pandas.DataFrame
        The tables of these names of the tone study.
    corpus : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    rows = profiles[(profiles.corpus == corpus) & profiles.share.notna()]
    if rows.empty:
        return style.message(f"No gradient was taken on {corpus}.", "Gradients by offset")
    span = spans[spans.corpus == corpus].span_ms.iloc[0]
    names = list(dict.fromkeys(rows.model))
    lines = -(-len(names) // curves.PER_LINE)
    columns = -(-len(names) // lines)
    with style.styled():
        colours, bar = style.shades(rows.layer.astype(int))
        drawn = style.figure(max(2.9 * columns, 4.6) + 0.8, 2.3 * lines + 0.5, layout="constrained")
        axes = drawn.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
        for ax in axes.flat[len(names) :]:
            ax.remove()
        axes = list(axes.flat[: len(names)])
        for i, (ax, name) in enumerate(zip(axes, names, strict=True)):
            _panel(ax, rows[rows.model == name], colours, span)
            ax.set_title(fill(name, 34))
            if i % columns == 0:
                ax.set_ylabel("share of the energy per bin")
            if i + columns >= len(names):
                ax.set_xlabel("offset from the centre, ms")
                ax.tick_params(labelbottom=True)
        # A peak holds a third of the energy: only a logarithm shows where layers differ.
        axes[0].set_yscale("log")
        flat = rows.flat_share.max()
        axes[0].set_ylim(flat / BELOW, 1.3 * max(rows.share.max(), flat))
        ends = rows.offset_ms.min(), rows.offset_ms.max()
        axes[0].set_xlim(*ends) if ends[0] < ends[1] else None
        _bar(drawn, bar, colours, axes)
        drawn.suptitle(f"Where in time the gradient lies: {corpus}", x=0.01, ha="left")
        style.legend_below(drawn, _keys(span))
        return drawn


def _panel(ax, rows, colours, span):
    if np.isfinite(span):
        ax.axvspan(-span / 2, span / 2, **style.ACOUSTIC_BAND)
    flat = rows.groupby("offset_ms").flat_share.mean()
    ax.plot(flat.index, flat, **style.CHANCE, zorder=3)
    for layer, part in rows.sort_values("offset_ms").groupby("layer"):
        ax.plot(part.offset_ms, part.share, color=colours[int(layer)], linewidth=1.2)
    ax.grid(axis="y")


def _bar(drawn, bar, colours, axes):
    """Steps of the colour bar, not more numbers than can be read."""
    step = -(-len(colours) // 13)
    drawn.colorbar(bar, ax=axes, label="layer", pad=0.01, aspect=25).set_ticks(
        range(0, len(colours), step), labels=[str(layer) for layer in list(colours)[::step]]
    )


def _keys(span):
    handles = [Line2D([], [], **style.CHANCE, label="flat profile")]
    if np.isfinite(span):
        handles.append(Patch(**style.ACOUSTIC_BAND, label=f"acoustic span, {span:g} ms"))
    return handles
