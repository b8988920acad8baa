"""Recordings of the SPIRE EMA corpus: one ``.pt`` file each, a pickled dict of numpy arrays in a zip.

Keys (the data set's card): ``ema_trimmed`` of shape (n_frames, 18), pairs (x, up) of nine sensors at
100 Hz; ``begin_end``, its first and last frame within the audio; ``phonemes`` and ``durations`` (frames).
"""

import io
import pickle
import zipfile
import zlib

import numpy as np

from phonoscope.corpora.labels import row
from phonoscope.corpora.readers import absent, read_bytes
from phonoscope.corpora.track import Track
from phonoscope.errors import InputError

RATE = 100.0


def read(path, sensors, rate=None):
    """Read the trimmed EMA of a recording.

    Parameters
    ----------
    path : path-like
    sensors : dict of str to int
        Sensor name to its pair of columns, counted from 1.
    rate : float, optional
        100 Hz unless given.

    Returns
    -------
    Track
        Begins where the EMA was trimmed; marked as covering a part of the audio.

    Raises
    ------
    InputError
        For a file that is damaged, or holds anything else than numbers and words.
    """
    content = load(path)
    rate = rate or RATE
    try:
        values = np.asarray(content["ema_trimmed"], dtype=np.float64)
        begin = int(content["begin_end"][0])
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise _damaged(path, f"{type(error).__name__}: {error}") from error
    if values.ndim != 2:
        raise _damaged(path, f"ema_trimmed has {values.ndim} dimensions")
    arrays = {}
    for sensor, where in sensors.items():
        n_pairs = values.shape[1] // 2
        if not str(where).isdigit() or not 1 <= int(where) <= n_pairs:
            raise absent(sensor, where, path, [f"1 to {n_pairs}"])
        x, up = values[:, 2 * int(where) - 2], values[:, 2 * int(where) - 1]
        arrays[sensor] = np.column_stack([x, np.full_like(x, np.nan), up])
    return Track(rate=float(rate), start_s=begin / rate, sensors=arrays, partial=True)


def segments(path):
    """The phone segments of a recording with times, as rows for the segment table."""
    content = load(path)
    try:
        edges = np.cumsum([content["begin_end"][0], *content["durations"]]) / RATE
        labels = [str(label) for label in content["phonemes"]]
        return [row("phone", *times) for times in zip(edges[:-1], edges[1:], labels, strict=True)]
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise _damaged(path, f"{type(error).__name__}: {error}") from error


def load(path):
    """The dict in a ``.pt`` file; refuses to unpickle anything but numpy arrays and built-in values."""
    try:
        with zipfile.ZipFile(io.BytesIO(read_bytes(path))) as archive:
            (name,) = (name for name in archive.namelist() if name.endswith("data.pkl"))
            content = _NumpyOnly(io.BytesIO(archive.read(name))).load()
    except (zipfile.BadZipFile, zlib.error, pickle.UnpicklingError, EOFError) as error:
        raise _damaged(path, f"{type(error).__name__}: {error}") from error
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, ImportError) as error:
        raise _damaged(path, f"{type(error).__name__}: {error}") from error
    if not isinstance(content, dict):
        raise _damaged(path, f"it holds a {type(content).__name__}")
    return content


class _NumpyOnly(pickle.Unpickler):
    _ALLOWED = {
        ("numpy", "ndarray"),
        ("numpy", "dtype"),
        ("_codecs", "encode"),
        *(
            (f"numpy.{core}.multiarray", name)
            for core in ("core", "_core")
            for name in ("_reconstruct", "scalar")
        ),
    }

    def find_class(self, module, name):
        if (module, name) not in self._ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} is not allowed")
        # Files of numpy 1 name its core without the underscore.
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


def _damaged(path, problem):
    return InputError(f"not a recording of the SPIRE EMA corpus ({problem})", path=path, fix="fetch it again")
