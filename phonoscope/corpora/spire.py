"""Recordings of the SPIRE EMA corpus: one ``.pt`` file each, a pickled dict of numpy arrays in a zip.

Keys (the data set's card): ``ema_trimmed`` of shape (n_frames, 18), pairs (x, up) of nine sensors at
100 Hz; ``begin_end``, its first and last frame within the audio; ``phonemes`` and ``durations`` (frames).
"""

import io
import math
import pickle
import pickletools
import re
import zipfile

import numpy as np

from phonoscope.corpora.labels import row
from phonoscope.corpora.readers import absent, is_number, read_bytes
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
        start_s = begin / rate
    except (LookupError, TypeError, ValueError, OverflowError) as error:
        raise _damaged(path, f"{type(error).__name__}: {error}") from error
    if values.ndim != 2:
        raise _damaged(path, f"ema_trimmed has {values.ndim} dimensions")
    arrays = {}
    for sensor, where in sensors.items():
        n_pairs = values.shape[1] // 2
        if not is_number(str(where)) or not 1 <= int(where) <= n_pairs:
            raise absent(sensor, where, path, [f"1 to {n_pairs}"])
        x, up = values[:, 2 * int(where) - 2], values[:, 2 * int(where) - 1]
        arrays[sensor] = np.column_stack([x, np.full_like(x, np.nan), up])
    return Track(rate=float(rate), start_s=start_s, sensors=arrays, partial=True)


def segments(path):
    """The phone segments of a recording with times, as rows for the segment table."""
    content = load(path)
    try:
        frames = np.array([content["begin_end"][0], *content["durations"]], dtype=np.float64)
        edges, labels = np.cumsum(frames) / RATE, list(content["phonemes"])
        if not (
            np.isfinite(edges).all() and (frames >= 0).all() and all(isinstance(each, str) for each in labels)
        ):
            raise ValueError("durations or phonemes are none")
        return [row("phone", *times) for times in zip(edges[:-1], edges[1:], map(str, labels), strict=True)]
    except (LookupError, TypeError, ValueError, OverflowError) as error:
        raise _damaged(path, f"{type(error).__name__}: {error}") from error


def load(path):
    """The dict in a ``.pt`` file; refuses to unpickle anything but numpy arrays and built-in values."""
    data = read_bytes(path)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            (entry,) = (entry for entry in archive.infolist() if entry.filename.endswith("data.pkl"))
            if entry.compress_type != zipfile.ZIP_STORED:
                raise zipfile.BadZipFile("its content is compressed")
            content = _unpickled(archive.read(entry))
    except Exception as error:  # zipfile and pickle meet a damaged file with whatever comes first
        raise _damaged(path, f"{type(error).__name__}: {error}") from error
    if not isinstance(content, dict):
        raise _damaged(path, f"it holds a {type(content).__name__}")
    return content


def _unpickled(data):
    for code, argument, _ in pickletools.genops(data):
        # The unpickler makes room for as many objects as the number of the last one says.
        if code.name in ("LONG_BINPUT", "PUT") and argument > len(data):
            raise pickle.UnpicklingError(f"there cannot be {argument} objects")
    return _NumpyOnly(io.BytesIO(data)).load()


class _NumpyOnly(pickle.Unpickler):
    """Unpickles arrays and numbers of NumPy without trusting the sizes and types that they come with."""

    def find_class(self, module, name):
        # Files of numpy 1 name its core without the underscore.
        found = _ALLOWED.get((module.replace("numpy.core", "numpy._core"), name))
        if found is None:
            raise pickle.UnpicklingError(f"{module}.{name} is not allowed")
        return found


class _Type:
    """Stands for a dtype, of numbers, text or objects."""

    def __init__(self, name, *_):
        if not re.fullmatch(r"[<>|=]?([biufc]\d{1,2}|U\d{1,4}|O8?)", name):
            raise pickle.UnpicklingError(f"the type {name} is not allowed")
        self.numpy = np.dtype(name)

    def __setstate__(self, state):
        if state[1] in ("<", ">"):
            self.numpy = self.numpy.newbyteorder(state[1])


class _Array(np.ndarray):
    """An array whose shape is backed by its content."""

    def __setstate__(self, state):
        _, shape, kind, by_columns, content = state
        kind, whole = kind.numpy, all(isinstance(size, int) and size >= 0 for size in shape)
        size = 1 if kind.hasobject else kind.itemsize
        if not whole or not isinstance(content, list if kind.hasobject else bytes):
            raise pickle.UnpicklingError("the state of an array is damaged")
        if len(content) != math.prod(shape) * size:
            raise pickle.UnpicklingError(f"{len(content)} bytes for an array of shape {shape}")
        super().__setstate__((1, shape, kind, bool(by_columns), content))


def _array(*_):
    return np.ndarray.__new__(_Array, (0,), "b")


def _scalar(kind, content):
    if kind.numpy.hasobject:
        raise pickle.UnpicklingError("a number that is an object")
    (value,) = np.frombuffer(content, kind.numpy)
    return value


def _encode(text, codec):
    if codec != "latin1":
        raise pickle.UnpicklingError(f"the encoding {codec} is not allowed")
    return text.encode(codec)


_ALLOWED = {
    # Only to be named, as what _reconstruct makes.
    ("numpy", "ndarray"): "ndarray",
    ("numpy", "dtype"): _Type,
    ("_codecs", "encode"): _encode,
    ("numpy._core.multiarray", "_reconstruct"): _array,
    ("numpy._core.multiarray", "scalar"): _scalar,
}


def _damaged(path, problem):
    return InputError(f"not a recording of the SPIRE EMA corpus ({problem})", path=path, fix="fetch it again")
