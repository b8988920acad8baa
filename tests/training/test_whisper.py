"""The recipe of the small Whispers on a few utterances of synthetic-parallel."""

from pathlib import Path

import numpy as np
import pytest

from phonoscope.errors import InputError
from phonoscope.training import (
    data,
    runs,
    whisper,
    whisper_items,
    whisper_model,
    whisper_phones,
    whisper_scores,
)
from phonoscope.training.job import Job

CORPUS = Path(__file__).resolve().parents[2] / "resources" / "corpora" / "synthetic-parallel"
TINY = {
    "d_model": 16,
    "encoder_layers": 2,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 32,
    "decoder_ffn_dim": 32,
    "dropout": 0.1,
}
OPTIONS = {
    "tasks": ["transcribe", "translate"],
    "vocabulary": 300,
    "architecture": TINY,
    "steps": 6,
    "batch": 4,
    "log_every": 1,
    "save_every": 2,
    "learning_rate": 5e-3,
    "frames_share": 0.34,
}
BOTH = ("transcribe", "translate")


@pytest.fixture(scope="module")
def rows():
    """All languages of three sentences for training, of two for the test."""
    found = {}
    for split, count in (("train", 12), ("test", 8)):
        read = data.utterances([CORPUS / "recordings.parquet"])[split][:count]
        found[split] = [row | {"audio": str(CORPUS / row["audio"])} for row in read]
    return found


def _job(rows, work, **options):
    phones = data.segments([CORPUS / "segments.parquet"], ["phone"])
    return Job("whisper", OPTIONS | options, None, rows, phones, work, threads=1)


@pytest.fixture(scope="module")
def trained(rows, tmp_path_factory):
    return whisper.train(_job(rows, tmp_path_factory.mktemp("unbroken")))


@pytest.fixture(scope="module")
def made(rows):
    """Model, processor, codes, English texts, spectrograms, items."""
    model, processor = whisper_model.new(rows, whisper.DEFAULTS | OPTIONS, 0)
    codes = whisper_model.languages(processor.tokenizer, rows["train"])
    english = whisper_items.in_english(rows, codes)
    heard = whisper_items.Heard(rows["train"], processor.feature_extractor)
    items = whisper_items.Items(heard, processor.tokenizer, codes, english, BOTH, whisper.DEFAULTS)
    return model, processor, codes, english, heard, items


def _weights(model):
    return {name: value.detach().numpy() for name, value in model.named_parameters()}


def test_vocabulary_gives_texts_back_that_it_has_not_seen(tmp_path):
    from transformers import WhisperFeatureExtractor, WhisperProcessor

    rows = data.utterances([CORPUS / "recordings.parquet"])
    texts = [row["text"] for split in ("train", "test") for row in rows[split]]
    assert len(texts) >= 480
    vocabulary = whisper_model.tokenizer(texts[::2], 400)
    again = whisper_model.tokenizer(texts[::2], 400)
    assert vocabulary.get_vocab() == again.get_vocab()
    WhisperProcessor(WhisperFeatureExtractor(), vocabulary).save_pretrained(tmp_path)
    loaded = WhisperProcessor.from_pretrained(tmp_path, local_files_only=True).tokenizer
    loaded.set_prefix_tokens(language="fi", task="translate")
    for text in [*texts[::8], "ЖЩЪ ñandú œuvre 你好"]:
        ids = loaded(text).input_ids
        assert loaded.decode(ids, skip_special_tokens=True) == text
        assert ids[4:-1] == vocabulary.encode(text, add_special_tokens=False)
    prefix = loaded.convert_ids_to_tokens(ids[:4])
    assert prefix == ["<|startoftranscript|>", "<|fi|>", "<|translate|>", "<|notimestamps|>"]
    assert ids[-1] == loaded.eos_token_id


def test_targets_of_both_tasks(made):
    _, processor, _, english, heard, items = made

    def said(index, translate):
        return processor.decode(items.labels(index, translate))

    finnish = next(i for i, row in enumerate(heard.rows) if row["language"] == "fi")
    row = heard.rows[finnish]
    right = next(
        each["text"]
        for each in heard.rows
        if each["language"] == "en" and each["sentence_id"] == row["sentence_id"]
    )
    assert english[row["sentence_id"]] == right != row["text"]
    assert said(finnish, False) == f"<|fi|><|transcribe|><|notimestamps|>{row['text']}<|endoftext|>"
    assert said(finnish, True) == f"<|fi|><|translate|><|notimestamps|>{right}<|endoftext|>"
    assert {heard.rows[i]["language"] for i in items.translated} == {"es", "fi", "ru"}


def test_decoder_inputs_are_the_labels_one_later(made):
    model, processor, *_, items = made
    batch = whisper_items.Collator(model.config)([items.draw(np.random.default_rng(k)) for k in range(5)])
    labels, inputs = batch["labels"].numpy(), batch["decoder_input_ids"].numpy()
    start, end = model.config.decoder_start_token_id, model.config.eos_token_id
    assert (inputs[:, 0] == start).all() and (labels[:, 1] == -100).all()
    lengths = [len(each[each != -100]) + 1 for each in labels]
    assert len(set(lengths)) > 1
    for wanted, given, length in zip(labels, inputs, lengths, strict=True):
        assert wanted[length - 1] == end and (wanted[length:] == -100).all()
        np.testing.assert_array_equal(given[3:length], wanted[2 : length - 1])
        tasks = processor.tokenizer.convert_tokens_to_ids([f"<|{task}|>" for task in BOTH])
        assert given[2] in tasks


def test_both_models_hear_the_same(made):
    _, processor, codes, english, heard, items = made
    one = whisper_items.Items(
        heard, processor.tokenizer, codes, english, ("transcribe",), whisper.DEFAULTS | {"masks": 1}
    )
    two = whisper_items.Items(heard, processor.tokenizer, codes, english, BOTH, one.options)
    drawn = [(one.draw(np.random.default_rng(k)), two.draw(np.random.default_rng(k))) for k in range(40)]
    differ = 0
    for first, second in drawn:
        np.testing.assert_array_equal(first["features"], second["features"])
        assert first["labels"][0] == second["labels"][0]
        differ += first["labels"] != second["labels"]
    assert 5 < differ < 30


def test_kept_spectrograms_are_those_of_the_extractor(made):
    from phonoscope.corpora.audio import load

    heard = made[4]
    audio = load(heard.rows[0]["audio"], 16000)[0]
    right = heard.extractor(audio, sampling_rate=16000, return_tensors="np")["input_features"][0]
    for _ in range(2):
        found, real = heard[0]
        assert found.shape == right.shape and found.dtype == np.float32
        np.testing.assert_allclose(found, right, atol=2e-3)
        assert abs(real - len(audio) / 160) <= 1


def test_masks_stay_within_the_speech():
    features = np.arange(80 * 100, dtype=np.float32).reshape(80, 100)
    options = {"masks": 3, "time_mask_s": 0.1, "mel_mask": 0}
    changed = [
        whisper_items.mask(features, 60, np.random.default_rng(k), options) != features for k in range(50)
    ]
    counts = [each.any(axis=0).sum() for each in changed]
    assert max(counts) > 10 and max(counts) <= 30
    assert not any(each[:, 60:].any() for each in changed)


def test_steps_lower_the_loss_on_a_fixed_batch(made, rows, tmp_path):
    model = whisper_model.new(rows, whisper.DEFAULTS | OPTIONS, 0)[0]
    batch = made[5].fixed(4)
    schedule = runs.Schedule(steps=20, batch=4, learning_rate=1e-2, log_every=1, save_every=100)
    log = runs.run(model, batch * 20, schedule, tmp_path, whisper_items.Collator(model.config), threads=1)
    # The first update has a learning rate of 0.
    assert log[2]["loss"] < log[1]["loss"]
    assert log[-1]["loss"] < 0.9 * log[0]["loss"]


def test_killed_and_resumed_is_the_same_as_unbroken(rows, trained, tmp_path, monkeypatch):
    class Killed(Exception):
        pass

    call, drawn = whisper_items.Items.draw, []

    def dies(self, rng):
        drawn.append(None)
        if len(drawn) > 3 * OPTIONS["batch"]:
            raise Killed
        return call(self, rng)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(whisper_items.Items, "draw", dies)
        whisper.train(_job(rows, tmp_path))
    assert list(tmp_path.glob("texts/checkpoint-*")) and list(tmp_path.glob("phones/checkpoint-*"))
    resumed = whisper.train(_job(rows, tmp_path))
    others = _weights(resumed.model)
    for name, value in _weights(trained.model).items():
        np.testing.assert_array_equal(value, others[name], err_msg=name)
    assert [row["loss"] for row in resumed.log] == [row["loss"] for row in trained.log]
    assert resumed.held_out == trained.held_out
    assert [row["iteration"] for row in trained.log] == [1, 1, 2, 2, 2, 2]
    assert [row["step"] for row in trained.log] == [1, 2, 3, 4, 5, 6]


def test_the_encoder_hears_phones_at_their_times(rows, made):
    heard, phones = made[4], data.segments([CORPUS / "segments.parquet"], ["phone"])
    row = heard.rows[0]
    known = whisper_phones.units(heard.rows, phones, ("phone",))
    names = {index: name for name, index in known.vocabulary.items()}
    got = whisper_phones._targets(row, phones, known, 150)
    right = 0
    for frame, label in enumerate(got):
        time_s = frame / 50
        if time_s > row["duration_s"]:
            assert label == whisper_phones.IGNORED
            continue
        said = [
            each["label"] for each in phones[row["utterance_id"]] if each["start_s"] <= time_s < each["end_s"]
        ]
        right += names[label] == said[0] if said and said[0] != "sil" else label == 0
    # Two equal phones have a blank between them, and a short one may take its neighbour's frame.
    assert right >= 0.93 * (got != whisper_phones.IGNORED).sum()


def test_a_share_must_leave_something():
    schedule = runs.Schedule(steps=10)
    first, then = whisper_phones.parted(schedule, 0.3)
    assert (first.steps, then.steps) == (3, 7)
    for share in (0.01, 1.0):
        with pytest.raises(InputError, match="leaves nothing"):
            whisper_phones.parted(schedule, share)


def test_saved_folder_loads_and_generates(rows, trained, tmp_path):
    from transformers import WhisperForConditionalGeneration, WhisperProcessor

    from phonoscope.corpora.audio import load

    for each in (trained.model, *trained.extras):
        each.save_pretrained(tmp_path)
    model = WhisperForConditionalGeneration.from_pretrained(tmp_path, local_files_only=True).eval()
    processor = WhisperProcessor.from_pretrained(tmp_path, local_files_only=True)
    audio = [load(row["audio"], 16000)[0] for row in rows["test"][:3]]
    features = processor(audio, sampling_rate=16000, return_tensors="pt").input_features
    assert features.shape == (3, 80, 300)
    for task in BOTH:
        for language in ("fi", ["en", "es", "ru"]):
            tokens = model.generate(features, language=language, task=task)
            assert tokens.shape[0] == 3
            assert all(isinstance(text, str) for text in processor.batch_decode(tokens))
    spoken = model.generate(features)
    assert spoken.shape[0] == 3
    with pytest.raises(ValueError, match="not supported"):
        model.generate(features, language="fr", task="transcribe")


def test_encoder_of_a_saved_folder_gives_states(trained, tmp_path):
    from phonoscope.encoders.load import load
    from phonoscope.encoders.windows import cut

    for each in (trained.model, *trained.extras):
        each.save_pretrained(tmp_path)
    encoder = load({"name": "whisper", "encoder": "transformers"}, tmp_path)
    assert encoder.longest_s == 3.0 and encoder.depth == 2
    audio = np.random.default_rng(0).standard_normal(16000).astype(np.float32) / 10
    assert encoder.encode([audio])[0][2].shape == (50, 16)
    assert len(cut(encoder, 16000 * 8, 60, 8)) > 2


def test_word_error_rates(trained):
    assert whisper_scores.word_error_rate(["Anna näkee talon."], ["anna, näkee TALON"]) == 0
    assert whisper_scores.word_error_rate(["a b c d"], ["a x c"]) == 0.5
    metrics = [row["metric"] for row in trained.held_out]
    assert metrics == [
        *(f"WER, transcription, {code}" for code in ("en", "es", "fi", "ru", "all")),
        *(f"WER, translation, {code}" for code in ("es", "fi", "ru", "all")),
    ]
    assert [row["n"] for row in trained.held_out] == [2, 2, 2, 2, 8, 2, 2, 2, 6]


def test_right_hypotheses_have_no_error_and_chance_has():
    texts = {i: f"word{i} other{i} third" for i in range(10)}
    found = whisper_scores._rows("test", "WER", ["fi"] * 10, texts, texts)
    assert [row["value"] for row in found] == [0] and 0.5 < found[0]["chance"] < 0.7


def test_model_of_one_task_has_a_control(rows, tmp_path):
    found = whisper.train(_job(rows, tmp_path, tasks=["transcribe"], steps=2))
    assert {row["metric"].split(", ")[1] for row in found.held_out} == {"transcription"}
    assert "translation, never learned, test" in found.facts


def test_goes_on_from_a_whisper(rows, trained, tmp_path):
    for each in (trained.model, *trained.extras):
        each.save_pretrained(tmp_path / "base")
    job = Job(
        "again",
        OPTIONS | {"steps": 1, "frames_share": 0},
        tmp_path / "base",
        rows,
        {},
        tmp_path / "work",
        threads=1,
    )
    found = whisper.train(job)
    assert found.extras[0].tokenizer.get_vocab() == trained.extras[0].tokenizer.get_vocab()
    first = whisper.train(_job(rows, tmp_path / "new", steps=1, frames_share=0))
    assert found.log[0]["loss"] < first.log[0]["loss"]


def test_what_cannot_be_trained(rows, tmp_path):
    with pytest.raises(InputError, match="cannot be trained"):
        whisper.train(_job(rows, tmp_path, tasks=["translate"]))
    finnish = {split: [row for row in each if row["language"] == "fi"] for split, each in rows.items()}
    with pytest.raises(InputError, match="has an English one"):
        whisper.train(_job(finnish, tmp_path))
    klingon = {"train": [row | {"language": "tlh"} for row in rows["train"]]}
    with pytest.raises(InputError, match="does not know the language 'tlh'"):
        whisper.train(_job(klingon, tmp_path))
    mute = {"train": [row | {"text": None} for row in rows["train"]]}
    with pytest.raises(InputError, match="has no text"):
        whisper.train(_job(mute, tmp_path))
    few = OPTIONS | {"architecture": TINY | {"max_target_positions": 8}, "frames_share": 0}
    with pytest.raises(InputError, match="positions"):
        whisper.train(Job("few", few, None, rows, {}, tmp_path, threads=1))
