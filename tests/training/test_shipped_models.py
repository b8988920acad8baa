"""The models that are shipped: small, whole, offline, and as good as their cards say.

Errors are measured anew, without the code that trained: transformers' own classes on recordings that are
shipped or spoken again.
"""

import json
import socket
from pathlib import Path

import numpy as np
import pytest

from phonoscope import tables
from phonoscope.training.data import normalised

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "resources" / "models"
CORPORA = ROOT / "resources" / "corpora"
CARDS = {path.parent.name: json.loads(path.read_text("utf-8")) for path in MODELS.glob("*/training.json")}
OF = {
    recipe: sorted(name for name, card in CARDS.items() if card["recipe"] == recipe)
    for recipe in ("pretrain", "finetune_ctc", "finetune_classifier", "train_whisper")
}
NOT_FRAMES = [name for name in OF["finetune_ctc"] if CARDS[name]["options"]["loss"] == "ctc"]
# Who was heard in training is not in the test split, so that speakers are tested on split dev only.
TESTED = [
    name
    for name in OF["finetune_classifier"]
    if any(row["split"] == "test" for row in CARDS[name]["held_out"])
]


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(*_):
        raise AssertionError("the network was asked for")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def bound(name, split, metric):
    found = [row for row in CARDS[name]["held_out"] if (row["split"], row["metric"]) == (split, metric)]
    assert len(found) == 1, f"{name} has {[(row['split'], row['metric']) for row in CARDS[name]['held_out']]}"
    return found[0]["bound"]


@pytest.mark.parametrize("name", sorted(CARDS))
def test_is_small_and_its_card_is_whole(name):
    folder, card = MODELS / name, CARDS[name]
    assert sum(path.stat().st_size for path in folder.iterdir()) < 5e6
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert card["command"] in text and name in card["command"]
    assert card["held_out"], "a model whose errors are not known is not shipped"
    for row in card["held_out"]:
        assert row["value"] < row["bound"] < row["chance"]
        assert f"{row['value']:.3f}" in text
    log = (folder / "training.tsv").read_text(encoding="utf-8").splitlines()
    assert len(log) > 2


@pytest.mark.parametrize("name", sorted(CARDS))
def test_loads_whole_and_offline(name):
    import torch
    import transformers

    kind = json.loads((MODELS / name / "config.json").read_text("utf-8"))["architectures"][0]
    model, report = getattr(transformers, kind).from_pretrained(
        MODELS / name, local_files_only=True, output_loading_info=True
    )
    assert not [key for key in report["missing_keys"] if not key.endswith("masked_spec_embed")]
    assert not report["unexpected_keys"] and not report["mismatched_keys"]
    assert {value.dtype for value in model.parameters()} == {torch.float32}
    transformers.AutoFeatureExtractor.from_pretrained(MODELS / name, local_files_only=True)


@pytest.mark.parametrize("name", [*OF["pretrain"], "hubert-tiny-synthetic"])
def test_gives_the_same_states_twice(name):
    from phonoscope.encoders.load import load

    encoder = load({"name": name, "encoder": "transformers", "depth": 4}, MODELS / name)
    audio = np.random.default_rng(0).standard_normal(16000).astype(np.float32)
    first, second = encoder.encode([audio])[0], encoder.encode([audio])[0]
    assert sorted(first) == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(first[4], second[4])


def spoken(language):
    """The test split of speech-{language}, spoken again: (row, audio, phones)."""
    pytest.importorskip("espeakng_loader", reason="needs espeakng-loader: make synthesisers")
    from phonoscope.corpora.synthetic import espeak, speech

    count = round(40 * 60 / speech.LANGUAGES[language]["utterance_s"])
    rows = [row for row in speech.plan(language, count, 0) if row["split"] == "test"]
    for row, said in zip(rows, espeak.speak([row["request"] for row in rows]), strict=True):
        factor = speech.SPEAKERS[row["speaker"]][1]
        sound = speech.recorded(said.audio, factor, row["noise_db"], row["noise_seed"])
        yield row, sound / np.float32(32768), [label for *_, label in said.phones if label != "sil"]


def shipped(corpus, tiers=()):
    """The test split of a shipped corpus: (row, audio, labels)."""
    from phonoscope.corpora.audio import load
    from phonoscope.training import data

    labels = data.segments([CORPORA / corpus / "segments.parquet"], tiers) if tiers else {}
    for row in tables.read(CORPORA / corpus / "recordings.parquet").to_pylist():
        if row["split"] == "test":
            said = [each["label"] for each in labels.get(row["utterance_id"], []) if each["label"] != "sil"]
            yield row, load(CORPORA / corpus / row["audio"])[0], said


def recognised(name, audio):
    """What a CTC model makes of one recording, tokens in a list."""
    import torch
    from transformers import AutoModelForCTC, AutoProcessor

    if name not in recognised.cache:
        model = AutoModelForCTC.from_pretrained(MODELS / name, local_files_only=True).eval()
        recognised.cache[name] = model, AutoProcessor.from_pretrained(MODELS / name, local_files_only=True)
    model, processor = recognised.cache[name]
    with torch.inference_mode():
        best = model(torch.from_numpy(normalised(audio))[None]).logits.argmax(-1)
    return processor.batch_decode(best)[0].split()


recognised.cache = {}


@pytest.mark.slow
@pytest.mark.parametrize("name", NOT_FRAMES)
def test_recognises_as_well_as_its_card_says(name):
    import jiwer

    units = CARDS[name]["options"]["units"]
    corpus = CARDS[name]["corpora"][0]
    kind, language = corpus.split("-")
    if kind == "speech":
        recordings = list(spoken(language))
    else:
        recordings = list(shipped(f"synthetic-tone/{language}", units))
    right = [" ".join(said) for *_, said in recordings]
    heard = [" ".join(recognised(name, audio)) for _, audio, _ in recordings]
    metric = next(row["metric"] for row in CARDS[name]["held_out"] if row["split"] == "test")
    assert jiwer.wer(right, heard) <= bound(name, "test", metric)


@pytest.mark.slow
@pytest.mark.parametrize("name", TESTED)
def test_classifies_as_well_as_its_card_says(name):
    import torch
    from transformers import AutoModelForAudioClassification

    model = AutoModelForAudioClassification.from_pretrained(MODELS / name, local_files_only=True).eval()
    label, wrong = CARDS[name]["options"]["label"], []
    for language in ("fi", "ru"):
        for row, audio, _ in spoken(language):
            with torch.inference_mode():
                guess = model(torch.from_numpy(normalised(audio))[None]).logits.argmax(-1).item()
            wrong.append(model.config.id2label[guess] != row[label])
    metric = next(row["metric"] for row in CARDS[name]["held_out"] if row["split"] == "test")
    assert np.mean(wrong) <= bound(name, "test", metric)


@pytest.mark.slow
@pytest.mark.parametrize("name", OF["train_whisper"])
def test_whisper_hears_as_well_as_its_card_says(name):
    import jiwer
    import torch
    from transformers import WhisperForConditionalGeneration, WhisperProcessor

    model = WhisperForConditionalGeneration.from_pretrained(MODELS / name, local_files_only=True).eval()
    processor = WhisperProcessor.from_pretrained(MODELS / name, local_files_only=True)
    plain = jiwer.Compose([jiwer.ToLowerCase(), jiwer.RemovePunctuation(), jiwer.ReduceToListOfListOfWords()])
    rows = list(shipped("synthetic-parallel"))
    english = {row["sentence_id"]: row["text"] for row, *_ in rows if row["language"] == "en"}
    for task in CARDS[name]["options"]["tasks"]:
        right, heard = [], []
        for row, audio, _ in rows:
            if task == "translate" and row["language"] == "en":
                continue
            features = processor(audio, sampling_rate=16000, return_tensors="pt").input_features
            with torch.inference_mode():
                tokens = model.generate(features, language=row["language"], task=task)
            heard.append(processor.batch_decode(tokens, skip_special_tokens=True)[0])
            right.append(english[row["sentence_id"]] if task == "translate" else row["text"])
        error = jiwer.wer(right, heard, reference_transform=plain, hypothesis_transform=plain)
        kind = "translation" if task == "translate" else "transcription"
        assert error <= bound(name, "test", f"WER, {kind}, all")
