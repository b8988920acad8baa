"""One recording for each sentence and language."""

import pytest

from phonoscope import tables
from phonoscope.errors import InputError
from phonoscope.studies.alignment_sentences import EMPTY, FURTHER, MISSING, choose

OPTIONS = {"languages": None, "splits": [], "recordings": "first", "seed": 0}
# utterance_id, language, sentence_id, text, speaker, split
ROWS = [
    ("e1b", "en", "1", "one again", "bob", "test"),
    ("e1a", "en", "1", " ", "ann", "test"),
    ("e1c", "en", "1", "one more", "cy", "test"),
    ("e2", "en", "2", "two", "ann", "train"),
    ("f1", "fi", "1", "yksi", "dan", "test"),
    ("f2", "fi", "2", "", "dan", "test"),
    ("f3", "fi", "3", "kolme", "eve", "test"),
    ("r1", "ru", "1", "один", "ann", "test"),
]


@pytest.fixture
def path(tmp_path):
    def write(rows):
        names = ("utterance_id", "language", "sentence_id", "text", "speaker", "split")
        table = tables.from_rows([dict(zip(names, row, strict=True)) for row in rows], tables.UTTERANCES)
        tables.write(table, tmp_path / "u.parquet")
        return [tmp_path / "u.parquet"]

    return write


def ids(table):
    return table["utterance_id"].to_pylist()


def counts(left_out):
    return {(row["language"], row["reason"]): row["items"] for row in left_out.to_pylist()}


def test_the_first_recording_with_a_text_stands_for_a_sentence(path):
    chosen, left_out = choose(path(ROWS), OPTIONS)
    assert ids(chosen) == ["e1b", "e2", "f1", "f2", "f3", "r1"]
    assert chosen.schema.names == tables.UTTERANCES.names
    assert counts(left_out) == {
        ("en", FURTHER): 2,
        ("en", MISSING): 1,
        ("fi", EMPTY): 1,
        ("ru", MISSING): 2,
    }


def test_the_order_of_the_table_does_not_matter(path):
    first = choose(path(ROWS), OPTIONS)
    again = choose(path(ROWS[::-1]), OPTIONS)
    assert first[0].equals(again[0]) and first[1].equals(again[1])


def test_random_recordings_follow_the_seed_and_are_never_empty(path):
    rows = path(ROWS)
    found = {}
    for seed in range(30):
        options = OPTIONS | {"recordings": "random", "seed": seed}
        chosen = ids(choose(rows, options)[0])
        assert chosen == ids(choose(rows, options)[0])
        found.setdefault(chosen[0], []).append(seed)
    assert set(found) == {"e1b", "e1c"}


def test_speakers_are_taken_in_the_order_given_and_others_not_at_all(path):
    options = OPTIONS | {"recordings": {"speakers": ["cy", "bob", "dan"]}, "languages": ["en", "fi"]}
    chosen, left_out = choose(path(ROWS), options)
    assert ids(chosen) == ["e1c", "f1", "f2"]
    assert counts(left_out) == {("en", FURTHER): 1, ("en", MISSING): 1, ("fi", EMPTY): 1}


def test_splits_and_languages_are_kept_to(path):
    chosen, _ = choose(path(ROWS), OPTIONS | {"languages": ["fi", "en"], "splits": ["test"]})
    assert ids(chosen) == ["f1", "f2", "f3", "e1b"]


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"languages": ["en", "sv"]}, "no recordings of sv"),
        ({"languages": ["en"]}, "second language"),
        ({"splits": ["dev"]}, "second language"),
        ({"recordings": {"speakers": ["cy"]}}, "no recordings of fi, ru"),
    ],
)
def test_what_cannot_be_studied_is_refused(path, options, what):
    with pytest.raises(InputError, match=what):
        choose(path(ROWS), OPTIONS | options)


def test_sentences_must_be_parallel(path):
    rows = [("a", "en", "1", "one", "", ""), ("b", "fi", "2", "kaksi", "", ""), ("c", "fi", "1", " ", "", "")]
    with pytest.raises(InputError, match="two languages"):
        choose(path(rows), OPTIONS)


def test_a_recording_without_a_sentence_is_named(path):
    with pytest.raises(InputError, match="x9"):
        choose(path([*ROWS, ("x9", "en", None, "who", "ann", "test")]), OPTIONS)
