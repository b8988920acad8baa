"""Early exit as tables: rates and intervals against jiwer and loops, examples, published values."""

import jiwer
import numpy as np
import pandas as pd
import pytest

from phonoscope import tables
from phonoscope.probes.inference import resampled
from phonoscope.studies import sheets
from phonoscope.studies.alignment_exits import PLAIN, schema, with_errors
from phonoscope.studies.alignment_exits_comparison import compare, with_published
from phonoscope.studies.alignment_exits_summary import COLUMNS, EXAMPLES, examples, summarise

SENTENCES = 12
OPTIONS = {"task": "transcribe", "seed": 0}


def texts(layer, language, seed=0):
    """References, and hypotheses that are better at higher layers."""
    rng = np.random.default_rng([seed, layer, len(language)])
    # The same references in all layers.
    words = np.random.default_rng(len(language)).integers(0, 9, (SENTENCES, 6))
    gap = "" if language == "zh" else " "
    alphabet = list("们在家他去学校我你") if language == "zh" else [f"w{k}" for k in range(9)]
    made = []
    for line in words:
        heard = [w if rng.random() < 0.2 + 0.25 * layer else rng.integers(0, 9) for w in line]
        made.append([gap.join(alphabet[w] for w in side) for side in (line, heard)])
    return made


@pytest.fixture
def exits(tmp_path):
    """Function that writes the tables of three layers."""

    def make(languages=("fi", "swe"), **about):
        paths = []
        for layer in (0, 1, 2):
            rows = []
            for language in languages:
                mine = [
                    {"utterance_id": f"{language}{k}", "sentence_id": f"s{k:02d}", "language": language}
                    | {"reference": a, "hypothesis": b, "ended": k % 3 > 0 or layer == 2, "n_tokens": 5}
                    | {"token": language, "prompted": "given" if language == "fi" else "detected"}
                    for k, (a, b) in enumerate(texts(layer, language))
                ]
                counted = with_errors(mine, PLAIN, OPTIONS)
                rows += [row | counts for row, counts in zip(mine, counted, strict=True)]
            paths.append(tmp_path / f"layer{layer}.parquet")
            table = tables.from_rows(rows, schema([PLAIN]))
            tables.write(table, paths[-1], layer=layer, left_out=about.get("left_out", []))
        return paths[::-1]

    return make


def test_rates_are_those_of_jiwer(exits):
    found = summarise("c", "m", exits(), [PLAIN])
    assert list(found) == COLUMNS and len(found) == 3 * 3 * 2
    row = found.set_index(["language", "layer", "metric"])
    for layer in (0, 1, 2):
        both = {name: list(zip(*texts(layer, name), strict=True)) for name in ("fi", "swe")}
        both["all"] = [both["fi"][side] + both["swe"][side] for side in (0, 1)]
        for name, (references, hypotheses) in both.items():
            sides = list(references), list(hypotheses)
            wer, cer = jiwer.wer(*sides), jiwer.cer(*sides)
            assert row.loc[name, layer, "WER"].value == pytest.approx(wer)
            assert row.loc[name, layer, "CER"].value == pytest.approx(cer)
            assert row.loc[name, layer, "WER"].n == len(references)
            assert row.loc[name, layer, "WER"].not_ended == pytest.approx((1 / 3) * (layer < 2))
            top = jiwer.wer(*map(list, zip(*texts(2, name), strict=True))) if name != "all" else None
            if top is not None:
                assert row.loc[name, layer, "WER"].change == pytest.approx(wer / top - 1)
    assert set(found[found.language == "all"].prompted) == {"detected, given"}
    assert set(found[found.layer == 2].change) == {0} and found[found.layer == 2].change_low.isna().all()


def test_intervals_are_a_bootstrap_over_sentences(exits):
    found = summarise("c", "m", exits(), [PLAIN]).set_index(["language", "layer", "metric"])
    at = {
        layer: [
            [len(a.split()) for a, _ in texts(layer, name)]
            + [jiwer.process_words(a, b).wer * len(a.split()) for a, b in texts(layer, name)]
            for name in ("fi", "swe")
        ]
        for layer in (0, 2)
    }
    words = np.sum([side[:SENTENCES] for side in at[0]], axis=0)
    low, high = (np.sum([side[SENTENCES:] for side in at[layer]], axis=0) for layer in (0, 2))
    rates, changes = [], []
    for counts in resampled(SENTENCES):
        drawn = np.repeat(np.arange(SENTENCES), counts)
        rates.append(low[drawn].sum() / words[drawn].sum())
        changes.append(low[drawn].sum() / high[drawn].sum() - 1)
    row = found.loc["all", 0, "WER"]
    np.testing.assert_allclose([row.ci_low, row.ci_high], np.quantile(rates, [0.025, 0.975]))
    np.testing.assert_allclose([row.change_low, row.change_high], np.quantile(changes, [0.025, 0.975]))
    assert row.change_low < row.change < row.change_high


def test_chance_is_that_of_all_other_texts(exits):
    found = summarise("c", "m", exits(["fi"]), [PLAIN]).set_index(["language", "layer", "metric"])
    assert set(found.index.get_level_values(0)) == {"fi"}
    pairs = texts(1, "fi")
    errors = [
        jiwer.process_words(a, b).wer * len(a.split())
        for i, (a, _) in enumerate(pairs)
        for j, (_, b) in enumerate(pairs)
        if i != j
    ]
    expected = sum(errors) / (SENTENCES - 1) / sum(len(a.split()) for a, _ in pairs)
    assert found.loc["fi", 1, "WER"].chance == pytest.approx(expected)
    assert found.loc["fi", 2, "WER"].chance > 2 * found.loc["fi", 2, "WER"].value


def test_scripts_without_spaces_have_no_words(exits):
    found = summarise("c", "m", exits(["fi", "zh"]), [PLAIN]).set_index(["language", "layer", "metric"])
    assert np.isnan(found.loc["zh", 1, "WER"].value) and found.loc["zh", 1, "CER"].value > 0
    assert found.loc["all", 1, "WER"].value == found.loc["fi", 1, "WER"].value
    assert found.loc["all", 1, "WER"].note == "without zh: no spaces between words"
    assert found.loc["all", 1, "CER"].note == ""


def test_examples_go_from_the_best_to_the_worst(exits):
    found = examples("c", "m", exits(), PLAIN)
    assert list(found) == EXAMPLES and len(found) == 2 * 3 * 3
    assert found.layer.tolist() == [0, 1, 2] * 6
    top = found[found.layer == 2].groupby("language", sort=False).cer.apply(list)
    for language, rates in top.items():
        every = sorted(jiwer.cer(a, b) for a, b in texts(2, language))
        assert rates == pytest.approx([every[0], every[(SENTENCES - 1) // 2], every[-1]])
    assert set(found.ended) == {"yes", "no"}


PUBLISHED = [
    {"condition": "seven low-resource languages", "value_low": 0.1, "value_high": 0.57},
    {"condition": "Kyrgyz layer 24", "value_low": 0.568, "value_high": 0.568},
]


@pytest.fixture
def published(tmp_path):
    rows = [row | {"paper": "1.2v1", "experiment": "early exit", "model": "o/w"} for row in PUBLISHED]
    rows.append(rows[0] | {"experiment": "retrieval full set"})
    pd.DataFrame(rows).to_csv(tmp_path / "published.csv", index=False)
    return tmp_path / "published.csv"


def measured(language, layer, change):
    return {"corpus": "c", "model": "w", "language": language, "layer": layer, "change": change} | {
        "metric": "CER", "normaliser": PLAIN,
    }  # fmt: skip


def test_published_reductions(published):
    rows = [measured("ky", 24, -0.6), measured("ky", 30, 0.1), measured("ky", 32, 0.0)]
    rows += [measured("lo", 24, 0.2), measured("lo", 30, -0.1), measured("lo", 32, 0.0)]
    # As it is read back from its file.
    sheets.write(pd.DataFrame([*rows, measured("all", 24, -9)]), published.with_name("exits.csv"))
    exits = sheets.read(published.with_name("exits.csv"))
    found = with_published(published, exits, {"w": "o/w"}, {"c": "1.2", "d": None})
    assert len(found) == 4
    first, other, kyrgyz, _ = found.to_dict("records")
    assert first["comparable"] == "no: its languages are not named" and first["layer"] == "best"
    assert (first["measured_low"], first["measured_high"]) == pytest.approx((0.1, 0.6))
    assert other["comparable"] == "no: other corpus, its languages are not named, not measured here"
    assert (kyrgyz["layer"], kyrgyz["measured_low"], kyrgyz["measured_high"]) == (24, 0.6, 0.6)
    assert kyrgyz["comparable"].startswith("yes") and kyrgyz["verdict"] == "ranges do not overlap"
    absent = with_published(published, exits, {}, {"c": "1.2"})
    assert all("model not run here" in said for said in absent.comparable)


def test_all_tables_and_what_was_left_out(exits, published, tmp_path):
    left = [{"language": "fi", "reason": "empty transcript", "items": 2}]
    paths = exits(left_out=left)
    sheets.write(summarise("c", "m", paths, [PLAIN]), tmp_path / "s.csv")
    sheets.write(examples("c", "m", paths, PLAIN), tmp_path / "e.csv")
    taken = [("c", "m", "early exit", paths[0]), ("c", "m", "word times", paths[1])]
    found = compare([tmp_path / "s.csv"], [tmp_path / "e.csv"], taken, published, {}, {"c": None})
    assert list(found["early_exit"]) == COLUMNS and found["exit_examples"].cer.dtype == float
    numbers = ["layer", "value", "ci_low", "chance", "change", "change_low", "not_ended", "n"]
    assert all(found["early_exit"][name].dtype.kind in "if" for name in numbers)
    assert len(found["exit_examples"]) == 18 and len(found["exit_published"]) == 2
    assert found["decoder_left_out"].to_dict("records") == [
        {"corpus": "c", "model": "m", "step": step, **left[0]} for step in ("early exit", "word times")
    ]
    none = compare([], [], [], published, {}, {"c": None})
    assert none["early_exit"].empty and none["decoder_left_out"].empty
