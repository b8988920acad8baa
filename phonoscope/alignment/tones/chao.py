"""Phonetic transcription with Chao tone letters: a run of letters at the end of a syllable is its tone.

Source: Chao, "A system of tone-letters", Le Maître Phonétique 45 (1930); Handbook of the IPA (1999), section
2.7. Two decisions, for transcriptions such as East Tusom's:

- A minor syllable bears no letters: in ``kʰəri˧˩`` the tone belongs to *ri*. The consonants before a vowel
  are its onset, so the cut is after the vowel before.
- A run of four or more letters after several vowels is what is left of one tone for each of the last vowels,
  two letters each (``kʰənu˧˩˥˧`` is *kʰə* ˧˩ and *nu* ˥˧); a tone has at most three letters.
"""

import re
import unicodedata

from phonoscope.alignment.tones import Syllable, Unreadable, unread

TONES = ()  # any run of letters is a label

_LETTERS = "˥˦˧˨˩"
_VOWELS = frozenset("iyɨʉɯuɪʏʊeøɘɵɤoəɛœɜɞʌɔæɐaɶɑɒ")
_LENGTH = "ːˑ"
_NO_LETTERS = "no tone letters"
_MANY = "more than one tone"


def tone(syllable):
    """The run of tone letters of one syllable.

    Parameters
    ----------
    syllable : str
        IPA with one run of tone letters, after which only a coda may stand.

    Raises
    ------
    Unreadable
        If there are no letters, or letters of more than one tone, or more than one vowel.
    """
    runs = _runs(syllable)
    if not runs:
        raise Unreadable(syllable, _NO_LETTERS)
    if len(runs) > 1 or len(runs[0][2]) > 3:
        raise Unreadable(syllable, _MANY)
    if len(_nuclei(syllable, 0, len(syllable))) > 1:
        raise Unreadable(syllable, "more than one vowel")
    return runs[0][2]


def kind(syllable):
    """The phones of one syllable without its tone letters, composed; raises what :func:`tone` raises."""
    tone(syllable)
    return _phones(syllable)


def syllables(text):
    """The syllables of a transcription; white space parts words.

    Returns
    -------
    list of tones.Syllable
        Minor syllables, and words without letters, have no tone.
    """
    found = []
    for word in re.finditer(r"\S+", text):
        at = word.start()
        runs = [(word.start() + start, word.start() + end, run) for start, end, run in _runs(word[0])]
        for i, (start, end, run) in enumerate(runs):
            # What follows the last run without a vowel is the coda of its syllable.
            if i == len(runs) - 1 and not _nuclei(text, end, word.end()):
                end = word.end()
            found += _toned(text, at, start, end, run)
            at = end
        if at < word.end():
            edges = _edges(text, at, word.end(), _nuclei(text, at, word.end()))
            found += [unread(text, *edge, _NO_LETTERS) for edge in edges]
    return found


def _toned(text, start, letters, end, run):
    """The syllables of ``text[start:end]``, which ends in the tone letters ``run`` (from ``letters`` on)."""
    nuclei = _nuclei(text, start, letters)
    n = (len(run) + 1) // 2 if len(run) > 3 else 1
    tones = [run] if n == 1 else [run[2 * i : 2 * i + 2] for i in range(n)]
    edges = _edges(text, start, end, nuclei)
    if n > 1 and (n > len(nuclei) or len(run) % 2):
        return [unread(text, *edge, _NO_LETTERS) for edge in edges[:-1]] + [unread(text, *edges[-1], _MANY)]
    tones = [None] * (len(edges) - n) + tones
    return [
        Syllable(text[one:two], one, two, label, kind=_phones(text[one:two]))
        if label
        else unread(text, one, two, _NO_LETTERS)
        for (one, two), label in zip(edges, tones, strict=True)
    ]


def _phones(syllable):
    return unicodedata.normalize("NFC", "".join(each for each in syllable if each not in _LETTERS))


def _runs(text):
    """Start, end and letters of each run; a diacritic among the letters is that of the vowel before them."""
    return [
        (found.start(), found.end(), "".join(each for each in found[0] if each in _LETTERS))
        for found in re.finditer(rf"[{_LETTERS}][{_LETTERS}\u0300-\u036f]*", text)
    ]


def _nuclei(text, start, end):
    """Start and end of each vowel or diphthong, with diacritics."""
    found, within = [], False
    for i in range(start, end):
        if text[i] in _LETTERS:
            within = False
        elif unicodedata.normalize("NFD", text[i])[0] in _VOWELS:
            if within:
                found[-1][1] = i + 1
            else:
                found.append([i, i + 1])
            within = True
        elif within and (unicodedata.category(text[i]) == "Mn" or text[i] in _LENGTH):
            found[-1][1] = i + 1
        else:
            within = False
    return found


def _edges(text, start, end, nuclei):
    """Cut after each vowel but the last: what stands between vowels is an onset."""
    cuts = [start, *(stop for _, stop in nuclei[:-1]), end]
    return list(zip(cuts, cuts[1:], strict=False))
