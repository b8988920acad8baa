"""Span of the gradient against layer, beside the acoustic span and the width that occlusion leaves."""

from itertools import product

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from phonoscope.figures import curves, style

FLAT = {"color": "black", "linestyle": (0, (5, 1.5, 1, 1.5)), "linewidth": 0.9}
REACH = {"color": "black", "linewidth": 0.9}
SPAN = ("span_ms", "span_low", "span_high")
WIDTH = ("occlusion_ms", "occlusion_low", "occlusion_high")
ASIDE = 0.09  # in layers, from model to model, so that bars do not cover one another
LABELS = {"span": "span 2·$r_{com}$, ms", "occlusion": "width that keeps\n90 % of the margin, ms"}


def draw(layers, occlusion, roles=None):
    """Two rows of panels, a column per corpus: the gradient's span, and the width that keeps the margin.

    Parameters
    ----------
    layers, occlusion : pandas.DataFrame
        The tables of these names of the tone study.
    roles : dict of str to str, optional
        See :func:`phonoscope.studies.roles.roles`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    measured = {"span": layers.span_ms.notna(), "occlusion": layers.occlusion_low.notna()}
    there = set(layers[measured["span"] | measured["occlusion"]].model)
    if not there:
        return style.message("Neither gradients nor occlusion were measured.", "Spans by layer")
    kinds = [kind for kind, known in measured.items() if known.any()]
    # Looks and rows go by all models, as in the figure of macro-F1.
    found = style.looks(layers.model, roles)
    packs = [[name for name in pack if name in there] for pack in curves.packs(layers)]
    packs = [pack for pack in packs if pack]
    tops = {"span": 1.06 * layers.reach_ms.max(), "occlusion": 1.08 * occlusion.width_ms.max()}
    limits = np.array([layers.layer.min() - 0.5, layers.layer.max() + 0.5])
    with style.styled():
        drawn, axes = curves.facets(style.titles(layers), len(packs) * len(kinds))
        for corpus, column in axes.items():
            rows = layers[layers.corpus == corpus]
            for ax, (names, kind) in zip(column, product(packs, kinds), strict=True):
                ax.set_ylim(0, tops[kind])
                _panel(ax, rows, kind, [found[name] for name in names], limits)
                curves.layer_axis(ax, layers.layer)
        curves.label_edges(axes, [LABELS[kind] for _, kind in product(packs, kinds)])
        drawn.suptitle("How wide a stretch of time each layer uses", x=0.01, ha="left")
        curves.name_models(axes, packs, found, len(kinds))
        handles = [style.key(look) for name, look in found.items() if name in there] * (len(packs) == 1)
        legend = style.legend_below(drawn, [*handles, *_keys(kinds, _beyond(layers).any(), occlusion)])
        if note := _missing(layers, measured):
            style.note_below(drawn, note, legend)
        return drawn


def _panel(ax, rows, kind, looks, limits):
    known = rows.iloc[0]
    if np.isfinite(known.acoustic_ms):
        ax.axhspan(known.acoustic_low, known.acoustic_high, **style.ACOUSTIC_BAND)
        ax.axhline(known.acoustic_ms, **style.ACOUSTIC)
    if kind == "span":
        ax.axhline(rows.reach_ms.max(), **REACH)
        ax.axhline(rows.flat_ms.mean(), **FLAT)
    for i, look in enumerate(looks):
        mine = rows[rows.model == look.name].sort_values("layer")
        if kind == "span":
            curves.of_model(ax, mine, SPAN, look, limits)
        else:
            _widths(ax, mine, look, limits, ASIDE * (i - (len(looks) - 1) / 2))


def _widths(ax, rows, look, limits, aside):
    """Bars, not bands: intervals are wide, and layers without a width stand between those with one."""
    top = ax.get_ylim()[1]
    # A resample that never keeps enough has no upper end.
    low, high = rows.occlusion_low.clip(upper=top), rows.occlusion_high.clip(upper=top)
    x = rows.layer + aside
    if look.role == "baseline":
        curves.of_model(ax, rows.assign(occlusion_low=low, occlusion_high=high), WIDTH, look, limits)
        x = x * 0 + limits.mean()
    else:
        ax.vlines(x, low, high, color=look.colour, linewidth=1)
        ax.plot(x, rows.occlusion_ms, **look.line(linewidth=1, markersize=4))
    beyond = _beyond(rows)
    if beyond.any():
        ax.plot(x[beyond], np.full(beyond.sum(), top), **_arrow(look.colour, look.filled))


def _beyond(rows):
    """Layers where no width that was tried keeps enough."""
    return rows.occlusion_low.notna() & rows.occlusion_ms.isna()


def _arrow(colour, filled=True):
    face = {"color": colour, "markerfacecolor": colour if filled else "white"}
    return {"marker": "^", "markersize": 5.5, "linestyle": "", "clip_on": False} | face


def _missing(layers, measured):
    """What cannot be seen in the figure because it was not measured."""
    parts = []
    for kind, name in (("span", "gradients"), ("occlusion", "occlusion")):
        lacking = [m for m in dict.fromkeys(layers.model) if m not in set(layers[measured[kind]].model)]
        if len(lacking) == layers.model.nunique():
            parts.append(f"{name}: not measured")
        elif lacking:
            parts.append(f"{name}: not measured for {', '.join(lacking)}")
    return "; ".join(parts)


def _keys(kinds, beyond, occlusion):
    handles = [
        Line2D([], [], **style.ACOUSTIC, label="acoustic span"),
        Patch(**style.ACOUSTIC_BAND, label="its 95 % interval"),
    ]
    if "span" in kinds:
        handles.append(Line2D([], [], **REACH, label="W: reach of the gradients"))
        handles.append(Line2D([], [], **FLAT, label="span of a flat profile"))
    if beyond:
        widest = f"beyond the widest, {occlusion.width_ms.max():g} ms"
        handles.append(Line2D([], [], **_arrow(style.GREY), label=widest))
    return handles
