"""Where a model's files are and exactly which they are: the manifest of results/models/{model}.json."""

import hashlib
import json
from pathlib import Path

from phonoscope.downloads.hub import snapshot
from phonoscope.downloads.transfer import digest_of
from phonoscope.encoders.architecture import BASELINES, check_depth, depth_of, display_name, read_config
from phonoscope.errors import InputError

WEIGHTS = "*.safetensors"
SETTINGS = ("*.json", "*.txt")
# Copies of the same weights in another precision, and adapters of single languages, are left there.
NOT_NEEDED = ("*.fp16*", "*.fp32*", "adapter*")
FIX = (
    "check the id and revision and that this machine is online; or download the model "
    "elsewhere and give its folder as path: instead of hub:"
)


def fetch(model, patience=None):
    """Download a model from the hub, or look at a local folder, and describe what is there.

    Only safetensors, JSON and text files are fetched; for ``init: random`` no weights.

    Parameters
    ----------
    model : dict
        ``encoder``, ``hub`` with ``revision``, or ``path``; ``depth``, ``init``. With ``path``, a
        ``revision`` is the commit that is due.
    patience : downloads.attempts.Patience, optional
        With the hub.

    Returns
    -------
    dict
        encoder, hub, revision, commit (what a branch such as ``main`` stood for; for a local
        folder ``sha256:`` and a digest over its files), folder, files (name to SHA-256),
        model_type, depth. Nothing in it changes unless the files do.

    Raises
    ------
    InputError
        Where the hub cannot be reached, the id or folder is wrong or not at its revision, there are no
        safetensors or not all of them, or the depth given is not the model's.
    """
    kind = model.get("encoder", "transformers")
    manifest = {"encoder": kind, "hub": model.get("hub"), "revision": None, "commit": None}
    if kind in BASELINES:
        check_depth(model, 0)
        return {**manifest, "folder": None, "files": {}, "model_type": kind, "depth": 0}
    trained = model.get("init", "pretrained") != "random"
    if model.get("hub"):
        manifest["revision"] = str(model.get("revision") or "main")
        patterns = [*SETTINGS, WEIGHTS] if trained else list(SETTINGS)
        how = {"allow": patterns, "ignore": list(NOT_NEEDED), "patience": patience}
        found = snapshot(model["hub"], manifest["revision"], **how, fix=FIX, row="hub")
        folder, manifest["commit"], known = found.folder, found.commit, found.files
    else:
        folder, known = _local(model), {}
    config = read_config(folder, display_name(model))
    if trained:
        _check_weights(model, folder)
    check_depth(model, depth_of(config))
    patterns = (WEIGHTS, *SETTINGS) if trained else SETTINGS
    files = {path.name: known.get(path.name) or digest_of(path) for path in _matching(folder, patterns)}
    if manifest["commit"] is None:
        manifest |= _pinned(model, folder, files)
    return {
        **manifest,
        "folder": str(folder),
        "files": files,
        "model_type": config.model_type,
        "depth": depth_of(config),
    }


def _matching(folder, patterns):
    """Files of ``folder`` that are fetched for it, whatever else an older download left there."""
    found = {path for pattern in patterns for path in folder.glob(pattern)}
    return sorted(path for path in found if not any(path.match(pattern) for pattern in NOT_NEEDED))


def _local(model):
    if not model.get("path"):
        raise InputError(
            f"model {display_name(model)} has neither hub nor path",
            fix="give hub: owner/name or path: folder",
        )
    folder = Path(model["path"])
    if not folder.is_dir():
        raise InputError(
            f"model {display_name(model)} has no such folder", path=folder, fix="correct path: in the config"
        )
    return folder


def _pinned(model, folder, files):
    """What stands for the commit of a local folder: the revision that is asked for, if one is."""
    listing = "".join(f"{name}\0{files[name]}\n" for name in sorted(files))
    commit, revision = f"sha256:{hashlib.sha256(listing.encode()).hexdigest()}", model.get("revision")
    if revision not in (None, commit):
        raise InputError(
            f"model {display_name(model)} is at {commit}, not at its revision", path=folder, row="revision",
            fix="put its files back; or, if they are meant to be others, change revision",
        )  # fmt: skip
    return {"commit": commit, "revision": revision}


def _check_weights(model, folder):
    """Refuse a checkpoint without safetensors, or without all of them."""
    if not any(folder.glob(WEIGHTS)):
        raise InputError(
            f"model {display_name(model)} has no safetensors, the only weights that are loaded",
            path=model.get("hub") or folder,
            fix="pin a revision that has them (the hub's own conversions are under refs/pr/...), or save "
            "the model again with transformers' save_pretrained and give its folder as path:",
        )
    for index in folder.glob("*.safetensors.index.json"):
        named = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
        if absent := sorted(name for name in named if not (folder / name).is_file()):
            raise InputError(
                f"model {display_name(model)} lacks {', '.join(absent[:5])}",
                path=index,
                fix="fetch the model again, or copy all of its files",
            )
