"""r against seconds of training speech (E3)."""

from textwrap import fill

import numpy as np
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from phonoscope.figures import curves, style


def draw(e3, roles=None, probe=None, split=None):
    """r against seconds of training, mean over layers, a curve per model with its interval.

    Parameters
    ----------
    e3 : pandas.DataFrame
        The table ``E3``.
    roles : dict of str to str, optional
        See :func:`phonoscope.studies.roles.roles`.
    probe, split : str, optional
        Which to draw where the table has several (utterances before frames).

    Returns
    -------
    matplotlib.figure.Figure
    """
    rows = e3[(e3.layer == "all") & e3.r.notna()]
    rows, probe = style.choose(rows, "probe", probe)
    rows, split = style.choose(rows, "split", split, ["utterances"])
    if rows.empty:
        return style.message(
            "E3 gave no score: it was not run, or no speaker has enough speech to train on.", "Training size"
        )
    with style.styled():
        found = style.looks(rows.model, roles)
        families = curves.families(found)
        many = len(families) > curves.OVERLAID
        columns = 3 if many else 1
        n_rows = -(-len(families) // columns) if many else 1
        size = (9.4, 2.3 * n_rows + 0.3) if many else (6.2, 3.6)
        drawn = style.figure(*size, layout="constrained")
        grid = drawn.subplots(n_rows, columns, sharex=True, sharey=True, squeeze=False)
        for ax, family in zip(grid.flat, families if many else [list(found)], strict=False):
            _panel(ax, rows, found, family)
            if many:
                ax.set_title(fill(family[0], 32))
        for ax in list(grid.flat)[len(families) if many else 1 :]:
            ax.remove()
        _axes(drawn, rows)
        title = f"How much speech a probe needs (E3, mean over layers, {probe}, held-out {split})"
        drawn.suptitle(title, x=0.01, ha="left")
        style.legend_below(drawn, style.keys(found, others=many))
        return drawn


def _panel(ax, rows, found, highlighted):
    for name, look in found.items():
        mine = rows[rows.model == name].sort_values("seconds")
        if name in highlighted or look.role == "baseline":
            curves.band(ax, mine.seconds, mine, look)
        else:
            ax.plot(mine.seconds, mine.r, color=style.LIGHT, linewidth=0.8, zorder=1)


def _axes(drawn, rows):
    seconds = np.unique(rows.seconds)
    chance = rows.chance.mean()
    lowest = np.nanmin([0, chance, rows.r.min(), rows.ci_low.min()])
    highest = np.nanmax([0.1, chance, rows.r.max(), rows.ci_high.max()])
    for ax in drawn.axes:
        ax.set_xscale("log")
        ax.set_ylim(lowest - 0.04, min(highest + 0.04, 1.02))
        ax.set_xlim(seconds[0] / 1.25, seconds[-1] * 1.25)
        ax.xaxis.set_major_locator(
            FixedLocator(_apart(seconds, ax.get_position().width * drawn.get_figwidth()))
        )
        ax.xaxis.set_minor_locator(NullLocator())
        ax.xaxis.set_major_formatter(FuncFormatter(_plain))
        ax.grid(axis="y")
        if np.isfinite(chance):
            ax.axhline(chance, **style.CHANCE)
        if ax.get_subplotspec().is_first_col():
            ax.set_ylabel(style.R_LABEL)
        if not any(_below(ax, other) for other in drawn.axes):
            ax.set_xlabel("training speech (s)")
            ax.tick_params(labelbottom=True)


def _below(ax, other):
    here, there = ax.get_subplotspec(), other.get_subplotspec()
    return there.colspan == here.colspan and there.rowspan.start > here.rowspan.start


def _plain(value, _position):
    return f"{value:g}"


def _apart(seconds, width):
    """The sizes whose labels fit on a logarithmic axis of ``width`` inches, the largest first."""
    span = max(np.log(seconds[-1] / seconds[0]) + 2 * np.log(1.25), 0.1)
    kept = []
    for value in seconds[::-1]:
        if kept:
            room = np.log(kept[-1] / value) / span * width
            needed = 0.07 + 0.035 * (len(f"{value:g}") + len(f"{kept[-1]:g}"))
        if not kept or room > needed:
            kept.append(value)
    return kept
