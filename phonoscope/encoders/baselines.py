"""Spectral baselines: log mel spectra and MFCCs, one frame per 20 ms, centred on its time."""

import numpy as np

from phonoscope.encoders.architecture import display_name, resolve_layers
from phonoscope.encoders.timebase import Timebase
from phonoscope.encoders.transformer import check_length

RATE, HOP, WINDOW, FFT = 16000, 320, 400, 512
# Added to power before the logarithm: 60 dB under a full-scale sine's, so that silence is finite.
FLOOR = 1e-6


class SpectralEncoder:
    """Log mel spectrum or MFCC with the neighbouring frames stacked beside each frame.

    Hann windows of 25 ms, a hop of 20 ms, frame i centred at i * 20 ms (edges padded with zeros).
    The MFCCs are the first ``n_mfcc`` coefficients, c0 included, of the orthonormal cosine
    transform of the log mel spectrum (torchaudio).

    Parameters
    ----------
    model : dict
        ``encoder`` mel or mfcc; ``n_mels`` (80 for mel, 40 for mfcc), ``n_mfcc`` (13), ``context``:
        frames of each side that are stacked (0), edges repeated.
    """

    depth, rate, longest_s, least_samples, precision = 0, RATE, None, WINDOW, "float32"
    timebase = Timebase(HOP / RATE, 0.0)

    def __init__(self, model):
        from torchaudio.transforms import MFCC, MelSpectrogram

        self.name, self.kind = display_name(model), model["encoder"]
        self.layers = resolve_layers(model, 0)
        self.context = int(model.get("context") or 0)
        n_mels = int(model.get("n_mels") or (80 if self.kind == "mel" else 40))
        spectrum = {
            "n_fft": FFT,
            "win_length": WINDOW,
            "hop_length": HOP,
            "n_mels": n_mels,
            "pad_mode": "constant",
        }
        if self.kind == "mel":
            self.transform, width = MelSpectrogram(RATE, **spectrum), n_mels
        else:
            width = int(model.get("n_mfcc") or 13)
            self.transform = MFCC(RATE, n_mfcc=width, log_mels=True, melkwargs=spectrum)
        self.dim = width * (2 * self.context + 1)

    def frames(self, n_samples):
        """Number of frames that ``n_samples`` samples give."""
        return n_samples // HOP + 1

    def computed_samples(self, n_samples):
        """Samples that are worked on: those of the utterance."""
        return n_samples

    def prepare(self, audio):
        """Nothing is done to a whole recording."""
        return audio

    def encode(self, audios):
        """As :meth:`phonoscope.encoders.transformer.TransformerEncoder.encode`; the only layer is 0."""
        return [{0: self._features(audio)} for audio in audios]

    forward = encode

    def _features(self, audio):
        import torch

        check_length(self, len(audio))
        with torch.inference_mode():
            features = self.transform(torch.from_numpy(np.ascontiguousarray(audio, dtype=np.float32))).T
            features = torch.log(features + FLOOR) if self.kind == "mel" else features
        features = features.numpy()
        rows = np.arange(len(features))[:, None] + np.arange(-self.context, self.context + 1)
        return features[np.clip(rows, 0, len(features) - 1)].reshape(len(features), self.dim)
