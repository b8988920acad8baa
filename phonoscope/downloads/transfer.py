"""One file from an address to a place: gone on with where it was cut, checked, and moved there when whole."""

import fcntl
import hashlib
import logging
import os
import re
import shutil
from contextlib import contextmanager
from pathlib import Path

from phonoscope.downloads.attempts import Fault, Patience, failed, guard_logs, passes, wait, watched
from phonoscope.errors import InputError

# What an attempt must bring beyond all before it for the count of attempts to begin anew, bytes.
PROGRESS = 2**20
# Of files whose size nobody says, bytes.
LARGEST = 256 * 2**30
# Whole files that were not what they should be, before it is said.
MISMATCHES = 2


def download(url, target, *, what, fix, digest=None, size=None, headers=None, lock=None, patience=None):
    """Fetch a file, unless it is there.

    A part of it is kept beside ``target`` until all is there, also when the process is killed: the next call
    goes on with it, if there is a digest to check the whole by. Processes that want the same file wait for
    the one that fetches it. Headers go to no other host that ``url`` is redirected to.

    Parameters
    ----------
    url : str
    target : path-like
    what, fix : str
        For messages: what is fetched, and what else a user could do.
    digest : str, optional
        SHA-256 (64 hexadecimal digits) or git's SHA-1 of a blob (40).
    size : int, optional
        Bytes.
    headers : dict of str to str, optional
    lock : path-like, optional
        Locked while it is fetched; by default a file beside ``target``.
    patience : Patience, optional

    Returns
    -------
    pathlib.Path

    Raises
    ------
    InputError
        Where it cannot be had, is not what it should be, or the disk is too small.
    """
    target, patience = Path(target), patience or Patience()
    if target.is_file():
        return target
    part = target.with_name(f"{target.name}.part")
    guard_logs()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _alone(Path(lock) if lock else target.with_name(f".{target.name}.lock"), what):
            if not target.is_file():
                if digest is None:
                    # What is half there may be half of another version, and nothing would tell.
                    part.unlink(missing_ok=True)
                _fill(url, part, digest, size, headers, patience)
                os.replace(part, target)
    except InputError:
        raise
    except Exception as error:
        raise failed(what, error, path=target, fix=fix) from None
    return target


def digest_of(path, like="sha256"):
    """SHA-256 of a file, or git's SHA-1 where ``like`` is a digest of 40 digits."""
    path = Path(path)
    with open(path, "rb") as file:
        if len(like) != 40:
            return hashlib.file_digest(file, "sha256").hexdigest()
        header = hashlib.sha1(f"blob {path.stat().st_size}\0".encode())
        return hashlib.file_digest(file, lambda: header).hexdigest()


@contextmanager
def _alone(path, what):
    """Hold the lock ``path``; the kernel lets go of it however the process ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            logging.info("waiting for another process that fetches %s", what)
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError as error:
            # Some network disks have no locks. Two processes may then spoil a part, which its digest shows.
            logging.warning("%s cannot be locked (%s)", path, error)
        yield


def _fill(url, part, digest, size, headers, patience):
    """Bring ``part`` to its end, however many attempts that takes while there is progress."""
    import httpx2

    failures = mismatches = best = 0
    # Compressed on the way it would have another length and no place to go on from.
    options = {"headers": {**(headers or {}), "Accept-Encoding": "identity"}, "timeout": patience.timeout()}
    with httpx2.Client(follow_redirects=True, **options) as client:
        while True:
            try:
                _append(client, url, part, size, patience)
                if digest is None or (found := digest_of(part, digest)) == digest:
                    return
                part.unlink()
                mismatches += 1
                raise Fault(f"wrong bytes: the digest is {found}, and should be {digest}")
            except Exception as error:
                failures += 1
                if (here := _length(part)) >= best + PROGRESS:
                    best, failures = here, 1
                if not passes(error) or failures >= patience.attempts or mismatches >= MISMATCHES:
                    raise
                wait(error, failures, patience)


def _append(client, url, part, size, patience):
    """One attempt: what is missing at the end of ``part``."""
    have = _length(part)
    if size is not None and have > size:
        part.unlink()
        have = 0
    if have and have == size:
        return
    with client.stream("GET", url, headers={"Range": f"bytes={have}-"} if have else {}) as response:
        if have and response.status_code == 416:
            part.unlink()
            raise Fault("what is here is no part of what the server has")
        response.raise_for_status()
        start, total = _extent(response)
        if start != have:
            have = 0
        if start not in (0, have):
            part.unlink()
            raise Fault(f"asked for bytes from {have}, the server sends them from {start}")
        if None not in (size, total) and total != size:
            raise Fault(f"wrong length: the server sends {total} bytes, and should {size}")
        expected = size if total is None else total
        _check_room(part, (expected or 0) - have)
        with open(part, "ab" if have else "wb") as file:
            for chunk in watched(response.iter_raw(), patience):
                have += len(chunk)
                if have > (LARGEST if expected is None else expected):
                    raise Fault(f"wrong length: more than {have - len(chunk)} bytes")
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
    if expected is not None and have != expected:
        raise Fault(f"cut after {have} of {expected} bytes")


def _extent(response):
    """First byte and length of the whole, or None where the server does not say, of an answer."""
    found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("content-range", "").strip())
    if response.status_code == 206 and found:
        return int(found[1]), None if found[2] == "*" else int(found[2])
    length = response.headers.get("content-length", "")
    return 0, int(length) if length.isdigit() else None


def _length(path):
    return path.stat().st_size if path.is_file() else 0


def _check_room(part, needed):
    free = shutil.disk_usage(part.parent).free
    if needed > free:
        raise InputError(
            f"{needed / 1e9:.2f} GB are to come, and the disk has room for {free / 1e9:.2f}",
            path=part.parent,
            fix="make room, or set HF_HOME and XDG_CACHE_HOME to folders on a larger disk",
        )
