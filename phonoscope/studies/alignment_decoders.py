"""Which recordings a Whisper's decoder can take, in which language, and which are left out."""

import logging
from collections import Counter

import pyarrow as pa

from phonoscope import tables
from phonoscope.encoders.text_units import is_pronounced
from phonoscope.encoders.whisper import language_code
from phonoscope.errors import InputError

TOO_LONG, TOO_MANY = "longer than the decoder's window", "text of more tokens than the decoder takes"
NO_TOKEN = "language without a token"
EMPTY, NO_TRANSLATION = "empty transcript", "no English of the sentence"
GIVEN, STAND_IN, DETECTED = "given", "stand-in", "detected"
# Recordings at a time, so that a large corpus is not held as samples.
CHUNK = 64

LEFT_OUT = pa.schema(
    [
        *((name, pa.string()) for name in ("corpus", "model", "step", "language", "reason")),
        ("items", pa.int64()),
    ]
)


def token_of(whisper, language, stand_in):
    """Language that is put into the prompt, and how it was found.

    Parameters
    ----------
    whisper : encoders.whisper.Whisper
    language : str or None
        As the recordings name it.
    stand_in : dict of str to str
        Language of recordings to the language that is to be named for it.

    Returns
    -------
    code : str or None
        None where the model has no token for the language.
    how : {"given", "stand-in", "detected"}

    Raises
    ------
    InputError
        Where the model has no token for the stand-in.
    """
    known = whisper.languages if whisper.multilingual else ["en"]
    if language in stand_in:
        code = language_code(stand_in[language], known)
        if code is None:
            raise InputError(
                f"model {whisper.name} has no token for {stand_in[language]!r}",
                row=f"stand_in.{language}",
                fix=f"let one of these stand for it: {', '.join(known)}",
            )
        return code, STAND_IN
    code = language_code(language or "", known)
    return code, GIVEN if code else DETECTED


def admitted(whisper, rows, long, stand_in=None, forced=True):
    """Recordings that the decoder can take.

    Parameters
    ----------
    whisper : encoders.whisper.Whisper
    rows : list of dict
        Rows of ``tables.UTTERANCES``; ``text`` is what the decoder is given or compared with.
    long : {"refuse", "leave_out"}
        What becomes of a recording longer than the window, whose text cannot be cut as its sound can, and of
        a text of too many tokens.
    stand_in : dict of str to str, optional
        As for :func:`token_of`.
    forced : bool
        Whether the decoder is made to say the texts: then they must not be too long and their language must
        have a token. Else a language without one is kept, with no code.

    Returns
    -------
    rows : list of dict
        With ``code`` and ``how`` of :func:`token_of`.
    left_out : list of dict
        language, reason, items.

    Raises
    ------
    InputError
        Where something is too long and that is refused, or none is left.
    """
    found, left = [], Counter()
    for row in rows:
        code, how = token_of(whisper, row["language"], stand_in or {})
        reason = _obstacle(whisper, row, code, forced)
        if reason in (TOO_LONG, TOO_MANY) and long == "refuse":
            raise InputError(
                f"recording of {row['duration_s']:.1f} s: {reason} (model {whisper.name})",
                row=row["utterance_id"],
                fix="set long: leave_out, or take the recording out of the corpus",
            )
        if reason:
            left[row["language"] or "", reason] += 1
        else:
            found.append(row | {"code": code, "how": how})
    counts = [{"language": a, "reason": b, "items": n} for (a, b), n in sorted(left.items())]
    for each in counts:
        logging.warning("%s: %s (%d)", each["language"], each["reason"], each["items"])
    if not found:
        raise InputError(
            f"there is no recording that the decoder of model {whisper.name} takes "
            f"({', '.join(sorted({each['reason'] for each in counts})) or 'none is chosen'})",
            fix="give transcripts, or a stand_in for the language",
        )
    return found, counts


def _obstacle(whisper, row, code, forced):
    """Why the decoder cannot take a recording, or None."""
    if not is_pronounced(row["text"] or ""):
        return EMPTY
    if (row["duration_s"] or 0.0) > whisper.longest_s:
        return TOO_LONG
    if not forced:
        return None
    if code is None:
        return NO_TOKEN
    # With a space in front, which may be a token of its own.
    tokens = whisper.tokenizer(" " + " ".join(row["text"].split()), add_special_tokens=False)["input_ids"]
    room = whisper.network.config.max_target_positions - len(whisper.prompt(code))
    return TOO_MANY if len(tokens) > room else None


def chunks(rows, rate):
    """Rows with their audio, some at a time.

    Yields
    ------
    rows : list of dict
    audios : list of float32 array of shape (n_samples,)
        At ``rate`` Hz.
    """
    from phonoscope.corpora.audio import load

    for first in range(0, len(rows), CHUNK):
        part = rows[first : first + CHUNK]
        yield part, [load(row["audio"], rate, row.get("audio_sha256"))[0] for row in part]


def left_out(corpus, model, step, path):
    """What was left out of a table, by its provenance.

    Parameters
    ----------
    corpus, model : str
    step : str
        What the table is called in the sheet.
    path : path
        A table whose provenance has ``left_out``.

    Returns
    -------
    list of dict
        Rows of :data:`LEFT_OUT`.
    """
    where = {"corpus": corpus, "model": model, "step": step}
    return [where | each for each in tables.provenance(tables.schema(path))["left_out"]]
