"""Early exit: what Whisper's decoder writes when it attends to an encoder layer below the last."""

import logging
from contextlib import contextmanager
from dataclasses import dataclass

from phonoscope.errors import InputError

BATCH = 8


@dataclass(frozen=True)
class Hypothesis:
    """A text that the decoder has written.

    Parameters
    ----------
    text : str
    tokens : tuple of int
        Without the prompt and the end.
    language : str or None
        Code that was in the prompt.
    ended : bool
        False where the decoder was stopped by the largest number of tokens, as in a loop.
    """

    text: str
    tokens: tuple
    language: str | None
    ended: bool


def decode(
    whisper, audios, layers, languages=None, task="transcribe", norm=True, max_new_tokens=None, names=None
):
    """Greedy decoding from several layers of the encoder, from one pass of it.

    What leaves encoder block k goes through the encoder's final normalisation (or not) and on to the decoder,
    which is as it was trained. From the last layer, normalised, it is ordinary decoding, token for token.

    Parameters
    ----------
    whisper : encoders.whisper.Whisper
    audios : list of float32 array of shape (n_samples,)
        At ``whisper.rate``.
    layers : list of int
        0 is what enters the first block, L what leaves block L.
    languages : str or None, or list of them
        Code in the prompt, for all or for each. Where None, the language that the model detects from its last
        layer, in ordinary fashion, is taken for all layers, so that they differ in nothing else.
    task : str
        transcribe or translate.
    norm : bool
        Whether states go through the encoder's final normalisation, those of the last layer too.
    max_new_tokens : int, optional
        Tokens after which a text that has not ended is cut; as many as the decoder has positions by default.
    names : list of str, optional
        Of the utterances, for errors.

    Returns
    -------
    dict of int to list of Hypothesis
        Per layer, in the order of the utterances.

    Raises
    ------
    InputError
        Where there is no such layer, language or task, an utterance is empty or longer than the window, or a
        state is NaN or infinite; names utterance and layer.
    """
    names = names or [f"utterance {k}" for k in range(len(audios))]
    given = languages if isinstance(languages, list | tuple) else [languages] * len(audios)
    if beyond := [layer for layer in layers if not 0 <= layer <= whisper.depth]:
        raise InputError(
            f"model {whisper.name} has no layer {beyond[0]}: it has {whisper.depth} transformer blocks",
            row="layers",
            fix=f"ask for layers from 0 (what enters the first block) to {whisper.depth}",
        )
    # Any language will do for the length of a prompt whose language is still to be detected.
    prompts = [whisper.prompt(code or next(iter(whisper.languages), None), task) for code in {None, *given}]
    most = whisper.network.config.max_target_positions - len(prompts[0])
    most = min(most, max_new_tokens or most)
    items, layers = list(zip(names, audios, given, strict=True)), sorted(set(layers))
    found = {layer: [] for layer in layers}
    for first in range(0, len(items), BATCH):
        part = items[first : first + BATCH]
        features = whisper.features([audio for _, audio, _ in part], [name for name, *_ in part])
        # The last layer tells the language.
        needed = [] if all(code for *_, code in part) else [whisper.depth]
        states = whisper.states(features, layers + needed)
        for layer, state in states.items():
            _check(whisper, state, layer, [name for name, *_ in part])
        codes = _codes(whisper, [code for *_, code in part], states.get(whisper.depth))
        for layer in layers:
            heard = whisper.heard(states[layer]) if norm else states[layer]
            found[layer] += _greedy(whisper, heard, codes, task, most)
    return found


def _check(whisper, state, layer, names):
    finite = state.isfinite().all(dim=2).all(dim=1)
    if not finite.all():
        raise InputError(
            f"layer {layer} of model {whisper.name} has NaN or infinite states",
            row=names[int((~finite).nonzero()[0])],
            fix="set precision: float32 for the model, or leave the recording out",
        )


def _codes(whisper, given, last):
    """Languages of a batch, detected where they are not given."""
    missing = [k for k, code in enumerate(given) if code is None]
    detected = whisper.detect(whisper.heard(last[missing])) if missing else []
    codes = list(given)
    for k, code in zip(missing, detected, strict=True):
        codes[k] = code
    return codes


def _greedy(whisper, heard, codes, task, most):
    import torch
    from transformers.modeling_outputs import BaseModelOutput

    prompt = {"language": codes, "task": task} if whisper.multilingual else {}
    with torch.inference_mode(), _quiet():
        written = whisper.network.generate(
            encoder_outputs=BaseModelOutput(last_hidden_state=heard), max_new_tokens=most, **prompt
        )
    end, found = whisper.network.generation_config.eos_token_id, []
    for row, code in zip(written.tolist(), codes, strict=True):
        tokens = row[: row.index(end)] if end in row else row
        text = whisper.tokenizer.decode(tokens, skip_special_tokens=True).strip()
        found.append(Hypothesis(text, tuple(tokens), code, len(tokens) < most))
    return found


@contextmanager
def _quiet():
    """Without the remark, at every call, that max_new_tokens goes before max_length."""
    log = logging.getLogger("transformers.generation.utils")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)
