"""The tone study's tables against what they are defined to be, on scores that are written down here."""

import json

import numpy as np
import pandas as pd
import pytest

from phonoscope import tables
from phonoscope.errors import InputError
from phonoscope.probes import focus
from phonoscope.probes.inference import bootstrap_mean
from phonoscope.studies import (
    calibration_tone,
    tone_choice,
    tone_comparison,
    tone_focus,
    tone_items,
    tone_layers,
    tone_occlusion,
    tone_probes,
    tone_summary,
)

N_FOLDS, PER_FOLD = 4, 12
CENTRES = focus.bin_centres(500, 20)


def items_table(path, language="L", fold_names=None):
    rows = []
    for k in range(N_FOLDS * PER_FOLD):
        fold = k // PER_FOLD
        rows.append(
            {"item": k, "utterance_id": f"u{fold}", "shard": "x", "speaker": f"s{fold}", "language": language}
            | {"split": "test" if fold == 3 else "train", "tone": "ab"[k % 2], "syllable": "ma", "fold": fold}
            | {"start_s": 0.2 * k, "end_s": 0.2 * k + 0.1, "centre_s": 0.2 * (k % PER_FOLD) + 0.1}
            | {"duration_s": 2.6, "score": 1.0}
        )
    names = fold_names or [[f"s{k}"] for k in range(N_FOLDS)]
    known = {"classes": ["a", "b"], "fold_by": "speaker", "folds": N_FOLDS, "fold_names": names}
    table = tables.from_rows(rows, tone_items.ITEMS)
    tables.write(table.cast(tables.with_provenance(tone_items.ITEMS, known)), path)
    return path


def scores_table(path, items, by_fold, layer, model="m"):
    rows = []
    for probe, values in by_fold.items():
        rows += tone_probes.score_rows(items, probe, values, model, "layer", "centre", layer)
    tables.write(tables.from_rows(rows, tables.SCORES), path)
    return path


@pytest.fixture
def summarised(tmp_path):
    path = items_table(tmp_path / "i.parquet")
    items, _ = tone_items.read(path)
    f1 = {0: [0.3, 0.4, 0.5, 0.6], 1: [0.7, 0.7, 0.9, 0.8]}
    scores, predictions = [], []
    for layer, values in f1.items():
        by_fold = {"logistic": values, "shuffled": [0.5, 0.4, 0.5, 0.6], "majority": [0.33] * 4}
        scores.append(scores_table(tmp_path / f"s{layer}.parquet", items, by_fold, layer))
        rows = [
            {
                "item": k,
                "fold": int(items["fold"][k]),
                "tone": items["tone"][k],
                "predicted": "ab"[k % 3 == 0],
            }
            for k in range(len(items["tone"]))
        ]
        predictions.append(tmp_path / f"p{layer}.parquet")
        tables.write(tables.from_rows(rows, tone_layers.PREDICTIONS), predictions[-1])
    rng = np.random.default_rng(0)
    profiles = {(layer, k): rng.random(50) for layer in f1 for k in range(48)}
    rows = [
        {
            "layer": layer,
            "item": k,
            "fold": k // PER_FOLD,
            "profile": [np.nan, *profile[1:]] if k == 0 else list(profile),
        }
        for (layer, k), profile in profiles.items()
    ]
    said = {"reach_ms": 500, "bin_ms": 20, "of": "gradient", "form": "energy"}
    table = tables.from_rows(rows, tone_focus.FOCUS)
    tables.write(table.cast(tables.with_provenance(tone_focus.FOCUS, said)), tmp_path / "f.parquet")
    rows = [
        {"layer": layer, "item": k, "fold": k // PER_FOLD, "half_ms": half, "margin": margin}
        for layer in f1
        for k in range(48)
        for half, margin in ((None, 2.0 if k % 4 else -1.0), (50.0, 1.0), (100.0, 1.8), (200.0, 2.0))
    ]
    tables.write(tables.from_rows(rows, tone_occlusion.OCCLUSION), tmp_path / "o.parquet")
    found = tone_summary.summarise(
        "c", "m", path, scores, predictions, [tmp_path / "f.parquet"], [tmp_path / "o.parquet"]
    )
    bare = tone_summary.summarise("c", "m", path, scores, predictions, [], [])
    return found, bare, profiles, f1


def test_layers(summarised):
    found, _, profiles, f1 = summarised
    layers = found["layers"].set_index("layer")
    assert list(found["layers"].columns) == tone_summary.COLUMNS["layers"]
    for layer, values in f1.items():
        row = layers.loc[layer]
        assert row.macro_f1 == pytest.approx(np.mean(values)) and row.unheard == pytest.approx(values[3])
        low, high = bootstrap_mean(np.array(values)[:, None])
        assert (row.ci_low, row.ci_high) == pytest.approx((low[0], high[0]))
        assert (row.shuffled, row.majority) == (pytest.approx(0.5), pytest.approx(0.33))
        spans = [focus.spans(profiles[layer, k], CENTRES) for k in range(1, 48)]
        first = profiles[layer, 0].copy()
        first[0] = np.nan
        spans = np.array([focus.spans(first, CENTRES), *spans]).reshape(N_FOLDS, PER_FOLD)
        assert row.span_ms == pytest.approx(spans.mean(axis=1).mean(), rel=1e-5)
        assert row.reach_ms == 500 and row.n_focus == 48
        assert row.near_edge == pytest.approx(3 / 12)
        # Kept within 100, 200 and 400 ms: 1/2, 9/10 and all of the margin of those that were right.
        assert row.occlusion_ms == pytest.approx(200) and row.n_occluded == 36
        assert row.language == "L" and row.fold_by == "speaker"
        assert row.above_chance == ("no" if layer == 0 else "yes")


def test_without_focus_and_occlusion(summarised):
    found, bare, _, _ = summarised
    assert bare["layers"].span_ms.isna().all() and bare["layers"].occlusion_ms.isna().all()
    assert list(bare["profiles"].columns) == tone_summary.COLUMNS["profiles"] and not len(bare["profiles"])
    pd.testing.assert_series_equal(bare["layers"].macro_f1, found["layers"].macro_f1)


def test_profiles_and_confusion(summarised):
    found, _, _, _ = summarised
    curve = found["profiles"][found["profiles"].layer == 1]
    assert curve.share.sum() == pytest.approx(1, abs=0.01) and list(curve.offset_ms) == list(CENTRES)
    one = found["confusion"][found["confusion"].layer == 0].set_index(["tone", "predicted"])
    assert one.loc[("a", "b"), "items"] == sum(k % 3 == 0 for k in range(0, 48, 2))
    assert one.loc["b"].share.sum() == pytest.approx(1)
    kept = found["occlusion"][found["occlusion"].layer == 0]
    assert list(kept.width_ms) == [100, 200, 400] and kept.kept.to_numpy() == pytest.approx([0.5, 0.9, 1.0])


def windows_table(path, items, curve, noise, seed=0):
    rng, rows = np.random.default_rng(seed), []
    rows += tone_probes.score_rows(items, "majority", [0.1] * N_FOLDS, "c", "acoustic", "")
    for width, mean in zip((20, 40, 100, 180), curve, strict=True):
        values = mean + noise * rng.normal(size=N_FOLDS)
        rows += tone_probes.score_rows(items, "logistic", values, "c", "acoustic", f"{width}")
        rows += tone_probes.score_rows(items, "shuffled", [0.2] * N_FOLDS, "c", "acoustic", f"{width}")
    tables.write(tables.from_rows(rows, tables.SCORES), path)
    return path


NARROW, WIDE, NONE = (0.3, 0.6, 0.9, 0.86), (0.3, 0.4, 0.6, 0.9), (0.5, 0.5, 0.5, 0.5)


@pytest.fixture
def acoustic(tmp_path):
    paths = {}
    for k, (name, curve) in enumerate({"near": NARROW, "wide": WIDE, "none": NONE}.items()):
        items = items_table(tmp_path / f"{name}-i.parquet", "vi" if name == "wide" else "Narrow")
        read, _ = tone_items.read(items)
        paths[name] = windows_table(tmp_path / f"{name}-w.parquet", read, curve, 0.01, k), items
    return paths


def test_acoustic_spans_and_what_was_published(acoustic, tmp_path):
    published = tmp_path / "p.csv"
    published.write_text(
        "paper,experiment,model,condition,metric,value_low,value_high,precision,source\n"
        "2511.12285,acoustic span,x,Vietnamese,optimal span ms,180,180,approximate,abstract\n"
    )
    rows = [tone_comparison.acoustic(name, *paths)[1] for name, paths in acoustic.items()]
    spans = tone_comparison.with_published(pd.DataFrame(rows), published).set_index("corpus")
    assert list(spans.span_ms)[:2] == [100, 180] and list(spans.above_chance) == ["yes", "yes", "yes"]
    assert spans.published_ms["wide"] == 180 and spans.difference_ms["wide"] == 0
    assert np.isnan(spans.published_ms["near"]) and spans.source["near"] == ""
    curve, _ = tone_comparison.acoustic("near", *acoustic["near"])
    assert curve.macro_f1.to_numpy() == pytest.approx(NARROW, abs=0.02)
    assert (curve.ci_low <= curve.macro_f1).all() and (curve.shuffled == 0.2).all()


def test_calibration(acoustic):
    windows, items = zip(*acoustic.values(), strict=True)
    found = calibration_tone.rows(list(acoustic), windows, items, [100.0, 180.0, None]).to_pandas()
    near, wide, control, apart = (found.iloc[k] for k in range(4))
    assert (near.measured, near.truth, wide.measured) == (100, 100, 180)
    assert near.verdict == "truth within the interval" and near.ci_low <= 100 <= near.ci_high
    assert (control.truth, control.verdict) == (0.5, "at chance") and control.chance == pytest.approx(0.2)
    assert (apart.corpus, apart.reference, apart.measured, apart.truth) == ("wide", "near", 80, 80)
    assert apart.verdict == "told apart" and "do not overlap; the same voices" in apart.note
    other = calibration_tone.rows(
        ["near", "again"], [windows[0]] * 2, [items[0]] * 2, [100.0, 180.0]
    ).to_pandas()
    assert other.iloc[2].verdict == "not told apart" and other.iloc[1].verdict == "truth outside the interval"


def test_known_stretches(tmp_path):
    path = tmp_path / "truth.json"
    path.write_text(json.dumps({"stretch_s": 0.18}))
    assert calibration_tone.stretch(path) == 180
    path.write_text(json.dumps({"stretch_s": None}))
    assert calibration_tone.stretch(path) is None
    for text in ("no", "{}"):
        path.write_text(text)
        with pytest.raises(InputError, match="calibration.tone"):
            calibration_tone.stretch(path)


VARIANTS = {"tuned": {"of": "plain", "task": "ASR", "language": "vi"}, "sex": {"of": "plain", "task": "sex"}}
ROLES = {"plain": "trained", "tuned": "trained", "sex": "trained", "random": "untrained of plain"}


def test_variants_have_names():
    assert tone_comparison.variant("tuned", "vi", VARIANTS, ROLES) == ("plain", "target ASR")
    assert tone_comparison.variant("tuned", "th", VARIANTS, ROLES) == ("plain", "Vietnamese ASR")
    assert tone_comparison.variant("sex", "vi", VARIANTS, ROLES) == ("plain", "sex")
    assert tone_comparison.variant("plain", "vi", VARIANTS, ROLES) == ("plain", "vanilla")
    assert tone_comparison.variant("random", "vi", VARIANTS, ROLES) == ("plain", "untrained")


def test_variants_in_order():
    rng, layers, folds = np.random.default_rng(0), [], []
    means = {"plain": 0.5, "tuned": 0.8, "sex": 0.49, "random": 0.2}
    for model, mean in means.items():
        for layer in (0, 1):
            values = mean - 0.1 * (layer == 0) + 0.02 * rng.normal(size=10)
            row = {"corpus": "c", "language": "vi", "model": model, "layer": layer, "macro_f1": values.mean()}
            layers.append(row | dict.fromkeys(("ci_low", "ci_high", "shuffled", "above_chance"), 0.1))
            folds += [
                {
                    "corpus": "c",
                    "model": model,
                    "layer": layer,
                    "fold": k,
                    "macro_f1": value,
                    "span_ms": 100 + k,
                }
                for k, value in enumerate(values)
            ]
    order, tests = tone_comparison.compare_variants(
        pd.DataFrame(layers), pd.DataFrame(folds), VARIANTS, ROLES
    )
    assert list(order.variant)[0] == "target ASR" and list(order.variant)[-1] == "untrained"
    assert list(order["rank"]) == [1, 2, 3, 4] and set(order.best_layer) == {1}
    pair = tests[
        (tests.model_a == "tuned") & (tests.model_b == "plain") & (tests.measure == "macro_f1")
    ].iloc[0]
    assert pair.mean_difference == pytest.approx(0.3, abs=0.03) and pair.p == pytest.approx(2 / 2**10)
    assert pair.p_holm == pytest.approx(3 * pair.p) and pair.n_folds == 10
    assert tests[tests.measure == "span_ms"].note.str.contains("equal for every").all()


def test_what_the_alignment_left_out_is_counted(tmp_path):
    tables.write(
        tables.from_rows([{"reason": "short", "detail": "below 40 ms", "items": 3}], tone_choice.LEFT_OUT),
        tmp_path / "l.parquet",
    )
    reasons = ["no tone for the syllable 'ban': a foreign word"] * 2 + [
        "no tone for the syllable 'x': a number"
    ]
    rows = [
        {"utterance_id": f"u{k}", "reason": reason, "kind": "left_out"}
        for k, reason in enumerate([*reasons, "too short"])
    ]
    rows.append({"utterance_id": "u9", "reason": "3 characters passed over", "kind": "warning"})
    tables.write(tables.from_rows(rows, tables.NOTES), tmp_path / "n.parquet")
    found = tone_comparison._left_out("c", tmp_path / "l.parquet", [tmp_path / "n.parquet"])
    assert sorted(map(tuple, found.to_numpy())) == [
        ("c", "alignment: too short", "u3", 1),
        ("c", "no tone by the spelling: a foreign word", "ban", 2),
        ("c", "no tone by the spelling: a number", "x", 1),
        ("c", "short", "below 40 ms", 3),
    ]
    assert len(tone_comparison._left_out("c", tmp_path / "l.parquet", [])) == 1
