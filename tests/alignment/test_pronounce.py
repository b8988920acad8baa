"""Words of texts, and their phones by each way that there is."""

import random
import sys
from types import SimpleNamespace

import pytest

from phonoscope.alignment import espeak, pronounce
from phonoscope.alignment.likeness import distance
from phonoscope.alignment.pronounce import rough_ipa, spoken, words
from phonoscope.errors import InputError

needs_espeak = pytest.mark.skipif(not espeak.installed(), reason="espeakng-loader is not installed")


def only(texts, *args):
    """The phones of texts of one word each."""
    return [found[0][1] for found in pronounce.pronounce(texts, *args)[0]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("In America, Nina's well-known “map” – 1999.", "In America Nina's well known map 1999"),
        ("l’été 'tis done'", "l’été tis done"),
        ("Москва\u00a0— столица…", "Москва столица"),
        ("ti\u1ebfng Vi\u00ea\u0323t", "tiếng Việt"),  # composed
        ("नमस्ते, दुनिया", "नमस्ते दुनिया"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("กรุงเทพมหานครเป็นเมืองหลวง", "กรุงเทพมหานคร เป็น เมืองหลวง"),
        ("ວຽງຈັນເປັນເມືອງ", "ວຽງຈັນ ເປັນ ເມືອງ"),
        ("WHO组织", "WHO 组织"),
        ("我去日。", "我去 我去日 去日"),
        ("山", "山"),
        ("… — !", ""),
        ("", ""),
    ],
)
def test_words_of_texts(text, expected):
    assert words(text) == expected.split()


def test_a_name_is_among_the_stretches_of_a_script_without_spaces():
    assert {"莫斯科", "東京タワー"} <= {*words("我去莫斯科。"), *words("東京タワーへ")}
    assert max(map(len, words("一" * 20))) == 6


def test_what_nothing_cuts_into_words_is_refused():
    with pytest.raises(InputError, match="nothing cuts Myanmar into words"):
        words("မြန်မာ")


@needs_espeak
def test_espeak_knows_how_languages_are_read():
    (moscow,), (moskva,), (moscu,) = (
        only([text], language) for text, language in (("Moscow", "en"), ("Москва", "ru"), ("Moscú", "es"))
    )
    assert moskva == ("m", "ʌ", "s", "k", "v", "ɑ") and moscu == ("m", "o", "s", "k", "u")
    assert max(distance(moscow, moskva), distance(moscow, moscu), distance(moskva, moscu)) < 0.44
    (calor,), (hot,) = only(["calor"], "es"), only(["hot"], "en")
    assert distance(calor, hot) > 0.6


@needs_espeak
def test_espeak_does_not_depend_on_order():
    known = ["Anna", "read", "1999", "water", "the", "Tchaikovsky", "x", "'", "☃", "a b, c. d"]
    shuffled = random.Random(0).sample(known, len(known))
    alone = {word: espeak.phones([word], "en-us")[0] for word in known}
    assert dict(zip(shuffled, espeak.phones(shuffled, "en-us"), strict=True)) == alone


@needs_espeak
def test_espeak_reads_names_of_other_alphabets_but_does_not_spell_scripts():
    assert espeak.phones(["Tokyo"], "ru")[0]
    # Names of letters would be taken for the word.
    assert espeak.phones(["東京"], "ja") == [[]]
    assert "kʰ" in espeak.phones(["卡拉"], "cmn")[0]
    assert espeak.phones([], "en") == []


@needs_espeak
def test_a_voice_that_is_not_there(caplog):
    with pytest.raises(InputError, match="there is no voice xx"):
        pronounce.pronounce(["a"], "en", "espeak", "xx")
    with pytest.raises(InputError, match="there is no voice xx"):
        pronounce.pronounce(["a"], "en", "auto", "xx")
    found, way = pronounce.pronounce(["Moskwa"], "xx")
    assert way == "romanised" and found == [[("moskwa", ("m", "o", "s", "k", "w", "a"))]]
    assert "there is no voice xx" in caplog.text and "silent letters" in caplog.text


def test_without_espeak_letters_are_romanised_with_a_warning(monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    found, way = pronounce.pronounce(["Москва, чай!", "", "Чай"], "ru")
    assert way == "romanised" and "espeakng-loader is not installed" in caplog.text
    tea = ("чай", ("t͡ʃ", "a", "i"))
    assert found == [[("москва", ("m", "o", "s", "k", "v", "a")), tea], [], [tea]]
    with pytest.raises(InputError, match="espeak-ng gave no phones"):
        monkeypatch.setattr(sys, "executable", "false")
        pronounce.pronounce(["a"], "en", "espeak")


def test_rough_values_of_letters():
    assert rough_ipa("tschuksha") == ["tʃ", "u", "k", "ʃ", "a"]
    assert rough_ipa("Xenia 12") == ["ks", "e", "n", "i", "a"]
    assert rough_ipa("") == []


def test_epitran_where_it_is_installed(monkeypatch):
    class Epitran:
        def __init__(self, code):
            if code != "fin-Latn":
                raise ValueError("no such file")

        def transliterate(self, word):
            return word.replace("k", "kː")

    monkeypatch.setitem(sys.modules, "epitran", None)
    with pytest.raises(InputError, match="epitran is not installed"):
        pronounce.pronounce(["kala"], "fi", "epitran", "fin-Latn")
    monkeypatch.setitem(sys.modules, "epitran", SimpleNamespace(Epitran=Epitran))
    for way in ("epitran", "auto"):
        found, taken = pronounce.pronounce(["kala"], "fi", way, "fin-Latn")
        assert taken == "epitran" and found == [[("kala", ("kː", "a", "l", "a"))]]
    for code in ("xxx-Latn", None):
        with pytest.raises(InputError, match="epitran does not know"):
            pronounce.pronounce(["kala"], "fi", "epitran", code)


def test_languages_without_a_way(caplog):
    with pytest.raises(InputError, match="no word of xx gets phones"):
        pronounce.pronounce(["12 34"], "xx", "romanised")
    with pytest.raises(InputError, match="`letters` is not known"):
        pronounce.pronounce(["a"], "en", "letters")
    assert pronounce.pronounce(["", "…"], "xx", "romanised") == ([[], []], "romanised")
    pronounce.pronounce(["12 kala"], "xx", "romanised")
    assert "1 of 2 words get no phones" in caplog.text


def segment(utterance, tier, start, end, label):
    row = {"utterance_id": utterance, "tier": tier, "start_s": start, "end_s": end, "label": label}
    return row


def test_spoken_words_have_the_phones_with_their_centres_in_them():
    rows = [
        segment("u", "word", 0.5, 1.0, "Näin."),
        segment("u", "word", 0.1, 0.5, "in the"),
        segment("u", "phone", 0.0, 0.1, "sil"),
        segment("u", "phone", 0.45, 0.54, "ə"),  # 0.495: in the first
        segment("u", "phone", 0.1, 0.45, "ɪ"),
        segment("u", "phone", 0.54, 0.7, "tʃ"),
        segment("u", "phone", 0.7, 1.0, "sil"),
        segment("v", "word", 0.0, 1.0, "alone"),
        segment("w", "phone", 0.0, 1.0, "a"),
    ]
    assert spoken(rows) == {"u": [("in the", ("ɪ", "ə")), ("näin", ("t͡ʃ",))]}
    assert spoken([]) == {}
