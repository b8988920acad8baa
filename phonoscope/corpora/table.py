"""Corpora as Parquet and FLAC, such as the one that is shipped.

The folder holds ``recordings.parquet`` (schema ``tables.UTTERANCES``, `audio` relative to the folder),
``segments.parquet`` (``tables.SEGMENTS``), ``ema/{speaker}.parquet`` (utterance_id, time_s, and
``{SENSOR}_x``, ``{SENSOR}_z`` in mm; the rate in the provenance; absent in a corpus of audio only) and the
audio.
"""

import functools
from pathlib import Path

import numpy as np
import pyarrow as pa

from phonoscope import tables
from phonoscope.corpora.readers import absent, rate_in_hz
from phonoscope.corpora.track import Track
from phonoscope.errors import InputError


def read(path, sensors, rate=None, utterance_id=None):
    """Read one utterance's sensors from ``ema/{speaker}.parquet``.

    Parameters
    ----------
    path : path-like
    sensors : dict of str to str
        Our sensor name to the sensor's name in the columns.
    rate : float, optional
        Used only where the provenance does not give one.
    utterance_id : str

    Returns
    -------
    Track
        y, which these tables do not have, is NaN.

    Raises
    ------
    InputError
        For an unreadable table, absent columns, an utterance without rows, no rate.
    """
    table, starts = _by_utterance(str(path))
    names = [name[:-2] for name in table.column_names if name.endswith("_x")]
    rate = _provenance(table, path).get("rate", rate)
    if rate is None:
        raise InputError("the table gives no sampling rate", path=path, fix="set `ema_rate` for the corpus")
    if utterance_id not in starts:
        raise InputError(
            "the utterance has no EMA samples",
            path=path,
            row=utterance_id,
            fix="remove it from recordings.parquet or add its samples",
        )
    rows = table.slice(*starts[utterance_id])
    arrays = {}
    for sensor, where in sensors.items():
        if f"{where}_x" not in table.column_names or f"{where}_z" not in table.column_names:
            raise absent(sensor, where, path, names)
        x, z = (_numbers(rows, f"{where}_{axis}", path) for axis in "xz")
        arrays[sensor] = np.column_stack([x, np.full_like(x, np.nan), z])
    times = _numbers(rows, "time_s", path)
    if not np.isfinite(times[0]):
        raise InputError(
            "the first time is not known", path=path, row=utterance_id, fix="write the time of each row"
        )
    return Track(rate=rate_in_hz(rate, path, "rate"), start_s=float(times[0]), sensors=arrays)


def recordings(root):
    """The rows of ``recordings.parquet`` in a folder, as dicts, sorted by utterance.

    Raises
    ------
    InputError
        For an unreadable table, one that lacks utterance_id or audio, or holds other than text.
    """
    path = root / "recordings.parquet"
    found = _as(_read(path), tables.UTTERANCES, ("utterance_id", "audio"), path)
    if not found:
        raise InputError("the table has no rows", path=path, fix="write the table of the recordings again")
    return sorted(found, key=lambda row: row["utterance_id"])


def _read(path):
    return tables.read(path, fix="write or copy the file again")


def _as(table, schema, needed, path):
    """The rows of a table, whose columns are as in ``schema``; others are left out, absent ones are null."""
    if (n := len(set(table.column_names))) < table.num_columns:
        raise InputError(
            f"{table.num_columns - n} columns have the name of another",
            path=path,
            fix="give each its own name",
        )
    if absent_ := [name for name in needed if name not in table.column_names]:
        raise InputError(
            f"there is no column {absent_[0]}", path=path, fix=f"add it, as in {', '.join(schema.names)}"
        )
    table = table.select([name for name in schema.names if name in table.column_names])
    try:
        table = table.cast(pa.schema([schema.field(name) for name in table.column_names]))
        rows = table.to_pylist()
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise InputError(
            f"a column is not of its type ({error})", path=path, fix=f"write the columns as in {schema.names}"
        ) from error
    for number, row in enumerate(rows, start=1):
        if empty := [name for name in needed if row[name] in (None, "")]:
            raise InputError(f"{empty[0]} is empty", path=path, row=f"row {number}", fix="fill it in")
    return [dict.fromkeys(schema.names) | row for row in rows]


def _provenance(table, path):
    try:
        found = tables.provenance(table)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise InputError(
            "the metadata `phonoscope` is no JSON object",
            path=path,
            row="metadata",
            fix="write the table again",
        )
    return found


def _numbers(table, name, path):
    try:
        return np.asarray(table[name].cast(pa.float64()).to_numpy(), dtype=np.float64)
    except pa.ArrowException as error:
        raise InputError(
            f"the column is not of numbers ({error})", path=path, row=name, fix="write it as numbers"
        ) from error


def segments(path, utterance_id):
    """The utterance's segments in ``segments.parquet``, next to the folder of ``path``."""
    return _segments_by_utterance(Path(path).parent.parent / "segments.parquet").get(utterance_id, [])


@functools.lru_cache(maxsize=1)
def _segments_by_utterance(path):
    found = {}
    if path.exists():
        needed = ("utterance_id", "tier", "start_s", "end_s")
        for row in _as(_read(path), tables.SEGMENTS, needed, path):
            name, start, end = row.pop("utterance_id"), row["start_s"], row["end_s"]
            if not 0 <= start <= end < np.inf or row["label"] is None:
                raise InputError(
                    f"`{row['label']}` from {start} s to {end} s is no segment",
                    path=path,
                    row=name,
                    fix="mend it",
                )
            found.setdefault(name, []).append(row)
    return found


@functools.lru_cache(maxsize=1)
def _by_utterance(path):
    # A speaker's utterances are read one after the other from one table.
    table = _read(path)
    missing = {"utterance_id", "time_s"} - set(table.column_names)
    if missing or len(set(table.column_names)) < table.num_columns:
        raise InputError(
            f"there is no column {' or '.join(sorted(missing))}"
            if missing
            else "two columns have the same name",
            path=path,
            fix="write the table as phonoscope/corpora/table.py describes",
        )
    try:
        ids = np.asarray(table["utterance_id"].cast(pa.string()).to_pylist(), dtype=object)
    except pa.ArrowException as error:
        raise InputError(
            f"the column is not of names ({error})", path=path, row="utterance_id", fix="write it as text"
        ) from error
    starts = {}
    edges = [0, *(np.flatnonzero(ids[1:] != ids[:-1]) + 1), len(ids)] if len(ids) else [0]
    for begin, end in zip(edges[:-1], edges[1:], strict=True):
        if ids[begin] in starts:
            raise InputError(
                "the utterance's samples are not in one run of rows",
                path=path,
                row=ids[begin],
                fix="sort the table by utterance_id and time_s",
            )
        starts[ids[begin]] = (begin, end - begin)
    return table, starts
