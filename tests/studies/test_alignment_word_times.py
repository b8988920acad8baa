"""Word times of a corpus: which heads, which space, and that nothing studied chooses them."""

from pathlib import Path

import pytest

from phonoscope import tables
from phonoscope.corpora.audio import load
from phonoscope.encoders import alignment_heads, whisper, word_times
from phonoscope.errors import InputError
from phonoscope.studies.alignment_word_times import heads_of, known_words, leading_space, time_words

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "resources" / "corpora" / "synthetic-parallel"
HEADS = {"given": {}, "splits": [], "max_recordings": 200, "most": 10}
OPTIONS = {"heads": HEADS, "leading_space": "auto", "stand_in": {}, "long": "leave_out"}
CHOOSING = OPTIONS | {"heads": HEADS | {"splits": ["train"], "max_recordings": 8}}
UPPER = [(1, 0), (1, 1), (1, 2), (1, 3)]


@pytest.fixture(scope="module")
def model():
    folder = ROOT / "resources" / "models" / "whisper-tiny-transcribe"
    return whisper.load({"name": "tiny", "path": str(folder)})


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """All recordings, those of the test's first eight sentences, and segments."""
    folder = tmp_path_factory.mktemp("corpus")
    rows = [
        row | {"audio": str(CORPUS / row["audio"])}
        for row in tables.read(CORPUS / "recordings.parquet").to_pylist()
    ]
    tables.write(tables.from_rows(rows, tables.UTTERANCES), folder / "all.parquet")
    chosen = [row for row in rows if row["split"] == "test"][:8]
    tables.write(tables.from_rows(chosen, tables.UTTERANCES), folder / "chosen.parquet")
    return folder / "chosen.parquet", [folder / "all.parquet"], [CORPUS / "segments.parquet"]


def test_times_are_those_of_the_library(model, files):
    chosen = files[0]
    found = time_words(model, chosen, OPTIONS)
    assert found.schema.equals(tables.SEGMENTS)
    about = tables.provenance(found)
    assert about["heads_from"] == "upper half of the layers" and about["leading_space"] is False
    rows = tables.read(chosen).to_pylist()
    texts, codes, names = ([row[key] for row in rows] for key in ("text", "language", "utterance_id"))
    audios = [load(row["audio"])[0] for row in rows]
    expected = word_times.word_times(model, audios, texts, codes, UPPER, leading_space=False, names=names)
    for row, word in zip(found.to_pylist(), [each for words in expected for each in words], strict=True):
        assert (row["tier"], row["label"], row["utterance_id"]) == (
            "word",
            word["word"],
            word["utterance_id"],
        )
        assert (row["start_s"], row["end_s"]) == (word["start_s"], word["end_s"])
        assert row["score"] == pytest.approx(word["score"])


def test_heads_are_given_told_chosen_or_the_upper_half(model, files, monkeypatch):
    known = known_words(model, CHOOSING, *files[1:], set())
    assert len(known) == 8 and {row["split"] for row in known} == {"train"}
    assert len({row["utterance_id"] for row in known}) == 8
    assert known[0]["known"] == sorted(known[0]["known"], key=lambda word: word[1])
    audios = [load(row["audio"])[0] for row in known]
    columns = ([row[key] for row in known] for key in ("text", "language", "known"))
    expected, error_s = alignment_heads.choose_heads(model, audios, *columns, leading_space=False)
    assert heads_of(model, HEADS, known, False) == (expected, "known times of 8 recordings", error_s)
    assert heads_of(model, HEADS | {"most": 1}, known, False)[0] == expected[:1]
    assert heads_of(model, HEADS, [], False) == (UPPER, "upper half of the layers", None)
    config = model.network.generation_config
    monkeypatch.setattr(config, "alignment_heads", [[1, 1], [0, 3]], raising=False)
    assert heads_of(model, HEADS, known, False) == ([(1, 1), (0, 3)], "generation config", None)
    given = HEADS | {"given": {"tiny": [[0, 2]], "other": [[0, 0]]}}
    assert heads_of(model, given, known, False) == ([(0, 2)], "config", None)


def test_what_is_studied_chooses_no_head(model, files):
    every = known_words(model, CHOOSING, *files[1:], set())
    studied = {row["utterance_id"] for row in every[::2]}
    assert not studied & {row["utterance_id"] for row in known_words(model, CHOOSING, *files[1:], studied)}
    many = CHOOSING | {"heads": CHOOSING["heads"] | {"max_recordings": 10_000}}
    assert len(known_words(model, many, *files[1:], studied)) == 384 - len(studied)
    assert known_words(model, OPTIONS, *files[1:], set()) == []
    with pytest.raises(InputError, match=r"word_times\.heads: no recording of the splits dev has words"):
        known_words(model, OPTIONS | {"heads": HEADS | {"splits": ["dev"]}}, *files[1:], set())


def test_the_space_in_front_is_what_texts_are_more_probable_with(model, files, monkeypatch):
    rows = [row | {"code": row["language"]} for row in tables.read(files[0]).to_pylist()]
    assert leading_space(model, rows) is False
    tokenizer, learned = model.tokenizer, []

    def turned(text, **options):
        """A tokenizer whose texts without a space are those with one, and the other way round."""
        learned.append(text)
        return tokenizer(text[1:] if text.startswith(" ") else " " + text, **options)

    monkeypatch.setattr(model, "tokenizer", turned)
    monkeypatch.setattr("phonoscope.encoders.text_units.words", lambda text, offsets: [("x", [0])])
    assert leading_space(model, rows) is True and len(learned) == 2 * len(rows)


def test_what_has_no_times_is_left_out_and_counted(model, files, tmp_path):
    rows = tables.read(files[0]).to_pylist()
    rows[0]["text"], rows[1]["duration_s"], rows[2]["language"] = "", 3.5, "olo"
    tables.write(tables.from_rows(rows, tables.UTTERANCES), tmp_path / "c.parquet")
    found = time_words(model, tmp_path / "c.parquet", OPTIONS)
    names = [row["utterance_id"] for row in rows[3:]]
    assert list(dict.fromkeys(found["utterance_id"].to_pylist())) == names
    reasons = {(each["language"], each["reason"]) for each in tables.provenance(found)["left_out"]}
    assert reasons == {
        (rows[0]["language"], "empty transcript"),
        (rows[1]["language"], "longer than the decoder's window"),
        ("olo", "language without a token"),
    }
    named = time_words(model, tmp_path / "c.parquet", OPTIONS | {"stand_in": {"olo": rows[3]["language"]}})
    assert rows[2]["utterance_id"] in named["utterance_id"].to_pylist()
    with pytest.raises(InputError, match="set long: leave_out"):
        time_words(model, tmp_path / "c.parquet", OPTIONS | {"long": "refuse"})
