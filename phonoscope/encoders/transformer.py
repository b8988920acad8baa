"""Transformer encoders: audio in, hidden states out, batched without changing a result."""

import contextlib

import numpy as np

from phonoscope.encoders.states import taken
from phonoscope.encoders.timebase import Timebase, frames_of, receptive_field
from phonoscope.errors import InputError


class TransformerEncoder:
    """One way to ask any supported model for its hidden states.

    Attributes
    ----------
    name : str
    depth : int
        Number of transformer blocks of the architecture.
    layers : list of int
        Layers that are taken.
    dim : int
        Width of a hidden state.
    rate : int
        Sampling rate of the audio, Hz.
    timebase : Timebase
    least_samples : int
        Shortest audio that gives a frame.
    longest_s : float or None
        Longest audio that one forward pass can take, in seconds.
    """

    longest_s = None

    def __init__(
        self, name, model, layers, depth, extractor, final_norm="raw", device="cpu", precision="float32"
    ):
        import torch
        from torch.nn.utils import parametrize

        self.name, self.layers, self.depth = name, layers, depth
        self.device = torch.device(device)
        self.precision = precision if self.device.type != "cpu" else "float32"
        self.dtype = getattr(torch, self.precision)
        for module in model.modules():
            # The weight norm of the positional convolution would be computed anew in every pass.
            if parametrize.is_parametrized(module, "weight"):
                parametrize.remove_parametrizations(module, "weight", leave_parametrized=True)
        self.model = model.requires_grad_(False).to(self.device, self.dtype)
        self.stack = self._stack()
        # Blocks above the highest layer asked for would run for nothing.
        self.stack.layers = self.stack.layers[: max(1, *layers)]
        self.model.eval()
        # A post-norm stack (wav2vec2-base and its like) has its layer_norm before the blocks, none after.
        has_final_norm = (
            getattr(model.config, "do_stable_layer_norm", False) or model.config.model_type == "whisper"
        )
        self.final_norm = self.stack.layer_norm if final_norm == "normed" and has_final_norm else None
        self.extractor = extractor
        self.rate = int(extractor.sampling_rate)
        self.dim = int(getattr(model.config, "d_model", None) or model.config.hidden_size)

    def _stack(self):
        return self.model.encoder

    def frames(self, n_samples):
        """Number of frames that ``n_samples`` samples give."""
        raise NotImplementedError

    def computed_samples(self, n_samples):
        """Number of samples the forward pass really works on for an utterance of ``n_samples``."""
        return n_samples

    def prepare(self, audio):
        """What is done once to a whole recording, before it is cut into windows."""
        return audio

    def encode(self, audios):
        """Hidden states of a batch of utterances.

        Parameters
        ----------
        audios : list of float32 array of shape (n_samples,)
            At ``rate`` Hz, within -1 to 1.

        Returns
        -------
        list of dict of int to float32 array of shape (n_frames, dim)
            Per utterance, by layer.

        Raises
        ------
        InputError
            Where an utterance is too short for one frame.
        """
        return self.forward([self.prepare(audio) for audio in audios])

    def forward(self, prepared):
        """As :meth:`encode`, for audio that :meth:`prepare` has seen."""
        import torch

        for audio in prepared:
            check_length(self, len(audio))
        lengths = [self.frames(len(audio)) for audio in prepared]
        with (
            torch.inference_mode(),
            exact_convolutions(self.device, self.precision),
            taken(self.stack.layers, self.layers, self.final_norm, self.depth) as states,
        ):
            self._run(prepared, lengths)
        arrays = {layer: states.pop(layer).float().cpu().numpy() for layer in self.layers}
        return [{layer: array[k, :n] for layer, array in arrays.items()} for k, n in enumerate(lengths)]

    def _run(self, prepared, lengths):
        raise NotImplementedError

    def tensor(self, array):
        """``array`` where the model is, in its precision."""
        import torch

        return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32)).to(self.device, self.dtype)

    def _mask(self, lengths):
        """Bool tensor of shape (batch, frames), true where a frame is real; None without padding."""
        import torch

        if min(lengths) == max(lengths):
            return None
        return (
            torch.arange(max(lengths), device=self.device)
            < torch.tensor(lengths, device=self.device)[:, None]
        )


class WaveformEncoder(TransformerEncoder):
    """wav2vec 2.0, HuBERT, WavLM, data2vec-audio, UniSpeech-SAT: convolutions over samples, then blocks.

    A front end with group norm takes its statistics over time, padding included, so it is run
    utterance by utterance; one with layer norm may be padded. The blocks run on the padded batch
    with a mask in both cases.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        config = self.model.config
        self.kernels = list(zip(config.conv_kernel, config.conv_stride, strict=True))
        self.least_samples = receptive_field(self.kernels)
        self.timebase = Timebase(
            hop_s=float(np.prod(config.conv_stride)) / self.rate, offset_s=self.least_samples / 2 / self.rate
        )
        # With layer norm a frame of the front end depends on what it hears alone, with group norm on all.
        self.local_front_end = config.model_type == "data2vec-audio" or config.feat_extract_norm == "layer"
        # On a CPU a padded batch of convolutions takes up to twice the time of its utterances one by one.
        self.pads_front_end = self.local_front_end and self.device.type != "cpu"
        self._padding = None
        if config.model_type == "data2vec-audio":
            # Its positional convolutions come five in a row, and each one spills frames into the padding.
            for layer in self.stack.pos_conv_embed.layers:
                layer.register_forward_hook(self._clear_padding)

    def frames(self, n_samples):
        return frames_of(n_samples, self.kernels)

    def prepare(self, audio):
        """Zero mean and unit variance over the recording, where the model was trained so."""
        if not getattr(self.extractor, "do_normalize", False):
            return audio
        return ((audio - audio.mean()) / np.sqrt(audio.var() + 1e-7)).astype(np.float32)

    def _clear_padding(self, module, args, output):
        return output if self._padding is None else output.masked_fill(self._padding, 0.0)

    def _run(self, prepared, lengths):
        self.run_waves([self.tensor(audio) for audio in prepared], lengths)

    def run_waves(self, waves, lengths):
        """Run tensors of shape (n_samples,), with gradients where they want them."""
        from torch.nn.utils.rnn import pad_sequence

        if self.pads_front_end:
            features = self.model.feature_extractor(pad_sequence(waves, batch_first=True)).transpose(1, 2)
        else:
            rows = [self.model.feature_extractor(wave[None])[0].T for wave in waves]
            features = pad_sequence(rows, batch_first=True)
        hidden = self.model.feature_projection(features)
        hidden = hidden[0] if isinstance(hidden, tuple) else hidden
        mask = self._mask(lengths)
        self._padding = None if mask is None else ~mask[:, None, :]
        self.stack(hidden, attention_mask=mask)


class FilterbankEncoder(TransformerEncoder):
    """wav2vec2-BERT: Kaldi filter banks, two neighbouring frames stacked into one of 20 ms."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.stride = int(self.extractor.stride)
        self.least_samples = 400 + 160 * (self.stride - 1)
        self.timebase = Timebase(160 * self.stride / self.rate, self.least_samples / 2 / self.rate)

    def frames(self, n_samples):
        return ((n_samples - 400) // 160 + 1) // self.stride

    def _run(self, prepared, lengths):
        from torch.nn.utils.rnn import pad_sequence

        rows = []
        for audio in prepared:
            features = self.extractor(audio, sampling_rate=self.rate, padding=False, return_tensors="np")
            rows.append(self.tensor(features["input_features"][0]))
        hidden, _ = self.model.feature_projection(pad_sequence(rows, batch_first=True))
        self.stack(hidden, attention_mask=self._mask(lengths))


class WhisperEncoder(TransformerEncoder):
    """Whisper's encoder: every utterance is padded as in training (to 30 s); its own frames are kept."""

    least_samples = 1

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.hop = 2 * int(self.extractor.hop_length)
        self.longest_s = float(self.extractor.n_samples) / self.rate
        self.timebase = Timebase(self.hop / self.rate, 0.0)

    def _stack(self):
        return self.model

    def frames(self, n_samples):
        return -(-n_samples // self.hop)

    def computed_samples(self, n_samples):
        return int(self.extractor.n_samples)

    def _run(self, prepared, lengths):
        if max(len(audio) for audio in prepared) > self.extractor.n_samples:
            raise InputError(
                f"model {self.name} takes {self.longest_s:g} s at once",
                fix=f"set embeddings: {{window: {self.longest_s:g}}} or less",
            )
        features = self.extractor(prepared, sampling_rate=self.rate, return_tensors="np")
        self.model(self.tensor(features["input_features"]))


def check_length(encoder, n_samples, path=None):
    """Raise where ``n_samples`` are too few for a frame.

    Raises
    ------
    InputError
    """
    if n_samples < encoder.least_samples:
        raise InputError(
            f"{n_samples} samples are too few for a frame of model {encoder.name}, "
            f"which needs {encoder.least_samples}",
            path=path,
            fix="leave the recording out, or set on_error: skip for the corpus",
        )


def exact_convolutions(device, precision):
    """Context in which float32 convolutions on a GPU are float32: cuDNN's TF32 keeps 10 bits."""
    if device.type != "cuda" or precision != "float32":
        return contextlib.nullcontext()
    import torch

    return torch.backends.cudnn.flags(enabled=True, allow_tf32=False)
