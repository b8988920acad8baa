"""How well a tone rule agrees with a pronunciation dictionary (WikiPron's two columns: word, IPA)."""

import re
import unicodedata
import zlib
from collections import Counter
from pathlib import Path

from phonoscope.alignment import tones
from phonoscope.errors import InputError

_LETTERS = re.compile("[˥-˩][˥-˩ˀ]*|[¹²³⁴⁵]+")
_ACCENTS = frozenset(
    "\u0300\u0301\u0302\u030c\u0330"
)  # grave, acute, circumflex, caron; tilde below is creak
_VOWELS = frozenset("iyɨʉɯuɪʏʊeøɘɵɤoəɛœɜɞʌɔæɐaɶɑɒ")
REDUCED, CHECKED = "ə", "ʔ"
_LISTED = 20


def agreement(rule, path, contours=None):
    """Compare a rule with a dictionary, syllable by syllable.

    A dictionary writes contours, a rule labels. Without a table a contour stands for the label that it most
    often goes with in the other half of the words (halves go by the word's checksum). Chance is what one
    label for all contours would reach.

    Parameters
    ----------
    rule : str
        One of ``tones.RULES``.
    path : path-like
        Lines of word, tab and IPA, its segments and tones parted by spaces. Tones are runs of Chao letters,
        superscript digits, or (as in Burmese) accents on vowels, where a vowel before ʔ is checked and ə is
        reduced.
    contours : dict of str to str, optional
        Label of each contour; other contours are another dialect's, and words with them are left out.

    Returns
    -------
    summary : dict
        One row: ``rule``, ``n_words`` (lines), ``n_syllables`` (scored), ``agreement`` (share of those),
        ``chance``, ``words_agreed`` (share of the words scored in which no tone differs), and counts of what
        is not scored: ``unreadable`` and ``reduced`` (syllables), ``other_length`` and ``other_contours``
        (words). The columns ``unreadable_listed`` and ``other_length_listed`` name the first of them.
    confusion : list of dict
        Rows of ``rule``, ``contour``, ``tone`` (the rule's), ``expected`` (the contour's label) and ``n``.

    Raises
    ------
    InputError
        If the file cannot be read or scored, or the table has a label that the rule has not.
    """
    module = tones.rule(rule)
    _check(rule, module, contours)
    pairs, counts, listed = _paired(module, path, contours)
    if not {_half(word) for word, *_ in pairs} >= ({0, 1} if contours is None else set()) or not pairs:
        raise InputError(
            f"too few words can be scored ({len({word for word, *_ in pairs})} of {counts['n_words']} lines)",
            path=path,
            fix="check that rule and dictionary are of one language",
        )
    labels = [contours or _majority(pairs, half) for half in (0, 1)]
    scored = [(word, contour, label, labels[_half(word)].get(contour, "")) for word, contour, label in pairs]
    table = Counter((contour, label, expected) for _, contour, label, expected in scored)
    return _summary(rule, scored, counts, listed) | {"chance": _chance(pairs)}, [
        {"rule": rule, "contour": contour, "tone": label, "expected": expected, "n": n}
        for (contour, label, expected), n in sorted(table.items())
    ]


def _summary(rule, scored, counts, listed):
    """The row that :func:`agreement` gives, chance still missing."""
    words = {word for word, *_ in scored}
    differ = {word for word, _, label, expected in scored if label != expected}
    return {
        "rule": rule,
        "n_words": counts["n_words"],
        "n_syllables": len(scored),
        "agreement": sum(label == expected for *_, label, expected in scored) / len(scored),
        "chance": None,
        "words_agreed": 1 - len(differ) / len(words),
        **{key: counts[key] for key in ("unreadable", "reduced", "other_length", "other_contours")},
        **{f"{key}_listed": " ".join(sorted(names)[:_LISTED]) for key, names in listed.items()},
    }


def _paired(module, path, contours):
    """Word, contour and label of each syllable; counts and lists of what has none."""
    pairs, counts, listed = [], Counter(), {"unreadable": set(), "other_length": set()}
    for word, found in _entries(path):
        counts["n_words"] += 1
        if contours is not None and not all(each in contours or each == REDUCED for each in found):
            counts["other_contours"] += 1
            continue
        syllables = module.syllables(word)
        listed["unreadable"].update(each.text for each in syllables if each.tone is None)
        if len(syllables) != len(found):
            counts["other_length"] += 1
            listed["other_length"].add(word)
            continue
        for each, contour in zip(syllables, found, strict=True):
            if contour == REDUCED:
                counts["reduced"] += 1
            elif each.tone is None:
                counts["unreadable"] += 1
            else:
                pairs.append((word, contour, each.tone))
    return pairs, counts, listed


def _entries(path):
    """Word and contours of each line."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"not a readable dictionary ({error})", path=path, fix="give a TSV in UTF-8"
        ) from error
    for i, line in enumerate(lines, start=1):
        word, tab, ipa = line.partition("\t")
        if not tab and line.strip():
            raise InputError("a line without a tab", path=path, row=i, fix="write word, tab, pronunciation")
        if word.strip() and ipa.strip():
            yield word.strip(), contours_of(ipa)


def _half(word):
    return zlib.crc32(word.encode()) & 1


def _majority(pairs, half):
    """The label that each contour most often goes with outside of ``half``."""
    counts = Counter((contour, label) for word, contour, label in pairs if _half(word) != half)
    # The commonest comes last and stays.
    return {
        contour: label for (contour, label), _ in sorted(counts.items(), key=lambda each: (each[1], each[0]))
    }


def _chance(pairs):
    """The share of labels that are the commonest of the other half."""
    of = [Counter(label for word, _, label in pairs if _half(word) == half) for half in (0, 1)]
    best = [max(sorted(each), key=each.get, default=None) for each in of]
    return (of[0][best[1]] + of[1][best[0]]) / len(pairs)


def _check(rule, module, contours):
    wrong = set((contours or {}).values()) - set(module.TONES)
    if wrong and module.TONES:
        raise InputError(
            f"the rule {rule} has no tone {', '.join(sorted(wrong))}", fix=f"use {', '.join(module.TONES)}"
        )


def contours_of(ipa):
    """The tones of a transcription, one per syllable.

    Parameters
    ----------
    ipa : str
        Segments and tones parted by spaces.

    Returns
    -------
    list of str
        Runs of tone letters or digits where there are any; else for each vowel its accents (decomposed), ʔ if
        it is checked, or ə if it is reduced, and nothing if it bears none of these.
    """
    tokens = ipa.split()
    found = [run for token in tokens for run in _LETTERS.findall(token)]
    if found:
        return found
    vowels, within = [], False
    for token in (unicodedata.normalize("NFD", each) for each in tokens):
        is_vowel = token[0] in _VOWELS
        if is_vowel and not within:
            vowels.append(REDUCED if token == REDUCED else "")
        if is_vowel:
            vowels[-1] += "".join(f"◌{each}" for each in token if each in _ACCENTS)
        elif token == "ʔ" and within and not vowels[-1]:
            vowels[-1] = CHECKED
        within = is_vowel
    return vowels


def text(summary, confusion):
    """The result for reading: counts, agreement and chance, and the table of contours against labels."""
    labels = sorted({row["tone"] for row in confusion})
    cells = Counter()
    for row in confusion:
        cells[row["contour"], row["tone"]] += row["n"]
    lines = [
        f"{key}: {value:.4f}" if isinstance(value, float) else f"{key}: {value}"
        for key, value in summary.items()
    ]
    lines.append("\t".join(["contour", *labels]))
    for contour in sorted({row["contour"] for row in confusion}):
        lines.append("\t".join([contour, *(str(cells[contour, label]) for label in labels)]))
    return "\n".join(lines)
