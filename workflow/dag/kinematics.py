"""What the DAG needs to know of the kinematics study: that options go together, and which rule has which."""

from phonoscope.errors import InputError
from workflow.dag.configuration import chosen

# Options of a score: those of the study itself, and those that it shares with the articulation study.
OWN = ("probes", "groups", "maps", "map_seconds")
SHARED = ("alphas", "test_share", "frame_alignment", "shifts_s", "seed")
ITEMS = ("maps", "silence")


def check(config, source):
    """Refuse what cannot be studied; fill in the models.

    Raises
    ------
    InputError
        Where a corpus or model is not configured, or a corpus has no EMA.
    """
    study = config["kinematics"]
    for kind in ("corpora", "models"):
        study[kind] = chosen(study[kind], config[kind], f"kinematics.{kind}", source)
    if still := [name for name in study["corpora"] if not config["corpora"][name]["sensors"]]:
        raise InputError(
            f"{still[0]} has no sensors: there is no articulation to study",
            path=source,
            row="kinematics.corpora",
            fix=f"leave it out, or give corpora.{still[0]} its sensors",
        )


def transfer(study, articulation):
    """The options that decide a score of transfer."""
    return {key: study[key] for key in OWN} | {key: articulation[key] for key in SHARED}


def items(study):
    """The options that decide a score of parallel items."""
    return {key: study[key] for key in ITEMS}
