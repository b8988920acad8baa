"""What a Whisper is trained on: spectrograms, masked, and the tokens of a transcription or translation."""

import logging
import math

import numpy as np

from phonoscope.corpora.audio import load
from phonoscope.errors import InputError
from phonoscope.training.data import RATE_HZ
from phonoscope.training.whisper_model import ENGLISH, FRAMES_PER_S

IGNORED = -100
# Up to this much speech is kept in memory as half floats (16 kB per second).
KEPT_S = 10 * 3600


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
            row = self.rows[index]
            audio = load(row["audio"], RATE_HZ, row.get("audio_sha256"))[0]
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
        """Up to ``count`` utterances, drawn once for all, every other one translated where it can be."""
        chosen = np.random.default_rng(0).permutation(len(self.heard))[:count]
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
