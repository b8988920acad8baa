"""Hidden states of tone segments, and the probes that read them, as they are kept between jobs."""

import io
import zipfile

import numpy as np

from phonoscope import embeddings, tables
from phonoscope.errors import InputError
from phonoscope.studies.shards import check_one_model

# Recordings that are read at once: of a large corpus a layer would not fit.
AT_ONCE = 100


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
    check_one_model(paths)
    found, wanted = None, set(items["utterance_id"])
    for path in paths:
        ids = [each for each in embeddings.utterance_ids(path) if each in wanted]
        for first in range(0, len(ids), AT_ONCE):
            layer = embeddings.read(path, ids[first : first + AT_ONCE])
            if found is None:
                found = np.full((len(items["label"]), layer.values.shape[1]), np.nan, dtype=np.float32)
            _fill(found, layer, items, representation)
            del layer
    lacking = wanted if found is None else set(items["utterance_id"][np.isnan(found).any(axis=1)])
    if lacking:
        raise InputError(
            f"{len(lacking)} recordings with tones have no hidden states",
            path=paths[0],
            row=f"utterance {min(lacking)}",
            fix="see left_out.csv; take the recordings out of the corpus, or delete the file and run again",
        )
    return found


def _fill(found, layer, items, representation):
    """The states of the items whose recordings are in ``layer``."""
    edges = np.searchsorted(layer.utterance, np.arange(len(layer.utterance_ids) + 1))
    base = layer.provenance["hop_s"], layer.provenance["offset_s"]
    for utterance_id, first, last in zip(layer.utterance_ids, edges, edges[1:], strict=False):
        here = np.flatnonzero(items["utterance_id"] == utterance_id)
        for k, frames in zip(here, frames_of(items, here, last - first, *base, representation), strict=True):
            found[k] = layer.values[first + frames].mean(axis=0)


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
        raise InputError(f"not readable probes ({error})", path=path, fix=tables.again(path)) from error


def directions(packed, items, which):
    """Directions in the hidden state along which the logits of items' own tones grow.

    Of the probe that was not fitted on the item's fold; hidden states as they are, not standardised.

    Parameters
    ----------
    packed : dict of str to array
        As :func:`pack` gives it.
    items : dict of str to array
    which : int array of shape (n,)

    Returns
    -------
    float64 array of shape (n, dim)
    """
    fold = items["fold"][which]
    return packed["coef"][fold, items["label"][which]] / packed["scale"][fold]
