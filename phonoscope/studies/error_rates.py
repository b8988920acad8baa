"""Word and character error rates of transcriptions, with counts per utterance."""

import json
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from phonoscope.encoders.text_units import without_spaces
from phonoscope.errors import InputError


@dataclass(frozen=True)
class ErrorRates:
    """Rates over all utterances, and what they are made of.

    Parameters
    ----------
    wer, cer : float
        Errors (substitutions, deletions, insertions) per word and per character of all references together;
        wer is NaN for a script without spaces.
    counts : int array of shape (n_utterances, 4)
        Word errors, words, character errors, characters: rates of any sample of utterances are quotients of
        their sums.
    """

    wer: float
    cer: float
    counts: np.ndarray


def error_rates(references, hypotheses, normaliser, row=None):
    """Word and character error rates (jiwer).

    Spaces between words count as characters, as jiwer counts them. Where most references are in a script
    without spaces, spaces are taken out of both texts, and there is no word error rate. A reference with
    nothing in it counts what was written as insertions.

    Parameters
    ----------
    references, hypotheses : list of str
    normaliser : callable from str to str
        :func:`plain`, or what :func:`whisper_normaliser` gives.
    row : str, optional
        What they are of, for errors: a language or a corpus.

    Returns
    -------
    ErrorRates

    Raises
    ------
    InputError
        Where no reference has a word.
    """
    spaceless = 2 * sum(map(without_spaces, references)) > len(references)
    gap = "" if spaceless else " "
    counts = []
    for reference, hypothesis in zip(references, hypotheses, strict=True):
        right, heard = (gap.join(normaliser(text).split()) for text in (reference, hypothesis))
        counts.append(_counts(right, heard))
    counts = np.array(counts, dtype=int).reshape(-1, 4)
    total = counts.sum(axis=0)
    if not total[3]:
        raise InputError(
            "no reference has a word", row=row, fix="give transcripts, or leave the language out"
        )
    wer = float("nan") if spaceless else float(total[0] / total[1])
    return ErrorRates(wer, float(total[2] / total[3]), counts)


def _counts(right, heard):
    """Word errors, words, character errors, characters of one pair."""
    import jiwer

    if not right:
        return len(heard.split()), 0, len(heard), 0
    found = []
    for out, n in (
        (jiwer.process_words(right, heard), len(right.split())),
        (jiwer.process_characters(right, heard), len(right)),
    ):
        found += [out.substitutions + out.deletions + out.insertions, n]
    return found


def plain(text):
    """Lower case, no punctuation or symbols; marks of letters stay.

    Apostrophes go without a trace, other punctuation and symbols leave a space.
    """
    text = unicodedata.normalize("NFKC", text).lower()
    text = "".join("" if c in "'’ʼ" else c if unicodedata.category(c)[0] in "LMN" else " " for c in text)
    return " ".join(text.split())


def whisper_normaliser(language, spelling=None):
    """Whisper's own normaliser (Radford et al. 2022, arXiv 2212.04356, appendix C), as in transformers.

    That of English writes out contractions, numbers as digits, and one spelling of a word; that of all
    others takes marks of letters off that are characters of their own, which cuts words of Thai, Hindi and
    many scripts of South Asia into pieces.

    Parameters
    ----------
    language : str or None
        Whisper's code; en chooses the English one.
    spelling : dict of str to str, optional
        British to American words, of the model's normalizer.json (:func:`spelling_of`); without it spellings
        stay as they are.

    Returns
    -------
    callable from str to str
    """
    from transformers.models.whisper.english_normalizer import BasicTextNormalizer, EnglishTextNormalizer

    return EnglishTextNormalizer(spelling or {}) if language == "en" else BasicTextNormalizer()


def spelling_of(folder):
    """The spellings in a model's normalizer.json, empty where it has none.

    Raises
    ------
    InputError
        Where the file cannot be read.
    """
    path = Path(folder) / "normalizer.json"
    try:
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except ValueError as error:
        raise InputError(f"the spellings cannot be read ({error})", path=path, fix="fetch it anew") from error
