"""r of every speaker's probe on every speaker at every layer: a small map per model and layer."""

import numpy as np

from phonoscope.figures import kinematics_matrix, style

# Inches that the maps of all layers have side by side, and the least and most that one has.
WIDTH, SIDES = 10.5, (0.36, 1.0)


def draw(matrices, corpus, probe=None):
    """A line of maps per model, one for each layer, without a map of predictions; the best layer is framed.

    Parameters
    ----------
    matrices : pandas.DataFrame
        The table ``matrix_layers`` of the kinematics study.
    corpus : str
    probe : str, optional
        Which to draw where the table has several.

    Returns
    -------
    matplotlib.figure.Figure
    """
    rows = matrices[(matrices.corpus == corpus) & (matrices.experiment == "speakers")]
    rows = rows[(rows["map"] == "none") & rows.r.notna()]
    rows, probe = style.choose(rows, "probe", probe)
    if rows.empty:
        return style.message("No speaker's probe could be tried on another.", f"Transfer: {corpus}")
    order, groups = kinematics_matrix.by_group(rows)
    models, layers = list(dict.fromkeys(rows.model)), sorted(set(rows.layer.astype(int)))
    limits = min(0, rows.r.min()), max(rows.r.max(), 0.1)
    side = float(np.clip(WIDTH / len(layers), *SIDES))
    with style.styled():
        size = side * len(layers) + 2.6, side * len(models) + 1.1
        drawn = style.figure(*size, layout="constrained")
        axes = drawn.subplots(len(models), len(layers), squeeze=False)
        for line, model in zip(axes, models, strict=True):
            own = rows[rows.model == model]
            for ax, layer in zip(line, layers, strict=True):
                part = own[own.layer == layer]
                values = part.pivot(index="source", columns="target", values="r")
                if part.empty:
                    ax.set_axis_off()
                    continue
                best = (part.best_layer == layer).any()
                image = _map(ax, values.reindex(order, columns=order), limits, groups, best)
            line[0].text(-0.06, 0.5, model, transform=line[0].transAxes, ha="right", va="center", size=8.5)
        for ax, layer in zip(axes[0], layers, strict=True):
            ax.set_title(f"layer {layer}" if side > 0.7 else layer, size=7.5, pad=3)
        drawn.colorbar(image, ax=drawn.axes, label=style.R_LABEL, shrink=0.8, pad=0.01)
        parts = " | ".join(name for name in dict.fromkeys(groups) if name)
        drawn.suptitle(
            f"Every speaker's probe on every speaker, by layer: {corpus} ({probe})\n"
            f"down: fitted on, across: tried on ({parts}); framed: the best layer",
            x=0.01, ha="left",
        )  # fmt: skip
        return drawn


def _map(ax, values, limits, groups, best):
    """One map, whose groups of speakers are parted by lines."""
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_visible(bool(best))
        spine.set_linewidth(1.8)
    image = ax.pcolormesh(
        values.to_numpy(dtype=float), cmap=style.HEAT, vmin=limits[0], vmax=limits[1], rasterized=True
    )
    kinematics_matrix.part_groups(ax, groups, 0.5)
    ax.set_ylim(len(values), 0)
    return image
