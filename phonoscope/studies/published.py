"""What papers printed beside what was measured here, and whether the two may be compared."""

import re

import numpy as np
import pandas as pd

COLUMNS = [
    *["paper", "experiment", "model", "condition", "channel", "metric", "value", "precision", "source"],
    *["corpus", "our_model", "probe", "split", "layer", "measured", "ci_low", "ci_high", "n_speakers"],
    *["difference", "comparable", "verdict"],
]

# The papers fitted ordinary least squares and split a speaker's frames, not the utterances.
_PROBE, _SPLIT = "ols", "frames"

# Words for groups and conditions, as the papers print them and as corpora name them.
_SAME = {
    **dict.fromkeys(["fin", "fi", "finnish"], "fin"),
    **dict.fromkeys(["rus", "ru", "russian"], "rus"),
    **dict.fromkeys(["l1", "a"], "l1"),
    **dict.fromkeys(["l1+l2accent", "fake l2", "imitated", "accent", "b"], "l1+l2accent"),
    **dict.fromkeys(["l2", "c"], "l2"),
}


def published_vs_measured(paths, measured, hub_ids, corpus, paper=None):
    """Every published r with the one measured on this corpus, where model and experiment match.

    Parameters
    ----------
    paths : list of path-like
        Sheets of published numbers: paper, experiment, model, condition, channel, metric, value,
        precision, source.
    measured : dict of str to pandas.DataFrame
        The tables E1, E3 and E5 over models, as :mod:`phonoscope.studies.articulation_summary` makes them.
    hub_ids : dict of str to str
        Hub id of each pretrained model by its name here (untrained twins and baselines left out).
    corpus : str
        Name of this corpus.
    paper : str, optional
        Id of the paper whose corpus this is, such as ``2606.31527``.

    Returns
    -------
    pandas.DataFrame
        Columns :data:`COLUMNS`, a row per published number and matching model. ``comparable`` is yes,
        or no with the reasons; ``difference`` (measured minus published) and ``verdict`` (is the
        published value within the measured 95 % interval?) are given for yes only.
    """
    rows = []
    for row in pd.concat([pd.read_csv(path, dtype={"paper": str}) for path in paths]).to_dict("records"):
        models = [name for name, hub in hub_ids.items() if _same_model(row["model"], hub)]
        found = [{"our_model": name, **match} for name in models for match in _match(row, name, measured)]
        for match in found or [{}]:
            rows.append({**row, "corpus": corpus, **match, **_judge(row, match, paper, bool(models))})
    return pd.DataFrame(rows).reindex(columns=COLUMNS)


def _same_model(published, hub):
    """Is ``hub`` the published model, which may be written with several owners as ``a|b/name``?"""
    owners, _, name = published.rpartition("/")
    return hub in {f"{owner}/{name}" for owner in owners.split("|")}


def _match(row, model, measured):
    """The measured row for a published one, as a list of none or one, by the papers' probe and split."""
    kind = row["experiment"].split("-")[0]
    select = {"E1": _e1, "E3": _e3, "E5": _e5}.get(kind)
    if select is None or kind not in measured or row["metric"] != "pearson_r":
        return []
    table = select(row, measured[kind][measured[kind]["model"] == model])
    for column, wanted in (("probe", _PROBE), ("split", _SPLIT)):
        if column in table and (table[column] == wanted).any():
            table = table[table[column] == wanted]
    columns = ["probe", "split", "layer", "best_layer", "r", "ci_low", "ci_high", "n_speakers"]
    matches = table.reindex(columns=columns).rename(columns={"r": "measured"}).head(1).to_dict("records")
    for match in matches:
        best = match.pop("best_layer")
        if match["layer"] == "best":
            match["layer"] = f"best ({best:.0f})"
    return matches


def _e1(row, table):
    return table[table.layer == "all"]


def _e3(row, table):
    return table[(table.layer == "all") & (table.seconds == float(row["condition"].rstrip("s")))]


def _e5(row, table):
    """The best layer of E5: at which layer the paper's figure was made is not stated."""
    by = row["experiment"].partition("-")[2]
    other = {"task": "condition", "condition": "task"}[by]
    group, _, level = row["condition"].partition(" ")
    rows = (table.layer == "best") & (table[other] == "all")
    for column, wanted in (("group", group), (by, level), ("channel", row["channel"])):
        rows &= table[column].map(_plain) == _plain(wanted)
    return table[rows]


def _plain(label):
    label = str(label).lower()
    return _SAME.get(label, label)


def _judge(row, match, paper, has_model):
    """comparable with its reasons; difference and verdict where it is yes."""
    reasons = []
    if row["paper"] != paper:
        reasons.append("other corpus")
    if not has_model:
        reasons.append("model not run here")
    elif not match or np.isnan(match["measured"]):
        reasons.append("not measured here")
    else:
        reasons += _differences(row, match)
    if reasons:
        return {"comparable": "no: " + ", ".join(reasons), "difference": np.nan, "verdict": ""}
    layer = " (the paper does not state its layer)" if row["experiment"].startswith("E5") else ""
    within = match["ci_low"] <= row["value"] <= match["ci_high"]
    verdict = (
        "" if np.isnan(match["ci_low"]) else f"published value {'within' if within else 'outside'} interval"
    )
    return {"comparable": f"yes{layer}", "difference": match["measured"] - row["value"], "verdict": verdict}


def _differences(row, match):
    """How the measured number was made otherwise than the published one."""
    reasons = []
    if match["probe"] != _PROBE:
        reasons.append(f"other probe ({match['probe']})")
    if isinstance(match["split"], str) and match["split"] != _SPLIT:
        reasons.append(f"other split ({match['split']})")
    speakers = re.match(r"(\d+) spk", row["condition"])
    if speakers and int(speakers[1]) != match["n_speakers"]:
        reasons.append(f"other speakers ({match['n_speakers']:.0f} of {speakers[1]})")
    return reasons
