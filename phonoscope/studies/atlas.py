"""The studies side by side: what each says of every model, layer by layer, in one long table.

Each study's numbers are those of its own tables, row by row; only the relative depth, the best layers and the
specificities (``atlas_specificity``) are made here.
"""

import os

import numpy as np
import pandas as pd

from phonoscope.studies import atlas_specificity as specificity
from phonoscope.studies import sheets

COLUMNS = [
    *["model", "kind", "study", "corpus", "measure", "probe", "layer", "relative_depth", "value", "low"],
    *["high", "chance", "best", "note", "source"],
]
SPECIFICITY = "specificity"

# Whose highest value decides the best layer: the first of these that was measured.
MAIN = {
    "articulation": ["r_same_speaker", "r_new_speaker"],
    "kinematics": ["r_same_language", "r_same_native", "r_other_speaker"],
    "tone": ["macro_f1"],
    "alignment": ["R@1_full"],
}
# Who speaks two languages has one native language in both: where recordings were grouped by the language
# that is spoken, these groups tell languages apart, else native languages do.
_SPOKEN, _NATIVE, _ANY = ("groups", "language"), ("speakers", "native_language"), ("speakers", "speaker")
_RELATIONS = {
    _SPOKEN: [("same", "r_same_language"), ("other", "r_other_language")],
    _NATIVE: [("same", "r_same_native"), ("other", "r_other_native")],
    _ANY: [("other", "r_other_speaker")],
}
_EXPERIMENTS = {"E1": "r_same_speaker", "E4": "r_new_speaker"}


def collect(models, tables, root, probes=()):
    """One table of all that the studies measured, from their tables over models.

    Parameters
    ----------
    models : dict of str to dict
        Per model of the config: ``role`` (see ``roles.roles``) and ``depth`` (transformer blocks; 0 for a
        baseline), in the order in which they are to stand.
    tables : dict of str to dict
        ``articulation``: corpus to the paths of its ``layers`` and ``E5_speakers``. ``kinematics``, ``tone``,
        ``alignment``: path of each table by its name. A study that was not run is left out.
    root : path
        Folder of the page: ``source`` is relative to it.
    probes : list of str, optional
        Probes of articulation in order of preference; by default as in its table. The first that articulation
        and transfer both have is taken for both; without such a one, the first of each.

    Returns
    -------
    pandas.DataFrame
        Of :data:`COLUMNS`: per model, study, corpus and measure a row for each layer. ``probe`` is empty
        where a study has only one. ``relative_depth`` is layer / depth, and nothing for a baseline. ``low``
        and ``high`` end the 95 % interval. ``best`` is ``yes`` at the layer where the study's main measure is
        highest, or which the study itself chose. ``specificity`` has one row per model, study and corpus; one
        without a value says why in ``note``.
    """
    readers = {"tone": _tone, "alignment": _alignment}
    preferred = _preferred(tables, probes)
    parts = []
    for study in MAIN:
        if study == "articulation":
            corpora = tables.get(study, {})
            found = [_articulation(corpus, **corpora[corpus], probes=preferred) for corpus in corpora]
        elif study == "kinematics" and study in tables:
            found = [_kinematics(**tables[study], probes=preferred)]
        else:
            found = [readers[study](**tables[study])] if study in tables else []
        parts += [part.assign(study=study) for part in found]
    if not parts:
        return pd.DataFrame(columns=COLUMNS)
    table = pd.concat(parts, ignore_index=True)
    known = table[table.model.isin(models)]
    return _finished(known, models, root)


def _preferred(tables, probes):
    """Probes in order of preference: those first that articulation and transfer both have."""
    paths = [of["layers"] for of in tables.get("articulation", {}).values()]
    if "kinematics" in tables:
        paths.append(tables["kinematics"]["transfer"])
    # A table without rows has no say.
    known = [found for found in (list(dict.fromkeys(sheets.read(path).probe)) for path in paths) if found]
    order = dict.fromkeys([*probes, *(name for found in known for name in found)])
    return sorted(order, key=lambda name: not all(name in found for found in known))


def _chosen(frame, probes):
    """The first of ``probes`` that a table has."""
    has = set(frame.probe)
    return next((name for name in probes if name in has), "")


def _finished(table, models, root):
    """Columns that every study has alike, and the order of rows."""
    depth = table.model.map({name: model["depth"] for name, model in models.items()})
    layer = pd.to_numeric(table.layer)
    table = table.assign(
        kind=table.model.map({name: model["role"] for name, model in models.items()}),
        layer=layer,
        relative_depth=(layer / depth).where(depth > 0),
        source=[os.path.relpath(path, root) for path in table.source],
        note=table.note.fillna(""),
        probe=table.probe.fillna("") if "probe" in table else "",
    )
    # Corpora and measures stay in the order in which the studies list them, that of the config.
    keys = [table.model.map({name: place for place, name in enumerate(models)})]
    keys += [_seen(table[name]) for name in ("study", "corpus", "measure")]
    keys = pd.concat([*keys, layer], axis=1, keys=range(5)).sort_values(list(range(5)), kind="stable")
    table = table.loc[keys.index].reset_index(drop=True)
    table["best"] = np.where(table.index.isin(_best(table)), "yes", "")
    return table.reindex(columns=COLUMNS)


def _seen(column):
    return pd.Series(pd.factorize(column)[0], column.index)


def _best(table):
    """Rows of the layer that the study chose, or else where the main measure is highest (first of equals)."""
    for (_, study, _), part in table.groupby(["model", "study", "corpus"], sort=False):
        for measure in MAIN[study]:
            rows = part[(part.measure == measure) & part.value.notna()]
            if "chosen" in rows and rows.chosen.notna().any():
                rows = rows[rows.layer == rows.chosen]
            if len(rows):
                yield rows.value.idxmax()
                break


def _rows(frame, measure, value, source, chance="chance", low="ci_low", high="ci_high"):
    """``frame`` in the atlas's columns."""
    names = {value: "value", low: "low", high: "high", chance: "chance"}
    kept = frame[["corpus", "model", "layer", *names]].rename(columns=names)
    note = frame.note if "note" in frame else ""
    return kept.assign(measure=measure, source=source, note=note)


def _first(values):
    return next(iter(values), "")


def _articulation(corpus, layers, E5_speakers, probes):
    """r for the speakers that a probe was fitted on (E1) and for new ones (E4)."""
    frame = sheets.read(layers).assign(corpus=corpus)
    probe = _chosen(frame, probes)
    frame = frame[frame.probe == probe]
    splits = frame.split[frame.experiment == "E1"]
    split = "utterances" if "utterances" in set(splits) else _first(splits)
    frame = frame[frame.split.eq(split) | frame.experiment.ne("E1")]
    parts = [
        _rows(frame[frame.experiment == experiment], measure, "r", layers)
        for experiment, measure in _EXPERIMENTS.items()
    ]
    cells = sheets.read(E5_speakers)
    gaps = specificity.native_languages(cells[cells.probe == probe], frame.model.unique())
    return pd.concat([*parts, _special(gaps.assign(corpus=corpus), E5_speakers)]).assign(probe=probe)


def _special(frame, source):
    return frame.assign(measure=SPECIFICITY, source=source)


def _kinematics(transfer, contrast, probes):
    """r of a probe on other speakers, of the same and of another language: spoken, or else native."""
    frame = sheets.read(transfer)
    probe = _chosen(frame, probes)
    frame = frame[(frame["map"] == "none") & (frame.probe == probe)]
    kinds = pd.Series(zip(frame.experiment, frame.by, strict=True), frame.index, dtype=object)
    parts, pairs, told = [], [], set()
    for kind, relations in _RELATIONS.items():
        rows = frame[(kinds == kind) & ~frame.corpus.isin(told)]
        # Where only one language is known there is no telling the same from another.
        corpora = (
            set(rows.corpus[(rows.relation == "other") & rows.r.notna()])
            if kind != _ANY
            else set(rows.corpus)
        )
        rows = rows[rows.corpus.isin(corpora)]
        told |= corpora
        for relation, measure in relations:
            of = rows[rows.relation == relation]
            parts.append(_rows(of, measure, "r", transfer).assign(chosen=of.best_layer))
        pairs.append(rows.drop_duplicates(["corpus", "model"]))
    within = frame[(kinds == _ANY) & (frame.relation == "within")]
    parts.append(_rows(within, "r_within", "r", transfer).assign(chosen=within.best_layer))
    found = specificity.transfers(sheets.read(contrast), pd.concat(pairs))
    return pd.concat([*parts, _special(found, contrast)]).assign(probe=probe)


def _tone(layers, folds):
    """Macro-F1, and the span of time that a layer uses beside the one that the sound needs."""
    frame = sheets.read(layers)
    acoustic = frame.drop_duplicates(["corpus", "model"]).assign(layer=np.nan, none=np.nan)
    acoustic = acoustic[acoustic.acoustic_ms.notna()]
    parts = [
        _rows(frame, "macro_f1", "macro_f1", layers, "shuffled"),
        _rows(frame, "span_ms", "span_ms", layers, "flat_ms", "span_low", "span_high"),
        _rows(acoustic, "acoustic_span_ms", "acoustic_ms", layers, "none", "acoustic_low", "acoustic_high"),
    ]
    found = specificity.own_tones(frame, sheets.read(folds))
    return pd.concat([*parts, _special(found, folds)])


def _alignment(retrieval):
    """R@1 over all pairs of languages, by SeqSim where it was computed."""
    frame = sheets.read(retrieval)
    frame = frame[(frame["query"] == "all") & (frame.metric == "R@1")]
    measure = "seqsim" if "seqsim" in set(frame.measure) else _first(frame.measure)
    frame = frame[frame.measure == measure]
    parts = [
        _rows(frame[frame.subset == subset], f"R@1_{subset}", "value", retrieval)
        for subset in ("full", "challenge", "random")
    ]
    return pd.concat([*parts, _special(specificity.lookalikes(frame), retrieval)])
