"""Calibration of forced alignment: how far the starts of phones are from where they are known to be."""

import numpy as np

from phonoscope import tables
from phonoscope.probes.inference import resampled
from phonoscope.studies import calibration

WITHIN_MS = 20
# A bootstrap over fewer voices has next to nothing to draw from.
FEWEST = 6
CONTROL = "equal parts"

# name, unit, whether less is better, statistic of the errors in ms and how often each counts
MEASURES = (
    ("boundary error, median", "ms", True, lambda errors, times: quantile(errors, times, 0.5)),
    ("boundary error, 90th percentile", "ms", True, lambda errors, times: quantile(errors, times, 0.9)),
    (
        f"boundaries within {WITHIN_MS} ms", "", False,
        lambda errors, times: float(times[errors <= WITHIN_MS].sum() / times.sum()),
    ),
)  # fmt: skip


def rows(corpus, model, boundaries):
    """Rows of the calibration table: the measures of :data:`MEASURES` per language and for all together.

    The interval is a bootstrap over voices (over recordings, where fewer than six are named), each drawn with
    all of its boundaries; the verdict goes by the same draws of the difference to the control.

    Parameters
    ----------
    corpus, model : str
        ``model`` is the aligner's name in the table.
    boundaries : path
        A table of ``calibration_boundaries.BOUNDARIES``.

    Returns
    -------
    pyarrow.Table
        Of ``calibration.ROWS``.
    """
    table = tables.read(boundaries)
    column = {name: np.array(table[name].to_pylist()) for name in table.column_names}
    errors = {
        name: 1000 * np.abs(column[f"{name}_s"] - column["start_s"])
        for name in ("aligned", "uniform", "grid")
    }
    voices = np.array([name or "" for name in column["speaker"]])
    unit = "voices" if len(set(voices) - {""}) >= FEWEST else "recordings"
    units = (
        np.where(voices == "", column["utterance_id"], voices) if unit == "voices" else column["utterance_id"]
    )
    remark = [f"{left_out} recordings left out"] if (left_out := tables.provenance(table)["left_out"]) else []
    languages = sorted({name or "" for name in column["language"]})
    groups = [("all", np.full(len(table), True))] if len(languages) > 1 else []
    groups += [(language or "all", column["language"] == language) for language in languages]
    found = []
    for language, mine in groups:
        unknown = int((~column["has_class"][mine]).sum())
        notes = [*remark, f"{unknown} phones without a class"] if unknown else remark
        made = _rows(language, {name: each[mine] for name, each in errors.items()}, units[mine], unit, notes)
        found += [row | {"corpus": corpus, "model": model} for row in made]
    return calibration.table(found)


def _rows(language, errors, units, of, notes):
    names, unit = np.unique(units, return_inverse=True)
    once = np.ones(len(unit))
    # Sorted once for all draws.
    orders = [np.argsort(errors[name], kind="stable") for name in ("aligned", "uniform")]
    pairs = [
        (errors[name][order], unit[order]) for name, order in zip(("aligned", "uniform"), orders, strict=True)
    ]
    draws = resampled(len(names)) if len(names) > 1 else []
    made = []
    for name, measured_in, less, statistic in MEASURES:
        drawn = np.array([[statistic(e, times[u]) for e, u in pairs] for times in draws])
        bounds = calibration.interval(drawn[:, 0]) if len(drawn) else (np.nan, np.nan)
        gap = calibration.interval(drawn[:, 0] - drawn[:, 1]) if len(drawn) else (np.nan, np.nan)
        value = {kind: statistic(each, once) for kind, each in errors.items()}
        said = [
            f"n: boundaries, of {len(names)} {of}",
            f"at the edges of frames {value['grid']:.3g}",
            *notes,
        ]
        made.append(
            {"study": "alignment", "case": f"aligner: {language}", "reference": CONTROL, "measure": name}
            | {"unit": measured_in, "measured": value["aligned"], "chance": value["uniform"]}
            | {"truth": 0.0 if less else 1.0, "ci_low": bounds[0], "ci_high": bounds[1], "n": len(unit)}
            | {"verdict": calibration.against(*gap, CONTROL, less_is_better=less), "note": "; ".join(said)}
        )
    return made


def quantile(values, times, q):
    """Quantile of ``values`` repeated ``times``, as ``numpy.quantile(np.repeat(values, times), q)``.

    Parameters
    ----------
    values, times : arrays of shape (n,)
        ``times`` whole numbers, at least one of them positive.
    q : float
    """
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(times[order])
    position = q * (reached[-1] - 1)
    below = np.floor(position)
    # The k-th of the repeated values, from 0, is the first whose running count exceeds k.
    at = np.searchsorted(reached, [below, min(below + 1, reached[-1] - 1)], side="right")
    low, high = values[order][at]
    return float(low + (high - low) * (position - below))
