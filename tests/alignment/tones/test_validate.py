"""Agreement of a rule with a dictionary."""

import random

import pytest

from phonoscope.alignment.tones import validate, vietnamese
from phonoscope.errors import InputError

CONTOURS = {"ngang": "˧˧", "huyen": "˨˩", "sac": "˧˦", "hoi": "˧˩", "nga": "˦ˀ˥", "nang": "˧˨ ʔ"}
WORDS = [onset + vowel for onset in "mbltnchvgs" for vowel in "aàáảãạ"]


def line(word, tone=None):
    return f"{word}\tm a {CONTOURS[tone or vietnamese.tone(word)]}"


def dictionary(tmp_path, lines):
    path = tmp_path / "words.tsv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_dictionary_of_the_rule_agrees(tmp_path):
    summary, confusion = validate.agreement("vietnamese", dictionary(tmp_path, map(line, WORDS)))
    assert summary["agreement"] == summary["words_agreed"] == 1.0
    assert summary["n_words"] == summary["n_syllables"] == len(WORDS) == 60
    assert summary["chance"] < 0.3
    assert {(row["tone"], row["expected"]) for row in confusion} == {(t, t) for t in vietnamese.TONES}
    assert sum(row["n"] for row in confusion) == 60


def test_planted_errors_are_found(tmp_path):
    lines = [line(word, "huyen") if word in ("má", "bạ", "la") else line(word) for word in WORDS]
    summary, confusion = validate.agreement("vietnamese", dictionary(tmp_path, lines))
    assert summary["agreement"] == pytest.approx(57 / 60)
    wrong = sorted(
        (row["contour"], row["tone"], row["n"]) for row in confusion if row["tone"] != row["expected"]
    )
    assert wrong == [("˨˩", "nang", 1), ("˨˩", "ngang", 1), ("˨˩", "sac", 1)]


def test_labels_without_relation_to_contours_are_at_chance(tmp_path):
    draw = random.Random(0)
    onsets = [*"bcdđghlmnrstvx", "th", "tr", "ch", "kh", "ph", "ng"]
    words = [onset + vowel for onset in onsets for vowel in "aàáảãạoòóỏõọuùúủũụeèéẻẽẹ"]
    lines = [line(word, draw.choice(vietnamese.TONES)) for word in words]
    summary, _ = validate.agreement("vietnamese", dictionary(tmp_path, lines))
    # Fitted and scored on the same words, the majority would reach more than a fifth.
    assert summary["n_syllables"] == 480 and 0.1 < summary["agreement"] < 0.21


def test_what_is_not_scored_is_counted_and_listed(tmp_path):
    lines = [*map(line, WORDS), "axit\tʔ aː ˧˧ s i t̚ ˧˦", "bit\tb i t ˧˧", "hà nội\th aː ˨˩", ""]
    summary, _ = validate.agreement("vietnamese", dictionary(tmp_path, lines))
    assert (summary["n_words"], summary["n_syllables"]) == (63, 60)
    assert (summary["other_length"], summary["unreadable"]) == (2, 1)
    assert summary["other_length_listed"] == "axit hà nội" and summary["unreadable_listed"] == "axit bit"


def test_a_table_leaves_out_other_contours(tmp_path):
    table = {contour.split()[0]: tone for tone, contour in CONTOURS.items()}
    lines = [*map(line, WORDS), "ma\tm a ˥˥", "má\tm a ˧˧"]
    summary, _ = validate.agreement("vietnamese", dictionary(tmp_path, lines), table)
    assert summary["other_contours"] == 1 and summary["n_syllables"] == 61
    assert summary["agreement"] == pytest.approx(60 / 61)
    assert summary["words_agreed"] == pytest.approx(59 / 60)
    with pytest.raises(InputError, match="has no tone high"):
        validate.agreement("vietnamese", dictionary(tmp_path, lines), {"˥": "high"})


def test_burmese_accents_and_reduced_vowels(tmp_path):
    lines = ["ကလေး\tk ə l é", "ကောက်\tk a ʊ ʔ", "မြန်မာ\tm j à ɴ m à", "ကမ္ဘာ\tɡ ə b à", "အိတ်\tʔ e ɪ ʔ"]
    table = {"◌̀": "low", "◌́": "high", "◌̰": "creaky", "ʔ": "checked"}
    summary, _ = validate.agreement("burmese", dictionary(tmp_path, lines), table)
    assert (summary["n_syllables"], summary["reduced"], summary["agreement"]) == (6, 2, 1.0)


@pytest.mark.parametrize(
    ("ipa", "found"),
    [
        ("k a ˨˩ k u t̚ ˨˩", ["˨˩", "˨˩"]),
        ("ʔ ɗ aː ˨˩ f ə t̚ ˧˨ ʔ", ["˨˩", "˧˨"]),
        ("h aː n ˦ˀ˥", ["˦ˀ˥"]),
        ("ma˥ma˨˩", ["˥", "˨˩"]),
        ("m a ⁵¹ p a ³³ l a ²", ["⁵¹", "³³", "²"]),
        ("θ ə j ɛ́ ʔ ə", ["ə", "◌́", "ə"]),
        ("k á ʊ ɴ ɡ a̰", ["◌́", "◌̰"]),
        ("k o k", [""]),
        ("", []),
    ],
)
def test_contours_of_transcriptions(ipa, found):
    assert validate.contours_of(ipa) == found


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"ma\tm a\n", "too few words"),
        (b"ma m a\n", "without a tab"),
        (b"\xff\xfe\x00", "not a readable dictionary"),
        (b"", "too few words"),
    ],
)
def test_bad_dictionaries_are_refused(tmp_path, content, message):
    path = tmp_path / "bad.tsv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        validate.agreement("vietnamese", path)
    with pytest.raises(InputError, match="not a readable"):
        validate.agreement("vietnamese", tmp_path / "none.tsv")


def test_the_printed_result_has_numbers_and_table(tmp_path):
    shown = validate.text(*validate.agreement("vietnamese", dictionary(tmp_path, map(line, WORDS))))
    assert "agreement: 1.0000" in shown and "contour\thoi\thuyen\tnang\tnga\tngang\tsac" in shown
    assert "˦ˀ˥\t0\t0\t0\t10\t0\t0" in shown
