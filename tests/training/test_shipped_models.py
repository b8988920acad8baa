"""The models that are shipped: small, whole, offline, and as good as their cards say.

Errors are measured anew, without the code that trained: transformers' own classes on recordings that are
shipped or spoken again.
"""

import functools
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
RECOGNISERS, ALIGNERS = (
    [name for name in OF["finetune_ctc"] if CARDS[name]["options"]["loss"] == loss]
    for loss in ("ctc", "frames")
)


def measured(names):
    """Every model with the split that a test takes again: test, or dev where its card has no other."""
    return [(name, max(row["split"] for row in CARDS[name]["held_out"])) for name in names]


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
        assert row["value"] <= 0.9 * row["chance"] and row["value"] < row["bound"] < row["chance"]
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


@functools.cache
def spoken(language, split):
    """A split of speech-{language}, spoken again: (row, audio, phones with their times)."""
    pytest.importorskip("espeakng_loader", reason="needs espeakng-loader: make synthesisers")
    from phonoscope.corpora.synthetic import espeak, speech

    count = round(40 * 60 / speech.LANGUAGES[language]["utterance_s"])
    rows = [row for row in speech.plan(language, count, 0) if row["split"] == split]
    found = []
    for row, said in zip(rows, espeak.speak([row["request"] for row in rows]), strict=True):
        factor = speech.SPEAKERS[row["speaker"]][1]
        sound = speech.recorded(said.audio, factor, row["noise_db"], row["noise_seed"])
        phones = [
            (start / factor, end / factor, label) for start, end, label in said.phones if label != "sil"
        ]
        found.append((row, sound / np.float32(32768), phones))
    return found


def shipped(corpus, split):
    """A split of a shipped corpus: (row, audio)."""
    from phonoscope.corpora.audio import load

    for row in tables.read(CORPORA / corpus / "recordings.parquet").to_pylist():
        if row["split"] == split:
            yield row, load(CORPORA / corpus / row["audio"])[0]


def toned(language, tiers):
    """The split `test` of speech-{language}, a tone language: every shipped recording of it."""
    from phonoscope.corpora.audio import load
    from phonoscope.corpora.synthetic import tone, tone_plan

    folder = CORPORA / "synthetic-tone" / language
    for row in tone_plan.utterances(language.capitalize()):
        said = [each for each in tone.segments(row) + tone.pitch_segments(row) if each["label"] != "sil"]
        said = [each for each in said if each["tier"] in tiers]
        said.sort(key=lambda each: (each["end_s"], tiers.index(each["tier"])))
        audio = load(folder / "audio" / f"{row['utterance_id']}.flac")[0]
        yield row, audio, [(each["start_s"], each["end_s"], each["label"]) for each in said]


def recordings(corpus, split, tiers):
    """A split of a corpus that is spoken for training, for those that are held out."""
    language = corpus.split("-")[1]
    if (CORPORA / "synthetic-tone" / language).is_dir():
        assert split == "test"
        return list(toned(language, tiers))
    return spoken(language, split)


@functools.cache
def loaded(kind, name):
    import transformers

    return getattr(transformers, kind).from_pretrained(MODELS / name, local_files_only=True)


def logits(kind, name, audio):
    """What the model says of one recording."""
    import torch

    with torch.inference_mode():
        return loaded(kind, name).eval()(torch.from_numpy(normalised(audio))[None]).logits[0]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "split"), measured(RECOGNISERS))
def test_recognises_as_well_as_its_card_says(name, split):
    import jiwer

    right, heard = [], []
    for _, audio, said in recordings(CARDS[name]["corpora"][0], split, CARDS[name]["options"]["units"]):
        best = logits("AutoModelForCTC", name, audio).argmax(-1)[None]
        right.append(" ".join(label for *_, label in said))
        heard.append(loaded("AutoProcessor", name).batch_decode(best)[0])
    (metric,) = {row["metric"] for row in CARDS[name]["held_out"]}
    assert jiwer.wer(right, heard) <= bound(name, split, metric)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in RECOGNISERS if "tone" in CARDS[name]["options"]["units"]])
def test_tells_tones_of_voices_that_it_never_heard(name):
    """From the frame at the syllable's centre, by a linear map that saw the other voices only."""
    import torch
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import f1_score
    from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    (corpus,) = CARDS[name]["corpora"]
    states, tones, voices = [], [], []
    for row, audio, said in toned(corpus.split("-")[1], ["tone"]):
        with torch.inference_mode():
            given = torch.from_numpy(normalised(audio))[None]
            hidden = loaded("AutoModel", name).eval()(given, output_hidden_states=True).hidden_states[2][0]
        for start, end, tone in said:
            states.append(hidden[round(((start + end) / 2 - 0.0125) / 0.02)].numpy())
            tones.append(tone)
            voices.append(row["speaker"])
    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300))
    guesses = cross_val_predict(probe, np.array(states), tones, groups=voices, cv=LeaveOneGroupOut())
    assert f1_score(tones, guesses, average="macro") > 0.8


@pytest.mark.slow
@pytest.mark.parametrize(("name", "split"), measured(ALIGNERS))
def test_names_frames_as_well_as_its_card_says(name, split):
    vocabulary = json.loads((MODELS / name / "vocab.json").read_text("utf-8"))
    wrong = []
    for corpus in CARDS[name]["corpora"]:
        for _, audio, said in recordings(corpus, split, CARDS[name]["options"]["units"]):
            found = logits("AutoModelForCTC", name, audio).argmax(-1).numpy()
            times = (np.arange(len(found)) * 320 + 200) / 16000
            right = np.zeros(len(found), int)
            for start, end, label in said:
                right[(times >= start) & (times < end)] = vocabulary.get(label, vocabulary["<unk>"])
            wrong.append(found != right)
    assert np.concatenate(wrong).mean() <= bound(name, split, "frame error")


@pytest.mark.slow
@pytest.mark.parametrize(("name", "split"), measured(OF["finetune_classifier"]))
def test_classifies_as_well_as_its_card_says(name, split):
    label, wrong = CARDS[name]["options"]["label"], []
    classes = loaded("AutoModelForAudioClassification", name).config.id2label
    for corpus in CARDS[name]["corpora"]:
        for row, audio, _ in spoken(corpus.split("-")[1], split):
            guess = logits("AutoModelForAudioClassification", name, audio).argmax(-1).item()
            wrong.append(classes[guess] != row[label])
    assert np.mean(wrong) <= bound(name, split, "utterances wrong")


@pytest.mark.slow
@pytest.mark.parametrize("name", OF["train_whisper"])
def test_whisper_hears_as_well_as_its_card_says(name):
    import jiwer
    import torch
    from transformers import WhisperForConditionalGeneration, WhisperProcessor

    model = WhisperForConditionalGeneration.from_pretrained(MODELS / name, local_files_only=True).eval()
    processor = WhisperProcessor.from_pretrained(MODELS / name, local_files_only=True)
    plain = jiwer.Compose([jiwer.ToLowerCase(), jiwer.RemovePunctuation(), jiwer.ReduceToListOfListOfWords()])
    rows = list(shipped("synthetic-parallel", "test"))
    english = {row["sentence_id"]: row["text"] for row, _ in rows if row["language"] == "en"}
    for task in CARDS[name]["options"]["tasks"]:
        right, heard = [], []
        for row, audio in rows:
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
