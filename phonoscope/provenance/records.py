"""What the workflow system has written down of the files that it made: by which rule, from what, and when.

Snakemake leaves a JSON file for each; it is read as such, without Snakemake.
"""

import json
import os
import re
from base64 import urlsafe_b64encode
from pathlib import Path

METADATA = Path(".snakemake") / "metadata"

# A parameter, as Snakemake writes it, that is a module and the digest of its content.
MODULE = re.compile(r"'(\S+\.py [0-9a-f]+)'")


def record(path, metadata=METADATA):
    """How a file came to be.

    Parameters
    ----------
    path : str
        As rules name it, relative to the folder that snakemake runs in.
    metadata : path-like

    Returns
    -------
    dict or None
        rule, inputs (list of str), code (dict of module to digest of its content), log (list of str),
        started and ended (seconds since 1970). None where nothing is known: a file that no rule makes, or
        results that were copied without ``.snakemake``.
    """
    try:
        found = json.loads(_place(path, Path(metadata)).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return {
        "rule": found.get("rule"),
        "inputs": found.get("input") or [],
        "code": dict(hit[1].split() for each in found.get("params") or [] if (hit := MODULE.fullmatch(each))),
        "log": found.get("log") or [],
        "started": found.get("starttime"),
        "ended": found.get("endtime"),
    }


def _place(path, metadata):
    """Names of more letters than a file system takes are cut, and the pieces are folders."""
    longest = os.pathconf(metadata, "PC_NAME_MAX") - 1
    name = urlsafe_b64encode(str(path).encode()).decode()
    *folders, last = [name[at : at + longest] for at in range(0, len(name), longest)]
    return metadata.joinpath(*(f"@{folder}" for folder in folders), last)
