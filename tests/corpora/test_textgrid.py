"""TextGrids in both formats and three encodings, as Praat writes them."""

import numpy as np
import pytest
import soundfile

from phonoscope.corpora import labels
from phonoscope.corpora.tabulate import tabulate
from phonoscope.errors import InputError

LONG = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 1
tiers? <exists>
size = 3
item []:
    item [1]:
        class = "IntervalTier"
        name = "MAU"
        xmin = 0
        xmax = 1
        intervals: size = 4
        intervals [1]:
            xmin = 0
            xmax = 0.25
            text = ""
        intervals [2]:
            xmin = 0.25
            xmax = 0.5
            text = "t͡ɕ"
        intervals [3]:
            xmin = 0.5
            xmax = 0.75
            text = " say ""a"" "
        intervals [4]:
            xmin = 0.75
            xmax = 1
            text = " "
    item [2]:
        class = "IntervalTier"
        name = "tones"
        xmin = 0
        xmax = 1
        intervals: size = 2
        intervals [1]:
            xmin = 0
            xmax = 0.4
            text = "˥˧"
        intervals [2]:
            xmin = 0.4
            xmax = 1
            text = "2"
    item [3]:
        class = "TextTier"
        name = "peaks"
        xmin = 0
        xmax = 1
        points: size = 1
        points [1]:
            number = 0.3
            mark = "H*"
"""
SHORT = """File type = "ooTextFile"
Object class = "TextGrid"

0
1
<exists>
1
"IntervalTier"
"MAU"
0
1
2
0
0.5
""
0.5
1
"a"
"""
PHONES = [("phone", 0.25, 0.5, "t͡ɕ"), ("phone", 0.5, 0.75, 'say "a"')]
TONES = [("tone", 0.0, 0.4, "˥˧"), ("tone", 0.4, 1.0, "2")]


def read(path, **tiers):
    return [tuple(row.values()) for row in labels.read(path, tiers)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-bom", "utf-16-be-bom"])
def test_long_format_in_every_encoding(tmp_path, encoding):
    path = tmp_path / "a.TextGrid"
    bom = encoding.endswith("-bom")
    encoding = encoding.removesuffix("-bom")
    path.write_bytes(("\ufeff" * bom + LONG).encode(encoding))
    assert read(path, phone="MAU", tone="tones") == PHONES + TONES
    assert read(path, tone="tones") == TONES


def test_short_format_and_any_case_of_the_suffix(tmp_path):
    path = tmp_path / "a.textgrid"
    path.write_text(SHORT, encoding="utf-8")
    assert read(path, phone="MAU") == [("phone", 0.5, 1.0, "a")]


def test_windows_line_ends(tmp_path):
    path = tmp_path / "a.TextGrid"
    path.write_bytes(LONG.replace("\n", "\r\n").encode())
    assert read(path, tone="tones") == TONES


@pytest.mark.parametrize(
    ("text", "tiers", "said"),
    [
        (
            LONG,
            {"tone": "peaks"},
            "tiers.tone: the tier `peaks` holds points.*Fix: choose a tier of intervals",
        ),
        (LONG, {"phone": "KAN"}, "tiers.phone: there is no tier `KAN`.*Fix: choose among MAU, tones, peaks"),
        (LONG.replace('"tones"', '"MAU"'), {"phone": "MAU"}, "not a readable TextGrid .DuplicateTierName"),
        (LONG[:400], {"phone": "MAU"}, "not a readable TextGrid|no tier"),
        ("", {"phone": "MAU"}, "not a readable TextGrid|no tier"),
        ("a table\n1 2\n", {"phone": "MAU"}, "not a readable TextGrid|no tier"),
        (None, {"phone": "MAU"}, "not a readable TextGrid .FileNotFoundError"),
    ],
)
def test_bad_files_and_tiers(tmp_path, text, tiers, said):
    path = tmp_path / "bad.TextGrid"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=rf"bad\.TextGrid: .*({said})"):
        labels.read(path, tiers)


def test_bytes_that_are_no_text(tmp_path):
    path = tmp_path / "bad.TextGrid"
    path.write_bytes(bytes(range(128, 256)) * 3)
    with pytest.raises(InputError, match="not a readable TextGrid"):
        labels.read(path, {"phone": "MAU"})


@pytest.mark.parametrize(
    "pattern", ["*.TextGrid", "{stem}.TextGrid", "labels/*.TextGrid", "**/{stem}.TextGrid"]
)
def test_a_corpus_with_textgrids(tmp_path, pattern):
    home = tmp_path / "labels" if "/" in pattern else tmp_path
    home.mkdir(exist_ok=True)
    for stem in ("one", "two"):
        soundfile.write(tmp_path / f"{stem}.wav", np.zeros(16000), 16000)
    (home / "one.TextGrid").write_text(LONG, encoding="utf-16")
    corpus = {
        "name": "small", "reader": "audio", "path": str(tmp_path), "shards": 1, "on_error": "skip",
        "files": {"audio": "*.wav", "phones": pattern}, "tiers": {"phone": "MAU", "tone": "tones"},
    }  # fmt: skip
    utterances, segments, notes = tabulate(corpus, [], "bucket0")
    assert utterances["utterance_id"].to_pylist() == ["one", "two"]
    found = [tuple(row.values())[:5] for row in segments.to_pylist()]
    assert found == [("one", *row) for row in PHONES + TONES]
    (note,) = notes.to_pylist()
    assert note["utterance_id"] == "two" and "no segments: not a readable TextGrid" in note["reason"]
