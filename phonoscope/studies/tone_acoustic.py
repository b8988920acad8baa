"""The acoustic baseline: how well tones are told from log-mel windows of growing width.

A window holds the frames whose centres lie within half its width of the segment's centre; frames are laid
out from that centre, not on a grid of the recording. The features are all bands of all its frames.
"""

import logging

import numpy as np

from phonoscope import tables
from phonoscope.corpora.audio import load
from phonoscope.studies import tone_items, tone_probes

RATE_HZ = 16000
# Added to power: digital silence has a logarithm, 60 dB under that of speech.
FLOOR = 1e-6


def log_mel(audio, centres, offsets, options):
    """Log-mel spectra of frames around some samples.

    Parameters
    ----------
    audio : float32 array of shape (n_samples,)
        At 16 kHz; zeros stand beyond its ends.
    centres : float array of shape (n_items,)
        Samples.
    offsets : float array of shape (n_frames,)
        Centres of the frames relative to those, samples.
    options : dict
        ``n_mels``, ``frame_ms``, ``fmin_hz``, ``fmax_hz``.

    Returns
    -------
    float32 array of shape (n_items, n_frames, n_mels)
    """
    length = round(options["frame_ms"] * RATE_HZ / 1000)
    n_fft = 1 << (length - 1).bit_length()
    starts = np.round(np.asarray(centres)[:, None] + offsets - length / 2).astype(int)
    before, after = max(0, -starts.min()), max(0, starts.max() + length - len(audio))
    padded = np.pad(audio, (before, after))
    frames = padded[(starts + before)[..., None] + np.arange(length)]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)
    power = np.abs(np.fft.rfft(frames * window.astype(np.float32), n_fft)) ** 2
    return np.log(power @ _filters(n_fft, options) + FLOOR).astype(np.float32)


def _filters(n_fft, options):
    from torchaudio.functional import melscale_fbanks

    top = min(options["fmax_hz"], RATE_HZ / 2)
    return melscale_fbanks(n_fft // 2 + 1, options["fmin_hz"], top, options["n_mels"], RATE_HZ).numpy()


def features(items, paths, options, digests=None):
    """Log-mel frames of every item out to the widest window.

    Parameters
    ----------
    items : dict of str to array
        As ``tone_items.read`` gives them.
    paths : dict of str to path
        Utterance to audio.
    options : dict
        As :func:`log_mel`, and ``windows_ms``, ``hop_ms``.
    digests : dict of str to str, optional
        Utterance to the SHA-256 of its audio.

    Returns
    -------
    frames : float32 array of shape (n_items, n_frames, n_mels)
    offsets_ms : float array of shape (n_frames,)
    """
    from tqdm import tqdm

    hop, widest = options["hop_ms"], max(options["windows_ms"])
    side = (np.arange(int(widest // (2 * hop))) + 0.5) * hop
    offsets = np.concatenate([-side[::-1], side])
    found = None
    for utterance_id in tqdm(sorted(set(items["utterance_id"])), desc="log-mel", unit="recording"):
        here = np.flatnonzero(items["utterance_id"] == utterance_id)
        audio, _ = load(paths[utterance_id], RATE_HZ, (digests or {}).get(utterance_id))
        part = log_mel(audio, items["centre_s"][here] * RATE_HZ, offsets * RATE_HZ / 1000, options)
        if found is None:
            found = np.empty((len(items["label"]), *part.shape[1:]), dtype=np.float32)
        found[here] = part
    return found, offsets


def score(items_path, utterances, options, corpus, workers=1):
    """Macro-F1 of every window and fold, and of the controls.

    Parameters
    ----------
    items_path : path
    utterances : list of path
    options : dict
        ``windows_ms``, ``hop_ms``, ``n_mels``, ``frame_ms``, ``fmin_hz``, ``fmax_hz``, ``C``, ``solver``,
        ``seed``.
    corpus : str
    workers : int
        Windows that are fitted at the same time, each by one thread.

    Returns
    -------
    pyarrow.Table
        Of ``tables.SCORES``: experiment ``acoustic``, probe ``logistic``, ``shuffled`` or ``majority``,
        target the window in ms, test the fold.
    """
    from concurrent.futures import ThreadPoolExecutor

    from tqdm import tqdm

    items, known = tone_items.read(items_path)
    rows = {row["utterance_id"]: row for row in tables.read(utterances).to_pylist()}
    paths, digests = ({name: row[key] for name, row in rows.items()} for key in ("audio", "audio_sha256"))
    frames, offsets = features(items, paths, options, digests)
    n_classes, labels = len(known["classes"]), [items["label"], tone_probes.shuffled(items, options["seed"])]

    def fitted(window):
        x = frames[:, np.abs(offsets) < window / 2].reshape(len(frames), -1)
        tested = tone_probes.cross_validate(
            x, labels, items["fold"], n_classes, options["C"], options["solver"]
        )
        return dict(zip(("logistic", "shuffled"), (each.scores for each in tested), strict=True))

    rows = tone_probes.score_rows(
        items, "majority", tone_probes.majority(items, n_classes), corpus, "acoustic", ""
    )
    windows = sorted(options["windows_ms"], reverse=True)
    with ThreadPoolExecutor(workers) as pool:
        for window, found in zip(
            windows, tqdm(pool.map(fitted, windows), total=len(windows), desc="windows"), strict=True
        ):
            logging.info("%g ms: macro-F1 %.3f", window, found["logistic"].mean())
            for probe, values in found.items():
                rows += tone_probes.score_rows(items, probe, values, corpus, "acoustic", f"{window:g}")
    return tables.from_rows(rows, tables.SCORES)
