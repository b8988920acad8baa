"""How well tones are told from the hidden states of one layer."""

import io
import zipfile

import numpy as np
import pyarrow as pa

from phonoscope import embeddings, tables
from phonoscope.errors import InputError
from phonoscope.studies import tone_items, tone_probes

PREDICTIONS = pa.schema(
    [("item", pa.int32()), ("fold", pa.int32()), ("tone", pa.string()), ("predicted", pa.string())]
)


def frames_of(items, where, n_frames, hop_s, offset_s, representation):
    """Frames that stand for some items of one recording.

    Parameters
    ----------
    items : dict of str to array
    where : int array of shape (n,)
        Which items.
    n_frames : int
        Of the recording.
    hop_s, offset_s : float
        Frame i is centred at offset_s + i * hop_s.
    representation : {"centre", "mean"}
        The frame nearest to the segment's centre, or all whose centres lie in the segment (at least the
        nearest).

    Returns
    -------
    list of int arrays
    """
    found = []
    for k in where:
        nearest = int(np.clip(round((items["centre_s"][k] - offset_s) / hop_s), 0, n_frames - 1))
        frames = np.array([nearest])
        if representation == "mean":
            first = int(np.ceil((items["start_s"][k] - offset_s) / hop_s - 1e-9))
            last = int(np.floor((items["end_s"][k] - offset_s) / hop_s + 1e-9))
            within = np.arange(max(0, first), min(n_frames - 1, last) + 1)
            frames = within if len(within) else frames
        found.append(frames)
    return found


def states(items, paths, representation):
    """The hidden state of every item, float32 array of shape (n_items, dim).

    Raises
    ------
    InputError
        Where the layer lacks a recording.
    """
    found, wanted = None, set(items["utterance_id"])
    for path in paths:
        ids = [each for each in embeddings.utterance_ids(path) if each in wanted]
        if not ids:
            continue
        layer = embeddings.read(path, ids)
        if found is None:
            found = np.full((len(items["label"]), layer.values.shape[1]), np.nan, dtype=np.float32)
        edges = np.searchsorted(layer.utterance, np.arange(len(layer.utterance_ids) + 1))
        for utterance_id, first, last in zip(layer.utterance_ids, edges, edges[1:], strict=False):
            here = np.flatnonzero(items["utterance_id"] == utterance_id)
            base = layer.provenance["hop_s"], layer.provenance["offset_s"]
            for k, frames in zip(
                here, frames_of(items, here, last - first, *base, representation), strict=True
            ):
                found[k] = layer.values[first + frames].mean(axis=0)
    lacking = wanted if found is None else set(items["utterance_id"][np.isnan(found).any(axis=1)])
    if lacking:
        raise InputError(
            f"{len(lacking)} recordings with tones have no hidden states",
            path=paths[0],
            row=f"utterance {min(lacking)}",
            fix="see left_out.csv; take the recordings out of the corpus, or delete the file and run again",
        )
    return found


def score(items_path, paths, options, model, layer):
    """Fit, test and keep the probes of one layer.

    Parameters
    ----------
    items_path : path
    paths : list of path
        Embeddings of the layer, of all shards.
    options : dict
        ``representation``, ``C``, ``solver``, ``seed``.
    model : str
    layer : int

    Returns
    -------
    scores, predictions : pyarrow.Table
        Of ``tables.SCORES`` (macro-F1 per fold of the probe, of one on shuffled labels and of the commonest
        class; experiment ``layer``) and :data:`PREDICTIONS`.
    probes : dict of str to array
        As :func:`pack` gives it.
    """
    items, known = tone_items.read(items_path)
    x = states(items, paths, options["representation"])
    classes, labels = known["classes"], [items["label"], tone_probes.shuffled(items, options["seed"])]
    tested, control = tone_probes.cross_validate(
        x, labels, items["fold"], len(classes), options["C"], options["solver"]
    )
    rows = []
    for probe, values in (
        ("logistic", tested.scores),
        ("shuffled", control.scores),
        ("majority", tone_probes.majority(items, len(classes))),
    ):
        rows += tone_probes.score_rows(items, probe, values, model, "layer", options["representation"], layer)
    for row, probe in zip(rows, tested.probes, strict=False):
        row["note"] = f"C = {probe.C:g}"
    predictions = [
        {"item": int(item), "fold": int(fold), "tone": tone, "predicted": classes[guess]}
        for item, fold, tone, guess in zip(
            items["item"], items["fold"], items["tone"], tested.predicted, strict=True
        )
    ]
    return (
        tables.from_rows(rows, tables.SCORES),
        tables.from_rows(predictions, PREDICTIONS),
        pack(tested.probes),
    )


def pack(probes):
    """Probes of all folds as arrays: coef (n_folds, n_classes, dim), intercept, mean, scale."""
    names = ("coef", "intercept", "mean", "scale")
    return {name: np.stack([getattr(probe, name) for probe in probes]) for name in names}


def write_probes(packed, path):
    """Write what :func:`pack` gives as npz, the same bytes for the same numbers."""
    buffer = io.BytesIO()
    np.savez(buffer, **packed)
    with tables.beside(path) as partial:
        partial.write_bytes(buffer.getvalue())


def read_probes(path):
    """What :func:`write_probes` wrote.

    Raises
    ------
    InputError
        Where it is not readable.
    """
    try:
        with np.load(path) as packed:
            return {name: packed[name] for name in ("coef", "intercept", "mean", "scale")}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(
            f"not readable probes ({error})", path=path, fix="delete the file and run snakemake again"
        ) from error


def directions(packed, items):
    """Per item the direction in the hidden state along which its own tone's logit grows, (n_items, dim).

    Of the probe that was not fitted on the item's fold; hidden states as they are, not standardised.
    """
    return packed["coef"][items["fold"], items["label"]] / packed["scale"][items["fold"]]
