"""A Whisper to be trained: network, feature extractor and tokenizer, new or from a folder."""

import json
import math

from phonoscope.errors import InputError

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
ENGLISH = "en"
FRAMES_PER_S, LONGEST_S = 100, 30


def pretrained(folder):
    """The Whisper in a folder, and its processor."""
    from transformers import WhisperForConditionalGeneration, WhisperProcessor

    network = WhisperForConditionalGeneration.from_pretrained(
        folder, dtype="float32", use_safetensors=True, local_files_only=True
    )
    # Draws of its own would differ after a run was stopped; the items are masked instead.
    network.config.apply_spec_augment = False
    return network, WhisperProcessor.from_pretrained(folder, local_files_only=True)


def new(rows, options, seed):
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


def tell(model, vocabulary, codes):
    """Write into the generation config what `generate` has to know of the tokenizer."""

    def number(token):
        return vocabulary.convert_tokens_to_ids(token)

    config = model.generation_config
    # Else it is made anew from the model's config wherever it is loaded.
    config._from_model_config = False
    if not getattr(config, "lang_to_id", None):
        config.is_multilingual = True
        config.lang_to_id = {f"<|{code}|>": number(f"<|{code}|>") for code in sorted(set(codes.values()))}
        config.task_to_id = {task: number(f"<|{task}|>") for task in ("transcribe", "translate")}
        config.no_timestamps_token_id = number("<|notimestamps|>")
        config.prev_sot_token_id = number("<|startofprev|>")
        config.return_timestamps = False
        config.max_length = model.config.max_target_positions
        config.suppress_tokens = config.begin_suppress_tokens = None
