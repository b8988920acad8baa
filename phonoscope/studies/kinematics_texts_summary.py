"""Scores on texts that source and target share to a table: what is lost on texts that they do not."""

import pandas as pd

from phonoscope.studies import calibration
from phonoscope.studies.kinematics_texts import OTHER, SAME

COLUMNS = [
    *["corpus", "model", "probe", "by", "relation", "layer", "best_layer", "same_texts", "other_texts"],
    *["difference", "ci_low", "ci_high", "shared", "n_speakers", "verdict", "note"],
]
_CASE = ["by", "relation", "probe", "layer"]


def table(related):
    """r on the same texts and on others, over target speakers.

    Parameters
    ----------
    related : pandas.DataFrame
        Scores of the experiment ``texts``, with ``by`` and ``relation`` of source to target.

    Returns
    -------
    pandas.DataFrame
        Columns of :data:`COLUMNS` from probe on, but best_layer. A speaker's r is the mean over channels of
        the mean over sources, those that have both; intervals are Student's t over speakers. Where there
        are no such texts, a row says so.
    """
    scores, skipped = related[related.channel != ""], related[related.channel == ""]
    keys = [*_CASE, "target", "source", "channel", "note"]
    wide = scores.pivot_table(index=keys, columns="target_group", values="r").dropna()
    rows = [
        *(_row(names, part) for names, part in wide.groupby(level=_CASE, sort=False)),
        *skipped[[*_CASE, "note"]].assign(n_speakers=0).to_dict("records"),
    ]
    return pd.DataFrame(rows, columns=[name for name in COLUMNS if name not in ("corpus", "model")])


def _row(names, wide):
    shared = wide.index.get_level_values("note").str.removeprefix("shared=").astype(float)
    flat = pd.DataFrame({"same_texts": wide[SAME], "other_texts": wide[OTHER], "shared": shared})
    flat = flat.groupby(level=["target", "channel"]).mean().groupby(level="target").mean()
    difference, low, high, n = calibration.mean_interval(flat.same_texts - flat.other_texts)
    row = dict(zip(_CASE, names, strict=True)) | flat.mean().to_dict()
    row |= {"difference": difference, "ci_low": low, "ci_high": high, "n_speakers": n, "note": ""}
    return row | {"verdict": verdict(low, high)}


def verdict(low, high):
    """What the interval of same less other texts says."""
    where = calibration.side(low, high)
    if where is None:
        return "no interval: no verdict"
    return {1: "better on the same texts", -1: "worse on the same texts", 0: "not told apart"}[where]
