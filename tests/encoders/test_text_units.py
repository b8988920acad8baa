"""Tokens of a text in words, with the shipped byte-level tokenizer and with made-up offsets."""

from pathlib import Path

import pytest

from phonoscope.encoders.text_units import is_pronounced, without_spaces, words

MODEL = Path(__file__).resolve().parents[2] / "resources" / "models" / "whisper-tiny-transcribe"


@pytest.fixture(scope="module")
def offsets_of():
    from transformers import WhisperTokenizer

    tokenizer = WhisperTokenizer.from_pretrained(MODEL, local_files_only=True)
    return lambda text: [
        tuple(span)
        for span in tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("In the park.", ["In", "the", "park"]),
        (" «Anna» — it's well-known, 3.5 — no?", ["Anna", "it's", "well-known", "3.5", "no"]),
        ("В Америке Нина…", ["В", "Америке", "Нина"]),
        ("¿Qué? ¡Sí!", ["Qué", "Sí"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        (" 我们在iPhone。 ok", ["我", "们", "在", "i", "P", "h", "o", "n", "e", "ok"]),
        ("ที่นี่", ["ที่", "นี่"]),
        ("…", []),
        ("", []),
    ],
)
def test_words_of_the_byte_level_tokenizer(offsets_of, text, expected):
    offsets = offsets_of(text)
    found = words(text, offsets)
    labels = [label for label, _ in found]
    if "i" in expected:  # Latin letters in a Chinese stretch: as many as their tokens
        assert "".join(labels) == "".join(expected) and labels[:3] == expected[:3]
    else:
        assert labels == expected
    used = [token for _, tokens in found for token in tokens]
    assert used == sorted(set(used))
    for label, tokens in found:
        assert tokens == list(range(tokens[0], tokens[-1] + 1))
        assert label in text[offsets[tokens[0]][0] : offsets[tokens[-1]][1]]
    # What is in no word is not pronounced.
    for k, (first, last) in enumerate(offsets):
        assert k in used or not is_pronounced(text[first:last])


def test_space_of_its_own_belongs_to_the_word_behind_it():
    text, offsets = "ab cd", [(0, 2), (2, 3), (3, 5)]
    assert words(text, offsets) == [("ab", [0]), ("cd", [1, 2])]


def test_tokens_of_several_characters_stay_whole():
    # 我们 | 在 (two tokens of bytes) | 家。
    text, offsets = "我们在家。", [(0, 2), (2, 3), (2, 3), (3, 4), (4, 5)]
    assert words(text, offsets) == [("我们", [0]), ("在", [1, 2]), ("家", [3, 4])]
    # An opening bracket joins what follows it.
    text, offsets = "「家」", [(0, 1), (1, 2), (2, 3)]
    assert words(text, offsets) == [("家", [0, 1, 2])]


def test_texts_without_spaces():
    assert without_spaces("我们在家。") and without_spaces("ภาษาไทย ok") and without_spaces("カタカナ語")
    assert not without_spaces("Anna 家") and not without_spaces("") and not without_spaces("한국어 글")
