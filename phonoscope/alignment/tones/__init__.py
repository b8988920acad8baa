"""Tone labels by spelling rules: a module per language, with ``TONES``, ``tone``, ``kind``, ``syllables``.

``tone(syllable)`` gives a label or raises :class:`Unreadable`; a rule never guesses. ``kind(syllable)`` gives
from the same reading the sounds without the tone: one string for all spellings that sound alike, whatever in
them writes the tone. ``syllables(text)`` cuts a text into :class:`Syllable`, with offsets by which an
alignment of characters gives them times.
docs/tone_rules.md has the rules as tables, with sources.
"""

import unicodedata
from dataclasses import dataclass

from phonoscope.errors import InputError

RULES = ("vietnamese", "thai", "lao", "burmese", "chao")


class Unreadable(ValueError):
    """A syllable that a rule cannot read.

    Parameters
    ----------
    syllable : str
    reason : str
        A clause without a full stop; the same for all syllables of a kind, so that it can be counted.
    """

    def __init__(self, syllable, reason):
        self.syllable, self.reason = syllable, reason
        super().__init__(f"{syllable!r}: {reason}")

    def __reduce__(self):
        return (Unreadable, (self.syllable, self.reason))


@dataclass(frozen=True)
class Syllable:
    """A syllable of a text, or a word of it that cannot be cut into syllables.

    Attributes
    ----------
    text : str
        As it stands in the text: ``text[start:end]``.
    start, end : int
        Offsets in characters.
    tone : str or None
        A label; None where the rule cannot read the syllable.
    reason : str or None
        Why not.
    kind : str or None
        The syllable's sounds without its tone; None where there is no tone.
    """

    text: str
    start: int
    end: int
    tone: str | None
    reason: str | None = None
    kind: str | None = None


def rule(name):
    """The module of a rule, imported when asked for.

    Raises
    ------
    InputError
        If there is no such rule.
    """
    if name == "vietnamese":
        import phonoscope.alignment.tones.vietnamese as module
    elif name == "thai":
        import phonoscope.alignment.tones.thai as module
    elif name == "lao":
        import phonoscope.alignment.tones.lao as module
    elif name == "burmese":
        import phonoscope.alignment.tones.burmese as module
    elif name == "chao":
        import phonoscope.alignment.tones.chao as module
    else:
        raise InputError(f"there is no tone rule {name!r}", fix=f"choose one of {', '.join(RULES)}")
    return module


def read(parsed, text, start, end):
    """The stretch of ``text`` as a :class:`Syllable`, with what ``parsed`` says of it: its tone and kind."""
    try:
        tone, kind = parsed(text[start:end])
    except Unreadable as error:
        return unread(text, start, end, error.reason)
    return Syllable(text[start:end], start, end, tone, kind=kind)


def unread(text, start, end, reason):
    """The stretch of ``text`` as a :class:`Syllable` without a tone."""
    return Syllable(text[start:end], start, end, None, reason)


def words(text, native=None):
    """Runs of letters, marks and numbers; all else (spaces, punctuation, emoji) lies between words.

    Parameters
    ----------
    text : str
    native : container of str, optional
        The characters of a script: a run also ends where the script begins or ends.

    Returns
    -------
    list of (start, end, is_native)
    """
    found, start, kind = [], None, None
    for i, character in enumerate(text):
        now = _kind(character, native)
        if now != kind:
            if kind is not None:
                found.append((start, i, kind))
            start, kind = i, now
    if kind is not None:
        found.append((start, len(text), kind))
    return found


def foreign(word):
    """Why a word that is not of the script has no tone."""
    return "a number" if any(unicodedata.category(each)[0] == "N" for each in word) else "another script"


def _kind(character, native):
    """None between words, else whether the character is of the script."""
    if native is not None and character in native:
        return True
    return False if unicodedata.category(character)[0] in "LMN" else None
