"""Scores of one model to the tables of the kinematics study.

A speaker's r is a mean over channels of the mean over sources; all other numbers are means over target
speakers. Intervals of r are bootstraps over these, those of differences Student's t, of ratios bootstraps, as
in the calibration. The same target speakers and channels stand on both sides of a difference or ratio, and
sources of the same and of another group are compared only with their like in all other attributes.
"""

import numpy as np
import pandas as pd

from phonoscope import tables
from phonoscope.studies import calibration, kinematics_texts_summary
from phonoscope.studies.articulation_summary import over_speakers
from phonoscope.studies.kinematics_rows import OF_SPEAKERS, UNDEFINED

# What a source is to a target: the same speaker, another of the same group, one of another group.
WITHIN, SAME, OTHER = "within", "same", "other"
ANY = "speaker"
# Groups cannot be matched after their fit: only those of the same speakers, by the language spoken, will do.
UNMATCHED = "no verdict: without the target, groups are not matched in other attributes"
SPOKEN = "language"
MEASURED = ["r", "ci_low", "ci_high", "chance", "n_speakers"]
_MATRIX = [
    *["corpus", "model", "probe", "experiment", "by", "map", "layer", "best_layer", "source", "target"],
    *["source_group", "target_group", *MEASURED, "n_test", "note"],
]
COLUMNS = {
    "transfer": [
        *["corpus", "model", "probe", "experiment", "by", "relation", "map", "layer", "best_layer"],
        *[*MEASURED, "note"],
    ],
    "matrix": [name for name in _MATRIX if name != "best_layer"],
    "matrix_layers": _MATRIX,
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
    "texts": kinematics_texts_summary.COLUMNS,
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
    scores = scores.fillna({"map": "none", "size": "", "target_group": ""})
    across = scores[scores.experiment.isin(["speakers", "maps"]) & scores["size"].isin(["", "all"])]
    groups = scores[scores.experiment == "groups"]
    texts = scores[scores.experiment == "texts"]
    related, texts = (
        [_related(part, by, speakers) for by in (ANY, *OF_SPEAKERS)] for part in (across, texts)
    )
    related = pd.concat([*related, _grouped(groups)], ignore_index=True)
    each = _by_stratum(related)
    matched = _cells(_matched(each))
    curves = _curves(matched, related)
    best = _best(curves)
    matrices = _matrices(across, groups, speakers)
    made = {
        "transfer": curves,
        "matrix": _at_best(matrices, best),
        "matrix_layers": matrices,
        "contrast": _contrast(matched, _comparable(groups)),
        # Both sides of a gain have the same sources: no need to match them.
        "maps": _maps(_cells(each)),
        "seconds": _seconds(scores[scores.channel != ""], best),
        "texts": kinematics_texts_summary.table(pd.concat(texts, ignore_index=True)),
    }
    return {
        name: _labelled(table, best).assign(corpus=corpus, model=model).reindex(columns=COLUMNS[name])
        for name, table in made.items()
    }


def _related(scores, by, speakers):
    """Scores of pairs of speakers that have a label, with the relation of source to target.

    ``stratum`` is what else is known of the source; unknown is a stratum too.
    """
    itself = scores.source == scores.target
    if by == ANY:
        relation = np.where(itself, WITHIN, OTHER)
        return scores.assign(by=by, relation=relation, experiment="speakers", stratum="")
    label = {name: about[by] for name, about in speakers.items()}
    one, two = scores.source.map(label), scores.target.map(label)
    relation = np.where(itself, WITHIN, np.where(one == two, SAME, OTHER))
    stratum = scores.source.map({name: _stratum(about, by) for name, about in speakers.items()})
    kept = scores.assign(by=by, relation=relation, experiment="speakers", stratum=stratum)
    kept = kept[(one != "") & (two != "") & (scores.channel != "")]
    return kept if two[two != ""].nunique() > 1 else kept.iloc[:0]


def _stratum(about, by):
    return "|".join(about[name] for name in OF_SPEAKERS if name != by)


def _grouped(scores):
    """Scores of groups: the relation of the source group to the group that the target was tested in."""
    relation = np.where(scores.source == scores.target_group, SAME, OTHER)
    kept = scores.assign(relation=relation, stratum="")
    several = kept.groupby("by").target_group.transform("nunique") > 1
    return kept[several]


_CELL = ["experiment", "by", "map", *_CASE, "relation", "target", "channel"]


def _comparable(groups):
    """What groups are by that may be compared: the language spoken, where all speak all.

    In groups of one task or condition, the languages that are spoken differ with the target's.
    """
    members = groups[groups.by == SPOKEN].groupby("target_group").target.agg(frozenset)
    return {SPOKEN} if members.nunique() == 1 else set()


def _by_stratum(related):
    """Mean over the sources of each stratum (and over the groups a target was tested in)."""
    defined = related[related.r.notna()]
    each = defined.groupby([*_CELL, "stratum", "target_group"], sort=False, as_index=False)
    each = each[["r", "chance"]].mean()
    return each.groupby([*_CELL, "stratum"], sort=False, as_index=False)[["r", "chance"]].mean()


def _matched(each):
    """NaN in strata that only the same group has, or only the others.

    Leaving the target out takes a speaker of its own sex from its own language alone: without strata, what
    speakers of one sex read of one another would pass for what speakers of one language do.
    """
    compared = (each.experiment == "speakers") & each.by.isin(OF_SPEAKERS) & (each.relation != WITHIN)
    keys = [name for name in _CELL if name != "relation"]
    sides = each[compared].groupby([*keys, "stratum"]).relation.transform("nunique")
    alone = sides.index[sides < 2]
    each = each.copy()
    each.loc[alone, ["r", "chance"]] = np.nan
    return each


def _cells(each):
    """Mean over strata of every target and channel."""
    return each.groupby(_CELL, sort=False, as_index=False)[["r", "chance"]].mean()


def over_targets(frame, keys, lost=None):
    """Mean over target speakers with its interval.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row per target and combination of ``keys``: columns ``keys``, target, r, chance.
    keys : list of str
    lost : pandas.DataFrame, optional
        Columns ``keys``, target, reason: a row for each score that there is not.

    Returns
    -------
    pandas.DataFrame
        Columns ``keys``, r, ci_low, ci_high, chance, n_speakers, n_test, note. Where nothing has a score, r
        is NaN; ``note`` counts what has none.
    """
    counted = frame.assign(undefined=0, reason="", n_test=frame.get("n_test", 0))
    if lost is not None and len(lost):
        lost = lost[[*keys, "target", "reason"]].assign(undefined=1, r=np.nan, chance=np.nan, n_test=0)
        each = pd.concat([counted, lost]) if len(counted) else lost
        each = each.groupby([*keys, "target"], sort=False, as_index=False)
        sums = {"undefined": ("undefined", "sum"), "reason": ("reason", "max"), "n_test": ("n_test", "max")}
        counted = each.agg(r=("r", "first"), chance=("chance", "first"), **sums)
    return over_speakers(counted.rename(columns={"target": "speaker"}), keys)


def _lost(scores):
    """Scores without r, with the reason: what a fit was not made for, or r that is undefined."""
    rows = scores[scores.r.isna()]
    return rows.assign(reason=rows.note.where(rows.channel == "", UNDEFINED))


def _curves(cells, related):
    keys = ["experiment", "by", "relation", "map", *_CASE]
    defined = cells[cells.r.notna()]
    each = defined.groupby([*keys, "target"], sort=False, as_index=False)[["r", "chance"]].mean()
    alone = cells[cells.r.isna()]
    reasons = {by: f"no sources of both kinds that are alike in {_others(by)}" for by in OF_SPEAKERS}
    alone = alone.assign(reason=alone.by.map(reasons))
    return over_targets(each, keys, pd.concat([_lost(related), alone]))


def _others(by):
    return " and ".join(name.replace("_", " ") for name in OF_SPEAKERS if name != by)


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


def _contrast(cells, comparable):
    """Same group against other group, with the ceiling where there is one.

    Pairs of speakers get a verdict, and the groups by ``comparable``.
    """
    rows = []
    ceiling = cells[(cells.relation == WITHIN) & (cells.by == ANY)]
    ceiling = {case: part.assign(column="ceiling") for case, part in ceiling.groupby(_CASE)}
    for keys, part in cells[cells.by != ANY].groupby(["experiment", "by", "map", *_CASE], sort=False):
        experiment, by, _, *case = keys
        own = part[part.relation != WITHIN].assign(column=lambda frame: frame.relation)
        columns = [SAME, OTHER]
        if experiment == "speakers" and tuple(case) in ceiling:
            own, columns = pd.concat([own, ceiling[tuple(case)]]), [SAME, OTHER, "ceiling"]
        r, chance = _side_by_side(own, columns)
        row = dict(zip(["experiment", "by", "map", *_CASE], keys, strict=True))
        if r is None or r.empty:
            alike = f" that are alike in {_others(by)}" if experiment == "speakers" else ""
            rows.append(row | {"n_speakers": 0, "verdict": f"no verdict: no sources of both kinds{alike}"})
            continue
        difference, low, high, n = calibration.mean_interval(r[SAME] - r[OTHER])
        row |= {"same": r[SAME].mean(), "other": r[OTHER].mean(), "difference": difference}
        row |= {"ci_low": low, "ci_high": high, "n_speakers": n}
        row |= {
            "verdict": verdict(low, high, by) if experiment == "speakers" or by in comparable else UNMATCHED
        }
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


def _matrices(across, groups, speakers):
    """r of every source and target at every layer: pairs of speakers, and pairs of groups."""
    keys = ["experiment", "by", "map", *_CASE, "source"]
    language = {name: about["native_language"] for name, about in speakers.items()}
    pairs = across.assign(experiment="speakers", by=ANY)
    each = (
        pairs[pairs.channel != ""]
        .groupby([*keys, "target"], sort=False, as_index=False)
        .agg(r=("r", "mean"), chance=("chance", "mean"), n_test=("n_test", "max"), missing=("r", _missing))
    )
    each = each.assign(note=each.missing.map(lambda n: f"{n} channels without r" if n else ""), n_speakers=1)
    skipped = pairs[pairs.channel == ""].assign(n_speakers=0)[[*keys, "target", "note", "n_speakers"]]
    each = pd.concat([each, skipped])
    each = each.assign(source_group=each.source.map(language), target_group=each.target.map(language))
    means = groups[groups.r.notna()].groupby([*keys, "target_group", "target"], sort=False, as_index=False)
    means = means.agg(r=("r", "mean"), chance=("chance", "mean"), n_test=("n_test", "max"))
    between = over_targets(means, [*keys, "target_group"], _lost(groups))
    between = between.assign(target=between.target_group, source_group=between.source)
    return pd.concat([each.drop(columns="missing"), between])


def _at_best(matrices, best):
    """Those of the best layer; where no layer has r between speakers, only notes, and of the first layer."""
    shown, first = matrices.probe.map(best), matrices.layer.min()
    noted = shown.isna() & (matrices.layer == first) & matrices.r.isna()
    return matrices[(matrices.layer == shown) | noted]


def _missing(values):
    return int(values.isna().sum())
