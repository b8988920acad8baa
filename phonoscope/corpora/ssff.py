"""SSFF, the track format of EMU: a text header that names columns, then binary records."""

from dataclasses import dataclass

import numpy as np

from phonoscope.corpora.readers import rate_in_hz
from phonoscope.errors import InputError

_TYPES = {"DOUBLE": "f8", "FLOAT": "f4", "LONG": "i4", "SHORT": "i2", "CHAR": "i1", "BYTE": "i1"}
_MACHINES = {"IBM-PC": "<", "SPARC": ">", "MC68000": ">"}
_RULE = b"-----------------"


@dataclass(frozen=True)
class Signals:
    """Columns of one SSFF file: name to array of shape (n_records, width), at ``rate`` Hz."""

    rate: float
    start_s: float
    columns: dict


def parse(data, path):
    """Parse the bytes of an SSFF file.

    Parameters
    ----------
    data : bytes
    path : path-like
        For messages.

    Returns
    -------
    Signals

    Raises
    ------
    InputError
        For another format, a damaged header, left-over bytes.
    """
    head, rule, body = data.partition(_RULE)
    lines = [line.split() for line in head.decode("latin-1").splitlines()]
    if not lines or lines[0][:1] != ["SSFF"] or not rule:
        raise InputError(
            "the file has no whole SSFF header",
            path=path,
            row="header",
            fix="export the track again from EMU",
        )
    body = body.removeprefix(b"\r").removeprefix(b"\n")
    fields = {line[0]: line[1] for line in lines[1:] if len(line) > 1}
    try:
        order = _MACHINES[fields["Machine"]]
        rate, start = fields["Record_Freq"], float(fields["Start_Time"])
        columns = [
            (name, order + _TYPES[kind], (int(width),)) for _, name, kind, width in _column_lines(lines)
        ]
        record = np.dtype(columns)
        if not (np.isfinite(start) and columns and all(width > 0 for _, _, (width,) in columns)):
            raise ValueError("no start, or no column")
    except (KeyError, ValueError, TypeError, OverflowError) as error:
        raise InputError(
            f"the SSFF header is not understood ({type(error).__name__}: {error})",
            path=path,
            row="header",
            fix="export the track again from EMU",
        ) from error
    rate = rate_in_hz(rate, path, "Record_Freq")
    n_records, left_over = divmod(len(body), record.itemsize)
    if left_over:
        raise InputError(
            f"the file is truncated or has other columns than its header: {left_over} bytes are left over",
            path=path,
            row=f"record {n_records}",
            fix="copy the file again",
        )
    records = np.frombuffer(body, dtype=record)
    return Signals(rate, start, {name: records[name] for name in record.names})


def _column_lines(lines):
    return [line for line in lines if line and line[0] == "Column"]
