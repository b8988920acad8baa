"""What the DAG needs to know of the calibration: which cases there are, and that they can be run."""

from phonoscope.errors import InputError
from workflow.dag import trainings
from workflow.dag.configuration import chosen


def check(config, source):
    """Refuse calibrations that cannot be run; corpora and models of the studies are chosen already.

    Raises
    ------
    InputError
        Where a corpus is not configured or lacks what its case needs, or the aligner is not one model.
    """
    section = config["calibration"]
    aligner = section.get("aligner", {"corpora": []})
    for row, names in (
        ("aligner.corpora", aligner["corpora"]),
        ("articulation", section["articulation"]),
        ("disjoint", section["disjoint"]),
    ):
        chosen(names, config["corpora"], f"calibration.{row}", source)
    studied = config["articulation"]["corpora"]
    if absent := [name for name in section["articulation"] if name not in studied]:
        raise InputError(
            f"{absent[0]} is not studied for articulation",
            path=source,
            row="calibration.articulation",
            fix="add it to articulation.corpora",
        )
    if still := [name for name in section["disjoint"] if not config["corpora"][name]["sensors"]]:
        raise InputError(
            f"{still[0]} has no sensors", path=source, row="calibration.disjoint", fix="give it its sensors"
        )
    if "aligner" in section:
        _check_aligner(aligner, config["training"], source)


def _check_aligner(aligner, training, source):
    if ("path" in aligner) == ("trained" in aligner):
        raise InputError(
            "give the aligner a path or a training", path=source, row="calibration.aligner",
            fix="set one of path and trained",
        )  # fmt: skip
    if "trained" in aligner and aligner["trained"] not in training:
        raise InputError(
            f"there is no training {aligner['trained']}",
            path=source,
            row="calibration.aligner.trained",
            fix=f"use a name among {', '.join(training)}" if training else "add it under training",
        )


def aligner_folder(section):
    """Folder of the aligner."""
    aligner = section["aligner"]
    return aligner["path"] if "path" in aligner else trainings.folder(aligner["trained"])
