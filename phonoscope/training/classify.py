"""Fine-tune a classifier of utterances: who speaks, of which sex, in which condition."""

import logging
from dataclasses import dataclass, fields

import numpy as np

from phonoscope.errors import InputError
from phonoscope.training import inputs
from phonoscope.training.data import Drawn
from phonoscope.training.heads import body, build, feature_extractor, finished
from phonoscope.training.job import Trained
from phonoscope.training.runs import run, schedule

HELD_OUT = 64
LABELS = ("speaker", "sex", "condition", "language")


@dataclass(frozen=True)
class Recipe:
    """What the config may choose.

    Attributes
    ----------
    label : str
        Column of ``tables.UTTERANCES``: speaker, sex, condition or language.
    crop_s : float
        Length of the crops that are learned from, seconds; a shorter recording is taken whole.
    freeze_front_end : bool
        The convolutions keep the weights they have.
    longest_s : float
        Longer recordings are left out of the held-out errors.
    mask_time_prob : float
        Share of the frames that are masked in training, in spans of 10; 0: no masking.
    """

    label: str = "speaker"
    crop_s: float = 2.0
    freeze_front_end: bool = True
    longest_s: float = 30.0
    mask_time_prob: float = 0.0


def train(job):
    """Run the recipe for a :class:`phonoscope.training.job.Job`.

    Returns
    -------
    phonoscope.training.job.Trained
        Its model loads by ``AutoModelForAudioClassification``. Held out: the share of wrong utterances of
        dev, and of test where training has seen every label of it, on whole recordings.

    Raises
    ------
    InputError
        Where training has fewer than two labels, or the base does not load.
    """
    import torch

    if job.threads:
        torch.set_num_threads(job.threads)
    options, plan = job.options, schedule(job.options)
    recipe = Recipe(**{each.name: options[each.name] for each in fields(Recipe) if each.name in options})
    rows, classes = _labelled(job, recipe)
    changes = {
        "id2label": dict(enumerate(classes)),
        "label2id": {name: index for index, name in enumerate(classes)},
        "use_weighted_layer_sum": False,
    }
    model = build("AudioClassification", job, changes, plan.seed, recipe.mask_time_prob)
    if recipe.freeze_front_end:
        model.freeze_feature_encoder()
    sets = {split: _Utterances(model, rows[split], classes, recipe) for split in rows}
    network = _network(model)
    log = run(
        network,
        Drawn(sets["train"].draw, plan.steps * plan.batch, plan.seed),
        plan,
        job.work,
        collate=collate,
        held_out=sets["dev"].sample(HELD_OUT) if "dev" in sets else None,
        threads=job.threads,
    )
    held_out = [_held_out(network, sets, split) for split in sets if split != "train"]
    return Trained(
        finished(model),
        [feature_extractor(model)],
        log,
        held_out,
        {"targets": f"{len(classes)} values of {recipe.label}: {', '.join(classes)}"},
    )


def _labelled(job, recipe):
    """Rows of the splits that can be used, and the sorted labels of the first."""
    if recipe.label not in LABELS:
        raise InputError(f"label {recipe.label!r} is no label", fix=f"use one of {', '.join(LABELS)}")
    rows = {"train": [row for row in job.rows["train"] if row[recipe.label]]}
    classes = sorted({row[recipe.label] for row in rows["train"]})
    if len(classes) < 2:
        raise InputError(
            f"split train has {len(classes)} values of {recipe.label}, which are too few to tell apart",
            path=job.rows["train"][0]["audio"] if job.rows["train"] else None,
            fix=f"give the recordings a column {recipe.label}, or choose another label",
        )
    for split in ("dev", "test"):
        found = [row for row in job.rows.get(split) or [] if row["duration_s"] <= recipe.longest_s]
        if found and {row[recipe.label] for row in found} <= set(classes):
            rows[split] = found
        elif found:
            logging.info("%s: not scored, training has not seen all of its labels", split)
    return rows, classes


class _Utterances:
    """A split: what goes in, and the class."""

    def __init__(self, model, rows, classes, recipe):
        self.rows = rows
        self.classes = [classes.index(row[recipe.label]) for row in rows]
        self.inputs = inputs.Inputs(body(model), rows, recipe.freeze_front_end)
        hop_s = inputs.timebase(model.config).hop_s
        self.crop = max(1, round(recipe.crop_s / hop_s))

    def draw(self, rng):
        index = int(rng.integers(len(self.rows)))
        first = int(rng.integers(max(1, self.inputs.frames[index] - self.crop + 1)))
        return {"inputs": self.inputs.crop(index, first, self.crop), "label": self.classes[index]}

    def sample(self, count):
        """At most ``count`` utterances, from all over the split, each cut to a crop from its middle."""
        chosen = np.linspace(0, len(self.rows) - 1, min(count, len(self.rows))).astype(int)
        return [
            {
                "inputs": self.inputs.crop(
                    int(index), max(0, (self.inputs.frames[index] - self.crop) // 2), self.crop
                ),
                "label": self.classes[index],
            }
            for index in chosen
        ]


def collate(items):
    """Items of crops to a batch."""
    import torch

    batch = inputs.batch([item["inputs"] for item in items])
    return batch | {"targets": torch.tensor([item["label"] for item in items])}


def _network(model):
    """``model`` with its loss, to be called with a batch of :func:`collate`."""
    import torch
    from torch.nn.functional import cross_entropy

    class Classifier(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def logits(self, inputs_, lengths):
            states, frames = inputs.hidden(body(self.model), inputs_, lengths)
            projected = self.model.projector(states)
            mask = torch.arange(projected.shape[1], device=frames.device)[None] < frames[:, None]
            pooled = (projected * mask[..., None]).sum(dim=1) / frames[:, None]
            return self.model.classifier(pooled).float()

        def forward(self, inputs, lengths, targets):
            logits = self.logits(inputs, lengths)
            right = (logits.argmax(-1) == targets).float().mean()
            return {"loss": cross_entropy(logits, targets), "metrics": {"accuracy": right}}

    return Classifier()


def _held_out(network, sets, split):
    """A row of ``Trained.held_out``, on whole recordings."""
    import torch

    given = sets[split]
    network.eval()
    device = next(network.parameters()).device
    with torch.inference_mode():
        guesses = [
            network.logits(*(each.to(device) for each in inputs.batch([given.inputs[i]]).values())).argmax()
            for i in range(len(given.rows))
        ]
    known = np.asarray(given.classes)
    commonest = np.bincount(sets["train"].classes).argmax()
    return {
        "split": split,
        "metric": "utterances wrong",
        "value": float((np.asarray([int(each) for each in guesses]) != known).mean()),
        "chance": float((known != commonest).mean()),
        "control": "always the commonest label of the training split",
        "n": len(known),
    }
