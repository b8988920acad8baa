"""Early exit of a corpus: ordinary decoding at the last layer, errors by hand, languages without a token."""

import itertools
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from phonoscope import tables
from phonoscope.encoders import whisper
from phonoscope.errors import InputError
from phonoscope.studies import alignment_decoders
from phonoscope.studies.alignment_exits import exit_early, targets, with_errors

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "resources" / "corpora" / "synthetic-parallel"
FOLDER = ROOT / "resources" / "models" / "whisper-tiny-transcribe"
OPTIONS = {"norm": True, "task": "transcribe", "language": "given", "stand_in": {}, "long": "leave_out"}
OPTIONS |= {"max_new_tokens": None, "normalisers": ["plain", "whisper"], "seed": 0}


@pytest.fixture(scope="module")
def model():
    return whisper.load({"name": "tiny", "path": str(FOLDER)})


def recordings(split="test", languages=("en", "es", "fi", "ru"), n=3):
    rows = tables.read(CORPUS / "recordings.parquet").to_pylist()
    rows = [row for row in rows if row["split"] == split]
    chosen = sorted({row["sentence_id"] for row in rows})[:n]
    return [
        row | {"audio": str(CORPUS / row["audio"])}
        for language in languages
        for row in rows
        if row["language"] == language and row["sentence_id"] in chosen
    ]


@pytest.fixture
def write(tmp_path):
    """Function that writes rows of recordings as a table."""

    def make(rows, name="chosen"):
        path = tmp_path / f"{name}.parquet"
        tables.write(tables.from_rows(rows, tables.UTTERANCES), path)
        return path

    return make


def distance(one, two):
    """Levenshtein's, cell by cell."""
    row = list(range(len(two) + 1))
    for i, a in enumerate(one, start=1):
        before, row[0] = row[0], i
        for j, b in enumerate(two, start=1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]


def test_the_last_layer_is_ordinary_decoding(model, write):
    import torch
    from transformers import WhisperForConditionalGeneration, WhisperProcessor

    from phonoscope.corpora.audio import load

    rows = recordings()
    found = exit_early(model, write(rows), 4, OPTIONS).to_pylist()
    network = WhisperForConditionalGeneration.from_pretrained(FOLDER, dtype="float32").eval()
    processor = WhisperProcessor.from_pretrained(FOLDER)
    audios = [load(row["audio"])[0] for row in rows]
    features = processor.feature_extractor(audios, sampling_rate=16000, return_tensors="pt")
    with torch.inference_mode():
        written = network.generate(
            features["input_features"], language=[row["language"] for row in rows], task="transcribe"
        )
    texts = processor.batch_decode(written, skip_special_tokens=True)
    assert [row["hypothesis"] for row in found] == [text.strip() for text in texts]
    assert [row["reference"] for row in found] == [row["text"] for row in rows]
    assert {row["prompted"] for row in found} == {"given"} and all(row["ended"] for row in found)
    assert [row["token"] for row in found] == [row["language"] for row in rows]


def test_lower_layers_and_states_without_the_norm_differ(model, write):
    path = write(recordings(languages=("fi",)))
    made = [
        exit_early(model, path, layer, OPTIONS | {"norm": norm, "max_new_tokens": 9})
        for layer, norm in itertools.product((1, 4), (True, False))
    ]
    texts = [tuple(table["hypothesis"].to_pylist()) for table in made]
    assert len(set(texts)) == 4
    about = tables.provenance(made[1])
    assert (about["layer"], about["norm"], about["model"], about["left_out"]) == (1, False, "tiny", [])
    assert all(n <= 9 for table in made for n in table["n_tokens"].to_pylist())
    assert any(not ended for table in made for ended in table["ended"].to_pylist())


def test_languages_without_a_token_are_detected_or_have_a_stand_in(model, write):
    rows = [row | {"language": "olo" if row["language"] == "fi" else row["language"]} for row in recordings()]
    path = write(rows)
    known = exit_early(model, write(recordings(), "known"), 3, OPTIONS).to_pylist()
    detected = exit_early(model, path, 3, OPTIONS).to_pylist()
    named = exit_early(model, path, 3, OPTIONS | {"stand_in": {"olo": "Finnish"}}).to_pylist()
    asked = exit_early(model, path, 3, OPTIONS | {"language": "detected"}).to_pylist()
    for k, row in enumerate(rows):
        own = "detected" if row["language"] == "olo" else "given"
        assert detected[k]["prompted"] == own and detected[k]["token"] in model.languages
        assert named[k]["prompted"] == {"detected": "stand-in"}.get(own, own)
        assert named[k]["token"] == {"olo": "fi"}.get(row["language"], row["language"])
        assert named[k]["hypothesis"] == known[k]["hypothesis"]
        assert asked[k]["prompted"] == "detected"
    with pytest.raises(InputError, match=r"stand_in\.olo: model tiny has no token for 'et'"):
        exit_early(model, path, 3, OPTIONS | {"stand_in": {"olo": "et"}})


def hypotheses(n, seed=0):
    rng = np.random.default_rng(seed)
    words = ["ab", "abc", "b", "ca", "dé", "color", "colour"]
    texts = [[" ".join(rng.choice(words, rng.integers(1, 7))) for _ in range(n)] for _ in range(2)]
    return [{"language": "fi", "reference": a, "hypothesis": b} for a, b in zip(*texts, strict=True)]


@pytest.mark.parametrize("n", [2, 6, 21])
def test_errors_and_those_of_all_other_texts(n):
    rows = hypotheses(n)
    found = with_errors(rows, "plain", OPTIONS)
    for row, counts in zip(rows, found, strict=True):
        right, heard = row["reference"], row["hypothesis"]
        assert counts["plain_word_errors"] == distance(right.split(), heard.split())
        assert counts["plain_character_errors"] == distance(right, heard)
        assert (counts["plain_words"], counts["plain_characters"]) == (len(right.split()), len(right))
        others = [other["hypothesis"] for other in rows if other is not row]
        expected = np.mean([distance(right, other) for other in others])
        assert counts["plain_other_character_errors"] == pytest.approx(expected)
        expected = np.mean([distance(right.split(), other.split()) for other in others])
        assert counts["plain_other_word_errors"] == pytest.approx(expected)


def test_of_many_other_texts_twenty_are_taken_and_never_the_own():
    rows = [row | {"hypothesis": row["reference"]} for row in hypotheses(40)]
    for k, row in enumerate(rows):
        row["reference"] = row["hypothesis"] = f"{row['reference']} {k}"
    found = with_errors(rows, "plain", OPTIONS)
    assert all(row["plain_word_errors"] == 0 and row["plain_other_word_errors"] >= 1 for row in found)
    assert found == with_errors(rows, "plain", OPTIONS)
    assert found != with_errors(rows, "plain", OPTIONS | {"seed": 1})


def test_normalisers_and_scripts_without_spaces():
    english = [{"language": "en_us", "reference": "The colour isn't red.", "hypothesis": "color is not red"}]
    (row,) = with_errors(english, "whisper", OPTIONS, {"colour": "color"})
    assert (row["whisper_word_errors"], row["whisper_words"]) == (1, 5)
    assert row["whisper_other_word_errors"] is None and row["whisper_other_character_errors"] is None
    chinese = [
        {"language": "zh", "reference": text, "hypothesis": "他去学校"} for text in ("我们在家", "他去")
    ]
    for row in with_errors(chinese, "plain", OPTIONS):
        assert row["plain_words"] is row["plain_word_errors"] is row["plain_other_word_errors"] is None
        assert row["plain_character_errors"] in (4, 2) and row["plain_other_character_errors"] > 0
    translated = [{"language": "fi", "reference": "isn't", "hypothesis": "is not"}]
    for task, errors in (("translate", 0), ("transcribe", 2)):
        (row,) = with_errors(translated, "whisper", OPTIONS | {"task": task})
        assert row["whisper_word_errors"] == errors


def test_translations_are_compared_with_english(model, write):
    rows = recordings()[1:]  # the first sentence lacks its English
    kept, left = targets(rows, "translate")
    english = {row["sentence_id"]: row["text"] for row in rows if row["language"] == "en"}
    assert {row["language"] for row in kept} == {"es", "fi", "ru"} and len(kept) == 6
    assert all(row["text"] == english[row["sentence_id"]] for row in kept)
    assert sorted(each["language"] for each in left) == ["es", "fi", "ru"]
    assert targets(rows, "transcribe") == (rows, [])
    table = exit_early(model, write(rows), 4, OPTIONS | {"task": "translate"})
    assert set(table["reference"].to_pylist()) == set(english.values())
    assert {each["reason"] for each in tables.provenance(table)["left_out"]} == {
        alignment_decoders.NO_TRANSLATION
    }
    with pytest.raises(InputError, match=r"early_exit\.task: no recording has an English text"):
        targets([row for row in rows if row["language"] != "en"], "translate")


FAKE = {"name": "fake", "multilingual": True, "languages": {"fi": 1, "en": 2}, "longest_s": 30.0}
FAKE |= {"prompt": lambda code: [1, 2, 3, 4], "tokenizer": lambda text, **options: {"input_ids": list(text)}}
FAKE |= {"network": SimpleNamespace(config=SimpleNamespace(max_target_positions=24))}


def row(name, **more):
    return {"utterance_id": name, "language": "fi", "duration_s": 2.0, "text": "sana"} | more


def test_what_a_decoder_does_not_take_is_counted():
    fake = SimpleNamespace(**FAKE)
    rows = [row("a"), row("b", duration_s=30.0), row("c", duration_s=30.01), row("d", text=" … ")]
    rows += [row("e", text=None), row("f", language="olo"), row("g", language="olo"), row("h", language=None)]
    rows += [row("i", text="a" * 20)]  # with a space in front 21, and the prompt 25
    kept, left = alignment_decoders.admitted(fake, rows, "leave_out")
    assert [(each["utterance_id"], each["code"], each["how"]) for each in kept] == [
        ("a", "fi", "given"),
        ("b", "fi", "given"),
    ]
    assert {(each["language"], each["reason"]): each["items"] for each in left} == {
        ("fi", alignment_decoders.TOO_LONG): 1,
        ("fi", alignment_decoders.EMPTY): 2,
        ("fi", alignment_decoders.TOO_MANY): 1,
        ("olo", alignment_decoders.NO_TOKEN): 2,
        ("", alignment_decoders.NO_TOKEN): 1,
    }
    kept, _ = alignment_decoders.admitted(fake, rows, "leave_out", {"olo": "fi"})
    assert [each["code"] for each in kept] == ["fi"] * 4
    kept, _ = alignment_decoders.admitted(fake, rows, "leave_out", forced=False)
    assert [each["code"] for each in kept] == ["fi", "fi", None, None, None, "fi"]
    with pytest.raises(InputError, match=r"c: recording of 30\.0 s: longer than .* set long: leave_out"):
        alignment_decoders.admitted(fake, rows, "refuse")
    with pytest.raises(InputError, match=r"i: .* more tokens than the decoder takes \(model fake\)"):
        alignment_decoders.admitted(fake, rows[-1:], "refuse")
    with pytest.raises(InputError, match="no recording that the decoder of model fake takes"):
        alignment_decoders.admitted(fake, rows[3:5], "leave_out")
    english = SimpleNamespace(**FAKE | {"multilingual": False, "languages": {}})
    assert alignment_decoders.token_of(english, "en_us", {}) == ("en", "given")
    assert alignment_decoders.token_of(english, "fi", {}) == (None, "detected")


def test_a_model_without_a_decoder_is_said_in_one_line(tmp_path):
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
    from safetensors.numpy import load_file, save_file

    weights = load_file(tmp_path / "model.safetensors")
    kept = {key: value for key, value in weights.items() if "decoder" not in key}
    save_file(kept, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(InputError, match="has no decoder") as caught:
        whisper.load({"name": "encoder", "path": str(tmp_path)})
    assert "\n" not in str(caught.value)
