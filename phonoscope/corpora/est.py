"""EST Track files, ascii and binary: the ``.ema`` of mngu0 and MOCHA-TIMIT."""

import re

import numpy as np

from phonoscope.corpora.readers import absent, is_number, rate_in_hz, read_bytes
from phonoscope.corpora.track import Track
from phonoscope.errors import InputError

_END = b"EST_Header_End"


def read(path, sensors, rate=None):
    """Read an EST Track.

    Each frame is its time in seconds, a flag that is 0 where the track breaks (if BreaksPresent), and
    the channels; in binary all are float32.

    Parameters
    ----------
    path : path-like
    sensors : dict of str to str
        Sensor name to the channels' name before the axis: ``T3`` for ``T3_px``, ``T3_py``, ``T3_pz``
        (mngu0), ``tt`` for ``tt_x``, ``tt_y`` (MOCHA). An axis without a channel is NaN.
    rate : float, optional
        Used only where the file has a single frame.

    Returns
    -------
    Track
        In the file's unit: the corpus' key ``mm_per_unit`` makes it mm.

    Raises
    ------
    InputError
        For another format, a damaged header, more or fewer frames than it says, uneven frame times,
        an absent channel.
    """
    data = read_bytes(path)
    header, names, body = _header(data, path)
    n_frames, n_channels = (_integer(header, key, path) for key in ("NumFrames", "NumChannels"))
    breaks = header.get("BreaksPresent", "true").lower() in ("true", "1")
    width = 1 + breaks + n_channels
    if header.get("DataType", "").startswith("bin"):
        values = _binary(body, header, path)
    else:
        values = _ascii(body, path)
    if values.size != n_frames * width or not n_frames:
        raise InputError(
            f"the header says {n_frames} frames of {n_channels} channels ({n_frames * width} values), "
            f"there are {values.size} values",
            path=path,
            row=f"frame {values.size // width}",
            fix="the file is truncated or its header belongs to another: copy it again",
        )
    values = values.reshape(n_frames, width)
    channels = values[:, width - n_channels :]
    if breaks:
        channels = np.where(values[:, 1:2] == 0, np.nan, channels)
    # A start that is not finite makes the step not finite too, or is a track of a single frame.
    if not np.isfinite(values[0, 0]):
        raise _uneven(path)
    return Track(
        rate=rate_in_hz(_rate(values[:, 0], rate, path), path, "times"),
        start_s=float(values[0, 0]),
        sensors={
            sensor: _positions(sensor, where, names, channels, path) for sensor, where in sensors.items()
        },
    )


def _header(data, path):
    head, end, body = data.partition(_END)
    lines = head.decode("latin-1").splitlines()
    if not lines or lines[0].split() != ["EST_File", "Track"] or not end:
        raise InputError(
            "the file has no whole EST Track header", path=path, row="header", fix="copy it again"
        )
    pairs = dict(line.strip().split(maxsplit=1) for line in lines[1:] if len(line.split()) > 1)
    names = {
        int(key.removeprefix("Channel_")): name.strip()
        for key, name in pairs.items()
        if re.fullmatch(r"Channel_[0-9]{1,9}", key)
    }
    return pairs, names, body.removeprefix(b"\r").removeprefix(b"\n")


def _integer(header, key, path):
    value = header.get(key, "")
    if not is_number(value):
        raise InputError(
            f"{key} is missing or not a number", path=path, row="header", fix="copy the file again"
        )
    return int(value)


def _binary(body, header, path):
    orders = {"01": "<", "LittleEndian": "<", "10": ">", "BigEndian": ">"}
    order = header.get("ByteOrder", "")
    if order not in orders:
        raise InputError(
            f"the byte order `{order}` is not known", path=path, row="ByteOrder", fix="copy the file again"
        )
    return np.frombuffer(body[: len(body) // 4 * 4], dtype=orders[order] + "f4").astype(np.float64)


def _ascii(body, path):
    words = body.decode("latin-1").split()
    try:
        return np.array(words, dtype=np.float64)
    except ValueError as error:
        raise InputError(
            f"the frames are not numbers ({error})", path=path, fix="copy the file again"
        ) from error


def _rate(times, rate, path):
    if len(times) == 1:
        if rate is None:
            raise InputError(
                "one frame does not tell the rate", path=path, fix="set `ema_rate` for the corpus"
            )
        return rate
    step = (times[-1] - times[0]) / (len(times) - 1)
    # Times are float32: at 60 s they are known to 4 microseconds.
    if not 0 < step < np.inf or not np.abs(np.diff(times) - step).max() <= 0.1 * step:
        raise _uneven(path)
    return float(f"{1 / float(step):.4g}")


def _uneven(path):
    return InputError(
        "the frames are not equally spaced in time", path=path, row="times", fix="resample the track first"
    )


def _positions(sensor, where, names, channels, path):
    found = {}
    for index, name in names.items():
        match = re.fullmatch(rf"{re.escape(str(where))}_p?([xyz])", name, re.IGNORECASE)
        if match and index < channels.shape[1]:
            found[match.group(1).lower()] = channels[:, index]
    if not found:
        known = dict.fromkeys(
            re.sub(r"_p?[xyz]$", "", name) for name in names.values() if re.search(r"_p?[xyz]$", name)
        )
        raise absent(sensor, where, path, list(known))
    missing = np.full(len(channels), np.nan)
    return np.column_stack([found.get(axis, missing) for axis in "xyz"])
