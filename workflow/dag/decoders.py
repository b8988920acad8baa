"""What the DAG needs to know of early exit and word times: which models can do them, and how."""

import json
from pathlib import Path

from phonoscope.errors import InputError
from workflow.dag.configuration import chosen

SECTIONS = ("word_times", "early_exit")


def check(config, source):
    """Refuse models that have no decoder and options that do not go together; fill in models and layers.

    Models of the hub, and folders that are not there yet, are found out when their job runs.

    Raises
    ------
    InputError
    """
    study, models = config["alignment"], config["models"]
    for section in SECTIONS:
        part, row = study[section], f"alignment.{section}.models"
        if part["models"] == "all":
            part["models"] = [
                name for name in study["models"] if not without_decoder(models[name], config["training"])
            ]
        for name in chosen(part["models"], models, row, source):
            if reason := without_decoder(models[name], config["training"]):
                raise InputError(f"{name} {reason}", path=source, row=row, fix="name Whispers only")
    _check_layers(study["early_exit"], models, source)
    _check_splits(study, source)
    _check_calibration(config, source)


def without_decoder(model, training):
    """Why a model cannot write a text, as far as the config can tell; None where it may."""
    if model["encoder"] != "transformers":
        return f"is {model['encoder']}, which has no decoder"
    if model.get("init") == "random":
        return "has random weights, and writes nothing"
    if "trained" in model:
        recipe = training[model["trained"]]["recipe"]
        return None if recipe == "train_whisper" else f"is trained by {recipe}, which has no decoder"
    described = Path(model.get("path", "")) / "config.json"
    if "path" in model and described.is_file():
        try:
            kind = json.loads(described.read_text(encoding="utf-8")).get("model_type")
        except (OSError, ValueError):
            return None  # fetch_model says what is wrong with it
        return None if kind == "whisper" else f"is a {kind}, which has no decoder"
    return None


def _check_layers(exits, models, source):
    for name in exits["models"]:
        depth = models[name].get("depth", 0)
        if exits["layers"] != "all" and (beyond := [n for n in exits["layers"] if n > depth]):
            raise InputError(
                f"layer {beyond[0]} does not exist in {name}, which has a depth of {depth}",
                path=source,
                row="alignment.early_exit.layers",
                fix=f"list layers from 0 to {depth}",
            )


def _check_splits(study, source):
    """Heads may not be chosen on the recordings whose times are then judged."""
    heads = study["word_times"]["heads"]["splits"]
    if heads and not study["splits"]:
        raise InputError(
            "heads would be chosen on recordings that are studied",
            path=source,
            row="alignment.word_times.heads.splits",
            fix="name the splits that are studied in alignment.splits",
        )
    if both := [name for name in heads if name in study["splits"]]:
        raise InputError(
            f"heads would be chosen on the split {both[0]}, which is studied",
            path=source,
            row="alignment.word_times.heads.splits",
            fix="name another split",
        )


def _check_calibration(config, source):
    section, study = config["calibration"]["word_times"], config["alignment"]
    row = "calibration.word_times"
    chosen(section, study["corpora"], row, source, "is not among alignment.corpora")
    if section and not study["word_times"]["models"]:
        raise InputError(
            "no model gives word times", path=source, row=row, fix="name models in alignment.word_times"
        )


def exit_layers(study, models):
    """Layers of each model that is decoded from; the last one, which all are compared with, among them.

    Returns
    -------
    dict of str to list of int
    """
    asked = study["early_exit"]["layers"]
    return {
        name: sorted({*(range(depth + 1) if asked == "all" else asked), depth})
        for name in study["early_exit"]["models"]
        for depth in [models[name].get("depth", 0)]
    }


def early_exit(study):
    """The options of ``alignment_exits.exit_early``; what is decoded with a layer is not for the others."""
    part = study["early_exit"]
    return {key: part[key] for key in part if key not in ("models", "layers")} | {"seed": study["seed"]}


def word_times(study, model):
    """The options of ``alignment_word_times.time_words`` for a model: of heads that are given, its own."""
    part = study["word_times"]
    given = {name: pairs for name, pairs in part["heads"]["given"].items() if name == model}
    return {key: part[key] for key in part if key != "models"} | {"heads": part["heads"] | {"given": given}}
