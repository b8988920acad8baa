"""Speaker and recording sheets."""

from pathlib import Path

import pytest

from phonoscope.corpora.sheets import read_recordings, read_speakers, settings
from phonoscope.errors import InputError

SHEETS = Path(__file__).resolve().parents[2] / "config" / "speakers"


def test_comments_and_absent_columns(tmp_path):
    path = tmp_path / "s.tsv"
    path.write_text("# a comment\nspeaker\tsex\nanna\tf\n\n# another\nber-1\n")
    rows = read_speakers(path)
    assert [row["speaker"] for row in rows] == ["anna", "ber-1"]
    assert rows[0]["sex"] == "f" and rows[1]["sex"] == "" and rows[0]["sensors"] == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("speaker\tgender\nanna\tf\n", "header: unknown columns gender"),
        ("speaker\n", "no rows with a column `speaker`"),
        ("sex\nf\n", "no rows with a column `speaker`"),
        ("", "no rows with a column `speaker`"),
        ("speaker\nanna\nanna\n", "row 2: `anna` appears twice"),
        ("speaker\tsex\n\tf\n", "row 1: the column `speaker` is empty"),
        ("speaker\tsex\nanna\tf\tx\n", "row 1: 3 cells under 2 columns"),
        ("speaker\n../anna\n", "cannot be part of a file name"),
    ],
)
def test_refused(tmp_path, text, said):
    path = tmp_path / "s.tsv"
    path.write_text(text)
    with pytest.raises(InputError, match=rf"s\.tsv: .*{said}.*Fix: "):
        read_speakers(path)


def test_unreadable(tmp_path):
    with pytest.raises(InputError, match=r"gone\.tsv: not a readable sheet"):
        read_speakers(tmp_path / "gone.tsv")
    (tmp_path / "latin.tsv").write_bytes("speaker\nJürgen\n".encode("latin-1"))
    with pytest.raises(InputError, match="Fix: give a UTF-8"):
        read_speakers(tmp_path / "latin.tsv")


def test_recordings_by_stem(tmp_path):
    path = tmp_path / "r.tsv"
    path.write_text("utterance\ttask\ttext\nrec1\tread\tHello you\n")
    assert read_recordings(path)["rec1"]["text"] == "Hello you"


def test_a_speaker_overrides_the_corpus():
    corpus = {
        "reader": "emu",
        "files": {"ema": "{stem}", "audio": None},
        "sensors": {"TT": 7, "TD": 8},
        "ema_rate": 250,
    }
    plain = settings(corpus, {"speaker": "a"})
    assert plain["sensors"] == {"TT": 7, "TD": 8} and plain["axes"] == {"x": "+x", "z": "+z"}
    assert plain["files"] == {"ema": "{stem}"} and plain["ema_rate"] == 250 and plain["mm_per_unit"] == 1
    row = {
        "speaker": "b",
        "sensors": "TT=14, TD=none",
        "axes": "x=-y",
        "reader": "est",
        "ema_rate": "500",
        "files_audio": "w",
    }
    own = settings(corpus, row)
    assert own["sensors"] == {"TT": "14", "TD": None} and own["axes"] == {"x": "-y", "z": "+z"}
    assert own["reader"] == "est" and own["ema_rate"] == 500 and own["files"]["audio"] == "w"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"sensors": "TT:14"}, "`TT:14` is not of the form name=value"),
        ({"axes": "x=-w"}, "`x=-w` is not an axis"),
        ({"axes": "y=+y"}, "`y=.y` is not an axis"),
        ({"ema_rate": "fast"}, "`fast` is not a rate"),
    ],
)
def test_bad_overrides(row, said):
    with pytest.raises(InputError, match=f"{said}.*Fix: "):
        settings({"reader": "emu", "sensors": {}}, {"speaker": "a"} | row)


@pytest.mark.parametrize(("name", "n"), [("frost-ema", 18), ("hprc", 8), ("spire-ema", 38), ("real-ema", 4)])
def test_shipped_sheets(name, n):
    assert len(read_speakers(SHEETS / f"{name}.tsv")) == n


def test_frost_ema_as_in_the_paper():
    rows = read_speakers(SHEETS / "frost-ema.tsv")
    assert [sum(row["native_language"] == one for row in rows) for one in ("fi", "ru")] == [11, 7]
    assert {row["speaker"]: row["sensors"] for row in rows if row["sensors"]} == {
        "fin_kh5_f": "TT=14",
        "rus_kh18_m": "TD=14",
    }
