"""Articulation as a measure of models: does how well EMA is read from one go with what it is good for?

After arXiv 2210.11723: the articulatory score of each model (mean r) against published downstream scores, and
beside it the score of a phone probe, so that the two can be compared as predictors (Steiger's test).
"""

import csv

import numpy as np
import pandas as pd

from phonoscope import tables
from phonoscope.errors import InputError
from phonoscope.probes.correlation import bootstrap, fisher, quantiles, steiger
from phonoscope.probes.inference import holm
from phonoscope.studies import sheets

# Fewer models than this say nothing about models at large: of eight, an r of .7 is not told from 0 (at .05,
# two-sided, the smallest that is is .707).
ENOUGH = 9
PHONE_TASK = "phone probe"
NO_TASK = "published scores"
EXPERIMENTS = ("E1", "E4")
PUBLISHED = ["model", "task", "metric", "value", "better", "source"]
# What the column precision says of a value that nobody has compared with the paper: it is named, not used.
UNSURE = "to be checked"
SIGN = {"higher": 1.0, "lower": -1.0}
MODELS = [
    *["corpus", "model", "hub_id", "experiment", "articulation_best", "articulation_layer"],
    *["articulation_mean", "articulation_chance", "phones_best", "phones_layer", "phones_mean"],
    *["phones_shuffled", "phones_majority", "n_tasks", "note"],
]
MEASURE = [
    *["corpus", "experiment", "layers", "task", "metric", "predictor", "n_models"],
    *["pearson", "pearson_low", "pearson_high", "spearman", "spearman_low", "spearman_high"],
    *["steiger_z", "p", "p_holm", "statement", "note"],
]
# Tests are corrected over tasks.
_GROUP = ["corpus", "experiment", "layers", "predictor"]


def compare(articulation, phones, models, published, hub_ids, probe):
    """The tables of the comparison.

    Parameters
    ----------
    articulation : dict of str to dict of str to path
        Corpus to model to the table ``layers`` of the articulation study.
    phones : dict of str to dict of str to list of path
        Corpus to model to the scores of the phone probe, one per layer.
    models : list of str
        In the order in which they are to stand.
    published : list of path
        Sheets of downstream scores: model (a hub id, or a name of the config), task, metric, value, better
        (higher or lower), source; and, if you like, precision. Values whose precision is :data:`UNSURE` are
        left out, and notes name their models.
    hub_ids : dict of str to str
        Hub id of each pretrained model of the hub, by its name in the config.
    probe : str
        Which probe of the articulation study.

    Returns
    -------
    dict of str to pandas.DataFrame
        ``measure`` (columns :data:`MEASURE`) and ``measure_models`` (:data:`MODELS`).

    Raises
    ------
    InputError
        Where a published sheet cannot be read as such.
    """
    downstream = _published(published)
    checked = downstream[downstream.precision != UNSURE]
    rows = []
    for corpus, paths in articulation.items():
        for model in models:
            own = checked[checked.model.isin({model, hub_ids.get(model, model)})]
            rows += _model_rows(corpus, model, hub_ids, probe, paths[model], phones[corpus][model], own)
    scores = pd.DataFrame(rows).reindex(columns=MODELS)
    return {"measure": _measure(scores, downstream), "measure_models": scores}


def _published(paths):
    """All sheets as one, each row with its ``path`` and ``row`` (as an editor counts them)."""
    frames = [_sheet(path) for path in paths]
    none = pd.DataFrame(columns=[*PUBLISHED, "precision"])
    frame = pd.concat(frames, ignore_index=True) if frames else none
    twice = frame.duplicated(["model", "task", "metric"])
    if twice.any():
        row = frame[twice].iloc[0]
        raise InputError(
            f"{row.model} has two values of {row.task}, {row.metric}",
            path=row.path, row=row.row, fix="keep one of them",
        )  # fmt: skip
    return frame


def _sheet(path):
    """One sheet of downstream scores."""
    fix = f"give it {', '.join(PUBLISHED)}, separated by commas, a line for each value"
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, strict=True)
            # Blank lines are not rows, and values in quotes may have line breaks.
            lines = [(reader.line_num, line) for line in reader if line]
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(f"cannot be read: {' '.join(str(error).split())}", path=path, fix=fix) from error
    if not lines:
        raise InputError("the sheet is empty", path=path, fix=fix)
    (_, head), *body = lines
    if absent := [name for name in PUBLISHED if name not in head]:
        raise InputError(f"the column {absent[0]} is missing", path=path, fix=fix)
    for row, line in body:
        if len(line) != len(head):
            raise InputError(f"{len(line)} values in {len(head)} columns", path=path, row=row, fix=fix)
    frame = pd.DataFrame([line for _, line in body], columns=head, dtype=str)
    values = pd.to_numeric(frame.value, errors="coerce").astype(float)
    bad = ~np.isfinite(values) | ~frame.better.isin(SIGN)
    if bad.any():
        at = int(np.flatnonzero(bad)[0])
        raise InputError(
            f"value {frame.value[at]!r}, better {frame.better[at]!r}", path=path, row=body[at][0],
            fix="give value as a finite number, and better as higher or lower",
        )  # fmt: skip
    rows = [row for row, _ in body]
    return frame.assign(value=values, path=str(path), row=rows, precision=frame.get("precision", ""))


def _model_rows(corpus, model, hub_ids, probe, path, phone_paths, own):
    """The scores of one model: a row per experiment of the articulation study."""
    layers = sheets.read(path)
    layers = layers[(layers.probe == probe) & layers.r.notna()]
    phones = phone_scores(phone_paths)
    rows = []
    for experiment in EXPERIMENTS:
        part = layers[layers.experiment == experiment]
        if "utterances" in set(part.split):
            part = part[part.split == "utterances"]
        if part.empty:
            continue
        best = part.loc[part.r.idxmax()]
        row = {"corpus": corpus, "model": model, "hub_id": hub_ids.get(model, ""), "experiment": experiment}
        row |= {
            "articulation_best": best.r,
            "articulation_layer": best.layer,
            "articulation_mean": part.r.mean(),
        }
        row |= {"articulation_chance": best.chance, "n_tasks": len(own)} | phones
        rows.append(row | {"note": "" if len(own) else "not among the published scores"})
    return rows


def phone_scores(paths):
    """Macro-F1 of the phone probe at its best layer, its controls there, and the mean over layers."""
    frame = tables.read(paths).select(["layer", "metric", "value"]).to_pandas().dropna()
    wide = frame.pivot_table(index="layer", columns="metric", values="value", aggfunc="mean")
    if "macro_f1" not in wide:
        return {}
    best = wide.macro_f1.idxmax()
    return {
        "phones_best": wide.macro_f1[best],
        "phones_layer": best,
        "phones_mean": wide.macro_f1.mean(),
        "phones_shuffled": wide.macro_f1_shuffled[best] if "macro_f1_shuffled" in wide else np.nan,
        "phones_majority": wide.macro_f1_majority[best] if "macro_f1_majority" in wide else np.nan,
    }


def _measure(scores, downstream):
    """Rows of all corpora, experiments, choices of layers and tasks."""
    rows = []
    for (corpus, experiment), part in scores.groupby(["corpus", "experiment"], sort=False):
        for layers in ("best", "mean"):
            predictors = part[["model", "hub_id"]].assign(
                articulation=part[f"articulation_{layers}"], phones=part[f"phones_{layers}"]
            )
            about = {"corpus": corpus, "experiment": experiment, "layers": layers}
            both = predictors.dropna(subset=["articulation", "phones"])
            rows.append(
                about
                | {"task": PHONE_TASK, "metric": "macro-F1", "predictor": "articulation"}
                | _correlated(both[["articulation"]], both.phones)[0]
            )
            own = downstream[downstream.model.isin({*part.model, *part.hub_id})]
            tasks = list(dict.fromkeys(zip(own.task, own.metric, strict=True)))
            for task, metric in tasks:
                found = _task(predictors, own[(own.task == task) & (own.metric == metric)])
                rows += [about | {"task": task, "metric": metric} | row for row in found]
            if not tasks:
                note = f"no model is among the published scores: {', '.join(part.model)}"
                rows.append(
                    about | {"task": NO_TASK, "predictor": "articulation", "n_models": 0, "note": note}
                )
    frame = pd.DataFrame(rows).reindex(columns=MEASURE)
    frame["p"] = frame.p.astype(float)
    frame["p_holm"] = frame.groupby(_GROUP, sort=False).p.transform(lambda p: holm(p.to_numpy()))
    frame["statement"] = [statement(row) for row in frame.to_dict("records")]
    return frame


def _task(predictors, downstream):
    """Both predictors of one task, and their difference."""
    unsure = downstream[downstream.precision == UNSURE]
    downstream = downstream.drop(unsure.index)
    value = dict(
        zip(downstream.model, downstream.value * downstream.better.map(SIGN).astype(float), strict=True)
    )
    known = [value.get(row.model, value.get(row.hub_id, np.nan)) for row in predictors.itertuples()]
    joined = predictors.assign(score=known).dropna(subset=["score", "articulation", "phones"])
    left = predictors[~predictors.model.isin(joined.model)]
    waiting = left.model.isin(unsure.model) | left.hub_id.isin(unsure.model)
    notes = [
        f"{why}: {', '.join(names)}"
        for why, names in (
            ("without a score", left.model[~waiting]),
            (f"score {UNSURE}", left.model[waiting]),
        )
        if len(names)
    ]
    rows = _correlated(joined[["articulation", "phones"]], joined.score)
    return [row | {"note": "; ".join(filter(None, [row.get("note"), *notes]))} for row in rows]


def _correlated(predictors, score):
    """Rows of the predictors' correlations with a score, and of the difference of two predictors."""
    n, names = len(score), list(predictors)
    rows = [{"predictor": name, "n_models": n} for name in names]
    if len(names) == 2:
        rows.append({"predictor": f"{names[0]} − {names[1]}", "n_models": n})
    if n < 3:
        return [row | {"note": "fewer than three models: no correlation"} for row in rows]
    x = predictors.to_numpy(float).T
    for kind in ("pearson", "spearman"):
        r, drawn, low, high = bootstrap(kind, x, score.to_numpy(float))
        if len(names) == 2:
            ends = quantiles(drawn[:, :1] - drawn[:, 1:]) if len(drawn) else np.full((2, 1), np.nan)
            r, low, high = np.r_[r, r[0] - r[1]], np.r_[low, ends[0]], np.r_[high, ends[1]]
        for row, *values in zip(rows, r, low, high, strict=True):
            row.update(zip((kind, f"{kind}_low", f"{kind}_high"), map(float, values), strict=True))
    for row in rows[: len(names)]:
        row["p"] = fisher(row["pearson"], n)
    if len(names) == 2:
        between = np.corrcoef(x)[0, 1] if np.ptp(x, axis=1).all() else np.nan
        rows[-1]["steiger_z"], rows[-1]["p"] = steiger(rows[0]["pearson"], rows[1]["pearson"], between, n)
    return rows


def statement(row):
    """What a row of the table ``measure`` allows to be said, by rule.

    With fewer than :data:`ENOUGH` models nothing. A correlation (Fisher's z) or a difference of predictors
    (Steiger's test) is said to be there where Holm's p over tasks is below .05; not by the intervals, whose
    percentile bootstrap is too narrow with so few models.
    """
    n = int(row["n_models"])
    if n < ENOUGH:
        return f"{n} model{'s' * (n != 1)}: too few to conclude"
    if "−" in row["predictor"]:
        if not np.isfinite(row["p_holm"]):
            return "no test"
        if row["p_holm"] >= 0.05:
            return "articulation and phones cannot be told apart as predictors"
        better = "articulation" if row["steiger_z"] > 0 else "the phone probe"
        return f"{better} goes more with the score"
    if not np.isfinite(row["p_holm"]):
        return "no test"
    if row["p_holm"] >= 0.05:
        return "no correlation can be told"
    return f"models with a higher score here do {'better' if row['pearson'] > 0 else 'worse'} there"
