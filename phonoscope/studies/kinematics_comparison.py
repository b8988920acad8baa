"""The kinematics study over corpora and models, and its maps between speakers who read the same items."""

import pandas as pd

from phonoscope import tables
from phonoscope.studies import calibration, sheets
from phonoscope.studies.articulation_summary import combine
from phonoscope.studies.kinematics_summary import ANY, COLUMNS, OTHER, SAME, over_targets

ITEMS = [
    *["corpus", "by", "relation", "source", "target", "map", "r", "ci_low", "ci_high", "chance"],
    *["gain", "gain_low", "gain_high", "n_speakers", "items", "seconds", "note"],
]


def compare(summaries, corpora, items):
    """All tables over corpora and models.

    Parameters
    ----------
    summaries : dict of str to list of path
        Table -> its sheets of all corpora and models.
    corpora : list of str
    items : list of path
        Scores of ``kinematics_items.score``, one per corpus.

    Returns
    -------
    dict of str to pandas.DataFrame
        transfer, matrix, contrast, maps, seconds, items.
    """
    found = {name: combine([sheets.read(path) for path in summaries[name]]) for name in COLUMNS}
    parts = [of_items(corpus, path) for corpus, path in zip(corpora, items, strict=True)]
    return found | {"items": pd.concat(parts, ignore_index=True)}


def of_items(corpus, path):
    """Maps between speakers who read the same items: over target speakers, and pair by pair.

    Returns
    -------
    pandas.DataFrame
        Of :data:`ITEMS`. ``all`` for source and target is the mean over target speakers of the mean over
        sources; ``gain`` is r after the map less r before. All maps of a pair of speakers are on the channels
        for which no map, and each map that has any r, has r.
    """
    found = tables.read(path)
    scores, speakers = found.to_pandas(), tables.provenance(found)["speakers"]
    skipped = scores[scores.channel == ""]
    keys = ["source", "target", "map"]
    # An affine map gives channels that the source lacks: its r would be a mean of others than that before it.
    there = scores.r.notna()
    whole = there | ~there.groupby([scores[name] for name in keys]).transform("any")
    common = whole.groupby([scores[name] for name in (*keys[:2], "channel")]).transform("all")
    pairs = scores[there & common].groupby(keys, sort=False, as_index=False)
    first = {"items": ("size", "first"), "seconds": ("seconds", "first")}
    pairs = pairs.agg(r=("r", "mean"), chance=("chance", "mean"), **first)
    pairs["items"] = pd.to_numeric(pairs["items"])
    language = {name: about["native_language"] for name, about in speakers.items()}
    same = pairs.source.map(language) == pairs.target.map(language)
    pairs = pairs.assign(by="native_language", relation=same.map({True: SAME, False: OTHER}))
    every = pd.concat([pairs.assign(by=ANY, relation=OTHER), pairs])
    rows = [_of_relation(names, part) for names, part in every.groupby(["by", "relation"], sort=False)]
    each = pairs.assign(by=ANY, n_speakers=1, note="")
    skipped = skipped.assign(by=ANY, relation="")[[*keys, "by", "relation", "note"]]
    made = pd.concat([*rows, each, skipped]) if rows else skipped
    return made.assign(corpus=corpus).reindex(columns=ITEMS).reset_index(drop=True)


def _of_relation(names, pairs):
    """Means over target speakers, with the gain of each map."""
    each = pairs.groupby(["map", "target"], sort=False, as_index=False)
    each = each[["r", "chance", "items", "seconds"]].mean()
    found = over_targets(each, ["map"])
    wide = each.pivot(index="target", columns="map", values="r")
    gains = {
        kind: calibration.mean_interval(wide[kind] - wide["none"])[:3] for kind in wide if kind != "none"
    }
    gains = pd.DataFrame(gains, index=["gain", "gain_low", "gain_high"]).T.rename_axis("map").reset_index()
    sizes = each.groupby("map", as_index=False)[["items", "seconds"]].mean()
    found = found.merge(sizes, on="map").merge(gains, on="map", how="left")
    return found.assign(by=names[0], relation=names[1], source="all", target="all")
