"""What the DAG needs to know of physics against phones, and of articulation as a measure of models."""

from phonoscope.errors import InputError
from workflow.dag.configuration import chosen

# Options that are shared with the articulation study.
PARTITION = ("alphas", "frame_alignment", "shifts_s", "seed")
PROBE = ("frame_alignment", "seed")


def check(config, source):
    """Refuse what cannot be studied; the models of kinematics and articulation are chosen already.

    Raises
    ------
    InputError
        Where a corpus is not configured, has no EMA, or is not studied for articulation though its scores
        are to be compared.
    """
    study, corpora = config["kinematics"], config["corpora"]
    for part in ("partition", "measure"):
        row = f"kinematics.{part}.corpora"
        study[part]["corpora"] = chosen(study[part]["corpora"], corpora, row, source)
        if still := [name for name in study[part]["corpora"] if not corpora[name]["sensors"]]:
            raise InputError(
                f"{still[0]} has no sensors: there is no articulation to study",
                path=source,
                row=row,
                fix=f"leave it out, or give corpora.{still[0]} its sensors",
            )
    compared = study["measure"]["corpora"]
    if absent := [name for name in compared if name not in config["articulation"]["corpora"]]:
        raise InputError(
            f"{absent[0]} is not studied for articulation",
            path=source,
            row="kinematics.measure.corpora",
            fix="add it to articulation.corpora",
        )
    if compared and not measured(study, config["articulation"]):
        raise InputError(
            "no model is in both kinematics.models and articulation.models",
            path=source,
            row="kinematics.measure",
            fix="let them have a model in common",
        )


def measured(study, articulation):
    """Models that have an articulatory score and are to be compared, in their order."""
    return [name for name in study["models"] if name in articulation["models"]]


def partition(study, articulation):
    """The options that decide a partition."""
    own = {key: study["partition"][key] for key in ("leave_out", "phone_alphas")}
    return own | {"silence": study["silence"]} | {key: articulation[key] for key in PARTITION}


def phone_probe(study, articulation):
    """The options that decide a score of the phone probe."""
    own = {key: study["measure"][key] for key in ("frames_per_class", "folds", "penalty")}
    return own | {"silence": study["silence"]} | {key: articulation[key] for key in PROBE}


def probe(study, articulation):
    """The probe whose r is compared: the first of kinematics.probes that articulation has too."""
    there = articulation["probes"]
    return next((name for name in study["probes"] if name in there), there[0])
