"""From a training of the config and its tables to the model's folder."""

import json
from pathlib import Path

from phonoscope.training import card, data
from phonoscope.training.job import Job

SPLITS = ("train", "dev", "test")


def perform(train, name, options, tables, outputs, how):
    """Train and save.

    Parameters
    ----------
    train : callable
        Of a recipe: :class:`job.Job` to :class:`job.Trained`.
    name : str
    options : str
        The block of the config as JSON.
    tables : dict of str to list of path
        ``utterances``, ``segments``; ``base``: what the training starts from (at most one file).
    outputs : list of path
        All in the model's folder; checkpoints go beside them.
    how : dict
        ``threads``, ``log_every``, ``save_every``, ``gpu``, and ``command``, the line that remakes the model.
    """
    folder = Path(outputs[0]).parent
    options = json.loads(options) | {key: how[key] for key in ("log_every", "save_every")}
    if how.get("gpu"):
        from phonoscope.encoders.lease import lease_gpu

        lease_gpu()
    job = Job(
        name,
        options,
        base_folder(tables.get("base") or []),
        {split: data.utterances(tables["utterances"], [split], needed=split == "train") for split in SPLITS},
        data.segments(tables["segments"], tiers(options)),
        folder / "checkpoints",
        how["threads"],
    )
    card.save(job, train(job), folder, f"{how['command']} {folder}/{card.FACTS}")


def tiers(options):
    """The tiers of segments that a training learns from."""
    if options.get("recipe") == "train_whisper":
        return ("phone",) if options["frames_share"] else ()
    units = options.get("units", "text")
    return () if units == "text" else tuple(units)


def base_folder(files):
    """Where the model lies that a training starts from: a training's folder, or what a manifest says."""
    if not files:
        return None
    path = Path(files[0])
    if path.name == card.FACTS:
        return path.parent
    return Path(json.loads(path.read_text(encoding="utf-8"))["folder"])
