from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from phonoscope.studies.published import COLUMNS, published_vs_measured
from phonoscope.studies.roles import hub_ids, roles

SHEET = Path(__file__).resolve().parents[2] / "resources/published/articulation.csv"

MODELS = {
    "mms": {"encoder": "transformers", "hub": "facebook/mms-300m", "init": "pretrained"},
    "w2v2": {"encoder": "transformers", "hub": "facebook/wav2vec2-large"},
    "finnish": {"encoder": "transformers", "hub": "aapot/wav2vec2-xlsr-300m-finnish-lm"},
    "mms-untrained": {"encoder": "transformers", "hub": "facebook/mms-300m", "init": "random"},
    "tiny": {"encoder": "transformers", "path": "resources/tiny"},
    "tiny-untrained": {"encoder": "transformers", "path": "resources/tiny", "init": "random"},
    "blank": {"encoder": "transformers", "path": "elsewhere", "init": "random"},
    "mel": {"encoder": "mel", "hub": None},
}


def fake_tables(splits=("utterances", "frames"), probes=("ridge", "ols"), n_speakers=18):
    e1, e3, e5 = [], [], []
    ours = {"ci_low": 0.6, "ci_high": 0.7, "n_speakers": n_speakers}
    for model in ("mms", "w2v2", "mms-untrained"):
        for probe in probes:
            for split in splits:
                base = {"model": model, "probe": probe, "split": split, **ours}
                r = 0.65 + 0.01 * (probe == "ols") + 0.02 * (split == "frames")
                e1 += [base | {"layer": layer, "best_layer": 7, "r": r} for layer in ("all", "best")]
                e3 += [base | {"layer": "all", "seconds": s, "r": r + s / 1e5} for s in (20.0, 60.0)]
            for group, condition, task in [("Finnish", "A", "all"), ("fin", "all", "T1")]:
                words = {"group": group, "condition": condition, "task": task, "channel": "UL_z"}
                e5 += [
                    {
                        "model": model,
                        "probe": probe,
                        **ours,
                        **words,
                        "layer": "best",
                        "best_layer": 9,
                        "r": 0.5,
                    }
                ]
    return {"E1": pd.DataFrame(e1), "E3": pd.DataFrame(e3), "E5": pd.DataFrame(e5)}


def compare(paper="2606.31527", **options):
    table = published_vs_measured([SHEET], fake_tables(**options), hub_ids(MODELS), "frost", paper)
    assert list(table.columns) == COLUMNS
    return table


def test_roles_and_hub_ids():
    assert roles(MODELS) == {
        "mms": "trained",
        "w2v2": "trained",
        "finnish": "trained",
        "mms-untrained": "untrained of mms",
        "tiny": "trained",
        "tiny-untrained": "untrained of tiny",
        "blank": "untrained",
        "mel": "baseline",
    }
    assert list(hub_ids(MODELS)) == ["mms", "w2v2", "finnish"]


def test_the_paper_s_corpus_is_compared_by_its_own_probe_and_split():
    row = compare().query("experiment == 'E1' and our_model == 'mms'").squeeze()
    assert (row.value, row.measured, row.probe, row.split) == (0.689, pytest.approx(0.68), "ols", "frames")
    assert row.comparable == "yes"
    assert row.difference == pytest.approx(0.68 - 0.689)
    assert row.verdict == "published value within interval"


def test_every_published_row_is_kept_with_its_source():
    published = pd.read_csv(SHEET, dtype={"paper": str})
    table = compare()
    pd.testing.assert_frame_equal(table[list(published.columns)], published)
    assert table.source.notna().all()


def test_training_size_is_matched_by_seconds():
    rows = compare().query("experiment == 'E3'").set_index("condition")
    assert rows.loc["60s"].difference == pytest.approx(0.6806 - 0.525)
    assert rows.loc["60s"].verdict == "published value outside interval"
    assert rows.loc["600s"].comparable == "no: not measured here"


def test_conditions_and_tasks_are_matched_whatever_the_corpus_calls_them():
    table = compare()
    found = table[table.experiment.str.startswith("E5") & table.measured.notna()]
    assert list(found.condition) == ["fin L1", "fin T1"]
    assert (found.channel == "UL_Z").all() and (found.layer == "best (9)").all()
    assert found.comparable.str.startswith("yes (the paper does not state").all()


@pytest.mark.parametrize("paper", [None, "2210.11723"])
def test_another_corpus_gets_no_verdict(paper):
    table = compare(paper)
    rows = table[table.paper == "2606.31527"]
    assert rows.comparable.str.startswith("no: other corpus").all()
    assert rows.measured.notna().sum() == 2 + 2 + 2
    assert table.difference.isna().all() and (table.verdict == "").all()
    assert (table.corpus == "frost").all()


def test_another_way_of_measuring_gets_no_verdict():
    def e1(**options):
        return compare(**options).query("experiment == 'E1' and our_model == 'mms'").squeeze()

    assert e1(splits=["utterances"]).comparable == "no: other split (utterances)"
    assert e1(probes=["ridge"]).comparable == "no: other probe (ridge)"
    assert e1(n_speakers=4).comparable == "no: other speakers (4 of 18)"
    assert np.isnan(e1(n_speakers=4).difference)


def test_models_and_experiments_that_were_not_run():
    table = compare()
    rows = table[table.model == "facebook/wav2vec2-large-xlsr-53"]
    assert set(rows.comparable) == {"no: model not run here"}
    finnish = table[table.model.str.startswith("aapot|")]
    assert list(finnish.comparable) == ["no: not measured here"]
    nothing = published_vs_measured([SHEET], {}, {}, "frost", "2606.31527")
    assert nothing.measured.isna().all() and len(nothing) == 197


def test_either_owner_of_a_published_model_matches():
    tables = {"E1": fake_tables()["E1"].assign(model="f")}
    table = published_vs_measured(
        [SHEET], tables, {"f": "Finnish-NLP/wav2vec2-xlsr-300m-finnish-lm"}, "frost", "2606.31527"
    )
    assert (table.our_model == "f").sum() == 1
