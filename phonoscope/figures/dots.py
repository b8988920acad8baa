"""Rows of models with points and intervals along r: names of any length are read without turning."""

from textwrap import fill

import numpy as np

from phonoscope.figures import style

ROW = 0.34  # inches of height per model


def name_rows(ax, models):
    """One row per model from top to bottom, thin lines between."""
    ax.set_ylim(len(models) - 0.5, -0.5)
    ax.set_yticks(range(len(models)), [fill(model, 34) for model in models])
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    for y in np.arange(0.5, len(models) - 1):
        ax.axhline(y, color="#e3e3e3", linewidth=0.7, zorder=0)
    ax.grid(axis="x")


def chance_marks(ax, chance):
    """Each model's chance level as a grey bar across its row."""
    for y, value in enumerate(chance):
        if np.isfinite(value):
            ax.plot([value, value], [y - 0.42, y + 0.42], color=style.LIGHT, linewidth=3.5, zorder=1)


def interval(ax, y, rows, colour, marker, filled=True):
    """Points at ``y`` with their intervals."""
    r, low, high = (np.asarray(v, dtype=float) for v in (rows.r, rows.ci_low, rows.ci_high))
    known = np.isfinite(low)
    ax.hlines(np.asarray(y)[known], low[known], high[known], color=colour, linewidth=1.3, zorder=2)
    face = colour if filled else "white"
    ax.plot(r, y, linestyle="", marker=marker, color=colour, markerfacecolor=face, markersize=5, zorder=3)
