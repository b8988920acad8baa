"""Burmese sounds: onset and rhyme of a written syllable in IPA, without the tone that vowel signs also write.

Source: Watkins, "Burmese", Journal of the IPA 31 (2001), on consonants and rhymes; Okell, *A Reference
Grammar of Colloquial Burmese* (1969), on how they are written. The final letter also decides the vowel: က် is
ɛʔ, စ် ɪʔ, တ် and ပ် aʔ. Spelling does not show voicing between vowels, nor which of i, e and ɛ a ည် writes:
the letters' own sounds and i stand for them.
"""

_CONSONANTS = {
    letter: sound
    for letters, sound in (
        *(("က", "k"), ("ခ", "kʰ"), ("ဂဃ", "ɡ"), ("င", "ŋ"), ("စ", "s"), ("ဆ", "sʰ"), ("ဇဈ", "z")),
        *(("ဉည", "ɲ"), ("ဋတ", "t"), ("ဌထ", "tʰ"), ("ဍဎဒဓ", "d"), ("ဏန", "n"), ("ပ", "p"), ("ဖ", "pʰ")),
        *(("ဗဘ", "b"), ("မ", "m"), ("ယရ", "j"), ("လဠ", "l"), ("ဝ", "w"), ("သဿ", "θ"), ("ဟ", "h"), ("အ", "ʔ")),
    )
    for letter in letters
}
_INDEPENDENT = {"ဣ": "i", "ဤ": "i", "ဥ": "u", "ဦ": "u", "ဧ": "e", "ဩ": "ɔ", "ဪ": "ɔ"}
_Y, _R, _W, _H = "\u103b\u103c\u103d\u103e"
_PALATAL = {"k": "tɕ", "kʰ": "tɕʰ", "ɡ": "dʑ", "ŋ": "ɲ", "ɲ": "ɲ", "l": "j", "j": "j"}
_VOICELESS = "\u0325"

_ANUSVARA = "\u1036"
_VOWELS = {
    **{"": "a", "\u102b": "a", "\u102c": "a", "\u102d": "i", "\u102e": "i", "\u102f": "u", "\u1030": "u"},
    **{"\u1031": "e", "\u1032": "ɛ", "\u102d\u102f": "o"},
    **{"\u102c\u1031": "ɔ", "\u102b\u1031": "ɔ", "\u102c\u1031\u103a": "ɔ", "\u102b\u1031\u103a": "ɔ"},
}
_BEFORE_FINAL = {"i": "eɪ", "u": "oʊ", "ɔ": "aʊ", "o": "aɪ", "e": "ɪ"}
_A_BEFORE = {**dict.fromkeys("ကခဂဃ", "ɛ"), **dict.fromkeys("စဆဇဈငဉဥ", "ɪ")}
_NASALS = frozenset("ငဉဥဏနမ")


def is_letter(base):
    """Whether a syllable can begin with this."""
    return base in _CONSONANTS or base in _INDEPENDENT


def kind(base, medials, signs, closing, is_checked):
    """The sounds of one syllable without its tone.

    Parameters
    ----------
    base : str
        The consonant or independent vowel that it begins with.
    medials : str
        ျ ြ ွ ှ.
    signs : str
        Vowel signs, ံ and the killer of ော်, each once, sorted.
    closing : str
        The final consonant, or nothing.
    is_checked : bool
        Whether it ends in a glottal stop.

    Returns
    -------
    str
        In IPA, with ɴ for any nasal final, as in kaʊɴ for ကောင်, ကောင့် and ကောင်း.
    """
    vowel = _INDEPENDENT.get(base) or _VOWELS[signs.replace(_ANUSVARA, "")]
    final = "ʔ" if is_checked else "ɴ" if closing in _NASALS or _ANUSVARA in signs else ""
    onset, glide = _onset(base, medials), "w" if _W in medials else ""
    if final and vowel == "a":
        vowel = _A_BEFORE.get(closing, "a")
        if vowel == "a" and (glide or base == "ဝ"):
            vowel, glide = "ʊ", ""
    elif final:
        vowel = _BEFORE_FINAL.get(vowel, vowel)
    elif closing == "ယ" and vowel == "a":
        vowel = "ɛ"
    elif closing == "ည" and vowel == "a":
        vowel = "i"
    return onset + glide + vowel + final


def _onset(base, medials):
    sound = _CONSONANTS.get(base, "ʔ")
    if _H in medials and (sound == "j" or sound in "lθ" and _Y in medials):
        return "ʃ"
    if _Y in medials or _R in medials:
        sound = _PALATAL.get(sound, "ʃ" if sound == "θ" and _Y in medials else f"{sound}j")
    if _H in medials and sound[0] in "mnŋɲlw":
        sound = sound[0] + _VOICELESS + sound[1:]
    return sound
