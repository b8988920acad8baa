"""The invented languages of the corpora that the articulatory synthesiser speaks.

Phones are SAMPA. A language is a dict: its `vowels`, `onsets` and `codas`; `syllables`, the numbers of
syllables from which a word draws its own; `prosody`, where its stress is (initial or final); `filler`, the
vowel and the nasal of its hesitations; and `nearest` where its natives replace phones in the other language.
"""

VOWELS = tuple("aiueo@EOy2")

# a i u p t k m n l s belong to both languages; `nearest` names, for every phone of the other language that
# is missing here, the phone by which a native replaces it.
OVERLAPPING = {
    "Talmi": {
        "vowels": tuple("aiueo@"),
        "onsets": tuple("ptkbdgmnlsxj"),
        "codas": ("", "", "n", "s", "l", "k"),
        "syllables": (1, 2, 2, 3),
        "prosody": "initial",
        "filler": ("@", "m"),
        "nearest": {
            "E": "e",
            "O": "o",
            "y": "i",
            "2": "e",
            "f": "p",
            "v": "b",
            "S": "s",
            "C": "x",
            "N": "n",
            "R": "g",
        },
    },
    "Vosun": {
        "vowels": tuple("aiuEOy2"),
        "onsets": tuple("ptkmnlsfvSCR"),
        "codas": ("", "", "", "N", "m", "n"),
        "syllables": (2, 2, 3, 3),
        "prosody": "final",
        "filler": ("2", "m"),
        "nearest": {"e": "E", "o": "O", "@": "2", "b": "v", "d": "t", "g": "k", "x": "R", "j": "C"},
    },
}

# No phone in common, but the same places in the mouth: front and back vowels that are high and low, and
# consonants of the lips, of the tongue's tip and of its back. Words are built alike, so that phones alone
# set the two apart.
DISJOINT = {
    "Samido": {
        "vowels": tuple("ieao"),
        "onsets": tuple("pmdsjgN"),
        "codas": ("", "", "", "m", "s", "N"),
        "syllables": (1, 2, 2, 3),
        "prosody": "initial",
        "filler": ("e", "m"),
    },
    "Kultyn": {
        "vowels": tuple("yEOu@"),
        "onsets": tuple("bftnlkx"),
        "codas": ("", "", "", "f", "n", "k"),
        "syllables": (1, 2, 2, 3),
        "prosody": "final",
        "filler": ("@", "n"),
    },
}
_LETTERS = {
    "@": "ë",
    "E": "ä",
    "O": "å",
    "y": "ü",
    "2": "ö",
    "S": "sh",
    "C": "ch",
    "N": "ng",
    "R": "r",
    "x": "kh",
}


def spelling(word):
    """How a word (syllables of phones) is written: one letter a phone, or two."""
    return "".join(_LETTERS.get(phone, phone) for syllable in word for phone in syllable)
