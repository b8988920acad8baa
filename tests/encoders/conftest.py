"""Tiny checkpoints of every supported family, with weights strong enough to show a leak."""

import numpy as np
import pytest

_FRONT = {"conv_dim": [24] * 7, "conv_bias": True, "vocab_size": 12}
_BLOCKS = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "mask_time_prob": 0.5,
    "layerdrop": 0.5,
}
_POSITIONS = {"num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 4}
_BASE = {**_FRONT, **_BLOCKS, **_POSITIONS, "feat_extract_norm": "group", "do_stable_layer_norm": False}
_LARGE = {**_BASE, "feat_extract_norm": "layer", "do_stable_layer_norm": True}

FAMILIES = {
    "wav2vec2-base": ("wav2vec2", _BASE),
    "wav2vec2-large": ("wav2vec2", _LARGE),
    "hubert-base": ("hubert", _BASE),
    "hubert-large": ("hubert", _LARGE),
    "wavlm-base": ("wavlm", {**_BASE, "num_buckets": 32, "max_bucket_distance": 64}),
    "wavlm-large": ("wavlm", {**_LARGE, "num_buckets": 32, "max_bucket_distance": 64}),
    "unispeech-sat": ("unispeech-sat", _BASE),
    "data2vec-audio": (
        "data2vec-audio",
        {**_FRONT, **_BLOCKS, "conv_pos_kernel_size": 7, "num_conv_pos_embedding_groups": 4},
    ),
    "wav2vec2-bert": (
        "wav2vec2-bert",
        {**_BLOCKS, "conv_depthwise_kernel_size": 7, "output_hidden_size": 32},
    ),
    "whisper": (
        "whisper",
        {
            "d_model": 32,
            "encoder_layers": 3,
            "encoder_attention_heads": 4,
            "encoder_ffn_dim": 48,
            "decoder_layers": 1,
            "decoder_attention_heads": 4,
            "decoder_ffn_dim": 32,
            "vocab_size": 16,
            "pad_token_id": 0,
            "bos_token_id": 1,
            "eos_token_id": 2,
            "decoder_start_token_id": 1,
            "max_target_positions": 8,
            "num_mel_bins": 80,
        },
    ),
}


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory):
    """Function from a family's name to a folder with config.json and safetensors."""
    import torch
    from transformers import AutoConfig, AutoModel

    folders = {}

    def make(family):
        if family not in folders:
            model_type, options = FAMILIES[family]
            torch.manual_seed(3)
            model = AutoModel.from_config(AutoConfig.for_model(model_type, **options))
            with torch.no_grad():
                for parameter in model.parameters():
                    # Untrained biases are zero and untrained attention is flat: both hide a leak.
                    parameter.add_(0.1 * torch.randn_like(parameter))
            folders[family] = tmp_path_factory.mktemp(family)
            model.save_pretrained(folders[family])
        return folders[family]

    return make


@pytest.fixture(scope="session")
def encoder_of(checkpoint):
    """Function from a family's name and model options to an encoder."""
    from phonoscope.encoders.load import load

    def make(family, **options):
        return load({"encoder": "transformers", "name": family, **options}, checkpoint(family))

    return make


@pytest.fixture(scope="session")
def speechlike():
    """Function (seconds, seed) to noise with a slow envelope and a silence, float32 at 16 kHz."""

    def make(seconds, seed=0):
        rng = np.random.default_rng(seed)
        n = round(seconds * 16000)
        envelope = np.interp(np.arange(n), 1600 * np.arange(n // 1600 + 2), rng.random(n // 1600 + 2) ** 2)
        return (0.3 * envelope * rng.standard_normal(n)).astype(np.float32)

    return make
