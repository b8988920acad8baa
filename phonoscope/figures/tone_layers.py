"""Macro-F1 of tones against layer, per model and corpus."""

import numpy as np
from matplotlib.lines import Line2D

from phonoscope.figures import curves, style

F1 = ("macro_f1", "ci_low", "ci_high")


def draw(layers, spans, roles=None):
    """A column of panels per corpus; where there are many models a row for each few, with its own legend.

    Parameters
    ----------
    layers, spans : pandas.DataFrame
        The tables of these names of the tone study.
    roles : dict of str to str, optional
        See :func:`phonoscope.studies.roles.roles`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    if not layers.macro_f1.notna().any():
        return style.message("No layer was scored.", "Tones by layer")
    found, packs = style.looks(layers.model, roles), curves.packs(layers)
    # Where there are layers at all, what has none is a level over all of theirs.
    span = np.array([layers.layer.min() - 0.5, layers.layer.max() + 0.5])
    with style.styled():
        drawn, axes = curves.facets(style.titles(layers), len(packs), height=2.6 if len(packs) == 1 else 2.2)
        for corpus, column in axes.items():
            mine, best = layers[layers.corpus == corpus], spans[spans.corpus == corpus].f1_best.iloc[0]
            for ax, names in zip(column, packs, strict=True):
                _chance(ax, mine, span)
                ax.plot(span, [best, best], **style.ACOUSTIC)
                for name in names:
                    curves.of_model(ax, mine[mine.model == name], F1, found[name], span)
                curves.layer_axis(ax, layers.layer)
        _limits(axes, layers, spans)
        curves.label_edges(axes, ["macro-F1"] * len(packs))
        drawn.suptitle("How well each layer tells tones apart", x=0.01, ha="left")
        curves.name_models(axes, packs, found)
        handles = [style.key(look, look.role == "baseline") for look in found.values()] * (len(packs) == 1)
        style.legend_below(drawn, [*handles, *_keys()])
        return drawn


def _chance(ax, rows, span):
    """Shuffled labels, mean over models and the range of them; the commonest tone."""
    by_layer = rows.groupby("layer").shuffled
    x = np.concatenate([span[:1], by_layer.mean().index, span[1:]])
    low, mean, high = (
        np.pad(v.to_numpy(), 1, "edge") for v in (by_layer.min(), by_layer.mean(), by_layer.max())
    )
    ax.fill_between(x, low, high, color=style.LIGHT, alpha=0.5, linewidth=0)
    ax.plot(x, mean, **style.CHANCE)
    ax.axhline(rows.majority.iloc[0], **style.MAJORITY)


def _limits(axes, layers, spans):
    best = spans[spans.corpus.isin(layers.corpus)].f1_best.max()
    top = np.nanmax([layers.macro_f1.max(), layers.ci_high.max(), layers.shuffled.max(), best])
    for ax in sum(axes.values(), []):
        ax.set_ylim(0, min(1.02, top + 0.05))


def _keys():
    return [
        Line2D([], [], **style.ACOUSTIC, label="log-mel, best window"),
        Line2D([], [], **style.CHANCE, label=style.SHUFFLED_LABEL),
        Line2D([], [], **style.MAJORITY, label="commonest tone"),
    ]
