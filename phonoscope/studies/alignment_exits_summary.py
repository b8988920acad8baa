"""Early exit of one model, layer by layer: error rates, their change against the last layer, examples."""

import numpy as np
import pandas as pd

from phonoscope import tables
from phonoscope.studies import calibration

ALL = "all"
COLUMNS = [
    *["corpus", "model", "language", "prompted", "layer", "normaliser", "metric", "value", "ci_low"],
    *["ci_high", "chance", "change", "change_low", "change_high", "not_ended", "n", "note"],
]
EXAMPLES = [
    *["corpus", "model", "language", "utterance_id", "layer", "prompted", "token", "cer", "ended"],
    *["hypothesis", "reference"],
]
METRICS = {"WER": ("word_errors", "words"), "CER": ("character_errors", "characters")}


def summarise(corpus, model, exits, normalisers):
    """The table of :data:`COLUMNS` for one model.

    Parameters
    ----------
    corpus, model : str
    exits : list of path
        One per layer, as ``alignment_exits.exit_early`` gives them; the last layer among them.
    normalisers : list of str

    Returns
    -------
    pandas.DataFrame
        Per language, and for ``all`` of several, errors per word or character of the references of all
        utterances. Intervals are a bootstrap over sentences. ``chance`` is the rate of the hypotheses of
        other utterances. ``change`` is the rate over that of the last layer, less 1: below 0 where the exit
        has fewer errors; its interval takes both from the same resamples. ``not_ended`` is the share of
        utterances that were cut at the largest number of tokens.
    """
    layers = {tables.provenance(tables.schema(path))["layer"]: path for path in exits}
    frames = {layer: tables.read(path).to_pandas() for layer, path in sorted(layers.items())}
    last, found = max(frames), []
    languages = list(dict.fromkeys(frames[last].language))
    for language in languages + [ALL] * (len(languages) > 1):
        for layer, frame in frames.items():
            mine = frame if language == ALL else frame[frame.language == language]
            top = frames[last].loc[mine.index]
            where = {"corpus": corpus, "model": model, "language": language, "layer": layer}
            where |= {"prompted": ", ".join(sorted(set(mine.prompted))), "n": len(mine)}
            where |= {"not_ended": float((~mine.ended.astype(bool)).mean())}
            for normaliser in normalisers:
                for metric in METRICS:
                    rates = _rates(mine, top, normaliser, metric, layer == last)
                    found.append(where | {"normaliser": normaliser, "metric": metric} | rates)
    return pd.DataFrame(found).reindex(columns=COLUMNS)


def _rates(mine, top, normaliser, metric, is_last):
    """Rate, chance and change of some utterances, whose rows at the last layer are ``top``."""
    errors, units = (f"{normaliser}_{name}" for name in METRICS[metric])
    other = f"{normaliser}_other_{METRICS[metric][0]}"
    kept = mine[units].notna()
    without = sorted(set(mine.language[~kept]))
    row = {"note": f"without {', '.join(without)}: no spaces between words" if without else ""}
    if not kept.any():
        return row
    sums = mine[kept].assign(top=top[errors].astype(float)).groupby("sentence_id", dropna=False)
    sums = sums[[errors, units, other, "top"]].sum()
    value, low, high = calibration.ratio_interval(sums[errors], sums[units])
    row |= {"value": value, "ci_low": low, "ci_high": high}
    if mine.loc[kept, other].notna().all():
        row["chance"] = sums[other].sum() / sums[units].sum()
    if is_last:
        return row | {"change": 0.0}
    ratio, low, high = calibration.ratio_interval(sums[errors], sums.top)
    return row | {"change": ratio - 1, "change_low": low - 1, "change_high": high - 1}


def examples(corpus, model, exits, normaliser):
    """What some utterances read layer by layer: those with least, median and most errors at the last layer.

    Parameters
    ----------
    corpus, model, exits
        As for :func:`summarise`.
    normaliser : str
        By which characters are counted.

    Returns
    -------
    pandas.DataFrame
        Of :data:`EXAMPLES`; cer is that of the utterance.
    """
    layers = {tables.provenance(tables.schema(path))["layer"]: path for path in exits}
    frames = []
    for layer, path in sorted(layers.items()):
        frame = tables.read(path).to_pandas()
        units = frame[f"{normaliser}_characters"].replace(0, np.nan)
        frames.append(frame.assign(layer=layer, cer=frame[f"{normaliser}_character_errors"] / units))
    top, chosen = frames[-1], []
    for _, mine in top.groupby("language", sort=False):
        ranked = mine.sort_values(["cer", "utterance_id"]).utterance_id.tolist()
        chosen += dict.fromkeys(ranked[at] for at in (0, (len(ranked) - 1) // 2, -1))
    rows = pd.concat(frames)
    order = {name: at for at, name in enumerate(chosen)}
    rows = rows[rows.utterance_id.isin(order)]
    rows = rows.assign(order=rows.utterance_id.map(order), ended=np.where(rows.ended, "yes", "no"))
    rows = rows.sort_values(["order", "layer"]).assign(corpus=corpus, model=model)
    return rows.reindex(columns=EXAMPLES).reset_index(drop=True)
