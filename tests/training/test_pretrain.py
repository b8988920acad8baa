"""HuBERT's recipe in a few steps: frames of targets, a falling loss, the same weights after a kill."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from phonoscope.training import log as logs
from phonoscope.training import pretrain, runs
from phonoscope.training.job import Job

SMALL = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32,
         "conv_dim": (8, 8, 8, 8, 8, 8, 8), "num_conv_pos_embeddings": 16,
         "num_conv_pos_embedding_groups": 4}  # fmt: skip


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sounds")
    rows = []
    for index in range(4):
        rng = np.random.default_rng(index)
        # Noise through slowly changing gains, so that there is something to cluster.
        sound = rng.standard_normal(24000) * np.repeat(rng.random(24), 1000) * 0.1
        soundfile.write(folder / f"{index}.wav", sound, 16000)
        rows.append({"utterance_id": str(index), "audio": str(folder / f"{index}.wav"), "duration_s": 1.5,
                     "speaker": "a"})  # fmt: skip
    options = {"recipe": "pretrain", "corpora": ["x"], "steps": 8, "batch": 2, "crop_s": 1.0,
               "clusters": [4, 4], "target_layer": 1, "architecture": SMALL, "log_every": 1, "save_every": 2,
               "seed": 0}  # fmt: skip
    splits = {"train": rows[:3], "dev": rows[3:], "test": []}
    return Job("small", options, None, splits, {}, folder / "work", 1)


def weights(model):
    return {name: value.numpy() for name, value in model.state_dict().items()}


def test_clusters_find_separate_clouds():
    rng = np.random.default_rng(0)
    clouds = [centre + 0.1 * rng.standard_normal((50, 3)) for centre in (0, 5, 10)]
    labels, others = pretrain.clustered(clouds, clouds[:1], 3, seed=1)
    assert [len(set(each)) for each in labels] == [1, 1, 1]
    assert len(set(np.concatenate(labels))) == 3
    np.testing.assert_array_equal(others[0], labels[0])


def test_masks_are_spans_in_every_crop():
    shares = []
    for seed in range(16):
        masked = pretrain.mask_spans(124, np.random.default_rng(seed), 0.08, 10)
        shares.append(masked.mean())
        padded = np.pad(masked.astype(int), 1)
        lengths = np.flatnonzero(np.diff(padded) == -1) - np.flatnonzero(np.diff(padded) == 1)
        assert len(lengths) and (lengths[:-1] >= 10).all()
    assert 0.35 < np.mean(shares) < 0.7
    assert pretrain.mask_spans(124, np.random.default_rng(0), 0.0, 10).sum() == 10


def test_targets_have_the_frames_of_the_encoder(job):
    import torch
    from transformers import HubertConfig, HubertModel

    model = HubertModel(HubertConfig(**(pretrain.TINY | SMALL))).eval()
    sounds = pretrain.Sounds(job.rows["train"])
    found = pretrain.states(model, sounds, 1)
    assert [len(pretrain.mfcc(sounds[i])) for i in range(3)] == [len(each) for each in found]
    with torch.inference_mode():
        alone = model(torch.from_numpy(sounds[1])[None], output_hidden_states=True).hidden_states[1][0]
    np.testing.assert_allclose(found[1], alone.numpy(), atol=1e-6)


def test_a_fixed_batch_is_learned():
    import torch
    from transformers import HubertConfig, HubertModel

    torch.manual_seed(0)
    model = HubertModel(HubertConfig(**(pretrain.TINY | SMALL)))
    network = pretrain._network(model, pretrain.Recipe(code_dim=8), 4)
    audio = torch.randn(2, 16000)
    batch = {"audio": audio, "targets": torch.randint(0, 4, (2, 49)), "masked": torch.rand(2, 49) < 0.5}
    optimiser = torch.optim.AdamW(network.parameters(), 3e-3)
    losses = []
    for _ in range(12):
        loss = network(**batch)["loss"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] - 0.1


def test_the_loss_is_that_of_cosines(job):
    """Against torch's own cosine similarity and a loop over frames."""
    import torch
    from transformers import HubertConfig, HubertModel

    torch.manual_seed(1)
    recipe = pretrain.Recipe(code_dim=8)
    network = pretrain._network(HubertModel(HubertConfig(**(pretrain.TINY | SMALL))), recipe, 5).eval()
    audio, masked = torch.randn(1, 16000), torch.zeros(1, 49, dtype=torch.bool)
    masked[0, 10:20] = True
    targets = torch.randint(0, 5, (1, 49))
    with torch.inference_mode():
        got = network(audio, targets, masked)
        hidden = network.projection(network.model(audio, mask_time_indices=masked).last_hidden_state)[0]
        losses = []
        for state, target in zip(hidden, targets[0], strict=True):
            cosines = torch.nn.functional.cosine_similarity(state[None], network.codes) / recipe.temperature
            losses.append(-torch.log_softmax(cosines, 0)[target].item())
    losses, inside = np.array(losses), masked[0].numpy()
    assert got["metrics"]["masked_loss"] == pytest.approx(losses[inside].mean(), rel=1e-4)
    assert got["loss"] == pytest.approx(losses[inside].mean() + 0.5 * losses[~inside].mean(), rel=1e-4)


@pytest.mark.slow
def test_a_killed_training_ends_with_the_same_weights(job, tmp_path, monkeypatch):
    whole = pretrain.train(replace(job, work=tmp_path / "whole"))
    assert [row["iteration"] for row in whole.log] == [1] * 4 + [2] * 4
    assert [row["step"] for row in whole.log] == list(range(1, 9))

    forward = runs.run
    parts = []

    def killed(network, items, schedule, folder, **rest):
        parts.append(folder)
        if len(parts) == 2:
            limited = _Dies(items, schedule.batch * 3)
            return forward(network, limited, schedule, folder, **rest)
        return forward(network, items, schedule, folder, **rest)

    monkeypatch.setattr(pretrain, "run", killed)
    with pytest.raises(_Killed):
        pretrain.train(replace(job, work=tmp_path / "broken"))
    checkpoints = {path.name for path in (tmp_path / "broken" / "iteration2").glob("checkpoint-*")}
    assert checkpoints == {"checkpoint-2"}
    monkeypatch.setattr(pretrain, "run", forward)
    resumed = pretrain.train(replace(job, work=tmp_path / "broken"))
    for name, value in weights(whole.model).items():
        np.testing.assert_array_equal(weights(resumed.model)[name], value)
    assert [row["loss"] for row in resumed.log] == [row["loss"] for row in whole.log]
    assert whole.held_out[0]["value"] == resumed.held_out[0]["value"]


class _Killed(Exception):
    pass


class _Dies:
    """Items until one too many is asked for."""

    def __init__(self, items, last):
        self.items, self.last = items, last

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        if index >= self.last:
            raise _Killed
        return self.items[index]


def test_an_incomplete_checkpoint_is_not_used(tmp_path):
    schedule = runs.Schedule(steps=4)
    assert runs._prepare(tmp_path, schedule) is None
    for step, complete in ((2, True), (4, False)):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        (folder / runs.STATE).write_text(f'{{"global_step": {step}}}' if complete else '{"global')
    assert runs._prepare(tmp_path, schedule) == tmp_path / "checkpoint-2"
    assert not (tmp_path / "checkpoint-4").exists()
    assert runs._prepare(tmp_path, replace(schedule, save_every=7)) == tmp_path / "checkpoint-2"
    assert runs._prepare(tmp_path, replace(schedule, learning_rate=1e-4)) is None
    assert not Path(tmp_path / "checkpoint-2").exists()


def test_logs_are_read_as_written(tmp_path):
    log = [{"step": 50, "loss": 1.23456, "held_out_loss": None, "seconds": 2.0},
           {"step": 100, "loss": 0.5, "held_out_loss": 0.75, "seconds": 4.0}]  # fmt: skip
    logs.write(log, tmp_path / "log.tsv")
    assert logs.read(tmp_path / "log.tsv") == [log[0] | {"loss": 1.235}, log[1]]
