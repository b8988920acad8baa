"""Models that embed sentences, as sentence-transformers saves them: the vectors of single words."""

import hashlib
import json
from pathlib import Path

import numpy as np

from phonoscope.downloads.hub import snapshot
from phonoscope.downloads.transfer import digest_of
from phonoscope.errors import InputError

_FETCHED = ("*.json", "*.txt", "*.model", "*.safetensors")
_FIX = "give a folder that sentence-transformers has saved, with safe_serialization"
_HUB_FIX = (
    "check the id and revision and that this machine is online; or download the model "
    "elsewhere and give its folder as path: instead of hub:"
)


def vectors(folder, words):
    """Unit vectors of words by a model that embeds sentences.

    Parameters
    ----------
    folder : path-like
        As sentence-transformers saves a model.
    words : list of str

    Returns
    -------
    float32 array of shape (n_words, d)
        Little-endian.

    Raises
    ------
    InputError
        Where there is no such model, or it has weights that are no safetensors or code of its own.
    """
    _check(Path(folder))
    from sentence_transformers import SentenceTransformer

    try:
        model = SentenceTransformer(
            str(folder),
            device="cpu",
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs={"use_safetensors": True},
        )
    # Whatever a file that is not what it should be makes of itself.
    except Exception as error:
        why = " ".join(str(error).split())[:300]
        raise InputError(f"the model of meanings cannot be loaded ({why})", path=folder, fix=_FIX) from error
    found = model.encode(words, normalize_embeddings=True, convert_to_numpy=True, show_progress_bar=False)
    found = np.asarray(found, dtype="<f4")
    bad = np.flatnonzero(~np.isfinite(found).all(axis=1) | ~found.any(axis=1))
    if len(bad):
        raise InputError(
            "the model of meanings gives a vector of zeros or without finite numbers",
            path=folder,
            row=f"word {words[bad[0]]!r}",
            fix="choose another model",
        )
    return found


def fetch(meaning, patience=None):
    """Download a model of meanings, or look at a local one, and describe what is there.

    Parameters
    ----------
    meaning : dict
        ``hub`` with ``revision``, or ``path``.
    patience : downloads.attempts.Patience, optional
        With the hub.

    Returns
    -------
    dict
        hub, revision, commit (of a local folder the digest of its files), folder, files (name to SHA-256).

    Raises
    ------
    InputError
        Where it cannot be had, or is not such a model.
    """
    hub, revision = meaning.get("hub"), meaning.get("revision")
    found = {"hub": hub, "revision": revision}
    if hub:
        row = "alignment.words.meaning.hub"
        got = snapshot(hub, revision, allow=list(_FETCHED), patience=patience, fix=_HUB_FIX, row=row)
        _check(got.folder)
        return found | {"commit": got.commit, "folder": str(got.folder), "files": got.files}
    folder = Path(meaning["path"])
    _check(folder)
    paths = sorted({path for pattern in _FETCHED for path in folder.rglob(pattern)})
    files = {path.relative_to(folder).as_posix(): digest_of(path) for path in paths}
    listing = "".join(f"{name}\0{digest}\n" for name, digest in files.items())
    commit = f"sha256:{hashlib.sha256(listing.encode()).hexdigest()}"
    return found | {"commit": commit, "folder": str(folder), "files": files}


def _check(folder):
    """Refuse what is no model, or would run code or unpickle."""
    try:
        modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
        kinds = [module["type"] for module in modules]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(
            f"no model of sentence-transformers ({error})", path=folder / "modules.json", fix=_FIX
        ) from error
    if foreign := [kind for kind in kinds if not str(kind).startswith("sentence_transformers.")]:
        raise InputError(
            f"the model brings code of its own ({foreign[0]}), which is never run",
            path=folder / "modules.json",
            fix="choose a model of modules that sentence-transformers has",
        )
    pickled = [
        path for path in folder.rglob("pytorch_model*.bin") if not any(path.parent.glob("*.safetensors"))
    ]
    if pickled or not any(folder.rglob("*.safetensors")):
        raise InputError(
            "the model has weights that are no safetensors, the only ones that are loaded",
            path=pickled[0] if pickled else folder,
            fix="pin a revision that has them, or save the model again with safe_serialization",
        )
