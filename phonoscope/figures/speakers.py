"""r of every speaker when that speaker was left out (E4)."""

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from phonoscope.figures import dots, style
from phonoscope.probes.inference import bootstrap_mean

_GROUPS = [("#0072B2", "o"), ("#E69F00", "s"), ("#009E73", "^"), ("#000000", "D"), ("#CC79A7", "v")]


def draw(speakers, groups=None, probe=None):
    """One point per speaker, a row per model; a bar for the mean and its interval.

    A speaker has the same height within every row, so that one can be followed from model to model.

    Parameters
    ----------
    speakers : pandas.DataFrame
        The table ``speakers``; the rows of E4 are drawn.
    groups : dict of str to str, optional
        Group (native language) of each speaker, told apart by colour and marker.
    probe : str, optional
        Which to draw where the table has several.

    Returns
    -------
    matplotlib.figure.Figure
    """
    rows = speakers[(speakers.experiment == "E4") & speakers.r.notna()]
    rows, probe = style.choose(rows, "probe", probe)
    if rows.empty:
        return style.message("E4 gave no score: it was not run, or there is one speaker only.", "Speakers")
    models, names = list(dict.fromkeys(rows.model)), sorted(set(rows.speaker))
    groups = {name: (groups or {}).get(name, "") for name in names}
    kinds = {group: _GROUPS[i % len(_GROUPS)] for i, group in enumerate(sorted(set(groups.values())))}
    names.sort(key=lambda name: (groups[name], name))
    heights = dict(zip(names, np.linspace(-0.24, 0.24, len(names)) if len(names) > 1 else [0.0], strict=True))
    with style.styled():
        row = 0.5
        drawn = style.figure(7.4, row * max(len(models), 2) + 0.9, layout="constrained")
        ax = drawn.subplots()
        dots.name_rows(ax, models)
        for group, (colour, marker) in kinds.items():
            part = rows[rows.speaker.map(groups) == group]
            y = part.model.map(models.index) + part.speaker.map(heights)
            ax.plot(
                part.r, y, linestyle="", marker=marker, color=colour, markersize=4.2, alpha=0.85, zorder=3
            )
        for y, model in enumerate(models):
            _summary(ax, y, rows[rows.model == model], heights)
        _room_for_names(ax, rows)
        ax.set_xlabel(style.R_LABEL)
        left_out = str(rows.split.iloc[0]).removeprefix("one ").removesuffix(" out")
        title = f"Each speaker at the model's best layer (E4: {left_out} not trained on, {probe})"
        drawn.suptitle(title, x=0.01, ha="left")
        style.legend_below(drawn, _handles(kinds))
        return drawn


def _summary(ax, y, part, heights):
    """Mean and interval, and the names of the lowest and highest speaker beside the points."""
    low, high = bootstrap_mean(part.r.to_numpy()[:, None])
    mean = part.r.mean()
    ax.plot([mean, mean], [y - 0.34, y + 0.34], color="black", linewidth=1.8, zorder=4)
    if np.isfinite(low[0]):
        ax.fill_betweenx(
            [y - 0.34, y + 0.34], low[0], high[0], color="black", alpha=0.13, linewidth=0, zorder=1
        )
    if len(part) > 1:
        ends = (part.r.idxmin(), "right", -6), (part.r.idxmax(), "left", 6)
        for index, side, shift in ends:
            ax.annotate(
                part.speaker[index],
                (part.r[index], y + heights[part.speaker[index]]),
                (shift, 0),
                textcoords="offset points",
                ha=side,
                va="center",
                size=6.5,
                color=style.GREY,
            )


def _room_for_names(ax, rows):
    """Widen the axis by the names that stand left and right of the points."""
    width = max(map(len, rows.speaker)) * 0.055 + 0.2
    low, high = min(rows.r.min(), 0), rows.r.max()
    extra = max(high - low, 0.1) * width / (5.0 - 2 * width)
    ticks = MaxNLocator(7, steps=[1, 2, 5, 10]).tick_values(low, min(high, 1))
    ax.set_xticks(ticks[ticks <= 1])
    ax.set_xlim(low - extra, high + extra)


def _handles(kinds):
    handles = [
        Line2D([], [], linestyle="", color=colour, marker=marker, markersize=4.2, label=group or "speaker")
        for group, (colour, marker) in kinds.items()
    ]
    return [
        *handles,
        Line2D([], [], color="black", linewidth=1.8, label="mean, with 95 % interval over speakers"),
    ]
