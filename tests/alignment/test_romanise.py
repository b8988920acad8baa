"""Romanisation keeps hold of the characters that its letters stand for."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonoscope.alignment import romanise

TEXTS = {
    "người đường": "nguoi duong",
    "В Америке Нина": "V Amerike Nina",
    "ไทย 123": "thai 123",
    "": "",
    "12 $ 🙂": "12 $ 🙂",
}


@pytest.mark.parametrize("text", TEXTS)
def test_letters_of_known_texts(text):
    assert "".join(letter for letter, *_ in romanise.letters(text)) == TEXTS[text]


def test_letters_know_their_characters():
    assert romanise.letters("жа ñ") == [
        ("z", 0, 1), ("h", 0, 1), ("a", 1, 2), (" ", 2, 3), ("n", 3, 4)
    ]  # fmt: skip
    # Two characters that uroman writes as two letters in another order share them.
    assert romanise.letters("เก") == [("k", 0, 1), ("e", 1, 2)]
    # Five letters for three characters: each has one or two.
    shares = [(start, end) for _, start, end in romanise.letters("ไทย")]
    assert shares[0][0] == 0 and shares[-1][1] == 3 and all(end - start == 1 for start, end in shares)


SCRIPTS = "aZé ạ̃жЁ中日本ไกเแมำ่້ເກາມမြန်ောင်း'12๒½，。-\u200b\u0301🙂\x1d"


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet=SCRIPTS, max_size=30))
def test_offsets_are_within_the_text_and_in_order(text):
    found = romanise.letters(text)
    assert all(0 <= start < end <= len(text) for _, start, end in found)
    starts = [start for _, start, _ in found]
    assert starts == sorted(starts)
    spaces = {at for at, character in enumerate(text) if character == " "}
    # Full-width punctuation is romanised with a space.
    assert spaces <= {start for letter, start, _ in found if letter == " "}
