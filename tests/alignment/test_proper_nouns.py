"""Proper nouns by capitals, by a list and by spaCy."""

import csv
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from phonoscope.alignment.proper_nouns import find, read_names
from phonoscope.errors import InputError

CORPUS = Path(__file__).parents[2] / "resources" / "corpora" / "synthetic-parallel"


def names(text, *others, language="en", **options):
    return find([text, *others], language, **options)[0][0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("In America the fish sings.", ["America"]),
        ("The fish sings.", []),
        ("I think I'm late.", []),
        ("It rains. The fish sings! Why? Because… Well.", []),
        ("He said: “Go home”, then “Stay here” (As always).", []),
        ("He said: 'Go home'.", []),
        ("« Allons » dit Marie", ["Marie"]),
        ("¿Vienes? ¡Claro!", []),
        ("We met J. Smith and Dr. Watson there.", ["Smith", "Dr", "Watson"]),
        ("the road from d'Artagnan to Saint-Petersburg", ["Artagnan", "Saint", "Petersburg"]),
        ("В доме Нина рисует И\u0306ошкара", ["Нина", "Йошкара"]),
        ("they go to NASA today", ["NASA"]),
        ("THE QUICK BROWN FOX JUMPS OVER DOGS", []),
        ("The Longest Journey Begins Again", []),
        ("", []),
        ("12 … 3!", []),
    ],
)
def test_capitals_within_sentences(text, expected):
    assert names(text) == expected


def test_a_first_word_is_a_name_if_it_is_one_elsewhere():
    assert names("Nina sings.", "Here Nina sings.") == ["Nina"]
    assert names("Nina sings.", "Nina reads.") == []  # never within a sentence
    assert names("May rain come.", "In May it may rain.") == []  # also in lower case


def test_languages_without_telling_capitals(caplog):
    assert find(["Der Mann sieht Ulm."], "de") == ([[]], "")
    assert "all nouns have a capital" in caplog.text
    assert find(["我去莫斯科", "in lower case"], "zh") == ([[], []], "")
    assert "no capitals that could tell" in caplog.text
    assert find([], "en") == ([], "")


def test_a_list_of_names_counts_in_every_language(tmp_path):
    path = tmp_path / "names.txt"
    path.write_text("\ufeff# places\nUlm\n\nnew york  # a city\n莫斯科\nमॉस्को\n", encoding="utf-8")
    listed = read_names(path)
    assert listed == ["Ulm", "new york", "莫斯科", "मॉस्को"]
    assert find(["Der Mann sieht Ulm."], "de", names=listed) == ([["Ulm"]], "names")
    assert names("in NEW YORK city", names=listed) == ["NEW", "YORK", "new york"]
    assert names("new yorkers and Ulmers", names=listed) == ["Ulmers"]
    assert names("我去莫斯科。", names=listed, language="zh") == ["莫斯科"]
    assert names("मैं मॉस्को में", names=listed, language="hi") == ["मॉस्को"]
    assert names("मैं मॉस्कोवा में", names=listed, language="hi") == []
    assert find(["To Ulm."], "en", names=listed) == ([["Ulm"]], "capitals and names")


def test_bad_lists(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_names(tmp_path / "none.txt")
    (tmp_path / "empty.txt").write_text("# nothing\n")
    with pytest.raises(InputError, match="is empty"):
        read_names(tmp_path / "empty.txt")
    (tmp_path / "latin.txt").write_bytes("Zoë".encode("latin-1"))
    with pytest.raises(InputError, match="cannot be read"):
        read_names(tmp_path / "latin.txt")


def spacy_of(tag):
    """A spaCy whose model tags words as ``tag`` says."""

    def load(model):
        if model != "good":
            raise OSError("[E050] Can't find model")
        return SimpleNamespace(
            pipe=lambda texts: ([SimpleNamespace(text=w, pos_=tag(w)) for w in t.split()] for t in texts)
        )

    return SimpleNamespace(load=load)


def test_spacy_where_a_model_is_given(monkeypatch):
    monkeypatch.setitem(sys.modules, "spacy", None)
    with pytest.raises(InputError, match="spaCy is not installed"):
        find(["a"], "en", "good")
    monkeypatch.setitem(sys.modules, "spacy", spacy_of(lambda w: "PROPN" if w == "nina" else "NOUN"))
    # Lower case and German are nothing to a tagger.
    assert find(["see nina", "The Nile"], "de", "good") == ([["nina"], []], "spacy good")
    assert find(["see nina", "to ulm"], "de", "good", ["ulm"])[0] == [["nina"], ["ulm"]]
    with pytest.raises(InputError, match="spaCy cannot load the model"):
        find(["a"], "en", "absent")
    monkeypatch.setitem(sys.modules, "spacy", spacy_of(lambda w: ""))
    with pytest.raises(InputError, match="does not tag parts of speech"):
        find(["a"], "en", "good")
    assert find(["", ""], "en", "good")[0] == [[], []]


@pytest.mark.parametrize("language", ["en", "fi", "ru", "es"])
def test_names_of_the_shipped_sentences(language):
    """Capitals find every name but one that stands only at beginnings, and nothing else."""
    read = {
        name: list(csv.DictReader((CORPUS / f"{name}.tsv").open(encoding="utf-8"), delimiter="\t"))
        for name in ("phrases", "sentences")
    }
    named = {row["concept"] for row in read["phrases"] if row["kind"] == "name"}
    truth = {row["sentence_id"] for row in read["sentences"] if named & set(row["concepts"].split())}
    found, _ = find([row[language] for row in read["sentences"]], language)
    ours = {row["sentence_id"] for row, nouns in zip(read["sentences"], found, strict=True) if nouns}
    missed = [row["concepts"] for row in read["sentences"] if row["sentence_id"] in truth - ours]
    assert not ours - truth
    assert len(ours) >= 50 and all("maria" in concepts for concepts in missed)
