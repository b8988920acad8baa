"""How well tones are told from the hidden states of one layer."""

import pyarrow as pa

from phonoscope import tables
from phonoscope.studies import tone_items, tone_probes, tone_states

PREDICTIONS = pa.schema(
    [("item", pa.int32()), ("fold", pa.int32()), ("tone", pa.string()), ("predicted", pa.string())]
)


def score(items_path, paths, options, model, layer):
    """Fit, test and keep the probes of one layer.

    Parameters
    ----------
    items_path : path
    paths : list of path
        Embeddings of the layer, of all shards.
    options : dict
        ``representation``, ``C``, ``solver``, ``seed``.
    model : str
    layer : int

    Returns
    -------
    scores, predictions : pyarrow.Table
        Of ``tables.SCORES`` (macro-F1 per fold of the probe, of one on shuffled labels and of the commonest
        class; experiment ``layer``) and :data:`PREDICTIONS`.
    probes : dict of str to array
        As ``tone_states.pack`` gives it.
    """
    items, known = tone_items.read(items_path)
    x = tone_states.states(items, paths, options["representation"])
    classes, labels = known["classes"], [items["label"], tone_probes.shuffled(items, options["seed"])]
    tested, control = tone_probes.cross_validate(
        x, labels, items["fold"], len(classes), options["C"], options["solver"]
    )
    rows = []
    for probe, values in (
        ("logistic", tested.scores),
        ("shuffled", control.scores),
        ("majority", tone_probes.majority(items, len(classes))),
    ):
        rows += tone_probes.score_rows(items, probe, values, model, "layer", options["representation"], layer)
    for row, probe in zip(rows, tested.probes, strict=False):
        row["note"] = f"C = {probe.C:g}"
    predictions = [
        {"item": int(item), "fold": int(fold), "tone": tone, "predicted": classes[guess]}
        for item, fold, tone, guess in zip(
            items["item"], items["fold"], items["tone"], tested.predicted, strict=True
        )
    ]
    return (
        tables.from_rows(rows, tables.SCORES),
        tables.from_rows(predictions, PREDICTIONS),
        tone_states.pack(tested.probes),
    )
