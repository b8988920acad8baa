"""The tone segments that are studied: their table, and parts of it."""

import numpy as np
import pyarrow as pa

from phonoscope import tables

# One row per segment of the tier `tone` that is used; `item` numbers them in every table of the study.
ITEMS = pa.schema(
    [
        ("item", pa.int32()),
        *(
            (name, pa.string())
            for name in ("utterance_id", "shard", "speaker", "language", "split", "tone", "syllable")
        ),
        *((name, pa.float64()) for name in ("start_s", "end_s", "centre_s", "duration_s")),
        ("score", pa.float32()),
        ("fold", pa.int32()),
    ]
)


def read(path):
    """Items as columns, with the provenance ``tone_choice.choose`` gave.

    Returns
    -------
    dict of str to array of shape (n_items,)
        ``label`` is the index of the tone among the classes.
    dict
        classes, folds, fold_by.
    """
    table = tables.read(path)
    known = tables.provenance(table)
    text = ("utterance_id", "shard", "speaker", "language", "split", "tone", "syllable")
    columns = {name: np.array(table[name].to_pylist(), dtype=object) for name in text}
    for name in ("start_s", "end_s", "centre_s", "duration_s", "fold", "item"):
        columns[name] = tables.numbers(table[name])
    index = {tone: k for k, tone in enumerate(known["classes"])}
    columns["label"] = np.array([index[tone] for tone in columns["tone"]])
    return columns, known


def sample(items, most, seed, worth=None):
    """Which items are measured: all, or ``most`` of each fold; bool array.

    Those of the greatest ``worth`` come first, drawn at random among equals.
    """
    chosen = np.ones(len(items["label"]), dtype=bool)
    if most is not None:
        order = np.random.default_rng(seed).permutation(len(chosen))
        if worth is not None:
            order = order[np.argsort(-np.asarray(worth)[order], kind="stable")]
        chosen[:] = False
        for fold in np.unique(items["fold"]):
            chosen[order[items["fold"][order] == fold][:most]] = True
    return chosen


def near_edge(items, reach_ms):
    """Items nearer than ``reach_ms`` to an end of their recording, bool array."""
    nearest = np.minimum(items["centre_s"], items["duration_s"] - items["centre_s"])
    return 1000 * nearest < reach_ms
