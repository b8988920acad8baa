"""Scores of one model to the tables E1-E5; tables of several models to comparisons between them.

Every r is a mean over speakers of the mean over channels, the interval a bootstrap over speakers,
and ``chance`` the same mean of the probe fitted and tested on circularly shifted EMA.
"""

import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from phonoscope.probes.inference import bootstrap_mean, holm, paired_test

MEASURED = ["r", "ci_low", "ci_high", "chance", "n_speakers", "n_test"]

# E4 and E5 have no split of a speaker's own recordings: this word stands in their split column.
SPEAKER_OUT, UTTERANCE_OUT = "one speaker out", "one utterance out"

COLUMNS = {
    "E1": ["model", "probe", "split", "layer", "best_layer", *MEASURED, "note"],
    "layers": ["model", "probe", "experiment", "split", "layer", *MEASURED, "note"],
    "E2": ["model", "probe", "split", "layer", "channel", *MEASURED, "note"],
    "E3": ["model", "probe", "split", "layer", "seconds", *MEASURED, "note"],
    "E4": ["model", "probe", "layer", "speaker", "channel", *MEASURED, "note"],
    "E5": [
        *["model", "probe", "layer", "best_layer", "group", "task", "condition", "channel"],
        *[*MEASURED, "note"],
    ],
    "E5_speakers": [
        *["model", "probe", "layer", "group", "speaker", "task", "condition", "channel"],
        *["r", "chance", "n_test", "note"],
    ],
    "speakers": ["model", "probe", "experiment", "split", "speaker", "layer", "r", "chance", "n_test"],
    "leak": [
        *["model", "probe", "layer", "r_frames", "r_utterances"],
        *["leak", "ci_low", "ci_high", "n_speakers"],
    ],
    "comparisons": [
        *["probe", "experiment", "split", "model_a", "model_b", "n_speakers"],
        *["mean_difference", "statistic", "p", "p_holm", "note"],
    ],
}

_COUNTED = {"undefined": ("undefined", "sum"), "reason": ("reason", "max")}

_CELL = [
    *["experiment", "probe", "model", "layer", "split", "seconds", "group", "task", "condition"],
    *["speaker", "channel"],
]


def summarise_model(scores):
    """The tables E1, layers, E2, E3, E4, E5, E5_speakers, speakers and leak of one model.

    Parameters
    ----------
    scores : pyarrow.Table
        Rows of :data:`phonoscope.tables.SCORES`: all layers of one model (or of several).

    Returns
    -------
    dict of str to pandas.DataFrame
        With the columns of :data:`COLUMNS`; a table without rows where an experiment was not run.

    Raises
    ------
    ValueError
        If a score names no speaker in ``test``.
    """
    cells = speaker_cells(scores)
    whole = (cells.task == "all") & (cells.condition == "all")
    e1, e4, e5 = (cells[(cells.experiment == name) & whole] for name in ("E1", "E4", "E5"))
    comparable = pd.concat([e1, e4, e5])
    speakers = over_channels(comparable)
    design = ["model", "probe", "experiment", "split"]
    layers = over_speakers(speakers, [*design, "layer"])
    best = _best_layers(layers, design)
    at_best = speakers.merge(best, on=design).query("layer == best_layer")
    made = {
        "E1": _e1(speakers[speakers.experiment == "E1"], best),
        "layers": layers,
        "E2": over_speakers(_of_channels(e1), ["model", "probe", "split", "layer", "channel"]),
        "E3": _e3(cells[cells.experiment == "E3"]),
        "E4": _e4(e4),
        "speakers": at_best,
        "leak": _leak(speakers[speakers.experiment == "E1"]),
        **_e5(cells[cells.experiment == "E5"], best),
    }
    return {name: _tidy(made[name], name) for name in COLUMNS if name in made}


def combine(frames):
    """One table from those of several models, in the order given.

    Parameters
    ----------
    frames : list of pandas.DataFrame
        The same table of each model.
    """
    filled = [frame for frame in frames if len(frame)] or list(frames)[:1]
    return pd.concat(filled, ignore_index=True)


def compare_models(speakers):
    """Every pair of models on the speakers they share, Holm-corrected within probe, experiment, split.

    Parameters
    ----------
    speakers : pandas.DataFrame
        The table ``speakers`` of all models: one r per speaker, at each model's best layer.

    Returns
    -------
    pandas.DataFrame
        Columns as ``COLUMNS["comparisons"]``; the difference is r of model_a minus r of model_b.
    """
    rows = []
    for (probe, experiment, split), part in speakers.groupby(["probe", "experiment", "split"], sort=False):
        wide = part.pivot(index="speaker", columns="model", values="r")
        models = list(dict.fromkeys(part.model))
        family = []
        for i, a in enumerate(models):
            for b in models[i + 1 :]:
                n, difference, statistic, p, note = paired_test(wide[a], wide[b])
                family.append([probe, experiment, split, a, b, n, difference, statistic, p, note])
        adjusted = holm([row[8] for row in family])
        rows += [[*row[:9], corrected, row[9]] for row, corrected in zip(family, adjusted, strict=True)]
    return pd.DataFrame(rows, columns=COLUMNS["comparisons"])


def speaker_cells(scores):
    """r and chance per speaker and channel, a row for each thing that was tested.

    A speaker tested one utterance at a time gets the mean of r over utterances and the sum of
    their frames. ``undefined`` counts the tests without an r, ``reason`` says why (one of the
    reasons, where there are several). What could not be fitted at all has the channel "".
    """
    pearson = scores.filter(pc.is_in(scores["metric"], pa.array(["pearson_r", "pearson_r_shifted"])))
    frame = pearson.drop_columns(["n_train"]).to_pandas()
    frame = frame.rename(columns={"target": "channel"}).join(_parse_designs(frame.train, frame.test))
    frame["undefined"] = frame.value.isna()
    frame["reason"] = frame.note.fillna("").where(frame.undefined, "")
    by_metric = dict(list(frame.groupby("metric")))
    real, shifted = (
        by_metric.get(metric, frame.iloc[:0]).groupby(_CELL, sort=False, dropna=False, as_index=False)
        for metric in ("pearson_r", "pearson_r_shifted")
    )
    cells = real.agg(r=("value", "mean"), n_test=("n_test", "sum"), **_COUNTED)
    return cells.merge(shifted.agg(chance=("value", "mean")), on=_CELL, how="left")


def _parse_designs(train, test):
    """Columns split, seconds, group, speaker, task, condition from the words in train and test."""
    codes, pairs = pd.MultiIndex.from_arrays([train, test]).factorize()
    return pd.DataFrame([_parse_design(*pair) for pair in pairs]).iloc[codes].set_index(train.index)


def _parse_design(train, test):
    fit, held_out = _words(train), _words(test)
    if "speaker" not in held_out:
        raise ValueError(f"the score's test set names no speaker: {test!r}")
    split = UTTERANCE_OUT if "except_utterance" in fit else SPEAKER_OUT
    return {
        "split": fit.get("split", split),
        "seconds": float(fit.get("seconds", "nan").rstrip("s")),
        "group": fit.get("group", "all"),
        "speaker": held_out["speaker"],
        "task": held_out.get("task", "all"),
        "condition": held_out.get("condition", "all"),
    }


def _words(text):
    """The key=value words of a train or test set; a value may hold blanks."""
    return dict(re.findall(r"(\w+)=(.*?)(?=\s+\w+=|\s*$)", text))


def _of_channels(cells):
    return cells[cells.channel != ""]


def over_channels(cells):
    """Mean over channels of every speaker: as ``cells``, without the column channel."""
    keys = [key for key in _CELL if key != "channel" and key in cells]
    grouped = cells.groupby(keys, sort=False, as_index=False, dropna=False)
    return grouped.agg(r=("r", "mean"), chance=("chance", "mean"), n_test=("n_test", "max"), **_COUNTED)


def over_speakers(frame, keys):
    """Mean over speakers with its bootstrap interval, for every combination of ``keys``.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per speaker and combination: columns ``keys``, speaker, r, chance, n_test,
        undefined, reason.
    keys : list of str

    Returns
    -------
    pandas.DataFrame
        Columns ``keys``, r, ci_low, ci_high, chance, n_speakers, n_test, note. Speakers whose r is
        undefined count in none of them.
    """
    if frame.empty:
        return pd.DataFrame(columns=[*keys, *MEASURED, "note"])
    column = frame.groupby(keys, sort=False).ngroup().to_numpy()
    speaker, names = pd.factorize(frame.speaker, sort=True)
    values = np.full((len(names), column.max() + 1), np.nan)
    values[speaker, column] = frame.r
    low, high = bootstrap_mean(values)
    defined = frame.assign(n_test=frame.n_test.where(frame.r.notna(), 0))
    result = defined.groupby(keys, sort=False, as_index=False).agg(
        r=("r", "mean"),
        chance=("chance", "mean"),
        n_speakers=("r", "count"),
        n_test=("n_test", "sum"),
        **_COUNTED,
    )
    result["ci_low"], result["ci_high"] = low, high
    alone = np.where(result.n_speakers == 1, "one speaker: no interval", "")
    result["note"] = ["; ".join(filter(None, parts)) for parts in zip(alone, _undefined(result), strict=True)]
    return result.drop(columns=["undefined", "reason"])


def _undefined(frame):
    """What the note says of scores that there are not."""
    some = frame.undefined.astype(str) + " without r"
    why = frame.reason.where(frame.reason == "", " (" + frame.reason + ")")
    return np.where(frame.undefined > 0, some + why, "")


def _best_layers(layers, design):
    """The layer with the highest r of each design (the lowest of equals), as column best_layer."""
    defined = layers[layers.r.notna()].sort_values("layer")
    rows = defined.loc[defined.groupby(design, sort=False)["r"].idxmax(), [*design, "layer"]]
    return rows.rename(columns={"layer": "best_layer"})


def _over_layers(speakers, keys):
    """Mean over layers of every speaker: ``keys``, speaker, then the columns of over_speakers."""
    grouped = speakers.groupby([*keys, "speaker"], sort=False, as_index=False)
    return grouped.agg(r=("r", "mean"), chance=("chance", "mean"), n_test=("n_test", "max"), **_COUNTED)


def _e1(speakers, best):
    design = ["model", "probe", "split"]
    every = over_speakers(_over_layers(speakers, design), design).assign(layer="all")
    best = best.loc[best.experiment == "E1", [*design, "best_layer"]]
    at_best = speakers.merge(best, on=design).query("layer == best_layer")
    rows = pd.concat([every, over_speakers(at_best, design).assign(layer="best")])
    return rows.merge(best, on=design, how="left")


def _e3(cells):
    design = ["model", "probe", "split", "seconds"]
    speakers = over_channels(cells)
    every = over_speakers(_over_layers(speakers, design), design).assign(layer="all")
    return pd.concat([every, over_speakers(speakers, [*design, "layer"])])


def _e4(cells):
    """E4 by speaker and channel, and over speakers ("all") with intervals."""
    keys = ["model", "probe", "layer", "channel"]
    each = pd.concat([_of_channels(cells), over_channels(cells).assign(channel="all")])
    every = over_speakers(each, keys).assign(speaker="all")
    return pd.concat([every, each.assign(note=_undefined(each))])


def _leak(speakers):
    """How much r is too high where single frames are held out, paired over speakers."""
    design = ["model", "probe", "layer"]
    wide = speakers.pivot(index=[*design, "speaker"], columns="split", values="r")
    wide = wide.reindex(columns=["frames", "utterances"]).dropna().reset_index()
    means = wide.groupby(["model", "probe", "speaker"], as_index=False)[["frames", "utterances"]].mean()
    rows = []
    for key, part in pd.concat([means.assign(layer="all"), wide]).groupby(design, sort=False):
        difference = (part.frames - part.utterances).to_numpy()
        (low,), (high,) = bootstrap_mean(difference[:, None])
        r = [part.frames.mean(), part.utterances.mean(), difference.mean()]
        rows.append([*key, *r, low, high, len(part)])
    return pd.DataFrame(rows, columns=COLUMNS["leak"])


def _e5(cells, best):
    """E5 by group, task, condition and channel; "best" is one layer for all groups, so that they compare."""
    keys = ["model", "probe", "layer", "group", "task", "condition", "channel"]
    speakers = pd.concat([_of_channels(cells), over_channels(cells).assign(channel="all")])
    best = best.loc[best.experiment == "E5", ["model", "probe", "best_layer"]]
    every = over_speakers(speakers, keys).merge(best, on=["model", "probe"], how="left")
    at_best = every[every.layer == every.best_layer].assign(layer="best")
    kept = speakers.merge(best, on=["model", "probe"]).query("layer == best_layer")
    return {"E5": pd.concat([at_best, every]), "E5_speakers": kept.assign(note=_undefined(kept))}


def _tidy(frame, name):
    """Columns and row order of the table, whatever order the scores came in."""
    columns = COLUMNS[name]
    frame = frame.reindex(columns=columns)
    keys = [key for key in columns if key not in {*MEASURED, "note", "best_layer", "leak"}]
    return frame.sort_values(keys, key=_rank, kind="stable").reset_index(drop=True)


def _rank(column):
    """Names by alphabet with "all" and "best" first; numbers, also among names, by size."""
    numbers = pd.to_numeric(column, errors="coerce")
    words = column.astype(str).where(numbers.isna(), "")
    first = words.map({"all": "0", "best": "1"}).fillna("2" + words)
    size = pd.Series(np.where(numbers.isna(), "", numbers.map("{:020.6f}".format)), column.index)
    return first + size
