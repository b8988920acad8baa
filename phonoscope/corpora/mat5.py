"""The elements of a MATLAB file of version 5 (and 7), unpacked and counted before SciPy reads them.

SciPy takes sizes and depths as a file says them: a damaged one makes it ask for any amount of memory, and one
that is nested ten thousand times ends the process. Format: "MAT-File Format", The MathWorks.
"""

import struct
import zlib

import numpy as np

_HEADER = 128
_MATRIX, _COMPRESSED = 14, 15
_CELL, _STRUCT, _CHAR, _SPARSE = 1, 2, 4, 5
_NUMBERS = range(6, 16)
_DEEPEST = 16
# Deflate makes at most 1,032 bytes of one.
_EXPANSION = 1040


def unpacked(data):
    """The bytes of a file without compression, every size in which is backed by bytes.

    Parameters
    ----------
    data : bytes

    Returns
    -------
    bytes

    Raises
    ------
    ValueError
        Where it is no such file, is cut off, or holds what no signal needs (objects, functions).
    """
    order = {b"IM": "<", b"MI": ">"}.get(bytes(data[126:_HEADER]))
    if order is None or b"\0" in data[:4]:
        raise ValueError("there is no header of version 5")
    parts, at = [data[:_HEADER]], _HEADER
    while at < len(data):
        kind, size = _tag(data, at, order)
        body = data[at + 8 : at + 8 + size]
        if len(body) < size:
            raise ValueError("the file is cut off")
        at += 8 + size
        element = _inflated(body) if kind == _COMPRESSED else data[at - 8 - size : at]
        kind, size = _tag(element, 0, order)
        if kind != _MATRIX or size != len(element) - 8:
            raise ValueError(f"an element of type {kind} where a variable is due")
        _check(element[8:], order, _DEEPEST)
        parts.append(element)
    return b"".join(parts)


def _tag(data, at, order):
    if at + 8 > len(data):
        raise ValueError("the file is cut off")
    return struct.unpack_from(f"{order}II", data, at)


def _inflated(body):
    inflate = zlib.decompressobj()
    element = inflate.decompress(body, len(body) * _EXPANSION)
    if not inflate.eof:
        raise ValueError("a compressed variable is cut off")
    return element


def _check(body, order, depth):
    """Refuse a variable whose dimensions are not backed by its bytes, and the same of those within it."""
    if not body:
        return
    if not depth:
        raise ValueError(f"variables are nested more than {_DEEPEST} times")
    parts = _parts(body, order)
    if len(parts) < 3 or len(parts[0][1]) < 8:
        raise ValueError("a variable has no flags, size and name")
    kind = struct.unpack_from(f"{order}I", parts[0][1])[0] & 0xFF
    dims = [int(n) for n in np.frombuffer(parts[1][1][: len(parts[1][1]) // 4 * 4], f"{order}i4")]
    n = _product(dims)
    if kind in _NUMBERS or kind == _CHAR:
        due = (4, 5)
        enough = n <= len(body)
    elif kind == _SPARSE:
        due, enough = (6, 7), True
    elif kind == _CELL:
        due, enough = (3 + n,), True
    elif kind == _STRUCT and len(parts) >= 5:
        width = int.from_bytes(parts[3][1][:4], "little" if order == "<" else "big")
        n *= len(parts[4][1]) // width if width else 0
        due, enough = (5 + n,), True
    else:
        raise ValueError(f"a variable of class {kind}")
    if len(parts) not in due or not enough:
        raise ValueError(
            f"a variable of {' x '.join(map(str, dims))} has {len(parts)} parts, {len(body)} bytes"
        )
    for part, content in parts:
        if part == _MATRIX:
            _check(content, order, depth - 1)


def _product(dims):
    n = 1
    for size in dims:
        if size < 0:
            raise ValueError(f"a dimension is {size}")
        n *= size
    return n


def _parts(body, order):
    """The elements of a variable as (type, content)."""
    found, at = [], 0
    while at < len(body):
        kind, size = _tag(body, at, order)
        start = at + 8
        if kind >> 16:
            # At most four bytes lie within the tag itself.
            kind, size, start = kind & 0xFFFF, kind >> 16, at + 4
        content = body[start : start + size]
        if len(content) < size or (start == at + 4 and size > 4):
            raise ValueError("the file is cut off")
        found.append((kind, content))
        at = at + 8 if start == at + 4 else start + size + -size % 8
    return found
