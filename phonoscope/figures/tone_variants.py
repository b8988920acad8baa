"""Variants of a model in the order of their macro-F1, with the span at the same layer."""

from textwrap import fill

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from phonoscope.figures import dots, style

VANILLA = "vanilla"
# A mark that no model has.
UNHEARD = {"marker": "d", "markersize": 8.5, "markerfacecolor": "none", "linestyle": "", "zorder": 4}
LEVEL = 0.05
ROW, HEAD = 0.34, 0.8  # inches; room for the name of a base, in rows


def draw(variants, tests, layers, roles=None):
    """Two panels per corpus, macro-F1 at the best layer and mean span; a row per variant, the best above.

    Parameters
    ----------
    variants, tests, layers : pandas.DataFrame
        The tables ``variants``, ``variant_tests`` and ``layers`` of the tone study.
    roles : dict of str to str, optional
        See :func:`phonoscope.studies.roles.roles`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    if variants.empty:
        return style.message("No model was scored.", "Variants of a model")
    found, titles = style.looks(layers.model, roles), style.titles(variants)
    kinds = ["macro_f1"] + ["span_ms"] * bool(variants.span_ms.notna().any())
    blocks = 1 if len(titles) <= 3 else 2
    lines = -(-len(titles) // blocks)
    placed = {corpus: _places(variants[variants.corpus == corpus]) for corpus in titles}
    tall = {corpus: ROW * placed[corpus].y.max() + 0.9 for corpus in titles}
    ratios = [max(list(tall.values())[line * blocks : (line + 1) * blocks]) for line in range(lines)]
    with style.styled():
        size = (2.4 * len(kinds) + 2.9) * blocks, sum(ratios) + 0.4
        drawn = style.figure(*size, layout="constrained")
        drawn.get_layout_engine().set(w_pad=0.09)
        grid = drawn.add_gridspec(lines, blocks * len(kinds), height_ratios=ratios)
        for i, (corpus, title) in enumerate(titles.items()):
            line, block = divmod(i, blocks)
            for j, kind in enumerate(kinds):
                ax = drawn.add_subplot(grid[line, block * len(kinds) + j])
                _name(ax, placed[corpus], j == 0)
                _panel(ax, placed[corpus], kind, found, layers[layers.corpus == corpus])
                _against_vanilla(ax, placed[corpus], kind, tests[tests.corpus == corpus])
                _limits(ax, kind, variants, layers)
                if j == 0:
                    ax.set_title(title)
        drawn.suptitle(
            "Variants in order: macro-F1 at the best layer, span over all layers", x=0.01, ha="left"
        )
        style.legend_below(drawn, _keys(layers, variants, tests, kinds))
        return drawn


def _places(rows):
    """Rows with their height ``y``, from above; variants of one model stand together under its name."""
    import pandas as pd

    y, parts = 0.0, []
    for _, part in rows.groupby("base", sort=False):
        named = len(part) > 1
        y += HEAD * named
        parts.append(part.sort_values("rank").assign(y=y + np.arange(len(part)), named=named))
        y += len(part)
    return pd.concat(parts)


def _name(ax, rows, labels):
    """A row per variant, thin lines between, what they are at the left of the first panel."""
    ax.set_ylim(rows.y.max() + 0.5, -0.5)
    ax.set_yticks(rows.y, [_label(row) for row in rows.itertuples()] if labels else [""] * len(rows))
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x")
    for y in rows.y:
        ax.axhline(y + 0.5, color="#e3e3e3", linewidth=0.7, zorder=0)
    for base, part in rows[rows.named].groupby("base"):
        if labels:
            where = {"transform": ax.get_yaxis_transform(), "ha": "right", "va": "center"}
            ax.text(-0.02, part.y.min() - 0.8, f"{base}:", size=8, weight="bold", color=style.GREY, **where)


def _label(row):
    if not row.named:
        return fill(row.model, 34)
    if row.variant == VANILLA:
        return row.variant
    between = " " if len(row.variant + row.model) <= 30 else "\n"
    return f"{row.variant}{between}({fill(row.model, 34)})"


def _panel(ax, rows, kind, found, layers):
    low, high = ("ci_low", "ci_high") if kind == "macro_f1" else ("span_low", "span_high")
    if kind == "macro_f1":
        for row in rows.itertuples():
            ax.plot(
                [row.shuffled] * 2, [row.y - 0.42, row.y + 0.42], color=style.LIGHT, linewidth=3.5, zorder=1
            )
    elif np.isfinite(layers.acoustic_ms.iloc[0]):
        known = layers.iloc[0]
        ax.axvspan(known.acoustic_low, known.acoustic_high, **style.ACOUSTIC_BAND)
        ax.axvline(known.acoustic_ms, **style.ACOUSTIC)
    for row in rows.itertuples():
        look, value = found[row.model], getattr(row, kind)
        if not np.isfinite(value):
            where = {"transform": ax.get_yaxis_transform(), "va": "center"}
            ax.text(0.02, row.y, "no gradient", size=7.5, color=style.GREY, **where)
            continue
        part = rows[rows.model == row.model].assign(r=value, ci_low=rows[low], ci_high=rows[high])
        dots.interval(ax, [row.y], part, look.colour, look.marker, look.filled)
        unheard = layers[(layers.model == row.model) & (layers.layer == row.best_layer)].unheard
        if kind == "macro_f1" and unheard.notna().any():
            ax.plot(unheard.iloc[0], row.y, markeredgecolor="black", **UNHEARD)


def _against_vanilla(ax, rows, kind, tests):
    """Holm's p of each variant against the vanilla model, at the right of its row."""
    tests = tests[tests.measure == kind]
    for row in rows[rows.variant != VANILLA].itertuples():
        pair = tests[
            ((tests.model_a == row.model) & (tests.variant_b == VANILLA))
            | ((tests.model_b == row.model) & (tests.variant_a == VANILLA))
        ]
        p = pair.p_holm.iloc[0] if len(pair) else np.nan
        if np.isfinite(p):
            said = "p < .001" if p < 0.001 else f"p = {p:.3f}".replace("0.", ".")
            where = {"transform": ax.get_yaxis_transform(), "va": "center", "size": 7.5}
            ax.text(1.01, row.y, said, weight="bold" if p < LEVEL else "normal", **where)


def _limits(ax, kind, variants, layers):
    if kind == "macro_f1":
        top = np.nanmax([variants.macro_f1.max(), variants.ci_high.max(), layers.unheard.max()])
        ax.set_xlim(0, min(top + 0.05, 1.02))
        ax.set_xlabel("macro-F1")
    else:
        top = np.nanmax([variants.span_ms.max(), variants.span_high.max(), layers.acoustic_high.max()])
        ax.set_xlim(0, 1.06 * top)
        ax.set_xlabel("span 2·$r_{com}$, ms")


def _keys(layers, variants, tests, kinds):
    handles = [
        Line2D([], [], color=style.GREY, marker="o", label="mean and 95 % interval over folds"),
        Line2D([], [], color=style.LIGHT, linewidth=3.5, label=style.SHUFFLED_LABEL),
    ]
    at_best = variants.merge(
        layers, left_on=["corpus", "model", "best_layer"], right_on=["corpus", "model", "layer"]
    )
    if at_best.unheard.notna().any():
        handles.append(
            Line2D([], [], markeredgecolor="black", label="folds without training recordings", **UNHEARD)
        )
    if "span_ms" in kinds:
        handles.append(Line2D([], [], **style.ACOUSTIC, label="acoustic span"))
        handles.append(Patch(**style.ACOUSTIC_BAND, label="its 95 % interval"))
    if tests.p_holm.notna().any():
        handles.append(Line2D([], [], linestyle="", label=f"p: against vanilla, Holm; bold below {LEVEL:g}"))
    return handles
