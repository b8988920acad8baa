"""Scores, profiles and margins of one model on one corpus to tables over its layers."""

import numpy as np
import pandas as pd

from phonoscope import tables
from phonoscope.probes import focus
from phonoscope.probes.inference import LEVEL, bootstrap_mean, resampled
from phonoscope.studies import tone_items

# Fewer tones that the probe gets right say nothing of a width.
LEAST_OCCLUDED = 10

COLUMNS = {
    "layers": [
        *[
            "corpus",
            "language",
            "model",
            "layer",
            "macro_f1",
            "ci_low",
            "ci_high",
            "unheard",
            "shuffled",
            "majority",
        ],
        *["above_chance", "n_classes", "n_items", "n_folds", "fold_by"],
        *["span_ms", "span_low", "span_high", "flat_ms", "reach_ms", "n_focus", "near_edge"],
        *["occlusion_ms", "occlusion_low", "occlusion_high", "n_occluded"],
    ],
    "folds": ["corpus", "model", "layer", "fold", "macro_f1", "span_ms"],
    "profiles": ["corpus", "model", "layer", "offset_ms", "share", "flat_share"],
    "occlusion": ["corpus", "model", "layer", "width_ms", "kept", "ci_low", "ci_high"],
    "confusion": ["corpus", "model", "layer", "tone", "predicted", "items", "share"],
}


def summarise(corpus, model, items_path, scores, predictions, focused, occluded):
    """The tables of :data:`COLUMNS` for one model.

    Parameters
    ----------
    corpus, model : str
    items_path : path
    scores, predictions : list of path
        One per layer.
    focused, occluded : list of path
        One per shard; may be empty.

    Returns
    -------
    dict of str to pandas.DataFrame
    """
    items, known = tone_items.read(items_path)
    scored = tables.read(scores).to_pandas()
    folds = scored[scored.probe == "logistic"].rename(columns={"test": "fold", "value": "macro_f1"})
    folds = folds.assign(fold=folds.fold.astype(int))[["layer", "fold", "macro_f1"]]
    layers = _means(folds, "macro_f1", ["macro_f1", "ci_low", "ci_high"])
    # Folds of recordings that no training of this workflow learns from.
    heard = np.isin(items["split"], ["train", ""])
    new = [k for k in range(known["folds"]) if not heard[items["fold"] == k].any()]
    layers["unheard"] = folds[folds.fold.isin(new)].groupby("layer").macro_f1.mean()
    for control in ("shuffled", "majority"):
        layers[control] = scored[scored.probe == control].groupby("layer").value.mean()
    layers["n_classes"], layers["n_items"] = len(known["classes"]), len(items["label"])
    layers["n_folds"], layers["fold_by"] = known["folds"], known["fold_by"]
    layers["language"] = " ".join(sorted(set(items["language"])))
    found = {"profiles": pd.DataFrame(), "occlusion": pd.DataFrame()}
    chance = folds.merge(_controls(scored), on=["layer", "fold"])
    chance["gain"] = chance.macro_f1 - chance.shuffled
    gain = _means(chance, "gain", ["gain", "low", "high"])
    layers["above_chance"] = np.where(gain.low > 0, "yes", "no")
    if any(tables.read(path, ["item"]).num_rows for path in focused):
        spans, found["profiles"], about = _focus(items, focused)
        folds = folds.merge(spans, on=["layer", "fold"], how="left")
        layers = layers.join(_means(spans, "span_ms", ["span_ms", "span_low", "span_high"])).join(about)
    if occluded:
        found["occlusion"], widths = _occlusion(occluded)
        layers = layers.join(widths)
    found |= {"layers": layers.reset_index(), "folds": folds, "confusion": _confusion(predictions, scores)}
    return {
        name: found[name].assign(corpus=corpus, model=model).reindex(columns=columns)
        for name, columns in COLUMNS.items()
    }


def _controls(scored):
    """Macro-F1 on shuffled labels: layer, fold, shuffled."""
    rows = scored[scored.probe == "shuffled"].rename(columns={"test": "fold", "value": "shuffled"})
    return rows.assign(fold=rows.fold.astype(int))[["layer", "fold", "shuffled"]]


def _means(folds, column, names):
    """Mean over folds per layer, and its interval."""
    wide = folds.pivot(index="fold", columns="layer", values=column)
    low, high = bootstrap_mean(wide.to_numpy())
    return pd.DataFrame(dict(zip(names, [wide.mean(), low, high], strict=True)), index=wide.columns)


def _focus(items, paths):
    """Spans per layer and fold, mean profiles, and per layer what they stand on."""
    table = tables.read(paths)
    said = tables.provenance(table)
    centres = focus.bin_centres(said["reach_ms"], said["bin_ms"])
    profiles = _profiles(table)
    rows = pd.DataFrame({name: tables.numbers(table[name]) for name in ("layer", "item", "fold")})
    rows["span_ms"] = focus.spans(profiles, centres)
    rows["flat_ms"] = focus.flat_reference(profiles, centres)
    with np.errstate(invalid="ignore"):
        shares = profiles / np.nansum(profiles, axis=1, keepdims=True)
    inside = ~np.isnan(profiles)
    flats = np.where(inside, 1 / np.maximum(inside.sum(axis=1, keepdims=True), 1), np.nan)
    near = tone_items.near_edge(items, said["reach_ms"])
    curves, about = [], {}
    for layer, part in rows.groupby("layer"):
        # Every item counts the same; a bin stands on the items that have audio there.
        curves.append(
            pd.DataFrame(
                {
                    "layer": layer,
                    "offset_ms": centres,
                    "share": np.nanmean(shares[part.index], axis=0),
                    "flat_share": np.nanmean(flats[part.index], axis=0),
                }
            )
        )
        about[layer] = {
            "flat_ms": part.flat_ms.mean(),
            "reach_ms": said["reach_ms"],
            "n_focus": len(part),
            "near_edge": near[part.item].mean(),
        }
    spans = rows.groupby(["layer", "fold"]).span_ms.mean().reset_index()
    return spans, pd.concat(curves), pd.DataFrame(about).T


def _profiles(table):
    """The column ``profile`` as float array of shape (n_rows, n_bins), NaN beyond the recording."""
    flat = table["profile"].combine_chunks().flatten()
    return np.asarray(flat.to_numpy(zero_copy_only=False), dtype=float).reshape(len(table), -1)


def _occlusion(paths):
    """Share of the margin that is kept within each width, and the width that keeps nine tenths, per layer."""
    rows = tables.read(paths).to_pandas()
    curves, widths = [], {}
    for layer, part in rows.groupby("layer"):
        wide = part.assign(half_ms=part.half_ms.fillna(np.inf)).pivot(
            index=["fold", "item"], columns="half_ms", values="margin"
        )
        # Of what the probe gets wrong there is no margin to keep.
        wide = wide[wide[np.inf] > 0]
        sums = wide.groupby("fold").sum()
        half = np.array([each for each in wide.columns if np.isfinite(each)])
        if len(sums) < 2 or len(wide) < LEAST_OCCLUDED:
            widths[layer] = {"n_occluded": len(wide)}
            continue
        counts = np.vstack([np.ones(len(sums), dtype=int), resampled(len(sums))])
        totals = counts @ sums.to_numpy()
        kept = totals[:, :-1] / totals[:, -1:]
        at = focus.widths_that_keep(half, kept)
        edges = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
        low, high = np.quantile(kept[1:], edges, axis=0)
        curves.append(
            pd.DataFrame(
                {"layer": layer, "width_ms": 2 * half, "kept": kept[0], "ci_low": low, "ci_high": high}
            )
        )
        # A resample that never keeps enough lies above every width that was tried.
        drawn = np.quantile(np.nan_to_num(at[1:], nan=np.inf), edges, method="inverted_cdf")
        widths[layer] = {
            "occlusion_ms": at[0],
            "occlusion_low": drawn[0],
            "occlusion_high": drawn[1],
            "n_occluded": len(wide),
        }
    return pd.concat(curves) if curves else pd.DataFrame(), pd.DataFrame(widths).T


def _confusion(predictions, scores):
    parts = []
    for path, scored in zip(predictions, scores, strict=True):
        table = tables.read(path).to_pandas()
        layer = tables.read(scored, ["layer"])["layer"][0].as_py()
        counts = pd.crosstab(table.tone, table.predicted)
        names = sorted(set(table.tone) | set(table.predicted))
        counts = counts.reindex(index=names, columns=names, fill_value=0)
        long = counts.stack().rename("items").reset_index()
        long["share"] = long["items"] / long.groupby("tone")["items"].transform("sum")
        parts.append(long.assign(layer=layer))
    return pd.concat(parts)
