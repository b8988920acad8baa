"""Corpora of the Hugging Face hub or in an archive on a server: fetched once, unpacked, and named exactly."""

import os
import shutil
from contextlib import contextmanager
from pathlib import Path

from phonoscope.corpora.sheets import folder
from phonoscope.downloads.archives import cache, is_archive, unpack
from phonoscope.downloads.attempts import scrubbed
from phonoscope.downloads.hub import FORBIDDEN, offline, snapshot
from phonoscope.downloads.transfer import digest_of, download
from phonoscope.errors import InputError

FIX = "check the id, the revision and the network; or download it and set `path`"


def fetch(corpus, patience=None):
    """Fetch a corpus into a cache that checkouts share, and unpack it into the corpus' folder.

    Of a data set of the hub, zip archives are unpacked into the folder, tar archives where they lie in the
    data set; other files are linked. What an earlier fetch left in the folder is replaced.

    Parameters
    ----------
    corpus : dict
        With ``name`` and either ``hub``: ``id``, ``revision`` (commit, tag or branch) and, if not all files
        are wanted, ``files`` (patterns); or ``archive``: ``url`` and ``sha256``.
    patience : downloads.attempts.Patience, optional

    Returns
    -------
    dict
        Of the hub: ``id``, ``revision`` as asked, ``commit`` it stood for; of an archive: ``url``. Of both:
        ``folder``, and ``files``: the SHA-256 of each file as it came, by its name.

    Raises
    ------
    InputError
        If it cannot be had, is not what it should be, or an archive is damaged or may do harm.
    """
    target = folder(corpus)
    if "archive" in corpus:
        return _fetch_archive(corpus, target, patience)
    hub = corpus["hub"]
    found = snapshot(
        hub["id"],
        str(hub["revision"]),
        "dataset",
        hub.get("files"),
        fix=FIX,
        row=f"corpora.{corpus['name']}.hub",
        patience=patience,
    )
    with _anew(target) as fresh:
        for name in sorted(found.files):
            place = fresh / name
            if not is_archive(name):
                _place(found.folder / name, place)
            elif name.lower().endswith(".zip"):
                unpack(found.folder / name, fresh)
            else:
                unpack(found.folder / name, place.parent)
    return {
        "id": hub["id"],
        "revision": hub["revision"],
        "commit": found.commit,
        "folder": target.as_posix(),
        "files": found.files,
    }


def _fetch_archive(corpus, target, patience):
    url, digest = corpus["archive"]["url"], corpus["archive"]["sha256"].lower()
    name, row = url.partition("?")[0].rpartition("/")[2], f"corpora.{corpus['name']}.archive"
    path = cache() / "archives" / digest / name
    if path.is_file() and digest_of(path) != digest:
        if offline():
            raise InputError(
                f"the archive is damaged, and {FORBIDDEN}",
                path=path,
                row=row,
                fix="set offline: false, so that it is fetched again",
            )
        path.unlink()
    if not path.is_file() and offline():
        raise InputError(
            f"the archive is not here, and {FORBIDDEN}",
            path=path,
            row=row,
            fix="fetch it on a machine that is online and put it there; or set offline: false",
        )
    what = f"the archive {name} of corpora.{corpus['name']}"
    fix = "check the address, the digest and the network; or unpack it yourself and set `path`"
    download(url, path, what=what, fix=fix, digest=digest, patience=patience)
    with _anew(target) as fresh:
        unpack(path, fresh)
    return {"url": scrubbed(url), "folder": target.as_posix(), "files": {name: digest}}


@contextmanager
def _anew(target):
    """Give an empty folder that takes the place of ``target`` if the block succeeds."""
    fresh = target.with_name(f".{target.name}.partial")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    try:
        yield fresh
        if target.exists():
            shutil.rmtree(target)
        os.replace(fresh, target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _place(source, target):
    """The file at another place without another copy: results may be copied whole, and disks are small."""
    target.parent.mkdir(parents=True, exist_ok=True)
    source = Path(source).resolve()
    try:
        os.link(source, target)
    # Another disk, or a file of another user.
    except OSError:
        target.symlink_to(source)
