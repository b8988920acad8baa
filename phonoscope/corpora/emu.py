"""Bundles of an EMU-SDMS database: a folder ``*_bndl`` with one SSFF track per sensor."""

import os
import re
from pathlib import Path

import numpy as np

from phonoscope.corpora import ssff
from phonoscope.corpora.readers import absent, read_bytes
from phonoscope.corpora.track import Track
from phonoscope.errors import InputError

# Position columns as articulograph converters name them: tt_posx (AG500), TTx_raw (AG501), x.
_POSITIONS = (r"(?:.*_)?pos{axis}", r".*{axis}_raw", r"(?:.*_)?{axis}")
_NO_TRACK = re.compile(r"json|wav|flac|mp3|.*~")


def read(path, sensors, rate=None):
    """Read the tracks of a bundle folder.

    Parameters
    ----------
    path : path-like
        The folder ``STEM_bndl``, with tracks named ``STEM.EXTENSION``.
    sensors : dict of str to str
        Sensor name to the extension of its track, such as ``t_tip``.
    rate : float, optional
        Not used: the header says.

    Returns
    -------
    Track

    Raises
    ------
    InputError
        For a missing folder or track, a damaged track, tracks that do not belong together.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise InputError("there is no such bundle folder", path=path, fix="check `files: ema`")
    stem = folder.name.removesuffix("_bndl")
    tracks = {}
    for sensor, extension in sensors.items():
        file = folder / f"{stem}.{extension}"
        if not os.path.isfile(file):
            known = sorted(
                name
                for name in (found.name.partition(f"{stem}.")[2] for found in folder.iterdir())
                if name and not _NO_TRACK.fullmatch(name)
            )
            raise absent(sensor, extension, folder, known)
        tracks[sensor] = (ssff.parse(read_bytes(file), file), file)
    return join(tracks, path)


def join(tracks, path):
    """One track of all sensors, from one SSFF file each.

    Parameters
    ----------
    tracks : dict of str to (ssff.Signals, path-like)
        Sensor name to its signals and where they came from.
    path : path-like
        The bundle, for messages.
    """
    clocks = {(signals.rate, signals.start_s) for signals, _ in tracks.values()}
    arrays = {sensor: _positions(signals, file) for sensor, (signals, file) in tracks.items()}
    lengths = {len(values) for values in arrays.values()}
    if len(clocks) > 1 or len(lengths) > 1:
        parts = ", ".join(
            f"{sensor} {len(arrays[sensor])} at {signals.rate:g} Hz from {signals.start_s:g} s"
            for sensor, (signals, _) in tracks.items()
        )
        raise InputError(
            f"the tracks differ in length or rate: {parts}",
            path=path,
            fix="the shorter track may be truncated: copy the bundle again",
        )
    rate, start = clocks.pop()
    return Track(rate=rate, start_s=start, sensors=arrays)


def _positions(signals, path):
    for pattern in _POSITIONS:
        found = [
            [name for name in signals.columns if re.fullmatch(pattern.format(axis=axis), name, re.IGNORECASE)]
            for axis in "xyz"
        ]
        if all(len(names) == 1 for names in found):
            return np.column_stack([signals.columns[names[0]][:, 0] for names in found]).astype(np.float64)
    raise InputError(
        f"no x, y and z positions among the columns {', '.join(signals.columns)}",
        path=path,
        row="header",
        fix="map the sensor to a track of positions",
    )
