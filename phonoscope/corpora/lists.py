"""Lists that come with a corpus (TSV): words and what is known of them. Standard library only."""

import csv
from pathlib import Path

from phonoscope.errors import InputError


def read(path, columns, what):
    """Rows of a list (TSV) with at least some columns, as dicts of strings.

    Parameters
    ----------
    path : path-like
    columns : sequence of str
        That every row must have; others may stand beside them.
    what : str
        What is listed, for messages: "the concepts".

    Raises
    ------
    InputError
        Where it cannot be read or lacks a column.
    """
    try:
        with Path(path).open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, delimiter="\t")
            rows = list(reader)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{what} cannot be read ({error})", path=path, fix="give a table in UTF-8"
        ) from error
    lacking = [name for name in columns if name not in (reader.fieldnames or ())]
    short = [at for at, row in enumerate(rows, 2) if None in [row.get(name) for name in columns]]
    lacking += [f"row {at}" for at in short]
    if lacking:
        fix = f"give the columns {', '.join(columns)}"
        raise InputError(f"{what} lack {lacking[0]}", path=path, fix=fix)
    return rows
