"""Burmese: the tone follows from vowel sign, final consonant and two marks; syllables from the script alone.

Source: Okell, *A Reference Grammar of Colloquial Burmese* (1969), on script and tones; Watkins, "Burmese",
Journal of the IPA 31 (2001); the Unicode Standard, section 16.3, on the order of characters. A killed or
stacked stop closes a checked syllable; elsewhere း is high, ့ is creaky, and without a mark each vowel has
its tone.

Spelling does not say which syllables are minor (reduced to ə, without a tone, as the first of ကလေး) nor which
loans keep a final consonant. A minor syllable gets the tone that it would have in full.
"""

import re

from phonoscope.alignment.tones import Syllable, Unreadable, burmese_sounds, foreign, unread, words

TONES = ("low", "high", "creaky", "checked")

_SCRIPT = frozenset(map(chr, [*range(0x1000, 0x1040), *range(0x104C, 0x1050)]))
_STOPS = frozenset("ကခဂဃစဆဇဈဋဌဍဎတထဒဓပဖဗဘ")
_SONORANTS = frozenset("ငဉဥညဏနမယ")  # ယ closes a rhyme with their tones; ဥ is a common slip for ဉ
_INDEPENDENT = {"ဣ": "creaky", "ဤ": "low", "ဥ": "creaky", "ဦ": "low", "ဧ": "low", "ဩ": "high", "ဪ": "low"}
_SYMBOLS = {"၌": ("checked", "n̥aɪʔ"), "၍": ("creaky", "jwe"), "၏": ("creaky", "ʔi")}
_MARKS = {"း": "high", "့": "creaky"}
_KILLER, _STACKER, _GREAT_SA = "\u103a", "\u1039", "\u103f"
_VOWELS = {
    **{"\u102c": "low", "\u102b": "low", "\u102d": "creaky", "\u102e": "low", "\u102f": "creaky"},
    **{"\u1030": "low", "\u1031": "low", "\u1032": "high", "\u102d\u102f": "low"},
    **{
        "\u102c\u1031": "high",
        "\u102b\u1031": "high",
        "\u102c\u1031\u103a": "low",
        "\u102b\u1031\u103a": "low",
    },
    **{"\u1036": "low", "\u102d\u1036": "low", "\u102f\u1036": "low"},
}

_MEDIALS, _SIGNS = "[\u103b-\u103e]", "[\u102b-\u1032\u1036]"
_PATTERN = re.compile(
    # A killed consonant may also bear the next syllable's signs: ယောက်ျား is ယောက် and ျား.
    rf"(?:(?P<base>[က-အဣ-ဧဩဪဿ])(?!့?{_KILLER}|{_STACKER})|(?<={_KILLER})(?={_MEDIALS}|{_SIGNS}))(?P<medials>{_MEDIALS}*)"
    rf"(?P<nucleus>(?:{_SIGNS}|[့း{_KILLER}])*)"
    rf"(?P<codas>(?:[က-အဥ](?:့?{_KILLER}[့း]?{_STACKER}?|{_STACKER}))*)"
)


def tone(syllable):
    """The tone of one syllable, spelled in Unicode (not Zawgyi).

    Parameters
    ----------
    syllable : str
        A stacked final consonant keeps the stacker: the first syllable of ကမ္ဘာ is ကမ္.

    Returns
    -------
    str
        One of ``TONES``.

    Raises
    ------
    Unreadable
        If it is not one Burmese syllable, or its signs and marks do not go together.
    """
    return _parsed(syllable)[0]


def kind(syllable):
    """The sounds of one syllable without its tone, in IPA: see :func:`burmese_sounds.kind`.

    Parameters
    ----------
    syllable : str

    Returns
    -------
    str

    Raises
    ------
    Unreadable
        Where :func:`tone` raises it.
    """
    return _parsed(syllable)[1]


def syllables(text):
    """The syllables of a text, by the order of its characters.

    Returns
    -------
    list of tones.Syllable
        Numbers, other scripts, and characters that belong to no syllable have no tone.
    """
    found = []
    for start, end, is_burmese in words(text, _SCRIPT):
        if is_burmese:
            found += _cut(text, start, end)
        else:
            found.append(unread(text, start, end, foreign(text[start:end])))
    return found


def _parsed(syllable):
    """Tone and kind."""
    if syllable in _SYMBOLS:
        return _SYMBOLS[syllable]
    found = _PATTERN.fullmatch(syllable)
    if not found:
        raise Unreadable(syllable, "not a Burmese syllable")
    return _read(found, before_great_sa=False)


def _cut(text, start, end):
    found, at, lost = [], start, start
    while at < end:
        symbol = text[at] in _SYMBOLS
        match = None if symbol else _PATTERN.match(text, at, end)
        if not symbol and not match:
            at += 1
            continue
        if lost < at:
            found.append(unread(text, lost, at, "not a Burmese syllable"))
        if symbol:
            label, sounds = _SYMBOLS[text[at]]
            found.append(Syllable(text[at], at, at + 1, label, kind=sounds))
            at += 1
        else:
            found.append(_labelled(text, match))
            at = match.end()
        lost = at
    return found + ([unread(text, lost, end, "not a Burmese syllable")] if lost < end else [])


def _labelled(text, match):
    try:
        label, sounds = _read(match, before_great_sa=text[match.end() : match.end() + 1] == _GREAT_SA)
    except Unreadable as error:
        return unread(text, *match.span(), error.reason)
    return Syllable(match[0], *match.span(), label, kind=sounds)


def _read(match, before_great_sa):
    """Tone and kind of what ``_PATTERN`` found."""
    label, closing = _tone(match, before_great_sa)
    # Without a consonant of its own it begins with the killed one before it.
    base = match["base"] or match.string[: match.start()].rstrip(f"့{_KILLER}")[-1:]
    if not burmese_sounds.is_letter(base):
        raise Unreadable(match[0], "not a Burmese syllable")
    sounds = burmese_sounds.kind(base, match["medials"], _signs(match), closing, label == "checked")
    return label, sounds


def _tone(match, before_great_sa):
    """The tone, and the consonant that closes the rhyme; the first half of ဿ closes the syllable before."""
    nucleus, codas = match["nucleus"], match["codas"]
    marks = [each for each in nucleus if each in _MARKS]
    # What follows a mark is a loan's silent final: ဘူးလ်.
    closing = "" if marks or not codas else codas[0]
    if closing:
        first = re.match(rf".[့း{_KILLER}]*", codas)[0]
        marks = [each for each in first if each in _MARKS]
    if len(marks) > 1:
        raise Unreadable(match[0], "two tone marks")
    own = _own(match)
    if closing in _STOPS:
        if marks:
            raise Unreadable(match[0], "a tone mark on a checked syllable")
        return "checked", closing
    if marks:
        return _MARKS[marks[0]], closing
    if closing in _SONORANTS:
        return "low", closing
    if own == "creaky" and (closing == "သ" or (before_great_sa and not closing)):
        return "checked", closing
    if own == "creaky" and closing:
        raise Unreadable(match[0], "a short vowel before a silent consonant")
    return own, ""


def _own(match):
    """The tone of the vowel alone."""
    signs = _signs(match)
    if not signs:
        return _INDEPENDENT.get(match["base"], "creaky")
    if signs in _VOWELS:
        return _VOWELS[signs]
    raise Unreadable(match[0], "vowel signs that do not go together")


def _signs(match):
    return "".join(sorted(set(match["nucleus"]) - set(_MARKS)))
