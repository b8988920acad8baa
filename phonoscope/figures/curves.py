"""Curves with bootstrap bands, one panel for few models, small multiples for many."""

from textwrap import fill

import numpy as np
from matplotlib.ticker import MaxNLocator

from phonoscope.figures import style

# Bands of more models than this cannot be told apart where they overlap.
OVERLAID = 4
# Panels side by side that still have room for the ticks of 25 layers.
PER_LINE = 4


def band(ax, x, rows, look, label=None):
    """One model's curve: line, markers, and its interval as a band (bars where there is one point)."""
    x, r, low, high = (np.asarray(v, dtype=float) for v in (x, rows.r, rows.ci_low, rows.ci_high))
    size = {"markersize": 4.5 if len(x) <= 13 else 3.5}
    if np.isfinite(low).any():
        if len(x) == 1:
            bars = [np.maximum(r - low, 0), np.maximum(high - r, 0)]
            ax.errorbar(x, r, bars, color=look.colour, capsize=3, linewidth=1.2, fmt="none")
        else:
            ax.fill_between(x, low, high, color=look.colour, alpha=0.16, linewidth=0)
    return ax.plot(x, r, **look.line(**size), label=label)[0]


def level(ax, rows, look, span):
    """A model without layers as a horizontal line over ``span``, its interval as a band."""
    r, low, high = (float(np.asarray(v, dtype=float)[0]) for v in (rows.r, rows.ci_low, rows.ci_high))
    if np.isfinite(low):
        ax.fill_between(span, low, high, color=look.colour, alpha=0.13, linewidth=0)
    ax.plot(span, [r, r], color=look.colour, linestyle=look.dashes)


def families(found):
    """Models that share a panel when there are many: each trained one with its untrained twins.

    Parameters
    ----------
    found : dict of str to style.Look

    Returns
    -------
    list of list of str
        One list per panel; baselines are in none (they are drawn in all).
    """
    members = {}
    for name, look in found.items():
        if look.role != "baseline":
            members.setdefault(look.role.removeprefix("untrained of "), []).append(name)
    panels = []
    for name, look in found.items():
        if look.role == "trained":
            panels.append([name, *members.get(name, [])])
    alone = members.get("untrained", [])
    orphans = [
        n for role, names in members.items() if role not in (*found, "trained", "untrained") for n in names
    ]
    return panels + [[name] for name in [*alone, *orphans]] or [[]]


def packs(layers, most=OVERLAID + 1):
    """Models that share a panel when there are many: a model with its variants, as many as can be told apart.

    Parameters
    ----------
    layers : pandas.DataFrame
        Columns model and base.
    most : int
        Curves in a panel.

    Returns
    -------
    list of list of str
        A base with more variants than fit is divided, and stands first in each part; bases with few share.
    """
    bases = {}
    for model, base in dict(zip(layers.model, layers.base, strict=True)).items():
        bases.setdefault(base, []).append(model)
    found = []
    for base, members in bases.items():
        members = sorted(members, key=lambda model: model != base)
        if len(members) > most:
            first = members[:1] if members[0] == base else []
            others, room = members[len(first) :], most - len(first)
            found += [first + others[i : i + room] for i in range(0, len(others), room)]
        elif found and len(found[-1]) + len(members) <= most:
            found[-1] += members
        else:
            found.append(members)
    return found


def facets(titles, rows, width=3.0, height=2.4):
    """A figure with a column of panels per corpus and as many rows; corpora go on below, four in a line.

    Parameters
    ----------
    titles : dict of str to str
        Corpus to what stands above its column.
    rows : int
    width, height : float
        Of a panel, inches.

    Returns
    -------
    drawn : matplotlib.figure.Figure
    axes : dict of str to list of matplotlib.axes.Axes
        Per corpus, from top to bottom. Those at the left and at the bottom have tick labels.
    """
    lines = -(-len(titles) // PER_LINE)
    columns = -(-len(titles) // lines)
    size = max(width * columns + 0.4, 5.6), height * rows * lines + 0.4
    drawn = style.figure(*size, layout="constrained")
    grid = drawn.add_gridspec(lines * rows, columns)
    axes = {}
    for i, (corpus, title) in enumerate(titles.items()):
        line, column = divmod(i, columns)
        axes[corpus] = [drawn.add_subplot(grid[line * rows + row, column]) for row in range(rows)]
        axes[corpus][0].set_title(fill(title, 36))
        for row, ax in enumerate(axes[corpus]):
            ax.tick_params(labelleft=column == 0, labelbottom=row == rows - 1)
    return drawn, axes


def label_edges(axes, labels):
    """Labels of the panels at the left and at the bottom of :func:`facets`; the others share them.

    Parameters
    ----------
    axes : dict of str to list of matplotlib.axes.Axes
    labels : list of str
        Of the vertical axis, one per row.
    """
    for column in axes.values():
        for ax, label in zip(column, labels, strict=True):
            ax.set_ylabel(label if ax.get_subplotspec().is_first_col() else "")
            if ax is not column[-1]:
                ax.set_xlabel("")


def name_models(axes, packs, found, rows=1):
    """Legends to the right of the panels, where each row (or every ``rows`` of them) has models of its own.

    Parameters
    ----------
    axes : dict of str to list of matplotlib.axes.Axes
    packs : list of list of str
        As :func:`packs` gives them; nothing is done for one.
    found : dict of str to style.Look
    rows : int
    """
    if len(packs) == 1:
        return
    last = [column for column in axes.values() if column[0].get_subplotspec().is_last_col()]
    for column in last or [list(axes.values())[-1]]:
        for names, ax in zip(packs, column[::rows], strict=True):
            handles = [style.key(found[name], found[name].role == "baseline") for name in names]
            for handle in handles:
                handle.set_label(fill(handle.get_label(), 26))
            ax.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.0, 1.03), handlelength=2.6)


def of_model(ax, rows, columns, look, span):
    """A model's curve over its layers, or a level over ``span`` if it is a baseline and has none.

    A layer without a value leaves a gap.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    rows : pandas.DataFrame
    columns : tuple of str
        Names in ``rows`` of the value and the two ends of its interval.
    look : style.Look
    span : array of shape (2,)
    """
    value, low, high = (rows[name] for name in columns)
    rows = rows.assign(r=value, ci_low=low, ci_high=high).sort_values("layer")
    if value.notna().any() and look.role == "baseline":
        level(ax, rows, look, span)
    elif value.notna().any():
        band(ax, rows.layer, rows, look)


def layer_axis(ax, layers, label="layer"):
    """Whole layers from the first to the last, with room on both sides."""
    ax.set_xlim(layers.min() - 0.5, layers.max() + 0.5)
    ax.set_xlabel(label)
    ax.grid(axis="y")
    ax.xaxis.set_major_locator(MaxNLocator(nbins=9, integer=True, min_n_ticks=1))
