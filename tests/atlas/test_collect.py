"""The studies' tables side by side: the same numbers, the best layers, and the specificities."""

import math
from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from phonoscope.figures.atlas import page
from phonoscope.studies import atlas, sheets
from phonoscope.studies import atlas_specificity as specificity


def rows(table, study, corpus, model, measure):
    return table[
        (table.study == study)
        & (table.corpus == corpus)
        & (table.model == model)
        & (table.measure == measure)
    ].reset_index(drop=True)


def equal(found, expected, names):
    """Each row's numbers are those of the study's table, to the last digit it has."""
    assert len(found) == len(expected) > 0
    for ours, theirs in zip(("value", "low", "high", "chance"), names, strict=True):
        np.testing.assert_array_equal(found[ours], expected[theirs])
    np.testing.assert_array_equal(found.layer, expected.layer)


def test_every_number_is_that_of_its_table(make_run, names):
    run = make_run(names, corpora=("synthetic-ema", "second"))
    table = run.collect()
    intervals = ("ci_low", "ci_high")
    for corpus in run.corpora:
        layers = sheets.read(run.tables["articulation"][corpus]["layers"])
        layers = layers[layers.probe == "ols"]
        for measure, experiment, split in (
            ("r_same_speaker", "E1", "utterances"),
            ("r_new_speaker", "E4", "one speaker out"),
        ):
            part = layers[(layers.experiment == experiment) & (layers.split == split)]
            for model in names:
                expected = part[part.model == model]
                equal(
                    rows(table, "articulation", corpus, model, measure), expected, ("r", *intervals, "chance")
                )
    transfer = sheets.read(run.tables["kinematics"]["transfer"])
    transfer = transfer[(transfer.probe == "ols") & (transfer["map"] == "none")]
    for (corpus, by, relation), measure in {
        ("synthetic-ema", "language", "same"): "r_same_language",
        ("synthetic-ema", "language", "other"): "r_other_language",
        ("synthetic-ema", "speaker", "within"): "r_within",
        ("native", "native_language", "same"): "r_same_native",
        ("native", "native_language", "other"): "r_other_native",
        ("native", "speaker", "within"): "r_within",
        ("alike", "speaker", "other"): "r_other_speaker",
        ("alike", "speaker", "within"): "r_within",
    }.items():
        case = (transfer.corpus == corpus) & (transfer.by == by) & (transfer.relation == relation)
        assert case.any()
        for model, part in transfer[case].groupby("model"):
            equal(rows(table, "kinematics", corpus, model, measure), part, ("r", *intervals, "chance"))
    tone = sheets.read(run.tables["tone"]["layers"])
    for (corpus, model), part in tone.groupby(["corpus", "model"]):
        found = rows(table, "tone", corpus, model, "macro_f1")
        equal(found, part, ("macro_f1", *intervals, "shuffled"))
        found = rows(table, "tone", corpus, model, "span_ms")
        equal(found, part, ("span_ms", "span_low", "span_high", "flat_ms"))
    retrieval = sheets.read(run.tables["alignment"]["retrieval"])
    part = retrieval[(retrieval.measure == "seqsim") & (retrieval["query"] == "all")]
    for (model, subset), expected in part[part.metric == "R@1"].groupby(["model", "subset"]):
        found = rows(table, "alignment", "parallel", model, f"R@1_{subset}")
        equal(found, expected, ("value", *intervals, "chance"))


def test_depth_best_layer_kind_order_and_source(make_run, names):
    run = make_run(names)
    table = run.collect()
    assert list(table.columns) == atlas.COLUMNS
    assert list(dict.fromkeys(table.model)) == names
    mine = rows(table, "articulation", "synthetic-ema", "base", "r_same_speaker")
    np.testing.assert_allclose(mine.relative_depth, [0, 0.25, 0.5, 0.75, 1])
    assert list(mine.best == "yes") == list(mine.value == mine.value.max())
    assert set(mine.source) == {"tables/synthetic-ema/layers.csv"}
    assert table[table.model == "mfcc"].relative_depth.isna().all()
    assert dict(zip(table.model, table.kind, strict=True))["base-untrained"] == "untrained of base"
    best = table[table.best == "yes"].groupby(["model", "study", "corpus"]).size()
    assert (best == 1).all()
    with_layers = table[table.layer.notna() & (table.measure != "specificity")]
    assert len(best) == len(with_layers.drop_duplicates(["model", "study", "corpus"]))


def test_the_probe_is_the_one_asked_for(make_run, names):
    run = make_run(names)
    found = rows(run.collect(probes=["ridge"]), "articulation", "synthetic-ema", "base", "r_new_speaker")
    layers = sheets.read(run.tables["articulation"]["synthetic-ema"]["layers"])
    ridge = layers[(layers.probe == "ridge") & (layers.experiment == "E4") & (layers.model == "base")]
    np.testing.assert_array_equal(found.value, ridge.r)


def test_articulation_and_transfer_show_one_probe(make_run, names):
    run = make_run(names)
    path = run.tables["kinematics"]["transfer"]
    frame = sheets.read(path)
    of = {"articulation": "ridge", "kinematics": "ridge", "tone": "", "alignment": ""}

    def probes(table):
        return {study: "".join(sorted(set(part.probe))) for study, part in table.groupby("study")}

    sheets.write(frame[frame.probe == "ridge"], path)
    table = run.collect(probes=["ols", "ridge"])
    assert probes(table) == probes(run.collect()) == of
    found = rows(table, "articulation", "synthetic-ema", "base", "r_new_speaker")
    layers = sheets.read(run.tables["articulation"]["synthetic-ema"]["layers"])
    layers = layers[(layers.probe == "ridge") & (layers.experiment == "E4") & (layers.model == "base")]
    np.testing.assert_array_equal(found.value, layers.r)
    assert page(table).count("Pearson r (ridge)") == 4, "in the headings and the legend of both"
    sheets.write(frame[frame.probe == "ridge"].assign(probe="lasso"), path)
    table = run.collect(probes=["ols", "ridge"])
    assert probes(table) == of | {"articulation": "ols", "kinematics": "lasso"}
    assert "Pearson r (ols)" in page(table) and "Pearson r (lasso)" in page(table)


def test_models_stand_in_the_order_of_the_config(make_run, names):
    run = make_run(names)
    run.models = {name: run.models[name] for name in reversed(names)}
    assert list(dict.fromkeys(run.collect().model)) == names[::-1]


def test_studies_may_be_missing(make_run, names):
    run = make_run(names)
    for study in ("tone", "alignment", "articulation", "kinematics"):
        del run.tables[study]
        assert study not in set(run.collect().study)
    empty = run.collect()
    assert empty.empty and list(empty.columns) == atlas.COLUMNS


def test_tables_without_rows(make_run, names):
    """What a study writes where nothing could be scored."""
    run = make_run(names)
    for tables in (run.tables["articulation"]["synthetic-ema"], *list(run.tables.values())[1:]):
        for path in tables.values():
            sheets.write(sheets.read(path).iloc[:0], path)
    assert run.collect().empty


@pytest.mark.parametrize("experiments", [["E4"], ["E5"], ["E1", "frames"]])
def test_experiments_may_be_left_out(make_run, names, experiments):
    run = make_run(names)
    paths = run.tables["articulation"]["synthetic-ema"]
    layers = sheets.read(paths["layers"])
    kept = layers.experiment.isin(experiments)
    if "frames" in experiments:
        kept &= layers.split == "frames"
    sheets.write(layers[kept].sort_values("experiment"), paths["layers"])
    if "E5" not in experiments:
        sheets.write(sheets.read(paths["E5_speakers"]).iloc[:0], paths["E5_speakers"])
    table = run.collect()
    table = table[table.study == "articulation"]
    measures = {"E4": {"r_new_speaker"}, "E5": set(), "E1": {"r_same_speaker"}}[experiments[0]]
    assert set(table.measure) - {"specificity"} == measures
    assert (table.best == "yes").sum() == (len(names) if measures else 0)
    page(table)


def test_layers_without_a_value_are_never_the_best(make_run, names):
    run = make_run(names)
    path = run.tables["articulation"]["synthetic-ema"]["layers"]
    frame = sheets.read(path)
    frame.loc[frame.model == "base", "r"] = np.nan
    frame.loc[frame.model == "base", "note"] = "8 without r (constant)"
    frame.loc[(frame.model == "other-9") & (frame.layer != 3), "r"] = np.nan
    sheets.write(frame, path)
    table = run.collect()
    articulation = table[table.study == "articulation"]
    assert not (articulation[articulation.model == "base"].best == "yes").any()
    best = articulation[(articulation.model == "other-9") & (articulation.best == "yes")]
    assert best.layer.tolist() == [3]
    noted = rows(table, "articulation", "synthetic-ema", "base", "r_same_speaker")
    assert set(noted.note) == {"8 without r (constant)"}


def test_the_best_layer_of_transfer_is_the_one_of_its_study(make_run, names):
    table = make_run(names).collect()
    best = table[(table.study == "kinematics") & (table.best == "yes")]
    assert len(best) == 3 * len(names)
    assert set(best.layer[best.model != "mfcc"]) == {2} and set(best.layer[best.model == "mfcc"]) == {0}
    measures = dict(zip(best.corpus, best.measure, strict=True))
    expected = {"synthetic-ema": "r_same_language", "native": "r_same_native", "alike": "r_other_speaker"}
    assert measures == expected


# Specificities.


def test_transfer_that_is_lost(make_run, names):
    run = make_run(names)
    table, contrast = run.collect(), sheets.read(run.tables["kinematics"]["contrast"])
    contrast = contrast[(contrast.probe == "ols") & (contrast.model == "base")]
    contrast = contrast.astype({"ratio": float, "ratio_low": float, "layer": int})
    for corpus, by, verdict in (
        ("synthetic-ema", "language", "worse to another language"),
        ("native", "native_language", "not told apart"),
    ):
        ratio = contrast[(contrast.by == by) & (contrast.corpus == corpus)].set_index("layer").loc[2]
        row = rows(table, "kinematics", corpus, "base", "specificity").iloc[0]
        assert row.value == pytest.approx(1 - ratio.ratio) and row.high == pytest.approx(1 - ratio.ratio_low)
        assert row.low < row.value < row.high and row.note == verdict
    row = rows(table, "kinematics", "alike", "base", "specificity").iloc[0]
    assert np.isnan(row.value) and row.note == "no two languages to compare"


def test_speakers_of_both_languages_are_compared_by_what_they_speak():
    """Planted: all that is known is of the language spoken, while native language makes no difference."""
    where = {"corpus": "c", "model": "m", "probe": "ols", "map": "none", "layer": 1}
    native = {"experiment": "speakers", "by": "native_language", "ratio": 1.0, "verdict": "no"}
    spoken = {"experiment": "groups", "by": "language", "ratio": 0.4, "verdict": "yes"}
    ends = {"ratio_low": 0.3, "ratio_high": 1.1}
    differences = pd.DataFrame([where | ends | of for of in (native, spoken)])
    pairs = pd.DataFrame([where | {"best_layer": 1} | of for of in (native, spoken)])
    assert specificity.transfers(differences, pairs).value.tolist() == [0.0, 0.6]


def cells(values, model="m"):
    """Cells of E5 from group -> values of its speakers."""
    listed = [
        {"model": model, "layer": 2, "group": group, "speaker": f"{group}{i}", "r": r}
        for group, of in values.items()
        for i, r in enumerate(of)
    ]
    whole = pd.DataFrame(listed).assign(task="all", condition="all", channel="all")
    # What is not of all channels, tasks and conditions counts for nothing.
    return pd.concat([whole, whole.assign(r=9.0, channel="TT_x"), whole.assign(r=-9.0, task="read")])


def test_native_languages_differ_by_their_means():
    found = specificity.native_languages(cells({"fi": [0.6, 0.7, 0.8], "ru": [0.5, 0.4]}), ["m", "absent"])
    assert found.value[0] == pytest.approx(0.25)
    assert found.low[0] < 0.25 < found.high[0]
    assert found.note[0] == "fi > ru" and found.layer[0] == 2
    assert np.isnan(found.value[1]) and found.note[1] == "E5 was not run"


@pytest.mark.parametrize("sizes", [(2, 3), (1, 4), (3, 3), (2, 2, 2), (1, 1, 3)])
def test_the_gap_by_chance_is_that_of_all_shufflings(sizes):
    values = np.random.default_rng(0).normal(size=sum(sizes))
    edges = np.cumsum(sizes)[:-1]
    gaps = [
        np.ptp([part.mean() for part in np.split(np.array(order), edges)]) for order in permutations(values)
    ]
    found = specificity.shuffled_gap(np.split(values, edges), draws=20000)
    tolerance = 1e-12 if len(sizes) == 2 else 0.03
    assert found == pytest.approx(np.mean(gaps), rel=tolerance)
    assert found > 0


def test_many_speakers_are_shuffled_at_random():
    rng = np.random.default_rng(1)
    groups = [rng.normal(size=20), rng.normal(size=30)]
    # Means of two random groups of one population differ by a normal variable: E|d| = sd √(2/π).
    pooled = np.concatenate(groups)
    sd = pooled.std(ddof=1) * math.sqrt(1 / 20 + 1 / 30)
    assert specificity.shuffled_gap(groups) == pytest.approx(sd * math.sqrt(2 / math.pi), rel=0.05)


def test_one_native_language_or_one_speaker_in_it():
    found = specificity.native_languages(cells({"fi": [0.6, 0.7]}), ["m"])
    assert np.isnan(found.value[0]) and found.note[0] == "one native language only"
    found = specificity.native_languages(cells({"fi": [0.6, 0.7], "ru": [0.5]}), ["m"])
    assert found.value[0] == pytest.approx(0.15) and np.isnan(found.low[0])
    found = specificity.native_languages(cells({"fi": [0.6, np.nan], "ru": [0.5, 0.5]}), ["m"])
    assert found.value[0] == pytest.approx(0.1)


def test_tones_of_the_own_language(make_run, names):
    """Against the same sum by hand, fold by fold at the best layers."""
    run = make_run(names)
    layers, folds = (sheets.read(run.tables["tone"][name]) for name in ("layers", "folds"))
    found = specificity.own_tones(layers, folds).set_index(["corpus", "model"])
    for corpus, own, sibling in (
        ("lumade", "base-asr-a", "base-asr-b"),
        ("naile", "base-asr-b", "base-asr-a"),
    ):
        per_fold = []
        for model in (own, sibling):
            mine = layers[(layers.corpus == corpus) & (layers.model == model)]
            layer = mine.layer[mine.macro_f1.idxmax()]
            part = folds[(folds.corpus == corpus) & (folds.model == model) & (folds.layer == layer)]
            per_fold.append(part.sort_values("fold").macro_f1.to_numpy())
        expected = (per_fold[0] - per_fold[1]).mean()
        row = found.loc[corpus, own]
        assert row.value == pytest.approx(expected)
        assert row.low < expected < row.high and row.chance == 0
        assert row.note == f"less {sibling}"
        assert np.isnan(found.value[corpus, sibling])
    assert found.note["naile", "base-asr-a"] == "tuned to lumade, not to this"
    assert found.note["naile", "base"] == "not tuned to a language"


def test_planted_tones_are_found_and_only_those():
    """A model that knows one language's tones has what was planted; one that is better everywhere has not."""
    rng, rows, folds = np.random.default_rng(0), [], []
    truth = {("a", "own-a"): 0.9, ("a", "own-b"): 0.6, ("b", "own-a"): 0.6, ("b", "own-b"): 0.6}
    for (corpus, model), level in truth.items():
        values = level + 0.01 * rng.normal(size=10)
        where = {"corpus": corpus, "model": model, "layer": 1}
        folds += [where | {"fold": i, "macro_f1": value} for i, value in enumerate(values)]
        variant = "target ASR" if model == f"own-{corpus}" else "X ASR"
        rows.append(where | {"base": "base", "variant": variant, "macro_f1": values.mean()})
    found = specificity.own_tones(pd.DataFrame(rows), pd.DataFrame(folds)).set_index(["corpus", "model"])
    assert found.low["a", "own-a"] > 0.25 and found.high["a", "own-a"] < 0.35
    assert found.low["b", "own-b"] < 0 < found.high["b", "own-b"]


def test_only_the_same_way_of_tuning_compares():
    one = {"corpus": "a", "layer": 0, "base": "base", "macro_f1": 0.5}
    layers = pd.DataFrame(
        [
            one | {"model": "own", "variant": "target ASR"},
            one | {"model": "pitch", "variant": "pitch"},
            one | {"model": "elsewhere", "variant": "X ASR", "base": "another"},
        ]
    )
    folds = layers[["corpus", "model", "layer", "macro_f1"]].assign(fold=0)
    found = specificity.own_tones(layers, folds).set_index("model")
    assert np.isnan(found.value["own"])
    assert found.note["own"] == "no other model was tuned from base in the same way"


def test_lookalikes(make_run, names):
    run = make_run(names)
    table = run.collect()
    retrieval = sheets.read(run.tables["alignment"]["retrieval"])
    part = retrieval[(retrieval.measure == "seqsim") & (retrieval["query"] == "all")]
    part = part[(part.metric == "R@1") & (part.model == "base")]
    full = part[part.subset == "full"]
    at = part[part.layer == full.layer[full.value.idxmax()]].set_index("subset")
    row = rows(table, "alignment", "parallel", "base", "specificity").iloc[0]
    assert row.value == pytest.approx(at.value["random"] - at.value["challenge"])
    assert row.low == pytest.approx(at.ci_low["random"] - at.value["challenge"])
    assert row.note == "p = 0.01" and row.layer == at.layer.iloc[0]


def test_without_random_sets_there_are_no_lookalikes(make_run, names):
    run = make_run(names)
    path = run.tables["alignment"]["retrieval"]
    frame = sheets.read(path)
    sheets.write(frame[frame.subset != "random"], path)
    found = rows(run.collect(), "alignment", "parallel", "base", "specificity")
    assert found.value.isna().all() and "random sets" in found.note[0]
