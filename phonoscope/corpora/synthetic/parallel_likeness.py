"""How alike two words of different languages sound: a distance between their phones.

Phones are first made broad (a table of letters: no length, no palatalisation, no geminates), since the
synthesiser writes each language in its own habit. The distance is then an edit distance over the longer
length, in which a phone of the same class costs half. It is coarse, and meant to be: it separates *taxi* and
*taksia* from *train* and *junaa*, and is no model of perception.
"""

import functools
import re

# A pair of words is marked as alike only up to this distance; any other pair is at least as far as UNLIKE.
ALIKE, UNLIKE = 0.45, 0.5
# Two phones are alike by chance.
SHORTEST = 3

_DIGRAPHS = {"tʃ": "č", "dʒ": "č", "eɪ": "e", "oʊ": "o", "ts": "t_s"}
_BROAD = {
    **dict.fromkeys("ɪɨᵻ", "i"),
    **dict.fromkeys("ɛ", "e"),
    **dict.fromkeys("æɑʌɐ", "a"),
    **dict.fromkeys("ɔɵɒ", "o"),
    **dict.fromkeys("ʊʉ", "u"),
    **dict.fromkeys("ɜ", "ə"),
    "ɚ": "ər",
    **dict.fromkeys("ɹɾ", "r"),
    **dict.fromkeys("ɭɫʎ", "l"),
    **dict.fromkeys("ɲŋ", "n"),
    **dict.fromkeys("θ", "s"),
    **dict.fromkeys("ʃɕ", "š"),
    **dict.fromkeys("ʒʑ", "ž"),
    "ð": "d",
    "β": "b",
    "ɣ": "g",
    "ɡ": "g",
    "ʋ": "v",
}
_VOWELS = ("iey", "øy", "aə", "ou")
_CONSONANTS = ("pb", "td", "kg", "fv", "szšžcč", "rl", "mn", "hx", "jw")
_GLIDES = ({"i", "j"}, {"u", "w"})


@functools.cache
def broad(phones, language):
    """Phones as a string of broad letters.

    Parameters
    ----------
    phones : str
        IPA, separated by spaces.
    language : str
        In English ɾ is a t or d, elsewhere an r.
    """
    if language == "en":
        phones = phones.replace("ɾ", "d")
    for phone, letter in _DIGRAPHS.items():
        phones = phones.replace(phone, letter)
    letters = "".join(_BROAD.get(letter, letter) for letter in phones)
    letters = re.sub(r"[^a-zøəšžč]", "", letters)
    return re.sub(r"(.)\1+", r"\1", letters)


def _cost(a, b):
    if a == b:
        return 0.0
    if {a, b} in _GLIDES:
        return 0.5
    vowels = [letter in "ieyøaəou" for letter in (a, b)]
    if any(vowels) != all(vowels):
        return 1.0
    if all(vowels) and "ə" in (a, b):
        return 0.5
    classes = _VOWELS if all(vowels) else _CONSONANTS
    return 0.5 if any(a in each and b in each for each in classes) else 1.0


@functools.cache
def distance(a, b):
    """Edit distance of two broad strings over the length of the longer one, 0 to 1."""
    above = [float(column) for column in range(len(b) + 1)]
    for row, x in enumerate(a, 1):
        line = [float(row)]
        for column, y in enumerate(b, 1):
            change = above[column - 1] + _cost(x, y)
            line.append(min(above[column] + 1, line[-1] + 1, change))
        above = line
    return above[-1] / max(len(a), len(b), 1)


def between(phones_a, language_a, phones_b, language_b):
    """Distance of two words, or None where one is shorter than :data:`SHORTEST` broad phones."""
    a, b = broad(phones_a, language_a), broad(phones_b, language_b)
    return None if min(len(a), len(b)) < SHORTEST else distance(a, b)
