"""What fuzzing found, once each: damage that ended in a traceback, a wrong table, or all of the memory."""

import re
import struct

import numpy as np
import pytest
from spoiling import seeds
from spoiling.formats import FORMATS
from test_readers import judge

from phonoscope.corpora import mview
from phonoscope.corpora.recordings import usable
from phonoscope.errors import InputError


def replaced(name, old, new):
    data = FORMATS[name].valid()
    assert old in data
    return data.replace(old, new, 1)


def swap(name, old, new, said):
    """A case: a format, its valid file with ``new`` for ``old``, and what is said of it."""
    return name, lambda: replaced(name, old, new), said


def turned(name, change, said):
    """A case: a format whose bytes are changed by a function."""
    return name, lambda: change(FORMATS[name].valid()), said


def tabled(name, change, said):
    """A case: a table that is changed by a function."""
    table = seeds.ema_table() if name == "ema_parquet" else seeds.recordings_table()
    return name, lambda: seeds.parquet(change(table)), said


def told(metadata):
    return lambda table: table.replace_schema_metadata({b"phonoscope": metadata})


def long_flac():
    """36 bits of the header say how many samples there are."""
    data = bytearray(FORMATS["flac"].valid())
    data[21] |= 0x0F
    data[22:26] = b"\xff" * 4
    return bytes(data)


def nested_mat(depth=5000):
    """A cell in a cell in a cell."""
    body = b""
    for _ in range(depth):
        head = struct.pack("<IIII", 6, 8, 1, 0) + struct.pack("<IIii", 5, 8, 1, 1) + struct.pack("<II", 1, 0)
        body = struct.pack("<II", 14, len(head) + len(body)) + head + body
    return FORMATS["mat"].valid()[:128] + body


def wide_mat():
    """A cell array of 2 ** 30 by 2 cells, in 48 bytes."""
    head = struct.pack("<IIII", 6, 8, 1, 0) + struct.pack("<IIii", 5, 8, 2**30, 2) + struct.pack("<II", 1, 0)
    return FORMATS["mat"].valid()[:128] + struct.pack("<II", 14, len(head)) + head


def pickled(codes):
    """A pickle by hand."""
    return seeds.zipped(b"\x80\x02" + codes)


def est_with_time(row, value):
    data = bytearray(seeds.est())
    at = data.index(b"EST_Header_End\n") + 15 + row * 8 * 4
    data[at : at + 4] = np.float32(value).tobytes()
    return bytes(data)


FOUND = {
    "est: a superscript is a digit to Python": swap("est_binary", b"200", b"\xb2", "NumFrames"),
    "est: more digits than int() takes": swap("est_binary", b"200", b"9" * 5000, "NumFrames"),
    "est: an infinite time": ("est_binary", lambda: est_with_time(199, np.inf), "not equally spaced"),
    "est: a time that is no number": ("est_binary", lambda: est_with_time(100, np.nan), "not equally spaced"),
    "ssff: a column without width": swap("ssff", b"posx FLOAT 1", b"posx FLOAT 0", "no column"),
    "ssff: a width beyond C": swap("ssff", b"FLOAT 1", b"FLOAT 1" + b"0" * 30, "header is not"),
    "ssff: an endless rate": swap("ssff", b"200.0", b"1e300", "not a rate"),
    "json: too many brackets": ("annotation", lambda: b"[" * 100_000, "RecursionError"),
    "json: too many brackets, for audio": ("bundle_audio", lambda: b"[" * 100_000, "no audio"),
    "json: a label that is a number": swap("annotation", b'"a"', b"7", "annotation"),
    "json: half a character": swap("annotation", b'"a"', b'"\\ud800"', "surrogates"),
    "json: a negative duration": swap("annotation", b"3999", b"-3999", "annotation"),
    "esps: a time without end": swap("esps", b"0.25", b"inf", "row 5"),
    "mat: nested until the stack ends": ("mat", nested_mat, "nested more than"),
    "mat: dimensions without bytes": ("mat", wide_mat, "1073741824 x 2"),
    "pt: an array of a terabyte": (
        "pt",
        lambda: pickled(b"cnumpy\nndarray\nJ\x00\x00\x00\x7f\x85R."),
        "TypeError",
    ),
    "pt: the number of an object": (
        "pt",
        lambda: pickled(b"}r\xff\xff\xff\x7f."),
        "there cannot be",
    ),
    "pt: a type that is not allowed": (
        "pt",
        lambda: pickled(b"cnumpy\ndtype\nU\x04V999\x85R."),
        "V999",
    ),
    "flac: 2 ** 36 samples": ("flac", long_flac, "decoded|ends after"),
    "flac: a part": turned("flac", lambda data: data[:20_000], "decoded|ends after"),
    "wav: one sample per second": swap("wav", struct.pack("<I", 16000), struct.pack("<I", 1), "makes no"),
    "speakers: a rate that is no number": swap("speakers", b"\t200", b"\tnan", "not a rate"),
    "speakers: a column twice": swap("speakers", b"\tfiles\t", b"\tsex\t", "two columns"),
    "recordings: an open quote swallows rows": swap(
        "recordings", b'"""Hello,"" she said"', b'"Hello', "quotes do not match"
    ),
    "fleurs: more digits than int() takes": swap("fleurs", b"16000", b"9" * 5000, "line 1"),
    "fleurs: no rows": ("fleurs", lambda: b"\n", "the sheet is empty"),
    "tusom: too long for a file name": swap("tusom", b"one.wav", b"o" * 300, "no recording"),
    "tusom: brackets without end": ("tusom", lambda: b"[" * 20_000, "more than 100 brackets"),
    "tusom: half a character": swap("tusom", b"dog", b'"\\ud800"', "lacks"),
    "textgrid: the last tier is missing": turned(
        "textgrid_short", lambda data: data.partition(b'"IntervalTier"\n"words"')[0], "entries"
    ),
    "table: no column of audio": tabled(
        "recordings_parquet", lambda table: table.drop_columns(["audio"]), "no column audio"
    ),
    "table: a rate of nothing": tabled("ema_parquet", told(b'{"rate": 0}'), "not a rate"),
    "table: metadata that are no JSON": tabled("ema_parquet", told(b"{"), "JSON"),
    "table: a flipped bit of a page": turned(
        "ema_parquet", lambda data: data.replace(b"u2", b"u\xff", 1), "not a readable table"
    ),
}


@pytest.mark.parametrize("case", FOUND)
def test_refused_in_a_line(nursery, tmp_path, case):
    name, content, said = FOUND[case]
    path = FORMATS[name].lay(tmp_path)
    path.write_bytes(FORMATS[name].valid())
    nursery.warm_up(FORMATS[name].reading, tmp_path)
    path.write_bytes(content())
    answer = judge(nursery, FORMATS[name], tmp_path, path.stat().st_size)
    assert answer["outcome"] == "refused" and re.search(said, answer["text"]), answer["text"]


def test_a_signal_of_three_dimensions_and_one_without_rate(tmp_path):
    from scipy.io import savemat

    kind = [(name, object) for name in ("NAME", "SRATE", "SIGNAL")]
    for rate, shape, said in ((200.0, (5, 3, 2), "3 dimensions"), (0.0, (5, 3), "`0.0` is not a rate")):
        savemat(
            tmp_path / "a.mat",
            {"A": np.array([("TT", rate, np.zeros(shape)), ("UL", 200.0, np.zeros(5))], kind)},
        )
        with pytest.raises(InputError, match=said):
            mview.read(tmp_path / "a.mat", {"TT": "TT"})


def test_a_text_may_hold_what_unicode_calls_the_end_of_a_line(tmp_path):
    from phonoscope.corpora.sheets import read_recordings

    (tmp_path / "r.tsv").write_text("utterance\ttext\nr1\ta\u2028b\x0cc\n", encoding="utf-8")
    assert read_recordings(tmp_path / "r.tsv")["r1"]["text"] == "a\u2028b\x0cc"


CORPUS = {"name": "c", "reader": "audio", "shards": 1, "on_error": "stop", "axes": {"x": "+x", "z": "+z"}}


@pytest.mark.parametrize("pattern", ["/etc/*", "**x/{stem}.wav", "a\0/{stem}.wav", "nowhere/{stem}.wav"])
def test_patterns_that_fit_nothing(tmp_path, pattern):
    with pytest.raises(InputError, match="Fix: "):
        usable(CORPUS | {"path": str(tmp_path), "files": {"audio": pattern}}, [], "bucket0")


def test_brackets_belong_to_a_name(tmp_path):
    for name in ("a[1]", "a1"):
        (tmp_path / f"{name}.wav").write_bytes(seeds.audio())
        (tmp_path / f"{name}.pos").write_bytes(b"")
    files = {"ema": "{stem}.pos", "audio": "*{stem}.wav"}
    corpus = CORPUS | {"path": str(tmp_path), "reader": "carstens_pos", "files": files, "sensors": {"TT": 1}}
    found, _ = usable(corpus, [], "bucket0")
    assert [recording.audio.rpartition("/")[2] for recording, _ in found] == ["a1.wav", "a[1].wav"]


@pytest.mark.parametrize("name", ["ssff", "mat", "est_binary"])
def test_a_speaker_without_any_sensor(tmp_path, name):
    from spoiling.readings import OPTIONS

    from phonoscope.corpora.articulation import filter_ema

    FORMATS[name].lay(tmp_path).write_bytes(FORMATS[name].valid())
    reader, ema = {
        "ssff": ("emu", "{stem}_bndl"),
        "mat": ("mview", "{stem}.mat"),
        "est_binary": ("est", "{stem}.ema"),
    }[name]
    corpus = CORPUS | {"path": str(tmp_path), "reader": reader, "files": {"ema": ema, "audio": "{stem}.wav"}}
    with pytest.raises(InputError, match="none of the sensors"):
        filter_ema(corpus | {"sensors": {"TT": "none"}}, [], "bucket0", OPTIONS)
