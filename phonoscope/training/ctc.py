"""Fine-tune a recogniser by CTC, or a phone aligner by frame-wise cross-entropy, on segments or text.

CTC from few minutes of speech stays on a plateau where everything is blank. ``frames_share`` of the steps
therefore learns, from known times, one of the paths that CTC sums over (:func:`targets.path`), before CTC
chooses its own. An aligner learns nothing but that path, where class 0 is silence instead of the blank.
"""

import logging
import math
from dataclasses import dataclass, fields

import numpy as np

from phonoscope.alignment.forced import frames_needed
from phonoscope.errors import InputError
from phonoscope.training import inputs, scores, targets
from phonoscope.training.data import Drawn
from phonoscope.training.heads import body, build, feature_extractor, finished
from phonoscope.training.job import Trained
from phonoscope.training.runs import run, schedule

# Utterances of the held-out loss; batches that are drawn together.
HELD_OUT, GROUPED = 64, 8
SPLITS = ("train", "dev", "test")


@dataclass(frozen=True)
class Recipe:
    """What the config may choose.

    Attributes
    ----------
    units : str or list of str
        text: its characters; or tiers of ``tables.SEGMENTS`` whose labels are the tokens, in order of end.
    loss : str
        ctc, or frames: cross-entropy with the class at every frame.
    frames_share : float
        Share of the steps that learns from known times before CTC does.
    freeze_front_end : bool
        The convolutions keep the weights they have.
    longest_s : float
        Longer recordings are left out, of training and of the held-out errors.
    mask_time_prob : float
        Share of the frames that are masked in training, in spans of 10; 0: no masking.
    """

    units: object = "text"
    loss: str = "ctc"
    frames_share: float = 0.0
    freeze_front_end: bool = True
    longest_s: float = 20.0
    mask_time_prob: float = 0.0


def train(job):
    """Run the recipe for a :class:`phonoscope.training.job.Job`.

    Returns
    -------
    phonoscope.training.job.Trained
        Its model loads by ``AutoModelForCTC``; the extras are a ``Wav2Vec2Processor`` and its
        feature extractor. Held out on dev and test: the token error rate; of ``loss: frames`` the frame
        error and how far aligned starts are from the known ones.

    Raises
    ------
    InputError
        Where times are asked for that are not known, nothing is short enough, or the base does not load.
    """
    import torch
    from transformers import Wav2Vec2Processor

    if job.threads:
        torch.set_num_threads(job.threads)
    recipe, plan = _recipe(job.options), schedule(job.options)
    tiers = () if recipe.units == "text" else tuple(recipe.units)
    rows = {split: _short(job.rows.get(split) or [], recipe.longest_s, split) for split in SPLITS}
    units = targets.units(rows["train"], job.segments, tiers)
    changes = {"vocab_size": len(units.vocabulary), "pad_token_id": 0, "bos_token_id": None}
    changes |= {"eos_token_id": None, "ctc_loss_reduction": "mean", "ctc_zero_infinity": True}
    model = build("CTC", job, changes, plan.seed, recipe.mask_time_prob)
    if recipe.freeze_front_end:
        model.freeze_feature_encoder()
    sets = {split: _Utterances(model, rows[split], job.segments, units, recipe, split) for split in SPLITS}
    network = _network(model, recipe)
    log = run(
        network,
        _Items(sets["train"], recipe, plan),
        plan,
        job.work,
        collate=collate,
        held_out=sets["dev"].sample(HELD_OUT) or None,
        threads=job.threads,
    )
    held_out = [row for split in SPLITS[1:] for row in _held_out(network, sets, split, units, recipe)]
    facts = {"targets": f"{len(units.vocabulary) - 2} {', '.join(tiers) if tiers else 'character'} labels"}
    if left_out := sum(len(job.rows.get(split) or []) - len(sets[split].rows) for split in SPLITS):
        facts["left out"] = f"{left_out} recordings longer than {recipe.longest_s:g} s or with too few frames"
    processor = Wav2Vec2Processor(feature_extractor(model), units.tokenizer())
    return Trained(finished(model), [processor, processor.feature_extractor], log, held_out, facts)


def _recipe(options):
    recipe = Recipe(**{each.name: options[each.name] for each in fields(Recipe) if each.name in options})
    if recipe.loss not in ("ctc", "frames"):
        raise InputError(f"loss {recipe.loss!r} is not known", fix="use ctc or frames")
    if recipe.units == "text" and (recipe.loss == "frames" or recipe.frames_share):
        raise InputError(
            "a text has no times to learn from", fix="set units: [phone], or loss: ctc with frames_share: 0"
        )
    return recipe


def _short(rows, longest_s, split):
    kept = [row for row in rows if row["duration_s"] <= longest_s]
    if len(kept) < len(rows):
        logging.warning("%s: %d of %d recordings are too long", split, len(rows) - len(kept), len(rows))
    if rows and not kept:
        raise InputError(f"every recording of split {split} is too long", fix="raise longest_s")
    return kept


class _Utterances:
    """A split: what goes in, its tokens and, where times are known, the class of every frame."""

    def __init__(self, model, rows, segments, units, recipe, split):
        self.clock = inputs.timebase(model.config)
        tokens = [units.tokens(row, segments.get(row["utterance_id"], [])) for row in rows]
        if split == "train":
            rows, tokens = _that_fit(model, rows, tokens, recipe)
        self.rows, self.tokens = rows, tokens
        self.inputs = inputs.Inputs(body(model), rows, recipe.freeze_front_end)
        self.starts = self.paths = None
        if recipe.loss == "frames" or recipe.frames_share:
            said = [targets.spoken(segments.get(row["utterance_id"], [])) for row in rows]
            self.starts = [[each["start_s"] for each in one] for one in said]
            ends = [[each["end_s"] for each in one] for one in said]
            self.paths = [
                targets.path(*each, self.clock.times(frames))
                for *each, frames in zip(tokens, ends, self.starts, self.inputs.frames, strict=True)
            ]

    def item(self, index, framewise):
        found = {
            "inputs": self.inputs[index],
            "tokens": self.tokens[index],
            "framewise": framewise,
        }
        return found if self.paths is None else found | {"path": self.paths[index]}

    def sample(self, count):
        """Items of at most ``count`` utterances, from all over the split."""
        chosen = np.linspace(0, len(self.rows) - 1, min(count, len(self.rows))).astype(int)
        return [self.item(int(index), framewise=False) for index in chosen]


def _that_fit(model, rows, tokens, recipe):
    """What has enough frames for its tokens, and tokens at all."""
    import torch

    lengths = torch.tensor([round(row["duration_s"] * inputs.RATE_HZ) for row in rows], dtype=torch.long)
    frames = body(model)._get_feat_extract_output_lengths(lengths).tolist()
    blank = 0 if recipe.loss == "ctc" else None
    kept = [k for k, said in enumerate(tokens) if said and frames_needed(said, blank) <= frames[k]]
    if not kept:
        raise InputError("no recording of split train has a frame for each of its tokens")
    if len(kept) < len(rows):
        logging.warning("%d of %d recordings do not fit their tokens", len(rows) - len(kept), len(rows))
    return [rows[k] for k in kept], [tokens[k] for k in kept]


class _Items:
    """Items of a training: random utterances, batches of about the same length to save padding.

    The utterances of ``GROUPED`` batches are drawn at once, sorted by length and cut into batches, which come
    in random order: every utterance is as likely as without that. The first ``frames_share`` of the items
    learn from known times.
    """

    def __init__(self, given, recipe, plan):
        self.given, self.batch = given, plan.batch
        self.count = plan.steps * plan.batch
        self.first = round(recipe.frames_share * plan.steps) * plan.batch
        self.groups = Drawn(self._group, math.ceil(plan.steps / GROUPED), plan.seed)
        self.last = (None, None)

    def _group(self, rng):
        drawn = rng.integers(len(self.given.rows), size=(GROUPED * self.batch))
        lengths = np.asarray(self.given.inputs.frames)[drawn]
        batches = drawn[np.argsort(lengths, kind="stable")].reshape(GROUPED, self.batch)
        return rng.permutation(batches).ravel()

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        if not 0 <= index < self.count:
            raise IndexError(index)
        which, within = divmod(index, GROUPED * self.batch)
        if self.last[0] != which:
            self.last = (which, self.groups[which])
        return self.given.item(int(self.last[1][within]), framewise=index < self.first)


def collate(items):
    """Items of utterances to a batch; see the network for what is in it."""
    import torch
    from torch.nn.utils.rnn import pad_sequence

    tokens = [torch.tensor(item["tokens"], dtype=torch.long) for item in items]
    batch = inputs.batch([item["inputs"] for item in items]) | {
        "tokens": pad_sequence(tokens, batch_first=True),
        "token_lengths": torch.tensor([len(each) for each in tokens]),
        "framewise": torch.tensor([item["framewise"] for item in items]),
    }
    if "path" in items[0]:
        paths = [torch.from_numpy(item["path"]) for item in items]
        batch["path"] = pad_sequence(paths, batch_first=True, padding_value=targets.IGNORED)
    return batch


def _network(model, recipe):
    """``model`` with its losses, to be called with a batch of :func:`collate`."""
    import torch
    from torch.nn.functional import ctc_loss, nll_loss

    class Recogniser(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def log_probs(self, inputs_, lengths):
            states, frames = inputs.hidden(body(self.model), inputs_, lengths)
            logits = self.model.lm_head(self.model.dropout(states))
            return logits.float().log_softmax(-1), frames

        def forward(self, inputs, lengths, tokens, token_lengths, framewise, path=None):
            log_probs, frames = self.log_probs(inputs, lengths)
            losses, metrics = {}, {}
            if path is not None:
                flat, known = log_probs.flatten(0, 1), path.flatten()
                losses["frames"] = nll_loss(flat, known, ignore_index=targets.IGNORED)
                real = known != targets.IGNORED
                metrics["frame_accuracy"] = (flat.argmax(-1) == known)[real].float().mean()
            if recipe.loss == "ctc":
                losses["ctc"] = ctc_loss(
                    log_probs.transpose(0, 1), tokens, frames, token_lengths, zero_infinity=True
                )
            which = "frames" if recipe.loss == "frames" or bool(framewise.all()) else "ctc"
            if len(losses) > 1:
                metrics |= {f"{name}_loss": value.detach() for name, value in losses.items()}
            return {"loss": losses[which], "metrics": metrics}

    return Recogniser()


def emissions(network, given):
    """Log probabilities of every utterance, each of shape (n_frames, n_classes)."""
    import torch

    network.eval()
    device = next(network.parameters()).device
    with torch.inference_mode():
        return [
            network.log_probs(*(each.to(device) for each in inputs.batch([given[i]]).values()))[0][0]
            .cpu()
            .numpy()
            for i in range(len(given))
        ]


def _held_out(network, sets, split, units, recipe):
    """Rows of ``Trained.held_out`` for a split; none where nothing is said in it."""
    given = sets[split]
    if not any(given.tokens):
        return []
    log_probs = emissions(network, given.inputs)
    if recipe.loss == "ctc":
        metric = f"{', '.join(units.tiers)} error rate" if units.tiers else "character error rate"
        guesses = [scores.decoded(each) for each in log_probs]
        return [scores.recognition(split, metric, given.tokens, guesses)]
    commonest = int(np.bincount(np.concatenate(sets["train"].paths)).argmax())
    rows = [
        scores.frames(split, given.paths, [each.argmax(axis=1) for each in log_probs], commonest),
    ]
    if len(units.tiers) == 1:
        durations = [row["duration_s"] for row in given.rows]
        found, left_out = scores.boundaries(
            split, log_probs, given.tokens, given.starts, durations, given.clock
        )
        if left_out:
            logging.warning("%s: %d recordings have fewer frames than tokens", split, left_out)
        rows += found
    return rows
