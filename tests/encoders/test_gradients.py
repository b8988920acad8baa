"""Batched gradients against one backward pass each, and against finite differences."""

import numpy as np
import pytest

from phonoscope.encoders import gradients as gr
from phonoscope.encoders.states import taken
from phonoscope.errors import InputError

FAMILIES = [
    *["wav2vec2-base", "wav2vec2-large", "hubert-base", "hubert-large", "wavlm-base", "wavlm-large"],
    *["unispeech-sat", "data2vec-audio"],
]
REACH = 3000


def readings(encoder, n_frames, seed=0, layers=None):
    rng = np.random.default_rng(seed)
    frames = [np.array([0]), np.array([n_frames // 2]), np.arange(2, 7), np.array([n_frames - 1])]
    layers = encoder.layers if layers is None else layers
    return frames, {layer: rng.normal(size=(len(frames), encoder.dim)) for layer in layers}


def one_by_one(encoder, audio, frames, direction, layer):
    """The gradient of one reading over the whole recording, by one backward pass."""
    import torch

    wave = encoder.tensor(audio).requires_grad_(True)
    n_frames = encoder.frames(len(audio))
    with (
        torch.enable_grad(),
        taken(encoder.stack.layers, [layer], encoder.final_norm, encoder.depth) as states,
    ):
        encoder.run_waves([wave], [n_frames])
        (states[layer][0, frames].mean(dim=0) @ torch.tensor(direction, dtype=torch.float32)).backward()
    return wave.grad.numpy()


def around(whole, centre):
    return np.pad(whole, REACH)[centre : centre + 2 * REACH]


@pytest.mark.parametrize("memory", [2**30, 1])
@pytest.mark.parametrize("family", FAMILIES)
def test_batched_equals_one_by_one(encoder_of, speechlike, family, memory):
    encoder, audio = encoder_of(family), speechlike(0.7)
    frames, directions = readings(encoder, encoder.frames(len(audio)))
    # At both ends, inside, and beyond the recording.
    centres = [10, 5600, 900, len(audio) + 500]
    found = gr.gradients(encoder, audio, frames, directions, centres, REACH, memory_bytes=memory)
    for layer, parts in found.items():
        for k, part in enumerate(parts):
            expected = around(
                np.pad(one_by_one(encoder, audio, frames[k], directions[layer][k], layer), (0, 1000)),
                centres[k],
            )
            assert np.abs(part - expected).max() <= 2e-5 * np.abs(expected).max() + 1e-9, (layer, k)


def test_some_layers_and_the_final_norm(encoder_of, speechlike):
    encoder, audio = encoder_of("wav2vec2-large", final_norm="normed"), speechlike(0.4)
    frames, directions = readings(encoder, encoder.frames(len(audio)), layers=[3, 1])
    found = gr.gradients(encoder, audio, frames, directions, [3000] * 4, REACH)
    assert sorted(found) == [1, 3]
    for layer in found:
        expected = around(one_by_one(encoder, audio, frames[1], directions[layer][1], layer), 3000)
        assert np.abs(found[layer][1] - expected).max() < 2e-5 * np.abs(expected).max()


@pytest.mark.parametrize("family", ["wav2vec2-base", "wav2vec2-large"])
def test_finite_differences(encoder_of, speechlike, family):
    """The slope of the reading along random waveforms, in double precision."""
    import torch

    encoder, audio = encoder_of(family), speechlike(0.5)
    frames, directions = readings(encoder, encoder.frames(len(audio)))
    centre = len(audio) // 2
    found = gr.gradients(encoder, audio, frames, directions, [centre] * 4, len(audio) // 2)
    model = encoder.model.double()
    try:
        for layer in (0, 3):
            along = np.random.default_rng(layer).normal(size=len(audio)) * 0.02

            def read(step, layer=layer, along=along):
                wave = torch.tensor(audio.astype(float) + step * along)
                with torch.no_grad(), taken(encoder.stack.layers, [layer]) as states:
                    encoder.run_waves([wave], [encoder.frames(len(audio))])
                return states[layer][0, frames[1]].mean(dim=0).numpy() @ directions[layer][1]

            slope = (read(1e-4) - read(-1e-4)) / 2e-4
            assert found[layer][1] @ along[: 2 * (len(audio) // 2)] == pytest.approx(slope, rel=2e-3)
    finally:
        model.float()


def test_beyond_the_recording_there_is_no_gradient(encoder_of, speechlike):
    encoder, audio = encoder_of("wav2vec2-large"), speechlike(0.3)
    frames, directions = readings(encoder, encoder.frames(len(audio)))
    found = gr.gradients(encoder, audio, frames, directions, [0, 0, 0, len(audio)], 1000)
    assert not found[2][0, :1000].any() and found[2][0, 1000:].any()
    assert not found[2][3, 1000:].any() and found[2][3, :1000].any()


def test_what_has_no_waveform_or_layer_is_refused(encoder_of, speechlike):
    encoder = encoder_of("wav2vec2-base")
    assert gr.starts_from_waveform(encoder) and not gr.starts_from_waveform(encoder_of("whisper"))
    frames, directions = readings(encoder, 20)
    with pytest.raises(ValueError, match="layer 9"):
        gr.gradients(encoder, speechlike(0.4), frames, {9: directions[0]}, [0] * 4, 100)
    with pytest.raises(InputError, match="too few"):
        gr.gradients(encoder, speechlike(0.01), frames, directions, [0] * 4, 100)
