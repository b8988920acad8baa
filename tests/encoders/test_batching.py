"""A batch gives every utterance the states it has alone (DESIGN: within 1e-4, relative)."""

import numpy as np
import pytest

LENGTHS = (0.9, 0.31, 1.7, 0.05)
ALL = (
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
LAYER_NORM = ("wav2vec2-large", "hubert-large", "wavlm-large", "data2vec-audio")


def distance(states, reference):
    norms = np.linalg.norm(reference, axis=1)
    return float((np.linalg.norm(states - reference, axis=1) / norms).max())


def assert_invariant(encoder, audios):
    together = encoder.encode(audios)
    for audio, states in zip(audios, together, strict=True):
        alone = encoder.encode([audio])[0]
        assert sorted(states) == encoder.layers
        for layer in encoder.layers:
            assert states[layer].shape == (encoder.frames(len(audio)), encoder.dim)
            assert states[layer].dtype == np.float32
            assert distance(states[layer], alone[layer]) < 1e-4


@pytest.mark.parametrize("family", ALL)
def test_batch_equals_single(encoder_of, speechlike, family):
    assert_invariant(encoder_of(family), [speechlike(s, k) for k, s in enumerate(LENGTHS)])


@pytest.mark.parametrize("family", LAYER_NORM)
def test_padded_front_end_equals_single(encoder_of, speechlike, family):
    encoder = encoder_of(family)
    encoder.pads_front_end = True
    assert_invariant(encoder, [speechlike(s, k) for k, s in enumerate(LENGTHS)])


@pytest.mark.parametrize("family", ["wav2vec2-base", "hubert-base", "wavlm-base"])
def test_group_norm_would_see_the_padding(encoder_of, speechlike, family):
    """The trap that the front end avoids is there: a padded one is far off."""
    encoder = encoder_of(family)
    audios = [speechlike(s, k) for k, s in enumerate(LENGTHS)]
    alone = encoder.encode([audios[1]])[0]
    encoder.pads_front_end = True
    padded = encoder.encode(audios)[1]
    assert distance(padded[0], alone[0]) > 0.05


def test_data2vec_positions_would_see_the_padding(encoder_of, speechlike):
    encoder = encoder_of("data2vec-audio")
    audios = [speechlike(1.0, 1), speechlike(0.5, 2)]
    alone = encoder.encode(audios[1:])[0]
    encoder._clear_padding = None
    for layer in encoder.stack.pos_conv_embed.layers:
        layer._forward_hooks.clear()
    assert distance(encoder.encode(audios)[1][0], alone[0]) > 1e-3


@pytest.mark.parametrize("family", ALL)
def test_two_passes_are_identical(encoder_of, speechlike, family):
    """Masking and layer drop of the checkpoint are off: mask_time_prob and layerdrop are 0.5 here."""
    encoder = encoder_of(family)
    audio = speechlike(0.6)
    first, second = encoder.encode([audio])[0], encoder.encode([audio])[0]
    assert all(np.array_equal(first[layer], second[layer]) for layer in encoder.layers)
