"""Phones in a text of IPA, and how near they are to those that an aligner knows."""

import math
import unicodedata
from functools import cache, cached_property

from phonoscope.errors import InputError

TONE_LETTERS = frozenset("˥˦˧˨˩")
TIES = str.maketrans("", "", "\u0361\u035c")
# What is typed for another letter of IPA.
_TYPED = {"g": "ɡ", ":": "ː"}
# Longer than any letter of IPA with its diacritics.
LONGEST = 8
# Between 0.25 and 1 the alignment of a language that the aligner never heard changes little; with the nearest
# phone alone, its errors are twice as large.
SCALE = 0.5


def runs(letters):
    """Stretches that no space, digit or tone letter breaks: phones are looked for inside of them.

    A diacritic after a tone letter (``u˧˩̃``) belongs to the letter before it.

    Parameters
    ----------
    letters : iterable of (character, start, end)

    Returns
    -------
    list of list of (character, start, end)
        Decomposed (NFD) and in lower case; a breaking character is a stretch of its own.
    """
    found, base, broken = [], None, True
    for letter, start, end in letters:
        for part in unicodedata.normalize("NFD", letter.lower()):
            here = (_TYPED.get(part, part), start, end)
            if part.isspace() or breaks(part):
                found.append([here])
                base, broken = None if part.isspace() else base, True
            elif broken and base is not None and unicodedata.combining(part):
                base.append(here)
            else:
                if broken:
                    base, broken = [], False
                    found.append(base)
                base.append(here)
    return found


def breaks(character):
    """Whether the character writes a tone (or a number), which is no phone."""
    return character in TONE_LETTERS or character.isdigit()


def one(characters):
    """How many of ``characters`` (a string that is NFD) the phone at its beginning takes; 0: none."""
    return len(table().longest_one_seg_prefix(characters[:LONGEST]))


class Kin:
    """How near any phone is to those of an aligner.

    The distance d of two phones is the sum of the differences of their articulatory features, weighted as
    panphon does (Mortensen et al. 2016): 0.25 for voicing or aspiration, 0.5 for nasality, 1 for a class of
    sounds. A phone is near by exp(-d / ``SCALE``). A diphthong is near to nothing but itself.

    Parameters
    ----------
    known : iterable of str

    Raises
    ------
    InputError
        Where no phone is among them.
    """

    def __init__(self, known):
        self.known = set(known)
        if not self._features:
            raise InputError(
                "the aligner's vocabulary has no phone of IPA",
                row="units",
                fix="set `units: romanised` or `units: characters` in the corpus's `align`",
            )

    @cached_property
    def _features(self):
        found = {}
        for label in sorted(self.known):
            # An affricate may be written without its tie; two vowels are not one phone.
            for written in (label, f"{label[0]}\u0361{label[1:]}"):
                features = features_of(written)
                if features and (written == label or features[0] < 0):
                    found[label] = features
                    break
        return found

    def near(self, phone):
        """Nearness to each known phone, nearest first; of several as near, first in the order of Unicode.

        Returns
        -------
        list of (label, nearness)
            Nearness between 0 and 1.
        """
        mine = features_of(phone)
        if phone in self.known and (phone not in self._features or not mine):
            return [(phone, 1.0)]
        distances = {label: _distance(mine, theirs) for label, theirs in self._features.items()}
        order = sorted(distances, key=lambda label: (label != phone, distances[label]))
        return [(label, math.exp(-distances[label] / SCALE)) for label in order]


def features_of(phone):
    """Features of a single phone, None for what is none or several."""
    phone = unicodedata.normalize("NFD", phone)
    if one(phone) != len(phone) or breaks(phone[0]):
        return None
    (features,) = table().word_to_vector_list(phone, numeric=True)
    return features


def _distance(mine, theirs):
    # panphon weights the features of segments; tone, which comes after them, is no part of a phone here.
    weights = table().weights
    return sum(weight * abs(a - b) for weight, a, b in zip(weights, mine, theirs, strict=False))


@cache
def table():
    """panphon's table of features, read once."""
    from panphon import FeatureTable

    return FeatureTable()
