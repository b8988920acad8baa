"""The tables every step reads and writes: their columns, and how they reach the disk.

All tables are Parquet with zstd. Times are in seconds. Provenance (model, revision, layer,
options that matter) is a JSON object in the schema metadata under the key ``phonoscope``.
Notes, the record of what was left out or converted, are tables like the others.
"""

import json
import os
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from phonoscope.errors import InputError

_TEXT, _F32, _I32 = pa.string(), pa.float32(), pa.int32()
# What pyarrow meets a damaged file with.
_DAMAGE = (OSError, pa.ArrowException, UnicodeDecodeError, MemoryError)

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

    A reader therefore never sees half a file, and a killed job leaves the old one whole.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


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
        pq.write_table(table, partial, compression="zstd", write_page_checksum=True)


def read(paths, columns=None):
    """Read one Parquet table, or several of the same schema one below the other.

    Parameters
    ----------
    paths : path-like or list of path-like
    columns : list of str, optional

    Returns
    -------
    pyarrow.Table
        With the schema metadata of the first file.

    Raises
    ------
    InputError
        Where a file is missing, truncated or not Parquet.
    """
    paths = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    tables = []
    for path in paths:
        try:
            with pq.ParquetFile(path, page_checksum_verification=True) as file:
                table = file.read(columns=columns)
            # A flipped bit may leave text that is none, or indices beyond the words they point to.
            table.validate(full=True)
            tables.append(table)
        except _DAMAGE as error:
            raise InputError(
                f"not a readable table ({error})", path=path, fix="delete the file and run snakemake again"
            ) from error
    return tables[0] if len(tables) == 1 else pa.concat_tables(tables, promote_options="permissive")


def schema(path):
    """Schema of the table at ``path``, provenance included, without reading its rows."""
    try:
        return pq.read_schema(path)
    except _DAMAGE as error:
        raise InputError(
            f"not a readable table ({error})", path=path, fix="delete the file and run snakemake again"
        ) from error


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
