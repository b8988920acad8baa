"""A Whisper's encoder learns to hear first: the phone at every frame, by known times.

From an hour of speech the decoder learns the grammar of its texts long before it listens: it then writes
sentences that nobody said. An encoder that has the phones gives it something to attend to.
"""

from dataclasses import replace

import numpy as np

from phonoscope.errors import InputError
from phonoscope.training.data import Drawn
from phonoscope.training.runs import run
from phonoscope.training.targets import IGNORED, path, spoken, units
from phonoscope.training.whisper_items import mask

FRAMES_PER_S = 50


def learn(model, heard, segments, options, schedule, folder, threads):
    """Train the encoder in place, with a linear layer on top that is then dropped.

    Parameters
    ----------
    model : transformers.WhisperForConditionalGeneration
    heard : whisper_items.Heard
    segments : dict of str to list of dict
        Rows of ``tables.SEGMENTS`` of tier phone, by utterance.
    options : dict
        Masks, as in :func:`whisper_items.mask`.
    schedule : runs.Schedule
    folder : path-like
        Of the checkpoints.
    threads : int or None

    Returns
    -------
    list of dict
        Rows of :func:`runs.run`, with the share of right frames as ``accuracy``.

    Raises
    ------
    InputError
        Where an utterance has no phones.
    """
    import torch

    phones = units(heard.rows, segments, ("phone",))
    targets = [_targets(row, segments, phones, heard.extractor.nb_max_frames // 2) for row in heard.rows]

    def draw(rng):
        index = int(rng.integers(len(heard)))
        return {"input_features": mask(*heard[index], rng, options), "targets": targets[index]}

    torch.manual_seed(schedule.seed)
    return run(
        _network(model, len(phones.vocabulary)),
        Drawn(draw, schedule.steps * schedule.batch, schedule.seed),
        schedule,
        folder,
        threads=threads,
    )


def _targets(row, segments, phones, n_frames):
    """The class of every frame of the window; IGNORED beyond the recording."""
    said = spoken(segments[row["utterance_id"]])
    # A frame of Whisper's is centred on its multiple of 20 ms (phonoscope.encoders.transformer).
    centres = np.arange(n_frames) / FRAMES_PER_S
    ends, starts = [each["end_s"] for each in said], [each["start_s"] for each in said]
    found = path([phones.vocabulary[phones.name(each)] for each in said], ends, starts, centres)
    found[centres > row["duration_s"]] = IGNORED
    return found


def _network(model, classes):
    import torch

    class Phones(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = model.model.encoder
            self.head = torch.nn.Linear(model.config.d_model, classes)

        def forward(self, input_features, targets):
            scores = self.head(self.encoder(input_features).last_hidden_state).flatten(0, 1)
            wanted = targets.flatten()
            real = wanted != IGNORED
            right = (scores.argmax(-1) == wanted)[real].float().mean()
            loss = torch.nn.functional.cross_entropy(scores, wanted, ignore_index=IGNORED)
            return {"loss": loss, "metrics": {"accuracy": right}}

    return Phones()


def parted(schedule, share):
    """The schedule of the phones and that of the texts: ``share`` of the steps, and the rest.

    Raises
    ------
    InputError
        Where one of the two would have no step.
    """
    first = round(schedule.steps * share)
    if not 0 < first < schedule.steps:
        raise InputError(
            f"frames_share {share:g} of {schedule.steps} steps leaves nothing of one stage",
            row="frames_share",
            fix="set it between 0 and 1",
        )
    return replace(schedule, steps=first), replace(schedule, steps=schedule.steps - first)
