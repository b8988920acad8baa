"""The recipe of the small HuBERT, in a few steps, and the model that is shipped."""

import json
from pathlib import Path

import numpy as np
import pytest

from phonoscope.encoders import pretrain

SHIPPED = Path(__file__).resolve().parents[2] / "resources" / "models" / "hubert-tiny-synthetic"


def test_clusters_find_separate_clouds():
    rng = np.random.default_rng(0)
    clouds = [centre + 0.1 * rng.standard_normal((50, 3)) for centre in (0, 5, 10)]
    labels = pretrain.clustered(clouds, 3, seed=1)
    assert [len(set(each)) for each in labels] == [1, 1, 1]
    assert len(set(np.concatenate(labels))) == 3


def test_masks_are_spans_in_every_crop():
    masked = pretrain.mask_spans((16, 124), np.random.default_rng(0), 0.08, 10)
    assert masked.any(axis=1).all() and 0.35 < masked.mean() < 0.7
    padded = np.pad(masked.astype(int), ((0, 0), (1, 1)))
    runs = np.flatnonzero(np.diff(padded[0]) == -1) - np.flatnonzero(np.diff(padded[0]) == 1)
    assert (runs[:-1] >= 10).all()


@pytest.mark.slow
def test_frames_of_targets_are_those_of_the_encoder(tmp_path):
    rng = np.random.default_rng(0)
    audios = [rng.standard_normal(24000).astype(np.float32) for _ in range(3)]
    recipe = pretrain.Recipe(steps=4, batch=2, crop_s=1.0, clusters=(4, 4))
    model = pretrain.pretrain(audios, recipe)
    assert [len(pretrain.mfcc(each)) for each in audios] == [
        len(each) for each in pretrain.states(model, audios, recipe)
    ]
    again = pretrain.pretrain(audios, recipe)
    for one, other in zip(model.parameters(), again.parameters(), strict=True):
        np.testing.assert_array_equal(one.detach().numpy(), other.detach().numpy())
    pretrain.save(model, tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["mask_time_prob"] == config["layerdrop"] == 0


def test_shipped_model_is_small_and_loads_whole():
    from phonoscope.encoders.load import load

    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 5e6
    encoder = load({"name": "hubert-tiny", "encoder": "transformers", "depth": 4}, SHIPPED)
    audio = np.random.default_rng(0).standard_normal(16000).astype(np.float32)
    first, second = encoder.encode([audio])[0], encoder.encode([audio])[0]
    assert sorted(first) == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(first[4], second[4])
