"""A model's files held to their manifest: what is loaded is what results say that they were made with."""

import hashlib
import json
from contextlib import contextmanager
from pathlib import Path

from phonoscope import tables
from phonoscope.errors import InputError


@contextmanager
def held(path):
    """Read a manifest, and have its files be what it says for as long as the block runs.

    The digests of all files are compared before the block: a flipped bit in weights is still a model. They
    are compared again after it for files that were touched meanwhile, because weights are read where they
    lie: what overwrites them changes a model that is loaded.

    Parameters
    ----------
    path : path-like
        What ``fetch_model``, ``fetch_aligner`` or ``fetch_meaning`` wrote.

    Yields
    ------
    dict
        The manifest: ``folder``, ``files`` (name to SHA-256), ``commit`` and more.

    Raises
    ------
    InputError
        Where the manifest cannot be read; where a file is missing or another one.
    """
    path = Path(path)
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        # Baselines are computed: they have neither folder nor files.
        folder = Path(manifest["folder"] or ".")
        files = {folder / name: digest for name, digest in manifest["files"].items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise InputError(f"not a readable manifest ({error})", path=path, fix=tables.again(path)) from error
    before = {}
    for file, digest in files.items():
        before[file] = _stamp(file)
        _compare(file, digest, path, "was damaged or replaced")
    yield manifest
    for file, digest in files.items():
        if _stamp(file) != before[file]:
            _compare(file, digest, path, "was changed while it was in use")


def _compare(file, digest, path, what):
    try:
        with open(file, "rb") as stream:
            same = hashlib.file_digest(stream, "sha256").hexdigest() == digest
    except OSError as error:
        same, what = False, f"cannot be read ({error.strerror})"
    if not same:
        raise InputError(
            f"{what}: it is not the file that {path} describes",
            path=file,
            fix=f"put it back; or, to use the model as it now is or fetch it again, {tables.again(path)}",
        )


def _stamp(file):
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
