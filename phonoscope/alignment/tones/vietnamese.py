"""Vietnamese: the tone is the diacritic, and white space parts syllables.

Source: Thompson, *A Vietnamese Reference Grammar* (1965), on Quốc ngữ and the syllable; Kirby, "Vietnamese
(Hanoi Vietnamese)", Journal of the IPA 41 (2011). Five marks and their absence write six tones. A syllable
that ends in p, t, c or ch has sắc or nặng and no other. What is not built of the onsets and rhymes below is
no Vietnamese syllable, and its lack of a mark says nothing.
"""

import unicodedata

from phonoscope.alignment.tones import Unreadable, foreign, read, unread, words

TONES = ("ngang", "huyen", "sac", "hoi", "nga", "nang")

_MARKS = {"\u0300": "huyen", "\u0301": "sac", "\u0309": "hoi", "\u0303": "nga", "\u0323": "nang"}
_QUALITY = "\u0302\u0306\u031b"  # circumflex, breve, horn make another vowel
_WRITTEN = "b c ch d đ g gh gi h k kh l m n ng ngh nh p ph q qu r s t th tr v x"
_ONSETS = ("", *_WRITTEN.split())
# Nucleus, with the glide before it, and what may close it ("-": nothing).
_RHYMES = {
    **{"a": "- i o u y m n ng nh p t c ch", "ă": "m n ng p t c", "â": "u y m n ng p t c"},
    **{"e": "- o m n ng p t c", "ê": "- u m n nh p t ch", "i": "- a u m n nh p t ch", "y": "- n nh t ch"},
    **{"o": "- i m n ng p t c", "oo": "n ng c", "ô": "- i m n ng p t c", "ơ": "- i m n p t"},
    **{"u": "- a i m n ng p t c", "ư": "- a i u m n ng t c", "iê": "u m n ng p t c", "yê": "u m n ng t"},
    **{"uô": "i m n ng t c", "ươ": "i u m n ng p t c", "oa": "- i o y m n ng nh p t c ch"},
    **{"oă": "m n ng t c", "oe": "- o m n t", "uâ": "y n ng t", "uê": "- nh ch", "uơ": "-"},
    **{"uy": "- a u n nh p t ch", "uyê": "n t"},
}
_SPELLINGS = frozenset(
    nucleus + end.strip("-") for nucleus, closings in _RHYMES.items() for end in closings.split()
)


def tone(syllable):
    """The tone of one syllable, composed or decomposed, in capitals or not.

    Parameters
    ----------
    syllable : str

    Returns
    -------
    str
        One of ``TONES``.

    Raises
    ------
    Unreadable
        If it is no Vietnamese syllable, has two marks, or is checked with a tone that such syllables lack.
    """
    letters, marks = [], []
    for character in unicodedata.normalize("NFD", syllable.lower()):
        if character not in _MARKS:
            letters.append(character)
        elif letters and (letters[-1] in "aeiouy" or letters[-1] in _QUALITY):
            marks.append(_MARKS[character])
        else:
            raise Unreadable(syllable, "a tone mark that is not on a vowel")
    if len(marks) > 1:
        raise Unreadable(syllable, "two tone marks")
    if not _is_syllable(unicodedata.normalize("NFC", "".join(letters))):
        raise Unreadable(syllable, "not a Vietnamese syllable")
    found = marks[0] if marks else "ngang"
    if "".join(letters).endswith(("p", "t", "c", "ch")) and found not in ("sac", "nang"):
        raise Unreadable(syllable, "a checked syllable with neither sắc nor nặng")
    return found


def syllables(text):
    """The syllables of a text: its words, as white space, hyphens and punctuation part them.

    Returns
    -------
    list of tones.Syllable
        Numbers, foreign words and abbreviations have no tone.
    """
    return [
        unread(text, start, end, foreign(text[start:end]))
        if any(unicodedata.category(each)[0] == "N" for each in text[start:end])
        else read(tone, text, start, end)
        for start, end, _ in words(text)
    ]


def _is_syllable(letters):
    """Whether toneless, composed letters are an onset and a rhyme."""
    return any(
        letters.startswith(onset) and _fits(onset, letters[len(onset) :])
        for onset in _ONSETS
        if len(letters) - len(onset) <= 5
    )


def _fits(onset, rhyme):
    """``q`` stands before u alone: as a glide (``qu`` + a rhyme) or as the rhyme's own vowel (quốc, quy)."""
    return (
        rhyme in _SPELLINGS
        and (onset != "q" or rhyme[0] == "u")
        and (onset != "qu" or rhyme[0] in "aăâeêiyơ")
    )
