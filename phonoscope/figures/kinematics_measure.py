"""Articulation as a measure of models: articulatory against phone score, and both against published ones."""

import numpy as np
from matplotlib.lines import Line2D

from phonoscope.figures import dots, style

# Predictors, as they stand beside one another in a row of a task.
PREDICTORS = {
    "articulation": {"color": "#0072B2", "marker": "o"},
    "phones": {"color": "#D55E00", "marker": "s", "markerfacecolor": "white"},
}
OFFSETS = dict(zip(PREDICTORS, (-0.15, 0.15), strict=True))


def draw(measure, models, roles=None):
    """One line of panels per corpus: models by both scores, and correlations with each published score.

    Parameters
    ----------
    measure, models : pandas.DataFrame
        The tables ``measure`` and ``measure_models``.
    roles : dict of str to str, optional
        See :func:`phonoscope.studies.roles.roles`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    title = "Articulation as a measure of models"
    models = models[models.articulation_best.notna() & models.phones_best.notna()]
    models, experiment = style.choose(models, "experiment", preferred=["E4", "E1"])
    if models.empty:
        return style.message("No model has both an articulatory and a phone score.", title)
    rows = measure[(measure.experiment == experiment) & (measure.layers == "best")]
    corpora = list(dict.fromkeys(models.corpus))
    tasks = [task for task in dict.fromkeys(rows.task) if task != _own(rows)]
    known = rows[rows.task.isin(tasks) & rows.pearson.notna() & rows.predictor.isin(list(PREDICTORS))]
    with style.styled():
        found = style.looks(models.model, roles)
        lines = known.groupby("corpus").apply(lambda part: len(_names(part))) if len(known) else {}
        height = max(2.9, 0.9 + dots.ROW * max(lines, default=0))
        drawn = style.figure(9.2 if len(known) else 4.8, 0.3 + height * len(corpora), layout="constrained")
        axes = drawn.subplots(len(corpora), 1 + bool(len(known)), squeeze=False)
        for line, corpus in zip(axes, corpora, strict=True):
            _scores(line[0], models[models.corpus == corpus], found, experiment)
            line[0].set_title(corpus)
            if len(known):
                _correlations(line[1], known[known.corpus == corpus])
        drawn.suptitle(title, x=0.01, ha="left")
        legend = style.legend_below(drawn, _keys(found, len(known)))
        style.note_below(drawn, _said(rows, models, corpora), legend)
        return drawn


def _own(rows):
    """The task that is the phone probe itself: the only one with models and a single predictor."""
    alone = rows[rows.n_models > 0].groupby("task").predictor.nunique()
    return next((task for task, n in alone.items() if n == 1), None)


def _scores(ax, rows, found, experiment):
    """A point per model; the phone probe's controls as a dotted level."""
    for row in rows.itertuples():
        look = found[row.model]
        ax.plot(row.articulation_best, row.phones_best, **look.line(linestyle="", markersize=7))
    shuffled = rows.phones_shuffled.astype(float)
    if shuffled.notna().any():
        ax.axhline(shuffled.mean(), **style.CHANCE)
    chance = rows.articulation_chance.astype(float)
    if chance.notna().any():
        ax.axvline(chance.mean(), **style.CHANCE)
    ax.margins(0.15)
    ax.grid()
    ax.set_xlabel(f"mean r of EMA at the best layer ({experiment})")
    ax.set_ylabel("macro-F1 of phones at the best layer")


def _names(rows):
    return list(dict.fromkeys(zip(rows.task, rows.metric, strict=True)))


def _correlations(ax, rows):
    """A row per published score, both predictors in it with their intervals."""
    names = _names(rows)
    dots.name_rows(ax, [f"{task}, {metric}" for task, metric in names])
    ax.axvline(0, **style.CHANCE)
    for row in rows.itertuples():
        look = PREDICTORS[row.predictor]
        y = names.index((row.task, row.metric)) + OFFSETS[row.predictor]
        if np.isfinite(row.pearson_low):
            ax.plot([row.pearson_low, row.pearson_high], [y, y], color=look["color"], linewidth=1.3)
        ax.plot(row.pearson, y, linestyle="", **look)
    ax.set_xlim(-1.05, 1.05)
    ax.set_xlabel("Pearson r over models; positive: the better")


def _keys(found, correlated):
    handles = [style.key(look) for look in found.values()]
    for handle in handles:
        handle.set_linestyle("")
    handles.append(Line2D([], [], **style.CHANCE, label="chance (shuffled phones, shifted EMA)"))
    if correlated:
        for name, look in PREDICTORS.items():
            handles.append(Line2D([], [], linestyle="-", **look, label=f"{name}, 95 % interval"))
    return handles


def _said(rows, models, corpora):
    """The rule's words on both scores, on published ones, and the models that have none of these."""
    own, said = _own(rows), []
    for corpus in corpora:
        part = rows[rows.corpus == corpus]
        between = part[part.task == own]
        if len(between) and np.isfinite(between.pearson.iloc[0]):
            r, low, high = between[["pearson", "pearson_low", "pearson_high"]].astype(float).iloc[0]
            said.append(
                f"{corpus}: r of both scores {r:.2f} [{low:.2f}, {high:.2f}]; {between.statement.iloc[0]}."
            )
        others = part[(part.task != own) & (part.predictor == "articulation") & (part.n_models > 0)]
        if len(others):
            n = sorted(set(others.n_models.astype(int)))
            spread = f"{n[0]}" if len(n) == 1 else f"{n[0]} to {n[-1]}"
            words = dict.fromkeys(others.statement)
            said.append(f"{corpus}, published scores of {spread} models: {'; '.join(words)}.")
    if missing := list(dict.fromkeys(models[models.n_tasks == 0].model)):
        said.append(f"Not among the published scores: {', '.join(missing)}.")
    return " ".join(said)
