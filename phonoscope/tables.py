"""The tables every step reads and writes: their columns, and how they reach the disk.

All tables are Parquet with zstd. Times are in seconds. Provenance (model, revision, layer,
options that matter) is a JSON object in the schema metadata under the key ``phonoscope``.
Notes, the record of what was left out or converted, are tables like the others.
"""

import errno
import fcntl
import glob
import json
import os
import shutil
import socket
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from phonoscope import seals
from phonoscope.errors import InputError

_TEXT, _F32, _I32 = pa.string(), pa.float32(), pa.int32()
# What is met in a damaged file; ValueErrors are checksums that do not fit and text that is none.
_DAMAGE = (OSError, pa.ArrowException, ValueError, MemoryError)
_FULL = (errno.ENOSPC, errno.EDQUOT)

UTTERANCES = pa.schema(
    [
        ("utterance_id", _TEXT),
        ("audio", _TEXT),
        ("audio_sha256", _TEXT),
        ("duration_s", pa.float64()),
        ("sample_rate", _I32),
        ("speaker", _TEXT),
        ("sex", _TEXT),
        ("language", _TEXT),
        ("native_language", _TEXT),
        ("condition", _TEXT),
        ("task", _TEXT),
        ("sentence_id", _TEXT),
        ("text", _TEXT),
        ("split", _TEXT),
        ("shard", _TEXT),
    ]
)

SEGMENTS = pa.schema(
    [
        ("utterance_id", _TEXT),
        ("tier", _TEXT),
        ("start_s", pa.float64()),
        ("end_s", pa.float64()),
        ("label", _TEXT),
        ("score", _F32),
    ]
)

SCORES = pa.schema(
    [
        ("experiment", _TEXT),
        ("probe", _TEXT),
        ("model", _TEXT),
        ("layer", _I32),
        ("train", _TEXT),
        ("test", _TEXT),
        ("target", _TEXT),
        ("metric", _TEXT),
        ("value", pa.float64()),
        ("n_train", pa.int64()),
        ("n_test", pa.int64()),
        ("note", _TEXT),
    ]
)

# One utterance of the articulation study, for the figure of trajectories.
PREDICTIONS = pa.schema(
    [
        ("utterance_id", _TEXT),
        ("time_s", pa.float64()),
        ("channel", _TEXT),
        ("measured_mm", _F32),
        ("predicted_mm", _F32),
        ("r", pa.float64()),
    ]
)

# One row per thing a user should know about a recording: `kind` is left_out, converted or warning.
NOTES = pa.schema(
    [
        ("utterance_id", _TEXT),
        ("speaker", _TEXT),
        ("channel", _TEXT),
        ("file", _TEXT),
        ("kind", _TEXT),
        ("reason", _TEXT),
        ("fix", _TEXT),
    ]
)

QUALITY = pa.schema(
    [
        ("utterance_id", _TEXT),
        ("speaker", _TEXT),
        ("channel", _TEXT),
        ("n_samples", pa.int64()),
        ("mean_mm", pa.float64()),
        ("sd_mm", pa.float64()),
        ("missing_share", pa.float64()),
        ("zero_share", pa.float64()),
        ("largest_jump_mm", pa.float64()),
        ("length_difference_s", pa.float64()),
        ("left_out", _TEXT),
    ]
)


def articulation_schema(channels):
    """Schema of the EMA table: utterance, time, then one float32 column per channel.

    Parameters
    ----------
    channels : list of str
        Channel names such as ``TT_x``.
    """
    head = [("utterance_id", pa.dictionary(pa.int32(), _TEXT)), ("time_s", pa.float64())]
    return pa.schema(head + [(channel, _F32) for channel in channels])


@contextmanager
def beside(path):
    """Give a temporary name next to ``path``; move it into place if the block succeeds.

    A reader therefore never sees half a file, and a killed job leaves the old one whole. What killed
    jobs left beside it is removed: they no longer hold its lock.

    Raises
    ------
    InputError
        Where the folder cannot be written to, or the disk is full.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path)
        partial, lock = _locked(path)
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        yield partial
        os.replace(partial, path)
    except OSError as error:
        if error.errno in _FULL:
            raise _unwritable(path, error) from error
        raise
    finally:
        partial.unlink(missing_ok=True)
        os.close(lock)


def _locked(path):
    """A temporary file next to ``path``, and a lock on it that the kernel frees however the job ends."""
    # The host too: jobs on two nodes of a cluster may have the same number.
    partial = path.with_name(f".{path.name}.{socket.gethostname()}-{os.getpid()}.partial")
    while True:
        lock = os.open(partial, os.O_RDWR | os.O_CREAT, 0o666)
        # Some network disks have no locks: leftovers stay there.
        with suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_EX)
        if os.fstat(lock).st_nlink:
            return partial, lock
        # Another job swept it away before it was locked.
        os.close(lock)


def _sweep(path):
    """Remove what jobs that were killed have left beside ``path``."""
    # Of this host alone: on some network disks, locks of other hosts are not seen.
    host = glob.escape(socket.gethostname())
    for left in path.parent.glob(f".{glob.escape(path.name)}.{host}-*.partial"):
        with suppress(OSError):
            lock = os.open(left, os.O_RDWR)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                left.unlink()
            finally:
                os.close(lock)


def _unwritable(path, error):
    if error.errno in _FULL:
        with suppress(OSError):
            free = shutil.disk_usage(path.parent).free
            return InputError(
                f"the disk is full ({free / 1e6:.1f} MB are free)", path=path,
                fix="make room and run snakemake again: what is complete is kept",
            )  # fmt: skip
    return InputError(
        f"cannot be written ({error.strerror or error})", path=path,
        fix="make the folder writable, or run snakemake where it is",
    )  # fmt: skip


def again(path):
    """The fix of a damaged result: what is remade alone, and is as it was, has nothing else made again."""
    return f"run snakemake with `--force {path}` and no other target, and then as before"


def with_provenance(schema, provenance):
    """Return ``schema`` with ``provenance`` (a JSON-able dict) in its metadata."""
    metadata = dict(schema.metadata or {})
    metadata[b"phonoscope"] = json.dumps(provenance, sort_keys=True).encode()
    return schema.with_metadata(metadata)


def provenance(table_or_schema):
    """The provenance dict stored by :func:`with_provenance`, or an empty one."""
    return json.loads(
        (getattr(table_or_schema, "schema", table_or_schema).metadata or {}).get(b"phonoscope", b"{}")
    )


def from_rows(rows, schema):
    """A table of ``schema`` from a list of dicts; absent keys become null, unknown keys raise.

    Raises
    ------
    KeyError
        If a row has a key that is not a column.
    """
    known = set(schema.names)
    for row in rows:
        if unknown := set(row) - known:
            raise KeyError(f"columns {sorted(unknown)} are not in {sorted(known)}")
    columns = [pa.array([row.get(field.name) for row in rows], type=field.type) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def write(table, path, **metadata):
    """Write ``table`` to ``path`` (zstd, moved into place), with ``metadata`` as provenance."""
    if metadata:
        table = table.cast(with_provenance(table.schema, metadata))
    with beside(path) as partial:
        with pq.ParquetWriter(partial, table.schema, compression="zstd", write_page_checksum=True) as file:
            file.write_table(table)
            seals.blank(file)
        seals.seal(partial)


def read(paths, columns=None, fix=None):
    """Read one Parquet table, or several of the same schema one below the other.

    Parameters
    ----------
    paths : path-like or list of path-like
    columns : list of str, optional
    fix : str, optional
        What is to be done about a file that cannot be read; by default, to have it made again.

    Returns
    -------
    pyarrow.Table
        With the schema metadata of the first file.

    Raises
    ------
    InputError
        Where a file is missing, truncated, damaged or not Parquet.
    """
    paths = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    tables = []
    for path in paths:
        try:
            seals.check(path)
            with pq.ParquetFile(path, page_checksum_verification=True) as file:
                # Without what belongs to this file alone.
                table = file.read(columns=columns).replace_schema_metadata(file.schema_arrow.metadata)
            # A flipped bit may leave text that is none, or indices beyond the words they point to.
            table.validate(full=True)
            tables.append(table)
        except _DAMAGE as error:
            raise InputError(f"not a readable table ({error})", path=path, fix=fix or again(path)) from error
    return tables[0] if len(tables) == 1 else pa.concat_tables(tables, promote_options="permissive")


def schema(path):
    """Schema of the table at ``path``, provenance included, without reading its rows."""
    try:
        seals.check(path)
        return pq.read_schema(path)
    except _DAMAGE as error:
        raise InputError(f"not a readable table ({error})", path=path, fix=again(path)) from error


_NUMPY = {"float": np.float32, "double": np.float64, "int32": np.int32}


def numbers(column):
    """A column of floats or int32 as an array; null becomes NaN (floats only).

    pyarrow's own ``to_numpy`` imports pandas, which takes longer than many a job.

    Parameters
    ----------
    column : pyarrow.ChunkedArray or pyarrow.Array
    """
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    valid, values = array.buffers()
    at = slice(array.offset, array.offset + len(array))
    found = np.frombuffer(values or b"", _NUMPY[str(array.type)])[at]
    if array.null_count:
        bits = np.unpackbits(np.frombuffer(valid, np.uint8), bitorder="little")[at]
        found = np.where(bits, found, np.asarray(np.nan, found.dtype))
    return found
