"""Scores of one model to the tables of the kinematics study.

A speaker's r is a mean over channels of the mean over sources; all other numbers are means over target
speakers. Intervals of r are bootstraps over these, those of differences Student's t, of ratios bootstraps, as
in the calibration. The same target speakers and channels stand on both sides of a difference or ratio.
"""

import numpy as np
import pandas as pd

from phonoscope import tables
from phonoscope.studies import calibration
from phonoscope.studies.articulation_summary import over_speakers
from phonoscope.studies.kinematics_rows import OF_SPEAKERS

# What a source is to a target: the same speaker, another of the same group, one of another group.
WITHIN, SAME, OTHER = "within", "same", "other"
ANY = "speaker"
MEASURED = ["r", "ci_low", "ci_high", "chance", "n_speakers"]
COLUMNS = {
    "transfer": [
        *["corpus", "model", "probe", "experiment", "by", "relation", "map", "layer", "best_layer"],
        *[*MEASURED, "note"],
    ],
    "matrix": [
        *["corpus", "model", "probe", "experiment", "by", "map", "layer", "source", "target"],
        *["source_group", "target_group", *MEASURED, "n_test", "note"],
    ],
    "contrast": [
        *["corpus", "model", "probe", "experiment", "by", "map", "layer", "best_layer", "same", "other"],
        *["difference", "ci_low", "ci_high", "chance_difference", "ratio", "ratio_low", "ratio_high"],
        *["ceiling", "of_ceiling", "of_ceiling_low", "of_ceiling_high", "n_speakers", "verdict"],
    ],
    "maps": [
        *["corpus", "model", "probe", "by", "relation", "map", "layer", "best_layer", "before", "after"],
        *["chance", "gain", "ci_low", "ci_high", "ceiling", "closed", "closed_low", "closed_high"],
        *["n_speakers", "verdict"],
    ],
    "seconds": [
        *["corpus", "model", "probe", "layer", "map", "size", "seconds", *MEASURED],
        *["lost", "lost_low", "lost_high", "note"],
    ],
}
_CASE = ["probe", "layer"]


def summarise(corpus, model, paths):
    """The tables of :data:`COLUMNS` for one model on one corpus.

    Parameters
    ----------
    corpus, model : str
    paths : list of path
        Scores of all layers, as ``kinematics.score`` gives them.

    Returns
    -------
    dict of str to pandas.DataFrame
        ``best_layer`` is the layer at which speakers' probes do best on other speakers, before any map.
    """
    found = tables.read(paths)
    scores, speakers = found.to_pandas(), tables.provenance(found)["speakers"]
    scores = scores[scores.channel != ""].fillna({"map": "none", "size": ""})
    across = scores[scores.experiment.isin(["speakers", "maps"]) & scores["size"].isin(["", "all"])]
    related = [_related(across, by, speakers) for by in (ANY, *OF_SPEAKERS)]
    related = pd.concat([*related, _grouped(scores[scores.experiment == "groups"])], ignore_index=True)
    cells = _cells(related)
    curves = _curves(cells)
    best = _best(curves)
    made = {
        "transfer": curves,
        "matrix": _matrix(across, scores[scores.experiment == "groups"], best, speakers),
        "contrast": _contrast(cells),
        "maps": _maps(cells),
        "seconds": _seconds(scores, best),
    }
    return {
        name: _labelled(table, best).assign(corpus=corpus, model=model).reindex(columns=COLUMNS[name])
        for name, table in made.items()
    }


def _related(scores, by, speakers):
    """Scores of pairs of speakers that have a label, with the relation of source to target."""
    itself = scores.source == scores.target
    if by == ANY:
        relation = np.where(itself, WITHIN, OTHER)
        return scores.assign(by=by, relation=relation, experiment="speakers")
    label = {name: about[by] for name, about in speakers.items()}
    one, two = scores.source.map(label), scores.target.map(label)
    relation = np.where(itself, WITHIN, np.where(one == two, SAME, OTHER))
    kept = scores.assign(by=by, relation=relation, experiment="speakers")[(one != "") & (two != "")]
    return kept if two[two != ""].nunique() > 1 else kept.iloc[:0]


def _grouped(scores):
    """Scores of groups: the relation of the source group to the group that the target was tested in."""
    relation = np.where(scores.source == scores.target_group, SAME, OTHER)
    kept = scores.assign(relation=relation)
    several = kept.groupby("by").target_group.transform("nunique") > 1
    return kept[several]


def _cells(related):
    """Mean over sources (and over the groups a target was tested in) of every target and channel."""
    keys = ["experiment", "by", "map", *_CASE, "relation", "target", "channel"]
    defined = related[related.r.notna()].fillna({"target_group": ""})
    each = defined.groupby([*keys, "target_group"], sort=False, as_index=False)[["r", "chance"]].mean()
    return each.groupby(keys, sort=False, as_index=False)[["r", "chance"]].mean()


def over_targets(frame, keys):
    """Mean over target speakers with its interval; columns ``keys``, r, …, note."""
    frame = frame.rename(columns={"target": "speaker"})
    counted = frame.assign(undefined=0, reason="", n_test=frame.get("n_test", 0))
    return over_speakers(counted, keys)


def _over_channels(cells):
    keys = ["experiment", "by", "map", *_CASE, "relation", "target"]
    return cells.groupby(keys, sort=False, as_index=False)[["r", "chance"]].mean()


def _curves(cells):
    keys = ["experiment", "by", "relation", "map", *_CASE]
    return over_targets(_over_channels(cells), keys)


def _best(curves):
    """Best layer of each probe."""
    rows = curves[(curves.by == ANY) & (curves.relation == OTHER) & (curves["map"] == "none")]
    rows = rows[rows.r.notna()].sort_values("layer")
    return rows.loc[rows.groupby("probe").r.idxmax()].set_index("probe").layer


def _labelled(table, best):
    return table.assign(best_layer=table.probe.map(best)) if len(table) else table


def _side_by_side(cells, columns):
    """r and chance of several columns beside each other, on the targets and channels that have all of them.

    Returns
    -------
    r, chance : pandas.DataFrame
        A row per target speaker, a column for each of ``columns``; means over channels.
    """
    wide = cells.pivot(index=["target", "channel"], columns="column", values=["r", "chance"])
    if not {("r", column) for column in columns} <= set(wide.columns):
        return None, None
    wide = wide[wide.r[columns].notna().all(axis=1)].groupby(level="target").mean()
    return wide.r[columns], wide.chance[columns]


def _contrast(cells):
    """Same group against other group, with the ceiling where there is one."""
    rows = []
    ceiling = cells[(cells.relation == WITHIN) & (cells.by == ANY)]
    ceiling = {case: part.assign(column="ceiling") for case, part in ceiling.groupby(_CASE)}
    for keys, part in cells[cells.by != ANY].groupby(["experiment", "by", "map", *_CASE], sort=False):
        experiment, by, _, *case = keys
        own = part[part.relation != WITHIN].assign(column=part.relation)
        columns = [SAME, OTHER]
        if experiment == "speakers" and tuple(case) in ceiling:
            own, columns = pd.concat([own, ceiling[tuple(case)]]), [SAME, OTHER, "ceiling"]
        r, chance = _side_by_side(own, columns)
        if r is None or r.empty:
            continue
        row = dict(zip(["experiment", "by", "map", *_CASE], keys, strict=True))
        difference, low, high, n = calibration.mean_interval(r[SAME] - r[OTHER])
        row |= {"same": r[SAME].mean(), "other": r[OTHER].mean(), "difference": difference}
        row |= {"ci_low": low, "ci_high": high, "n_speakers": n, "verdict": verdict(low, high, by)}
        row |= {"chance_difference": (chance[SAME] - chance[OTHER]).mean()}
        row |= _interval("ratio", calibration.ratio_interval(r[OTHER], r[SAME]))
        if "ceiling" in r:
            row |= {"ceiling": r.ceiling.mean()}
            row |= _interval("of_ceiling", calibration.ratio_interval(r[OTHER], r.ceiling))
        rows.append(row)
    return pd.DataFrame(rows, columns=[c for c in COLUMNS["contrast"] if c not in ("corpus", "model")])


def verdict(low, high, by):
    """What the interval of same less other says of transfer to another group."""
    where = calibration.side(low, high)
    if where is None:
        return "no interval: no verdict"
    name = by.replace("_", " ")
    return {1: f"worse to another {name}", -1: f"better to another {name}", 0: "not told apart"}[where]


def _interval(name, values):
    return dict(zip([name, f"{name}_low", f"{name}_high"], values, strict=True))


def _maps(cells):
    """r before and after each map, and how much of the way to the ceiling it went."""
    rows = []
    speakers = cells[(cells.experiment == "speakers") & cells.by.isin([ANY, "native_language"])]
    ceiling = speakers[(speakers.relation == WITHIN) & (speakers.by == ANY)]
    ceiling = {case: part.assign(column="ceiling") for case, part in ceiling.groupby(_CASE)}
    between = speakers[speakers.relation != WITHIN].assign(column=lambda frame: frame["map"])
    for keys, part in between.groupby(["by", "relation", *_CASE], sort=False):
        for kind in (kind for kind in dict.fromkeys(part["map"]) if kind != "none"):
            own = [part, ceiling[keys[2:]]] if keys[2:] in ceiling else [part]
            columns = ["none", kind, *(["ceiling"] if len(own) > 1 else [])]
            r, chance = _side_by_side(pd.concat(own), columns)
            if r is None or r.empty:
                continue
            gain, low, high, n = calibration.mean_interval(r[kind] - r["none"])
            row = dict(zip(["by", "relation", *_CASE], keys, strict=True)) | {"map": kind}
            row |= {"before": r["none"].mean(), "after": r[kind].mean(), "gain": gain, "ci_low": low}
            row |= {"ci_high": high, "n_speakers": n, "chance": chance[kind].mean()}
            row |= {"verdict": calibration.against(low, high, "no map")}
            if "ceiling" in r:
                row |= {"ceiling": r.ceiling.mean()}
                gap = calibration.ratio_interval(r[kind] - r["none"], r.ceiling - r["none"])
                row |= _interval("closed", gap)
            rows.append(row)
    return pd.DataFrame(rows, columns=[c for c in COLUMNS["maps"] if c not in ("corpus", "model")])


def _seconds(scores, best):
    """r against the seconds of the target's speech that a map, or a probe of its own, was fitted on."""
    kinds = scores.experiment.isin(["own", "maps"]) | (scores.experiment == "speakers")
    rows = scores[kinds & (scores.layer == scores.probe.map(best)) & scores.r.notna()]
    rows = rows[(rows.experiment != "speakers") | (rows.source != rows.target)]
    rows = rows.assign(
        map=rows["map"].where(rows.experiment != "own", "own"),
        seconds=rows.seconds.where(rows.experiment != "speakers", 0.0),
        size=rows["size"].where(rows.experiment != "speakers", "0"),
    )
    keys = [*_CASE, "map", "size"]
    each = rows.groupby([*keys, "target", "channel"], sort=False, as_index=False)
    each = each[["r", "chance", "seconds"]].mean()
    each = each.groupby([*keys, "target"], sort=False, as_index=False)[["r", "chance", "seconds"]].mean()
    found = over_targets(each, keys)
    seconds = each.groupby(keys, sort=False, as_index=False).seconds.mean()
    whole = each[each["size"] == "all"].set_index([*_CASE, "map", "target"]).r
    lost = []
    for names, part in each.groupby(keys, sort=False):
        full = whole.reindex(pd.MultiIndex.from_arrays([part[c] for c in (*_CASE, "map", "target")]))
        mean, low, high, _ = calibration.mean_interval(full.to_numpy() - part.r.to_numpy())
        if names[-1] not in ("all", "0"):
            lost.append([*names, mean, low, high])
    lost = pd.DataFrame(lost, columns=[*keys, "lost", "lost_low", "lost_high"])
    found = found.merge(seconds, on=keys, how="left").merge(lost, on=keys, how="left")
    return found.sort_values([*_CASE, "map", "seconds"], kind="stable")


def _matrix(across, groups, best, speakers):
    """r of every source and target at the best layer: pairs of speakers, and pairs of groups."""
    keys = ["experiment", "by", "map", *_CASE, "source"]
    pairs = across[across.layer == across.probe.map(best)].assign(experiment="speakers", by=ANY)
    each = pairs.groupby([*keys, "target"], sort=False, as_index=False).agg(
        r=("r", "mean"), chance=("chance", "mean"), n_test=("n_test", "max"), missing=("r", _missing)
    )
    language = {name: about["native_language"] for name, about in speakers.items()}
    each = each.assign(source_group=each.source.map(language), target_group=each.target.map(language))
    each = each.assign(note=each.missing.map(lambda n: f"{n} channels without r" if n else ""), n_speakers=1)
    groups = groups[(groups.layer == groups.probe.map(best)) & groups.r.notna()]
    means = groups.groupby([*keys, "target_group", "target"], sort=False, as_index=False)
    means = means.agg(r=("r", "mean"), chance=("chance", "mean"), n_test=("n_test", "max"))
    between = over_targets(means, [*keys, "target_group"])
    between = between.assign(target=between.target_group, source_group=between.source)
    return pd.concat([each.drop(columns="missing"), between])


def _missing(values):
    return int(values.isna().sum())
