"""r of every group's probe on every group, per model and kind of group, at the model's best layer."""

import numpy as np

from phonoscope.figures import cells, curves, style

NAMES = {"native_language": "native language", "language": "language spoken"}


def draw(matrix, corpus, probe=None):
    """A column per model, a map of source groups by target groups per kind of group.

    Parameters
    ----------
    matrix : pandas.DataFrame
        The table of this name of the kinematics study.
    corpus : str
    probe : str, optional
        Which to draw where the table has several.

    Returns
    -------
    matplotlib.figure.Figure
    """
    rows = matrix[(matrix.corpus == corpus) & (matrix.experiment == "groups") & (matrix["map"] == "none")]
    rows, probe = style.choose(rows[rows.r.notna()], "probe", probe)
    title = f"Every group's probe on every group: {corpus} ({probe})"
    if rows.empty:
        return style.message("No group's probe could be tried on another.", f"Groups: {corpus}")
    kinds = {by: style.natural({*part.source, *part.target}) for by, part in rows.groupby("by", sort=False)}
    limits = min(0, rows.r.min()), max(rows.r.max(), 0.1)
    with style.styled():
        layers = dict(zip(rows.model, rows.layer, strict=True))
        titles = {model: f"{model}, layer {layer:.0f}" for model, layer in layers.items()}
        most = max(map(len, kinds.values()))
        drawn, axes = curves.facets(titles, len(kinds), 0.42 * most + 0.9, 0.3 * most + 0.55)
        for model, column in axes.items():
            for ax, (by, names) in zip(column, kinds.items(), strict=True):
                part = rows[(rows.model == model) & (rows.by == by)]
                values = part.pivot(index="source", columns="target", values="r")
                image = _panel(ax, values.reindex(names, columns=names), limits)
        curves.label_edges(axes, [f"{NAMES.get(by, by)}\nprobe of" for by in kinds])
        drawn.colorbar(image, ax=drawn.axes, label=style.R_LABEL, shrink=0.6, pad=0.01)
        drawn.suptitle(title, x=0.01, ha="left")
        return drawn


def _panel(ax, values, limits):
    image = cells.draw(ax, values.to_numpy(dtype=float), limits, 6.5, 0.3)
    ax.set_yticks(np.arange(len(values)) + 0.5, values.index)
    ax.set_xticks(np.arange(len(values)) + 0.5, values.columns)
    # Every kind has groups of its own.
    ax.tick_params(length=0, labelsize=6.5, labelbottom=True)
    return image
