"""What the DAG needs to know of the tone study: that its options go together, and which models do what."""

from phonoscope.errors import InputError
from workflow.dag.configuration import chosen

# What decides the items; scores of windows and of layers; both are below the items.
ITEMS = (
    "min_score",
    "min_duration_ms",
    "max_items",
    "splits",
    "merge",
    "fold_by",
    "folds",
    "least",
    "rare",
    "seed",
)
PROBE = ("C", "solver", "seed")
RATE_HZ = 16000
UNUSABLE = "is not among the models that can be used here"


def check(config, source):
    """Refuse what cannot be studied; fill in the models of focus and occlusion.

    Raises
    ------
    InputError
    """
    study, models = config["tone"], config["models"]
    wanted = [*study["corpora"], *config["calibration"]["tone"]]
    chosen(study["corpora"], config["corpora"], "tone.corpora", source)
    chosen(config["calibration"]["tone"], config["corpora"], "calibration.tone", source)
    if elsewhere := [name for name in config["calibration"]["tone"] if "path" not in config["corpora"][name]]:
        raise InputError(
            f"{elsewhere[0]} has no path, so there is no truth.json",
            path=source,
            row="calibration.tone",
            fix="take it out",
        )
    for name in wanted:
        if config["corpora"][name].get("align", {"tones": "given"})["tones"] is None:
            raise InputError(
                f"{name} is aligned without a rule that tells its tones",
                path=source,
                row=f"corpora.{name}.align",
                fix="set tones to one of vietnamese, thai, lao, burmese, chao",
            )
    if study["folds"] < 3 and len(study["C"]) > 1:
        raise InputError(
            "two folds leave nothing to choose a penalty on",
            path=source,
            row="tone.C",
            fix="give one C, or more folds",
        )
    study["models"] = chosen(study["models"], models, "tone.models", source, UNUSABLE)
    probed = {name: models[name] for name in study["models"]}
    with_waves = {name: model for name, model in probed.items() if model["encoder"] == "transformers"}
    for part, possible in (("focus", with_waves), ("occlusion", probed)):
        study[part]["models"] = chosen(
            study[part]["models"], possible, f"tone.{part}.models", source, UNUSABLE
        )
    for name, variant in study["variants"].items():
        chosen([name, variant["of"]], models, f"tone.variants.{name}", source)
        if variant["corpora"] != "all" and set(variant["corpora"]) - set(study["corpora"]):
            raise InputError(
                "a corpus is not studied for tones",
                path=source,
                row=f"tone.variants.{name}.corpora",
                fix=f"use names among {', '.join(study['corpora'])}",
            )
    _check_times(study, source)


def _check_times(study, source):
    acoustic, focus = study["acoustic"], study["focus"]
    for window in acoustic["windows_ms"]:
        if abs(window / (2 * acoustic["hop_ms"]) - round(window / (2 * acoustic["hop_ms"]))) > 1e-9:
            raise InputError(
                f"a window of {window:g} ms does not hold as many frames on both sides of its centre",
                path=source,
                row="tone.acoustic.windows_ms",
                fix=f"use multiples of {2 * acoustic['hop_ms']:g} ms, or another hop_ms",
            )
    if acoustic["fmax_hz"] <= acoustic["fmin_hz"]:
        raise InputError(
            "fmax_hz is not above fmin_hz", path=source, row="tone.acoustic", fix="widen the band"
        )
    bins, samples = focus["reach_ms"] / focus["bin_ms"], focus["bin_ms"] * RATE_HZ / 1000
    if abs(bins - round(bins)) > 1e-9 or abs(samples - round(samples)) > 1e-9:
        raise InputError(
            f"{focus['reach_ms']:g} ms cannot be cut into bins of {focus['bin_ms']:g} ms of whole samples",
            path=source,
            row="tone.focus",
            fix="make reach_ms a multiple of bin_ms, and bin_ms one of 1/16 ms",
        )
    half = study["occlusion"]["half_ms"]
    if sorted(half) != half:
        raise InputError("the widths do not rise", path=source, row="tone.occlusion.half_ms", fix="sort them")


def truth(corpus):
    """File that says how long a stretch of a syllable holds its tone, where the corpus has one."""
    return f"{corpus['path']}/truth.json"


def probed(study, model, corpus):
    """Whether a model is probed on a corpus."""
    only = study["variants"].get(model, {}).get("corpora", "all")
    return only == "all" or corpus in only


def focus(study):
    """The options of the focus that decide a profile."""
    return _part(study, "focus")


def occlusion(study):
    """The options of the occlusion that decide a margin."""
    return _part(study, "occlusion")


def _part(study, name):
    chosen = {key: value for key, value in study[name].items() if key != "models"}
    return chosen | {key: study[key] for key in ("representation", "seed")}
