"""Thai tones from spelling, and the syllables of words."""

import pytest

from phonoscope.alignment.tones import Unreadable, thai

# Smyth, Thai: An Essential Grammar (2002), 2.4-2.6 and Haas, The Thai System of Writing (1956): class of the
# initial × live, dead, mark.
TABLE = {
    # low class: live mid; ่ falling; ้ high; dead short high, dead long falling
    "mid": "มา คน ลม เมีย เรือ วัว นำ ไฟ ใน เรา เลย เงิน เพียร ธรรม พรหม จันทร์ ไทย ฟิล์ม ควร กวน",
    "falling": "ค่า พ่อ ไม่ ว่า เพื่อ มาก เลือก รูป โชค ภาพ ทราบ ชาติ ค่ะ ข้าว บ้าน ได้ สร้าง เก้า หน้า ญาติ",
    "high": "น้ำ ม้า รู้ เนื้อ รัก นก คะ เยอะ เพราะ และ โต๊ะ เก๊ คิด พุทธ ฤทธิ์ พฤกษ์ เล็ก แพะ",
    # mid and high class: ่ and dead low; high class live rising; ๋ rising
    "low": "กัด จาก ปีก ออก เด็ก ไก่ ข่าว สี่ หก ผัก ขาด หนึ่ง หมด อยู่ อยาก เกาะ จักร ศาสตร์ กะ สุข บัตร",
    "rising": "หมา ขา สาม หนู หวาน ถือ ผม เขียน เสีย เสือ เก๋ ตั๋ว เดี๋ยว หงส์ สวย ศร ใส เห็น สรร",
}
WORDS = [(word, tone) for tone, words in TABLE.items() for word in words.split()]


def read(text):
    return [(each.text, each.tone) for each in thai.syllables(text)]


def test_the_table_covers_all_tones():
    assert len(WORDS) >= 90 and set(TABLE) == set(thai.TONES)


@pytest.mark.parametrize(("word", "tone"), WORDS)
def test_syllables_one_by_one(word, tone):
    assert thai.tone(word) == tone
    assert read(word) == [(word, tone)]


# Haas, on unwritten vowels and on consonants that lend their class.
@pytest.mark.parametrize(
    ("word", "cut", "tones"),
    [
        ("ถนน", "ถ นน", "low rising"),
        ("ขนม", "ข นม", "low rising"),
        ("ตลาด", "ต ลาด", "low low"),
        ("สนุก", "ส นุก", "low low"),
        ("อร่อย", "อ ร่อย", "low low"),
        ("ฝรั่ง", "ฝ รั่ง", "low low"),
        ("สวรรค์", "ส วรรค์", "low rising"),
        ("มหา", "ม หา", "high rising"),
        ("แสดง", "แส ดง", "low mid"),
        ("เสมอ", "เส มอ", "low rising"),
        ("แถลง", "แถ ลง", "low rising"),
        ("เจริญ", "เจ ริญ", "low mid"),
        ("สโมสร", "ส โม สร", "low mid rising"),
        ("กลม", "กลม", "mid"),
        ("กระเป๋า", "กระ เป๋า", "low rising"),
        ("ประเทศ", "ประ เทศ", "low falling"),
        ("งบประมาณ", "งบ ประ มาณ", "high low mid"),
        ("หนังสือ", "หนัง สือ", "rising rising"),
        ("นักเรียน", "นัก เรียน", "high mid"),
        ("ราตรี", "รา ตรี", "mid mid"),
        ("ลึกลับ", "ลึก ลับ", "high high"),
        ("กษัตริย์", "ก ษัตริย์", "low low"),
        ("การ์ตูน", "การ์ ตูน", "mid mid"),
        ("คอมพิวเตอร์", "คอม พิว เตอร์", "mid mid mid"),
        ("สนุกสนาน", "ส นุก ส นาน", "low low low rising"),
        ("ก็", "ก็", "falling"),
        ("ณ", "ณ", "high"),
        ("ฤดู", "ฤ ดู", "high mid"),
    ],
)
def test_words_of_several_syllables(word, cut, tones):
    assert read(word) == list(zip(cut.split(), tones.split(), strict=True))


def test_marks_and_vowels_in_another_order_are_the_same():
    assert thai.tone("นำ้") == thai.tone("น้ำ") == thai.tone("น้ํา") == "high"
    assert thai.tone("ก่ิง") == thai.tone("กิ่ง") == "low"


@pytest.mark.parametrize("word", ["ค๊ะ", "ข๋า"])
def test_marks_of_another_class_are_not_read(word):
    with pytest.raises(Unreadable, match="mid class"):
        thai.tone(word)


@pytest.mark.parametrize("word", ["", "ข", "ขนม", "กรกฎาคม", "abc", "๒", "า", "เ", "ก่้า", "์", "ๆ"])
def test_what_is_not_one_syllable_is_not_read(word):
    with pytest.raises(Unreadable):
        thai.tone(word)


def test_a_sentence_with_all_sorts():
    found = thai.syllables("พ.ศ. 2566 เด็กๆ ใช้ iPhone ฯลฯ จราจร😀")
    reasons = {each.text: each.reason for each in found if each.tone is None}
    assert reasons == {
        "พ": "an abbreviation",
        "ศ": "an abbreviation",
        "2566": "a number",
        "ๆ": "a sign of repetition or omission",
        "ฯ": "a sign of repetition or omission",
        "ล": "not the spelling of a Thai syllable",
        "iPhone": "another script",
        "จ": "a consonant before ร, read with a or with ɔː",
    }
    assert [(each.text, each.tone) for each in found if each.tone] == [
        *[("เด็ก", "low"), ("ใช้", "high"), ("รา", "mid"), ("จร", "mid")]
    ]


def test_nothing_is_downloaded(monkeypatch):
    import socket

    def refuse(*_):
        raise AssertionError("a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert len(thai.syllables("ประเทศไทยรวมเลือดเนื้อชาติเชื้อไทย")) == 9


# Haas (1956), on the letters of one sound; Tingsabadh and Abramson (1993), on the sounds.
SOUNDS = {
    "kʰaː": "ขา คา ค่า ข้า ฆ่า ค้า",
    "kaː": "กา ก้า",
    "paː": "ปา ป่า",
    "ka": "กะ",
    "kaːn": "กาน การ กาญ กาฬ",
    "kaːŋ": "กาง",
    "kaːt": "กาด กาศ กาส กาจ",
    "tɕaj": "ใจ ไจ จัย ใจ้",
    "nam": "นำ นัม น้ำ",
    "maː": "มา หมา ม้า",
    "law": "เลา เหลา เล่า",
    "juː": "ยู อยู่ หญู",
    "saːŋ": "สาง สร้าง ซาง",
    "saːp": "ทราบ สาป ซาบ",
    "san": "สัน สรร สัญ",
    "tʰam": "ทำ ธรรม ทัม",
    "kon": "กน กล",
    "kɔːn": "กร กอน ก้อน",
    "lɤːj": "เลย",
    "tɤːn": "เติน เติร",
    "tua": "ตัวะ",
    "tuaː": "ตัว ตั๋ว",
    "kuaːn": "กวน ก๊วน",
    "kʰuaːn": "ควน ขวน ควร",
    "kʰwaːn": "ควาน ขวาน",
    "miaː": "เมีย",
    "rɯaː": "เรือ เหรือ",
    "pʰrɯk": "พฤกษ์ พรึก",
    "krit": "กฤษณ์ กริต",
    "pʰuːt": "พูด ภูต",
    "wan": "วัน วรรณ หวั่น",
}


@pytest.mark.parametrize(("sounds", "words"), SOUNDS.items())
def test_spellings_of_one_sound_are_one_kind(sounds, words):
    for word in words.split():
        assert thai.kind(word) == sounds, word


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("ตลาด", "ta laːt"),
        ("ขนม", "kʰa nom"),
        ("แสดง", "sa dɛːŋ"),
        ("เสมอ", "sa mɤː"),
        ("ก็ ณ", "kɔ na"),
        ("เขียวขวา", "kʰiaːw kʰwaː"),
        ("จริง", "tɕiŋ"),
    ],
)
def test_kinds_of_words(text, kinds):
    assert [each.kind for each in thai.syllables(text)] == kinds.split()
