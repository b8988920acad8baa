"""Calibration of the articulation study: what has learned must beat what has not, and the spectrum.

The speech is the same, the probe is the same, the speakers are the same: the difference in r between a
trained model and its untrained twin is what training gave, that to MFCC what the spectrum does not give.
"""

import numpy as np

from phonoscope import tables
from phonoscope.studies import calibration
from phonoscope.studies.articulation_summary import over_channels, speaker_cells

CASES = {"E1": "E1: same speaker", "E4": "E4: speaker left out"}


def compare(corpus, model, paths, reference_paths, probe):
    """Rows of the calibration table for one trained model: per layer, experiment and reference.

    Parameters
    ----------
    corpus, model : str
    paths : list of path
        Scores of the model, one file per layer (``tables.SCORES``).
    reference_paths : list of path
        Scores of the references, told apart by the model they name. A reference with the same layer is
        compared layer by layer, one without with its only layer; other layers have no counterpart and give
        no row.
    probe : str

    Returns
    -------
    pyarrow.Table
        Of ``calibration.ROWS``; ``measured`` is the mean over speakers of r minus the reference's r.
    """
    mine = per_speaker(paths, probe)
    rows = []
    for reference, theirs in per_speaker(reference_paths, probe).groupby("model", sort=False):
        only = theirs.layer.unique()
        for (experiment, layer), part in mine.groupby(["experiment", "layer"]):
            at = layer if layer in only else only[0] if len(only) == 1 else None
            other = theirs[(theirs.experiment == experiment) & (theirs.layer == at)]
            pairs = part.merge(other, on="speaker", suffixes=("", "_other"))
            if len(pairs):
                rows.append(
                    _row(pairs, experiment, reference, probe)
                    | {"corpus": corpus, "model": model, "layer": int(layer)}
                )
    return calibration.table(rows)


def per_speaker(paths, probe):
    """r and chance, means over channels, of E1 and E4: model, experiment, layer, speaker, r, chance."""
    cells = speaker_cells(tables.read(paths))
    cells = cells[(cells.probe == probe) & cells.experiment.isin(list(CASES))]
    # Held-out frames leak, so that a model that copies its input would look better than it is.
    splits = set(cells[cells.experiment == "E1"].split)
    cells = cells[(cells.experiment != "E1") | (cells.split == "utterances") | (splits == {"frames"})]
    found = over_channels(cells)
    return found[["model", "experiment", "layer", "speaker", "r", "chance"]]


def _row(pairs, experiment, reference, probe):
    mean, low, high, n = calibration.mean_interval(pairs.r - pairs.r_other)
    chance = calibration.mean_interval(pairs.chance - pairs.chance_other)[0]
    used = pairs[np.isfinite(pairs.r - pairs.r_other)]
    note = f"{probe}; r {used.r.mean():.3f} and {used.r_other.mean():.3f}; n: speakers"
    return {
        "study": "articulation",
        "case": CASES[experiment],
        "reference": reference,
        "measure": "r, less that of the reference",
        "unit": "difference in r",
        "measured": mean,
        "chance": chance,
        "ci_low": low,
        "ci_high": high,
        "n": n,
        "verdict": calibration.against(low, high, reference),
        "note": note,
    }
