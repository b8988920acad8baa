"""Lao as spoken in Vientiane: consonant class × mark × live or dead × length; syllables from laonlp.

Source: the tone chart "Based on Vientiane Tones" of SEAsite Laos (Northern Illinois University); Enfield, *A
Grammar of Lao* (2007), on tones and on the script. laonlp cuts by the pattern of Phissamay et al.,
"Syllabification of Lao Script for Line Breaking". Other places (Luang Prabang, Savannakhet) have the same
categories with other contours, and some of them merge others.

===== ========== ===== ============= =============== =========== ===========
class live       ່      ້             dead, long      dead, short ໊ / ໋
===== ========== ===== ============= =============== =========== ===========
high  low_rising mid   low_falling   low_falling     high_rising
mid   low_rising mid   high_falling  low_falling     high_rising high_rising / low_rising
low   high_rising mid  high_falling  high_falling    mid
===== ========== ===== ============= =============== =========== ===========
"""

import functools
import re
import unicodedata

from phonoscope.alignment.tones import Unreadable, foreign, read, unread, words

TONES = ("low_rising", "high_rising", "mid", "high_falling", "low_falling")

_SCRIPT = frozenset(chr(i) for i in range(0x0E80, 0x0F00) if not 0x0ED0 <= i <= 0x0ED9)
_CLASSES = {
    **dict.fromkeys("ຂສຖຜຝຫໜໝ", "high"),
    **dict.fromkeys("ກຈດຕບປຢອ", "mid"),
    **dict.fromkeys("ຄງຊຍທນພຟມຣລວຮ", "low"),
}
_LIVE = {"high": "low_rising", "mid": "low_rising", "low": "high_rising"}
_DEAD = {
    **{("high", "long"): "low_falling", ("mid", "long"): "low_falling", ("low", "long"): "high_falling"},
    **{("high", "short"): "high_rising", ("mid", "short"): "high_rising", ("low", "short"): "mid"},
}
_MAI_EK, _MAI_THO, _MAI_TI, _MAI_CATAWA = "\u0ec8\u0ec9\u0eca\u0ecb"
_RARE = {_MAI_TI: "high_rising", _MAI_CATAWA: "low_rising"}

_ONSET = "(?P<onset>ຫ[ງຍນມຣລວ]ວ?|[ກຂຄງຈສຊຍດຕຖທນບປຜຝພຟມຢຣລວຫອຮໜໝ][ຼຣວ]?|ຫຼວ?)"
_CODA = "(?P<coda>[ງຍຽນມວກດບ])"
# Rhymes without their tone marks; {o} the onset, {f} a final consonant.
_LONG = (
    *("{o}າ{f}?", "{o}[ີືູ]{f}?", "[ເແໂ]{o}{f}?", "{o}ໍ", "{o}ອ{f}", "ເ{o}ີ{f}?", "ເ{o}ືອ{f}?", "ເ{o}ຍ"),
    *("{o}ຽ{f}?", "{o}ົວ", "{o}ວ{f}"),
)
_SHORT = (
    *("[ເແໂ]?{o}ະ", "[ເແໂ]?{o}ັ{f}", "{o}[ິຶຸົ]{f}", "{o}[ິຶຸ]", "ເ{o}າະ", "{o}ັອ{f}", "ເ{o}ິ{f}?", "ເ{o}ຶອ{f}?"),
    *("ເ{o}ັ[ຍຽ]", "{o}ັຽ{f}", "{o}ົວະ", "{o}ັວ{f}"),
)
_LONGEST = 14  # characters of two syllables
_GLIDING = ("ເ{o}ົາ", "ໄ{o}[ຍຽ]?", "ໃ{o}", "{o}ຳ")  # short, yet live


def tone(syllable):
    """The Vientiane tone of one syllable in the spelling in use since 1975.

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
        If it is not one Lao syllable with a written vowel, or has two marks, or one that its class does not
        take.
    """
    letters = "".join(each for each in syllable if each not in (_MAI_EK, _MAI_THO, *_RARE))
    marks = [each for each in syllable if each in (_MAI_EK, _MAI_THO, *_RARE)]
    # A cancelled consonant is silent; ຳ may be written as its two parts.
    letters = re.sub("[ກ-ຮ]\u0ecc", "", letters).replace("ໍາ", "ຳ")
    consonant, length, is_live = _parsed(syllable, letters)
    if len(marks) > 1:
        raise Unreadable(syllable, "two tone marks")
    kind = _CLASSES[consonant]
    if _MAI_EK in marks:
        return "mid"
    if _MAI_THO in marks:
        return "low_falling" if kind == "high" else "high_falling"
    if marks and kind != "mid":
        raise Unreadable(syllable, "a tone mark that only consonants of the mid class take")
    if marks:
        return _RARE[marks[0]]
    return _LIVE[kind] if is_live else _DEAD[kind, length]


def syllables(text):
    """The syllables of a text, as laonlp cuts it.

    Returns
    -------
    list of tones.Syllable
        Numbers, other scripts, signs of repetition and what laonlp passes over have no tone.
    """
    found = []
    for start, end, is_lao in words(text, _SCRIPT):
        if is_lao:
            found += _cut(text, start, end)
        else:
            found.append(unread(text, start, end, foreign(text[start:end])))
    return found


def _cut(text, start, end):
    """laonlp's syllables of a run of Lao letters, and what lies between them."""
    from laonlp.tokenize import syllable_tokenize

    run, found, at = _ordered(text[start:end]), [], 0
    for part in [*syllable_tokenize(run), ""]:
        begin = run.index(part, at) if part else len(run)
        # laonlp does not expect a mark before ະ, and leaves the vowel in front: ໂຕ໊ະ.
        if at < begin and run[begin - 1] in "ເແໂໃໄ":
            begin, part = begin - 1, run[begin - 1] + part
        stop = begin + len(part.rstrip("ໆຯ"))
        found += [edge for edge in (_split(run, at, begin), _split(run, begin, stop)) if edge]
        at = begin + len(part)
        if stop < at:
            found.append([(stop, at)])
    return [
        unread(text, start + one, start + two, "a sign of repetition or omission")
        if set(run[one:two]) <= {"ໆ", "ຯ"}
        else read(tone, text, start + one, start + two)
        for edges in found
        for one, two in edges
    ]


def _split(run, start, end):
    """A stretch as it is, or in two where it is readable in two and not in one: ໂທລະ."""
    whole = [(start, end)] if start < end else []
    if not whole or _readable(run[start:end]) or end - start > _LONGEST:
        return whole
    ways = [cut for cut in range(start + 1, end) if _readable(run[start:cut]) and _readable(run[cut:end])]
    return [(start, ways[0]), (ways[0], end)] if len(ways) == 1 else whole


def _readable(syllable):
    try:
        return bool(tone(syllable))
    except Unreadable:
        return False


def _ordered(run):
    """Marks in the order that laonlp expects; the length stays, so that offsets do."""
    marks = f"[{_MAI_EK}{_MAI_THO}{_MAI_TI}{_MAI_CATAWA}]"
    run = re.sub(f"({marks})([ັິີຶືຸູົໍຼ])", r"\2\1", unicodedata.normalize("NFC", run))
    return re.sub(f"ຳ({marks})", r"\1ຳ", run)


def _parsed(syllable, letters):
    """The class consonant, the vowel's length, and whether a syllable without marks is live."""
    for pattern, length, gliding in _patterns():
        if found := pattern.fullmatch(letters):
            coda = found.groupdict().get("coda")
            is_live = gliding or (coda not in tuple("ກດບ") if coda else length == "long")
            return found["onset"][0], length, is_live
    raise Unreadable(syllable, "not a Lao syllable with a written vowel")


@functools.cache
def _patterns():
    return [
        (re.compile(each.format(o=_ONSET, f=_CODA)), length, gliding)
        for rhymes, length, gliding in (
            (_LONG, "long", False),
            (_SHORT, "short", False),
            (_GLIDING, "short", True),
        )
        for each in rhymes
    ]
