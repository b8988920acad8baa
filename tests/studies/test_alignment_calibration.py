"""What the calibration says of the look-alike filter, against counts made by hand."""

from pathlib import Path

import numpy as np
import pytest

from phonoscope.errors import InputError
from phonoscope.studies import alignment_challenge, calibration_alignment
from phonoscope.studies.alignment_truth import precision_recall

CORPUS = Path(__file__).parents[2] / "resources" / "corpora" / "synthetic-parallel"
OPTIONS = {"voices": {}, "threshold": alignment_challenge.THRESHOLD, "least_phones": 3, "most_by_chance": 1}
OPTIONS |= {"drop_proper_nouns": True, "spacy": {}, "names": None, "seed": 0}


def test_rows_of_the_shipped_corpus(monkeypatch):
    files = [CORPUS / "recordings.parquet"], [CORPUS / "segments.parquet"]
    truth = CORPUS / "lookalikes.tsv"
    options = OPTIONS | {"languages": None, "splits": None, "pronunciation": "segments"}
    pairs, lookalikes = alignment_challenge.choose(*files, options)
    asked = []
    with monkeypatch.context() as patch:
        patch.setattr(
            calibration_alignment, "choose", lambda *given: asked.append(given) or (pairs, lookalikes)
        )
        found = calibration_alignment.rows("c", *files, truth, OPTIONS, ["segments"]).to_pandas()
    assert asked == [(*files, options)]
    even = {f"s{k:03d}" for k in range(2, 129, 2)}
    agreed = precision_recall(pairs, lookalikes, truth, even)
    assert len(agreed) == 7 * 3 * 2 and len(found) == 3 * 2 + 6 * 2
    by = {(a.pair, a.level, a.metric): a for a in agreed}
    row = found[found.case.eq("challenge set: all, phones by segments")].set_index("measure")
    for metric in ("precision", "recall"):
        own, level = by["all", "sentence pair", metric], row.loc[f"{metric}, sentence pairs"]
        assert (level.measured, level.ci_low, level.n) == pytest.approx((own.value, own.low, own.n))
    # 64 sentences of 6 pairs: as many marked at random are right as often as a pair has look-alikes.
    known = by["all", "sentence pair", "recall"].n / 384
    assert row.chance["precision, sentence pairs"] == pytest.approx(known)
    assert row.verdict["precision, sentence pairs"] == f"better than {calibration_alignment.REFERENCE}"
    assert np.isnan(row.chance["recall, word pairs"]) and not isinstance(
        row.verdict["recall, word pairs"], str
    )
    # Where every sentence is marked, precision is the base rate: no better than chance.
    all_marked = calibration_alignment.rows("c", *files, truth, OPTIONS | {"threshold": 9.0}, ["segments"])
    row = all_marked.to_pandas().set_index(["case", "measure"])
    level = row.loc["challenge set: all, phones by segments", "precision, sentence pairs"]
    assert level.measured == pytest.approx(level.chance) and "not told apart" in level.verdict


def test_sentences_have_numbers():
    assert calibration_alignment.number("s014") == 14
    with pytest.raises(InputError, match="north"):
        calibration_alignment.number("north")
