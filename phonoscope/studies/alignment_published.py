"""The alignment study's published values beside those that were measured here."""

import numpy as np
import pandas as pd

MEASURED = ["corpus", "our_model", "layer", "measured_low", "measured_high", "comparable", "verdict"]


def read(path, experiments):
    """Published rows of some experiments.

    Parameters
    ----------
    path : path
        CSV with paper, experiment, model, condition, metric, value_low, value_high, …
    experiments : str
        What the experiment's name begins with.
    """
    sheet = pd.read_csv(path, dtype={"paper": str})
    return sheet[sheet.experiment.str.startswith(experiments)]


def beside(sheet, hub_ids, papers, measured, unnamed, comparable, verdict=None):
    """A row for each published one, corpus and model that is the published one.

    Parameters
    ----------
    sheet : pandas.DataFrame
        Of :func:`read`.
    hub_ids : dict of str to str
        Hub id of each model that comes from there.
    papers : dict of str to str or None
        Corpus to the paper whose corpus it is.
    measured : callable (row, corpus, model) -> dict
        What was measured; empty for nothing.
    unnamed : callable row -> str
        What the paper does not name, so that nothing can be compared with it; empty where all is named.
    comparable : str
        What is said of values that may be compared.
    verdict : callable (row, ours) -> str, optional
        Whether the ranges overlap by default.

    Returns
    -------
    list of dict
        The published columns, corpus, our_model, what ``measured`` gives, comparable, verdict.
    """
    found = []
    for row in sheet.to_dict("records"):
        for corpus, paper in papers.items():
            models = [name for name, hub in hub_ids.items() if hub == row["model"]]
            for model in models or [None]:
                ours = measured(row, corpus, model) if model else {}
                reasons = [] if paper and row["paper"].startswith(paper) else ["other corpus"]
                reasons += [unnamed(row)] if unnamed(row) else []
                if not ours:
                    reasons.append("not measured here" if model else "model not run here")
                judged = {"comparable": f"no: {', '.join(reasons)}", "verdict": ""}
                if not reasons:
                    judged = {"comparable": comparable, "verdict": (verdict or _overlap)(row, ours)}
                found.append(row | {"corpus": corpus, "our_model": model} | ours | judged)
    return found


def _overlap(row, ours):
    high = row["value_high"]
    low = row["value_low"] if np.isfinite(row["value_low"]) else high
    overlap = ours["measured_low"] <= high and low <= ours["measured_high"]
    return f"ranges {'overlap' if overlap else 'do not overlap'}"
