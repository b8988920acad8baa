"""The embedding store: one Parquet file per model, shard and layer, one row per encoder frame.

Columns: ``utterance_id`` (dictionary), ``frame`` (int32) and ``embedding``, a fixed-size binary of
d little-endian half floats (or float32). That column is neither compressed nor dictionary-encoded:
activations shrink by 8 % at a third of the speed. The schema metadata (key ``phonoscope``, JSON)
holds d, dtype, hop_s, offset_s, model, revision, layer and versions; the file metadata (key
``phonoscope.index``) lists the utterances with their frame counts, so that a reader of one
utterance touches its row groups only. Rows of an utterance are neighbours, in frame order.
"""

import json
import os
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from phonoscope import seals, tables
from phonoscope.errors import InputError

INDEX_KEY = "phonoscope.index"
LARGEST_HALF = 65504.0
WORST_LOSS = 1e-2
# A row group is closed at the first utterance's end past GROUP_AIM rows and never exceeds GROUP_MOST.
GROUP_LEAST, GROUP_AIM, GROUP_MOST = 400, 1000, 2000


@dataclass
class Embeddings:
    """Hidden states of one layer.

    Attributes
    ----------
    utterance : int32 array of shape (n_frames,)
        Index into ``utterance_ids``.
    utterance_ids : list of str
    frame : int32 array of shape (n_frames,)
        Number of the frame within its utterance, from 0.
    values : float32 array of shape (n_frames, d)
    provenance : dict
        Includes d, dtype, hop_s and offset_s (seconds), model, revision, layer, versions.
    """

    utterance: np.ndarray
    utterance_ids: list
    frame: np.ndarray
    values: np.ndarray
    provenance: dict = field(default_factory=dict)


def to_half(values):
    """Round float32 rows to half floats, or say which row cannot be.

    Rounding a normal half float errs by 2**-11 of it at most, and a smaller one by 2**-25, so a row
    whose norm lies in between the two limits is safe; only other rows are compared one by one.

    Parameters
    ----------
    values : float32 array of shape (n, d)

    Returns
    -------
    float16 array of shape (n, d)

    Raises
    ------
    OverflowError
        Where a value is not finite, is above 65504 in size, or a row loses more than 1e-2 of its
        norm. The message says which.
    """
    squares = np.einsum("ij,ij->i", values, values)
    least = (2.0**-25 / 9e-3) ** 2 * values.shape[1]
    doubtful = np.flatnonzero(~((squares <= LARGEST_HALF**2) & (squares >= least)))
    if len(doubtful):
        rows = values[doubtful].astype(np.float64)
        if not np.isfinite(rows).all():
            raise OverflowError("holds values that are not finite")
        if (largest := np.abs(rows).max()) > LARGEST_HALF:
            raise OverflowError(f"reaches {largest:.4g}, above the largest half float, {LARGEST_HALF:.0f}")
        loss = np.linalg.norm(rows - rows.astype(np.float16), axis=1)
        share = loss / np.maximum(np.linalg.norm(rows, axis=1), np.finfo(np.float64).tiny)
        if share.max() > WORST_LOSS:
            raise OverflowError(f"is so small that half floats lose {share.max():.2g} of a frame's norm")
    return values.astype("<f2")


class Writer:
    """Write one layer's hidden states; the file appears at ``path`` only when all went well.

    Use as a context manager. Where the block raises, nothing is left behind and an older file at
    ``path`` stays whole.

    Parameters
    ----------
    path : path-like
    dim : int
        Width d of a hidden state.
    dtype : {"float16", "float32"}
    provenance : dict
        JSON-able; hop_s, offset_s, model, revision, layer and versions among it.
    """

    def __init__(self, path, dim, dtype="float16", provenance=None):
        if dtype not in ("float16", "float32"):
            raise InputError(f"embeddings dtype {dtype!r} is not known", fix="use float16 or float32")
        self.path, self.dim, self.dtype = Path(path), int(dim), dtype
        self.provenance = {**(provenance or {}), "d": self.dim, "dtype": dtype}
        self._width = self.dim * np.dtype(dtype).itemsize
        self._schema = tables.with_provenance(
            pa.schema(
                [
                    ("utterance_id", pa.dictionary(pa.int32(), pa.string())),
                    ("frame", pa.int32()),
                    ("embedding", pa.binary(self._width)),
                ]
            ),
            self.provenance,
        )
        self._counts = {}
        self._pending, self._pending_rows, self._last = [], 0, None

    def __enter__(self):
        with ExitStack() as stack:
            self._partial = stack.enter_context(tables.beside(self.path))
            self._parquet = stack.enter_context(
                pq.ParquetWriter(
                    self._partial,
                    self._schema,
                    compression={"utterance_id": "zstd", "frame": "zstd", "embedding": "none"},
                    use_dictionary=["utterance_id"],
                    write_statistics=["utterance_id", "frame"],
                    data_page_size=GROUP_MOST * self._width,
                    write_page_checksum=True,
                )
            )
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind, error, trace):
        if kind is not None:
            return self._stack.__exit__(kind, error, trace)
        with self._stack:
            self._flush()
            index = {"utterance_ids": list(self._counts), "n_frames": list(self._counts.values())}
            index["crc32"] = _checksum(index, self.provenance)
            self._parquet.add_key_value_metadata({INDEX_KEY: json.dumps(index)})
            seals.blank(self._parquet)
            self._parquet.close()
            seals.seal(self._partial)

    def append(self, utterance_id, values):
        """Add the frames of one utterance, or the next frames of the one last added.

        Parameters
        ----------
        utterance_id : str
        values : float array of shape (n_frames, d)
            Half floats that came from :func:`to_half` are taken as they are.

        Raises
        ------
        InputError
            Where half floats cannot hold the values: names model, layer and utterance.
        ValueError
            Where the shape is wrong, or the utterance's frames would not be neighbours.
        """
        values = np.ascontiguousarray(values)
        if values.ndim != 2 or values.shape[1] != self.dim:
            raise ValueError(f"{utterance_id}: shape {values.shape} where (n, {self.dim}) is due")
        if utterance_id in self._counts and utterance_id != self._last:
            raise ValueError(f"{utterance_id} was already written")
        values = self.narrow(utterance_id, values)
        first = self._counts.get(utterance_id, 0)
        self._counts[utterance_id] = first + len(values)
        self._last = utterance_id
        if self._pending_rows >= GROUP_LEAST and self._pending_rows + len(values) > GROUP_MOST:
            self._flush()
        parts = max(1, -(-len(values) // (GROUP_MOST - self._pending_rows)))
        for part in np.array_split(np.arange(len(values)), parts):
            if len(part):
                self._pending.append((utterance_id, first + part[0], values[part[0] : part[-1] + 1]))
                self._pending_rows += len(part)
            if parts > 1 or self._pending_rows >= GROUP_AIM:
                self._flush()

    def narrow(self, utterance_id, values):
        """Copy ``values`` in the file's own type, as :meth:`append` does; half floats pass as they are.

        Raises
        ------
        InputError
            As :meth:`append`.
        """
        if self.dtype == "float32":
            return values.astype("<f4")
        if values.dtype == np.float16:
            return values
        try:
            return to_half(values)
        except OverflowError as error:
            model, layer = self.provenance.get("model"), self.provenance.get("layer")
            raise InputError(
                f"layer {layer} of model {model} {error}",
                path=self.path,
                row=f"utterance {utterance_id}",
                fix="set embeddings: {dtype: float32} in the config",
            ) from None

    def _flush(self):
        if not self._pending_rows:
            return
        ids = list(dict.fromkeys(utterance_id for utterance_id, _, _ in self._pending))
        codes = {utterance_id: code for code, utterance_id in enumerate(ids)}
        utterance = np.concatenate([np.full(len(v), codes[u], np.int32) for u, _, v in self._pending])
        frame = np.concatenate([np.arange(f, f + len(v), dtype=np.int32) for _, f, v in self._pending])
        values = np.concatenate([v for _, _, v in self._pending])
        columns = [
            pa.DictionaryArray.from_arrays(pa.array(utterance), pa.array(ids, pa.string())),
            pa.array(frame),
            pa.Array.from_buffers(pa.binary(self._width), len(values), [None, pa.py_buffer(values)]),
        ]
        batch = pa.record_batch(columns, schema=self._schema)
        self._parquet.write_table(pa.Table.from_batches([batch]), row_group_size=len(values))
        self._pending, self._pending_rows = [], 0


def read(path, utterances=None, threads=None):
    """Read a layer into one float32 array, whole or for some utterances.

    Parameters
    ----------
    path : path-like
    utterances : list of str, optional
        Read only these, touching only their row groups. Default: all.
    threads : int, optional
        Default: as many as the machine has CPUs.

    Returns
    -------
    Embeddings
        Utterances in the order of the file.

    Raises
    ------
    InputError
        Where the file is missing, truncated, corrupt or of another kind, or an utterance is not in it.
    """
    with _readable(path):
        return _read(Path(path), utterances, threads or os.cpu_count() or 1)


def utterance_ids(path):
    """The utterances a layer's file holds, in its order, without reading its rows.

    Raises
    ------
    InputError
        As :func:`read`.
    """
    with _readable(path):
        seals.check(path)
        return _index(pq.read_metadata(path))[0]["utterance_ids"]


@contextmanager
def _readable(path):
    try:
        yield
    except InputError:
        raise
    except (OSError, pa.ArrowException, LookupError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"not a readable embeddings file ({error})",
            path=path,
            fix=tables.again(path),
        ) from error


def _checksum(index, provenance):
    return zlib.crc32(
        json.dumps([index["utterance_ids"], index["n_frames"], provenance], sort_keys=True).encode()
    )


def _index(metadata):
    """The index and the provenance of a file; pages have checksums of their own, these have one together."""
    index = json.loads(metadata.metadata[INDEX_KEY.encode()])
    provenance = tables.provenance(metadata.schema.to_arrow_schema())
    # Files of earlier versions have none.
    if index.get("crc32", checksum := _checksum(index, provenance)) != checksum:
        raise ValueError("the checksum of the index does not fit")
    return index, provenance


def _read(path, utterances, threads):
    seals.check(path)
    metadata = pq.read_metadata(path)
    index, provenance = _index(metadata)
    all_ids, counts = index["utterance_ids"], np.array(index["n_frames"], dtype=np.int64)
    chosen = np.arange(len(all_ids)) if utterances is None else _choose(path, all_ids, utterances)
    starts = np.concatenate([[0], np.cumsum(counts)])
    sizes = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
    if sum(sizes) != starts[-1]:
        raise InputError("the index does not fit the rows", path=path, fix=tables.again(path))
    n = counts[chosen]
    out_starts = np.concatenate([[0], np.cumsum(n)])
    values = np.empty((int(out_starts[-1]), provenance["d"]), dtype=np.float32)
    jobs = _plan(np.concatenate([[0], np.cumsum(sizes)]), starts, chosen, out_starts)
    threads = max(1, min(threads, len(jobs)))
    with ThreadPoolExecutor(threads) as pool:
        parts = [jobs[len(jobs) * k // threads : len(jobs) * (k + 1) // threads] for k in range(threads)]
        list(pool.map(lambda part: _fill(path, metadata, part, provenance["dtype"], values), parts))
    return Embeddings(
        utterance=np.repeat(np.arange(len(chosen), dtype=np.int32), n),
        utterance_ids=[all_ids[k] for k in chosen],
        frame=(np.arange(out_starts[-1]) - np.repeat(out_starts[:-1], n)).astype(np.int32),
        values=values,
        provenance=provenance,
    )


def _choose(path, all_ids, utterances):
    position = {utterance_id: k for k, utterance_id in enumerate(all_ids)}
    if absent := [u for u in utterances if u not in position]:
        raise InputError(
            "has no such utterance", path=path, row=absent[0], fix="see the table of what was left out"
        )
    return np.array(sorted({position[u] for u in utterances}), dtype=np.int64)


def _plan(group_starts, starts, chosen, out_starts):
    """Per row group that is needed, the (from, to, target) row ranges to copy out of it."""
    jobs = {}
    for utterance, target in zip(chosen, out_starts, strict=False):
        row, stop = int(starts[utterance]), int(starts[utterance + 1])
        shift = int(target) - row
        group = int(np.searchsorted(group_starts, row, side="right")) - 1
        while row < stop:
            base, end = int(group_starts[group]), min(stop, int(group_starts[group + 1]))
            jobs.setdefault(group, []).append((row - base, end - base, row + shift))
            row, group = end, group + 1
    return list(jobs.items())


def _fill(path, metadata, jobs, dtype, out):
    """Decode the row groups of ``jobs`` and widen their rows into ``out``."""
    with pq.ParquetFile(path, metadata=metadata, memory_map=True, page_checksum_verification=True) as file:
        for group, ranges in jobs:
            column = file.read_row_group(group, columns=["embedding"], use_threads=False).column(0)
            base = 0
            for chunk in column.chunks:
                data = np.frombuffer(chunk.buffers()[1], dtype=np.dtype(dtype).newbyteorder("<"))
                data = data.reshape(-1, out.shape[1])[chunk.offset : chunk.offset + len(chunk)]
                for start, stop, target in ranges:
                    first, last = max(start, base), min(stop, base + len(chunk))
                    if first < last:
                        _widen(
                            data[first - base : last - base],
                            out[target + first - start : target + last - start],
                        )
                base += len(chunk)


def _widen(data, out, block=64):
    """Copy ``data`` into float32 ``out``, half floats by shifting their bits: four times NumPy's cast.

    Sign, exponent and mantissa of a half float, moved to a float32's places, stand for 2**-112 of
    the value, subnormal ones included. Infinities and NaN, which the writer refuses, are not kept.
    """
    if data.dtype.itemsize == 4:
        np.copyto(out, data)
        return
    bits, halves = out.view(np.int32), data.view(np.int16)
    keep, scale = np.int32(-0x70002000), np.float32(2.0**112)
    for first in range(0, len(data), block):
        part = bits[first : first + block]
        part[...] = halves[first : first + block]
        part <<= 13
        part &= keep
        out[first : first + block] *= scale
