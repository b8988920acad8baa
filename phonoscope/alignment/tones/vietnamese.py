"""Vietnamese: the tone is the diacritic, and white space parts syllables.

Source: Thompson, *A Vietnamese Reference Grammar* (1965), on Quốc ngữ and the syllable; Kirby, "Vietnamese
(Hanoi Vietnamese)", Journal of the IPA 41 (2011). Five marks and their absence write six tones. A syllable
that ends in p, t, c or ch has sắc or nặng and no other. What is not built of the onsets and rhymes below is
no Vietnamese syllable, and its lack of a mark says nothing. Letters that Hanoi pronounces alike are one kind.
"""

import re
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

# One of the onsets that sound alike in Hanoi stands for all of them (Kirby 2011, on the consonants).
_ALIKE = {"c": "k", "q": "k", "qu": "kw", "gh": "g", "ngh": "ng", "gi": "d", "r": "d", "s": "x", "tr": "ch"}
_GLIDE, _VOWEL_Y = re.compile("^(?:o(?=[aăe])|u(?=[âêơy]))"), re.compile("^(w?)y")


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
    return _parsed(syllable)[0]


def kind(syllable):
    """The letters of one syllable without its tone, one spelling for all that sound alike in Hanoi.

    ``c k q`` are k, ``g gh`` g, ``ng ngh`` ng, ``d gi r`` d, ``s x`` x, ``ch tr`` ch, the glide of *hoa*,
    *tuy* and *qua* is w, and ``i y`` are i where neither closes the rhyme.

    Parameters
    ----------
    syllable : str

    Returns
    -------
    str
        In lower case, composed.

    Raises
    ------
    Unreadable
        Where :func:`tone` raises it.
    """
    return _parsed(syllable)[1]


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
        else read(_parsed, text, start, end)
        for start, end, _ in words(text)
    ]


def _parsed(syllable):
    """Tone and kind."""
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
    found = _sounds(unicodedata.normalize("NFC", "".join(letters)))
    if not found:
        raise Unreadable(syllable, "not a Vietnamese syllable")
    label = marks[0] if marks else "ngang"
    if "".join(letters).endswith(("p", "t", "c", "ch")) and label not in ("sac", "nang"):
        raise Unreadable(syllable, "a checked syllable with neither sắc nor nặng")
    return label, found


def _sounds(letters):
    """The kind of toneless, composed letters; None if they are not an onset and a rhyme."""
    ways = {
        onset: letters[len(onset) :]
        for onset in _ONSETS
        if letters.startswith(onset) and _fits(onset, letters[len(onset) :])
    }
    if not ways:
        return None
    onset = max(ways, key=len)
    rhyme = ways[onset]
    if letters.startswith("gi"):
        # gì and giêng are spelled g + ì and g + iêng, and sound as gi + ì and gi + iêng.
        onset, rhyme = "gi", ways["g"] if ways.get("g", "").startswith("iê") else rhyme
    rhyme = _VOWEL_Y.sub(r"\1i", _GLIDE.sub("w", rhyme))
    return _ALIKE.get(onset, onset) + rhyme


def _fits(onset, rhyme):
    """``q`` stands before u alone: as a glide (``qu`` + a rhyme) or as the rhyme's own vowel (quốc, quy)."""
    return (
        rhyme in _SPELLINGS
        and (onset != "q" or rhyme[0] == "u")
        and (onset != "qu" or rhyme[0] in "aăâeêiyơ")
    )
