"""How far each sensor of each speaker moved, and how much of it is missing."""

import numpy as np
from matplotlib.patches import Patch, Rectangle

from phonoscope.figures import style

_CELL_W, _CELL_H = 0.42, 0.24
_OUT = "#D55E00"


def draw(quality, corpus=""):
    """SD in mm and missing share of every speaker and channel; what was left out is hatched.

    Parameters
    ----------
    quality : pandas.DataFrame
        As :func:`phonoscope.studies.quality.summarise_quality` makes it.
    corpus : str
        For the title.

    Returns
    -------
    matplotlib.figure.Figure
    """
    if quality.empty:
        return style.message("The corpus has no recording that could be read.", "Quality of the recordings")
    speakers, channels = style.natural(quality.speaker), style.along_the_tract(quality.channel)

    def grid(column):
        return quality.pivot(index="speaker", columns="channel", values=column).reindex(
            speakers, columns=channels
        )

    out, n = grid("n_left_out").fillna(0).to_numpy(), grid("n_recordings").to_numpy()
    with style.styled():
        names = 0.075 * max(map(len, speakers)) + 0.25
        foot = 0.62 + 0.055 * max(map(len, channels))
        cells = max(_CELL_W * len(channels), 1.9)
        width, height = names + 2 * cells + 0.5, _CELL_H * len(speakers) + foot + 0.6
        drawn = style.figure(width, height)
        panels = [
            ("SD of the movement (mm)", grid("sd_mm").to_numpy(), "{:.1f}", style.HEAT, None),
            ("missing samples (%)", 100 * grid("missing_share").to_numpy(), "{:.0f}", "Greys", 100),
        ]
        for i, (title, values, form, colours, most) in enumerate(panels):
            left = names + i * (cells + 0.3)
            box = np.array([left, foot, cells, _CELL_H * len(speakers)]) / [width, height, width, height]
            ax = drawn.add_axes(box)
            image = _panel(ax, values, form, colours, most)
            _mark(ax, out, n)
            ax.set_title(title)
            ax.set_xticks(
                np.arange(len(channels)) + 0.5, channels, rotation=45, ha="right", rotation_mode="anchor"
            )
            ax.set_yticks(np.arange(len(speakers)) + 0.5, speakers if i == 0 else [])
            bar = drawn.add_axes([left / width, 0.33 / height, cells / width, 0.1 / height])
            drawn.colorbar(image, cax=bar, orientation="horizontal").ax.tick_params(labelsize=7)
        drawn.text(
            0.02,
            1 - 0.05 / height,
            f"Quality of the recordings: {corpus}".removesuffix(": "),
            va="top",
            size=10.5,
        )
        _legend(drawn, out, n)
        return drawn


def _panel(ax, values, form, colours, most):
    top = most or max(np.nanmax(values, initial=0), 0.1)
    image = ax.pcolormesh(values, cmap=colours, vmin=0, vmax=top, edgecolors="#d9d9d9", linewidth=0.6)
    for row, column in np.ndindex(values.shape):
        value = values[row, column]
        if not np.isfinite(value):
            ax.text(column + 0.5, row + 0.52, "–", ha="center", va="center", size=7, color=style.GREY)
            continue
        colour = style.ink(image.cmap(image.norm(value)))
        ax.text(column + 0.5, row + 0.53, form.format(value), ha="center", va="center", size=7, color=colour)
    ax.invert_yaxis()
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)
    return image


def _mark(ax, out, n):
    """Hatch what was left out of every recording, frame what was left out of some."""
    for row, column in np.argwhere(out > 0):
        corner, whole = (column + 0.04, row + 0.05), out[row, column] == n[row, column]
        looks = {"hatch": "////", "edgecolor": _OUT} if whole else {"edgecolor": "black"}
        line = "-" if whole else (0, (2, 1))
        ax.add_patch(Rectangle(corner, 0.92, 0.9, fill=False, linewidth=2.2, edgecolor="white"))
        ax.add_patch(Rectangle(corner, 0.92, 0.9, fill=False, linewidth=1.2, linestyle=line, **looks))


def _legend(drawn, out, n):
    handles = []
    if (out[out > 0] == n[out > 0]).any():
        handles.append(Patch(fill=False, hatch="////", edgecolor=_OUT, label="left out of all recordings"))
    if (out[out > 0] < n[out > 0]).any():
        handles.append(
            Patch(fill=False, linestyle=(0, (2, 1)), edgecolor="black", label="left out of some recordings")
        )
    style.legend_below(drawn, handles)
