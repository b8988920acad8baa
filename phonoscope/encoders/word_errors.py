"""How far found word times are from known ones, and how far without a model."""

import numpy as np

from phonoscope.encoders.text_units import is_pronounced
from phonoscope.errors import InputError


def errors(found, known):
    """Found minus known times of the words of one utterance.

    Known segments may hold several words (``in the``): they are compared with the first one's start and the
    last one's end. The same goes for the pieces of a word in a script without spaces.

    Parameters
    ----------
    found : list of dict
        As :func:`word_times.word_times` gives them.
    known : list of (label, start_s, end_s)
        In their order; the text but for case and punctuation.

    Returns
    -------
    float array of shape (n_known, 3)
        Of start, end and centre, in seconds.

    Raises
    ------
    InputError
        Where the two are not of one text; names the utterance and the word.
    """
    rows, taken = [], 0
    for label, start_s, end_s in known:
        first, spelled, wanted = taken, "", _spelling(label)
        while len(spelled) < len(wanted) and taken < len(found):
            spelled += _spelling(found[taken]["word"])
            taken += 1
        if spelled != wanted or first == taken:
            raise _mismatch(found, f"found {spelled!r} where the known word is {label!r}")
        start, end = found[first]["start_s"], found[taken - 1]["end_s"]
        rows.append((start - start_s, end - end_s, (start + end - start_s - end_s) / 2))
    if taken < len(found):
        raise _mismatch(found, f"{found[taken]['word']!r} is behind the last known word")
    return np.array(rows).reshape(-1, 3)


def equal_parts(found, duration_s):
    """The control: times that follow from the length of the recording and the letters alone.

    Parameters
    ----------
    found : list of dict
        Of one utterance.
    duration_s : float

    Returns
    -------
    list of dict
        The same rows, with times that share the recording out by numbers of characters.
    """
    edges = np.cumsum([0] + [len(row["word"]) for row in found])
    edges = (duration_s * edges / edges[-1]).tolist()
    return [
        row | {"start_s": start, "end_s": end, "centre_s": (start + end) / 2}
        for row, start, end in zip(found, edges, edges[1:], strict=False)
    ]


def _spelling(text):
    return "".join(c for c in text.lower() if is_pronounced(c))


def _mismatch(found, message):
    return InputError(
        message,
        row=found[0]["utterance_id"] if found else None,
        fix="check that transcript and word tier are of the same text",
    )
