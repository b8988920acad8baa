"""Early exit over models and corpora: all tables, what was left out, published reductions of errors."""

import pandas as pd

from phonoscope.studies import alignment_published, sheets
from phonoscope.studies.alignment_decoders import LEFT_OUT, left_out
from phonoscope.studies.alignment_exits import PLAIN
from phonoscope.studies.alignment_exits_summary import ALL, COLUMNS, EXAMPLES

# Languages that published rows name, as corpora name them.
NAMED = {"Kyrgyz": "ky"}


def compare(summaries, examples, taken, published, hub_ids, papers):
    """All tables over corpora and models.

    Parameters
    ----------
    summaries, examples : list of path
        Sheets of ``alignment_exits_summary``, one per corpus and model.
    taken : list of (corpus, model, step, path)
        Tables whose provenance says what was left out.
    published : path
        Sheet of published numbers.
    hub_ids, papers : dict
        Hub id of each model that comes from there; corpus to the paper whose corpus it is.

    Returns
    -------
    dict of str to pandas.DataFrame
        early_exit, exit_examples, exit_published, decoder_left_out.
    """
    exits = _joined(summaries, COLUMNS)
    lacking = [row for corpus, model, step, path in taken for row in left_out(corpus, model, step, path)]
    return {
        "early_exit": exits,
        "exit_examples": _joined(examples, EXAMPLES),
        "exit_published": with_published(published, exits, hub_ids, papers),
        "decoder_left_out": pd.DataFrame(lacking, columns=LEFT_OUT.names),
    }


def _joined(paths, columns):
    frames = [sheets.read(path) for path in paths]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)


def with_published(path, exits, hub_ids, papers):
    """Published reductions of errors beside ours: the range over languages.

    Parameters
    ----------
    path : path
    exits : pandas.DataFrame
        The table early_exit.
    hub_ids, papers : dict
        See :func:`compare`.

    Returns
    -------
    pandas.DataFrame
        The published columns, and corpus, our_model, layer (``best``: each language's own below the last),
        measured_low, measured_high (relative reduction of CER by the plain normaliser, above 0 where the
        exit has fewer errors), comparable, verdict.
    """
    sheet = alignment_published.read(path, "early exit")

    def measured(row, corpus, model):
        return _reduction(row["condition"], exits[(exits.corpus == corpus) & (exits.model == model)])

    def unnamed(row):
        return "" if row["condition"].split()[0] in NAMED else "its languages are not named"

    comparable = "yes, if the published reduction is relative"
    found = alignment_published.beside(sheet, hub_ids, papers, measured, unnamed, comparable)
    return pd.DataFrame(found).reindex(columns=[*sheet.columns, *alignment_published.MEASURED])


def _reduction(condition, exits):
    """Reduction of CER against the last layer: in the layer and language that are named, or at the best."""
    rows = exits[(exits.metric == "CER") & (exits.normaliser == PLAIN) & (exits.language != ALL)]
    rows = rows[rows.change.notna()]
    words, layer = condition.split(), "best"
    if words[0] in NAMED:
        rows = rows[rows.language == NAMED[words[0]]]
    if "layer" in words:
        layer = int(words[words.index("layer") + 1])
        rows = rows[rows.layer == layer]
    elif len(rows):
        rows = rows[rows.layer < rows.layer.max()]
    if not len(rows):
        return {}
    gains = -rows.groupby("language").change.min()
    return {"layer": layer, "measured_low": gains.min(), "measured_high": gains.max()}
