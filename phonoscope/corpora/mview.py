"""Haskins MVIEW ``.mat`` files: a struct array with NAME, SRATE and SIGNAL per signal (HPRC)."""

import io

import numpy as np

from phonoscope.corpora import mat5
from phonoscope.corpora.readers import absent, rate_in_hz, read_bytes
from phonoscope.corpora.track import Track
from phonoscope.errors import InputError

# The version in the header of MATLAB 7.3, in both byte orders.
_HDF5 = (b"\x00\x02", b"\x02\x00")


def read(path, sensors, rate=None):
    """Read the sensors of an MVIEW file.

    Parameters
    ----------
    path : path-like
    sensors : dict of str to str
        Sensor name to the NAME of its signal, such as ``TR``.
    rate : float, optional
        Not used: SRATE says.

    Returns
    -------
    Track
        SIGNAL holds x (front), lateral, z (up) and three rotations; files with two columns hold x and z.

    Raises
    ------
    InputError
        For a file that is no MVIEW file, absent signals, signals of unequal length or rate.
    """
    signals = _signals(path)
    arrays, rates = {}, {}
    for sensor, where in sensors.items():
        entry = signals.get(str(where))
        if entry is None:
            raise absent(
                sensor, where, path, [name for name, (_, values) in signals.items() if values.shape[1] > 1]
            )
        rates[sensor], values = entry
        if values.shape[1] == 2:
            values = np.insert(values, 1, np.nan, axis=1)
        if values.shape[1] < 3:
            raise InputError(
                "the signal has no positions: SIGNAL has one column",
                path=path,
                row=f"signal {where}",
                fix="map the sensor to a movement signal",
            )
        arrays[sensor] = np.ascontiguousarray(values[:, :3])
    if len(set(rates.values())) > 1 or len({len(values) for values in arrays.values()}) > 1:
        parts = ", ".join(f"{name} {len(values)} at {rates[name]:g} Hz" for name, values in arrays.items())
        raise InputError(
            f"the signals differ in length or rate: {parts}", path=path, fix="export the file again"
        )
    return Track(rate=next(iter(rates.values())), start_s=0.0, sensors=arrays)


def _signals(path):
    """Name to (rate in Hz, array of shape (n_samples, n_columns))."""
    from scipy.io import loadmat

    data = read_bytes(path)
    try:
        content = loadmat(
            io.BytesIO(data if data[124:126] in _HDF5 else mat5.unpacked(data)), simplify_cells=True
        )
    except NotImplementedError as error:
        raise InputError(
            "this is a MATLAB 7.3 file", path=path, fix="save it in MATLAB with save(..., '-v7')"
        ) from error
    except Exception as error:  # scipy's parser meets a damaged file with whatever comes first
        raise InputError(
            f"not a readable .mat file ({type(error).__name__}: {error})",
            path=path,
            fix="copy the file again",
        ) from error
    for name, value in content.items():
        entries = value if isinstance(value, list) or np.ndim(value) == 1 else [value]
        if name.startswith("__") or not len(entries) or not all(_is_signal(entry) for entry in entries):
            continue
        return {
            str(entry["NAME"]): (
                rate_in_hz(entry["SRATE"], path, f"signal {entry['NAME']}"),
                _matrix(entry["SIGNAL"], path, entry["NAME"]),
            )
            for entry in entries
        }
    raise InputError(
        "there is no struct array with NAME, SRATE and SIGNAL",
        path=path,
        fix="this is not an MVIEW file: choose the reader of its format",
    )


def _is_signal(entry):
    return isinstance(entry, dict) and {"NAME", "SRATE", "SIGNAL"} <= set(entry)


def _matrix(signal, path, name):
    try:
        values = np.atleast_1d(np.asarray(signal, dtype=np.float64))
    except (TypeError, ValueError) as error:
        raise InputError(
            "SIGNAL is not numeric", path=path, row=f"signal {name}", fix="export it again"
        ) from error
    if values.ndim > 2:
        raise InputError(
            f"SIGNAL has {values.ndim} dimensions", path=path, row=f"signal {name}", fix="export it again"
        )
    return values[:, np.newaxis] if values.ndim < 2 else values
