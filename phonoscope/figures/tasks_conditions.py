"""r by task and by condition, for each group of speakers with one native language (E5)."""

import numpy as np
from matplotlib.lines import Line2D

from phonoscope.figures import dots, style

_COLOURS = ["#0072B2", "#E69F00", "#000000", "#009E73", "#CC79A7", "#D55E00"]
_MARKERS = ["o", "s", "^", "D", "v", "P"]


def draw(e5, probe=None):
    """r at the best layer by task and by condition: a row of panels per group, a row per model.

    Parameters
    ----------
    e5 : pandas.DataFrame
        The table ``E5``.
    probe : str, optional
        Which to draw where the table has several.

    Returns
    -------
    matplotlib.figure.Figure
    """
    rows = e5[(e5.layer == "best") & (e5.channel == "all") & e5.r.notna()]
    rows, probe = style.choose(rows, "probe", probe)
    task = rows[(rows.condition == "all") & (rows.task != "all")]
    condition = rows[(rows.task == "all") & (rows.condition != "all")]
    columns = [(by, part) for by, part in (("task", task), ("condition", condition)) if len(part)]
    if not columns:
        reason = "E5 gave no score by task or condition" if len(rows) else "E5 gave no score"
        return style.message(
            f"{reason}. It needs two speakers of one native language, and tasks or conditions in the corpus.",
            "Tasks and conditions",
        )
    models, groups = list(dict.fromkeys(rows.model)), list(dict.fromkeys(rows.group))
    with style.styled():
        height = (dots.ROW * max(len(models), 2) + 0.6) * len(groups) + 0.5
        drawn = style.figure(3.4 * len(columns) + 2.2, height, layout="constrained")
        axes = drawn.subplots(len(groups), len(columns), sharex=True, sharey=True, squeeze=False)
        for j, (by, part) in enumerate(columns):
            levels = style.natural(part[by])
            for ax, group in zip(axes[:, j], groups, strict=True):
                _panel(ax, part[part.group == group], by, levels, models)
                ax.set_title(f"{group}: by {by}")
            axes[-1, j].set_xlabel(style.R_LABEL)
        legend = None
        for by, part in columns:
            handles = _handles(style.natural(part[by]), chance=by == columns[-1][0])
            legend = style.legend_below(drawn, handles, title=by, above=legend)
        drawn.suptitle(
            f"Speakers not trained on, at each model's best layer (E5, {probe})", x=0.01, ha="left"
        )
        return drawn


def _panel(ax, part, by, levels, models):
    dots.name_rows(ax, models)
    offsets = np.linspace(-0.27, 0.27, len(levels)) if len(levels) > 1 else [0.0]
    for i, level in enumerate(levels):
        rows = part[part[by] == level]
        y = rows.model.map(models.index) + offsets[i]
        dots.interval(ax, y, rows, _COLOURS[i % 6], _MARKERS[i % 6], filled=i < 6)
    chance = part.groupby("model").chance.mean().reindex(models)
    dots.chance_marks(ax, chance)


def _handles(levels, chance):
    handles = [
        Line2D([], [], linestyle="", color=_COLOURS[i % 6], marker=_MARKERS[i % 6], markersize=5, label=level)
        for i, level in enumerate(levels)
    ]
    bar = Line2D([], [], color=style.LIGHT, linewidth=3.5, label=style.CHANCE_LABEL)
    return [*handles, bar] if chance else handles
