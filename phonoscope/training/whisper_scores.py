"""Word error rates of a Whisper on held-out utterances, greedy decoding."""

import random

import numpy as np

from phonoscope.training.targets import SPACE, characters
from phonoscope.training.whisper_model import ENGLISH

BATCH, SHUFFLES = 32, 20


def scores(model, processor, heard, split, codes, english, tasks):
    """Word error rates per language, of transcription and of translation into English.

    Parameters
    ----------
    model : transformers.WhisperForConditionalGeneration
    processor : transformers.WhisperProcessor
    heard : whisper_items.Heard
    split : str
    codes, english : dict
        From :func:`whisper_model.languages` and :func:`whisper_items.in_english`.
    tasks : list of str
        That were learned.

    Returns
    -------
    rows : list of dict
        As in ``job.Trained.held_out``; chance is the error of hypotheses shuffled over the utterances of a
        language (mean of 20 shuffles).
    controls : dict of str to str
        Where translation was not learned: what comes out when it is asked for, and when the transcription
        is taken for it.
    """
    spoken = [codes[row["language"] or ""] for row in heard.rows]
    texts = [row["text"] for row in heard.rows]
    targets = [english.get(row["sentence_id"]) for row in heard.rows]
    abroad = [i for i, code in enumerate(spoken) if code != ENGLISH and targets[i] is not None]
    everyone = list(range(len(heard)))
    said = decoded(model, processor, heard, everyone, spoken, "transcribe")
    rows = _rows(split, "WER, transcription", spoken, dict(zip(everyone, texts, strict=True)), said)
    if not abroad:
        return rows, {}
    wanted = {i: targets[i] for i in abroad}
    asked = decoded(model, processor, heard, abroad, spoken, "translate")
    if "translate" in tasks:
        return rows + _rows(split, "WER, translation", spoken, wanted, asked), {}
    controls = {}
    for what, hypotheses in (
        ("translation, never learned", asked),
        ("transcription taken for a translation", {i: said[i] for i in abroad}),
    ):
        pooled = _rows(split, what, spoken, wanted, hypotheses)[-1]
        controls[f"{what}, {split}"] = (
            f"WER {pooled['value']:.3f} against {pooled['chance']:.3f} with {pooled['control']}"
        )
    return rows, controls


def decoded(model, processor, heard, indices, spoken, task):
    """Text by index, decoded greedily with the language given.

    Parameters
    ----------
    indices : list of int
    spoken : list of str
        Language code of every utterance in ``heard``.
    task : str

    Returns
    -------
    dict of int to str
    """
    import torch

    out = {}
    for first in range(0, len(indices), BATCH):
        part = indices[first : first + BATCH]
        features = torch.from_numpy(np.stack([heard[i][0] for i in part])).to(model.device)
        with torch.inference_mode():
            tokens = model.generate(
                features, language=[spoken[i] for i in part], task=task, num_beams=1, do_sample=False
            )
        out |= zip(part, processor.batch_decode(tokens, skip_special_tokens=True), strict=True)
    return out


def _rows(split, metric, spoken, references, hypotheses):
    """One row per language, and one for all of them where there are several."""
    found, counts = [], []
    for code in sorted({spoken[i] for i in references}):
        of = [i for i in references if spoken[i] == code]
        right, heard = [references[i] for i in of], [hypotheses[i] for i in of]
        counts.append(sum(len(normalised(text).split()) for text in right))
        found.append(
            {
                "split": split,
                "metric": f"{metric}, {code}",
                "value": word_error_rate(right, heard),
                "chance": _shuffled(right, heard),
                "control": "the hypotheses of other utterances",
                "n": len(of),
            }
        )
    if len(found) > 1:
        share = np.array(counts) / sum(counts)
        means = {key: float(share @ [row[key] for row in found]) for key in ("value", "chance")}
        found.append(found[-1] | means | {"metric": f"{metric}, all", "n": sum(row["n"] for row in found)})
    return found


def _shuffled(references, hypotheses):
    rng, errors = random.Random("shuffled hypotheses"), []
    for _ in range(SHUFFLES):
        order = sorted(range(len(hypotheses)), key=lambda _: rng.random())
        errors.append(word_error_rate(references, [hypotheses[i] for i in order]))
    return float(np.mean(errors))


def word_error_rate(references, hypotheses):
    """Errors per word of the references, over all pairs, of small letters without punctuation."""
    import jiwer

    return jiwer.wer([normalised(text) for text in references], [normalised(text) for text in hypotheses])


def normalised(text):
    """Small letters with their marks and digits, words with one space between them."""
    return characters(text).replace(SPACE, " ")
