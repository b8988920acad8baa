"""Archives: where they are kept, and how they are unpacked without harm."""

import bz2
import gzip
import os
import stat
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from phonoscope.errors import InputError

# More than any archive of FLEURS unpacks to; what is beyond is taken for a bomb.
LARGEST_BYTES = 64 * 2**30
MOST_MEMBERS = 500_000
# A description of a member of a tar archive; tarfile reads one of any length into memory.
LARGEST_HEADER = 2**20
TARS = {".tar": open, ".tar.gz": gzip.open, ".tgz": gzip.open, ".tar.bz2": bz2.open}
KINDS = (".zip", *TARS)


def is_archive(name):
    """Whether a file is one that :func:`unpack` unpacks, by its name."""
    return str(name).lower().endswith(KINDS)


def cache():
    """Where archives are kept that do not come from the hub; checkouts share it.

    PHONOSCOPE_CACHE, or ``phonoscope`` in XDG_CACHE_HOME or ``~/.cache``.
    """
    if own := os.environ.get("PHONOSCOPE_CACHE"):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "phonoscope"


def unpack(archive, folder, largest=LARGEST_BYTES, most=MOST_MEMBERS):
    """Unpack the files of an archive; it holds nothing but files and folders, or is refused.

    Parameters
    ----------
    archive : path-like
        zip, tar, tar.gz or tar.bz2.
    folder : path-like
    largest : int
        Bytes that it may unpack to.
    most : int
        Members that it may have.

    Raises
    ------
    InputError
        Where it is damaged or encrypted, or has links, devices, ways out of the folder, or too much in it.
    """
    archive, folder = Path(archive), Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    limits = _Limits(archive, folder.resolve(), largest, most)
    try:
        if archive.name.lower().endswith(".zip"):
            _unpack_zip(archive, limits)
        else:
            _unpack_tar(archive, limits)
    except InputError:
        raise
    # zipfile knows encryption by RuntimeError and unknown compression by NotImplementedError; ValueError is
    # what both modules say of names and numbers that cannot be.
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, ValueError, RuntimeError) as error:
        raise InputError(
            f"the archive cannot be unpacked ({error})",
            path=archive,
            fix="delete it and run snakemake again; or unpack it yourself and set `path`",
        ) from error
    except OSError as error:
        raise InputError(
            f"the archive cannot be unpacked into {folder} ({error})",
            path=archive,
            fix="make room for it; if it is damaged, delete it and run snakemake again",
        ) from error


class _Limits:
    """What has been unpacked so far, and whether one more member may be."""

    def __init__(self, archive, home, largest, most):
        self.archive, self.home, self.largest, self.most = archive, home, largest, most
        self.size = self.members = 0

    def admit(self, name, size, plain):
        path = PurePosixPath(name.replace("\\", "/"))
        inside = (self.home / name).resolve().is_relative_to(self.home)
        if not plain:
            raise self._refused(name, "is neither a file nor a folder")
        if path.is_absolute() or ".." in path.parts or not inside:
            raise self._refused(name, "would land outside the folder")
        self.size += size
        self.members += 1
        if self.size > self.largest:
            raise self._refused(name, f"makes it more than {self.largest / 2**30:g} GiB")
        if self.members > self.most:
            raise self._refused(name, f"is one of more than {self.most}")

    def _refused(self, name, why):
        return InputError(
            f"the member {why}; nothing from it on was unpacked",
            path=self.archive,
            row=name,
            fix="check where the archive comes from; unpack it yourself and set `path`",
        )


def _unpack_zip(archive, limits):
    with zipfile.ZipFile(archive) as content:
        members = content.infolist()
        for member in members:
            # The upper half holds Unix' mode, where the archive was made on one.
            kind = stat.S_IFMT(member.external_attr >> 16)
            limits.admit(member.filename, member.file_size, kind in (0, stat.S_IFREG, stat.S_IFDIR))
        for member in members:
            content.extract(member, limits.home)


def _unpack_tar(archive, limits):
    suffix = next(suffix for suffix in TARS if archive.name.lower().endswith(suffix))
    with (
        TARS[suffix](archive, "rb") as file,
        tarfile.open(fileobj=_Headers(file), mode="r:") as content,
    ):
        for member in content:
            limits.admit(member.name, member.size, member.isfile() or member.isdir())
            content.extract(member, limits.home, filter="data")


class _Headers:
    """A file of which no more than a header is read at once: a bomb may call gigabytes one."""

    def __init__(self, file):
        self.file, self.seek, self.tell, self.close = file, file.seek, file.tell, file.close

    def read(self, size=-1):
        if not 0 <= size <= LARGEST_HEADER:
            raise tarfile.ReadError(f"a header of {size} bytes")
        return self.file.read(size)
