"""Thai spelling: the ways to read a word as written syllables.

A syllable is an onset (one consonant or a cluster), a vowel sign around it or none, a tone mark, and a
final consonant with silent letters. Most words can be read in several ways, so each way has a cost, and the
cheapest reading counts: one per syllable, more where a vowel is not written, less where pythainlp's list has
the syllable.

Source: Haas, *The Thai System of Writing* (1956); Smyth, *Thai: An Essential Grammar* (2002), chapter 2.
"""

import dataclasses
import functools
import re

CONSONANTS = frozenset("กขฃคฅฆงจฉชซฌญฎฏฐฑฒณดตถทธนบปผฝพฟภมยรลวศษสหฬอฮ")
MID = frozenset("กจฎฏดตบปอ")
HIGH = frozenset("ขฃฉฐถผฝศษสห")
SONORANTS = frozenset("งญณนมยรลว")
_STOP_FINALS = "กขคฆจชซฎฏฐฑฒดตถทธศษสบปพฟภ"
_SONORANT_FINALS = "งญณนมยรลฬว"

# Letters that are one onset wherever they stand together, and words in which others (สร, จร, อย) are.
_CLUSTERS = frozenset(
    first + second
    for firsts, seconds in (("กขค", "รลว"), ("ปพบฟ", "รล"), ("ตดทศซ", "ร"), ("ผ", "ล"), ("ห", "งญณนมยรลว"))
    for first in firsts
    for second in seconds
)
_LISTED = re.compile("(?:สร(?:้าง|่าง|ะ|้อย|วง|วล|ง)|จริง|อย(?:ู่|่า|าก))|เสร(?:ิม|็จ)")

_LONGEST = 60  # characters of a compound word
_LEADS = "เแโไใ"
_MARK = "[่-๋]?"
# After an onset, by the letter before it: the rest of the vowel, its sound, and whether a final consonant is
# required (1), possible (?) or impossible (0). A short vowel whose sound has a final makes a live syllable.
_VOWELS = {
    "": (
        *((f"{_MARK}ะ", "a", "0"), (f"ั{_MARK}", "a", "1"), (f"ั{_MARK}วะ", "ua", "0")),
        *((f"ั{_MARK}ว", "uaː", "0"), (f"{_MARK}ว", "uaː", "1"), ("รร", "a", "1"), ("รร", "an", "0")),
        *((f"{_MARK}า", "aː", "?"), (f"(?:{_MARK}ำ|ํ{_MARK}า)", "am", "0")),
        *((f"ิ{_MARK}", "i", "?"), (f"ึ{_MARK}", "ɯ", "?"), (f"ุ{_MARK}", "u", "?")),
        *((f"ี{_MARK}", "iː", "?"), (f"ู{_MARK}", "uː", "?")),
        *((f"ื{_MARK}อ", "ɯː", "0"), (f"ื{_MARK}", "ɯː", "1")),
        *((f"{_MARK}อ", "ɔː", "?"), ("็อ", "ɔ", "1"), (_MARK, "o", "1"), ("ฤ", "rɯ", "?")),
    ),
    "เ": (
        *((f"{_MARK}ะ", "e", "0"), ("็", "e", "1"), (_MARK, "eː", "?"), (f"{_MARK}า", "aw", "0")),
        *((f"{_MARK}าะ", "ɔ", "0"), (f"{_MARK}อ", "ɤː", "?"), (f"{_MARK}อะ", "ɤ", "0")),
        *((f"ิ{_MARK}", "ɤː", "1"), (f"ี{_MARK}ย", "iaː", "?"), (f"ี{_MARK}ยะ", "ia", "0")),
        *((f"ื{_MARK}อ", "ɯaː", "?"),),
    ),
    "แ": ((f"{_MARK}ะ", "ɛ", "0"), ("็", "ɛ", "1"), (_MARK, "ɛː", "?")),
    "โ": ((f"{_MARK}ะ", "o", "0"), (_MARK, "oː", "?")),
    "ไ": ((f"{_MARK}ย?", "aj", "0"),),
    "ใ": ((_MARK, "aj", "0"),),
    "ฤ": (("ฤๅ", "ɯː", "0"), ("ฤ", "ɯ", "?")),
}
_C = "[กขฃคฅฆงจฉชซฌญฎฏฐฑฒณดตถทธนบปผฝพฟภมยรลวศษสหฬอฮ]"
_KILLED = re.compile(f"{_C}[ิุ]?์")
_KILLED_AFTER_FINAL = re.compile(f"(?!รร){_C}{{0,2}}{_C}[ิุ]?์|ร?ิย์")
# After the final consonant of a word ร, ธ, ิ and ุ may be silent without ์: จักร, มิตร, พุทธ, ชาติ, เหตุ, ภูมิ.
_SILENT_END = re.compile("(?:(?:ั[กคตช]|[ิุูา]ต|ุท|เ.{1,2}[ชต])ร|(?:ั|า|[เโ].{1,2})ต[ิุ]|ูมิ|[ัิุ]ทธ)$")


@dataclasses.dataclass(frozen=True)
class Part:
    """One written syllable of a reading.

    Attributes
    ----------
    start, end : int
        In the word.
    initial : str
        The consonant whose class counts.
    mark : str
        The tone mark, or nothing.
    live : bool
    short : bool
        The vowel.
    bare : bool
        A consonant alone, read with a short a.
    sonorant : bool
        A single sonorant begins the syllable: it takes over the class of a bare consonant before it.
    cluster : bool
        Two consonants begin the syllable.
    onset : str
        The letters of the onset.
    vowel : str
        Its sound, in IPA; with a final where the vowel's own sign writes one.
    final : str
        The letter of the final consonant, or nothing.
    """

    start: int
    end: int
    initial: str
    mark: str
    live: bool
    short: bool
    bare: bool = False
    sonorant: bool = False
    cluster: bool = False
    onset: str = ""
    vowel: str = "a"
    final: str = ""


def reading(word):
    """The cheapest reading of a word: a list of :class:`Part`, or None if there is none."""
    best, seams = {0: (0, 0, [])}, _seams(word)
    for at in range(len(word)):
        if at in best:
            so_far, _, before = best[at]
            for cost, parts in _readings(word, at):
                end = parts[-1].end
                total = so_far + cost + _after(word, before, parts[0])
                total += 130 * any(_crossed(word, part, seams) for part in parts)
                # Of two equal readings, the one with the longer syllables before: กฎ จราจร.
                if end not in best or total <= best[end][0]:
                    best[end] = (total, at, parts)
    if not word or len(word) not in best:
        return None
    found, end = [], len(word)
    while end:
        _, end, parts = best[end]
        found += reversed(parts)
    return found[::-1]


def _seams(word):
    """Where a word is two words of pythainlp's list: a syllable seldom reaches over the seam."""
    from pythainlp.corpus import thai_words

    listed = thai_words()
    return [
        at for at in range(2, min(len(word), _LONGEST) - 1) if word[:at] in listed and word[at:] in listed
    ]


def _crossed(word, part, seams):
    return (
        any(part.start < seam < part.end for seam in seams) and word[part.start : part.end] not in _listed()
    )


def _after(word, before, part):
    """What it costs that two syllables follow each other."""
    if before and before[-1].bare and (part.bare or part.cluster):
        return 50
    # กระ, ประ, ตระ and พระ are hardly ever cut before ร.
    return 60 if before and word.startswith("ระ", part.start) and word[part.start - 1] in "กขตปพ" else 0


def _readings(word, at):
    """Cost and parts of each way to read a syllable (or two that are written as one) from ``at`` on."""
    lead = word[at] if word[at] in _LEADS else ""
    begin = at + len(lead)
    if word[at] == "ฤ":
        yield from _vowelled(word, at, at, "ร", "ฤ")
    for onset in (word[begin : begin + 1], word[begin : begin + 2]):
        single = len(onset) == 1 and onset in CONSONANTS
        if single or onset in _CLUSTERS or (len(onset) == 2 and _LISTED.match(word, at)):
            yield from _vowelled(word, at, begin + len(onset), onset, lead)
    if not lead and word[at] in CONSONANTS and at + 1 < len(word):
        yield (
            (140 if word[at] in MID | HIGH else 150),
            [Part(at, at + 1, word[at], "", live=False, short=True, bare=True, onset=word[at])],
        )
    # แสดง: the vowel is written before both consonants and read after the second.
    first, second = (word[begin : begin + 2] + "  ")[:2]
    if lead and first in MID | HIGH and second in CONSONANTS and first + second not in _CLUSTERS:
        bare = Part(at, begin + 1, first, "", live=False, short=True, bare=True, onset=first)
        for cost, [part] in _vowelled(word, at, begin + 2, second, lead):
            if part.end > begin + 2:
                yield (
                    cost + (60 if second in SONORANTS else 90),
                    [bare, dataclasses.replace(part, start=begin + 1, sonorant=second in SONORANTS)],
                )


def _vowelled(word, at, after, onset, lead):
    """Cost and part of each way to read a vowel and an ending after the onset."""
    initial, single = onset[0], len(onset) == 1 and lead != "ฤ"
    for pattern, vowel, closing, is_written in _vowels()[lead]:
        found = pattern.match(word, after)
        if not found:
            continue
        mark = "".join(each for each in found[0] if each in "่้๊๋")
        short = not vowel.endswith("ː")
        for end, final in _closings(word, at, found.end(), closing):
            live = final in _SONORANT_FINALS if final else not short or vowel[-1] in "mnjw"
            listed = is_written and word[at:end] in _listed()
            cost = (100 if is_written else 180) - (30 if listed else 0)
            # Between a closed syllable and a cluster, the closed syllable is commoner: ปาก ว่า.
            cost += 0 if single or not at else 5
            sonorant = single and initial in SONORANTS and word[at] not in _LEADS
            sounds = {"onset": onset, "vowel": vowel, "final": final}
            yield cost, [Part(at, end, initial, mark, live, short, False, sonorant, not single, **sounds)]


def _closings(word, at, after, closing):
    """End of a syllable and its final consonant (or nothing), for each way to close it after its vowel."""
    if closing != "1":
        yield after, ""
        if found := _KILLED.match(word, after):
            yield found.end(), ""
    if closing != "0":
        if found := _KILLED.match(word, after):
            after = found.end()  # ฟิล์ม
        after += word.startswith("หม", after)  # พรหม
        final = word[after : after + 1]
        doubled = word.startswith("รร", after)  # always a vowel: สวรรค์
        if final and final in _STOP_FINALS + _SONORANT_FINALS and not doubled:
            yield after + 1, final
            if found := _KILLED_AFTER_FINAL.match(word, after + 1):
                yield found.end(), final
            end = after + 2
            if (end == len(word) or word[at:end] in _listed()) and _SILENT_END.search(word, at, end):
                yield end, final


@functools.cache
def _vowels():
    """``_VOWELS``, compiled; last, whether the vowel is written."""
    return {
        lead: [
            (re.compile(pattern), vowel, closing, bool(lead) or pattern != _MARK)
            for pattern, vowel, closing in rows
        ]
        for lead, rows in _VOWELS.items()
    }


@functools.cache
def _listed():
    from pythainlp.corpus import thai_syllables

    return thai_syllables()
