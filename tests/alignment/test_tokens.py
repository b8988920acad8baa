"""Texts to tokens: which of the vocabulary, from which characters, and what is passed over."""

import unicodedata
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonoscope.alignment import phones
from phonoscope.alignment.tokens import Tokeniser
from phonoscope.errors import InputError


def aligner(*tokens, phonetic=False, delimiter=None, blank=0):
    vocabulary = {token: index for index, token in enumerate(("<pad>", *tokens))}
    silence = 0 if blank is None else None
    known = {"vocabulary": vocabulary, "classes": len(vocabulary), "blank": blank, "silence": silence}
    return SimpleNamespace(**known, phonetic=phonetic, delimiter=delimiter)


def said(tokeniser, text):
    """Labels, the characters that they stand for, and what was passed over."""
    tokens, lacking = tokeniser(text)
    return [(token.label, text[token.start : token.end]) for token in tokens], lacking


def test_characters_in_any_case_and_normal_form():
    tokeniser = Tokeniser(aligner("A", "É", "ch", "c", "h"), "characters")
    assert said(tokeniser, "aé") == ([("A", "a"), ("É", "é")], "")
    assert said(tokeniser, unicodedata.normalize("NFD", "aé")) == ([("A", "a"), ("É", "e\u0301")], "")
    assert said(tokeniser, "hcha")[0] == [("h", "h"), ("ch", "ch"), ("A", "a")]


def test_what_the_vocabulary_lacks_is_passed_over_and_keeps_its_place():
    found, lacking = said(Tokeniser(aligner("a", "b"), "characters"), "a 12-ж, b!")
    assert found == [("a", "a"), (None, "1"), ("b", "b")] and lacking == "12ж"
    assert said(Tokeniser(aligner("a", blank=None), "characters"), "a1")[0] == [("a", "a")]


def test_what_is_lacking_has_a_column_that_is_always_certain():
    tokeniser = Tokeniser(aligner("a", "b"), "characters")
    tokens, _ = tokeniser("a7")
    log_probs = np.log(np.random.default_rng(0).dirichlet(np.ones(3), size=5)).astype(np.float32)
    extended = tokeniser.extend(log_probs)
    np.testing.assert_array_equal(extended[:, :3], log_probs)
    np.testing.assert_allclose(extended[:, tokens[1].column], 0, atol=1e-6)


def test_a_delimiter_stands_between_words_only():
    found, lacking = said(Tokeniser(aligner("a", "b", "|", delimiter="|"), "characters"), "  a  b | a\n")
    assert found == [("a", "a"), (None, " "), ("b", "b"), (None, " "), ("a", "a")] and not lacking


def test_special_tokens_are_not_matched():
    vocabulary = aligner("<unk>", "[UNK]", "<", "u", "n", "k", ">")
    assert [label for label, _ in said(Tokeniser(vocabulary, "characters"), "<unk>")[0]] == list("<unk>")


def test_a_blank_of_any_name_is_not_matched():
    vocabulary = aligner("_", "a", blank=1)
    assert said(Tokeniser(vocabulary, "characters"), "a_a")[0] == [("a", "a"), ("a", "a")]


def test_auto_romanises_for_a_latin_vocabulary_where_that_helps():
    latin, cyrillic = aligner(*"abdeinr"), aligner(*"абджи")
    assert said(Tokeniser(latin), "Нина")[0] == [("n", "Н"), ("i", "и"), ("n", "н"), ("a", "а")]
    assert said(Tokeniser(latin), "dé")[0] == [("d", "d"), ("e", "é")]
    assert said(Tokeniser(cyrillic), "жa") == ([("ж", "ж"), (None, "a")], "a")
    assert said(Tokeniser(latin, "characters"), "На") == ([(None, "Н")], "На")


IPA = ["a", "e", "i", "ə", "u", "k", "p", "r", "s", "t", "ts", "tʃʲ", "ie", "x", "ɡ", "n"]


@pytest.fixture(scope="module")
def ipa():
    return Tokeniser(aligner(*IPA, phonetic=True, blank=None))


def test_phones_of_a_transcription(ipa):
    assert said(ipa, "kʰəri˧˩") == ([("kʰ", "kʰ"), ("ə", "ə"), ("r", "r"), ("i", "i")], "")
    # The tilde belongs to the vowel, whatever tone letters stand between.
    assert said(ipa, "nu˧˩̃˧˩")[0] == [("n", "n"), ("ũ", "u˧˩̃")]
    # A diphthong and an affricate are one phone, two vowels of two syllables are not.
    assert [label for label, _ in said(ipa, "t͡sie˥ tsi˥e˥")[0]] == ["t͡s", "ie", "ts", "i", "e"]
    assert said(ipa, "ga2\x1d") == ([("ɡ", "g"), ("a", "a")], "")
    assert said(ipa, "aж") == ([("a", "a")], "ж")
    assert ipa.tier == "phone"


def test_phones_that_are_not_known_are_as_probable_as_those_near_to_them(ipa):
    tokens, _ = ipa("kʰx")
    assert ipa.substituted["kʰ"] == "k" and "x" not in ipa.substituted
    probabilities = np.random.default_rng(0).dirichlet(np.ones(len(IPA) + 1), size=4)
    extended = np.exp(ipa.extend(np.log(probabilities).astype(np.float32)))
    for token, phone in zip(tokens, ("kʰ", "x"), strict=True):
        near = dict(phones.Kin(IPA).near(phone))
        expected = sum(probabilities[:, 1 + k] * near.get(label, 0) for k, label in enumerate(IPA))
        np.testing.assert_allclose(extended[:, token.column], expected, rtol=1e-5)


def test_tone_letters_and_digits_may_be_tokens():
    tokeniser = Tokeniser(aligner("j", "u", "2", "˥", "˥˧", phonetic=True))
    assert [label for label, _ in said(tokeniser, "ju2ju3˥")[0]] == ["j", "u", "2", "j", "u", "˥"]
    # They are no phones that others could be near to.
    assert {label for label, _ in tokeniser.kin.near("y")} == {"j", "u"}


def test_romanised_letters_as_rough_phones(ipa):
    roman = Tokeniser(aligner(*IPA, phonetic=True, blank=None), "romanised")
    assert said(roman, "Пират")[0] == [("p", "П"), ("i", "и"), ("r", "р"), ("a", "а"), ("t", "т")]
    assert roman.tier == "phone"


def test_what_cannot_be_asked_for():
    with pytest.raises(InputError, match="`letters` is not known.*Fix: use one of auto, phones"):
        Tokeniser(aligner("a"), "letters")
    with pytest.raises(InputError, match="no phone of IPA"):
        Tokeniser(aligner("|", "7", "Я"), "phones")


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet="aeiəukprstxʰʲ͡˥˧˩̃ \u0301 ʔɯgжQ23.\x1d", max_size=25))
def test_phones_are_in_order_and_stand_for_their_characters(ipa, text):
    tokens, lacking = ipa(text)
    assert all(0 <= token.start < token.end <= len(text) and token.label for token in tokens)
    assert [token.start for token in tokens] == sorted(token.start for token in tokens)
    # Every vowel and consonant of the vocabulary is in a token: a letter too many or too few would show.
    covered = {at for token in tokens for at in range(token.start, token.end)}
    assert {at for at, letter in enumerate(text) if letter in "aeiəukprstx"} <= covered
    assert set(lacking) <= set("жʰʲ̃͡\u0301ʔɯq")


# Nearness


def test_near_phones_share_features():
    kin = phones.Kin(["a", "i", "u", "p", "b", "k", "ts", "tʃ", "ai"])
    for phone, nearest in (("ɑ", "a"), ("ɪ", "i"), ("ʊ", "u"), ("pʰ", "p"), ("t͡s", "ts"), ("ũ", "u")):
        assert kin.near(phone)[0][0] == nearest, phone
    distances = dict(kin.near("p"))
    assert distances["p"] == 1 and distances["p"] > distances["b"] > distances["k"] > distances["a"] > 0
    assert "ai" not in distances and kin.near("ai") == [("ai", 1.0)]
    # Voicing weighs 0.125, and goes from -1 to 1.
    assert distances["b"] == pytest.approx(np.exp(-2 * 0.125 / phones.SCALE))
