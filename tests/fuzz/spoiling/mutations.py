"""Ways to spoil what was valid: bytes of a file, values of a tree (JSON, YAML), columns of a table."""

import copy
import datetime
import re

import pyarrow as pa
from hypothesis import strategies as st

# What stands where a number should: nothing, signs, overflow, other digits, more digits than int() takes.
NUMERALS = (
    b"",
    b"0",
    b"-1",
    b"nan",
    b"inf",
    b"-inf",
    b"1e308",
    b"1e999",
    b"1e-320",
    b"4294967296",
    b"99999999999999999999",
    b"9" * 5000,
    b"0x10",
    b"1_0",
    b"1,5",
    "²".encode("latin-1"),
    "٣".encode(),
    b"a",
)
_FIELDS = (0x00000000, 0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, 0x7F800000, 0x7FC00000, 0xFF7FFFFF, 0x00000001)


class Content(bytes):
    """Bytes that are not printed."""

    def __repr__(self):
        return f"<{len(self)} bytes>"


@st.composite
def spoiled(draw, original):
    """The bytes of a valid file after one to four accidents."""
    data = bytes(original)
    for _ in range(draw(st.integers(1, 4))):
        data = draw(st.sampled_from(_ACCIDENTS))(draw, data)
    return Content(data)


def _place(draw, data):
    """A position; every other one in the first bytes, where headers are."""
    head = min(len(data), 300)
    return draw(st.one_of(st.integers(0, head), st.integers(0, len(data))))


def _truncate(draw, data):
    return data[: _place(draw, data)]


def _flip(draw, data):
    if not data:
        return data
    at = min(_place(draw, data), len(data) - 1)
    return data[:at] + bytes([data[at] ^ (1 << draw(st.integers(0, 7)))]) + data[at + 1 :]


def _field(draw, data):
    """A count, an offset or a float of four bytes that makes no sense."""
    at = _place(draw, data)
    value = draw(st.sampled_from(_FIELDS)).to_bytes(4, draw(st.sampled_from(("little", "big"))))
    return data[:at] + value + data[at + 4 :]


def _number(draw, data):
    """Another numeral in place of one that is written out."""
    found = list(re.finditer(rb"\d+(?:\.\d+)?", data[:4000]))
    if not found:
        return data
    match = draw(st.sampled_from(found))
    return data[: match.start()] + draw(st.sampled_from(NUMERALS)) + data[match.end() :]


def _insert(draw, data):
    at = _place(draw, data)
    return data[:at] + draw(st.binary(min_size=1, max_size=40)) + data[at:]


def _delete(draw, data):
    at = _place(draw, data)
    return data[:at] + data[at + draw(st.integers(1, 200)) :]


def _repeat(draw, data):
    """The beginning once more, as when two files are written into one."""
    at = _place(draw, data)
    return data[:at] + data


def _splice(draw, data):
    first, second = _place(draw, data), _place(draw, data)
    return data[:first] + data[second:]


def _line(draw, data):
    """A line twice, or not at all."""
    lines = data.split(b"\n")
    at = draw(st.integers(0, len(lines) - 1))
    return b"\n".join(lines[:at] + lines[at : at + 1] * draw(st.sampled_from((0, 2))) + lines[at + 1 :])


def _long_word(draw, data):
    at = _place(draw, data)
    return data[:at] + draw(st.sampled_from((b"a", b" ", b"9", b'"', b"[", b"\t"))) * 20_000 + data[at:]


def _encoding(draw, data):
    text = data.decode("latin-1")
    how = draw(st.sampled_from(("crlf", "cr", "bom", "utf-16", "utf-16-le", "zeros")))
    if how in ("crlf", "cr"):
        return data.replace(b"\n", b"\r\n" if how == "crlf" else b"\r")
    if how == "bom":
        return b"\xef\xbb\xbf" + data
    if how == "zeros":
        return bytes(len(data))
    return text.encode(how)


def _nothing(draw, data):
    return b""


_ACCIDENTS = (
    *(_truncate, _flip, _flip, _field, _field, _number, _number, _insert, _delete),
    *(_repeat, _splice, _line, _long_word, _encoding, _nothing),
)

# What YAML and JSON may hold in the place of a value.
ODD = (
    None,
    True,
    False,
    0,
    -1,
    1.0,
    2.5,
    float("nan"),
    float("inf"),
    -float("inf"),
    1e308,
    5e-324,
    10**9,
    2**63,
    10**400,
    "",
    " ",
    "no",
    "a\nb",
    "a\n",
    "\0",
    "\ud800",
    "²",
    "../..",
    "{x}",
    "**x",
    "/etc/[",
    "a" * 300,
    "語",
    [],
    {},
    [None],
    [[]],
    [1, "1"],
    ["a", "a"],
    {"a": 1},
    {"": {}},
    "all",
)
# What YAML has and JSON has not.
ODD_IN_YAML = (datetime.date(2026, 1, 2), b"\x00\xff", {1: 2}, {None: 1, "a": 2}, {False: "no"}, {1, 2})


@st.composite
def spoiled_tree(draw, original, odd=ODD):
    """A tree of dicts and lists after one to three accidents: a value, a key or an entry is another."""
    tree = copy.deepcopy(original)
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(tree))
        if not places:
            return tree
        parent, key = draw(st.sampled_from(places))
        how = draw(st.sampled_from(("value", "value", "other", "other", "absent", "key")))
        if how == "value":
            parent[key] = copy.deepcopy(draw(st.sampled_from(odd)))
        elif how == "other":
            # What is right elsewhere gets further than what is right nowhere.
            there, name = draw(st.sampled_from(places))
            parent[key] = copy.deepcopy(there[name])
        elif how == "absent":
            del parent[key]
        elif isinstance(parent, dict):
            name = draw(st.sampled_from(("x", "", "reader ", "a\nb", "語", "..", "a" * 300)))
            parent[name] = parent[key]
        else:
            parent.insert(key, copy.deepcopy(parent[key]))
    return tree


def _places(tree):
    """Every (parent, key or index) of a tree."""
    keys = list(tree) if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ()
    for key in keys:
        yield tree, key
        yield from _places(tree[key])


@st.composite
def spoiled_table(draw, original):
    """A table after one or two accidents to its columns, rows or metadata."""
    table = original
    for _ in range(draw(st.integers(1, 2))):
        how = draw(st.sampled_from(("drop", "rename", "value", "type", "rows", "twice", "metadata", "order")))
        at = draw(st.integers(0, max(0, table.num_columns - 1)))
        if how == "metadata":
            said = draw(
                st.sampled_from(
                    (b"", b"{", b"[]", b'{"rate": "x"}', b'{"rate": 0}', b'{"rate": NaN}', b"\xff")
                )
            )
            table = table.replace_schema_metadata({b"phonoscope": said})
        elif how == "rows" or not table.num_columns:
            table = table.slice(0, draw(st.integers(0, table.num_rows)))
        elif how == "order":
            table = table.take(pa.array(range(table.num_rows)[::-1], pa.int64()))
        elif how == "drop":
            table = table.remove_column(at)
        elif how == "twice":
            table = table.append_column(table.schema.field(at), table.column(at))
        elif how == "rename":
            table = table.rename_columns([*table.column_names[:at], "x", *table.column_names[at + 1 :]])
        else:
            table = _spoiled_column(draw, table, at, how)
    return table


def _spoiled_column(draw, table, at, how):
    values = table.column(at).to_pylist()
    if how == "type":
        odd = draw(st.sampled_from((1, 1.5, "a", None, b"\xff", [1], float("nan"), True)))
        column = pa.array([odd] * len(values))
    else:
        kind, odd = table.schema.field(at).type, [None]
        if pa.types.is_floating(kind):
            odd += [float("nan"), float("inf"), -1.0, 1e300]
        elif pa.types.is_integer(kind):
            odd += [-1]
        elif pa.types.is_string(kind):
            odd += ["", "x", "a\nb", "../x", *values[:1]]
        value = draw(st.sampled_from(odd))
        row = draw(st.integers(0, max(0, len(values) - 1)))
        values[row : row + 1] = [value] if values else []
        column = pa.array(values, kind)
    return table.set_column(at, table.column_names[at], column)
