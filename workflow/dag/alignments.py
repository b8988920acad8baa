"""What the DAG needs to know of the alignment study: that options go together, and which rule has which."""

from phonoscope.errors import InputError
from workflow.dag.configuration import chosen

SENTENCES = ("languages", "splits", "recordings", "seed")


def check(config, source):
    """Refuse what cannot be studied; fill in the models.

    Raises
    ------
    InputError
    """
    study, models = config["alignment"], config["models"]
    for row, names in (
        ("alignment.corpora", study["corpora"]),
        ("calibration.challenge", config["calibration"]["challenge"]),
    ):
        chosen(names, config["corpora"], row, source)
    study["models"] = chosen(study["models"], models, "alignment.models", source)
    for name in config["calibration"]["challenge"]:
        if "path" not in config["corpora"][name]:
            raise InputError(
                f"{name} has no path, so there is no lookalikes.tsv or words.tsv",
                path=source,
                row="calibration.challenge",
                fix="take it out",
            )
    _check_languages(study, source)


def _check_languages(study, source):
    languages, pairs = study["languages"], study["pairs"] or []
    if languages is not None and len(languages) < 2:
        raise InputError(
            "there is no pair of languages", path=source, row="alignment.languages", fix="name two or more"
        )
    for pair in pairs:
        if pair[0] == pair[1]:
            raise InputError(
                f"the pair {pair[0]}, {pair[1]} is one language", path=source, row="alignment.pairs",
                fix="name two languages",
            )  # fmt: skip
        if absent := [name for name in pair if languages is not None and name not in languages]:
            raise InputError(
                f"{absent[0]} is not among the languages",
                path=source,
                row="alignment.pairs",
                fix=f"use languages among {', '.join(languages)}",
            )


def sentences(study):
    """The options of ``alignment_sentences.choose``."""
    return {key: study[key] for key in SENTENCES}


def challenge(study):
    """The options of ``alignment_challenge.choose``, on recordings that are chosen already."""
    return study["challenge"] | {"languages": study["languages"], "splits": None, "seed": study["seed"]}


def retrieval(study):
    """The options that decide a score; memory and devices do not."""
    chosen = {key: study["retrieval"][key] for key in ("measures", "n_random", "dtype")}
    return chosen | {key: study[key] for key in ("pairs", "seed")}


def truth(corpus):
    """File with the words that are known to sound alike."""
    return f"{corpus['path']}/lookalikes.tsv"


def concepts(corpus):
    """File with the concepts of the words."""
    return f"{corpus['path']}/words.tsv"
