"""One training run: transformers' Trainer with fixed seeds, resumable to the bit, with a log of losses.

Items are a map-style data set whose item i follows from i and the seed alone (no global random state), so
that a training that was killed goes on with the same batches; dropout's random state is in the checkpoint.
"""

import contextlib
import ctypes
import json
import logging
import math
import shutil
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from phonoscope import tables
from phonoscope.errors import InputError

STATE = "trainer_state.json"
# Of glibc's mallopt; other C libraries have no such function.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3


@dataclass(frozen=True)
class Schedule:
    """How long and how fast is learned.

    Attributes
    ----------
    steps, batch : int
        Updates, and items per update.
    learning_rate, warm_up : float
        Peak, and the share of the steps until it is reached; it then falls linearly to 0.
    weight_decay, clip : float
        Of AdamW (not of biases and norms); largest norm of a gradient.
    log_every, save_every : int
        Steps between rows of the log, between checkpoints. The held-out loss is taken every
        ``held_out_every`` rows.
    precision : str
        float32, or bfloat16 for mixed precision.
    seed : int
    """

    steps: int
    batch: int = 8
    learning_rate: float = 1.5e-3
    warm_up: float = 0.08
    weight_decay: float = 0.01
    clip: float = 1.0
    log_every: int = 50
    save_every: int = 250
    held_out_every: int = 5
    precision: str = "float32"
    seed: int = 0


def schedule(options):
    """The :class:`Schedule` that the options of a training ask for; other options are left alone."""
    return Schedule(**{each.name: options[each.name] for each in fields(Schedule) if each.name in options})


def run(network, items, schedule, folder, collate=None, held_out=None, threads=None):
    """Train ``network`` in place.

    Parameters
    ----------
    network : torch.nn.Module
        ``network(**batch)`` returns a dict with ``loss`` and, if there is more to log, scalars under
        ``metrics`` (a dict).
    items : sequence
        ``steps`` × ``batch`` items, taken in order.
    schedule : Schedule
    folder : path-like
        Gets the checkpoints. A run that was stopped goes on from the last complete one, if it was of the same
        schedule.
    collate : callable, optional
        List of items to a batch (dict of tensors).
    held_out : sequence, optional
        Items whose mean loss is logged as ``held_out_loss``.
    threads : int, optional
        Of the CPU.

    Returns
    -------
    list of dict
        Rows of the log: step, learning_rate, loss, the metrics, held_out_loss, seconds.

    Raises
    ------
    InputError
        Where the loss is not a number.
    """
    import torch

    if threads:
        torch.set_num_threads(threads)
    _keep_memory()
    folder = Path(folder)
    last = _prepare(folder, schedule)
    trainer = _trainer(network, items, schedule, folder, collate, held_out)
    trainer.train(resume_from_checkpoint=str(last) if last else None)
    return rows(trainer.state.log_history)


def _keep_memory():
    """Let the C library keep what is freed: a third of the time on a CPU goes into fresh pages otherwise."""
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        for parameter in (M_TRIM_THRESHOLD, M_MMAP_THRESHOLD):
            library.mallopt(parameter, 2**30)


def _prepare(folder, schedule):
    """The checkpoint to go on from, or None; what is of another schedule or incomplete is deleted."""
    # How often a row is logged or a checkpoint written changes no weight.
    recipe = {key: value for key, value in asdict(schedule).items() if not key.endswith("_every")}
    note = folder / "schedule.json"
    if note.is_file() and json.loads(note.read_text(encoding="utf-8")) != recipe:
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with tables.beside(note) as path:
        path.write_text(json.dumps(recipe), encoding="utf-8")
    complete = {}
    for path in folder.glob("checkpoint-*"):
        # The state is the last file of a checkpoint that is written.
        try:
            complete[json.loads((path / STATE).read_text(encoding="utf-8"))["global_step"]] = path
        except (OSError, ValueError, KeyError):
            shutil.rmtree(path)
    return complete[max(complete)] if complete else None


def _trainer(network, items, schedule, folder, collate, held_out):
    import torch
    from transformers import Trainer

    class Run(Trainer):
        began, first, before, sums, counted = None, 0, 0.0, {}, 0

        def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
            outputs = model(**inputs)
            if not torch.isfinite(outputs["loss"]):
                raise InputError(
                    f"the loss is {outputs['loss'].item()} at step {self.state.global_step}",
                    path=folder,
                    fix="lower learning_rate, or train in float32",
                )
            if model.training:
                if self.began is None:
                    self.began, self.first = time.monotonic(), self.state.global_step
                    self.before = max((row.get("seconds", 0) for row in self.state.log_history), default=0)
                self.counted += 1
                for name, value in outputs.get("metrics", {}).items():
                    self.sums[name] = self.sums.get(name, 0.0) + float(value)
            return (outputs["loss"], outputs) if return_outputs else outputs["loss"]

        def prediction_step(self, model, inputs, prediction_loss_only, ignore_keys=None):
            with torch.no_grad():
                return self.compute_loss(model, self._prepare_inputs(inputs)).detach(), None, None

        def log(self, logs, start_time=None):
            if "loss" in logs:
                logs.update({name: total / max(self.counted, 1) for name, total in self.sums.items()})
                self.sums, self.counted = {}, 0
                logs["seconds"] = round(self.before + time.monotonic() - self.began, 1)
                self._say(logs)
            super().log(logs, start_time)

        def _say(self, logs):
            done, here = self.state.global_step, time.monotonic() - self.began
            rate = (done - self.first) / max(here, 1e-9)
            minutes = (schedule.steps - done) / max(rate, 1e-9) / 60
            logging.info(
                "step %d of %d, loss %.4f, %.2f steps and %.1f items per second, %.0f minutes to go",
                done, schedule.steps, logs["loss"], rate, rate * schedule.batch, minutes,
            )  # fmt: skip

    return Run(
        model=network,
        args=_arguments(schedule, folder, held_out),
        train_dataset=items,
        eval_dataset=held_out,
        data_collator=collate,
    )


def _arguments(schedule, folder, held_out):
    import torch
    from transformers import TrainingArguments

    return TrainingArguments(
        output_dir=str(folder),
        max_steps=schedule.steps,
        per_device_train_batch_size=schedule.batch,
        per_device_eval_batch_size=schedule.batch,
        learning_rate=schedule.learning_rate,
        warmup_steps=math.ceil(schedule.warm_up * schedule.steps),
        lr_scheduler_type="linear",
        weight_decay=schedule.weight_decay,
        adam_beta2=0.98,
        max_grad_norm=schedule.clip,
        bf16=schedule.precision == "bfloat16",
        seed=schedule.seed,
        data_seed=schedule.seed,
        train_sampling_strategy="sequential",
        logging_steps=min(schedule.log_every, schedule.steps),
        logging_nan_inf_filter=False,
        save_steps=schedule.save_every,
        save_total_limit=2,
        eval_strategy="no" if held_out is None else "steps",
        eval_steps=min(schedule.log_every, schedule.steps) * schedule.held_out_every,
        remove_unused_columns=False,
        use_cpu=not torch.cuda.is_available(),
        dataloader_pin_memory=torch.cuda.is_available(),
        report_to="none",
        disable_tqdm=True,
    )


def rows(history):
    """The Trainer's history as a log: one row per logged step, with the held-out loss of that step."""
    apart = ("step", "learning_rate", "epoch", "grad_norm", "seconds")
    held_out = {row["step"]: row["eval_loss"] for row in history if "eval_loss" in row}
    return [
        {"step": row["step"], "learning_rate": row["learning_rate"]}
        | {key: row[key] for key in row if key not in apart}
        | {"held_out_loss": held_out.get(row["step"]), "seconds": row["seconds"]}
        for row in history
        if "loss" in row
    ]
