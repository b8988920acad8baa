"""What a job asks a cluster for: more for more speech, and more when it failed before."""

import math
import os
from functools import cache
from pathlib import Path

from phonoscope.errors import InputError


def grow(base, per_hour=0, per_gb=0):
    """A resource as a function of a job.

    Parameters
    ----------
    base : int
        Asked for at the first attempt with nothing to read.
    per_hour : float
        Asked for on top per hour of speech in the job's tables of utterances.
    per_gb : float
        Asked for on top per GB (10⁹ bytes) of the job's input files.

    Returns
    -------
    callable
        Of wildcards, input and attempt. Files that are not there yet count nothing: a plan made before
        they are names the least, and Snakemake asks again when the job starts. Twice as much is asked for
        at the second attempt, three times at the third.
    """

    def asked(wildcards, input, attempt):
        there = [path for path in map(str, input) if os.path.isfile(path)] if per_hour or per_gb else []
        speech = sum(_hours(path, os.stat(path).st_mtime_ns) for path in there if per_hour and _lists(path))
        size = sum(map(os.path.getsize, there)) / 1e9
        return math.ceil(attempt * (base + per_hour * speech + per_gb * size))

    return asked


def _lists(path):
    return Path(path).parent.name == "utterances"


@cache
def _hours(path, changed):
    from phonoscope import tables

    try:
        return sum(tables.read(path, columns=["duration_s"])["duration_s"].to_pylist()) / 3600
    except InputError:
        # The job that reads the table says what is wrong with it.
        return 0
