"""Thai: class of the initial × mark × live or dead × length; words from pythainlp, syllables from the
spelling.

Source: Haas, *The Thai System of Writing* (1956); Smyth, *Thai: An Essential Grammar* (2002), chapter 2;
Iwasaki and Ingkaphirom, *A Reference Grammar of Thai* (2005), chapter 1. Words are those of pythainlp's
dictionary (engine newmm, no download); within a word :mod:`tones.thai_spelling` finds the syllables.

===== ========== ======= ======= =============== ================
class live       ่        ้        dead            ๊ / ๋
===== ========== ======= ======= =============== ================
high  rising     low     falling low
mid   mid        low     falling low             high / rising
low   mid        falling high    high (short), falling (long)
===== ========== ======= ======= =============== ================

A high or mid consonant without a vowel of its own (the ต of ตลาด) gives its class to a sonorant that
follows; อ only where that bears a mark (อร่อย, but อนุ). Loans from Sanskrit break this (สมาชิก), and
English ones have tones that no spelling shows.
"""

import functools
import re
import unicodedata

from phonoscope.alignment.tones import Syllable, Unreadable, foreign, read, thai_sounds, unread, words
from phonoscope.alignment.tones.thai_spelling import CONSONANTS, HIGH, MID, reading

TONES = ("mid", "low", "falling", "high", "rising")

_SCRIPT = frozenset(
    chr(i) for i in range(0x0E01, 0x0E4F) if i not in (0x0E2F, *range(0x0E3B, 0x0E40), 0x0E46)
)
_WORDS = {"ก็": ("falling", "kɔ"), "ณ": ("high", "na"), "ธ": ("high", "tʰa")}
_MARKED = {
    **{("high", "่"): "low", ("mid", "่"): "low", ("low", "่"): "falling"},
    **{("high", "้"): "falling", ("mid", "้"): "falling", ("low", "้"): "high"},
    **{("mid", "๊"): "high", ("mid", "๋"): "rising"},
}
_LENDING = HIGH | MID
_NOT_THAI = "not the spelling of a Thai syllable"


def tone(syllable):
    """The tone of one written syllable.

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
        If it is not one syllable, or bears a mark that its class does not take. A consonant alone has no tone
        (unless it is a word: ณ, ธ).
    """
    return _parsed(syllable)[0]


def kind(syllable):
    """The sounds of one written syllable without its tone, in IPA: see :func:`thai_sounds.kind`.

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
    """The syllables of a text.

    Returns
    -------
    list of tones.Syllable
        Numbers, other scripts, signs of repetition and omission, abbreviations, and words that cannot be
        read as syllables have no tone. Where a vowel is written before two syllables (แสดง), the cut is
        after the first consonant.
    """
    found = []
    for start, end, is_thai in words(text, _SCRIPT):
        run = text[start:end]
        if not is_thai:
            reason = "a sign of repetition or omission" if set(run) <= {"ๆ", "ฯ"} else foreign(run)
            found.append(unread(text, start, end, reason))
        elif text[end : end + 1] == "." and len(run) <= 4 and set(run) <= CONSONANTS:
            found.append(unread(text, start, end, "an abbreviation"))
        else:
            found += _cut(text, start, _ordered(run))
    return found


def _parsed(syllable):
    """Tone and kind."""
    letters = _ordered(syllable)
    if letters in _WORDS:
        return _WORDS[letters]
    parts = reading(letters)
    if not parts or len(parts) > 1:
        raise Unreadable(syllable, _NOT_THAI)
    return _read(syllable, parts[0], _class(parts[0].initial))


def _cut(text, start, run):
    """The syllables of a run of Thai letters, whose characters stand in ``text`` from ``start`` on."""
    found = []
    for begin, end, parts in _words(run):
        if run[begin:end] in _WORDS:
            at = start + begin, start + end
            label, sounds = _WORDS[run[begin:end]]
            found.append(Syllable(text[slice(*at)], *at, label, kind=sounds))
        elif parts is None:
            found.append(unread(text, start + begin, start + end, _NOT_THAI))
        else:
            found += [
                read(
                    functools.partial(_in_word, parts, i),
                    text,
                    start + begin + each.start,
                    start + begin + each.end,
                )
                for i, each in enumerate(parts)
            ]
    return found


def _words(run):
    """Start, end and reading of each word; neighbours that cannot be read alone are tried together."""
    from pythainlp.tokenize import word_tokenize

    found, at = [], 0
    for word in word_tokenize(run, engine="newmm"):
        begin, at = at, at + len(word)
        parts = None if word in _WORDS else reading(word)
        if parts is None and word not in _WORDS and found and found[-1][2] is None:
            begin = found.pop()[0]
            parts = reading(run[begin:at])
        found.append((begin, at, parts))
    return found


def _in_word(parts, i, syllable):
    """Tone and kind of a part of a word, whose tone a consonant before it may decide."""
    part, group = parts[i], _class(parts[i].initial)
    before = parts[i - 1].initial if i and parts[i - 1].bare else None
    if before in _LENDING and part.sonorant and (before != "อ" or part.mark):
        group = _class(before)
    alone = part.bare and part.end - part.start == 1
    if alone and parts[i + 1].initial == "ร" and part.initial in "บจทธมว":
        raise Unreadable(syllable, "a consonant before ร, read with a or with ɔː")
    return _read(syllable, part, group)


def _class(initial):
    return "mid" if initial in MID else "high" if initial in HIGH else "low"


def _read(syllable, part, group):
    """Tone and kind of a part whose initial has a class."""
    return _tone(syllable, part, group), thai_sounds.kind(part)


def _tone(syllable, part, group):
    if part.mark:
        if (group, part.mark) not in _MARKED:
            raise Unreadable(syllable, "a tone mark that only consonants of the mid class take")
        return _MARKED[group, part.mark]
    if part.live:
        return "rising" if group == "high" else "mid"
    return "low" if group != "low" else "high" if part.short else "falling"


def _ordered(run):
    """Marks in the order of the keyboard standard (consonant, vowel, mark); the length stays."""
    run = re.sub("([่-๋])([ัิีึืฺุู็ํ])", r"\2\1", unicodedata.normalize("NFC", run))
    return re.sub("ำ([่-๋])", r"\1ำ", run)
