"""How alike two words sound: an edit distance between their phones, weighted by articulatory features.

To exchange two phones costs the difference of their features as panphon weights them (Mortensen et al. 2016),
over ``SCALE`` and at most 1; to leave one out costs 1. The sum is divided by the length of the longer word: 0
for equal words, 1 for words without anything in common.
"""

import unicodedata
from functools import lru_cache

import numpy as np

from phonoscope.alignment import phones

# From here on two phones are as unlike as can be: t and k, but not t and s. Of 1, 2, 3, 4, 5 and 7.25 (the
# cost of a phone that is left out, to panphon) the best on half of synthetic-parallel's sentences.
SCALE = 2.0
# Pairs whose tables of costs are filled in at once: they stay in a core's cache.
BLOCK = 4096
# Marks of stress, length of a pause and syllables, which are no phones.
_MARKS = str.maketrans("", "", "ˈˌ'\"|‖.‿-_ ")
# Letters that panphon lacks. It takes ɹ for a glide, and so farther from r than t is.
_LETTERS = str.maketrans({"ɚ": "əɾ", "ɝ": "ɜɾ", "ᵻ": "ɨ", "ᵿ": "ʊ", "ɹ": "ɾ", "ɻ": "ɾ"})


def segments(labels):
    """Phones one by one, as :func:`distances` takes them.

    Parameters
    ----------
    labels : str or iterable of str
        IPA: a text, or labels of which each is a phone, an affricate (with or without its tie) or several
        phones, such as a diphthong. Stress and tones are dropped, and all rhotics but trills, taps and
        fricatives are written as a tap.

    Returns
    -------
    phones : tuple of str
        Decomposed (NFD); of a diphthong two vowels.
    lacking : str
        Letters that panphon does not know, in order.
    """
    found, lacking = [], []
    for label in [labels] if isinstance(labels, str) else labels:
        known, unknown = _segments(label)
        found += known
        lacking += unknown
    return tuple(found), "".join(lacking)


@lru_cache(maxsize=2**16)
def _segments(label):
    label = unicodedata.normalize("NFD", label.translate(_MARKS).translate(_LETTERS))
    # An affricate may be written without its tie; two vowels are not one phone.
    tied = f"{label[:1]}\u0361{label[1:]}"
    if len(label) > 1 and (phones.features_of(tied) or [1])[0] < 0 and not phones.features_of(label):
        return (tied,), ""
    found, lacking = [], []
    for run in phones.runs((letter, 0, 0) for letter in label):
        text = "".join(letter for letter, *_ in run)
        at = 0
        while at < len(text):
            taken = 0 if phones.breaks(text[at]) else phones.one(text[at:])
            if taken:
                phone = text[at : at + taken]
                # A tie without a second letter ties nothing.
                found.append(phone if phones.features_of(phone) else phone.translate(phones.TIES))
            elif unicodedata.category(text[at]) in ("Ll", "Lo"):
                lacking.append(text[at])
            at += taken or 1
    return tuple(found), "".join(lacking)


def distance(a, b):
    """Distance of two words, 0 to 1.

    Parameters
    ----------
    a, b : tuple of str
        Phones, of :func:`segments`.
    """
    return float(distances([a, b], [0], [1])[0])


def distances(words, first, second):
    """Distances of many pairs of words, all filled in together.

    Parameters
    ----------
    words : sequence of tuple of str
        Phones, of :func:`segments`.
    first, second : int arrays of shape (n_pairs,)
        Numbers of words.

    Returns
    -------
    float64 array of shape (n_pairs,)
        0 to 1. Two words without phones have the distance 0, one of them is at 1 from any other.

    Raises
    ------
    ValueError
        Where a phone is none of panphon's.
    """
    codes, lengths, costs = _coded(words)
    first, second = (np.asarray(each, np.intp).reshape(-1) for each in (first, second))
    found = np.zeros(len(first))
    # Neighbours are of like length, so that few cells are filled in for nothing.
    order = np.lexsort((lengths[second], lengths[first]))
    for start in range(0, len(order), BLOCK):
        these = order[start : start + BLOCK]
        a, b = first[these], second[these]
        longest = np.maximum(np.maximum(lengths[a], lengths[b]), 1)
        found[these] = _block(codes[a], lengths[a], codes[b], lengths[b], costs) / longest
    return found


def _block(a, length_a, b, length_b, costs):
    """Edit distances of pairs; rows of ``a`` and ``b`` are codes of phones, filled up to the longest."""
    most_a, most_b = length_a.max(), length_b.max()
    a, b = (np.ascontiguousarray(each[:, :most].T) for each, most in ((a, most_a), (b, most_b)))
    a = a * len(costs)
    pairs = np.arange(len(length_a))
    above = np.repeat(np.arange(most_b + 1.0)[:, None], len(pairs), axis=1)
    found = np.where(length_a == 0, length_b, 0.0)
    for i in range(most_a):
        line = np.empty_like(above)
        line[0] = i + 1
        changed = above[:-1] + costs.ravel()[a[i] + b]
        np.minimum(changed, above[1:] + 1, out=line[1:])
        for j in range(most_b):
            np.minimum(line[j + 1], line[j] + 1, out=line[j + 1])
        ends = length_a == i + 1
        found[ends] = line[length_b[ends], pairs[ends]]
        above = line
    return found


def _coded(words):
    """Words as rows of codes, their lengths, and what it costs to exchange any two phones."""
    weights = np.array(phones.table().weights)
    inventory = sorted({phone for word in words for phone in word})
    number = {phone: code for code, phone in enumerate(inventory)}
    features = np.zeros((len(inventory), len(weights)))
    for row, phone in zip(features, inventory, strict=True):
        known = phones.features_of(phone)
        if not known:
            raise ValueError(f"{phone!r} is not a phone")
        # Tone comes after the features that panphon weights; it is no part of a phone here.
        row[:] = known[: len(weights)]
    costs = [np.minimum(np.abs(features - one) @ weights / SCALE, 1) for one in features]
    lengths = np.array([len(word) for word in words], np.intp)
    codes = np.zeros((len(words), max(lengths, default=0)), np.intp)
    for row, word in zip(codes, words, strict=True):
        row[: len(word)] = [number[phone] for phone in word]
    return codes, lengths, np.array(costs)
