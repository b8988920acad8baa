"""A whole Whisper, decoder included: loading, languages, prompts, encoder states."""

from pathlib import Path

from phonoscope.encoders.architecture import check_depth, depth_of, display_name, read_config
from phonoscope.encoders.load import incomplete, pretrained, resolved
from phonoscope.encoders.states import taken
from phonoscope.encoders.timebase import Timebase
from phonoscope.encoders.transformer import exact_convolutions
from phonoscope.errors import InputError

TASKS = ("transcribe", "translate")
# Codes of other lists (ISO 639, FLEURS) for languages that Whisper calls otherwise.
ALIASES = {"cmn": "zh", "fil": "tl", "iw": "he", "jv": "jw", "nb": "no"}


class Whisper:
    """A Whisper that can be asked for states, prompts and texts.

    Attributes
    ----------
    name : str
    network : transformers.WhisperForConditionalGeneration
    extractor, tokenizer
        Of transformers.
    depth : int
        Number of blocks of the encoder.
    device : torch.device
    rate : int
        Sampling rate of the audio, Hz.
    longest_s : float
        Seconds of its window.
    timebase : Timebase
    languages : dict of str to int
        Token of each language by its code; empty for an English-only model.
    """

    def __init__(self, name, network, extractor, tokenizer, device="cpu", precision="float32"):
        import torch

        self.name, self.extractor, self.tokenizer = name, extractor, tokenizer
        self.device = torch.device(device)
        self.precision = precision if self.device.type != "cpu" else "float32"
        self.dtype = getattr(torch, self.precision)
        self.network = network.requires_grad_(False).to(self.device, self.dtype).eval()
        self.depth = depth_of(network.config)
        self.rate = int(extractor.sampling_rate)
        self.hop = 2 * int(extractor.hop_length)
        self.longest_s = float(extractor.n_samples) / self.rate
        self.timebase = Timebase(self.hop / self.rate, 0.0)
        told = network.generation_config
        # What would decode otherwise than greedily.
        told.update(num_beams=1, do_sample=False, return_timestamps=False)
        self.multilingual = getattr(told, "is_multilingual", True)
        self.languages = {
            token.strip("<|>"): number for token, number in (getattr(told, "lang_to_id", None) or {}).items()
        }
        needed = ["no_timestamps_token_id", *["lang_to_id", "task_to_id"] * self.multilingual]
        if absent := [key for key in needed if getattr(told, key, None) is None]:
            raise InputError(
                f"the generation config of model {name} lacks {', '.join(absent)}",
                path="generation_config.json",
                fix="take that file from the model it was trained from",
            )

    def frames(self, n_samples):
        """Number of frames of the encoder that hold ``n_samples`` samples."""
        return -(-n_samples // self.hop)

    def features(self, audios, names):
        """Log-mel spectrograms, each padded to the window.

        Parameters
        ----------
        audios : list of float32 array of shape (n_samples,)
            At ``rate`` Hz, within -1 to 1.
        names : list of str
            Of the utterances, for errors.

        Returns
        -------
        tensor of shape (batch, n_mels, n_frames)

        Raises
        ------
        InputError
            Where an utterance has no samples, or more than the window.
        """
        import torch

        for audio, name in zip(audios, names, strict=True):
            if not len(audio):
                raise InputError("the audio is empty", row=name, fix="leave the recording out")
            if len(audio) > self.extractor.n_samples:
                raise InputError(
                    f"{len(audio) / self.rate:.1f} s are more than the {self.longest_s:g} s "
                    f"that the decoder of model {self.name} takes",
                    row=name,
                    fix="leave the recording out, or cut it where its text can be cut",
                )
        made = self.extractor(audios, sampling_rate=self.rate, return_tensors="np")["input_features"]
        return torch.from_numpy(made).to(self.device, self.dtype)

    def states(self, features, layers):
        """Hidden states of the encoder from one pass, before its final normalisation.

        Parameters
        ----------
        features : tensor of shape (batch, n_mels, n_frames)
        layers : list of int

        Returns
        -------
        dict of int to tensor of shape (batch, frames, dim)
            Frames of padding included: the decoder sees them.
        """
        import torch

        encoder = self.network.model.encoder
        with (
            torch.inference_mode(),
            exact_convolutions(self.device, self.precision),
            taken(encoder.layers, sorted(set(layers))) as states,
        ):
            encoder(features)
        return states

    def heard(self, state):
        """What the decoder attends to: a state behind the encoder's final normalisation."""
        import torch

        with torch.inference_mode():
            return self.network.model.encoder.layer_norm(state)

    def detect(self, heard):
        """The most probable language of each utterance.

        Parameters
        ----------
        heard : tensor of shape (batch, frames, dim)
            Normalised states.

        Returns
        -------
        list of str or None
            Codes; None for an English-only model.
        """
        import torch
        from transformers.modeling_outputs import BaseModelOutput

        if not self.multilingual:
            return [None] * len(heard)
        with torch.inference_mode():
            numbers = self.network.detect_language(encoder_outputs=BaseModelOutput(last_hidden_state=heard))
        codes = {number: code for code, number in self.languages.items()}
        return [codes[number] for number in numbers.tolist()]

    def prompt(self, language, task="transcribe"):
        """Tokens that stand before the text: start, language, task, no timestamps.

        Parameters
        ----------
        language : str or None
            One of ``languages``; None or en for an English-only model.
        task : str

        Returns
        -------
        list of int

        Raises
        ------
        InputError
            Where the model has no token for the language or the task.
        """
        if task not in TASKS or (task == "translate" and not self.multilingual):
            raise InputError(f"model {self.name} has no task {task!r}", row="task", fix="use transcribe")
        known = list(self.languages) if self.multilingual else [None, "en"]
        if language not in known:
            raise InputError(
                f"model {self.name} has no token for the language {language!r}",
                row="language",
                fix=f"let it be detected, or let one of these stand for it: {', '.join(map(str, known))}",
            )
        told = self.network.generation_config
        chosen = [self.languages[language], told.task_to_id[task]] if self.multilingual else []
        return [told.decoder_start_token_id, *chosen, told.no_timestamps_token_id]


def language_code(name, known):
    """Whisper's code of a language, or None where it has no token for it.

    Parameters
    ----------
    name : str
        fi, fi_fi, Finnish, cmn_hans_cn.
    known : collection of str
        Codes that the model has.

    Returns
    -------
    str or None
    """
    from transformers.models.whisper.tokenization_whisper import TO_LANGUAGE_CODE

    low = name.lower().replace("-", "_")
    head = low.partition("_")[0]
    tried = (TO_LANGUAGE_CODE.get(low), low, head, ALIASES.get(head))
    return next((code for code in tried if code in known), None)


def load(model, folder=None, device="cpu"):
    """The Whisper that ``model`` describes, with its decoder and tokenizer.

    Parameters
    ----------
    model : dict
        As :func:`encoders.load.load` takes it: name, hub or path, depth, precision.
    folder : path-like, optional
        Where its files are; default: the model's ``path``. Nothing is downloaded, only safetensors are
        loaded, no remote code is run.
    device : str
        ``cpu``, ``cuda`` or ``auto`` (a GPU if there is one).

    Returns
    -------
    Whisper

    Raises
    ------
    InputError
        Where it is no Whisper, has no decoder, no tokenizer or no safetensors, or something is missing.
    """
    name, folder = display_name(model), folder or model.get("path")
    if folder is None:
        raise InputError(f"model {name} has no folder", fix="give hub: or path:")
    folder = Path(folder)
    config = read_config(folder, name)
    if config.model_type != "whisper":
        raise InputError(
            f"model {name} is a {config.model_type}, which has no decoder",
            path=folder,
            fix="leave it out of early exit and word times",
        )
    check_depth(model, depth_of(config))
    device = resolved(device)
    network = _network(folder, name)
    extractor, tokenizer = _processor(folder, name, network.generation_config.decoder_start_token_id)
    return Whisper(name, network, extractor, tokenizer, device, model.get("precision", "float32"))


def _network(folder, name):
    from transformers import WhisperForConditionalGeneration

    network, absent = pretrained(WhisperForConditionalGeneration, folder, name)
    if any("decoder." in key for key in absent):
        raise InputError(
            f"the checkpoint of model {name} has no decoder, or not all of it ({absent[0]} is missing)",
            path=folder,
            fix="use a checkpoint with its decoder, or leave it out of early exit and word times",
        )
    if absent:
        raise incomplete(folder, name, absent)
    return network


def _processor(folder, name, start):
    from transformers import WhisperFeatureExtractor, WhisperTokenizer

    try:
        extractor = WhisperFeatureExtractor.from_pretrained(folder, local_files_only=True)
        tokenizer = WhisperTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, TypeError) as error:
        raise InputError(
            f"model {name} has no tokenizer or no feature extractor ({error})",
            path=folder,
            fix="put tokenizer.json, tokenizer_config.json and preprocessor_config.json there",
        ) from error
    # Where tokenizer.json is missing, transformers makes one that knows no word.
    if tokenizer.convert_ids_to_tokens(start) != "<|startoftranscript|>":
        raise InputError(
            f"model {name} has no tokenizer, or that of another model",
            path=folder,
            fix="put its own tokenizer.json and tokenizer_config.json there",
        )
    return extractor, tokenizer
