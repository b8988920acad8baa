"""Aligners: models that say, frame by frame, how probable each token is; see :mod:`alignment.forced`.

``ctc`` is any CTC checkpoint of transformers, whose tokens are spikes between blanks; ``mms_fa`` is
torchaudio's multilingual one of romanised letters (Pratap et al. 2023, arXiv 2305.13516); ``frames`` is a
frame-wise classifier of phones as ``finetune_ctc`` trains it with ``loss: frames``.
"""

import json
import math
from pathlib import Path

import numpy as np

from phonoscope.alignment import forced
from phonoscope.encoders import windows
from phonoscope.encoders.timebase import Timebase, frames_of, receptive_field
from phonoscope.errors import InputError

RATE_HZ = 16000
# As hidden states are taken: recordings longer than this in windows that share so much, seconds.
WINDOW_S, OVERLAP_S = 60.0, 8.0
PAD, UNKNOWN = "<pad>", "<unk>"
# That a quiet end of a recording is silence: not beyond doubt, so that a short recording keeps a path.
_SURE = 0.99
# torchaudio calls its file `model.pt`, as others do.
MMS_FA_FILE = "mms_fa.pt"


class Aligner:
    """What all kinds have.

    Attributes
    ----------
    vocabulary : dict of str to int
    timebase : Timebase
    blank, silence : int or None
        As :func:`forced.align` takes them: one of them is None.
    classes : int
        Columns of :meth:`log_probs`.
    delimiter : str or None
        Token between words.
    phonetic : bool
        The vocabulary is of phones in IPA.
    """

    rate, longest_s = RATE_HZ, None
    blank = silence = delimiter = None
    phonetic, least = False, 1

    def __init__(self, name, network, vocabulary, classes, device):
        import torch

        self.name, self.vocabulary, self.classes = name, vocabulary, classes
        self.device = torch.device(device)
        self.network = network.requires_grad_(False).to(self.device).eval()
        self.convolutions = [
            (module.kernel_size[0], module.stride[0])
            for path, module in network.named_modules()
            if "feature_extractor" in path and isinstance(module, torch.nn.Conv1d)
        ]
        if not self.convolutions:
            raise InputError(
                "the model has no convolutions over the waveform",
                path=name,
                fix="use a CTC checkpoint of the wav2vec 2.0, HuBERT, WavLM or data2vec family",
            )
        self.least_samples = receptive_field(self.convolutions)
        hop = int(np.prod([stride for _, stride in self.convolutions]))
        self.timebase = Timebase(hop / RATE_HZ, self.least_samples / 2 / RATE_HZ)

    def frames(self, n_samples):
        """Number of frames that ``n_samples`` samples give."""
        return frames_of(n_samples, self.convolutions)

    def log_probs(self, audio):
        """Log probabilities of one recording.

        Parameters
        ----------
        audio : float32 array of shape (n_samples,)
            16 kHz.

        Returns
        -------
        float32 array of shape (n_frames, n_classes)

        Raises
        ------
        InputError
            Where the recording is too short for a frame.
        """
        import torch

        if len(audio) < self.least_samples:
            raise InputError(
                f"{len(audio)} samples are too few for a frame, which needs {self.least_samples}",
                fix="leave the recording out",
            )
        values, parts = self._prepared(audio), []
        with torch.inference_mode():
            for piece in windows.cut(self, len(audio), WINDOW_S, OVERLAP_S):
                part = values[:, piece.start : piece.stop].to(self.device)
                parts.append(self._forward(part)[piece.first : piece.last].float().cpu().numpy())
        return np.concatenate(parts)

    def emissions(self, audio):
        """What is aligned: :meth:`log_probs`."""
        return self.log_probs(audio)

    def align(self, emissions, tokens):
        """Times and scores of ``tokens`` (columns of ``emissions`` in the order in which they were said).

        Returns
        -------
        list of (start_s, end_s, score)
            As :func:`forced.align` gives them. Where a frame-wise model has the frames, each has two of them:
            no sound is shorter than 40 ms by much.

        Raises
        ------
        InputError
            As :func:`forced.align`.
        """
        least = self.least if len(emissions) >= self.least * len(tokens) else 1
        marks = {"blank": self.blank, "silence": self.silence}
        return forced.align(emissions, tokens, self.timebase, **marks, least=least)

    def _prepared(self, audio):
        import torch

        return torch.from_numpy(np.ascontiguousarray(audio, np.float32))[None]

    def _forward(self, values):
        raise NotImplementedError


class Ctc(Aligner):
    """A CTC checkpoint of transformers.

    Parameters
    ----------
    folder : path-like
        With config.json, safetensors, preprocessor_config.json and vocab.json.
    device : str

    Raises
    ------
    InputError
        Where a file is missing, is none of such a model, or the vocabulary is of several languages.
    """

    def __init__(self, folder, device="cpu"):
        from safetensors import SafetensorError
        from transformers import AutoFeatureExtractor, AutoModelForCTC

        self.folder = Path(folder)
        local = {"local_files_only": True, "trust_remote_code": False}
        try:
            vocabulary = self._json("vocab.json")
            network = AutoModelForCTC.from_pretrained(folder, use_safetensors=True, **local)
            self.extractor = AutoFeatureExtractor.from_pretrained(folder, **local)
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            raise InputError(
                f"no aligner can be loaded ({error})",
                path=folder,
                fix="give a folder with config.json, model.safetensors, preprocessor_config.json, vocab.json",
            ) from error
        if not all(isinstance(index, int) for index in vocabulary.values()):
            raise InputError(
                f"the vocabulary is of several languages ({', '.join(list(vocabulary)[:5])}, …)",
                path=self.folder / "vocab.json",
                fix="save the model with the adapter and the vocabulary of one language",
            )
        super().__init__(str(folder), network, vocabulary, network.config.vocab_size, device)
        self._choose()

    def _choose(self):
        """Blank, delimiter, and whether the tokens are phones."""
        self.blank = self.network.config.pad_token_id
        settings = self._json("tokenizer_config.json") if self._has("tokenizer_config.json") else {}
        delimiter = settings.get("word_delimiter_token", "|")
        self.delimiter = delimiter if delimiter in self.vocabulary else None
        self.phonetic = "Phoneme" in str(settings.get("tokenizer_class"))

    def _has(self, name):
        return (self.folder / name).is_file()

    def _json(self, name):
        return json.loads((self.folder / name).read_text(encoding="utf-8"))

    def _prepared(self, audio):
        return self.extractor(audio, sampling_rate=RATE_HZ, return_tensors="pt").input_values

    def _forward(self, values):
        return self.network(values).logits[0].float().log_softmax(-1)


class Frames(Ctc):
    """A frame-wise phone classifier as transformers saves it: class 0, ``<pad>``, is silence.

    Parameters
    ----------
    folder : path-like
    device : str

    Raises
    ------
    InputError
        As :class:`Ctc`, or where it is a recogniser.
    """

    silence, phonetic, least = 0, True, 2

    def _choose(self):
        if self.vocabulary.get(PAD) != 0 or UNKNOWN not in self.vocabulary:
            raise InputError(
                f"the vocabulary lacks {PAD} as class 0 or {UNKNOWN}",
                path=self.folder / "vocab.json",
                fix="train the aligner by finetune_ctc with loss: frames and units: [phone]",
            )
        card = "training.json"
        if self._has(card) and self._json(card)["options"].get("loss") != "frames":
            raise InputError(
                "is a recogniser, whose class 0 is a blank and not silence",
                path=self.folder,
                fix="give a model that was trained by finetune_ctc with loss: frames, or set kind: ctc",
            )

    def emissions(self, audio):
        """:meth:`log_probs`, but the quiet ends of a recording are silence.

        The model takes the noise of a room for a fricative, unless it was trained on such noise.
        """
        log_probs = self.log_probs(audio)
        quiet = quiet_ends(audio, len(log_probs), self.timebase)
        silent = np.full_like(log_probs[quiet], math.log((1 - _SURE) / (self.classes - 1)))
        silent[:, self.silence] = math.log(_SURE)
        log_probs[quiet] = silent
        return log_probs


def quiet_ends(audio, n_frames, timebase):
    """Which frames come before the first and after the last that is loud.

    Loud is what is above the noise floor (10th percentile of the frames' energies in dB) by a fifth of its
    distance to the peak (98th percentile). Where that is below 10 dB there is no telling.

    Parameters
    ----------
    audio : float array of shape (n_samples,)
        16 kHz.
    n_frames : int
    timebase : Timebase

    Returns
    -------
    bool array of shape (n_frames,)
    """
    width = round(timebase.hop_s * RATE_HZ)
    starts = np.round((timebase.times(n_frames) - timebase.hop_s / 2) * RATE_HZ).astype(int).clip(0)
    power = np.concatenate([[0.0], np.cumsum(np.square(audio, dtype=np.float64))])
    energy = power[np.minimum(starts + width, len(audio))] - power[np.minimum(starts, len(audio))]
    level = 10 * np.log10(energy / width + 1e-8)
    floor, peak = np.quantile(level, [0.1, 0.98])
    loud = np.flatnonzero(level > floor + 0.2 * (peak - floor))
    quiet = np.full(n_frames, False)
    if peak - floor >= 10:
        quiet[: loud[0]] = quiet[loud[-1] + 1 :] = True
    return quiet


class MmsFa(Aligner):
    """torchaudio's ``MMS_FA``: letters of romanised text, of 1,130 languages (CC BY-NC 4.0).

    Parameters
    ----------
    folder : path-like
        Where :func:`alignment.fetch.fetch` put its weights.
    device : str

    Raises
    ------
    InputError
        Where they are not.
    """

    blank = 0

    def __init__(self, folder, device="cpu"):
        from torchaudio.pipelines import MMS_FA

        path = Path(folder) / MMS_FA_FILE
        if not path.is_file():
            raise InputError(
                "the weights of MMS_FA are not here",
                path=path,
                fix="delete the aligner's file in results/aligners and run snakemake again",
            )
        vocabulary = MMS_FA.get_dict(star=None)
        # Class 0, which get_dict calls "-", is the blank: a hyphen in a text is none.
        letters = {token: index for token, index in vocabulary.items() if index != self.blank}
        super().__init__("MMS_FA", mms_fa(folder), letters, len(vocabulary), device)

    def _forward(self, values):
        return self.network(values)[0][0]


KINDS = {"ctc": Ctc, "frames": Frames, "mms_fa": MmsFa}


def load(kind, folder, device="cpu"):
    """The aligner of a kind of :data:`KINDS` whose files are in ``folder``, as :func:`fetch.fetch` says.

    Raises
    ------
    InputError
        Where there is no such kind, or no such model in the folder.
    """
    if kind not in KINDS:
        raise InputError(f"there is no aligner `{kind}`", row="kind", fix=f"use one of {', '.join(KINDS)}")
    return KINDS[kind](folder, device)


def mms_fa(folder):
    """torchaudio's network with the weights of a file in ``folder``; without the file it is fetched."""
    from torchaudio.pipelines import MMS_FA

    options = {"weights_only": True, "model_dir": str(folder), "file_name": MMS_FA_FILE, "progress": False}
    return MMS_FA.get_model(with_star=False, dl_kwargs=options)
