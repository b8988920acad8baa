"""Carstens AG500 binary positions: no header, 12 channels, 200 Hz."""

from phonoscope.corpora import carstens
from phonoscope.corpora.readers import read_bytes
from phonoscope.errors import InputError

N_CHANNELS = 12
RATE = 200.0


def read(path, sensors, rate=None):
    """Read the positions of a headerless AG500 ``.pos`` file (float32, seven values per channel).

    Parameters
    ----------
    path : path-like
    sensors : dict of str to int or str
        Sensor name to channel number, counted from 1.
    rate : float, optional
        200 Hz unless given.

    Returns
    -------
    Track

    Raises
    ------
    InputError
        For a file with a header, left-over bytes, an absent channel.
    """
    data = read_bytes(path)
    if data.startswith(b"AG50x"):
        raise InputError("this is an AG501 file with a header", path=path, fix="use reader `carstens_pos`")
    return carstens.track(carstens.decode_frames(data, N_CHANNELS, path), sensors, rate or RATE, path)
