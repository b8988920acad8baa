"""Segment labels that come with a recording: ESPS/xlabel files, EMU annotations, TextGrids."""

import json
import math
from pathlib import Path

from phonoscope.corpora import textgrid
from phonoscope.errors import InputError


def read(path, tiers):
    """Segments with times, whatever the label format.

    Parameters
    ----------
    path : path-like
        ``*.TextGrid`` is Praat's; ``*.json`` an EMU annotation or a bundle with one inside; anything else
        an ESPS label file (``.MAU``, ``.lab``), whose lines give the *end* of a segment.
    tiers : dict of str to str
        Our tier (phone, word, ...) to the name of the level in an EMU annotation or of the tier in a
        TextGrid. An ESPS file has one tier, which is taken as ``phone``.

    Returns
    -------
    list of dict
        With tier, start_s, end_s and label.

    Raises
    ------
    InputError
        If the file is missing or not understood.
    """
    path = Path(path)
    if path.suffix.lower() == ".textgrid":
        return [row(*segment) for segment in textgrid.read(path, tiers)]
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise InputError(
            f"the label file cannot be read ({error.strerror})", path=path, fix="check `files: phones`"
        ) from error
    return _annotation(text, tiers, path) if path.suffix == ".json" else _esps(text, path)


def row(tier, start_s, end_s, label):
    """A segment as the tables have it, without its utterance; half a character is a ValueError."""
    label.encode()
    return {"tier": tier, "start_s": float(start_s), "end_s": float(end_s), "label": label}


def _esps(text, path):
    header, hash_line, body = text.partition("\n#")
    if not hash_line:
        raise InputError(
            "no line `#` ends the header",
            path=path,
            row="header",
            fix="check that this is an ESPS label file",
        )
    segments, start = [], 0.0
    for number, line in enumerate(body.splitlines()[1:], start=header.count("\n") + 3):
        if not line.strip():
            continue
        try:
            end, _, *label = line.split(maxsplit=2)
            end = float(end)
            if not math.isfinite(end):
                raise ValueError(f"the time is {end}")
        except ValueError as error:
            raise InputError(
                "the line is not `time colour label`", path=path, row=f"row {number}", fix="mend the line"
            ) from error
        # The first label of an ESPS file often closes nothing: it stands at time 0.
        if end > start:
            segments.append(row("phone", start, end, "".join(label).strip()))
        start = max(start, end)
    return segments


def _annotation(text, tiers, path):
    try:
        annotation = json.loads(text)
        annotation = annotation.get("annotation", annotation)
        rate = float(annotation["sampleRate"])
        levels = {level["name"]: level for level in annotation["levels"]}
        segments = []
        for tier, name in tiers.items():
            for item in levels[name]["items"] if name in levels else ():
                label = next(entry["value"] for entry in item["labels"] if entry["name"] == name)
                start, duration = item["sampleStart"] / rate, item["sampleDur"] / rate
                if not (
                    rate > 0 and start >= 0 and 0 <= duration < math.inf > start and isinstance(label, str)
                ):
                    raise ValueError(f"`{label}` from {start} s, of {duration} s")
                segments.append(row(tier, start, start + duration, label))
    except (
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        StopIteration,
        ArithmeticError,
        RecursionError,
    ) as error:
        raise InputError(
            f"not an EMU annotation with timed segments ({type(error).__name__}: {error})",
            path=path,
            fix="check `tiers` in the config and export the annotation again",
        ) from error
    return segments
