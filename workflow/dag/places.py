"""What the folder of results has to be like before work is planned on it."""

import os
import time
from pathlib import Path

from phonoscope.errors import InputError

# Clocks of a cluster's machines differ by seconds; what lies further ahead was dated by a clock that jumped.
AHEAD_S = 300
# Unpacked corpora keep the times of their archives, which decide nothing.
UNPACKED = "source"


def check_records(folder="."):
    """Raise where Snakemake cannot keep its records, which it does even for a dry run.

    Raises
    ------
    InputError
        Naming the folder.
    """
    records = Path(folder) / ".snakemake"
    place = records if records.is_dir() else Path(folder)
    if not os.access(place, os.W_OK):
        raise InputError(
            "cannot be written to, and Snakemake keeps its records there", path=place.resolve(),
            fix="make it writable; or run in a copy of the project, where nothing is made again",
        )  # fmt: skip


def check_writable(results="results"):
    """Raise where results are due and cannot be written.

    Raises
    ------
    InputError
        Naming the folder.
    """
    if os.path.isdir(results) and not os.access(results, os.W_OK):
        raise InputError(
            "cannot be written to, and there is something to be made", path=Path(results).resolve(),
            fix="make it writable; or run in a copy of the project, where what is complete is not made again",
        )  # fmt: skip


def check_times(results="results", now=None):
    """Raise where results have times to come: whatever changes until then would look older than they are.

    Parameters
    ----------
    results : path-like
    now : float, optional
        Seconds since 1970.

    Raises
    ------
    InputError
        Naming one of the files, and the command that has them compared by content instead.
    """
    latest = (time.time() if now is None else now) + AHEAD_S
    found, first = 0, None
    for folder, names, files in os.walk(results):
        names[:] = [name for name in names if name != UNPACKED]
        for name in files:
            path = os.path.join(folder, name)
            try:
                ahead = os.lstat(path).st_mtime > latest
            except OSError:
                continue
            found, first = found + ahead, path if ahead and first is None else first
    if found:
        raise InputError(
            f"{found} of the results are dated in the future: the clock has jumped", path=first,
            fix=f"set the clock, and run: find {results}/ -newermt now -exec touch -d 1970-01-02 {{}} + "
            "(what is older than its input is compared with it by content, and not made again if it fits)",
        )  # fmt: skip
