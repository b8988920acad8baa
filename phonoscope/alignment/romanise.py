"""Any script to Latin letters that still know which characters of the text they stand for (uroman)."""

from functools import cache


def letters(text):
    """Romanise ``text``, letter by letter.

    uroman (Hermjakob, May and Knight 2018) is rule-based; it drops diacritics and tone marks. What it writes
    for several characters at once (Thai ``เก`` becomes ``ke``) is shared out over them in order.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of (letter, start, end)
        ``text[start:end]`` is what the letter stands for, at least one character; starts do not decrease.
        Spaces, digits and whatever uroman does not know are letters of their own.
    """
    found = []
    for edge in _edges(text):
        width, count = edge.end - edge.start, len(edge.txt)
        for k, letter in enumerate(edge.txt):
            start = edge.start + min(k * width // count, width - 1)
            end = max(start + 1, edge.start + (k + 1) * width // count)
            found.append((letter, start, end))
    return found


def _edges(text):
    from uroman import RomFormat

    # An empty text gives an empty string instead of a list.
    return _uroman().romanize_string(text, rom_format=RomFormat.EDGES) or []


@cache
def _uroman():
    # Reads its tables in seconds: once.
    from uroman import Uroman

    return Uroman()
