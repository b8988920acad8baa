"""Corpora of the Hugging Face hub: fetched once, unpacked, and put down to a commit."""

import hashlib
import zipfile

from phonoscope.corpora.sheets import folder
from phonoscope.errors import InputError


def fetch(corpus):
    """Fetch a data set from the hub into the corpus' folder and unpack its zip archives.

    Parameters
    ----------
    corpus : dict
        With ``name`` and ``hub``: ``id``, ``revision`` (commit, tag or branch) and, if not all files
        are wanted, ``files`` (patterns).

    Returns
    -------
    dict
        ``id``, ``revision`` as asked, ``commit`` it stood for, ``folder``, and ``files``: the SHA-256 of
        each file as it came, by its name.

    Raises
    ------
    InputError
        If the hub cannot be reached or has no such data set, or an archive is damaged.
    """
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import HTTPError

    hub, target = corpus["hub"], folder(corpus)
    try:
        commit = HfApi().dataset_info(hub["id"], revision=hub["revision"]).sha
        snapshot_download(
            hub["id"],
            repo_type="dataset",
            revision=commit,
            local_dir=target,
            allow_patterns=hub.get("files"),
        )
    except (HTTPError, OSError, ValueError) as error:
        raise InputError(
            f"the data set {hub['id']} at revision {hub['revision']} cannot be fetched ({error})",
            row=f"corpora.{corpus['name']}.hub",
            fix="check the id, the revision and the network; or download it and set `path`",
        ) from error
    files = [path for path in sorted(target.rglob("*")) if path.is_file() and ".cache" not in path.parts]
    archives = [path for path in files if path.suffix == ".zip"]
    digests = {path.relative_to(target).as_posix(): _sha256(path) for path in archives or files}
    for archive in archives:
        _unpack(archive, target)
    return {
        "id": hub["id"],
        "revision": hub["revision"],
        "commit": commit,
        "folder": target.as_posix(),
        "files": digests,
    }


def _unpack(archive, target):
    try:
        with zipfile.ZipFile(archive) as content:
            # Members that would land outside the folder lose their `..` and leading slashes in extractall.
            content.extractall(target)
    except (zipfile.BadZipFile, OSError) as error:
        raise InputError(
            f"the archive cannot be unpacked ({error})", path=archive, fix="delete it and run snakemake again"
        ) from error


def _sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
