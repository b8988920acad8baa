"""The log of a training as a TSV: one row per logged step."""

import csv
from pathlib import Path

from phonoscope import tables


def write(log, path):
    """Write rows of :func:`runs.run` as a TSV; losses with four decimals."""

    def text(value):
        return "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)

    with tables.beside(path) as partial, Path(partial).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(log[0])
        writer.writerows([text(value) for value in row.values()] for row in log)


def read(path):
    """Rows of a log as dicts of floats; None where a cell is empty."""
    with Path(path).open(newline="", encoding="utf-8") as file:
        return [
            {key: float(value) if value else None for key, value in row.items()}
            for row in csv.DictReader(file, delimiter="\t")
        ]
