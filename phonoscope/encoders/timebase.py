"""How the frames of an encoder and the seconds of a recording relate."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Timebase:
    """Frame ``i`` is centred at ``offset_s + i * hop_s`` seconds.

    Parameters
    ----------
    hop_s : float
        Seconds between the centres of neighbouring frames.
    offset_s : float
        Centre of frame 0, in seconds: half the receptive field of a front end without padding
        (0.0125 for wav2vec 2.0's 400 samples at 16 kHz), 0 for one that pads its edges (Whisper).
    """

    hop_s: float
    offset_s: float

    def times(self, n):
        """Centres of the first ``n`` frames, float64 array of shape (n,), in seconds."""
        return self.offset_s + self.hop_s * np.arange(n, dtype=np.float64)


def receptive_field(convolutions):
    """Samples that one frame of a stack of convolutions without padding hears.

    Parameters
    ----------
    convolutions : sequence of (int, int)
        Kernel and stride, in order.
    """
    samples = 1
    for kernel, stride in reversed(list(convolutions)):
        samples = (samples - 1) * stride + kernel
    return samples


def frames_of(n_samples, convolutions):
    """Number of frames that a stack of convolutions without padding makes of ``n_samples`` samples."""
    for kernel, stride in convolutions:
        n_samples = (n_samples - kernel) // stride + 1
    return n_samples
