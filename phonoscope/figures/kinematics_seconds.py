"""r against the seconds of speech that a map of another speaker's probe, or a probe of ones own, has seen."""

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from phonoscope.figures import curves, style

LOOKS = {
    "own": style.Look("a probe of the speaker's own", "trained", "#000000", "-", "o"),
    "affine": style.Look("another's probe, affine map", "trained", "#0072B2", "-", "s"),
    "articulator": style.Look("another's probe, a map per articulator", "trained", "#D55E00", "-", "^"),
    "rotation": style.Look("another's probe, rotation and scale", "trained", "#CC79A7", "-", "D"),
}
BEFORE = {"color": "#009E73", "linestyle": (0, (6, 2)), "linewidth": 1.2}


def draw(seconds, corpus, probe=None):
    """A panel per model at its best layer; the level is another's probe as it is.

    Parameters
    ----------
    seconds : pandas.DataFrame
        The table of this name of the kinematics study.
    corpus : str
    probe : str, optional
        Which to draw where the table has several.

    Returns
    -------
    matplotlib.figure.Figure
    """
    rows = seconds[(seconds.corpus == corpus) & seconds.r.notna()]
    rows, probe = style.choose(rows, "probe", probe)
    if rows.empty or not rows["map"].isin(LOOKS).any():
        return style.message("No map was fitted.", f"Seconds that a map needs: {corpus}")
    with style.styled():
        layers = dict(zip(rows.model, rows.layer, strict=True))
        titles = {model: f"{model}, layer {layer:.0f}" for model, layer in layers.items()}
        drawn, axes = curves.facets(titles, 1, 2.7, 2.6)
        for model, (ax,) in axes.items():
            _panel(ax, rows[rows.model == model])
            _axis(ax, rows)
        curves.label_edges(axes, [style.R_LABEL])
        drawn.suptitle(f"How much of a speaker's speech a map needs: {corpus} ({probe})", x=0.01, ha="left")
        keys = [
            Line2D([], [], label=look.name, **look.line())
            for kind, look in LOOKS.items()
            if kind in set(rows["map"])
        ]
        keys.append(Line2D([], [], **BEFORE, label="another's probe, no map"))
        style.legend_below(drawn, [*keys, Line2D([], [], **style.CHANCE, label=style.CHANCE_LABEL)])
        return drawn


def _panel(ax, rows):
    for kind, look in LOOKS.items():
        part = rows[rows["map"] == kind].sort_values("seconds")
        if len(part):
            curves.band(ax, part.seconds, part, look)
    before = rows[rows["map"] == "none"]
    if len(before):
        ax.axhline(before.r.iloc[0], **BEFORE)
    ax.axhline(rows.chance.mean(), **style.CHANCE)


def _axis(ax, rows):
    at = np.unique(rows.seconds[rows.seconds > 0].round(1))
    ax.set_xscale("log")
    ax.set_xlim(at[0] / 1.25, at[-1] * 1.25)
    # Where two sizes are near one another, the label of the larger one is kept.
    kept = [value for value, after in zip(at, [*at[1:], np.inf], strict=True) if after / value > 1.35]
    ax.xaxis.set_major_locator(FixedLocator(kept))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0f}"))
    lowest = np.nanmin([0, rows.ci_low.min(), rows.r.min(), rows.chance.min()])
    ax.set_ylim(lowest - 0.03, min(max(rows.r.max(), rows.ci_high.max(), 0.1) + 0.04, 1.02))
    ax.set_xlabel("speech of the speaker (s)")
    ax.grid(axis="y")
