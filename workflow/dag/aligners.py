"""What the DAG needs to know of the aligners: that they can be had, and that corpora name them."""

from phonoscope.errors import InputError
from workflow.dag import trainings

# Which of an aligner's keys decide a time.
DECIDE = ("kind", "hub", "revision", "path")


def check(config, source):
    """Refuse aligners that cannot be had; those that are trained here get the folder as their ``path``.

    Raises
    ------
    InputError
        Where an aligner is not one model, a hub id has no revision, a training does not exist, or a corpus
        names an aligner that is not configured.
    """
    aligners = config.get("aligners", {})
    for name, aligner in aligners.items():
        row = f"aligners.{name}"
        if aligner["kind"] != "mms_fa":
            _check_model(aligner, row, config["training"], source)
        if "trained" in aligner:
            aligner["path"] = trainings.folder(aligner["trained"])
    for name, corpus in config["corpora"].items():
        if "align" in corpus and corpus["align"]["aligner"] not in aligners:
            raise InputError(
                f"there is no aligner {corpus['align']['aligner']}",
                path=source,
                row=f"corpora.{name}.align.aligner",
                fix=f"use a name among {', '.join(aligners)}" if aligners else "add it under aligners",
            )


def _check_model(aligner, row, training, source):
    places = ("hub", "path", "trained") if aligner["kind"] == "ctc" else ("path", "trained")
    if sum(key in aligner for key in places) != 1:
        raise InputError(
            f"give the aligner one of {', '.join(places)}", path=source, row=row,
            fix=f"set one of {', '.join(places)}",
        )  # fmt: skip
    if "hub" in aligner and "revision" not in aligner:
        raise InputError(
            "an aligner of the hub needs a revision", path=source, row=row,
            fix="add revision: main, or a commit; main is resolved to a commit when it is fetched",
        )  # fmt: skip
    if "trained" in aligner and aligner["trained"] not in training:
        raise InputError(
            f"there is no training {aligner['trained']}",
            path=source,
            row=f"{row}.trained",
            fix=f"use a name among {', '.join(training)}" if training else "add it under training",
        )


def deciding(name, aligner):
    """The aligner's block without what decides speed alone, and its name."""
    return {"name": name} | {key: aligner[key] for key in DECIDE if key in aligner}
