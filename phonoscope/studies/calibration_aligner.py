"""Calibration of forced alignment: where an aligner puts phones whose times are known to the sample."""

import json
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from phonoscope import tables
from phonoscope.alignment import forced
from phonoscope.corpora.audio import load
from phonoscope.encoders.timebase import Timebase
from phonoscope.errors import InputError
from phonoscope.studies import calibration

RATE_HZ = 16000
WITHIN_S = 0.020
SILENCE, PAD, UNKNOWN = "sil", "<pad>", "<unk>"
CONTROL = "equal parts"

# name, unit, whether less is better, statistic of the errors (ms) given how often each is drawn
MEASURES = (
    ("boundary error, median", "ms", True, lambda errors, times: quantile(errors, times, 0.5)),
    ("boundary error, 90th percentile", "ms", True, lambda errors, times: quantile(errors, times, 0.9)),
    (
        f"boundaries within {1000 * WITHIN_S:.0f} ms", "", False,
        lambda errors, times: float(times[errors <= 1000 * WITHIN_S].sum() / times.sum()),
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Boundaries:
    """Starts of phones: arrays of shape (n_boundaries,).

    Attributes
    ----------
    error, uniform : float array
        Distance to the known start in ms: of the aligner, and of the recording cut into equal parts.
    grid : float array
        Distance from the known start to the nearest edge of a frame in ms: an aligner cannot do better.
    unit, language : object array
        Who spoke (the recording, where nobody is named), and in which language.
    unknown, left_out : int
        Phones that the aligner has no class for; recordings with fewer frames than phones.
    """

    error: np.ndarray
    uniform: np.ndarray
    grid: np.ndarray
    unit: np.ndarray
    language: np.ndarray
    unknown: int
    left_out: int


class Aligner:
    """A frame-wise phone classifier as transformers saves it: class 0, ``<pad>``, is silence.

    Parameters
    ----------
    folder : path-like
        With config.json, model.safetensors, vocab.json.

    Raises
    ------
    InputError
        Where a file is missing or is none of such a model.
    """

    def __init__(self, folder):
        from safetensors import SafetensorError
        from transformers import AutoFeatureExtractor, AutoModelForCTC

        local = {"local_files_only": True, "trust_remote_code": False}
        try:
            self.vocabulary = json.loads((Path(folder) / "vocab.json").read_text(encoding="utf-8"))
            self.model = AutoModelForCTC.from_pretrained(folder, use_safetensors=True, **local).eval()
            self.extractor = AutoFeatureExtractor.from_pretrained(folder, **local)
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            raise InputError(
                f"no aligner can be loaded ({error})",
                path=folder,
                fix="see calibration.aligner in the config",
            ) from error
        if self.vocabulary.get(PAD) != 0 or UNKNOWN not in self.vocabulary:
            raise InputError(
                f"the vocabulary lacks {PAD} as class 0 or {UNKNOWN}",
                path=Path(folder) / "vocab.json",
                fix="train the aligner by finetune_ctc with loss: frames and units: [phone]",
            )
        config = self.model.config
        field, hop = 1, int(np.prod(config.conv_stride))
        for kernel, stride in reversed(list(zip(config.conv_kernel, config.conv_stride, strict=True))):
            field = (field - 1) * stride + kernel
        self.timebase = Timebase(hop / RATE_HZ, field / 2 / RATE_HZ)

    def log_probs(self, audio):
        """Log probabilities of one recording (16 kHz), array of shape (n_frames, n_classes)."""
        import torch

        values = self.extractor(audio, sampling_rate=RATE_HZ, return_tensors="pt").input_values
        with torch.inference_mode():
            return self.model(values).logits[0].float().log_softmax(-1).numpy()


def rows(corpus, model, utterances, segments, folder, options):
    """Rows of the calibration table: per language and for all together, the measures of :data:`MEASURES`.

    Parameters
    ----------
    corpus, model : str
        ``model`` is the aligner's name in the table.
    utterances, segments : lists of path
    folder : path-like
        Of the aligner, see :class:`Aligner`.
    options : dict
        ``languages`` and ``splits``: which recordings; empty for all.

    Returns
    -------
    pandas.DataFrame
        With ``calibration.COLUMNS``.

    Raises
    ------
    InputError
        Where no recording is left, or one has no phones.
    """
    chosen = [
        row
        for row in tables.read(utterances).to_pylist()
        if (not options["languages"] or row["language"] in options["languages"])
        and (not options["splits"] or row["split"] in options["splits"])
    ]
    if not chosen:
        raise InputError(
            "no recording has a language and split of calibration.aligner",
            path=utterances[0],
            fix="change calibration.aligner.languages or splits",
        )
    phones = {}
    for row in tables.read(segments).to_pylist():
        if row["tier"] == "phone" and row["label"] != SILENCE:
            phones.setdefault(row["utterance_id"], []).append(row)
    found = measure(Aligner(folder), chosen, phones)
    languages = sorted(set(found.language))
    groups = [("all", np.full(len(found.error), True))] if len(languages) > 1 else []
    groups += [(language, found.language == language) for language in languages]
    made = [row for language, mine in groups for row in _rows(found, mine, language)]
    return calibration.table([row | {"corpus": corpus, "model": model} for row in made])


def measure(aligner, utterances, phones):
    """Align every recording and compare the starts of its phones with the known ones.

    Parameters
    ----------
    aligner : Aligner
        Or whatever has ``vocabulary``, ``timebase`` and ``log_probs(audio)``.
    utterances : list of dict
        Rows of ``tables.UTTERANCES``.
    phones : dict of str to list of dict
        Utterance -> rows of ``tables.SEGMENTS``, without silences.

    Returns
    -------
    Boundaries
    """
    parts, unknown, left_out = [], 0, 0
    for row in utterances:
        said = sorted(phones.get(row["utterance_id"], []), key=lambda phone: phone["start_s"])
        if not said:
            raise InputError(
                "the recording has no phones to compare with", path=row["audio"], row=row["utterance_id"],
                fix="take its corpus out of calibration.aligner",
            )  # fmt: skip
        tokens = [aligner.vocabulary.get(each["label"], aligner.vocabulary[UNKNOWN]) for each in said]
        log_probs = aligner.log_probs(load(row["audio"], RATE_HZ)[0])
        try:
            times = forced.align(log_probs, tokens, aligner.timebase, silence=0)
        except InputError as error:
            logging.warning("%s: %s", row["utterance_id"], error)
            left_out += 1
            continue
        unknown += sum(token == aligner.vocabulary[UNKNOWN] for token in tokens)
        known = np.array([each["start_s"] for each in said])
        even = np.linspace(0, row["duration_s"], len(said), endpoint=False)
        hop, first = aligner.timebase.hop_s, aligner.timebase.offset_s - aligner.timebase.hop_s / 2
        edges = np.maximum(first + hop * np.round((known - first) / hop), 0)
        distances = [1000 * np.abs(at - known) for at in (np.array([t[0] for t in times]), even, edges)]
        who = row["speaker"] or row["utterance_id"]
        parts.append([*distances, *(np.full(len(known), name, object) for name in (who, row["language"]))])
    if not parts:
        raise InputError("every recording has fewer frames than phones", fix="check segments and audio")
    return Boundaries(*map(np.concatenate, zip(*parts, strict=True)), unknown, left_out)


def _rows(found, mine, language):
    error, uniform, grid = found.error[mine], found.uniform[mine], found.grid[mine]
    names, unit = np.unique(found.unit[mine].astype(str), return_inverse=True)
    once = np.ones(len(error))
    # Sorted once for all draws.
    orders = [np.argsort(each, kind="stable") for each in (error, uniform)]
    pairs = [(each[order], unit[order]) for each, order in zip((error, uniform), orders, strict=True)]
    remarks = [f"n: boundaries, of {len(names)} voices"]
    remarks += [f"{found.unknown} phones without a class"] * bool(found.unknown)
    remarks += [f"{found.left_out} recordings left out"] * bool(found.left_out)
    made = []
    for name, measured_in, less, statistic in MEASURES:
        drawn = np.array([[statistic(e, c[u]) for e, u in pairs] for c in _draws(names)])
        bounds = calibration.interval(drawn[:, 0]) if len(drawn) else (np.nan, np.nan)
        gap = calibration.interval(drawn[:, 0] - drawn[:, 1]) if len(drawn) else (np.nan, np.nan)
        made.append(
            {"study": "alignment", "case": f"aligner: {language}", "reference": CONTROL, "measure": name}
            | {"unit": measured_in, "measured": statistic(error, once), "chance": statistic(uniform, once)}
            | {"truth": 0.0 if less else 1.0, "ci_low": bounds[0], "ci_high": bounds[1], "n": len(error)}
            | {"verdict": calibration.against(*gap, CONTROL, less_is_better=less)}
            | {"note": "; ".join([*remarks, f"at the edges of frames at best {statistic(grid, once):.3g}"])}
        )
    return made


def _draws(names):
    """How often each voice is drawn; no draw of fewer than two."""
    return calibration.counts(len(names)) if len(names) > 1 else []


def quantile(values, times, q):
    """Quantile of ``values`` repeated ``times``, as ``numpy.quantile(np.repeat(values, times), q)``.

    Parameters
    ----------
    values, times : arrays of shape (n,)
        ``times`` whole numbers, at least one of them positive.
    q : float
    """
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(times[order])
    position = q * (reached[-1] - 1)
    below = np.floor(position)
    # The k-th of the repeated values, from 0, is the first whose running count exceeds k.
    at = np.searchsorted(reached, [below, min(below + 1, reached[-1] - 1)], side="right")
    low, high = values[order][at]
    return float(low + (high - low) * (position - below))
