"""Reader name to module. A module is imported when its reader is asked for.

A reader module has ``read(path, sensors, rate=None) -> Track``: `path` is a recording's EMA file (or
bundle folder), `sensors` maps our sensor names to channel numbers or names of that file, and `rate` is
used only where the file does not say. The `table` reader, whose files hold many recordings, takes the
``utterance_id`` too. A reader of ``WITHOUT_EMA`` has no ``read``.
"""

import math

from phonoscope.errors import InputError

# Samples per second beyond what any articulograph takes; int() takes as many digits as this has.
_HIGHEST_RATE_HZ = 1e6

NAMES = (
    "table",
    "audio",
    "fleurs",
    "tusom",
    "carstens_pos",
    "carstens_ag500",
    "carstens_text",
    "emu",
    "emu_json",
    "mview",
    "est",
    "spire",
)
# Audio and what is said of it, no movement.
WITHOUT_EMA = ("audio", "fleurs", "tusom")


def reader(name):
    """The module that reads the format ``name``.

    Raises
    ------
    InputError
        If there is no such reader.
    """
    if name == "table":
        import phonoscope.corpora.table as module
    elif name == "audio":
        import phonoscope.corpora.audio as module
    elif name == "fleurs":
        import phonoscope.corpora.fleurs as module
    elif name == "tusom":
        import phonoscope.corpora.tusom as module
    elif name == "carstens_pos":
        import phonoscope.corpora.carstens_pos as module
    elif name == "carstens_ag500":
        import phonoscope.corpora.carstens_ag500 as module
    elif name == "carstens_text":
        import phonoscope.corpora.carstens_text as module
    elif name == "emu":
        import phonoscope.corpora.emu as module
    elif name == "emu_json":
        import phonoscope.corpora.emu_json as module
    elif name == "mview":
        import phonoscope.corpora.mview as module
    elif name == "est":
        import phonoscope.corpora.est as module
    elif name == "spire":
        import phonoscope.corpora.spire as module
    else:
        raise InputError(
            f"there is no reader `{name}`", row="reader", fix=f"choose one of {', '.join(NAMES)}"
        )
    return module


def read_bytes(path):
    """The bytes of an EMA file.

    Raises
    ------
    InputError
        If the file is missing or cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise InputError(
            f"the EMA file cannot be read ({error.strerror})",
            path=path,
            fix="check `files: ema`, the file's name and its permissions",
        ) from error


def rate_in_hz(value, path, row=None):
    """A sampling rate as a float.

    Raises
    ------
    InputError
        If it is no number above 0 and at most 1 MHz.
    """
    try:
        rate = float(value)
    except (TypeError, ValueError, OverflowError):
        rate = math.nan
    if not 0 < rate <= _HIGHEST_RATE_HZ:
        raise InputError(
            f"`{value}` is not a rate in Hz",
            path=path,
            row=row,
            fix="export the file again, or mend the rate where it is given",
        )
    return rate


def is_number(text):
    """Whether a text is a whole number that ``int`` takes: ASCII digits, and not thousands of them."""
    return text.isascii() and text.isdigit() and len(text) <= 18


def absent(sensor, where, path, known):
    """The error for a sensor that is mapped to a channel which the file does not have."""
    return InputError(
        f"sensor {sensor} is mapped to channel `{where}`, which is not in the file",
        path=path,
        row=f"sensor {sensor}",
        fix=f"map it (`sensors` in the config or in the speaker sheet) to one of {', '.join(known)}, "
        f"or to `none` if this speaker has no such sensor",
    )
