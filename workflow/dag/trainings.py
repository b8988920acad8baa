"""What the DAG needs to know of the trainings: that they fit together, and where each starts from."""

from phonoscope.errors import InputError
from workflow.dag.configuration import chosen

# What every training leaves in results/training/{name}/.
LEFT = ("config.json", "model.safetensors", "training.tsv", "training.json", "README.md")
# Options that decide how fast and with how many rows of a log, never a weight.
NEUTRAL = ("save_every", "log_every", "gpu")


def check(config, source):
    """Refuse trainings that cannot be run.

    Raises
    ------
    InputError
        Where a corpus or a start is not configured, trainings wait for each other, or a model is to be
        trained by a training that does not exist.
    """
    trainings = config["training"]
    known = ", ".join([*config["models"], *trainings])
    for name, training in trainings.items():
        row = f"training.{name}"
        if name in config["models"] and config["models"][name].get("trained") != name:
            raise InputError(
                f"{name} is a model and a training", path=source, row=row, fix="give them different names"
            )
        chosen(training["corpora"], config["corpora"], f"{row}.corpora", source)
        base, seen = training.get("base"), {name}
        while base is not None:
            if base not in trainings and base not in config["models"]:
                raise InputError(
                    f"{base} is neither a model nor a training", path=source, row=f"{row}.base",
                    fix=f"use null, or a name among {known}",
                )  # fmt: skip
            if base in seen:
                raise InputError(
                    f"{base} starts from itself", path=source, row=f"{row}.base", fix="break the circle"
                )
            seen.add(base)
            base = trainings[base].get("base") if base in trainings else config["models"][base].get("trained")
    for name, model in config["models"].items():
        if "trained" in model and model["trained"] not in trainings:
            raise InputError(
                f"there is no training {model['trained']}",
                path=source,
                row=f"models.{name}.trained",
                fix=f"use a name among {', '.join(trainings)}" if trainings else "add it under training",
            )


def folder(name):
    """Where a training puts its model."""
    return f"results/training/{name}"


def start(config, name):
    """The file that the training waits for because of its ``base``, or None."""
    base = config["training"][name].get("base")
    if base is None:
        return None
    return f"{folder(base)}/training.json" if base in config["training"] else f"results/models/{base}.json"
