"""Which tone segments are studied, and in which fold each is tested."""

import logging
from collections import Counter

import numpy as np
import pyarrow as pa

from phonoscope import tables
from phonoscope.errors import InputError
from phonoscope.probes import folds
from phonoscope.studies.tone_items import ITEMS

LEFT_OUT = pa.schema(
    [
        ("reason", pa.string()),
        ("detail", pa.string()),
        ("items", pa.int64()),
    ]
)


def choose(utterances, segments, options):
    """The items of a corpus.

    Parameters
    ----------
    utterances, segments : list of path
        Tables ``tables.UTTERANCES`` and ``tables.SEGMENTS`` of all shards; the tiers `tone` and `syllable`
        are used. A tone belongs to the syllable with its centre.
    options : dict
        ``splits``: of the recordings that are used (none: all); ``min_score``: segments whose alignment
        scores less are left out; ``min_duration_ms``; ``max_items``: per class, or null; ``fold_by``:
        speaker, syllable or auto (speakers where there are two or more, else syllable types); ``folds``;
        ``least``: items of every class in every fold; ``rare``: leave_out or merge; ``merge``: label to the
        label it is counted as; ``seed``.

    Returns
    -------
    items : pyarrow.Table
        Of ``tone_items.ITEMS``, sorted by utterance and time; provenance holds the classes, the number of
        folds and what they are made of.
    left_out : pyarrow.Table
        Of :data:`LEFT_OUT`: why, and how many.

    Raises
    ------
    InputError
        Where there are no tones, or too few for folds.
    """
    rows = {row["utterance_id"]: row for row in tables.read(utterances).to_pylist()}
    found = _segments(rows, segments)
    if not found:
        raise InputError(
            "the corpus has no tier `tone`",
            path=segments[0],
            fix="give the corpus `align` with a rule for tones, or label files with a tier `tone`",
        )
    left = Counter()
    found = [each for each in found if _usable(each, options, left)]
    if not found:
        raise InputError(
            f"none of {sum(left.values())} tone segments can be used",
            path=segments[0],
            fix="see left_out.csv; lower tone.min_score or min_duration_ms",
        )
    found = [each | {"tone": options["merge"].get(each["tone"], each["tone"])} for each in found]
    found = _at_most(found, options, left)
    by = _fold_by(found, options["fold_by"])
    tones, parts, changed = folds.settle(
        [each["tone"] for each in found],
        [each[by] for each in found],
        options["folds"],
        options["least"],
        options["rare"],
        options["seed"],
    )
    for label, what, count in changed:
        left[f"class too rare: {what}", f"{label}: fewer than {options['least']} items in a fold"] = count
    kept = [
        each | {"tone": str(tone), "fold": int(fold)}
        for each, tone, fold in zip(found, tones, parts, strict=True)
        if fold >= 0
    ]
    kept = [each | {"item": k} for k, each in enumerate(kept)]
    for (reason, detail), count in left.items():
        logging.warning("%s: %s (%d segments)", reason, detail, count)
    names = [sorted({each[by] for each in kept if each["fold"] == k}) for k in range(int(parts.max()) + 1)]
    provenance = {"classes": sorted({each["tone"] for each in kept}), "fold_by": by}
    provenance |= {"folds": len(names), "fold_names": names}
    items = tables.from_rows(kept, ITEMS).cast(tables.with_provenance(ITEMS, provenance))
    reasons = [
        {"reason": reason, "detail": detail, "items": count}
        for (reason, detail), count in sorted(left.items())
    ]
    return items, tables.from_rows(reasons, LEFT_OUT)


def _segments(rows, paths):
    """Tone segments with what is known of their recording and syllable, in order."""
    by_utterance = {}
    for segment in tables.read(paths).to_pylist():
        if segment["tier"] in ("tone", "syllable") and segment["utterance_id"] in rows:
            by_utterance.setdefault(segment["utterance_id"], {}).setdefault(segment["tier"], []).append(
                segment
            )
    found = []
    for utterance_id in sorted(by_utterance):
        tiers, row = by_utterance[utterance_id], rows[utterance_id]
        syllables = tiers.get("syllable", [])
        for tone in sorted(tiers.get("tone", []), key=lambda each: each["start_s"]):
            centre = (tone["start_s"] + tone["end_s"]) / 2
            within = [each["label"] for each in syllables if each["start_s"] <= centre < each["end_s"]]
            found.append(
                {name: row[name] or "" for name in ("utterance_id", "shard", "speaker", "language", "split")}
                | {"tone": tone["label"], "syllable": within[0] if within else ""}
                | {"start_s": tone["start_s"], "end_s": tone["end_s"], "centre_s": centre}
                | {"duration_s": row["duration_s"], "score": tone["score"]}
            )
    return found


def _usable(each, options, left):
    score = 1.0 if each["score"] is None else each["score"]
    if options["splits"] and each["split"] not in options["splits"]:
        left["split", f"not of {', '.join(options['splits'])}"] += 1
    elif not 0 <= each["start_s"] < each["end_s"]:
        left["no duration", "the segment ends where it starts, or before the recording"] += 1
    elif each["centre_s"] >= each["duration_s"]:
        left["outside", "the segment's centre lies beyond the end of the recording"] += 1
    elif not each["tone"]:
        left["no label", "the tone has an empty label"] += 1
    elif not score >= options["min_score"]:
        left["alignment", f"score below {options['min_score']:g}"] += 1

    elif 1000 * (each["end_s"] - each["start_s"]) < options["min_duration_ms"]:
        left["short", f"shorter than {options['min_duration_ms']:g} ms"] += 1
    else:
        return True
    return False


def _at_most(found, options, left):
    """No more than ``max_items`` of each class, drawn at random."""
    most = options["max_items"]
    if most is None:
        return found
    order = np.random.default_rng(options["seed"]).permutation(len(found))
    seen, kept = Counter(), []
    for k in order:
        seen[found[k]["tone"]] += 1
        if seen[found[k]["tone"]] <= most:
            kept.append(k)
    if len(kept) < len(found):
        left["more than max_items", f"{most} of each class are used, drawn at random"] += len(found) - len(
            kept
        )
    return [found[k] for k in sorted(kept)]


def _fold_by(found, how):
    if how == "auto":
        how = "speaker" if len({each["speaker"] for each in found} - {""}) > 1 else "syllable"
    if not all(each[how] for each in found):
        lacking = next(each for each in found if not each[how])
        raise InputError(
            f"a tone at {lacking['start_s']:.3f} s has no {how}, which folds are made of",
            row=f"utterance {lacking['utterance_id']}",
            fix="set tone.fold_by to "
            + ("syllable" if how == "speaker" else "speaker, or add a tier `syllable` to the segments"),
        )
    return how
