"""Bundles of an EMU-SDMS database as one JSON file, with audio and SSFF tracks in base64."""

import base64
import json

from phonoscope.corpora import emu, ssff
from phonoscope.corpora.readers import absent, read_bytes
from phonoscope.errors import InputError


def read(path, sensors, rate=None):
    """Read the tracks inside a ``*_bndl.json``.

    Parameters
    ----------
    path : path-like
    sensors : dict of str to str
        Sensor name to the file extension of its track, such as ``t_tip``.
    rate : float, optional
        Not used: the tracks say.

    Returns
    -------
    Track

    Raises
    ------
    InputError
        For a file that is no such JSON, an absent or damaged track.
    """
    try:
        files = {entry["fileExtension"]: entry for entry in json.loads(read_bytes(path))["ssffFiles"]}
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(
            f"not an EMU bundle in JSON ({type(error).__name__}: {error})",
            path=path,
            row="ssffFiles",
            fix="the file may be truncated: export the bundle again",
        ) from error
    tracks = {}
    for sensor, extension in sensors.items():
        if extension not in files:
            raise absent(sensor, extension, path, sorted(map(str, files)))
        try:
            data = base64.b64decode(files[extension]["data"], validate=True)
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"the track is not base64 ({error})",
                path=path,
                row=f"ssffFiles {extension}",
                fix="export the bundle again",
            ) from error
        tracks[sensor] = (ssff.parse(data, path), path)
    return emu.join(tracks, path)
