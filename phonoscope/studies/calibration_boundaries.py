"""Where an aligner puts the starts of phones whose times are known to the sample."""

import logging

import numpy as np
import pyarrow as pa

from phonoscope import tables
from phonoscope.alignment import forced
from phonoscope.alignment.aligners import UNKNOWN
from phonoscope.corpora.audio import load
from phonoscope.errors import InputError

SILENCE = "sil"

# One row per phone: its known start, where the aligner has it, where the control has it (the recording cut
# into as many equal parts as it has phones), and the nearest edge of a frame, which no aligner can better.
BOUNDARIES = pa.schema(
    [
        *((name, pa.string()) for name in ("utterance_id", "speaker", "language", "label")),
        ("has_class", pa.bool_()),
        *((name, pa.float64()) for name in ("start_s", "aligned_s", "uniform_s", "grid_s", "score")),
    ]
)


def chosen(utterances, languages, splits, speakers):
    """Rows of the tables ``utterances`` in these languages, splits and voices (none: all).

    Raises
    ------
    InputError
        Where there is none.
    """
    found = [
        row
        for row in tables.read(utterances).to_pylist()
        if (not languages or row["language"] in languages)
        and (not splits or row["split"] in splits)
        and (not speakers or row["speaker"] in speakers)
    ]
    if not found:
        raise InputError(
            "no recording has a language, split and voice of calibration.aligner",
            path=utterances[0],
            fix="change calibration.aligner.languages, splits or speakers",
        )
    return found


def measure(aligner, utterances, segments):
    """Align every recording with the phones that are known to be in it.

    Parameters
    ----------
    aligner : alignment.aligners.Frames
        Or whatever has ``vocabulary``, ``timebase`` and ``log_probs(audio)``.
    utterances : list of dict
        Rows of ``tables.UTTERANCES``.
    segments : lists of path
        Of the corpus; the tier `phone` counts.

    Returns
    -------
    pyarrow.Table
        Of :data:`BOUNDARIES`; recordings with fewer frames than phones are left out, and their number is in
        the provenance (``left_out``).

    Raises
    ------
    InputError
        Where a recording has no phones, or none is left.
    """
    phones = {}
    for row in tables.read(segments).to_pylist():
        if row["tier"] == "phone" and row["label"] != SILENCE:
            phones.setdefault(row["utterance_id"], []).append(row)
    found, left_out = [], 0
    for row in utterances:
        said = sorted(phones.get(row["utterance_id"], []), key=lambda phone: phone["start_s"])
        if not said:
            raise InputError(
                "the recording has no phones to compare with", path=row["audio"], row=row["utterance_id"],
                fix="take its corpus out of calibration.aligner",
            )  # fmt: skip
        log_probs = aligner.log_probs(load(row["audio"], sha256=row.get("audio_sha256"))[0])
        try:
            found += _aligned(aligner, row, said, log_probs)
        except InputError as error:
            logging.warning("%s: %s", row["utterance_id"], error)
            left_out += 1
    if not found:
        raise InputError("every recording has fewer frames than phones", fix="check segments and audio")
    table = tables.from_rows(found, BOUNDARIES)
    return table.cast(tables.with_provenance(BOUNDARIES, {"left_out": left_out}))


def _aligned(aligner, row, said, log_probs):
    unknown, base = aligner.vocabulary[UNKNOWN], aligner.timebase
    tokens = [aligner.vocabulary.get(each["label"], unknown) for each in said]
    times = forced.align(log_probs, tokens, base, silence=0)
    even = np.linspace(0, row["duration_s"], len(said), endpoint=False)
    first = base.offset_s - base.hop_s / 2
    found = []
    for phone, token, (start, _, score), uniform in zip(said, tokens, times, even, strict=True):
        edge = first + base.hop_s * round((phone["start_s"] - first) / base.hop_s)
        found.append(
            {name: row[name] for name in ("utterance_id", "speaker", "language")}
            | {"label": phone["label"], "has_class": token != unknown, "start_s": phone["start_s"]}
            | {"aligned_s": start, "uniform_s": float(uniform), "grid_s": max(edge, 0.0), "score": score}
        )
    return found
