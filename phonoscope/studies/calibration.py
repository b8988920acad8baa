"""Calibration: what the instrument says of a case whose answer is known.

One table for all studies. Each case (a module ``calibration_*``) gives the rows of one part; what a row
says of itself in ``verdict`` follows from intervals alone, by the rules of this module.
"""

import numpy as np
import pyarrow as pa

from phonoscope import tables
from phonoscope.probes.inference import LEVEL, resampled
from phonoscope.probes.retrieval import binomial_interval

_TEXT, _F64 = pa.string(), pa.float64()

# truth: what a perfect instrument would say, or the best that can be expected (the methods say which);
# chance: what it says of the control. The interval is that of `measured`, `n` what it stands on.
ROWS = pa.schema(
    [
        *((name, _TEXT) for name in ("study", "case", "corpus", "model", "reference")),
        ("layer", pa.int32()),
        *((name, _TEXT) for name in ("measure", "unit")),
        *((name, _F64) for name in ("measured", "truth", "chance", "ci_low", "ci_high")),
        ("n", pa.int64()),
        *((name, _TEXT) for name in ("verdict", "note")),
    ]
)
_NUMBERS = [name for name in ROWS.names if ROWS.field(name).type == _F64]


def table(rows):
    """Rows (dicts of the columns :data:`ROWS`; what is absent or NaN is null) as a table.

    Raises
    ------
    KeyError
        If a row has a key that is not a column.
    """
    known = [
        row | {name: None for name in _NUMBERS if row.get(name) is not None and not np.isfinite(row[name])}
        for row in rows
    ]
    return tables.from_rows(known, ROWS)


def interval(drawn):
    """Percentile interval of a statistic's bootstrap values; NaN where any of them is.

    Parameters
    ----------
    drawn : array of shape (draws,)

    Returns
    -------
    low, high : float
    """
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def mean_interval(values):
    """Mean of one value per unit, and its interval by Student's t; NaN are left out, none of fewer than two.

    A bootstrap of eight units would miss in one case of eight, not of twenty.

    Returns
    -------
    mean, low, high : float
    n : int
        Units that count.
    """
    from scipy.stats import t

    values = np.asarray(values, dtype=float)
    values = values[np.isfinite(values)]
    n = len(values)
    if n < 2:
        return float(values.mean()) if n else np.nan, np.nan, np.nan, n
    half = t.ppf((1 + LEVEL) / 2, n - 1) * values.std(ddof=1) / np.sqrt(n)
    return float(values.mean()), float(values.mean() - half), float(values.mean() + half), n


def ratio_interval(above, below):
    """Ratio of two means over the same units, and its interval.

    Parameters
    ----------
    above, below : arrays of shape (n_units,)
        Units with a NaN in either are left out.

    Returns
    -------
    ratio, low, high : float
        NaN where a mean of ``below`` is not positive: a share of nothing has no size.
    """
    pairs = np.column_stack([above, below]).astype(float)
    pairs = pairs[np.isfinite(pairs).all(axis=1)]
    if not len(pairs) or pairs[:, 1].mean() <= 0:
        return np.nan, np.nan, np.nan
    ratio = float(pairs[:, 0].mean() / pairs[:, 1].mean())
    sums = resampled(len(pairs)) @ pairs
    if len(pairs) < 2 or sums[:, 1].min() <= 0:
        return ratio, np.nan, np.nan
    return ratio, *interval(sums[:, 0] / sums[:, 1])


def share_interval(hits, sizes):
    """Share of hits over units of several trials each, and its interval.

    Parameters
    ----------
    hits, sizes : arrays of shape (n_units,)

    Returns
    -------
    share, low, high : float
        A bootstrap over units; where all trials hit or all miss, so that every draw is the same, the
        exact (Clopper–Pearson) interval with units as trials.
    """
    share, low, high = ratio_interval(hits, sizes)
    if share in (0, 1):
        low, high = binomial_interval(int(share) * len(hits), len(hits), LEVEL)
    return share, low, high


def side(low, high):
    """Where an interval lies: 1 above 0, -1 below 0, 0 over it, None where there is none."""
    if not (np.isfinite(low) and np.isfinite(high)):
        return None
    return int(low > 0) - int(high < 0)


def against(low, high, reference, less_is_better=False):
    """Verdict on the interval of a difference to ``reference``: better, worse, or not told apart."""
    where = side(low, high)
    if where is None:
        return "no interval: no verdict"
    if where == 0:
        return f"not told apart from {reference}"
    return f"{'better' if (where < 0) == less_is_better else 'worse'} than {reference}"
