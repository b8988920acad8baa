"""Train a Whisper (Radford et al. 2022, arXiv 2212.04356): transcription, and translation into English.

A model that is not fine-tuned from another gets a vocabulary of its own (byte-level BPE of the training
texts) with all of Whisper's special tokens, and an encoder that sees ``chunk_s`` instead of 30 seconds.
"""

import logging
import math
from pathlib import Path

import numpy as np

from phonoscope.corpora.audio import load
from phonoscope.errors import InputError
from phonoscope.training import runs, whisper_scores
from phonoscope.training.data import RATE_HZ, Drawn
from phonoscope.training.job import Trained

TINY = {
    "d_model": 96,
    "encoder_layers": 4,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 384,
    "decoder_ffn_dim": 384,
    "max_target_positions": 96,
    "dropout": 0.05,
    # Narrower than Whisper's, so larger than its 0.02: about the same gain per layer.
    "init_std": 0.05,
}
# Beside the fields of runs.Schedule.
DEFAULTS = {
    "tasks": ("transcribe",),
    "vocabulary": 600,
    "chunk_s": None,
    "time_mask_s": 0.1,
    "mel_mask": 10,
    "masks": 2,
    "architecture": None,
}
ENGLISH = "en"
FRAMES_PER_S, LONGEST_S = 100, 30
IGNORED = -100
# Up to this much speech is kept in memory as half floats (16 kB per second); held-out items of the log.
KEPT_S, HELD_OUT = 10 * 3600, 64


def train(job):
    """Train on the utterances of split train and measure word error rates on the others.

    Parameters
    ----------
    job : job.Job
        Options: ``tasks`` (transcribe, or transcribe and translate), the fields of ``runs.Schedule``, and
        those of :data:`DEFAULTS`: size of the vocabulary, longest recording in seconds (default: the longest
        there is, in whole seconds), number and greatest size of the stretches of time and of the bands of mel
        channels that are masked, keywords of ``WhisperConfig`` over those of :data:`TINY`. Where ``job.base``
        is given, vocabulary, ``chunk_s`` and architecture are its own.

    Returns
    -------
    job.Trained
        ``held_out`` has the word error rates of :func:`whisper_scores.held_out`.

    Raises
    ------
    InputError
        For an unknown task or language, or if there is nothing to translate into.
    """
    import torch

    options = DEFAULTS | {key: value for key, value in job.options.items() if value is not None}
    schedule = runs.schedule(job.options)
    tasks = _tasks(options["tasks"])
    torch.manual_seed(schedule.seed)
    model, processor = _base(job.base) if job.base else _new(job.rows, options, schedule.seed)
    codes = languages(processor.tokenizer, [row for rows in job.rows.values() for row in rows])
    _tell(model, processor.tokenizer, codes)
    english = in_english(job.rows, codes)
    heard = {split: Heard(rows, processor.feature_extractor) for split, rows in job.rows.items() if rows}
    train_items = Items(heard["train"], processor.tokenizer, codes, english, tasks, options)
    if "translate" in tasks and not train_items.translated:
        raise InputError(
            "no training utterance that is not English has an English one with its sentence_id",
            row="tasks",
            fix="leave out translate, or add a corpus with English",
        )
    if processor.tokenizer.pad_token_id is None or model.config.pad_token_id is None:
        raise InputError("the tokenizer has no token for padding", path=job.base)
    watched = next((heard[split] for split in ("dev", "test") if split in heard), None)
    log = runs.run(
        model,
        Drawn(train_items.draw, schedule.steps * schedule.batch, schedule.seed),
        schedule,
        job.work,
        collate=Collator(model.config),
        held_out=watched
        and Items(watched, processor.tokenizer, codes, english, tasks, options).fixed(HELD_OUT),
        threads=job.threads,
    )
    model = model.eval().cpu()
    scored = [
        whisper_scores.held_out(model, processor, heard[split], split, codes, english, tasks)
        for split in ("dev", "test")
        if split in heard
    ]
    facts = {
        "vocabulary": f"{len(processor.tokenizer)} tokens, special ones included",
        "left out": ", ".join(f"{each.too_long} of {split}" for split, each in heard.items())
        + f" (longer than {processor.feature_extractor.chunk_length:g} s)",
    }
    for _, controls in scored:
        facts |= controls
    return Trained(model, [processor], log, [row for rows, _ in scored for row in rows], facts)


def _tasks(tasks):
    tasks = [tasks] if isinstance(tasks, str) else list(tasks)
    if sorted(tasks) not in (["transcribe"], ["transcribe", "translate"]):
        raise InputError(
            f"{tasks} cannot be trained", row="tasks", fix="use transcribe, or both it and translate"
        )
    return tasks


def _base(folder):
    """A Whisper and its processor from a folder; recordings are cut to nothing, so it keeps its 30 s."""
    from transformers import WhisperForConditionalGeneration, WhisperProcessor

    network = WhisperForConditionalGeneration.from_pretrained(
        folder, dtype="float32", use_safetensors=True, local_files_only=True
    )
    # Draws of its own would depend on how often a run was stopped; Items masks instead.
    network.config.apply_spec_augment = False
    return network, WhisperProcessor.from_pretrained(folder, local_files_only=True)


def _new(rows, options, seed):
    """A Whisper with random weights and its processor."""
    import torch
    from transformers import (
        WhisperConfig,
        WhisperFeatureExtractor,
        WhisperForConditionalGeneration,
        WhisperProcessor,
    )

    longest = max(row["duration_s"] for each in rows.values() for row in each)
    chunk_s = min(options["chunk_s"] or math.ceil(longest), LONGEST_S)
    vocabulary = tokenizer([row["text"] for row in rows["train"]], options["vocabulary"])
    extractor = WhisperFeatureExtractor(chunk_length=chunk_s)
    end = vocabulary.eos_token_id
    config = WhisperConfig(
        **TINY | (options["architecture"] or {}),
        vocab_size=len(vocabulary),
        num_mel_bins=extractor.feature_size,
        max_source_positions=chunk_s * FRAMES_PER_S // 2,
        pad_token_id=end,
        bos_token_id=end,
        eos_token_id=end,
        decoder_start_token_id=vocabulary.convert_tokens_to_ids("<|startoftranscript|>"),
        begin_suppress_tokens=None,
    )
    torch.manual_seed(seed)
    return WhisperForConditionalGeneration(config), WhisperProcessor(extractor, vocabulary)


def tokenizer(texts, size):
    """A Whisper tokenizer whose vocabulary is learned from texts.

    Parameters
    ----------
    texts : list of str
    size : int
        Tokens beside the special ones: at least the 256 bytes.

    Returns
    -------
    transformers.WhisperTokenizer
    """
    import json

    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import WhisperTokenizer
    from transformers.models.whisper.tokenization_whisper import LANGUAGES

    learned = Tokenizer(models.BPE())
    learned.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=size, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), show_progress=False
    )
    learned.train_from_iterator(texts, trainer)
    bpe = json.loads(learned.to_str())["model"]
    # The prefix of a text counts on every language of Whisper in its place, whichever are spoken here.
    special = [
        "<|startoftranscript|>",
        *(f"<|{code}|>" for code in LANGUAGES),
        "<|translate|>",
        "<|transcribe|>",
        "<|startoflm|>",
        "<|startofprev|>",
        "<|nospeech|>",
        "<|notimestamps|>",
    ]
    made = WhisperTokenizer(
        vocab=bpe["vocab"], merges=[tuple(pair) for pair in bpe["merges"]], pad_token="<|endoftext|>"
    )
    made.add_special_tokens({"additional_special_tokens": special})
    made.set_prefix_tokens()
    return made


def languages(vocabulary, rows):
    """The tokenizer's code of every language in ``rows``: fi for fi, fi_fi or finnish.

    Raises
    ------
    InputError
        Where there is none.
    """
    from transformers.models.whisper.tokenization_whisper import TO_LANGUAGE_CODE

    found, known = {}, set(vocabulary.get_vocab())
    for name in sorted({row["language"] or "" for row in rows}):
        low = name.lower()
        tried = [TO_LANGUAGE_CODE.get(low), low, low.split("_")[0]]
        codes = [code for code in tried if f"<|{code}|>" in known]
        if not codes:
            raise InputError(f"Whisper does not know the language {name!r}", fix="leave the language out")
        found[name] = codes[0]
    return found


def _tell(model, vocabulary, codes):
    """Write into the generation config what `generate` has to know of the tokenizer."""

    def number(token):
        return vocabulary.convert_tokens_to_ids(token)

    config = model.generation_config
    if not getattr(config, "lang_to_id", None):
        config.is_multilingual = True
        config.lang_to_id = {f"<|{code}|>": number(f"<|{code}|>") for code in sorted(set(codes.values()))}
        config.task_to_id = {task: number(f"<|{task}|>") for task in ("transcribe", "translate")}
        config.no_timestamps_token_id = number("<|notimestamps|>")
        config.prev_sot_token_id = number("<|startofprev|>")
        config.return_timestamps = False
        config.max_length = model.config.max_target_positions
        config.suppress_tokens = config.begin_suppress_tokens = None


def in_english(rows, codes):
    """English text by sentence_id, from the English utterances of all splits."""
    return {
        row["sentence_id"]: row["text"]
        for each in rows.values()
        for row in each
        if row["sentence_id"] is not None and codes[row["language"] or ""] == ENGLISH
    }


class Heard:
    """Log-mel spectrograms of utterances, padded as Whisper's feature extractor does, by index.

    Attributes
    ----------
    rows : list of dict
        Rows of ``tables.UTTERANCES`` that are no longer than the extractor takes.
    too_long : int
        How many are.
    """

    def __init__(self, rows, extractor):
        longest = extractor.n_samples / RATE_HZ
        self.rows = [row for row in rows if row["duration_s"] <= longest]
        self.too_long = len(rows) - len(self.rows)
        if self.too_long:
            logging.warning("%d of %d recordings are longer than %g s", self.too_long, len(rows), longest)
        if not self.rows:
            raise InputError(f"no recording is {longest:g} s or shorter", fix="set a larger chunk_s")
        self.extractor = extractor
        self.kept = {} if sum(row["duration_s"] for row in self.rows) <= KEPT_S else None

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        """float32 array of shape (n_mels, n_frames), and the number of frames that are the utterance's."""
        found = self.kept.get(index) if self.kept is not None else None
        real = self.frames(index)
        if found is None:
            audio = load(self.rows[index]["audio"], RATE_HZ)[0]
            found = self.extractor(audio, sampling_rate=RATE_HZ, return_tensors="np")["input_features"][0]
            if self.kept is not None:
                # Behind the end of a recording, values are one and the same.
                self.kept[index] = found[:, : real + 4].astype(np.float16)
            return found.astype(np.float16).astype(np.float32), real
        padding = self.extractor.nb_max_frames - found.shape[1]
        return np.pad(found.astype(np.float32), ((0, 0), (0, padding)), mode="edge"), real

    def frames(self, index):
        return min(math.ceil(self.rows[index]["duration_s"] * FRAMES_PER_S), self.extractor.nb_max_frames)


class Items:
    """What is learned: a spectrogram and the tokens that belong to it.

    Attributes
    ----------
    translated : list of int
        Utterances that can be translated.
    """

    def __init__(self, heard, vocabulary, codes, english, tasks, options):
        self.heard, self.vocabulary, self.options = heard, vocabulary, options
        self.codes = [codes[row["language"] or ""] for row in heard.rows]
        self.english = [english.get(row["sentence_id"]) for row in heard.rows]
        self.translated = [
            index
            for index, code in enumerate(self.codes)
            if code != ENGLISH and self.english[index] is not None
        ]
        self.may = set(self.translated) if "translate" in tasks else set()

    def draw(self, rng):
        """Any utterance, transcribed or, by chance and where it can be, translated; masked.

        The draws do not depend on the tasks: the models of a comparison hear the same in the same order.
        """
        index, coin = int(rng.integers(len(self.heard))), rng.random()
        features = self.heard[index]
        masked = mask(*features, rng, self.options)
        return {"features": masked, "labels": self.labels(index, coin < 0.5 and index in self.may)}

    def fixed(self, count):
        """Up to ``count`` utterances, evenly over the list, every other one translated where it can be."""
        chosen = np.unique(np.linspace(0, len(self.heard) - 1, min(count, len(self.heard))).astype(int))
        return [
            {"features": self.heard[i][0], "labels": self.labels(i, k % 2 == 1 and i in self.may)}
            for k, i in enumerate(map(int, chosen))
        ]

    def labels(self, index, translate):
        """Tokens after <|startoftranscript|>: language, task, <|notimestamps|>, text, <|endoftext|>."""
        text = self.english[index] if translate else self.heard.rows[index]["text"]
        prefix = (self.codes[index], "translate" if translate else "transcribe", "notimestamps")
        numbers = [self.vocabulary.convert_tokens_to_ids(f"<|{token}|>") for token in prefix]
        return [
            *numbers,
            *self.vocabulary.encode(text, add_special_tokens=False),
            self.vocabulary.eos_token_id,
        ]


def mask(features, real, rng, options):
    """Cover stretches of time and bands of channels (SpecAugment, Park et al. 2019) with the mean.

    Parameters
    ----------
    features : float32 array of shape (n_mels, n_frames)
        Left as it is.
    real : int
        Frames of the utterance.
    rng : numpy.random.Generator
    options : dict
        ``masks`` of each kind, of up to ``time_mask_s`` seconds and ``mel_mask`` channels.

    Returns
    -------
    float32 array of shape (n_mels, n_frames)
    """
    out, mean = features.copy(), features[:, :real].mean()
    for _ in range(options["masks"]):
        width = int(rng.random() * (options["time_mask_s"] * FRAMES_PER_S + 1))
        start = int(rng.random() * max(1, real - width))
        out[:, start : start + width] = mean
        width = int(rng.random() * (options["mel_mask"] + 1))
        start = int(rng.random() * (len(out) - width))
        out[start : start + width] = mean
    return out


class Collator:
    """Items to a batch: shifted decoder inputs, padded labels.

    The task is not predicted, unlike in Whisper: nothing in the sound tells it, and the losses of models with
    one and with two tasks stay comparable.
    """

    TASK = 1

    def __init__(self, config):
        self.start, self.padding, self.most = (
            config.decoder_start_token_id,
            config.pad_token_id,
            config.max_target_positions,
        )

    def __call__(self, items):
        import torch

        longest = max(len(item["labels"]) for item in items)
        if longest > self.most:
            raise InputError(
                f"a text has {longest} tokens, and the decoder {self.most} positions",
                row="max_target_positions",
                fix="set a larger architecture: {max_target_positions: …}",
            )
        labels = torch.full((len(items), longest), IGNORED)
        inputs = torch.full((len(items), longest), self.padding)
        inputs[:, 0] = self.start
        for row, item in enumerate(items):
            numbers = torch.tensor(item["labels"])
            labels[row, : len(numbers)] = numbers
            inputs[row, 1 : len(numbers)] = numbers[:-1]
        labels[:, self.TASK] = IGNORED
        return {
            "input_features": torch.from_numpy(np.stack([item["features"] for item in items])),
            "decoder_input_ids": inputs,
            "labels": labels,
        }
