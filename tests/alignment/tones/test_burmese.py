"""Burmese tones from spelling, and the syllables of words."""

import pytest

from phonoscope.alignment.tones import Unreadable, burmese

# The rhymes of က in the order of the primers (open, nasal, stopped), each with its spellings of tone: Okell,
# A Reference Grammar of Colloquial Burmese (1969); Watkins (2001).
TABLE = {
    "low": "ကာ ဂါ ကီ ကူ ကေ ကယ် ကော် ကို ကင် ကည် ကဉ် ကန် ကမ် ကံ ကိန် ကိမ် ကုန် ကုံ ကောင် ကိုင် ကွန် ကိုယ် ဤ ဦ ဧ ဪ ကမ် သိုလ်",
    "high": "ကား ဂါး ကီး ကူး ကေး ကဲ ကော ကိုး ကင်း ကည်း ကန်း ကမ်း ကံး ကိန်း ကုန်း ကုံး ကောင်း ကိုင်း ကွန်း ဦး ဩ ဧး ဘူးလ်",
    "creaky": "က ကိ ကု ကေ့ ကဲ့ ကော့ ကော့် ကို့ ကင့် ကည့် ကန့် ကမ့် ကံ့ ကိန့် ကုန့် ကောင့် ကိုင့် ကာ့ ဣ ဥ ကျွ ကို့ ၏ ၍",
    "checked": "ကက် ကစ် ကတ် ကပ် ကိတ် ကိပ် ကုတ် ကုပ် ကောက် ကိုက် ကွတ် ဓာတ် ခေတ် ပုသ် ကတ္ ကစ္ ဥပ် ယဇ် လာဘ် ရပ်စ် ၌",
}
WORDS = [(word, tone) for tone, words in TABLE.items() for word in words.split()]


def read(text):
    return [(each.text, each.tone) for each in burmese.syllables(text)]


def test_the_table_covers_all_tones():
    assert len(WORDS) >= 90 and set(TABLE) == set(burmese.TONES)


@pytest.mark.parametrize(("word", "tone"), WORDS)
def test_syllables_one_by_one(word, tone):
    assert burmese.tone(word) == tone
    assert read(word) == [(word, tone)]


@pytest.mark.parametrize(
    ("word", "cut", "tones"),
    [
        ("မင်္ဂလာပါ", "မင်္ ဂ လာ ပါ", "low creaky low low"),
        ("ကမ္ဘာ", "ကမ္ ဘာ", "low low"),
        ("သတ္တဝါ", "သတ္ တ ဝါ", "checked creaky low"),
        ("ပြဿနာ", "ပြ ဿ နာ", "checked creaky low"),
        ("ယောက်ျား", "ယောက် ျား", "checked high"),
        ("ကျွန်ုပ်", "ကျွန် ုပ်", "low checked"),
        ("မြန်မာ", "မြန် မာ", "low low"),
        ("ကျေးဇူးတင်ပါတယ်", "ကျေး ဇူး တင် ပါ တယ်", "high high low low low"),
        ("ဣန္ဒြေ", "ဣန္ ဒြေ", "low low"),
        ("ဥပုသ်", "ဥ ပုသ်", "creaky checked"),
        ("ကလေး", "က လေး", "creaky high"),
        ("ပညာ", "ပ ညာ", "creaky low"),
    ],
)
def test_words(word, cut, tones):
    assert read(word) == list(zip(cut.split(), tones.split(), strict=True))


def test_the_dot_may_stand_before_or_after_the_killer():
    assert burmese.tone("ကန\u1037\u103a") == burmese.tone("ကန\u103a\u1037") == "creaky"


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        *[(word, "not a Burmese syllable") for word in ("", "ကာကာ", "abc", "၅", "်", "ာ", "က်", "ျား", "ၐ")],
        *[("ကာ့း", "two tone marks"), ("ကက်း", "a tone mark on a checked"), ("ကရ်", "silent consonant")],
        *[("ကဲာ", "do not go together"), ("ကျ်", "do not go together")],
    ],
)
def test_what_is_not_one_syllable_is_not_read(word, reason):
    with pytest.raises(Unreadable, match=reason):
        burmese.tone(word)


def test_a_sentence_with_all_sorts():
    found = burmese.syllables("၂၀၂၃ ခုနှစ်၊ ၎င်း TV။ က္😀")
    assert [(each.text, each.tone or each.reason) for each in found] == [
        *[("၂၀၂၃", "a number"), ("ခု", "creaky"), ("နှစ်", "checked"), ("၎င်း", "not a Burmese syllable")],
        *[("TV", "another script"), ("က္", "not a Burmese syllable")],
    ]


# Watkins (2001) has the rhymes, Okell (1969) their spellings.
SOUNDS = {
    "ka": "က ကာ ကား ကါ ကာ့",
    "ki": "ကိ ကီ ကီး ကည် ကည့် ကည်း",
    "ku": "ကု ကူ ကူး",
    "ke": "ကေ ကေ့ ကေး",
    "kɛ": "ကယ် ကဲ ကဲ့",
    "kɔ": "ကော ကော် ကော့",
    "ko": "ကို ကို့ ကိုး ကိုယ်",
    "kɪɴ": "ကင် ကင့် ကင်း ကဉ်",
    "kaɴ": "ကန် ကမ် ကံ ကံ့ ကန့် ကမ်း",
    "keɪɴ": "ကိန် ကိမ် ကိန်း",
    "koʊɴ": "ကုန် ကုံ ကုမ် ကုံး",
    "kaʊɴ": "ကောင် ကောင့် ကောင်း",
    "kaɪɴ": "ကိုင် ကိုင်း",
    "kʊɴ": "ကွန် ကွမ် ကွံ",
    "kɛʔ": "ကက် ကဂ် ကက္",
    "kɪʔ": "ကစ် ကဇ် ကစ္",
    "kaʔ": "ကတ် ကပ် ကဒ် ကသ် ကာတ်",
    "keɪʔ": "ကိတ် ကိပ်",
    "koʊʔ": "ကုတ် ကုပ် ကုသ်",
    "kaʊʔ": "ကောက်",
    "kaɪʔ": "ကိုက်",
    "kʊʔ": "ကွတ် ကွပ်",
    "kwa": "ကွ ကွာ ကွား",
    "kʰa": "ခ ခါး",
    "tɕi": "ကြီး ကျီ ကြည်",
    "ʃi": "ရှိ ရှီ",
    "m̥a": "မှ မှာ",
    "ʔu": "ဥ ဦ ဦး အု အူ",
    "ʔoʊʔ": "ဥပ် အုပ်",
    "ʔi": "ဣ ဤ အိ အီ ၏",
    "jwe": "ရွေ့ ၍",
    "n̥aɪʔ": "နှိုက် ၌",
    "ja": "ယာ ရာ",
    "ba": "ဗာ ဘ",
}


@pytest.mark.parametrize(("sounds", "words"), SOUNDS.items())
def test_spellings_of_one_sound_are_one_kind(sounds, words):
    for word in words.split():
        assert burmese.kind(word) == sounds, word
        assert [each.kind for each in burmese.syllables(word)] == [sounds], word


@pytest.mark.parametrize(
    ("word", "kinds"),
    [
        ("ယောက်ျား", "jaʊʔ tɕa"),
        ("ကျွန်ုပ်", "tɕʊɴ noʊʔ"),
        ("ပြဿနာ", "pjaʔ θa na"),
        ("ကမ္ဘာ", "kaɴ ba"),
        ("သတ္တဝါ", "θaʔ ta wa"),
        ("မင်္ဂလာ", "mɪɴ ɡa la"),
    ],
)
def test_kinds_of_what_is_written_in_one(word, kinds):
    assert [each.kind for each in burmese.syllables(word)] == kinds.split()


def test_signs_after_no_consonant_are_not_read():
    found = burmese.syllables("ကော်ျ")
    assert [(each.kind, each.reason) for each in found] == [("kɔ", None), (None, "not a Burmese syllable")]
