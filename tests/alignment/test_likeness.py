"""Distances of words against a search over all alignments and against panphon's own."""

import random
import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from panphon.distance import Distance

from phonoscope.alignment import likeness
from phonoscope.alignment.likeness import distance, distances, segments

CONSONANTS = ["p", "b", "t", "d", "k", "ɡ", "m", "n", "s", "z", "ʃ", "f", "v", "x", "l", "t͡ʃ", "ɾ"]
PHONES = [*CONSONANTS, "a", "e", "i", "o", "u", "ə", "ɨ", "j", "w", "ʔ", "h", "ãː"]
PHONES = [unicodedata.normalize("NFD", phone) for phone in PHONES]
WORDS = st.lists(st.sampled_from(PHONES), max_size=6).map(tuple)
PANPHON = Distance()


def of(ipa):
    return segments(ipa)[0]


def exchange(a, b):
    """What it costs to exchange two phones, from panphon's features."""
    one, other = (PANPHON.fm.word_to_vector_list(phone, numeric=True)[0] for phone in (a, b))
    pairs = zip(PANPHON.fm.weights, one, other, strict=False)
    return min(sum(weight * abs(x - y) for weight, x, y in pairs) / likeness.SCALE, 1)


def cheapest(a, b):
    """Every alignment of two words, without a table."""
    if not a or not b:
        return len(a) + len(b)
    return min(1 + cheapest(a[1:], b), 1 + cheapest(a, b[1:]), exchange(a[0], b[0]) + cheapest(a[1:], b[1:]))


@settings(deadline=None, max_examples=60)
@given(WORDS.filter(lambda word: len(word) < 5), WORDS.filter(lambda word: len(word) < 5))
def test_the_distance_is_that_of_the_best_of_all_alignments(a, b):
    assert distance(a, b) == pytest.approx(cheapest(a, b) / max(len(a), len(b), 1), abs=1e-12)


def test_at_panphons_scale_it_is_panphons_distance(monkeypatch):
    # Leaving a phone out costs the sum of the weights there; no two consonants of these differ by more.
    monkeypatch.setattr(likeness, "SCALE", sum(PANPHON.fm.weights))
    rng = random.Random(1)
    for _ in range(50):
        a, b = (tuple(rng.choices(CONSONANTS[:10], k=rng.randint(1, 8))) for _ in "ab")
        theirs = PANPHON.weighted_feature_edit_distance_div_maxlen("".join(a), "".join(b))
        assert distance(a, b) * likeness.SCALE == pytest.approx(theirs)


@settings(deadline=None, max_examples=100)
@given(WORDS, WORDS)
def test_identity_symmetry_and_range(a, b):
    assert distance(a, a) == 0
    assert distance(a, b) == pytest.approx(distance(b, a), abs=1e-12)
    assert 0 <= distance(a, b) <= 1
    # Features are distances: words at 0 are the same but for tones and such.
    assert (distance(a, b) == 0) == (a == b)


def test_together_as_one_by_one(monkeypatch):
    rng = random.Random(2)
    words = [tuple(rng.choices(PHONES, k=rng.randint(0, 9))) for _ in range(40)]
    first, second = (np.array(each) for each in zip(*np.ndindex(40, 40), strict=True))
    one_by_one = [distance(words[i], words[j]) for i, j in zip(first, second, strict=True)]
    for block in (1, 7, 4096):
        monkeypatch.setattr(likeness, "BLOCK", block)
        np.testing.assert_allclose(distances(words, first, second), one_by_one, atol=1e-12)


def test_words_known_to_be_alike():
    moscow = [of("mɑːskoʊ"), of("mʌskva"), of("mosku")]
    assert all(distance(a, b) < 0.44 for a in moscow for b in moscow)
    assert distance(of("hɑːt"), of("kaloɾ")) > 0.6
    assert distance(of("tæksi"), of("taksi")) < 0.1 < distance(of("tæksi"), of("pisaɾ"))
    # The longer word counts: what is alike is half of this one.
    assert distance(of("pata"), of("patakasu")) == 0.5


def test_phones_of_labels():
    assert of(["tʃ", "ɛ", "ɚ"]) == ("t͡ʃ", "ɛ", "ə", "ɾ")
    assert of(["aɪ"]) == ("a", "ɪ")  # two vowels are not one phone
    assert of(["dʒʲ"]) == ("d͡ʒʲ",)
    assert of(["kʰ", "k", "h"]) == ("kʰ", "k", "h")
    assert of("ˈmɒs.kəʊ") == of("m ɒ s k ə ʊ") == ("m", "ɒ", "s", "k", "ə", "ʊ")
    assert of("g") == of("ɡ")
    assert of("ma˥˧ 12") == of(["m", "a5"]) == ("m", "a")
    # Composed or not, a vowel keeps its mark.
    assert of("pã") == of(unicodedata.normalize("NFD", "pã")) == ("p", "a\u0303")
    assert distance(of("rɑk"), of("ɹɑk")) < 0.1


def test_what_is_no_phone_is_told():
    assert segments("a中☃b1?") == (("a", "b"), "中")
    assert segments("a\u03611") == (("a",), "") and segments("\u0361") == ((), "")
    assert segments("") == segments([]) == segments("ˈ 5 ˥") == ((), "")
    with pytest.raises(ValueError, match="'中' is not a phone"):
        distance(("a",), ("中",))


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet="aɪtʃʰːˈ˥ᵝ\u0361\u0303\u032f gʔ中☃1ɹɚ()", max_size=12))
def test_any_text_gives_phones_that_can_be_compared(text):
    phones, _ = segments(text)
    assert distance(phones, phones) == 0
    assert segments(phones) == (phones, "")


def test_words_without_phones():
    assert distance((), ()) == 0
    assert distance((), ("a",)) == distance(("a", "b"), ()) == 1
    assert distances([], [], []).shape == (0,)
    assert distances([("a",), ()], [0, 1], [1, 1]).tolist() == [1, 0]
