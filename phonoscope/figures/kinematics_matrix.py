"""r of every speaker's probe on every speaker, a map per model: as it is, and after an affine map."""

import numpy as np

from phonoscope.figures import cells, curves, style

ROWS = {"none": "no map", "affine": "after an affine map"}
# With more speakers digits would touch.
MOST_WRITTEN = 10


def draw(matrix, corpus, probe=None):
    """Source speakers by target speakers at each model's best layer, ordered by native language.

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
    rows = matrix[(matrix.corpus == corpus) & (matrix.experiment == "speakers") & matrix.r.notna()]
    rows, probe = style.choose(rows, "probe", probe)
    if rows.empty:
        return style.message("No speaker's probe could be tried on another.", f"Transfer: {corpus}")
    kinds = [kind for kind in ROWS if kind in set(rows["map"])]
    order, groups = by_group(rows)
    limits = min(0, rows.r.min()), max(rows.r.max(), 0.1)
    with style.styled():
        layers = dict(zip(rows.model, rows.layer, strict=True))
        titles = {model: f"{model}, layer {layer:.0f}" for model, layer in layers.items()}
        side = 0.2 * len(order) + 0.9
        drawn, axes = curves.facets(titles, len(kinds), side + 0.5, side)
        for model, column in axes.items():
            for ax, kind in zip(column, kinds, strict=True):
                part = rows[(rows.model == model) & (rows["map"] == kind)]
                values = part.pivot(index="source", columns="target", values="r").reindex(
                    order, columns=order
                )
                image = _panel(ax, values, limits, groups)
        curves.label_edges(axes, [f"{ROWS[kind]}\nprobe of" for kind in kinds])
        drawn.colorbar(image, ax=drawn.axes, label=style.R_LABEL, shrink=0.6, pad=0.01)
        drawn.suptitle(f"Every speaker's probe on every speaker: {corpus} ({probe})", x=0.01, ha="left")
        return drawn


def _panel(ax, values, limits, groups):
    image = cells.draw(
        ax, values.to_numpy(dtype=float), limits, 5.6, 0.3, written=len(values) <= MOST_WRITTEN
    )
    part_groups(ax, groups, 1.2)
    step = 1 + len(values) // 28
    places = np.arange(len(values))[::step]
    ax.set_yticks(places + 0.5, values.index[::step])
    ax.set_xticks(places + 0.5, values.columns[::step], rotation=90)
    ax.tick_params(length=0, labelsize=6.5)
    parts = [name for name in dict.fromkeys(groups) if name]
    ax.set_xlabel(f"tried on ({' | '.join(parts)})" if len(parts) > 1 else "tried on", labelpad=4)
    return image


def by_group(rows):
    """Speakers of both sides with those of a group together, and the group of each, as lists of str."""
    group = dict(zip(rows.target, rows.target_group, strict=True))
    group |= dict(zip(rows.source, rows.source_group, strict=True))
    order = sorted(style.natural(group), key=lambda name: str(group[name]))
    return order, [str(group[name]) for name in order]


def part_groups(ax, groups, linewidth):
    """Lines between groups: within the blocks speakers have a native language in common."""
    for place in np.flatnonzero(np.array(groups[1:]) != np.array(groups[:-1])) + 1:
        ax.axhline(place, color="black", linewidth=linewidth)
        ax.axvline(place, color="black", linewidth=linewidth)
