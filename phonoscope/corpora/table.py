"""Corpora as Parquet and FLAC, such as the one that is shipped.

The folder holds ``recordings.parquet`` (schema ``tables.UTTERANCES``, `audio` relative to the folder),
``segments.parquet`` (``tables.SEGMENTS``), ``ema/{speaker}.parquet`` (utterance_id, time_s, and
``{SENSOR}_x``, ``{SENSOR}_z`` in mm; the rate in the provenance; absent in a corpus of audio only) and the
audio.
"""

import functools
from pathlib import Path

import numpy as np

from phonoscope import tables
from phonoscope.corpora.readers import absent
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
    rate = tables.provenance(table).get("rate", rate)
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
        x, z = (np.asarray(rows[f"{where}_{axis}"].to_numpy(), dtype=np.float64) for axis in "xz")
        arrays[sensor] = np.column_stack([x, np.full_like(x, np.nan), z])
    return Track(rate=float(rate), start_s=float(rows["time_s"][0].as_py()), sensors=arrays)


def segments(path, utterance_id):
    """The utterance's segments in ``segments.parquet``, next to the folder of ``path``."""
    return _segments_by_utterance(Path(path).parent.parent / "segments.parquet").get(utterance_id, [])


@functools.lru_cache(maxsize=1)
def _segments_by_utterance(path):
    found = {}
    if path.is_file():
        for row in tables.read(path).to_pylist():
            found.setdefault(row.pop("utterance_id"), []).append(row)
    return found


@functools.lru_cache(maxsize=1)
def _by_utterance(path):
    # A speaker's utterances are read one after the other from one table.
    table = tables.read(path)
    missing = {"utterance_id", "time_s"} - set(table.column_names)
    if missing:
        raise InputError(
            f"there is no column {' or '.join(sorted(missing))}",
            path=path,
            fix="write the table as phonoscope/corpora/table.py describes",
        )
    ids = np.asarray(table["utterance_id"].to_pylist(), dtype=object)
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
