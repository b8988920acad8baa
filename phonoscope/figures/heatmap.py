"""r of every layer and channel (E2), one map per model."""

from textwrap import wrap

import numpy as np

from phonoscope.figures import cells, style

# Inches: cells wide enough for two digits, rows of panels about as wide as a page.
_CELL_W, _CELL_H, _GAP, _HEAD, _FOOT, _PAGE = 0.30, 0.235, 0.4, 0.3, 0.42, 9.2


def draw(e2, probe=None, split=None):
    """Layer by channel, a panel per model, one colour scale, the values written into the cells.

    Parameters
    ----------
    e2 : pandas.DataFrame
        The table ``E2``.
    probe, split : str, optional
        Which to draw where the table has several (utterances before frames).

    Returns
    -------
    matplotlib.figure.Figure
    """
    rows = e2[e2.r.notna()]
    rows, probe = style.choose(rows, "probe", probe)
    rows, split = style.choose(rows, "split", split, ["utterances"])
    if rows.empty:
        return style.message("E1 gave no score, so that there is none per channel.", "Layers and channels")
    channels = style.along_the_tract(rows.channel)
    maps = [_map(rows[rows.model == model], model, channels) for model in dict.fromkeys(rows.model)]
    lines = style.flow(maps, _PAGE)
    with style.styled():
        width = max(max(sum(m["width"] for m in line) for line in lines), 4.6)
        heights = [max(m["head"] for m in line) + _CELL_H * len(channels) + _FOOT for line in lines]
        height = sum(heights) + 0.85
        drawn = style.figure(width, height)
        limits = (min(0, rows.r.min()), max(rows.r.max(), 0.1))
        top = height - 0.25
        for line, line_height in zip(lines, heights, strict=True):
            left = 0
            for panel in line:
                box = [
                    left + panel["left"],
                    top - line_height + _FOOT,
                    panel["cells"],
                    _CELL_H * len(channels),
                ]
                ax = drawn.add_axes(np.array(box) / [width, height, width, height])
                image = _panel(ax, panel, channels, limits)
                left += panel["width"]
            top -= line_height
        title = f"Which movement each layer knows (E2: {probe}, held-out {split})"
        drawn.text(0.06 / width, 1 - 0.08 / height, title, va="top", size=10.5)
        bar = drawn.add_axes(
            [maps[0]["left"] / width, 0.38 / height, min(3.2, width - 1) / width, 0.12 / height]
        )
        drawn.colorbar(image, cax=bar, orientation="horizontal", label=style.R_LABEL)
        return drawn


def _map(rows, model, channels):
    left = 0.075 * max(map(len, channels)) + 0.15
    values = rows.pivot(index="channel", columns="layer", values="r").reindex(channels)
    cells = _CELL_W * values.shape[1]
    lines = wrap(model, max(int((max(cells, 1.4) + _GAP) / 0.085), 14))
    width = max(cells, min(0.085 * max(map(len, lines)), 1.4 + _GAP)) + left + _GAP
    head = _HEAD + 0.15 * (len(lines) - 1)
    return {
        "values": values,
        "title": "\n".join(lines),
        "left": left,
        "cells": cells,
        "width": width,
        "head": head,
    }


def _panel(ax, panel, channels, limits):
    values = panel["values"].to_numpy()
    image = cells.draw(ax, values, limits, 6.6)
    ax.set_yticks(np.arange(len(channels)) + 0.5, channels)
    ax.set_xticks(np.arange(values.shape[1]) + 0.5, [f"{layer:.0f}" for layer in panel["values"].columns])
    ax.tick_params(length=0, labelsize=7.5)
    ax.set_xlabel("layer", labelpad=1)
    ax.set_title(panel["title"], size=9)
    return image
