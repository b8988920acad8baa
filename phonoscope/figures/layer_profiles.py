"""r against layer, for speakers that were trained on (E1) and speakers that were not (E4)."""

from textwrap import fill

import numpy as np
from matplotlib.ticker import MaxNLocator

from phonoscope.figures import curves, style


def draw(layers, roles=None, probe=None, split=None):
    """Layer profiles of all models, with intervals, baselines, untrained twins and chance.

    Up to four trained models share a panel; more get one panel each, the others in grey behind.

    Parameters
    ----------
    layers : pandas.DataFrame
        The table ``layers``.
    roles : dict of str to str, optional
        See :func:`phonoscope.studies.roles.roles`.
    probe, split : str, optional
        Which to draw where the table has several (utterances before frames).

    Returns
    -------
    matplotlib.figure.Figure
    """
    layers = layers[layers.r.notna() & layers.experiment.isin(["E1", "E4"])]
    layers, probe = style.choose(layers, "probe", probe)
    e1, split = style.choose(layers[layers.experiment == "E1"], "split", split, ["utterances"])
    e4, left_out = style.choose(layers[layers.experiment == "E4"], "split")
    panels = [
        ("E1: same speaker", e1),
        (f"E4: {left_out.removeprefix('one ').removesuffix(' out')} not trained on", e4),
    ]
    panels = [(title, rows) for title, rows in panels if len(rows)]
    if not panels:
        return style.message("E1 and E4 gave no score.", "Layer profiles")
    with style.styled():
        found = style.looks(layers.model, roles)
        families = curves.families(found)
        if len(families) <= curves.OVERLAID:
            drawn = style.figure(4.6 * len(panels) + 0.4, 3.5, layout="constrained")
            axes = drawn.subplots(1, len(panels), sharey=True, sharex=True, squeeze=False)[0]
            for ax, (title, rows) in zip(axes, panels, strict=True):
                _panel(ax, rows, found, list(found), title)
            axes[0].set_ylabel(style.R_LABEL)
        else:
            axes, drawn = _multiples(families, panels, found)
        _limits(axes, layers)
        held_out = f", E1 on held-out {split}" if len(e1) else ""
        drawn.suptitle(f"Reading articulation from each layer ({probe}{held_out})", x=0.01, ha="left")
        style.legend_below(drawn, style.keys(found, len(families) > curves.OVERLAID, levels=True))
        return drawn


def _multiples(families, panels, found):
    """One pair of panels per trained model, two pairs a row with a gap between."""
    n, n_rows = len(panels), -(-len(families) // 2)
    drawn = style.figure(4.9 * n, 2.25 * n_rows + 0.3, layout="constrained")
    grid = drawn.add_gridspec(n_rows, 2 * n + 1, width_ratios=[*[1] * n, 0.06, *[1] * n])
    axes = []
    for i, family in enumerate(families):
        first = len(axes)
        for j, (title, rows) in enumerate(panels):
            ax = drawn.add_subplot(grid[i // 2, (i % 2) * (n + 1) + j])
            _panel(ax, rows, found, family, "")
            ax.text(0, 1.03, title, transform=ax.transAxes, size=8.5)
            ax.set_xlabel("layer")
            ax.tick_params(labelleft=j == 0)
            axes.append(ax)
        axes[first].set_ylabel(style.R_LABEL)
        axes[first].set_title(fill(family[0], 60), pad=17)
    return axes, drawn


def _panel(ax, rows, found, highlighted, title):
    span = np.array([rows.layer.min() - 0.5, rows.layer.max() + 0.5])
    by_layer = rows.groupby("layer").chance
    x = np.concatenate([span[:1], by_layer.mean().index, span[1:]])
    low, mean, high = (
        np.pad(v.to_numpy(), 1, "edge") for v in (by_layer.min(), by_layer.mean(), by_layer.max())
    )
    ax.fill_between(x, low, high, color=style.LIGHT, alpha=0.5, linewidth=0)
    ax.plot(x, mean, **style.CHANCE)
    for name, look in found.items():
        mine = rows[rows.model == name].sort_values("layer")
        if mine.empty:
            continue
        if look.role == "baseline":
            curves.level(ax, mine, look, span)
        elif name in highlighted:
            curves.band(ax, mine.layer, mine, look)
        else:
            ax.plot(mine.layer, mine.r, color=style.LIGHT, linewidth=0.8, zorder=1)
    ax.set_title(title)
    ax.set_xlabel("layer (0: input of the first block)")
    ax.grid(axis="y")
    ax.xaxis.set_major_locator(MaxNLocator(nbins=9, integer=True, min_n_ticks=1))


def _limits(axes, layers):
    lowest = np.nanmin([0, layers.chance.min(), layers.r.min(), layers.ci_low.min()])
    highest = np.nanmax([0.1, layers.chance.max(), layers.r.max(), layers.ci_high.max()])
    for ax in axes:
        ax.set_ylim(lowest - 0.04, min(highest + 0.04, 1.02))
        ax.set_xlim(layers.layer.min() - 0.5, layers.layer.max() + 0.5)
