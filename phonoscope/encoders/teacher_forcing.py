"""Whisper's decoder made to say known texts: its cross-attention and how probable it finds them."""

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import numpy as np

from phonoscope.encoders import text_units
from phonoscope.errors import InputError

BATCH = 8


@dataclass(frozen=True)
class Forced:
    """What the decoder does while it says the text of an utterance.

    Parameters
    ----------
    name : str
        Of the utterance.
    words : list of (str, list of int)
        Words and their tokens, counted from the first of the text.
    attention : float32 array of shape (n_heads, n_prompt + n_tokens, n_frames)
        Cross-attention of each position over the recording's own frames; sums to 1 over frames.
    n_prompt : int
        Positions of the prompt. Position ``n_prompt - 1`` predicts the first token of the text, the last one
        predicts the end.
    log_probs : float32 array of shape (n_tokens,)
        Natural logarithms of the probabilities of the text's tokens.
    duration_s : float
    """

    name: str
    words: list
    attention: np.ndarray
    n_prompt: int
    log_probs: np.ndarray
    duration_s: float


def teacher_force(
    whisper, audios, texts, languages, heads, task="transcribe", leading_space=True, names=None
):
    """Give the decoder texts token by token, whatever it would say itself.

    Parameters
    ----------
    whisper : encoders.whisper.Whisper
    audios : list of float32 array of shape (n_samples,)
        At ``whisper.rate``.
    texts : list of str
        What is said (or its translation, with ``task="translate"``).
    languages : list of str
        Code of each, one of ``whisper.languages``; None for an English-only model.
    heads : list of (layer, head)
        Of the decoder's cross-attention, both from 0.
    task : str
    leading_space : bool
        Whether the texts that the model has learned begin with a space, as those of OpenAI's models do.
    names : list of str, optional
        Of the utterances.

    Yields
    ------
    Forced

    Raises
    ------
    InputError
        Where a text has no word or is longer than the decoder, a recording is longer than its window, there
        is no token for a language, or attention is NaN; names the utterance or the option.
    """
    names = names or [f"utterance {k}" for k in range(len(audios))]
    items = list(zip(names, audios, texts, languages, strict=True))
    _check_heads(whisper, heads)
    for first in range(0, len(items), BATCH):
        yield from _batch(whisper, items[first : first + BATCH], heads, task, leading_space)


def _check_heads(whisper, heads):
    config = whisper.network.config
    layers, count = config.decoder_layers, config.decoder_attention_heads
    wrong = [tuple(pair) for pair in heads if not (0 <= pair[0] < layers and 0 <= pair[1] < count)]
    if wrong or not len(heads):
        raise InputError(
            f"model {whisper.name} has no cross-attention head {wrong[0]}" if wrong else "no head is given",
            row="alignment_heads",
            fix=f"give pairs of a layer below {layers} and a head below {count}",
        )


def _batch(whisper, items, heads, task, leading_space):
    import torch

    network = whisper.network
    lines = [_line(whisper, name, text, language, task, leading_space) for name, _, text, language in items]
    features = whisper.features([audio for _, audio, _, _ in items], [name for name, *_ in items])
    longest = max(len(prompt) + len(tokens) for prompt, tokens, _ in lines)
    # Behind its end a line is padded with any token: no position sees what follows it.
    inputs = torch.full((len(lines), longest), network.config.eos_token_id)
    for row, (prompt, tokens, _) in zip(inputs, lines, strict=True):
        row[: len(prompt) + len(tokens)] = torch.tensor(prompt + tokens)
    inputs = inputs.to(whisper.device)
    heard = whisper.heard(whisper.states(features, [whisper.depth])[whisper.depth])
    decoder = network.model.decoder
    with torch.inference_mode(), _projections(decoder.layers, heads) as projections:
        hidden = decoder(input_ids=inputs, encoder_hidden_states=heard, use_cache=False).last_hidden_state
    # One by one: attention of all heads of a large model is 400 MB for one recording.
    for k, ((name, audio, *_), (prompt, tokens, words)) in enumerate(zip(items, lines, strict=True)):
        start, stop = len(prompt), len(prompt) + len(tokens)
        with torch.inference_mode():
            n_frames = whisper.frames(len(audio))
            attention = _attention(decoder.layers, projections, heads, k, stop, n_frames).cpu().numpy()
            predicted = network.proj_out(hidden[k, start - 1 : stop - 1]).float().log_softmax(dim=-1)
            log_probs = predicted.gather(1, inputs[k, start:stop, None])[:, 0].cpu().numpy()
        if not (np.isfinite(attention).all() and np.isfinite(log_probs).all()):
            raise InputError(
                f"model {whisper.name} gives NaN or infinite attention",
                row=name,
                fix="set precision: float32 for the model, or leave the recording out",
            )
        yield Forced(name, words, attention, start, log_probs, len(audio) / whisper.rate)


def _line(whisper, name, text, language, task, leading_space):
    """Prompt, tokens and words of a text."""
    text = " " * leading_space + " ".join((text or "").split())
    made = whisper.tokenizer(
        text, add_special_tokens=False, return_offsets_mapping=True, split_special_tokens=True
    )
    words = text_units.words(text, made["offset_mapping"])
    if not words:
        raise InputError("the text has no word", row=name, fix="give a text, or leave the recording out")
    prompt, tokens = whisper.prompt(language, task), made["input_ids"]
    most = whisper.network.config.max_target_positions - len(prompt)
    if len(tokens) > most:
        raise InputError(
            f"the text has {len(tokens)} tokens, and the decoder of model {whisper.name} takes {most}",
            row=name,
            fix="check that the text belongs to the recording, or leave the recording out",
        )
    return prompt, tokens, words


@contextmanager
def _projections(layers, heads):
    """Collect queries and keys of the cross-attention while the decoder runs.

    Weights that a model returns are those of all heads and of the padding, and only of one of its
    implementations of attention; queries and keys are there in each, and small.
    """
    found = {}

    def keep(layer, which):
        def hook(module, args, output):
            found[layer, which] = output

        return hook

    with ExitStack() as hooks:
        for layer in {layer for layer, _ in heads}:
            for which in ("q_proj", "k_proj"):
                module = getattr(layers[layer].encoder_attn, which)
                hooks.callback(module.register_forward_hook(keep(layer, which)).remove)
        yield found


def _attention(layers, projections, heads, item, n_positions, n_frames):
    """Attention of an utterance over its own frames, shape (n_heads, n_positions, n_frames), float32."""
    import torch

    found = []
    for layer, head in heads:
        block = layers[layer].encoder_attn
        columns = slice(head * block.head_dim, (head + 1) * block.head_dim)
        query = projections[layer, "q_proj"][item, :n_positions, columns].float() * block.scaling
        key = projections[layer, "k_proj"][item, :n_frames, columns].float()
        found.append((query @ key.T).softmax(dim=-1))
    return torch.stack(found)
