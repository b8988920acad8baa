"""Long recordings in overlapping windows, stitched on the frame grid."""

from dataclasses import dataclass

import numpy as np

from phonoscope.errors import InputError


@dataclass(frozen=True)
class Window:
    """Samples ``start`` to ``stop`` of a recording, of whose frames ``first`` to ``last`` are kept."""

    start: int
    stop: int
    first: int
    last: int


def cut(encoder, n_samples, window, overlap):
    """Windows that cover a recording; one, if it is no longer than ``window`` seconds.

    Windows start on whole frames. Of two neighbours, each gives the frames up to the middle of what
    they share, so every frame of the recording is kept once.

    Parameters
    ----------
    encoder
        As :func:`phonoscope.encoders.load.load` returns it.
    n_samples : int
    window, overlap : float
        Seconds. A model that takes less at once (Whisper: 30 s) shortens the window, and the overlap to a
        third of what it takes, if that is less.

    Returns
    -------
    list of Window

    Raises
    ------
    InputError
        Where the overlap is not shorter than the window, or the recording is too short for a frame.
    """
    if encoder.longest_s is not None and encoder.longest_s < window:
        window, overlap = encoder.longest_s, min(overlap, encoder.longest_s / 3)
    hop = round(encoder.timebase.hop_s * encoder.rate)
    span, shared = round(window * encoder.rate), round(overlap * encoder.rate / hop)
    # A front end without padding gives a frame less than the window has hops.
    step = min(span // hop, encoder.frames(span)) - shared if span >= encoder.least_samples else 0
    if shared < 0 or step < 1:
        raise InputError(
            f"windows of {window:g} s that share {overlap:g} s cannot be laid for model {encoder.name}",
            row="embeddings",
            fix="set an overlap well below the window",
        )
    frames = encoder.frames(n_samples)
    if n_samples <= span:
        return [Window(0, n_samples, 0, frames)]
    windows, begin, covered = [], 0, 0
    while covered < frames:
        start = begin * hop
        stop = min(start + span, n_samples)
        reaches_end = begin + encoder.frames(stop - start) >= frames
        last = frames - begin if reaches_end else step + shared // 2
        windows.append(Window(start, stop, covered - begin, last))
        covered, begin = begin + last, begin + step
    return windows


def encode(encoder, audio, window, overlap):
    """Hidden states of one recording of any length, window by window.

    Parameters
    ----------
    encoder
    audio : float32 array of shape (n_samples,)
    window, overlap : float
        Seconds.

    Returns
    -------
    dict of int to float32 array of shape (n_frames, dim)
    """
    prepared = encoder.prepare(audio)
    parts = {layer: [] for layer in encoder.layers}
    for piece in cut(encoder, len(audio), window, overlap):
        for layer, states in encoder.forward([prepared[piece.start : piece.stop]])[0].items():
            parts[layer].append(states[piece.first : piece.last])
    return {layer: np.concatenate(states) for layer, states in parts.items()}


def difference(encoder, audio, window, overlap):
    """How far windowed hidden states are from those of the whole recording.

    Parameters
    ----------
    encoder
    audio : float32 array of shape (n_samples,)
        Not longer than the model takes at once.
    window, overlap : float
        Seconds.

    Returns
    -------
    dict of int to dict
        Per layer ``mean`` and ``max`` over frames of |windowed - whole| / |whole| (Euclidean norms).
    """
    whole = encoder.encode([audio])[0]
    report = {}
    for layer, states in encode(encoder, audio, window, overlap).items():
        distance = np.linalg.norm(states - whole[layer], axis=1) / np.linalg.norm(whole[layer], axis=1)
        report[layer] = {"mean": float(distance.mean()), "max": float(distance.max())}
    return report
