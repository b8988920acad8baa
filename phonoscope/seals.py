"""A checksum in the footer of a Parquet file, of that footer.

Pages have checksums of their own; names, units, provenance and places in the file are in the footer,
which has none. It is written with blanks where the checksum will stand, which is then put there.
"""

import base64
import os
import zlib

import pyarrow.parquet as pq

KEY = b"phonoscope.crc32"
_BLANK = b"." * 8
# What ends the file: the length of the footer, four bytes, and PAR1.
_TAIL = 8


def blank(writer):
    """Leave room for the checksum.

    Parameters
    ----------
    writer : pyarrow.parquet.ParquetWriter
        Before it is closed.
    """
    writer.add_key_value_metadata({KEY: _BLANK})


def seal(path):
    """Fill in the checksum of a file that is closed.

    Parameters
    ----------
    path : path-like
        Written with :func:`blank`.
    """
    with open(path, "r+b") as file:
        start, footer = _footer(file)
        at = _place(footer)
        file.seek(start + at)
        file.write(b"%08x" % zlib.crc32(footer))


def check(path):
    """Compare a file's footer with its checksum; a file that has none passes.

    Parameters
    ----------
    path : path-like

    Raises
    ------
    ValueError
        Where they differ.
    OSError
        Where the file cannot be read.
    """
    with open(path, "rb") as file:
        footer = _footer(file)[1]
    at = _place(footer)
    if at is None:
        return
    found = footer[at : at + len(_BLANK)]
    if found == b"%08x" % zlib.crc32(footer[:at] + _BLANK + footer[at + len(_BLANK) :]):
        return
    if not _copied(path):
        raise ValueError("the checksum of the footer does not fit")


def _copied(path):
    """Whether pyarrow wrote the file from a table that it had read: the key is in its schema then."""
    metadata = pq.read_metadata(path).metadata or {}
    return KEY in base64.b64decode(metadata.get(b"ARROW:schema", b""))


def _footer(file):
    """Where the footer begins, and its bytes with what follows; of a file that is too short, all of it."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _TAIL))
    length = int.from_bytes(file.read(4), "little")
    start = max(0, size - _TAIL - length)
    file.seek(start)
    return start, file.read()


def _place(footer):
    """Where the checksum stands: behind its key, and two bytes that say what it is and how long."""
    at = footer.rfind(KEY)
    return None if at < 0 else at + len(KEY) + 2
