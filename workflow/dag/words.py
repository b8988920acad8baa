"""What the DAG needs to know of pairs of words: that options go together, and which rule has which."""

from pathlib import Path

from phonoscope.errors import InputError
from workflow.dag.configuration import chosen

SEGMENTS, CONCEPTS = "segments", "concepts"


def check(config, source):
    """Refuse what cannot be studied; fill in the models. The models of word times are filled in already.

    Raises
    ------
    InputError
    """
    study = config["alignment"]
    words, row = study["words"], "alignment.words"
    if words["models"] == "all":
        words["models"] = list(study["models"])
    chosen(words["models"], study["models"], f"{row}.models", source, "is not among alignment.models")
    if not words["models"]:
        return
    timed = study["word_times"]["models"]
    if words["times"] != SEGMENTS and words["times"] not in timed:
        raise InputError(
            f"{words['times']} does not tell when words are said",
            path=source,
            row=f"{row}.times",
            fix=f"use one of {', '.join([SEGMENTS, *timed])}, or add it to alignment.word_times.models",
        )
    meaning = words["meaning"]
    places = [key for key in ("path", "hub") if meaning[key] is not None]
    allowed = ["path"] if meaning["by"] == CONCEPTS else ["path", "hub"]
    if len(places) != 1 or places[0] not in allowed:
        raise InputError(
            f"the meanings by {meaning['by']} need {' or '.join(allowed)}",
            path=source,
            row=f"{row}.meaning",
            fix=f"set {' or '.join(allowed)}, and nothing else",
        )
    if meaning["hub"] is not None and meaning["revision"] is None:
        raise InputError(
            "a model of the hub needs a revision",
            path=source,
            row=f"{row}.meaning",
            fix="add revision: main, or a commit; main is resolved to a commit when the model is fetched",
        )


def choice(study):
    """The options of ``alignment_words.choose``."""
    return {key: study["challenge"][key] for key in ("pronunciation", "voices")} | {"pairs": study["pairs"]}


def pairing(study):
    """The options of ``alignment_words_pairs.score``."""
    found = {key: study["words"][key] for key in ("unit", "meaning_threshold", "draws")}
    return (
        found
        | {key: study["challenge"][key] for key in ("threshold", "least_phones")}
        | {"seed": study["seed"]}
    )


def model(study):
    """Which model of meanings is to be fetched."""
    return {key: study["words"]["meaning"][key] for key in ("hub", "revision", "path")}


def by_model(study):
    """Whether a model says what words mean, and not a list of concepts."""
    return study["words"]["meaning"]["by"] != CONCEPTS


def local_files(study):
    """The files of a model of meanings that is on this machine."""
    folder = Path(study["words"]["meaning"]["path"] or "")
    if not by_model(study) or not folder.name:
        return []
    return sorted(str(path) for kind in ("json", "txt", "safetensors") for path in folder.rglob(f"*.{kind}"))
