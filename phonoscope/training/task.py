"""From a training of the config and its tables to the model's folder."""

import hashlib
import json
import os
import shutil
from pathlib import Path

from phonoscope import tables
from phonoscope.encoders.lease import device
from phonoscope.encoders.manifest import held
from phonoscope.training import card, data
from phonoscope.training.job import Job


def perform(train, name, options, given, outputs, how):
    """Train and save. The checkpoints, from which a training that is stopped goes on, are deleted at the end.

    Parameters
    ----------
    train : callable
        Of a recipe: :class:`job.Job` to :class:`job.Trained`.
    name : str
    options : str
        The block of the config as JSON.
    given : dict of str to list of path
        Tables ``utterances`` and ``segments``; ``base``: what the training starts from (at most one file).
    outputs : list of path
        All in the model's folder; checkpoints go beside them.
    how : dict
        ``threads``, ``log_every``, ``save_every``, ``gpu``, ``gpu_needed``, and ``config``, the files of the
        config.
    """
    # Before torch is loaded: the Trainer takes every GPU that it sees.
    if device(how["gpu"], how["gpu_needed"], f"training.{name}.gpu") == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    folder, options = Path(outputs[0]).parent, json.loads(options)
    by = "utterance_id" if options.get("label") == "speaker" else "speaker"
    job = Job(
        name,
        options | {key: how[key] for key in ("log_every", "save_every")},
        base_folder(given.get("base") or []),
        data.utterances(given["utterances"], by),
        data.segments(given["segments"], tiers(options)),
        folder / "checkpoints",
        how["threads"],
    )
    keep_only(job.work, fingerprint(job, options))
    command = f"snakemake --cores all --configfile {how['config']} -- {folder}/{card.FACTS}"
    card.save(job, train(job), folder, command)
    shutil.rmtree(job.work)


def fingerprint(job, options):
    """What a checkpoint must have been made of to be gone on from: options, recordings, segments, base."""
    rows = [[split, row["utterance_id"], row["audio_sha256"], row["text"]] for split in job.rows
            for row in job.rows[split]]  # fmt: skip
    weights = sorted(job.base.glob("*.safetensors")) if job.base else []
    said = [options, rows, job.segments, [hashlib.sha256(path.read_bytes()).hexdigest() for path in weights]]
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()


def keep_only(work, mark):
    """Delete checkpoints of another training of that name."""
    note = Path(work) / "made_of.txt"
    if not note.is_file() or note.read_text(encoding="utf-8") != mark:
        shutil.rmtree(work, ignore_errors=True)
    with tables.beside(note) as path:
        Path(path).write_text(mark, encoding="utf-8")


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
    with held(path) as manifest:
        return Path(manifest["folder"])
