"""Corpora of the Hugging Face hub: fetched once, unpacked, and put down to a commit."""

import hashlib
import tarfile
import zipfile
import zlib

from phonoscope.corpora.sheets import folder
from phonoscope.errors import InputError

# More than any archive of FLEURS unpacks to; what is beyond is taken for a bomb.
LARGEST_BYTES = 64 * 2**30


def fetch(corpus):
    """Fetch a data set from the hub into the corpus' folder and unpack its archives.

    Zip archives are unpacked into the folder, tar archives next to themselves.

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
    return {
        "id": hub["id"],
        "revision": hub["revision"],
        "commit": commit,
        "folder": target.as_posix(),
        "files": _unpack_all(target),
    }


def _unpack_all(target):
    """Unpack the archives in a folder; return the digest of each file as it came, by its name."""
    files = [path for path in sorted(target.rglob("*")) if path.is_file() and ".cache" not in path.parts]
    zips = [path for path in files if path.suffix == ".zip"]
    tars = [path for path in files if path.name.endswith((".tar", ".tar.gz", ".tgz"))]
    # An earlier fetch may have unpacked them already: that is not how the files came.
    unpacked = {path for path in files if any(tar.parent in path.parents for tar in tars)} - {*tars}
    came = [*zips, *tars] if zips else [path for path in files if path not in unpacked]
    digests = {path.relative_to(target).as_posix(): _sha256(path) for path in came}
    for archive in zips:
        _unpack_zip(archive, target)
    for archive in tars:
        _unpack_tar(archive)
    return digests


def _unpack_zip(archive, target):
    try:
        with zipfile.ZipFile(archive) as content:
            # Members that would land outside the folder lose their `..` and leading slashes in extractall.
            content.extractall(target)
    except (zipfile.BadZipFile, OSError) as error:
        raise InputError(
            f"the archive cannot be unpacked ({error})", path=archive, fix="delete it and run snakemake again"
        ) from error


def _unpack_tar(archive, largest=LARGEST_BYTES):
    """Unpack the files of an archive next to it; refuse links, devices, ways out of the folder and bombs."""
    home, size = archive.parent.resolve(), 0
    try:
        with tarfile.open(archive, "r:" if archive.suffix == ".tar" else "r:gz") as content:
            for member in content:
                if not (member.isfile() or member.isdir()):
                    raise _unsafe(archive, member.name, "is neither a file nor a folder")
                if not (home / member.name).resolve().is_relative_to(home):
                    raise _unsafe(archive, member.name, "would land outside the folder")
                size += member.size
                if size > largest:
                    raise _unsafe(archive, member.name, f"makes it more than {largest / 2**30:g} GiB")
                content.extract(member, home, filter="data")
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise InputError(
            f"the archive cannot be unpacked ({error})", path=archive, fix="delete it and run snakemake again"
        ) from error


def _unsafe(archive, member, why):
    return InputError(
        f"the member {why}; nothing from it on was unpacked",
        path=archive,
        row=member,
        fix="check where the archive comes from; unpack it yourself and set `path`",
    )


def _sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
