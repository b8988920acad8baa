"""Of the words that find each other, how many sound alike, mean the same, both or neither, by layer."""

import numpy as np
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator

from phonoscope.figures import curves, style

# From the axis up: by meaning alone, by either, by sound alone, by neither.
KINDS = {
    "meaning": ("alike in meaning", "#0072B2", ""),
    "both": ("in both", "#56B4E9", "///"),
    "sound": ("in sound", "#D55E00", "..."),
    "neither": ("in neither", "#e8e8e8", ""),
}
CONTROLS = {"chance": "random", "by_time": "time"}


def shares(word_pairs, corpus):
    """Shares of the kinds over all pairs of languages, by model.

    Parameters
    ----------
    word_pairs : pandas.DataFrame
        The table of this name of the alignment study.
    corpus : str

    Returns
    -------
    dict of str to (pandas.DataFrame, dict of str to array of shape (n_kinds,))
        Model to the shares with layers as index and kinds as columns, and to the shares of its controls:
        means over layers, which differ by the few sentences that have no pair in one.
    """
    rows = word_pairs[(word_pairs.corpus == corpus) & (word_pairs.language_a == "all")]
    rows, found = rows[rows.measure.isin(KINDS)], {}
    for model, part in rows.groupby("model", sort=False):
        tables = {
            name: part.pivot(index="layer", columns="measure", values=name).reindex(columns=list(KINDS))
            for name in ("value", *CONTROLS)
        }
        controls = {name: tables[name].mean(axis=0).to_numpy(dtype=float) for name in CONTROLS}
        found[model] = tables["value"], controls
    return found


def draw(word_pairs, corpus):
    """A panel per model: a stack per layer, and at the right one of random pairs and one of time alone.

    Parameters
    ----------
    word_pairs : pandas.DataFrame
    corpus : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    found = shares(word_pairs, corpus)
    if not any(values.notna().any(axis=None) for values, _ in found.values()):
        return style.message("No words found each other.", f"Pairs of words: {corpus}")
    with style.styled():
        drawn, axes = curves.facets({model: model for model in found}, 1, 2.9, 2.5)
        for model, (ax,) in axes.items():
            _panel(ax, *found[model])
        curves.label_edges(axes, ["share of word pairs"])
        drawn.suptitle(f"What words that find each other have in common: {corpus}", x=0.01, ha="left")
        keys = [
            Patch(facecolor=colour, hatch=hatch, edgecolor="black", linewidth=0.5, label=label)
            for label, colour, hatch in KINDS.values()
        ]
        style.legend_below(drawn, keys)
        return drawn


def _panel(ax, values, controls):
    layers = np.asarray(values.index, dtype=float)
    places = list(layers)
    stacks = [values.loc[layer].to_numpy(dtype=float) for layer in values.index]
    # A gap, so that the controls are no layers; they are as wide as can be read beside many layers.
    width = max(0.82, len(layers) / 9)
    at = layers.max() + 0.5 + np.array([0.8, 2.1]) * width
    for place, name in zip(at, CONTROLS, strict=True):
        places.append(place)
        stacks.append(controls[name])
    widths = [0.82] * len(layers) + [width] * len(CONTROLS)
    below = np.zeros(len(places))
    for kind, (_, colour, hatch) in enumerate(KINDS.values()):
        heights = np.nan_to_num([stack[kind] for stack in stacks])
        ax.bar(places, heights, widths, below, color=colour, hatch=hatch, edgecolor="black", linewidth=0.5)
        below += heights
    step = -(-len(layers) // 9)
    ax.xaxis.set_major_locator(FixedLocator([*layers[::step], *at]))
    ax.set_xticklabels([*(f"{layer:.0f}" for layer in layers[::step]), *CONTROLS.values()])
    # Not every panel has the layers of the one below it.
    ax.tick_params(labelbottom=True)
    ax.axvline(layers.max() + 0.55, **style.CHANCE)
    ax.set_xlim(layers.min() - 0.6, at[-1] + 0.6 * width)
    ax.set_ylim(0, 1)
    ax.set_xlabel("layer")
