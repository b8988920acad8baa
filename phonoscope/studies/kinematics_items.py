"""Maps between speakers who read the same items: from measured movements to measured ones, without a model.

The phones of two recordings of one sentence tell which of their times belong together, linearly within each
phone. A map from the one's EMA to the other's is fitted on all items but one and tested on that one.
"""

from difflib import SequenceMatcher
from itertools import permutations

import numpy as np

from phonoscope import tables
from phonoscope.probes import affine, moments
from phonoscope.probes.transfer import on_predictions, pearson
from phonoscope.studies import kinematics_phones
from phonoscope.studies.frames import Corpus, read_tracks
from phonoscope.studies.kinematics_rows import OF_SPEAKERS, Rows, millimetres, planes

# Share of the longer recording's phones that the other must have in the same order to be the same item.
LEAST_ALIKE = 0.5
# Share of times at which a channel of the source must be valid to be used.
LEAST_VALID = 0.5


def score(utterances, articulation, segments, options):
    """r of every speaker's movements with every other's in the same items, as they are and after each map.

    Parameters
    ----------
    utterances, articulation, segments : lists of path
        One per shard.
    options : dict
        ``maps``, ``silence``.

    Returns
    -------
    scores : pyarrow.Table
        Schema kinematics_rows.SCORES: r is the mean over items of r in the item, ``size`` how many there
        are, ``seconds`` how much speech of the target. ``chance`` is of the source's next item, its phones
        laid over the target's in their order.
    speakers : dict of str to dict
        Speaker -> native_language, sex.
    """
    spoken = tables.read(utterances).to_pylist()
    channels, tracks, scale = _read(articulation)
    phones = _phones(segments, options["silence"])
    attributes = {row["speaker"]: {name: row[name] or "" for name in OF_SPEAKERS} for row in spoken}
    rows = Rows(channels, experiment="items", by="")
    usable = [row for row in spoken if row["utterance_id"] in tracks and phones.get(row["utterance_id"])]
    read = {}
    for row in usable:
        if row["sentence_id"]:
            read.setdefault(row["speaker"], {}).setdefault(row["sentence_id"], []).append(row["utterance_id"])
    recorded = {name: [row["utterance_id"] for row in spoken if row["speaker"] == name] for name in read}
    mm = {name: millimetres(names, scale, channels) for name, names in recorded.items()}
    for source, target in permutations(sorted(read), 2):
        pairs = _paired(read[source], read[target], phones)
        if len(pairs) < 2:
            rows.skip("fewer than two items in common", source=source, target=target, map="none")
            continue
        warped = _warped(pairs, phones, tracks)
        _score_pair(rows, source, target, warped, options["maps"], planes(channels), mm)
    if len(read) < 2:
        why = "no phone segments" if not usable else "no two speakers with a sentence_id"
        rows.skip(f"{why}: there are no parallel items", source="", target="", map="none")
    return rows.table(), attributes


def _read(articulation):
    """Channels, and per utterance its Track and its scale in millimetres."""
    corpus = Corpus([], articulation, [])
    tracks = {}
    for path in articulation:
        tracks |= read_tracks(path, corpus.channels)
    return corpus.channels, tracks, corpus.scale


def _phones(segments, silence):
    """Utterance -> list of (label, start, end) of its phones, without silences; none in a corpus without."""
    try:
        found = kinematics_phones.read(segments, silence)
    except kinematics_phones.NoPhones:
        return {}
    return {name: _loud(spoken, found.labels) for name, spoken in found.spoken.items()}


def _loud(spoken, labels):
    segments = zip(spoken.code, spoken.start_s.tolist(), spoken.end_s.tolist(), strict=True)
    return [
        (labels[c], start, end) for c, start, end in segments if c != kinematics_phones.NONE and end > start
    ]


def _paired(source, target, phones):
    """For every sentence of both the two recordings whose phones agree best: (source, target, matches).

    ``matches`` is a list of pairs of places among the phones of the one and of the other.
    """
    pairs = []
    for sentence in source:
        best = None
        for one in source[sentence]:
            for other in target.get(sentence, []):
                found = matches([p[0] for p in phones[one]], [p[0] for p in phones[other]])
                alike = len(found) / max(len(phones[one]), len(phones[other]))
                if alike >= LEAST_ALIKE and (best is None or alike > best[0]):
                    best = alike, (one, other, found)
        if best:
            pairs.append(best[1])
    return pairs


def matches(one, other):
    """Places of equal labels in the same order in two sequences, as a list of (int, int)."""
    blocks = SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks()
    return [(block.a + i, block.b + i) for block in blocks for i in range(block.size)]


def _warped(pairs, phones, tracks):
    """Per item the target's EMA and, at the times that correspond, the source's, and its next item's.

    Returns
    -------
    list of (source, control, target, seconds)
        Arrays of shape (n_samples, k).
    """
    found = []
    for i, (one, other, matched) in enumerate(pairs):
        elsewhere = pairs[(i + 1) % len(pairs)][0]
        n_there, n_here = len(phones[elsewhere]), len(phones[other])
        control = [(b * n_there // n_here, b) for _, b in matched]
        parts = [
            warp(phones[name], phones[other], places, tracks[name], tracks[other])
            for name, places in ((one, matched), (elsewhere, control))
        ]
        length = sum(phones[other][b][2] - phones[other][b][1] for _, b in matched)
        found.append((parts[0][0], parts[1][0], parts[0][1], length))
    return found


def warp(source, target, places, source_track, target_track):
    """EMA of a source at the times that correspond to those of a target, linearly within phones.

    Parameters
    ----------
    source, target : lists of (label, start, end)
    places : list of (int, int)
        Which phone of the source belongs to which of the target.
    source_track, target_track : Track

    Returns
    -------
    warped, measured : arrays of shape (n_samples, k)
        At the samples of the target within those phones.
    """
    times, rows = [], []
    for a, b in places:
        (_, from_s, to_s), (_, start, end) = source[a], target[b]
        inside = np.flatnonzero((target_track.time_s >= start) & (target_track.time_s < end))
        rows.append(inside)
        times.append(from_s + (target_track.time_s[inside] - start) * (to_s - from_s) / (end - start))
    rows = np.concatenate(rows)
    return source_track.at(np.concatenate(times)), target_track.values[rows]


def _score_pair(rows, source, target, items, maps, sensors, mm):
    """Leave one item out: rows for r before and after each map."""
    k = items[0][0].shape[1]
    known = np.mean(np.isfinite(np.concatenate([item[0] for item in items])), axis=0) >= LEAST_VALID
    joints = []
    for own, control, measured, _ in items:
        p = np.stack([own, control])[None]
        whole = np.isfinite(p[..., known]).all(axis=(0, 1, 3))
        p = np.where(known, p, 0.0)[:, :, whole]
        joints.append(on_predictions(p, np.stack([measured[whole]] * 2, axis=1)))
    which = np.broadcast_to(known, (1, 2, k))
    results = {kind: [] for kind in ("none", *maps)}
    for held_out, rest in zip(joints, moments.leave_one_out(joints), strict=True):
        results["none"].append(np.where(which, pearson(held_out), np.nan)[0])
        for kind in maps:
            weights = affine.fit(kind, rest, which, sensors, mm[source][None], mm[target])
            results[kind].append(pearson(held_out, weights)[0])
    whole = moments.add(joints).n[0, 0].astype(int)
    about = {"source": source, "target": target, "size": str(len(items))}
    about["seconds"] = float(sum(item[3] for item in items))
    for kind, r in results.items():
        n_train = 0 if kind == "none" else whole - whole // len(items)
        rows.add(_mean(np.array(r)), n_train, whole, **about, map=kind)


def _mean(values):
    """Mean over the first axis of what is not NaN; NaN where there is nothing."""
    there = np.isfinite(values)
    counts = there.sum(axis=0)
    return np.where(counts, np.where(there, values, 0.0).sum(axis=0) / np.maximum(counts, 1), np.nan)
