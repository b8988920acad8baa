"""R@1 of every ordered pair of languages and layer, a map per model: full set above, challenge set below."""

import numpy as np

from phonoscope.figures import cells, curves, style
from phonoscope.figures.alignment_retrieval import NAMES

SETS = {"full": "full set", "challenge": "challenge set"}
# With more layers digits would touch.
MOST_WRITTEN = 9


def draw(retrieval, corpus, measure="seqsim"):
    """Pairs by layers, one colour scale for all panels.

    Parameters
    ----------
    retrieval : pandas.DataFrame
        The table of this name of the alignment study.
    corpus : str
    measure : str
        The first measure there is, where this one is not.

    Returns
    -------
    matplotlib.figure.Figure
    """
    rows = retrieval[(retrieval.corpus == corpus) & (retrieval.metric == "R@1")]
    rows = rows[(rows["query"] != "all") & rows.subset.isin(SETS)]
    rows, measure = style.choose(rows, "measure", preferred=[measure])
    if not rows.value.notna().any():
        return style.message("No sentence was retrieved from.", f"Pairs of languages: {corpus}")
    rows = rows.assign(pair=rows["query"] + " → " + rows.candidate)
    pairs, top = list(dict.fromkeys(rows.pair)), max(rows.value.max(), 0.1)
    with style.styled():
        models = {model: model for model in dict.fromkeys(rows.model)}
        height = 0.2 * len(pairs) + 0.55
        drawn, axes = curves.facets(models, len(SETS), 2.7, height)
        for model, column in axes.items():
            for ax, subset in zip(column, SETS, strict=True):
                part = rows[(rows.model == model) & (rows.subset == subset)]
                values = part.pivot(index="pair", columns="layer", values="value").reindex(pairs)
                image = _panel(ax, values, top)
        curves.label_edges(axes, list(SETS.values()))
        drawn.colorbar(image, ax=drawn.axes, label="R@1", shrink=0.6, pad=0.01)
        title = f"Which languages each layer brings together: {corpus}, {NAMES[measure]}"
        drawn.suptitle(title, x=0.01, ha="left")
        return drawn


def _panel(ax, values, top):
    written = values.shape[1] <= MOST_WRITTEN
    image = cells.draw(ax, values.to_numpy(dtype=float), (0, top), 6, 0.3, written)
    ax.set_yticks(np.arange(len(values)) + 0.5, values.index)
    step = -(-values.shape[1] // 13)
    places = np.arange(values.shape[1])[::step]
    ax.set_xticks(places + 0.5, [f"{layer:.0f}" for layer in values.columns[::step]])
    ax.tick_params(length=0, labelsize=7)
    ax.set_xlabel("layer", labelpad=1)
    return image
