"""How much nearer than unrelated words are translations, and words that sound alike, in each layer."""

import numpy as np
from matplotlib.lines import Line2D

from phonoscope.figures import curves, style

GROUPS = {
    "translation": style.Look("translations", "trained", "#0072B2", "-", "o"),
    "near-homophone": style.Look("near-homophones", "trained", "#D55E00", (0, (4, 2)), "s"),
    "both": style.Look("both: names and loanwords", "trained", "#000000", (0, (1, 1)), "^"),
}
MEASURES = {
    "cosine less that of\nunrelated words": (("similarity", "ci_low", "ci_high"), 0.0),
    "AUC against\nunrelated words": (("auc", "auc_low", "auc_high"), 0.5),
}


def draw(words, corpus, sentences="different"):
    """A column of panels per model: similarity above, area under the curve below; all languages together.

    Parameters
    ----------
    words : pandas.DataFrame
        The table of this name of the alignment study.
    corpus : str
    sentences : {"different", "same"}
        Which occurrences of the words.

    Returns
    -------
    matplotlib.figure.Figure
    """
    rows = words[(words.corpus == corpus) & (words.language_a == "all") & (words.sentences == sentences)]
    rows = rows[rows.group.isin(GROUPS)]
    if not rows.similarity.notna().any():
        return style.message("No two words can be compared.", f"Types of words: {corpus}")
    with style.styled():
        drawn, axes = curves.facets({m: m for m in dict.fromkeys(rows.model)}, len(MEASURES), 2.7, 2.1)
        for model, column in axes.items():
            part = rows[rows.model == model]
            for ax, (columns, level) in zip(column, MEASURES.values(), strict=True):
                ax.axhline(level, **style.CHANCE)
                for group, look in GROUPS.items():
                    curves.of_model(ax, part[part.group == group], columns, look, None)
                curves.layer_axis(ax, part.layer)
        for row, (columns, level) in enumerate(MEASURES.values()):
            ends = rows[list(columns)].to_numpy(dtype=float)
            low, high = min(level, np.nanmin(ends)), max(level, np.nanmax(ends))
            for column in axes.values():
                column[row].set_ylim(low - 0.05 * (high - low), high + 0.05 * (high - low))
        curves.label_edges(axes, list(MEASURES))
        title = f"Words of {'two sentences' if sentences == 'different' else 'one sentence'} in two languages"
        drawn.suptitle(f"{title}: {corpus}", x=0.01, ha="left")
        keys = [style.key(look) for look in GROUPS.values()]
        keys.append(Line2D([], [], **style.CHANCE, label="unrelated words"))
        style.note_below(drawn, _counts(rows), style.legend_below(drawn, keys))
        return drawn


def _counts(rows):
    """How many pairs of types each curve stands on."""
    most = rows.groupby("group").n_pairs.max()
    told = [f"{most.get(group, 0):.0f} {look.name}" for group, look in GROUPS.items()]
    return f"Pairs of types of words: {', '.join(told)}."
