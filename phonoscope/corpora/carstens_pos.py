"""Carstens AG501 binary positions (``.pos``, header ``AG50xDATA_V003``)."""

from phonoscope.corpora import carstens
from phonoscope.corpora.readers import read_bytes
from phonoscope.errors import InputError

_MAGIC = b"AG50xDATA_V003"


def read(path, sensors, rate=None):
    """Read the positions of a ``.pos`` file.

    The header is text: the magic word, the header's size in bytes as eight digits, then
    ``key=value`` lines (NumberOfChannels, SamplingFrequencyHz). Float32 frames follow.

    Parameters
    ----------
    path : path-like
    sensors : dict of str to int or str
        Sensor name to channel number, counted from 1.
    rate : float, optional
        Not used: the header says.

    Returns
    -------
    Track

    Raises
    ------
    InputError
        For another or a damaged header, left-over bytes, an absent channel.
    """
    data = read_bytes(path)
    lines = data[:64].split(b"\n")
    if lines[0].strip() != _MAGIC:
        raise InputError(
            f"the file does not begin with {_MAGIC.decode()}",
            path=path,
            row="header",
            fix="use reader `carstens_ag500` for files without a header, `carstens_text` for text",
        )
    size = lines[1].strip() if len(lines) > 1 else b""
    if not size.isdigit() or len(size) > 18 or not len(_MAGIC) < int(size) <= len(data):
        raise _damaged("its size is not given or the file ends within it", path)
    pairs = dict(
        line.strip().split("=", 1)
        for line in data[: int(size)].decode("latin-1").replace("\0", "").splitlines()
        if "=" in line
    )
    n_channels, rate = (_number(pairs, key, path) for key in ("NumberOfChannels", "SamplingFrequencyHz"))
    values = carstens.decode_frames(data[int(size) :], int(n_channels), path)
    return carstens.track(values, sensors, rate, path)


def _number(pairs, key, path):
    try:
        value = float(pairs[key])
    except (KeyError, ValueError) as error:
        raise _damaged(f"{key} is missing or not a number", path) from error
    if not 0 < value < 1e6 or (key == "NumberOfChannels" and value != int(value)):
        raise _damaged(f"{key}={pairs[key]} makes no sense", path)
    return value


def _damaged(problem, path):
    return InputError(
        f"the header is damaged: {problem}",
        path=path,
        row="header",
        fix="copy the file again from the articulograph",
    )
