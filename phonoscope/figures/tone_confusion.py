"""Which tones are taken for which, at the best layer of the best model of each corpus."""

from textwrap import wrap

import numpy as np

from phonoscope.figures import cells, style

# Inches.
_LINE = 0.14
_CELL_W, _CELL_H, _GAP, _FOOT, _PAGE = 0.42, 0.3, 0.35, 0.5, 10.6


def draw(confusion, layers):
    """True tone by predicted tone, a panel per corpus, shares of the rows written into the cells.

    Parameters
    ----------
    confusion, layers : pandas.DataFrame
        The tables of these names of the tone study.

    Returns
    -------
    matplotlib.figure.Figure
    """
    scored = layers[layers.macro_f1.notna()]
    if scored.empty:
        return style.message("No layer was scored.", "Confusion of tones")
    best = scored.loc[scored.groupby("corpus", sort=False).macro_f1.idxmax()]
    with style.styled():
        panels = [_matrix(confusion, row) for row in best.itertuples()]
        lines = style.flow(panels, _PAGE)
        width = max(max(sum(panel["width"] for panel in line) for line in lines), 4.6)
        tall = [max(panel["height"] for panel in line) for line in lines]
        height = sum(tall) + 0.85
        drawn = style.figure(width, height)
        top = height - 0.3
        for line, line_height in zip(lines, tall, strict=True):
            left = 0
            for panel in line:
                cells = panel["shares"].shape[0]
                box = [left + panel["left"], top - panel["height"] + _FOOT, _CELL_W * cells, _CELL_H * cells]
                image = _panel(drawn.add_axes(np.array(box) / [width, height, width, height]), panel)
                left += panel["width"]
            top -= line_height
        drawn.text(0.06 / width, 1 - 0.08 / height, "Which tones are taken for which", va="top", size=10.5)
        bar = drawn.add_axes([panels[0]["left"] / width, 0.4 / height, 2.4 / width, 0.12 / height])
        drawn.colorbar(image, cax=bar, orientation="horizontal", label="share of the tone's items")
        return drawn


def _matrix(confusion, best):
    """Shares of one panel, and how much room it takes."""
    rows = confusion[
        (confusion.corpus == best.corpus) & (confusion.model == best.model) & (confusion.layer == best.layer)
    ]
    tones = style.natural(rows.tone)
    shares, items = (
        rows.pivot(index="tone", columns="predicted", values=name).reindex(index=tones, columns=tones)
        for name in ("share", "items")
    )
    names = [f"{tone} ({int(n)})" for tone, n in zip(tones, items.sum(axis=1), strict=True)]
    left = 0.075 * max(map(len, names)) + 0.4
    cells = _CELL_W * len(tones)
    room = max(cells + _GAP, 2.1)
    about = wrap(best.model, int(room / 0.075)) + [f"layer {best.layer:.0f}, macro-F1 {best.macro_f1:.2f}"]
    return {
        "shares": shares,
        "names": names,
        "corpus": best.corpus,
        "about": about,
        "left": left,
        "width": left + max(cells, room - _GAP) + _GAP,
        "height": 0.35 + _LINE * len(about) + _CELL_H * len(tones) + _FOOT,
    }


def _panel(ax, panel):
    values, tones = panel["shares"].to_numpy(), list(panel["shares"].columns)
    image = cells.draw(ax, values, (0, 1), 7)
    ax.set_yticks(np.arange(len(tones)) + 0.5, panel["names"])
    ax.set_xticks(np.arange(len(tones)) + 0.5, tones)
    ax.tick_params(length=0, labelsize=7.5)
    ax.set_xlabel("predicted", labelpad=1)
    ax.set_ylabel("true (items)", labelpad=2)
    above = len(panel["about"])
    ax.set_title(panel["corpus"], pad=72 * _LINE * above + 6)
    ax.annotate("\n".join(panel["about"]), (0, 1), (0, 3), "axes fraction", "offset points", size=8)
    return image
