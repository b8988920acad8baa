"""The calibration table as a sheet: parts of all studies, one below the other."""

import pandas as pd

from phonoscope import tables
from phonoscope.studies import sheets
from phonoscope.studies.calibration import ROWS


def combine(paths):
    """All parts as one frame.

    Parameters
    ----------
    paths : list of path
        Tables of ``calibration.ROWS``, in the order wanted.

    Returns
    -------
    pandas.DataFrame
        With the columns of ``calibration.ROWS``; ``layer`` is missing where a model is taken as a whole.
    """
    return _typed(tables.read(paths).to_pandas() if paths else pd.DataFrame(columns=ROWS.names))


def read(path):
    """The frame that :func:`combine` made, from its CSV."""
    return _typed(sheets.read(path))


def _typed(frame):
    frame = frame.copy()
    for name in ROWS.names:
        kind = str(ROWS.field(name).type)
        if kind == "string":
            frame[name] = frame[name].astype(object).fillna("").astype(str)
        else:
            numbers = pd.to_numeric(frame[name].replace("", None))
            frame[name] = numbers.astype("float64" if kind == "double" else "Int64")
    return frame[ROWS.names]


def best(table):
    """The layer with the largest difference per case, model and reference of the articulation study."""
    part = table[(table.unit == "difference in r") & table.measured.notna()]
    return part.loc[part.groupby(["case", "model", "reference"], sort=False).measured.idxmax()]
