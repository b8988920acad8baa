"""What the Carstens formats share: seven values per channel, of which x, y and z (mm) come first."""

import numpy as np

from phonoscope.corpora.readers import absent, is_number
from phonoscope.corpora.track import Track
from phonoscope.errors import InputError

VALUES = ("X", "Y", "Z", "phi", "theta", "RMS", "Extra")
# The largest coordinate a sensor in the field of an articulograph can have, with a wide margin.
_FURTHEST_MM = 10_000.0


def channel_number(sensor, where, path, n_channels):
    """Zero-based channel of a sensor mapped to a number (from 1), as ``7``, ``"7"`` or ``"Ch7"``."""
    text = str(where).lower().removeprefix("ch")
    if not is_number(text) or not 1 <= int(text) <= n_channels:
        raise absent(sensor, where, path, [f"1 to {n_channels}"])
    return int(text) - 1


def decode_frames(data, n_channels, path):
    """Binary frames of seven float32 values per channel.

    Parameters
    ----------
    data : bytes
        Frames without a header, little-endian as Carstens' Windows software writes them; files
        turned to big-endian on the way are recognised by their absurd values.
    n_channels : int

    Returns
    -------
    array of shape (n_frames, n_channels, 7), float64

    Raises
    ------
    InputError
        If the bytes are not whole frames, or are no positions in either byte order.
    """
    frame = 4 * len(VALUES) * n_channels
    n_frames, left_over = divmod(len(data), frame)
    if left_over or not n_frames:
        problem = f"{left_over} bytes are left over" if n_frames else f"{len(data)} bytes are not one frame"
        raise InputError(
            f"the file is truncated or has other than {n_channels} channels: {problem} "
            f"({n_channels} channels x 7 values x 4 bytes = {frame} bytes per frame)",
            path=path,
            row=f"frame {n_frames}",
            fix="copy the file again from the articulograph, and check its number of channels",
        )
    for order in ("<f4", ">f4"):
        values = np.frombuffer(data, dtype=order).reshape(n_frames, n_channels, len(VALUES))
        positions = values[:, :, :3]
        # Read in the wrong order, ordinary values become denormal or astronomically large.
        known = np.abs(positions[np.isfinite(positions) & (positions != 0)])
        if not known.size or (known.max() < _FURTHEST_MM and np.median(known) > 1e-6):
            return values.astype(np.float64)
    raise InputError(
        "the values are not positions in mm",
        path=path,
        row=f"{n_channels} channels",
        fix="check that this is a position file (not amplitudes) and its number of channels",
    )


def track(values, sensors, rate, path):
    """A track from all channels of a file.

    Parameters
    ----------
    values : array of shape (n_frames, n_channels, 7)
    sensors : dict of str to int or str
        Our sensor names and channel numbers, counted from 1.
    rate : float
        Hz.
    """
    n_channels = values.shape[1]
    return Track(
        rate=float(rate),
        start_s=0.0,
        sensors={
            sensor: np.ascontiguousarray(values[:, channel_number(sensor, where, path, n_channels), :3])
            for sensor, where in sensors.items()
        },
    )
