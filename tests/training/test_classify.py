"""Classifiers of utterances, on a tiny network and two voices that are tones."""

import itertools

import numpy as np
import pytest

from phonoscope import tables
from phonoscope.corpora.synthetic import folder
from phonoscope.errors import InputError
from phonoscope.training import classify, inputs
from phonoscope.training.job import Job

TINY = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "conv_dim": [8] * 7,
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
}
OPTIONS = {
    "label": "speaker",
    "crop_s": 0.4,
    "steps": 6,
    "batch": 2,
    "save_every": 2,
    "log_every": 2,
    "architecture": TINY,
}


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """Rows by split: two voices of one sex, a third in the split test."""
    place, rng, given = tmp_path_factory.mktemp("corpus"), np.random.default_rng(0), []
    for i in range(10):
        speaker = "c" if i > 8 else "ab"[i % 2]
        hertz = {"a": 200, "b": 900, "c": 2500}[speaker]
        time = np.arange(6000 + 700 * i) / 16000
        audio = 8000 * np.sin(2 * np.pi * hertz * time) + 50 * rng.standard_normal(len(time))
        split = "train" if i < 6 else "dev" if i < 9 else "test"
        row = {"utterance_id": f"u{i}", "speaker": speaker, "sex": "f", "condition": "xy"[i // 2 % 2]}
        given.append((row | {"split": split}, audio.astype(np.int16)))
    folder.write(place, given, [], seed=0)
    found = tables.read(place / "recordings.parquet").to_pylist()
    found = [row | {"audio": str(place / row["audio"])} for row in found]
    return {split: [r for r in found if r["split"] == split] for split in ("train", "dev", "test")}


def job(rows, work, **options):
    return Job("tiny", OPTIONS | options, None, rows, {}, work, 1)


@pytest.mark.parametrize("frozen", [True, False])
def test_a_step_lowers_the_loss_of_its_batch(rows, tmp_path, frozen):
    import torch

    each = job(rows, tmp_path)
    model = classify.build("AudioClassification", each, {"num_labels": 2}, 0).cpu()
    recipe = classify.Recipe(crop_s=0.4, freeze_front_end=frozen)
    given = classify._Utterances(model, rows["train"], ["a", "b"], recipe)
    batch = classify.collate([given.draw(np.random.default_rng(i)) for i in range(4)])
    network = classify._network(model).eval()
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
    before = network(**batch)["loss"]
    before.backward()
    optimizer.step()
    assert network(**batch)["loss"].item() < before.item() - 1e-4


@pytest.mark.slow
def test_killed_and_resumed_equals_unbroken(rows, tmp_path, monkeypatch):
    whole = classify.train(job(rows, tmp_path / "whole"))
    calls, collate = itertools.count(), classify.collate

    def killed(items):
        if next(calls) == 5:
            raise KeyboardInterrupt
        return collate(items)

    with monkeypatch.context() as patch:
        patch.setattr(classify, "collate", killed)
        with pytest.raises(KeyboardInterrupt):
            classify.train(job(rows, tmp_path / "broken"))
    assert list((tmp_path / "broken").glob("checkpoint-*"))
    resumed = classify.train(job(rows, tmp_path / "broken"))
    other = resumed.model.state_dict()
    for name, value in whole.model.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), other[name].numpy(), err_msg=name)
    assert whole.held_out == resumed.held_out


@pytest.mark.slow
def test_saved_folder_loads_and_says_the_same(rows, tmp_path):
    import torch
    from transformers import AutoFeatureExtractor, AutoModelForAudioClassification

    trained = classify.train(job(rows, tmp_path / "work"))
    # The voice of test was not in train: it is not scored.
    assert [row["split"] for row in trained.held_out] == ["dev"]
    assert trained.held_out[0]["chance"] == pytest.approx(1 / 3)
    for each in (trained.model, *trained.extras):
        each.save_pretrained(tmp_path / "model")
    model = AutoModelForAudioClassification.from_pretrained(tmp_path / "model", local_files_only=True).eval()
    extractor = AutoFeatureExtractor.from_pretrained(tmp_path / "model", local_files_only=True)
    assert model.config.id2label == {0: "a", 1: "b"}
    given = inputs.Inputs(model.hubert, rows["dev"], frozen=True)
    sounds = inputs.Sounds(rows["dev"])
    with torch.inference_mode():
        batch = inputs.batch([given[i] for i in range(3)])
        ours = classify._network(model).eval().logits(*batch.values())
        for i in range(3):
            own = model(**extractor(sounds[i], sampling_rate=16000, return_tensors="pt")).logits[0]
            np.testing.assert_allclose(own.numpy(), ours[i].numpy(), atol=1e-4)
    wrong = [
        int(row.argmax()) != "ab".index(each["speaker"]) for row, each in zip(ours, rows["dev"], strict=True)
    ]
    assert trained.held_out[0]["value"] == pytest.approx(np.mean(wrong))


def test_what_cannot_be_told_apart_is_refused(rows, tmp_path):
    with pytest.raises(InputError, match="1 values of sex"):
        classify.train(job(rows, tmp_path, label="sex"))
    with pytest.raises(InputError, match="is no label"):
        classify.train(job(rows, tmp_path, label="mood"))


def test_test_is_scored_where_its_labels_are_known(rows):
    found, classes = classify._labelled(
        job(rows, None, label="condition"), classify.Recipe(label="condition")
    )
    assert classes == ["x", "y"] and set(found) == {"train", "dev", "test"}
