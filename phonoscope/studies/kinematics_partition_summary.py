"""Scores of the partition to tables over models, and to statements that follow from intervals alone."""

import re

import numpy as np
import pandas as pd

from phonoscope.studies.calibration import mean_interval, side

FITTED = ["phones", "layer", "both"]
# The parts, from the columns of R² of a table with a row per speaker.
DERIVED = {
    "unique_phones": lambda w: w.r2_both - w.r2_layer,
    "unique_layer": lambda w: w.r2_both - w.r2_phones,
    "shared": lambda w: w.r2_phones + w.r2_layer - w.r2_both,
    "layer_minus_phones": lambda w: w.r2_layer - w.r2_phones,
}
# What each is with the link to EMA cut: phones shuffled over segments, or EMA shifted.
CONTROLS = {
    "phones": ("shuffled phones", lambda w: w.r2_phones_shuffled),
    "layer": ("shifted EMA", lambda w: w.r2_layer_shifted),
    "both": ("shifted EMA", lambda w: w.r2_both_shifted),
    "unique_phones": ("shuffled phones", lambda w: w.r2_both_shuffled - w.r2_layer),
    "unique_layer": ("shifted EMA", lambda w: w.r2_both_shifted - w.r2_phones_shifted),
    "shared": ("shuffled phones", lambda w: w.r2_phones_shuffled + w.r2_layer - w.r2_both_shuffled),
}
FITS = [*FITTED, *(f"{name}_shifted" for name in FITTED), "phones_shuffled", "both_shuffled"]
R2 = [f"r2_{name}" for name in FITS]
PARTS = [*FITTED, *DERIVED]
MEASURED = ["r2", "ci_low", "ci_high", "control", "control_kind", "above_control", "n_speakers"]
COLUMNS = {
    "partition": ["corpus", "model", "leave_out", "held_out", "layer", "part", *MEASURED, "note"],
    "partition_channels": ["corpus", "model", "leave_out", "layer", "channel", "part", *MEASURED],
    "partition_statements": ["corpus", "model", "leave_out", "layer", "best_layer", "statement"],
}
_KEYS = ["model", "leave_out", "held_out", "layer"]
_WORDS = re.compile(r"(\w+)=(.*?)(?=\s+\w+=|\s*$)")


def summarise(scores):
    """Tables over corpora and models.

    Parameters
    ----------
    scores : dict of str to pyarrow.Table
        Scores (tables.SCORES) of all layers and models of a corpus, models in the order in which they are
        to stand.

    Returns
    -------
    dict of str to pandas.DataFrame
        Columns :data:`COLUMNS`. ``held_out`` is "all", or one language; ``layer`` a number, "all" for the
        mean over layers, or "best" for the layer that explains most by itself.
    """
    made = {name: [] for name in COLUMNS}
    for corpus, table in scores.items():
        frame = table.to_pandas()
        speakers, notes = speaker_values(frame[frame.test != ""]), _notes(frame[frame.test == ""])
        whole = over_speakers(speakers[speakers.channel == "all"], [*_KEYS, "best_layer"])
        pairs = list(zip(whole.model, whole.leave_out, strict=True))
        whole["note"] = [notes.get(pair, "") for pair in pairs]
        each = speakers[(speakers.channel != "all") & (speakers.held_out == "all")]
        left_out = pd.DataFrame(
            [
                {"model": model, "leave_out": leave_out, "note": note}
                for (model, leave_out), note in notes.items()
                if (model, leave_out) not in pairs
            ],
            columns=["model", "leave_out", "note"],
        )
        found = {
            "partition": pd.concat([whole, left_out]) if len(left_out) else whole,
            "partition_channels": over_speakers(each, [*_KEYS, "channel"]),
            "partition_statements": statements(whole),
        }
        for name, made_of in found.items():
            made[name].append(made_of.assign(corpus=corpus))
    return {
        name: pd.concat(frames, ignore_index=True).reindex(columns=COLUMNS[name])
        for name, frames in made.items()
    }


def _notes(frame):
    """What is said of recordings or speakers that are left out: (model, leave_out) -> note."""
    of = frame.experiment.str.removeprefix("partition_")
    return dict(zip(zip(frame.model, of, strict=True), frame.note, strict=True))


def speaker_values(frame):
    """R² of every fit, one row per speaker, layer, channel and held-out language; columns :data:`R2`.

    Means over channels, held-out languages and layers have "all" in that column; layer "best" is, for each
    model and way of holding out, the one with the highest mean R² of the layer alone.
    """
    words = [dict(_WORDS.findall(text)) for text in frame.test]
    frame = frame.assign(
        leave_out=frame.experiment.str.removeprefix("partition_"),
        held_out=[found.get("language", "all") for found in words],
        speaker=[found["speaker"] for found in words],
        channel=frame.target,
    )
    keys = [*_KEYS, "channel", "speaker"]
    if frame.empty:
        return pd.DataFrame(columns=[*keys, "best_layer", *R2])
    order = list(dict.fromkeys(frame.model))
    frame = frame[frame.value.notna()]
    wide = frame.pivot(index=keys, columns="metric", values="value").reindex(columns=R2).reset_index()
    wide = pd.concat([wide, _mean(wide, "channel", keys)])
    wide = pd.concat([wide, _mean(wide[wide.held_out != "all"], "held_out", keys)])
    whole = wide[(wide.channel == "all") & (wide.held_out == "all")]
    means = whole.groupby(["model", "leave_out", "layer"], as_index=False)["r2_layer"].mean()
    at = means.groupby(["model", "leave_out"])["r2_layer"].idxmax()
    best = means.loc[at, ["model", "leave_out", "layer"]].rename(columns={"layer": "best_layer"})
    every = pd.concat([wide, _mean(wide, "layer", keys)]).merge(best, on=["model", "leave_out"])
    at_best = every[every.layer == every.best_layer].assign(layer="best")
    found = pd.concat([every, at_best], ignore_index=True)
    place = found.assign(model=found.model.map(order.index)).sort_values("model", kind="stable").index
    return found.loc[place].reset_index(drop=True)


def _mean(wide, over, keys):
    """Means over the column ``over``, which then says "all"."""
    rest = [key for key in keys if key != over]
    return wide.groupby(rest, as_index=False)[R2].mean().assign(**{over: "all"})


def over_speakers(speakers, keys):
    """Mean and interval of every part over speakers, with its control, for every combination of ``keys``.

    Parameters
    ----------
    speakers : pandas.DataFrame
        As :func:`speaker_values` gives them.
    keys : list of str

    Returns
    -------
    pandas.DataFrame
        Columns ``keys``, part and :data:`MEASURED`. Intervals are Student's t over speakers.
        ``above_control`` is yes where the interval of the paired difference to the control is above 0,
        no where it is not, and empty without an interval or a control.
    """
    rows = []
    for key, part in speakers.groupby(keys, sort=False):
        for name in PARTS:
            values = DERIVED[name](part) if name in DERIVED else part[f"r2_{name}"]
            mean, low, high, n = mean_interval(values)
            kind, control = CONTROLS.get(name, ("", None))
            control = values * np.nan if control is None else control(part)
            above = side(*mean_interval(values - control)[1:3])
            said = {None: "", 1: "yes"}.get(above, "no")
            rows.append([*key, name, mean, low, high, _mean_of(control), kind, said, n])
    return pd.DataFrame(rows, columns=[*keys, "part", *MEASURED])


def _mean_of(values):
    return float(values.mean()) if values.notna().any() else np.nan


def statements(parts):
    """What may be said of each model and layer, by :func:`statement`.

    Parameters
    ----------
    parts : pandas.DataFrame
        The table ``partition`` of a corpus, with best_layer.

    Returns
    -------
    pandas.DataFrame
    """
    rows = []
    keys = ["model", "leave_out", "layer", "best_layer"]
    for key, part in parts[parts.held_out == "all"].groupby(keys, sort=False):
        of = {row["part"]: row for row in part.to_dict("records")}
        rows.append([*key, statement(of)])
    return pd.DataFrame(rows, columns=[*keys, "statement"])


def statement(parts):
    """A sentence on physics against phones that follows from intervals alone.

    Parameters
    ----------
    parts : dict of str to dict
        Part -> r2, ci_low, ci_high, and above_control ("yes", "no" or "").

    Returns
    -------
    str
        R² of phones and of the layer by themselves, and then what follows. Either explains EMA where the
        interval of its R² is above 0 and the R² above its control. One explains more than the other where it
        explains EMA and the interval of the layer's R² less that of the phones excludes 0. What is the
        layer's (or the phones') alone is above chance where its interval is above 0 and above its control; it
        is a loss where its interval is below 0; and where its owner by itself explains nothing, or the shared
        part is below 0 (so that the unique parts are more than their owners explain), it is no more than
        a gain.
    """
    which = side(parts["layer_minus_phones"]["ci_low"], parts["layer_minus_phones"]["ci_high"])
    if which is None:
        return "no interval: no statement"
    explains = {
        name: side(parts[name]["ci_low"], parts[name]["ci_high"]) == 1
        and parts[name]["above_control"] == "yes"
        for name in FITTED
    }
    if not any(explains.values()):
        r2 = {name: _number(parts[name]["r2"]) for name in FITTED}
        return f"neither phones (R² {r2['phones']}) nor the layer ({r2['layer']}) explains EMA above chance"
    r2 = {
        name: f"{_number(parts[name]['r2'])}{'' if explains[name] else ' (not above chance)'}"
        for name in FITTED
    }
    if not (explains["layer"] or explains["phones"]):
        compared = "only phones and the layer together explain EMA above chance"
    elif which == 0:
        compared = "the layer and phones cannot be told apart"
    elif explains["layer" if which > 0 else "phones"]:
        compared = (
            "the layer explains more than phones do"
            if which > 0
            else "phones explain more than the layer does"
        )
    else:
        compared = (
            f"of the two only {'phones explain' if which > 0 else 'the layer explains'} EMA above chance"
        )
    own = f"R² of the layer {r2['layer']}, of phones {r2['phones']}, of both {r2['both']}"
    apart = side(parts["shared"]["ci_low"], parts["shared"]["ci_high"]) != -1
    layer = _alone(parts["unique_layer"], "the layer's", explains["layer"] and apart)
    phones = _alone(parts["unique_phones"], "the phones'", explains["phones"] and apart)
    return f"{compared}: {own}; of the variance {layer}, {phones}"


def _alone(part, owner, apart):
    """What is said of a unique part; ``apart``: it is a share of what its owner explains by itself."""
    numbers = f"{_number(part['r2'])} [{_number(part['ci_low'])}, {_number(part['ci_high'])}]"
    where = side(part["ci_low"], part["ci_high"])
    if where == -1:
        return f"{numbers} is lost by {owner} presence"
    if where == 0 or part["above_control"] != "yes":
        return f"{numbers} (not above chance) is {owner} alone"
    # A suppressor: what it takes out of the other's weights is not variance that it explains.
    return f"{numbers} is {owner} alone" if apart else f"{numbers} is gained by {owner} presence in training"


def _number(value):
    """Two decimals without the leading zero, as the field prints shares."""
    return f"{value:.2f}".replace("0.", ".", 1).replace("-.00", ".00")
