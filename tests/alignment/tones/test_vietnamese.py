"""Vietnamese tones from diacritics."""

import unicodedata

import pytest

from phonoscope.alignment.tones import Unreadable, vietnamese

# The six tones as in Thompson, A Vietnamese Reference Grammar (1965), on words for all kinds of onset, glide,
# nucleus and final.
TABLE = {
    "ngang": "ma ba anh em nghiêng khuya quê hươu chuông yêu thuê cây trăng giêng oai boong hoa",
    "huyen": "mà gì hòa hoà quỳnh người bàn huyền trường giờ chiều vườn ừ bằng",
    "sac": "má quốc giếng khuất nước thích tháp xoắn buýt ấm trứng đất ý",
    "hoi": "mả hỏi khuỷu thuở ngủ quyển của biển tưởng ổi ngoẻo",
    "nga": "mã ngã Nguyễn sữa chữ muỗi vẫn ễnh dõng",
    "nang": "mạ nặng giặt quạt ngoạm học một lịch được đẹp thuộc tiệt ạ",
}
WORDS = [(word, tone) for tone, words in TABLE.items() for word in words.split()]


def test_the_table_covers_all_tones():
    assert len(WORDS) >= 60 and set(TABLE) == set(vietnamese.TONES)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize(("word", "tone"), WORDS)
def test_words(word, tone, form):
    assert vietnamese.tone(unicodedata.normalize(form, word)) == tone
    assert vietnamese.tone(unicodedata.normalize(form, word.upper())) == tone


def test_a_mark_typed_before_the_circumflex_is_still_the_tone():
    assert vietnamese.tone("e\u0300\u0302") == vietnamese.tone("ề") == "huyen"
    assert vietnamese.tone("tru\u0323\u031bc") == vietnamese.tone("trực") == "nang"


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        *[
            (word, "not a Vietnamese syllable")
            for word in ("Washington", "axit", "TP", "blu", "ace", "x", "quu", "qo")
        ],
        *[(word, "neither sắc nor nặng") for word in ("bit", "càp", "tìch", "hõc", "mảt")],
        ("bá\u0300", "two tone marks"),
        ("b\u0301a", "not on a vowel"),
        ("\u0301", "not on a vowel"),
        ("", "not a Vietnamese syllable"),
        ("ha noi", "not a Vietnamese syllable"),
        ("ð\u00e0", "not a Vietnamese syllable"),
    ],
)
def test_what_is_not_a_syllable_is_not_read(word, reason):
    with pytest.raises(Unreadable, match=reason):
        vietnamese.tone(word)


def test_a_sentence():
    text = "Năm 2023, ở Hà-Nội: H5N1 😀 Pa-ri!"
    found = vietnamese.syllables(text)
    assert [(each.text, each.tone) for each in found] == [
        *[("Năm", "ngang"), ("2023", None), ("ở", "hoi"), ("Hà", "huyen"), ("Nội", "nang")],
        *[("H5N1", None), ("Pa", "ngang"), ("ri", "ngang")],
    ]
    assert [each.reason for each in found if each.tone is None] == ["a number", "a number"]


# Thompson (1965), on the letters of one sound; Kirby (2011), on those that are one in Hanoi.
SOUNDS = {
    "ma": "ma mà Má mả mã mạ",
    "kuôc": "quốc cuốc cuộc",
    "kwa": "qua quá",
    "hwa": "hoa hòa hoà",
    "kwi": "quy qui quỳ",
    "ki": "ky kí",
    "li": "ly lí",
    "i": "ý ỷ",
    "iêu": "yêu",
    "ngiêng": "nghiêng Nghiễng",
    "ge": "ghe ghé",
    "di": "gì dì rì",
    "diêng": "giêng giếng riêng",
    "diêt": "giết diệt",
    "da": "gia da ra",
    "xa": "xa sa",
    "cha": "cha tra",
    "đa": "đa đá",
    "twi": "tuy tuỵ",
    "tui": "tui túi",
    "tai": "tai tái",
    "tay": "tay táy",
    "tây": "tây tấy",
    "khwia": "khuya",
    "thwơ": "thuở",
    "kwiên": "quyên quyển",
    "ngweo": "ngoẻo",
    "đương": "đường đương",
}


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize(("sounds", "words"), SOUNDS.items())
def test_spellings_of_one_sound_are_one_kind(sounds, words, form):
    for word in words.split():
        assert vietnamese.kind(unicodedata.normalize(form, word)) == sounds, word
