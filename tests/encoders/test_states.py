"""Layers by hooks against a hand-written forward pass through the blocks."""

import numpy as np
import pytest


def by_hand(encoder, audio):
    """(layer 0..depth raw, last layer normed) of one utterance, block by block."""
    import torch

    model, stack = encoder.model, encoder.stack
    with torch.inference_mode():
        extra = {}
        if model.config.model_type == "whisper":
            features = encoder.extractor(audio, sampling_rate=16000, return_tensors="pt").input_features
            hidden = torch.nn.functional.gelu(model.conv2(torch.nn.functional.gelu(model.conv1(features))))
            hidden = hidden.transpose(1, 2) + model.embed_positions.weight
        elif model.config.model_type == "wav2vec2-bert":
            features = encoder.extractor(audio, sampling_rate=16000, return_tensors="pt").input_features
            hidden = model.feature_projection(features[:, : encoder.frames(len(audio))])[0]
        else:
            wave = torch.from_numpy((audio - audio.mean()) / np.sqrt(audio.var() + 1e-7))[None]
            projected = model.feature_projection(model.feature_extractor(wave).transpose(1, 2))
            hidden = projected[0] if isinstance(projected, tuple) else projected
            hidden = hidden + stack.pos_conv_embed(hidden)
            if not getattr(model.config, "do_stable_layer_norm", False):
                hidden = stack.layer_norm(hidden)
        states, bias = [hidden], None
        for block in stack.layers:
            if model.config.model_type == "wavlm":
                extra = {"position_bias": bias}
            out = block(hidden, attention_mask=None, **extra)
            hidden, bias = out if isinstance(out, tuple) else (out, None)
            states.append(hidden)
        normed = stack.layer_norm(hidden) if hasattr(stack, "layer_norm") else hidden
    n = encoder.frames(len(audio))
    return [state[0, :n].numpy() for state in states], normed[0, :n].numpy()


FAMILIES = (
    "wav2vec2-base",
    "wav2vec2-large",
    "hubert-base",
    "hubert-large",
    "wavlm-base",
    "wavlm-large",
    "unispeech-sat",
    "data2vec-audio",
    "wav2vec2-bert",
    "whisper",
)


@pytest.mark.parametrize("family", FAMILIES)
def test_hooks_equal_blocks_by_hand(encoder_of, speechlike, family):
    encoder = encoder_of(family)
    audio = speechlike(0.7)
    expected, _ = by_hand(encoder, audio)
    states = encoder.encode([audio])[0]
    assert encoder.depth == 3 and sorted(states) == [0, 1, 2, 3]
    for layer, reference in enumerate(expected):
        np.testing.assert_allclose(states[layer], reference, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("family", ["wav2vec2-large", "hubert-large", "wavlm-large", "whisper"])
def test_final_norm_is_an_explicit_variant(encoder_of, speechlike, family):
    audio = speechlike(0.7)
    raw = encoder_of(family).encode([audio])[0]
    encoder = encoder_of(family, final_norm="normed")
    normed = encoder.encode([audio])[0]
    _, expected = by_hand(encoder, audio)
    np.testing.assert_allclose(normed[3], expected, rtol=1e-4, atol=1e-5)
    assert np.abs(normed[3] - raw[3]).max() > 0.05
    assert all(np.array_equal(normed[layer], raw[layer]) for layer in (0, 1, 2))


def test_post_norm_models_have_no_final_norm(encoder_of, speechlike):
    audio = speechlike(0.5)
    raw, normed = (encoder_of("wav2vec2-base", final_norm=f).encode([audio])[0] for f in ("raw", "normed"))
    assert np.array_equal(raw[3], normed[3])


@pytest.mark.parametrize(
    "family", ["wav2vec2-base", "wav2vec2-large", "wavlm-base", "wav2vec2-bert", "whisper"]
)
@pytest.mark.parametrize("layers", [[0], [2, 1]])
def test_only_asked_layers(encoder_of, speechlike, family, layers):
    audio = speechlike(0.5)
    everything = encoder_of(family).encode([audio])[0]
    encoder = encoder_of(family, layers=layers)
    some = encoder.encode([audio])[0]
    assert encoder.layers == sorted(layers) == sorted(some)
    assert len(encoder.stack.layers) == max(1, *layers)
    assert all(np.array_equal(some[layer], everything[layer]) for layer in layers)


def test_raw_states_agree_with_transformers_below_the_top(checkpoint, encoder_of, speechlike):
    """Entries 0..depth-1 of output_hidden_states never changed their meaning."""
    import torch
    from transformers import AutoModel

    encoder, audio = encoder_of("wav2vec2-large"), speechlike(0.5)
    network = AutoModel.from_pretrained(checkpoint("wav2vec2-large")).eval()
    with torch.inference_mode():
        out = network(torch.from_numpy(encoder.prepare(audio))[None], output_hidden_states=True)
    states = encoder.encode([audio])[0]
    for layer in (0, 1, 2):
        np.testing.assert_allclose(states[layer], out.hidden_states[layer][0].numpy(), rtol=1e-4, atol=1e-5)
