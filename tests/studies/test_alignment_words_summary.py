"""Tables of pairs of words, from the planted corpus of the tests of pairs."""

import numpy as np
import pandas as pd
import pytest

from phonoscope import tables
from phonoscope.probes.inference import holm
from phonoscope.studies import alignment_words_summary as summary
from phonoscope.studies import sheets
from tests.studies.test_alignment_words import Corpus

STATES = ("noise", "meaning", "sound")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two models of three layers, of which the middle one holds what words mean."""
    corpus = Corpus(tmp_path_factory.mktemp("words"))
    corpus.prepare()
    found = {"corpus": corpus, "summaries": []}
    for model in "mn":
        paths = {"pairs": [], "scores": [], "types": []}
        for layer, kind in enumerate(STATES):
            for name, table in zip(paths, corpus.score(corpus.embed(kind, 0.5)), strict=True):
                path = corpus.folder / model / f"{name}{layer}.parquet"
                if "layer" in table.column_names:
                    rows = [row | {"layer": layer, "model": model} for row in table.to_pylist()]
                    table = tables.from_rows(rows, table.schema)
                tables.write(table, path)
                paths[name].append(path)
        found["summaries"].append(summary.summarise("c", model, *paths.values(), 3))
    return found


def test_one_row_per_layer_pair_and_measure(made):
    found = made["summaries"][0]
    rows = found["word_pairs"]
    assert rows.columns.tolist() == summary.WORD_PAIRS
    assert len(rows) == 3 * 2 * 6 and not rows.duplicated(["layer", "language_a", "measure"]).any()
    np.testing.assert_allclose(rows.difference, rows.value - rows.chance)
    kinds = rows[rows.measure.isin(["sound", "meaning", "both", "neither"])]
    sums = kinds.groupby(["layer", "language_a"])[["value", "chance"]].sum()
    np.testing.assert_allclose(sums, 1)
    assert summary.best_layer(rows) == 1
    assert found["words"].columns.tolist() == summary.WORDS
    assert found["words_left_out"].empty


def test_examples_are_the_nearest_of_each_kind_at_the_best_layer(made):
    rows = made["summaries"][0]["word_examples"]
    assert rows.columns.tolist() == summary.EXAMPLES and set(rows.layer) == {1}
    assert (rows.groupby("kind").size() <= 3).all() and {"meaning", "both"} <= set(rows.kind)
    assert not rows.duplicated(["word_a", "word_b"]).any()
    for _, part in rows.groupby("kind"):
        assert part.cosine.is_monotonic_decreasing and part.share.nunique() == 1
    assert rows.groupby("kind").share.first().sum() <= 1 + 1e-9
    np.testing.assert_allclose(rows.end_a_s - rows.start_a_s, 0.5)


def test_tables_over_models_are_corrected_and_survive_a_sheet(made, tmp_path):
    paths = {}
    for at, found in enumerate(made["summaries"]):
        for table, frame in found.items():
            paths.setdefault(table, []).append(tmp_path / f"{table}{at}.csv")
            sheets.write(frame, paths[table][-1])
    corpus = made["corpus"]
    meanings = tables.read(corpus.paths["meanings"]).to_pylist()
    meanings[0]["concept"] = None
    changed = tmp_path / "meanings.parquet"
    tables.write(tables.from_rows(meanings, tables.schema(corpus.paths["meanings"])), changed)
    files = [corpus.paths["types"]], [changed], [corpus.paths["left_out"]]
    found = summary.compare(["c"], paths, *files)
    rows = found["word_pairs"]
    assert len(rows) == 2 * 3 * 2 * 6
    family = rows[(rows.language_a == "all") & (rows.measure == "similarity")]
    np.testing.assert_allclose(family.p_holm, holm(family.p))
    np.testing.assert_allclose(family.p_time_holm, holm(family.p_time))
    assert len(family) == 6 and not (family.p_holm < family.p).any()
    left = found["words_left_out"]
    first = tables.read(corpus.paths["types"]).to_pylist()[0]
    assert left.to_dict("records") == [
        {"corpus": "c", "model": "", "language": "en", "reason": summary.NO_MEANING, "items": first["tokens"]}
    ]
    sheets.write(rows, tmp_path / "rows.csv")
    again = sheets.read(tmp_path / "rows.csv")
    numbers = again.select_dtypes("number").columns
    assert set(summary.WORD_PAIRS) - set(numbers) == {
        *["corpus", "model", "language_a", "language_b", "measure"]
    }
    for table, texts in (("words", 6), ("word_examples", 8)):
        sheets.write(found[table], tmp_path / "table.csv")
        frame = sheets.read(tmp_path / "table.csv")
        assert len(frame.columns) - len(frame.select_dtypes("number").columns) == texts, frame.dtypes
        pd.testing.assert_frame_equal(frame, found[table].round(6), check_dtype=False)
