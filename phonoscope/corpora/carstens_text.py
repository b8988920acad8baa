"""Carstens positions exported as text, with the header ``Ch1_X ... Ch16_Extra`` or without one."""

import numpy as np

from phonoscope.corpora import carstens
from phonoscope.corpora.readers import absent, read_bytes
from phonoscope.corpora.track import Track
from phonoscope.errors import InputError


def read(path, sensors, rate=None):
    """Read a text export of AG501 (or AG500) positions.

    Parameters
    ----------
    path : path-like
    sensors : dict of str to int or str
        Sensor name to channel number, counted from 1; or to the name that comes before ``_X`` in
        the header.
    rate : float
        Hz; the format does not say.

    Returns
    -------
    Track

    Raises
    ------
    InputError
        For a missing rate, rows of unequal length, a header that does not match the columns, text
        where numbers should be, an absent channel.
    """
    if rate is None:
        raise InputError(
            "a text export does not give its sampling rate",
            path=path,
            fix="set `ema_rate` for the corpus or in the speaker sheet (AG501: 1250 or 250)",
        )
    lines = read_bytes(path).decode("latin-1").splitlines()
    first = lines[0].split() if lines else []
    header = first if any(word[0].isalpha() and "_" in word for word in first) else None
    values = _numbers(lines, 0 if header is None else 1, path)
    if header is None:
        if values.shape[1] % len(carstens.VALUES):
            raise InputError(
                f"{values.shape[1]} columns are not a multiple of {len(carstens.VALUES)} values per channel",
                path=path,
                row="row 1",
                fix="export all values of each channel, or with the header Ch1_X ...",
            )
        return carstens.track(values.reshape(len(values), -1, len(carstens.VALUES)), sensors, rate, path)
    if len(header) != values.shape[1]:
        raise InputError(
            f"the header names {len(header)} columns, the rows have {values.shape[1]}",
            path=path,
            row="header",
            fix="export the file again, with the header that belongs to it",
        )
    columns = {name.lower(): index for index, name in enumerate(header)}
    return Track(
        rate=float(rate),
        start_s=0.0,
        sensors={
            sensor: values[:, _columns(sensor, where, columns, header, path)]
            for sensor, where in sensors.items()
        },
    )


def _numbers(lines, skip, path):
    try:
        values = np.loadtxt(lines, skiprows=skip, ndmin=2, comments=None)
    except ValueError as error:
        raise InputError(
            f"the rows are not numbers in equal columns ({str(error).split(';')[0]})",
            path=path,
            row=_first_bad_row(lines, skip),
            fix="the file may be cut off: export it again",
        ) from error
    if not len(values):
        raise InputError(
            "the file holds no samples", path=path, fix="remove the recording or export it again"
        )
    return values


def _first_bad_row(lines, skip):
    width = None
    for number, line in enumerate(lines[skip:], start=skip + 1):
        cells = line.split()
        width = width or len(cells)
        try:
            [float(cell) for cell in cells]
        except ValueError:
            return f"row {number}"
        if cells and len(cells) != width:
            return f"row {number}"
    return None


def _columns(sensor, where, columns, header, path):
    name = f"ch{where}" if str(where).isdigit() else str(where).lower()
    try:
        return [columns[f"{name}_{axis}"] for axis in "xyz"]
    except KeyError as error:
        known = dict.fromkeys(name.rsplit("_", 1)[0] for name in header if name.lower().endswith("_x"))
        raise absent(sensor, where, path, list(known)) from error
