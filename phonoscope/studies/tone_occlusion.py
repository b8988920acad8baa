"""A check on the gradient: how much of the recording around a tone a probe needs to be as sure as before.

Everything beyond ± w of the segment's centre is replaced by neutral audio; the margin is the true class's
logit less the largest other one. A gradient says what would change the reading a little from where it is;
this says what the reading rests on.
"""

import numpy as np
import pyarrow as pa

from phonoscope import tables
from phonoscope.corpora import audio
from phonoscope.encoders.windows import encode
from phonoscope.errors import InputError
from phonoscope.studies import tone_items, tone_states

# half_ms is null where nothing was replaced.
OCCLUSION = pa.schema(
    [
        ("layer", pa.int32()),
        ("item", pa.int32()),
        ("fold", pa.int32()),
        ("half_ms", pa.float64()),
        ("margin", pa.float64()),
    ]
)
FADE_S = 0.005
BATCH = 8


def neutral(samples, kind, seed):
    """Audio that says nothing, as long and as loud as a recording.

    Parameters
    ----------
    samples : float32 array of shape (n_samples,)
    kind : {"noise", "silence"}
        Noise has the spectrum of the whole recording, with random phases, so that the statistics that a
        front end takes over time stay as they were; or zeros.
    seed : sequence of int

    Returns
    -------
    float32 array of shape (n_samples,)
    """
    if kind == "silence":
        return np.zeros_like(samples)
    spectrum = np.abs(np.fft.rfft(samples))
    phases = np.random.default_rng(seed).uniform(0, 2 * np.pi, len(spectrum))
    phases[0] = 0.0
    if len(samples) % 2 == 0:
        phases[-1] = 0.0
    return np.fft.irfft(spectrum * np.exp(1j * phases), len(samples)).astype(np.float32)


def occlude(samples, instead, centre, half, rate):
    """``samples`` within ``half`` s of ``centre`` s, ``instead`` beyond, with raised-cosine fades outside."""
    distance = np.abs(np.arange(len(samples)) / rate - centre) - half
    keep = 0.5 + 0.5 * np.cos(np.pi * np.clip(distance / FADE_S, 0, 1))
    return (keep * samples + (1 - keep) * instead).astype(np.float32)


def measure(encoder, items_path, utterances, probes, predictions, options, window, overlap):
    """Margins of a shard's items, in every layer and for every width.

    Parameters
    ----------
    encoder
        Any encoder of the house.
    items_path, utterances : path
    probes : dict of int to dict of str to array
        Per layer, as ``tone_states.pack`` gives them.
    predictions : list of path
        Per layer, as ``tone_layers.score`` gives them: tones that are told in most layers are taken first,
        because what is told wrongly has no margin to keep.
    options : dict
        ``half_ms``: widths to each side; ``neutral``; ``max_items`` per fold or null; ``representation``,
        ``seed``.
    window, overlap : float
        Seconds.

    Returns
    -------
    pyarrow.Table
        Of :data:`OCCLUSION`.
    """
    from tqdm import tqdm

    items, _ = tone_items.read(items_path)
    right = np.zeros(len(items["label"]))
    for path in predictions:
        table = tables.read(path)
        right += np.array(table["tone"].to_pylist()) == np.array(table["predicted"].to_pylist())
    chosen = tone_items.sample(items, options["max_items"], options["seed"], right)
    rows = []
    for row in tqdm(tables.read(utterances).to_pylist(), desc=encoder.name, unit="recording"):
        here = np.flatnonzero(chosen & (items["utterance_id"] == row["utterance_id"]))
        if len(here):
            samples, _ = audio.load(row["audio"], encoder.rate, row["audio_sha256"])
            rows += _margins(encoder, samples, items, here, probes, options, (window, overlap))
    return tables.from_rows(rows, OCCLUSION)


def _margins(encoder, samples, items, here, probes, options, stretch):
    base, n_frames = encoder.timebase, encoder.frames(len(samples))
    every = tone_states.frames_of(items, here, n_frames, base.hop_s, base.offset_s, options["representation"])
    widths, rows = [None, *options["half_ms"]], []
    for k, frames in zip(here, every, strict=True):
        instead = neutral(samples, options["neutral"], [options["seed"], int(items["item"][k])])
        heard = [
            samples
            if half is None
            else occlude(samples, instead, items["centre_s"][k], half / 1000, encoder.rate)
            for half in widths
        ]
        for half, states in zip(widths, _encode(encoder, heard, stretch), strict=True):
            for layer, packed in probes.items():
                rows.append(
                    {"layer": layer, "item": int(items["item"][k]), "fold": int(items["fold"][k])}
                    | {
                        "half_ms": half,
                        "margin": _margin(states[layer][frames].mean(axis=0), packed, items, k),
                    }
                )
    return rows


def _encode(encoder, heard, stretch):
    """Hidden states of recordings of the same length, some at a time where they are short."""
    if len(heard[0]) > stretch[0] * encoder.rate or encoder.longest_s is not None:
        return [encode(encoder, each, *stretch) for each in heard]
    return [
        states
        for first in range(0, len(heard), BATCH)
        for states in encoder.encode(heard[first : first + BATCH])
    ]


def _margin(state, packed, items, k):
    fold, label = items["fold"][k], items["label"][k]
    standard = (state - packed["mean"][fold]) / packed["scale"][fold]
    logits = packed["coef"][fold] @ standard + packed["intercept"][fold]
    if not np.isfinite(logits).all():
        raise InputError("a hidden state is not finite", row=f"utterance {items['utterance_id'][k]}")
    return float(logits[label] - np.delete(logits, label).max())
