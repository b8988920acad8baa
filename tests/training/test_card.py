"""What a training leaves: half-float weights that load as float32, and a card that says what was measured."""

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest

from phonoscope.errors import InputError
from phonoscope.training import card, pretrain, task
from phonoscope.training.job import Job, Trained

ROW = {"utterance_id": "a", "audio": "a.flac", "duration_s": 90.0, "speaker": "x"}
HELD_OUT = {"split": "dev", "metric": "masked loss (nats)", "value": 2.0, "chance": 4.0,
            "control": "knows only how common each cluster is", "n": 1000}  # fmt: skip
LOG = [{"step": 50, "loss": 4.5, "held_out_loss": None, "seconds": 60.0},
       {"step": 100, "loss": 3.25, "held_out_loss": 3.5, "seconds": 120.0}]  # fmt: skip


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    import torch
    from transformers import HubertConfig, HubertModel

    torch.manual_seed(0)
    options = {"recipe": "pretrain", "corpora": ["speech-fi"], "steps": 100, "seed": 3, "batch": 8,
               "architecture": {}}  # fmt: skip
    job = Job("small", options, None, {"train": [ROW, ROW], "dev": [ROW], "test": []}, {}, "work", 1)
    model = HubertModel(HubertConfig(**pretrain.TINY)).eval()
    folder = tmp_path_factory.mktemp("model")
    card.save(
        job,
        Trained(pretrain.ready(model), [], LOG, [HELD_OUT], {"targets": "100 clusters"}),
        folder,
        "snakemake x",
    )
    return model, folder


def test_weights_are_halves_and_load_as_float32(saved):
    import torch
    from safetensors.torch import load_file
    from transformers import AutoModel

    model, folder = saved
    assert {value.dtype for value in load_file(folder / "model.safetensors").values()} == {torch.float16}
    loaded = AutoModel.from_pretrained(folder, local_files_only=True).eval()
    assert {value.dtype for value in loaded.state_dict().values()} == {torch.float32}
    audio = torch.from_numpy(np.random.default_rng(0).standard_normal((1, 16000), dtype=np.float32))
    with torch.inference_mode():
        before, after = (each(audio).last_hidden_state.numpy() for each in (model, loaded))
    assert np.linalg.norm(after - before) < 1e-2 * np.linalg.norm(before)


def test_the_card_says_what_was_measured(saved):
    _, folder = saved
    facts = json.loads((folder / card.FACTS).read_text(encoding="utf-8"))
    assert facts["end"] == {"loss": 3.25, "held_out_loss": 3.5} and facts["minutes"] == 2
    assert facts["data"][0] == {"split": "train", "utterances": 2, "minutes": 3.0, "speakers": 1}
    assert facts["held_out"][0]["bound"] == pytest.approx(2.2)
    text = (folder / "README.md").read_text(encoding="utf-8")
    for said in ("| dev | masked loss (nats) | 2.000 | 4.000 (knows only", "2.200", "snakemake x",
                 "100, 3", "0.59 million", "train 2 recordings, 3 min", "100 clusters"):  # fmt: skip
        assert said in text
    assert "architecture" not in text and "test 0" not in text


def test_bounds_are_a_tenth_above_the_value():
    for value, bound in ((0.5, 0.55), (3.4, 3.74), (0.0, 0.01), (0.046, 0.056)):
        assert card.bound({"value": value}) == pytest.approx(bound)


def test_a_training_starts_from_a_manifest_or_another_training(tmp_path):
    manifest = tmp_path / "wav2vec2.json"
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(b"weights")
    files = {weights.name: hashlib.sha256(b"weights").hexdigest()}
    manifest.write_text(json.dumps({"folder": str(tmp_path), "files": files}), encoding="utf-8")
    assert task.base_folder([manifest]) == tmp_path
    weights.write_bytes(b"Weights")
    with pytest.raises(InputError, match="damaged or replaced"):
        task.base_folder([manifest])
    assert task.base_folder([tmp_path / "hubert" / card.FACTS]) == tmp_path / "hubert"
    assert task.base_folder([]) is None
    assert task.tiers({"recipe": "train_whisper", "frames_share": 0.2}) == ("phone",)
    assert task.tiers({"recipe": "train_whisper", "frames_share": 0}) == ()
    assert task.tiers({"units": ["phone", "tone"]}) == ("phone", "tone")
    assert task.tiers({"units": "text"}) == task.tiers({}) == ()


def test_checkpoints_of_something_else_are_thrown_away(tmp_path):
    weights = tmp_path / "base" / "model.safetensors"
    weights.parent.mkdir()
    weights.write_bytes(b"one")
    row = ROW | {"audio_sha256": "1", "text": "a"}
    job = Job("x", {}, weights.parent, {"train": [row], "dev": []}, {"a": []}, tmp_path / "work", 1)
    mark = task.fingerprint(job, {"steps": 3})
    task.keep_only(job.work, mark)
    (job.work / "checkpoint-2").mkdir()
    task.keep_only(job.work, task.fingerprint(job, {"steps": 3}))
    assert (job.work / "checkpoint-2").exists()
    others = [task.fingerprint(job, {"steps": 3, "loss": "frames"})]
    others.append(
        task.fingerprint(replace(job, rows={"train": [row | {"audio_sha256": "2"}], "dev": []}), {"steps": 3})
    )
    others.append(task.fingerprint(replace(job, segments={"a": [1]}), {"steps": 3}))
    weights.write_bytes(b"two")
    others.append(task.fingerprint(job, {"steps": 3}))
    assert len({mark, *others}) == 5
    task.keep_only(job.work, others[0])
    assert not (job.work / "checkpoint-2").exists()
