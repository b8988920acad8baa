"""Known truth against what the instrument says: aligner, trained models, languages without a common phone."""

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from phonoscope.figures import curves, style

FARTHEST_MS = 200
WITHIN_MS = 20
ACROSS = {"linestyle": (0, (4, 2)), "markerfacecolor": "white"}
PER_ROW = 4


def draw(table, boundaries=(), roles=None):
    """One figure of all cases that the table holds.

    Parameters
    ----------
    table : pandas.DataFrame
        The calibration table, with the columns of ``calibration.ROWS``.
    boundaries : list of pandas.DataFrame
        Columns start_s, aligned_s, uniform_s, grid_s: one table per corpus that was aligned.
    roles : dict of str to str, optional
        See :func:`phonoscope.studies.roles.roles`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    gains = table[table.unit.eq("difference in r") & table.measured.notna()]
    disjoint = table[table.case.str.startswith("disjoint phones: both") & table.measured.notna()]
    # One case decides the layout of the rows above it and below it only.
    upper = [("aligner", each) for each in boundaries] + [("gain", part) for part in _gains(gains, roles)]
    if not upper and disjoint.empty:
        return style.message("The calibration has no row that could be drawn.", "Calibration")
    with style.styled():
        found = style.looks(_ordered(table, roles), roles)
        families = _families(disjoint, found)
        heights = [1.0] * _lines(upper) + [0.9] * _lines(families)
        drawn = style.figure(11.6, 0.3 + 2.75 * sum(heights), layout="constrained")
        grid = drawn.add_gridspec(len(heights), PER_ROW, height_ratios=heights)
        axes = [drawn.add_subplot(grid[divmod(i, PER_ROW)]) for i in range(len(upper))]
        for i, (ax, (kind, rows)) in enumerate(zip(axes, upper, strict=True)):
            title = f"({'abcdefghijklmnopqrstuvwxyz'[i % 26]}) "
            _aligner(ax, rows, title) if kind == "aligner" else _gain(ax, rows, found, title)
        _same_limits([ax for ax, (kind, _) in zip(axes, upper, strict=True) if kind == "gain"])
        below = []
        for i, family in enumerate(families):
            row, column = divmod(i, PER_ROW)
            below.append(drawn.add_subplot(grid[_lines(upper) + row, column]))
            title = f"({'abcdefghijklmnopqrstuvwxyz'[len(upper) % 26]}) " * (i == 0)
            _languages(below[-1], disjoint, family, found, title, first=column == 0)
        _same_limits(below)
        drawn.suptitle("Calibration: known truth against what is measured", x=0.01, ha="left")
        style.legend_below(drawn, _keys(upper, gains, families, found))
        return drawn


def _ordered(table, roles):
    """Models in the order of the config, as far as they are in the table."""
    there = list(dict.fromkeys(table[table.layer.notna()].model))
    return [model for model in roles or {} if model in there] or there


def _gains(gains, roles):
    """Rows of one panel each: an experiment, against untrained twins or against a baseline."""
    kind = gains.reference.map(lambda name: "MFCC" if (roles or {}).get(name) == "baseline" else "untrained")
    return [
        part.assign(against=against)
        for against in ("untrained", "MFCC")
        for _, part in gains[kind == against].groupby("case", sort=False)
    ]


def _lines(panels):
    return -(-len(panels) // PER_ROW)


def _families(rows, found):
    """Panels of the languages: each trained model; the untrained ones; the baselines."""
    there = [name for name in found if name in set(rows.model)]
    panels = [[name] for name in there if found[name].role == "trained"]
    for role in ("untrained", "baseline"):
        panels += [[name for name in there if found[name].role.startswith(role)]]
    return [panel for panel in panels if panel]


def _aligner(ax, rows, title):
    """Share of phone starts within so many ms."""
    for name, options in (
        ("grid", {"color": style.LIGHT}),
        ("aligned", {"color": "#0072B2"}),
        ("uniform", style.CHANCE),
    ):
        off = np.sort(1000 * np.abs(rows[f"{name}_s"] - rows.start_s).to_numpy())
        share = np.arange(1, len(off) + 1) / len(off)
        ax.step(
            [0, *off, FARTHEST_MS],
            [0, *share, 1 if off[-1] < FARTHEST_MS else np.nan],
            where="post",
            **options,
        )
        if name == "aligned":
            p90 = np.quantile(off, 0.9)
            ax.plot([np.median(off), p90], [0.5, 0.9], "o", color="#0072B2")
            for x, y, word in ((np.median(off), 0.5, "median"), (p90, 0.9, "90 %")):
                ax.annotate(f"{word} {x:.0f} ms", (x, y), (8, -9), textcoords="offset points", size=7.5)
    ax.axvline(WITHIN_MS, color=style.LIGHT, linewidth=0.7, zorder=0)
    ax.set_xlim(0, FARTHEST_MS)
    ax.set_ylim(0, 1.02)
    ax.set_xlabel("distance from the known start, ms")
    ax.set_ylabel("share of phones")
    ax.set_title(f"{title}aligner")


def _gain(ax, rows, found, title):
    ax.axhline(0, **style.CHANCE)
    for name, look in found.items():
        mine = rows[rows.model == name].sort_values("layer")
        if len(mine):
            curves.band(ax, mine.layer.astype(int), mine.assign(r=mine.measured), look)
    experiment = rows.case.iloc[0].partition(":")[0]
    ax.set_title(f"{title}{experiment}: gain on {rows.against.iloc[0]}")
    ax.set_ylabel("difference in r")
    _layer_axis(ax, rows.layer)


def _languages(ax, rows, family, found, title, first):
    """Within the language (solid) and across languages (dashed, hollow), with chance of the latter."""
    for name in family:
        mine = rows[rows.model == name].sort_values("layer")
        look = found[name]
        for measure, options in (
            ("r within the language", {"linestyle": "-"}),
            ("r across languages", ACROSS),
        ):
            part = mine[mine.measure == measure]
            options = {"markerfacecolor": look.colour, "marker": look.marker or "o"} | options
            x = part.layer.astype(int).to_numpy()
            low, high = (part[side].to_numpy(dtype=float) for side in ("ci_low", "ci_high"))
            if len(x) == 1 and np.isfinite(low).all():
                ax.plot([x[0], x[0]], [low[0], high[0]], color=look.colour, linewidth=1.2)
            elif np.isfinite(low).any():
                ax.fill_between(x, low, high, color=look.colour, alpha=0.16, linewidth=0)
            ax.plot(x, part.measured, color=look.colour, **options)
        chance = mine[mine.measure == "r across languages"]
        if found[name].role != "baseline":
            ax.plot(chance.layer.astype(int), chance.chance, **style.CHANCE)
    ax.set_title(title + ("baselines" if found[family[0]].role == "baseline" else family[0]))
    if first:
        ax.set_ylabel(style.R_LABEL)
    _layer_axis(ax, rows[rows.model.isin(family)].layer)


def _layer_axis(ax, layers):
    ax.set_xlim(layers.min() - 0.5, layers.max() + 0.5)
    ax.set_xlabel("layer")
    ax.grid(axis="y")
    ax.xaxis.set_major_locator(MaxNLocator(nbins=9, integer=True, min_n_ticks=1))


def _same_limits(axes):
    if axes:
        low, high = min(ax.get_ylim()[0] for ax in axes), max(ax.get_ylim()[1] for ax in axes)
        for ax in axes:
            ax.set_ylim(low, high)


def _keys(upper, gains, families, found):
    """Legend entries of what is drawn."""
    drawn = {name for family in families for name in family} | set(gains.model)
    handles = [style.key(look) for name, look in found.items() if name in drawn]
    if families:
        handles.append(Line2D([], [], color=style.GREY, marker="o", label="within the language"))
        handles.append(Line2D([], [], color=style.GREY, marker="o", label="across languages", **ACROSS))
    if any(kind == "aligner" for kind, _ in upper):
        handles.append(Line2D([], [], color="#0072B2", label="aligner"))
        handles.append(Line2D([], [], color=style.LIGHT, label="nearest edge of a frame"))
    handles.append(Line2D([], [], **style.CHANCE, label="no gain, chance, or equal parts"))
    return handles
