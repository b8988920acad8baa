"""Texts to words with their phones: as they were spoken, by rules of a language, or by its letters."""

import logging
import re
import unicodedata
from functools import cache
from itertools import groupby

from phonoscope import tables
from phonoscope.alignment import espeak, romanise
from phonoscope.alignment.likeness import segments
from phonoscope.errors import InputError

WAYS = ("auto", "espeak", "epitran", "romanised")
# An epitran code: language (ISO 639-3) and script (ISO 15924).
_EPITRAN = re.compile(r"[a-z]{3}-[A-Z][a-z]{3}(-\w+)?")
# Between letters these belong to the word: apostrophes, and the joiners of Persian and Indic scripts.
_INSIDE = "'’ʼ\u200c\u200d"
_UNSPACED = ("THAI", "LAO", "MYANMAR", "KHMER", "TIBETAN", "CJK", "HIRAGANA", "KATAKANA", "IDEOGRAPHIC")
_CHARACTERS = ("CJK", "HIRAGANA", "KATAKANA", "IDEOGRAPHIC")
# Letters per candidate where nothing tells words apart.
STRETCH = range(2, 7)
# What uroman's letters most often stand for; any other is taken as IPA.
_ROMAN = {
    **{"tsch": "tʃ", "sch": "ʃ", "tch": "tʃ", "shch": "ʃ", "ch": "tʃ", "sh": "ʃ", "zh": "ʒ", "kh": "x"},
    **{"gh": "ɣ", "ph": "f", "th": "t", "ts": "ts", "dz": "dz", "ng": "ŋ", "ny": "ɲ", "qu": "kw", "ck": "k"},
    **{"c": "k", "q": "k", "x": "ks", "y": "i", "j": "dʒ", "g": "ɡ"},
}
_LETTERS = re.compile("|".join([*sorted(_ROMAN, key=len, reverse=True), "[a-z]"]))


def words(text):
    """Words of a text, as it writes them.

    What stands between spaces, hyphens and punctuation is a word. Thai is cut into words by pythainlp and
    Lao by laonlp. Chinese and Japanese have no spaces and get no dictionary: each stretch of two to six
    characters is a candidate, so that a name is among them, with many others.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of str
        In order; numbers written in digits are words.

    Raises
    ------
    InputError
        For a script without spaces that nothing cuts into words (Burmese, Khmer, Tibetan).
    """
    found = []
    for token in between_spaces(text):
        for script, part in groupby(token, key=unspaced):
            part = "".join(part)
            found += _cut(part, script) if script else [part]
    return found


def between_spaces(text):
    """What stands between spaces, hyphens and punctuation, composed (NFC); numbers too."""
    text = unicodedata.normalize("NFC", text)
    kept = [
        c if unicodedata.category(c)[0] in "LMN" or _joins(text, at) else " " for at, c in enumerate(text)
    ]
    return "".join(kept).split()


def _joins(text, at):
    if text[at] not in _INSIDE:
        return False
    around = text[at - 1 : at] + text[at + 1 : at + 2]
    return len(around) == 2 and all(unicodedata.category(c)[0] in "LM" for c in around)


@cache
def unspaced(character):
    """The script of a character if it puts no spaces between words, else an empty string.

    Chinese and Japanese are one, ``CJK``.
    """
    name = unicodedata.name(character, "").removeprefix("HALFWIDTH ").removeprefix("FULLWIDTH ")
    script = next((script for script in _UNSPACED if name.startswith(script)), "")
    return "CJK" if script in _CHARACTERS else script


def _cut(text, script):
    """Words of a stretch of one script without spaces."""
    if script == "CJK":
        starts = range(len(text))
        return [text[at : at + n] for at in starts for n in STRETCH if at + n <= len(text)] or [text]
    if script == "THAI":
        from pythainlp.tokenize import word_tokenize
    elif script == "LAO":
        from laonlp.tokenize import word_tokenize
    else:
        raise InputError(
            f"nothing cuts {script.capitalize()} into words: {text[:20]!r}",
            fix="put spaces between the words of the text, or leave the language out",
        )
    return [word for word in word_tokenize(text) if word.strip()]


def pronounce(texts, language, way="auto", voice=None):
    """Phones of every word of texts.

    Parameters
    ----------
    texts : sequence of str
    language : str
        For messages, and for the voice.
    way : {"auto", "espeak", "epitran", "romanised"}
        By espeak-ng or by epitran, both optional, or by uroman's letters taken as rough IPA, which knows
        neither a vowel that is not written nor what a letter stands for in this language (French ``eau``,
        Spanish ``j``, English all through). auto takes the first that there is, the last with a warning.
    voice : str, optional
        The language as espeak-ng (``en-us``, ``cmn``) or as epitran (``fin-Latn``) calls it; by default
        espeak-ng is asked for ``language``, epitran is not asked.

    Returns
    -------
    found : list of list of (str, tuple of str)
        Per text and word the spelling in lower case and the phones, of ``likeness.segments``; none for a word
        that the way cannot read.
    way : str
        How: espeak, epitran or romanised.

    Raises
    ------
    InputError
        For a way or voice that there is not, a text that cannot be cut into words, or a language of which
        no word gets phones.
    """
    if way not in WAYS:
        raise InputError(f"`{way}` is not known", row="pronunciation", fix=f"use one of {', '.join(WAYS)}")
    per_text = [[word.lower() for word in words(text)] for text in texts]
    known = sorted({word for found in per_text for word in found})
    way, written = _written(known, language, way, voice)
    phones, lacking = {}, set()
    for word, labels in zip(known, written, strict=True):
        phones[word], unknown = segments(labels)
        lacking |= set(unknown)
    silent = [word for word in known if not phones[word]]
    if lacking:
        letters = " ".join(sorted(lacking))
        logging.warning("%s: letters that are no phone were left out: %s", language, letters)
    if known and len(silent) == len(known):
        raise InputError(
            f"no word of {language} gets phones by {way}",
            row=f"language {language}",
            fix="choose another way or voice, give phones as segments, or leave the language out",
        )
    if silent:
        logging.warning(
            "%s: %d of %d words get no phones by %s, so that nothing sounds like them: %s",
            *(language, len(silent), len(known), way, ", ".join(silent)[:80]),
        )
    return [[(word, phones[word]) for word in found] for found in per_text], way


def _written(known, language, way, voice):
    """The way that was taken, and IPA per word: labels of phones, or a text."""
    if way == "epitran" or way == "auto" and _EPITRAN.fullmatch(voice or ""):
        return "epitran", _by_epitran(known, language, voice)
    if way == "espeak":
        return way, espeak.phones(known, voice or language)
    why = "espeakng-loader is not installed"
    if way == "auto" and espeak.installed():
        try:
            return "espeak", espeak.phones(known, voice or language)
        except InputError as error:
            if voice is not None:
                raise
            why = error.message
    if way == "auto":
        logging.warning(
            "%s: %s; words are compared by their romanised letters, taken as rough IPA: silent letters, "
            "vowels that are not written and the language's own values of letters are lost",
            *(language, why),
        )
    roman = ("".join(letter for letter, *_ in romanise.letters(word)) for word in known)
    return "romanised", [rough_ipa(letters) for letters in roman]


def rough_ipa(letters):
    """Romanised letters as labels of phones, by the values that most languages give them.

    Parameters
    ----------
    letters : str
        Latin letters; all others are passed over.

    Returns
    -------
    list of str
    """
    return [_ROMAN.get(found, found) for found in _LETTERS.findall(letters.lower())]


def _by_epitran(known, language, code):
    try:
        from epitran import Epitran
    except ImportError as error:
        raise InputError(
            "epitran is not installed", row=f"language {language}", fix="install it, or choose another way"
        ) from error
    try:
        convert = Epitran(code or "")
    except Exception as error:
        # Which exception an unknown code gives differs between its releases.
        raise InputError(
            f"epitran does not know {code!r} ({error})",
            row=f"language {language}",
            fix="give the language's code and script as `voice`, as in fin-Latn",
        ) from error
    return [convert.transliterate(word) for word in known]


def spelled(label):
    """A word as it is compared: in lower case, without punctuation around it."""
    return re.sub(r"^[\W_]+|[\W_]+$", "", label.lower())


def spoken_in(paths, way, utterances=None):
    """What was spoken by the tables of segments, where words are to get their phones so.

    Parameters
    ----------
    paths : list of path
        Tables ``tables.SEGMENTS``.
    way : str
        Of :data:`WAYS`, or ``segments``. For auto letters that an aligner took for phones do not count: they
        are no better than those of the text.
    utterances : collection of str, optional
        All by default.

    Returns
    -------
    dict
        As of :func:`spoken`; empty where segments do not count.
    """
    rough = any(tables.provenance(tables.schema(path)).get("units") == "romanised" for path in paths)
    if not paths or (way != "segments" and (way != "auto" or rough)):
        return {}
    rows = tables.read(paths).to_pylist()
    return spoken([row for row in rows if utterances is None or row["utterance_id"] in utterances])


def spoken(segments_of):
    """Words with the phones that were spoken in them, where the table of segments has both.

    Parameters
    ----------
    segments_of : list of dict
        Of ``tables.SEGMENTS``, of one or more recordings; tiers word and phone.

    Returns
    -------
    dict of str to list of (str, tuple of str)
        Per utterance_id, in order of time: the word in lower case without punctuation, and its phones, of
        ``likeness.segments``: those with their centres in it. What was spoken as one (*in the*) is one word.
        Recordings without either tier are absent.
    """
    tiers = {}
    for row in sorted(segments_of, key=lambda row: row["start_s"]):
        tiers.setdefault(row["utterance_id"], {}).setdefault(row["tier"], []).append(row)
    found = {}
    for utterance, tier in tiers.items():
        if "word" not in tier or "phone" not in tier:
            continue
        phones = [((p["start_s"] + p["end_s"]) / 2, p["label"]) for p in tier["phone"] if p["label"] != "sil"]
        found[utterance] = [
            (
                spelled(word["label"]),
                segments([label for at, label in phones if word["start_s"] <= at < word["end_s"]])[0],
            )
            for word in tier["word"]
        ]
    return found
