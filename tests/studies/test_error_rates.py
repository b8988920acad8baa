"""Error rates against a plain edit distance and jiwer's own totals."""

import json
import math
from pathlib import Path

import jiwer
import numpy as np
import pytest

from phonoscope.errors import InputError
from phonoscope.studies.error_rates import error_rates, plain, spelling_of, whisper_normaliser


def distance(one, two):
    """Levenshtein's, cell by cell."""
    row = list(range(len(two) + 1))
    for i, a in enumerate(one, start=1):
        before, row[0] = row[0], i
        for j, b in enumerate(two, start=1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]


def test_rates_and_counts_of_random_texts():
    rng = np.random.default_rng(0)

    def text(least):
        return " ".join(rng.choice(["ab", "abc", "b", "ca", "dé"], rng.integers(least, 9)))

    references, hypotheses = [text(1) for _ in range(60)], [text(0) for _ in range(60)]
    found = error_rates(references, hypotheses, plain)
    expected = [
        (distance(r.split(), h.split()), len(r.split()), distance(r, h), len(r))
        for r, h in zip(references, hypotheses, strict=True)
    ]
    np.testing.assert_array_equal(found.counts, expected)
    assert found.wer == pytest.approx(jiwer.wer(references, hypotheses))
    assert found.cer == pytest.approx(jiwer.cer(references, hypotheses))
    some = found.counts[[3, 3, 7]].sum(axis=0)
    pick = [references[k] for k in (3, 3, 7)], [hypotheses[k] for k in (3, 3, 7)]
    assert some[0] / some[1] == pytest.approx(jiwer.wer(*pick))


def test_scripts_without_spaces_have_a_character_error_rate_only():
    found = error_rates(["我们在家。", "他去 学校"], ["我 们 在", "他去学校"], plain)
    assert math.isnan(found.wer)
    assert found.counts[:, 2:].tolist() == [[1, 4], [0, 4]]
    assert found.cer == 1 / 8


def test_nothing_said_and_nothing_heard():
    found = error_rates(["a b", "…", "c"], ["", "oh no", "c"], plain)
    assert found.counts.tolist() == [[2, 2, 3, 3], [2, 0, 5, 0], [0, 1, 0, 1]]
    assert (found.wer, found.cer) == (4 / 3, 2.0)
    for references in ([], ["…", ""]):
        with pytest.raises(InputError, match="^language fi: no reference has a word"):
            error_rates(references, ["x"] * len(references), plain, "language fi")


def test_plain_texts():
    assert plain("  It's WELL-known,\tÉcole… 3½ ") == "its well known école 31 2"
    assert plain("हिन्दी में, ภาษาไทย!") == "हिन्दी में ภาษาไทย"
    assert plain("Ёлка\u2019s “x”") == "ёлкаs x"


def test_whispers_normaliser_is_that_of_its_tokenizer(tmp_path):
    from transformers import WhisperTokenizer

    folder = Path(__file__).resolve().parents[2] / "resources" / "models" / "whisper-tiny-transcribe"
    assert spelling_of(folder) == {}
    (tmp_path / "normalizer.json").write_text(json.dumps({"colour": "color"}), encoding="utf-8")
    tokenizer = WhisperTokenizer.from_pretrained(folder, local_files_only=True)
    tokenizer.english_spelling_normalizer = spelling_of(tmp_path)
    texts = ["Mr. Smith's colour isn't [noise] twenty-one, um, don't you?", "", "¡Año (risas) nuevo!"]
    for text in texts:
        assert whisper_normaliser("en", spelling_of(tmp_path))(text) == tokenizer.normalize(text)
        assert whisper_normaliser("es")(text) == tokenizer.basic_normalize(text)
    assert "color" in whisper_normaliser("en", spelling_of(tmp_path))(texts[0])
    assert "colour" in whisper_normaliser("en")(texts[0])
    (tmp_path / "normalizer.json").write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match=r"normalizer\.json: the spellings cannot be read"):
        spelling_of(tmp_path)
