"""What a network is given during fine-tuning: audio, or the features of a front end that is not trained."""

import numpy as np

from phonoscope.encoders.timebase import Timebase, receptive_field
from phonoscope.training.data import RATE_HZ, Sounds
from phonoscope.training.network import last_states, padded

# Up to this many bytes of features are kept in memory: 2.5 hours of a front end of 512 channels.
KEPT_BYTES = 10**9


class Inputs:
    """Utterances by index: float32 arrays of shape (n_frames, conv_dim) or (n_samples,).

    The convolutions take most of the time of a small model. Where they are frozen, and their features fit in
    memory, they run once per utterance, as they do when the model is used; the result is the same.

    Parameters
    ----------
    body : transformers Wav2Vec2Model, HubertModel, WavLMModel
    rows : list of dict
        Rows of ``tables.UTTERANCES``.
    frozen : bool
        The front end is not trained.

    Attributes
    ----------
    frames : list of int
        Frames of each utterance.
    hop : int
        Rows of ``self[i]`` per frame: 1 for features, 320 for audio.
    """

    def __init__(self, body, rows, frozen):
        import torch

        sounds = Sounds(rows)
        # From the table, so that a large corpus is not decoded to be counted.
        samples = torch.tensor([round(row["duration_s"] * RATE_HZ) for row in rows], dtype=torch.long)
        self.frames = body._get_feat_extract_output_lengths(samples).tolist()
        self.rows = rows
        size = 4 * sum(self.frames) * body.config.conv_dim[-1]
        if frozen and size <= KEPT_BYTES:
            device = next(body.parameters()).device
            with torch.no_grad():
                self.kept = [
                    body.feature_extractor(torch.from_numpy(sounds[i])[None].to(device))[0].T.cpu().numpy()
                    for i in range(len(sounds))
                ]
            self.frames = [len(each) for each in self.kept]
            self.hop, self.field = 1, 1
        else:
            self.kept = sounds
            self.hop, self.field = int(np.prod(body.config.conv_stride)), _field(body.config)

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        return self.kept[index]

    def crop(self, index, first, frames):
        """``frames`` frames from frame ``first`` on, or as many as there are."""
        return self[index][first * self.hop : (first + frames - 1) * self.hop + self.field]


def batch(arrays):
    """``inputs`` and ``lengths`` of a batch: tensors of shape (batch, longest[, conv_dim]) and (batch,)."""
    inputs, lengths = padded([np.ascontiguousarray(each) for each in arrays])
    return {"inputs": inputs, "lengths": lengths}


def hidden(body, inputs, lengths):
    """Last hidden states and numbers of frames of a :func:`batch`; see :func:`network.last_states`."""
    import torch

    if inputs.dim() == 2:
        return last_states(body, inputs, lengths)
    mask = torch.arange(inputs.shape[1], device=inputs.device)[None] < lengths[:, None]
    projected = body.feature_projection(inputs)
    projected = projected[0] if isinstance(projected, tuple) else projected
    projected = body._mask_hidden_states(projected, attention_mask=mask)
    return body.encoder(projected, attention_mask=mask).last_hidden_state, lengths


def _field(config):
    """Samples that one frame sees."""
    return receptive_field(zip(config.conv_kernel, config.conv_stride, strict=True))


def timebase(config):
    """The :class:`Timebase` of a wav2vec 2.0-like model."""
    hop = int(np.prod(config.conv_stride))
    return Timebase(hop_s=hop / RATE_HZ, offset_s=_field(config) / 2 / RATE_HZ)
