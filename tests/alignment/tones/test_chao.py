"""Tone letters of transcriptions."""

import unicodedata
from pathlib import Path

import pytest

from phonoscope.alignment.tones import Unreadable, chao

TUSOM = Path(__file__).parents[4] / "shared" / "data" / "tusom2021"


# tusom2021 (Mortensen 2021): words with its own accents as the second opinion, see below; letters
# after the IPA Handbook (1999), 2.7.


@pytest.mark.parametrize(
    ("word", "cut", "tones"),
    [
        ("xu˥˧pi˥˩", "xu˥˧ pi˥˩", "˥˧ ˥˩"),
        ("kʰəri˧˩", "kʰə ri˧˩", "- ˧˩"),
        ("ʔɯ˧˩kʰənu˧˩˥˧pa˧˩", "ʔɯ˧˩ kʰə nu˧˩˥˧ pa˧˩", "˧˩ ˧˩ ˥˧ ˧˩"),
        ("kʰəŋə˥˧˧˩r", "kʰə ŋə˥˧˧˩r", "˥˧ ˧˩"),
        ("səŋo˥˧̃˧˩", "sə ŋo˥˧̃˧˩", "˥˧ ˧˩"),
        ("n˧˩t͡sʰɯ˥˩", "n˧˩ t͡sʰɯ˥˩", "˧˩ ˥˩"),
        ("hõ miɕie", "hõ mi ɕie", "- - -"),
        ("kʰan˥˧˧˩zɯ˥˩", "kʰan˥˧˧˩ zɯ˥˩", "- ˥˩"),
        ("ma˨˩˦", "ma˨˩˦", "˨˩˦"),
        ("pʰat˥ tai̯n˧", "pʰat˥ tai̯n˧", "˥ ˧"),
        ("ʔəkədã˧˩", "ʔə kə dã˧˩", "- - ˧˩"),
        ("˥", "˥", "˥"),
        ("", "", ""),
    ],
)
def test_words(word, cut, tones):
    found = chao.syllables(word)
    assert [each.text for each in found] == cut.split()
    assert [each.tone or "-" for each in found] == tones.split()
    assert all(each.tone or each.reason for each in found)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_both_forms_of_nasal_vowels_are_cut_alike(form):
    text = unicodedata.normalize(form, "kʰənã˧˩")
    assert [each.tone for each in chao.syllables(text)] == [None, "˧˩"]


@pytest.mark.parametrize(
    ("syllable", "reason"),
    [
        *[("pa", "no tone letters"), ("", "no tone letters"), ("pa˥ta˩", "more than one tone")],
        *[("kan˥˧˧˩", "more than one tone"), ("kʰəri˧˩", "more than one vowel")],
    ],
)
def test_what_is_not_one_toned_syllable_is_not_read(syllable, reason):
    with pytest.raises(Unreadable, match=reason):
        chao.tone(syllable)


def test_tone_and_kind_of_a_syllable():
    assert (chao.tone("ŋə˧˩r"), chao.kind("ŋə˧˩r")) == ("˧˩", "ŋər")
    assert [each.kind for each in chao.syllables("kʰənu˧˩̃ səŋo˥˧̃˧˩")] == [None, "nũ", "sə", "ŋõ"]
    with pytest.raises(Unreadable):
        chao.kind("kʰəri˧˩")


@pytest.mark.skipif(not TUSOM.is_dir(), reason="the words of East Tusom are not here")
def test_real_words_agree_with_their_accents():
    import yaml

    accents = {"\u0301": "˥˧", "\u0302": "˥˩", "\u0300": "˧˩"}
    words = yaml.safe_load((TUSOM / "train.yml").read_text()) | yaml.safe_load(
        (TUSOM / "dev.yml").read_text()
    )
    same = clear = 0
    for word in words.values():
        found = chao.syllables(word["tone_letters"])
        assert all(word["tone_letters"][each.start : each.end] == each.text for each in found)
        if not any(each.reason == "more than one tone" for each in found):
            expected = [accents[c] for c in unicodedata.normalize("NFD", word["tone_dias"]) if c in accents]
            clear += 1
            same += expected == [each.tone for each in found if each.tone]
    assert clear > 990 and same >= 0.995 * clear
