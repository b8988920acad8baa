"""r against layer within speakers, between speakers of the same and of another group, and after a map."""

import numpy as np
from matplotlib.lines import Line2D

from phonoscope.figures import curves, style

WITHIN = style.Look("the same speaker (ceiling)", "trained", "#000000", "-", "o")
SAME = style.Look("another speaker, same {}", "trained", "#0072B2", "-", "s")
OTHER = style.Look("another {}", "trained", "#D55E00", "-", "^")
MAPPED = style.Look("another {}, after an affine map", "untrained", "#D55E00", (0, (4, 2)), "^")
CURVES = [("within", "none", WITHIN), ("same", "none", SAME), ("other", "none", OTHER)]
CURVES.append(("other", "affine", MAPPED))


def draw(transfer, corpus, probe=None, by="native_language"):
    """A panel per model; chance is that of the other group.

    Parameters
    ----------
    transfer : pandas.DataFrame
        The table of this name of the kinematics study.
    corpus : str
    probe : str, optional
        Which to draw where the table has several.
    by : str
        What the groups of speakers are made by; any other speaker, where there are no such groups. A native
        language is not the language that is spoken.

    Returns
    -------
    matplotlib.figure.Figure
    """
    rows = transfer[(transfer.corpus == corpus) & (transfer.experiment == "speakers") & transfer.r.notna()]
    rows, probe = style.choose(rows, "probe", probe)
    if rows.empty:
        return style.message("No speaker's probe could be tried on another.", f"Transfer: {corpus}")
    by = by if by in set(rows.by) else "speaker"
    rows = rows[rows.by == by]
    name = by.replace("_", " ")
    with style.styled():
        drawn, axes = curves.facets({model: model for model in dict.fromkeys(rows.model)}, 1, 2.7, 2.6)
        for model, (ax,) in axes.items():
            _panel(ax, rows[rows.model == model])
            curves.layer_axis(ax, rows.layer)
            lowest = np.nanmin([0, rows.ci_low.min(), rows.r.min(), rows.chance.min()])
            ax.set_ylim(lowest - 0.03, min(max(rows.r.max(), rows.ci_high.max(), 0.1) + 0.04, 1.02))
        curves.label_edges(axes, [style.R_LABEL])
        title = f"What a probe of one speaker reads of another: {corpus} ({probe})"
        drawn.suptitle(title, x=0.01, ha="left")
        keys = [
            Line2D([], [], **look.line(label=look.name.format(name)))
            for relation, kind, look in CURVES
            if ((rows.relation == relation) & (rows["map"] == kind)).any()
        ]
        style.legend_below(drawn, [*keys, Line2D([], [], **style.CHANCE, label=style.CHANCE_LABEL)])
        return drawn


def _panel(ax, rows):
    for relation, kind, look in CURVES:
        part = rows[(rows.relation == relation) & (rows["map"] == kind)].sort_values("layer")
        if part.empty:
            continue
        curves.band(ax, part.layer, part, look)
        if relation == "other" and kind == "none":
            span = np.array([part.layer.min() - 0.5, part.layer.max() + 0.5])
            layers = np.r_[span[0], part.layer, span[1]]
            ax.plot(layers, np.pad(part.chance.to_numpy(), 1, "edge"), **style.CHANCE)
