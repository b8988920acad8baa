"""Checkpoints, untrained twins, and what a user gets wrong."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from phonoscope.encoders.load import load
from phonoscope.errors import InputError

REPOSITORY = Path(__file__).resolve().parents[2]


def copy(folder, target):
    shutil.copytree(folder, target)
    return target


def test_wrong_depth_names_model_and_fix(checkpoint):
    with pytest.raises(InputError, match=r"model w has 3 transformer blocks, not 24.*set depth: 3"):
        load({"name": "w", "depth": 24}, checkpoint("wav2vec2-base"))


@pytest.mark.parametrize("layers", [[4], [-1], [0, 3, 12]])
def test_absent_layer_names_model_blocks_and_fix(checkpoint, layers):
    with pytest.raises(InputError, match=r"model w has no layer .*3 transformer blocks.*0 .* to 3"):
        load({"name": "w", "depth": 3, "layers": layers}, checkpoint("wav2vec2-base"))


def test_no_layer_and_layer_of_a_baseline():
    with pytest.raises(InputError, match="no layer"):
        load({"encoder": "mel", "layers": []})
    with pytest.raises(InputError, match="0 transformer blocks"):
        load({"encoder": "mfcc", "layers": [1]})


def test_unknown_encoder_and_no_folder():
    with pytest.raises(InputError, match="transformers, mel or mfcc"):
        load({"encoder": "wavelets"})
    with pytest.raises(InputError, match="hub: or path:"):
        load({"name": "w"})


def test_unsupported_family_and_missing_config(tmp_path):
    with pytest.raises(InputError, match=r"no config\.json"):
        load({"name": "w"}, tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(InputError, match="is a bert, which is not supported"):
        load({"name": "w"}, tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(InputError, match="cannot be read"):
        load({"name": "w"}, tmp_path)


def test_remote_code_is_never_run(checkpoint, tmp_path):
    folder = copy(checkpoint("wav2vec2-base"), tmp_path / "m")
    config = json.loads((folder / "config.json").read_text())
    config.update(model_type="mine", auto_map={"AutoConfig": "evil.Config", "AutoModel": "evil.Model"})
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()")
    with pytest.raises(InputError):
        load({"name": "w"}, folder)
    assert not (tmp_path / "ran").exists()


def test_only_safetensors(checkpoint, tmp_path):
    import torch

    folder = copy(checkpoint("wav2vec2-base"), tmp_path / "m")
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")
    with pytest.raises(InputError, match="no safetensors"):
        load({"name": "w"}, folder)


def test_incomplete_and_damaged_checkpoints(checkpoint, tmp_path):
    from safetensors.torch import load_file, save_file

    folder = copy(checkpoint("wav2vec2-base"), tmp_path / "m")
    weights = load_file(folder / "model.safetensors")
    absent = next(key for key in weights if "layers.1." in key)
    save_file(
        {k: v for k, v in weights.items() if k != absent}, folder / "model.safetensors", {"format": "pt"}
    )
    with pytest.raises(InputError, match="lacks 1 weights"):
        load({"name": "w"}, folder)
    (folder / "model.safetensors").write_bytes(b"\0" * 100)
    with pytest.raises(InputError, match="cannot be loaded"):
        load({"name": "w"}, folder)


def test_ctc_checkpoint_loads_its_base_model(checkpoint, speechlike, tmp_path):
    from transformers import Wav2Vec2ForCTC

    Wav2Vec2ForCTC.from_pretrained(checkpoint("wav2vec2-base")).save_pretrained(tmp_path)
    audio = speechlike(0.5)
    base = load({"name": "w"}, checkpoint("wav2vec2-base")).encode([audio])[0]
    ctc = load({"name": "w"}, tmp_path).encode([audio])[0]
    assert all(np.array_equal(base[layer], ctc[layer]) for layer in base)


def test_untrained_twin_follows_its_seed_alone(checkpoint, speechlike, tmp_path):
    import torch

    shutil.copy(checkpoint("hubert-base") / "config.json", tmp_path)
    audio = speechlike(0.5)
    twins = []
    for seed, disturbance in ((0, 1), (0, 2), (1, 1)):
        torch.manual_seed(disturbance)
        twins.append(load({"name": "w", "init": "random", "seed": seed}, tmp_path).encode([audio])[0])
    assert all(np.array_equal(twins[0][layer], twins[1][layer]) for layer in range(4))
    assert not np.allclose(twins[0][3], twins[2][3], atol=1e-2)


def test_making_a_twin_leaves_the_random_state_alone(checkpoint):
    import torch

    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    load({"init": "random", "seed": 9}, checkpoint("wav2vec2-base"))
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize("normalised", [True, False])
def test_do_normalize_of_the_checkpoint_is_respected(checkpoint, speechlike, tmp_path, normalised):
    folder = copy(checkpoint("wav2vec2-large"), tmp_path / "m")
    settings = {"feature_extractor_type": "Wav2Vec2FeatureExtractor", "do_normalize": normalised}
    (folder / "preprocessor_config.json").write_text(json.dumps(settings))
    encoder, audio = load({"name": "w"}, folder), speechlike(0.5) + np.float32(0.1)
    loud, quiet = encoder.encode([audio, audio / 4])
    assert np.allclose(loud[3], quiet[3], atol=1e-3) == normalised


def test_normalisation_is_that_of_transformers(checkpoint, speechlike):
    encoder, audio = load({"name": "w"}, checkpoint("wav2vec2-base")), speechlike(0.5)
    expected = encoder.extractor(audio, sampling_rate=16000, return_tensors="np").input_values[0]
    np.testing.assert_allclose(encoder.prepare(audio), expected, rtol=1e-4, atol=1e-5)


def test_precision_is_for_gpus(checkpoint):
    encoder = load({"name": "w", "precision": "bfloat16"}, checkpoint("wav2vec2-base"), device="cpu")
    assert encoder.precision == "float32"
    assert {p.dtype.itemsize for p in encoder.model.parameters()} == {4}


def test_eval_mode_and_no_gradients(checkpoint):
    encoder = load({"name": "w"}, checkpoint("wav2vec2-base"))
    assert not any(module.training for module in encoder.model.modules())
    assert not any(p.requires_grad for p in encoder.model.parameters())


@pytest.mark.parametrize("family", ["wav2vec2-base", "wav2vec2-bert"])
def test_too_short_for_a_frame(encoder_of, family):
    encoder = encoder_of(family)
    with pytest.raises(InputError, match="too few for a frame"):
        encoder.encode([np.zeros(encoder.least_samples - 1, np.float32)])
    states = encoder.encode([np.full(encoder.least_samples, 0.1, np.float32)])[0]
    assert states[0].shape == (1, encoder.dim)


def test_whisper_refuses_more_than_its_30_s(encoder_of):
    with pytest.raises(InputError, match=r"window: 30"):
        encoder_of("whisper").encode([np.zeros(31 * 16000, np.float32)])


@pytest.mark.parametrize("name", ["wav2vec2-tiny", "whisper-tiny-arch"])
def test_shipped_architectures(name, speechlike):
    encoder = load({"name": name, "init": "random", "seed": 0}, REPOSITORY / "resources" / "models" / name)
    states = encoder.encode([speechlike(1.0)])[0]
    assert encoder.dim == 96 and states[encoder.depth].shape == (encoder.frames(16000), 96)
    assert all(np.isfinite(state).all() for state in states.values())


def test_wav2vec2_tiny_keeps_the_real_time_grid():
    folder = REPOSITORY / "resources" / "models" / "wav2vec2-tiny"
    encoder = load({"name": "t", "init": "random", "seed": 0}, folder)
    assert (encoder.depth, encoder.least_samples, encoder.timebase.hop_s) == (4, 400, 0.02)
    assert encoder.timebase.offset_s == 0.0125
