"""Lao tones of Vientiane from spelling."""

import pytest

from phonoscope.alignment.tones import Unreadable, lao

# The Vientiane tone chart of SEAsite Laos (Northern Illinois University), cell by cell, with
# everyday words.
TABLE = {
    ("high", "live"): ("low_rising", "ຂາ ສາມ ຖາມ ຜົມ ຝົນ ຫູ ໝາ ໜູ ຫວານ ຫຼາຍ ຂຽນ ເສືອ ຫົວ ໃສ"),
    ("mid", "live"): ("low_rising", "ກາ ຕາ ປາ ດີ ຢາ ກິນ ຈານ ໄປ ເອົາ ກວາງ ບິນ ກຳ ຕົວ ເດືອນ"),
    ("low", "live"): ("high_rising", "ມາ ຄົນ ງູ ນາ ລົມ ວັນ ຮຽນ ເມຍ ເຮືອ ໄຟ ເຮົາ ນຳ ຄວາມ ງາມ"),
    ("any", "່"): ("mid", "ຂ່າ ກ່າ ຄ່າ ໄກ່ ໄຂ່ ແມ່ ພໍ່ ບໍ່ ໃໝ່ ກ່ຽວ ຫ່ານ ເມື່ອ"),
    ("high", "້"): ("low_falling", "ຂ້າ ເຂົ້າ ຫ້າ ຜ້າ ໜ້າ ສົ້ມ ຂ້ອຍ ຫຼິ້ນ"),
    ("mid", "້"): ("high_falling", "ບ້ານ ກ້າ ເຈົ້າ ໄດ້ ຕົ້ນ ກ້ວຍ ເກົ້າ"),
    ("low", "້"): ("high_falling", "ມ້າ ນ້ຳ ຊ້າງ ໄມ້ ຮ້ອນ ນ້ອຍ"),
    ("high", "dead long"): ("low_falling", "ຂາດ ສອບ ຫີບ ຫຼອດ ເຫດ ຂວດ ໝາກ"),
    ("mid", "dead long"): ("low_falling", "ປາກ ກາບ ອອກ ແປດ ຕອບ ກວດ"),
    ("low", "dead long"): ("high_falling", "ມາກ ເລືອດ ລູກ ໂທດ ຮີບ ຄຽດ"),
    ("high", "dead short"): ("high_rising", "ຫົກ ຜັກ ສິບ ຂະ ໝົດ ສຸກ"),
    ("mid", "dead short"): ("high_rising", "ເດັກ ກະ ຈັບ ປິດ ເຈັດ ເກາະ ຕຸ"),
    ("low", "dead short"): ("mid", "ນົກ ຮັກ ລະ ຄິດ ເລັກ ແລະ ເພາະ ມຸ"),
    ("mid", "rare marks"): ("high_rising", "ໂຕ໊ະ ກ໊ອກ"),
    ("mid", "catawa"): ("low_rising", "ເປົ໋າ ປີ໋"),
}
WORDS = [(word, tone) for tone, words in TABLE.values() for word in words.split()]


def read(text):
    return [(each.text, each.tone) for each in lao.syllables(text)]


def test_the_table_covers_all_tones():
    assert len(WORDS) >= 90 and {tone for tone, _ in TABLE.values()} == set(lao.TONES)


@pytest.mark.parametrize(("word", "tone"), WORDS)
def test_syllables_one_by_one(word, tone):
    assert lao.tone(word) == tone
    assert read(word) == [(word, tone)]


def test_both_spellings_of_a_leading_h_agree():
    for one, two in (("ໝາ", "ຫມາ"), ("ໜູ", "ຫນູ"), ("ຫຼາຍ", "ຫລາຍ")):
        assert lao.tone(one) == lao.tone(two)


@pytest.mark.parametrize("spelling", ["ນ້ຳ", "ນຳ້", "ນໍ້າ", "ນ້ໍາ"])
def test_marks_and_vowels_in_another_order_are_the_same(spelling):
    assert lao.tone(spelling) == "high_falling"
    assert read(f"ກິນ{spelling}ບໍ່") == [("ກິນ", "low_rising"), (spelling, "high_falling"), ("ບໍ່", "mid")]


def test_words_and_sentences():
    assert read("ໂທລະທັດ") == [("ໂທ", "high_rising"), ("ລະ", "mid"), ("ທັດ", "mid")]
    found = lao.syllables("ຂ້ອຍຮັກເຈົ້າ, ດີໆ 25 ຄົນ TV ກມ😀")
    assert [(each.text, each.tone or each.reason) for each in found] == [
        *[("ຂ້ອຍ", "low_falling"), ("ຮັກ", "mid"), ("ເຈົ້າ", "high_falling"), ("ດີ", "low_rising")],
        *[("ໆ", "a sign of repetition or omission"), ("25", "a number"), ("ຄົນ", "high_rising")],
        *[("TV", "another script"), ("ກມ", "not a Lao syllable with a written vowel")],
    ]


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        *[(word, "written vowel") for word in ("", "ຂ", "ກມ", "ກາມາ", "abc", "໕", "ະ", "ເ", "ຫດາ", "່")],
        *[("ກ່້າ", "two tone marks"), ("ມ໊າ", "mid class"), ("ຂ໋າ", "mid class")],
    ],
)
def test_what_is_not_one_syllable_is_not_read(word, reason):
    with pytest.raises(Unreadable, match=reason):
        lao.tone(word)


# Enfield (2007), on letters and sounds.
SOUNDS = {
    "kʰaː": "ຂາ ຄາ ຂ້າ ຄ່າ",
    "kaː": "ກາ ກ້າ",
    "paː": "ປາ ປ່າ",
    "ka": "ກະ",
    "kaːn": "ການ",
    "kaːŋ": "ກາງ",
    "saj": "ໃສ ໄສ ໃຊ້ ໄຊ ສັຍ",
    "nam": "ນຳ ນ້ຳ ນໍ້າ ນັມ",
    "maː": "ມາ ໝາ ຫມາ ມ້າ",
    "laːj": "ລາຍ ຫຼາຍ ຫລາຍ",
    "tʰaːŋ": "ທາງ ຖາງ",
    "hiaːn": "ຮຽນ ຫຽນ",
    "huaː": "ຫົວ ຮົວ",
    "kuaːt": "ກວດ",
    "kwaːt": "ກວາດ",
    "kɛːw": "ແກ້ວ",
    "kwɛːn": "ແກວນ",
    "hɛːŋ": "ແຫ່ງ ແຮງ",
    "ŋɛːn": "ແຫງນ",
    "wɛːn": "ແຫວນ ແວນ",
    "miaː": "ເມຍ",
    "siaː": "ເສຍ ເສັຽ ສຽ",
    "ʔɔːk": "ອອກ",
    "pʰɔ": "ເພາະ ເຜາະ",
    "ʔaw": "ເອົາ",
    "mɯaː": "ເມື່ອ ເໝືອ",
    "ɲaj": "ໃຫຍ່ ໄຍ",
    "jaː": "ຢາ",
    "ɲaː": "ຍາ ຫຍ້າ",
}


@pytest.mark.parametrize(("sounds", "words"), SOUNDS.items())
def test_spellings_of_one_sound_are_one_kind(sounds, words):
    for word in words.split():
        assert lao.kind(word) == sounds, word
