"""What a Whisper's decoder writes from one layer of its encoder, with its errors and those of chance."""

import logging
from functools import cache

import numpy as np
import pyarrow as pa

from phonoscope import tables
from phonoscope.encoders.early_exit import decode
from phonoscope.encoders.whisper import language_code
from phonoscope.errors import InputError
from phonoscope.studies.alignment_decoders import DETECTED, NO_TRANSLATION, admitted, chunks
from phonoscope.studies.error_rates import error_rates, plain, whisper_normaliser

PLAIN, WHISPER = "plain", "whisper"
COUNTS = ("word_errors", "words", "character_errors", "characters")
# Hypotheses of so many other utterances are put in the place of each one's own.
SHIFTS = 20


def schema(normalisers):
    """Schema of the table of one layer.

    token is the language in the prompt, prompted how it came there (given, stand-in, detected); ended is
    false where the text was cut. Per normaliser the counts of errors, of words and characters, and the mean
    errors of other utterances' hypotheses (``other_``); those of words are null in scripts without spaces.
    """
    names = ("utterance_id", "sentence_id", "language", "token", "prompted", "reference", "hypothesis")
    columns = [(name, pa.string()) for name in names]
    columns += [("ended", pa.bool_()), ("n_tokens", pa.int32())]
    for normaliser in normalisers:
        columns += [(f"{normaliser}_{name}", pa.int32()) for name in COUNTS]
        columns += [(f"{normaliser}_other_{name}", pa.float64()) for name in COUNTS[::2]]
    return pa.schema(columns)


def exit_early(whisper, chosen, layer, options, spelling=None):
    """Greedy decoding of all chosen recordings from one layer.

    Parameters
    ----------
    whisper : encoders.whisper.Whisper
    chosen : path
        As ``alignment_sentences.choose`` gives it.
    layer : int
    options : dict
        ``norm``, ``task`` and ``max_new_tokens`` of ``encoders.early_exit.decode``; ``language``: given, or
        detected for all; ``stand_in`` and ``long`` of ``alignment_decoders.admitted``; ``normalisers``: plain
        and whisper; ``seed``. With the task translate a recording is compared with the English text of its
        sentence, and those in English are not decoded. Where the language has no token it is detected.
    spelling : dict, optional
        Of ``error_rates.spelling_of``.

    Returns
    -------
    pyarrow.Table
        Of :func:`schema`; layer, norm, task and left_out in the provenance.

    Raises
    ------
    InputError
        As ``encoders.early_exit.decode`` and :func:`alignment_decoders.admitted`.
    """
    rows, translated = targets(tables.read(chosen).to_pylist(), options["task"])
    rows, left_out = admitted(whisper, rows, options["long"], options["stand_in"], forced=False)
    if options["language"] == "detected":
        rows = [row | {"code": None, "how": DETECTED} for row in rows]
    found = []
    for part, audios in chunks(rows, whisper.rate):
        codes, names = [row["code"] for row in part], [row["utterance_id"] for row in part]
        task, norm, most = options["task"], options["norm"], options["max_new_tokens"]
        texts = decode(whisper, audios, [layer], codes, task, norm, most, names)[layer]
        found += [_row(row, text) for row, text in zip(part, texts, strict=True)]
        logging.info("%d of %d recordings", len(found), len(rows))
    for language in dict.fromkeys(row["language"] for row in found):
        mine = [row for row in found if row["language"] == language]
        for normaliser in options["normalisers"]:
            counted = with_errors(mine, normaliser, options, spelling)
            for row, counts in zip(mine, counted, strict=True):
                row.update(counts)
    about = {"model": whisper.name, "layer": layer, "left_out": left_out + translated}
    about |= {key: options[key] for key in ("norm", "task", "language", "max_new_tokens")}
    made = schema(options["normalisers"])
    return tables.from_rows(found, made).cast(tables.with_provenance(made, about))


def _row(row, text):
    kept = {key: row[key] for key in ("utterance_id", "sentence_id", "language")}
    kept |= {"token": text.language, "prompted": row["how"], "reference": row["text"]}
    return kept | {"hypothesis": text.text, "ended": text.ended, "n_tokens": len(text.tokens)}


def is_english(language):
    """Whether recordings of a language are in English: en, en_us, English."""
    return language_code(language or "", ["en"]) is not None


def targets(rows, task):
    """Recordings with the text that is expected of them.

    Parameters
    ----------
    rows : list of dict
        Rows of ``tables.UTTERANCES``.
    task : {"transcribe", "translate"}

    Returns
    -------
    rows : list of dict
        As they are, or without those in English and with English texts.
    left_out : list of dict
        language, reason, items.
    """
    if task == "transcribe":
        return rows, []
    english = {row["sentence_id"]: row["text"] for row in rows if is_english(row["language"])}
    found, lacking = [], {}
    for row in rows:
        if is_english(row["language"]):
            continue
        if row["sentence_id"] in english:
            found.append(row | {"text": english[row["sentence_id"]]})
        else:
            lacking[row["language"]] = lacking.get(row["language"], 0) + 1
    if not found:
        raise InputError(
            "no recording has an English text of its sentence to be translated into",
            row="alignment.early_exit.task",
            fix="set task: transcribe, or add English to alignment.languages",
        )
    return found, [{"language": a, "reason": NO_TRANSLATION, "items": n} for a, n in lacking.items()]


def with_errors(rows, normaliser, options, spelling=None):
    """Errors of one language's hypotheses, and the mean errors of hypotheses of other utterances.

    The hypotheses are put in a circle in random order, which is turned by 1 to 20 places: each reference is
    compared with the hypotheses of 20 others, or of all others where there are no more.

    Parameters
    ----------
    rows : list of dict
        Of one language, with reference and hypothesis.
    normaliser : {"plain", "whisper"}
    options : dict
        ``task`` and ``seed``.
    spelling : dict, optional

    Returns
    -------
    list of dict
        Columns of :func:`schema`.
    """
    english = options["task"] == "translate" or is_english(rows[0]["language"])
    made = whisper_normaliser("en" if english else None, spelling) if normaliser == WHISPER else plain
    made = cache(made)
    references, texts = [row["reference"] for row in rows], [row["hypothesis"] for row in rows]
    own = error_rates(references, texts, made, f"language {rows[0]['language']}")
    order = np.random.default_rng([options["seed"], len(rows)]).permutation(len(rows))
    place = np.argsort(order)
    shifts = range(1, min(SHIFTS, len(rows) - 1) + 1)
    others = [
        error_rates(references, [texts[order[at]] for at in (place + shift) % len(rows)], made).counts
        for shift in shifts
    ]
    others = np.mean(others, axis=0) if others else np.full(own.counts.shape, np.nan)
    found = []
    for counts, other in zip(own.counts.tolist(), others.tolist(), strict=True):
        row = dict(zip(COUNTS, counts, strict=True))
        row |= {f"other_{name}": n if n == n else None for name, n in zip(COUNTS, other, strict=True)}
        if np.isnan(own.wer):
            row |= dict.fromkeys(("word_errors", "words", "other_word_errors"))
        kept = [*COUNTS, *(f"other_{name}" for name in COUNTS[::2])]
        found.append({f"{normaliser}_{name}": row[name] for name in kept})
    return found
