"""How linear readings of hidden states depend on every sample of the waveform, for many readings at once.

One forward pass of an utterance serves all its readings in all its layers. The readings of the highest layer
are pulled back through the top block, those of the layer below join them there, and so on down: batched
vector-Jacobian products, one backward pass per block over a growing batch, where one pass per reading and
layer would run every block below it each time and never fill the machine. A front end with layer norm is
local: only the stretch of it that is asked for is pulled back. Group norm sees the whole recording, and so
does its gradient.
"""

import math
from contextlib import ExitStack, contextmanager

import numpy as np

from phonoscope.encoders.states import taken
from phonoscope.encoders.transformer import WaveformEncoder, check_length, exact_convolutions

# Arrays of the size of an activation that are alive at once while it is pulled back.
ALIVE = 4
CPU_BYTES = 2**24


def starts_from_waveform(encoder):
    """Whether the hidden states are a differentiable function of the waveform here."""
    return isinstance(encoder, WaveformEncoder)


def gradients(encoder, audio, frames, readings, centres, reach, memory_bytes=2**30):
    """Gradients of ``readings[layer][i] · h_layer`` with respect to the samples around ``centres[i]``.

    Parameters
    ----------
    encoder : WaveformEncoder
    audio : float32 array of shape (n_samples,)
        As ``encoder.prepare`` gives it: the gradient is that of the prepared waveform.
    frames : list of int arrays
        Per reading the frames whose mean state is read, at least one.
    readings : dict of int to float array of shape (n_readings, dim)
        Per layer the direction that is read from the state.
    centres : int array of shape (n_readings,)
        Samples.
    reach : int
        Samples on each side.
    memory_bytes : int
        About what a batch may take besides the forward pass; decides its size, never a result.

    Returns
    -------
    dict of int to float32 array of shape (n_readings, 2 * reach)
        Per layer; sample ``centres[i] - reach + k`` in column k, 0 beyond the recording.

    Raises
    ------
    InputError
        Where the recording is too short for a frame.
    """
    import torch

    check_length(encoder, len(audio))
    if absent := set(readings) - set(encoder.layers):
        raise ValueError(f"layer {min(absent)} is not among the encoder's")
    layers, n_frames = sorted(readings, reverse=True), encoder.frames(len(audio))
    centres = np.asarray(centres)
    found = {layer: np.zeros((len(frames), 2 * reach), dtype=np.float32) for layer in layers}
    with _differentiable(encoder):
        wave = encoder.tensor(audio).requires_grad_(True)
        states, features = _forward(encoder, wave, n_frames, layers[0])
        at_once = _block_batch(encoder, n_frames, memory_bytes)
        size = max(1, int(memory_bytes // (8 * n_frames * encoder.dim * len(layers))))
        for first in range(0, len(frames), size):
            batch = np.arange(first, min(first + size, len(frames)))
            pulled = None
            for layer in range(layers[0], -1, -1):
                if layer in readings:
                    own = _cotangents(states[layer], [frames[k] for k in batch], readings[layer][batch])
                    pulled = own if pulled is None else torch.cat([pulled, own])
                below = features if layer == 0 else states[layer - 1]
                pulled = torch.cat([_pull(states[layer], below, part) for part in pulled.split(at_once)])
            pulled = pulled.unflatten(0, (len(layers), len(batch)))
            windows = [(int(centres[k]) - reach, int(centres[k]) + reach) for k in batch]
            through = _through_crops if encoder.local_front_end else _through_all
            for row, (low, _), parts in zip(
                batch, windows, through(encoder, wave, features, pulled, windows, memory_bytes), strict=True
            ):
                for layer, part in zip(layers, parts.float().cpu().numpy(), strict=True):
                    found[layer][row, max(0, -low) : max(0, -low) + len(part)] = part
    return found


@contextmanager
def _differentiable(encoder):
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel

    with ExitStack() as stack:
        stack.enter_context(torch.enable_grad())
        # The other attention kernels have no batched backward pass.
        stack.enter_context(sdpa_kernel(SDPBackend.MATH))
        stack.enter_context(exact_convolutions(encoder.device, encoder.precision))
        yield


def _forward(encoder, wave, n_frames, top):
    """Hidden states of layers 0 to ``top`` and what the front end gave, shape (1, channels, frames)."""
    kept = []
    hook = encoder.model.feature_extractor.register_forward_hook(lambda module, args, out: kept.append(out))
    try:
        stations = list(range(top + 1))
        with taken(encoder.stack.layers, stations, encoder.final_norm, encoder.depth) as states:
            encoder.run_waves([wave], [n_frames])
    finally:
        hook.remove()
    return states, kept[0]


def _pull(above, below, cotangents):
    """Vector-Jacobian products of one step down, for a batch of cotangents."""
    import torch

    return torch.autograd.grad(above, below, cotangents, retain_graph=True, is_grads_batched=True)[0]


def _cotangents(state, frames, directions):
    """What is pulled back: each direction, shared out over the frames of its reading."""
    import torch

    seeds = torch.zeros((len(frames), *state.shape), dtype=state.dtype, device=state.device)
    values = torch.as_tensor(np.asarray(directions, dtype=np.float32)).to(state)
    for k, at in enumerate(frames):
        seeds[k, 0, torch.as_tensor(np.asarray(at), device=state.device)] = values[k] / len(at)
    return seeds


def _through_all(encoder, wave, features, pulled, windows, memory_bytes):
    """Through the front end of the whole recording: per window, gradients of shape (n_layers, n_samples)."""
    import torch

    batch = _front_batch(encoder, len(wave), memory_bytes)
    size = max(1, batch // len(pulled))
    for first in range(0, len(windows), size):
        part = pulled[:, first : first + size]
        whole = torch.cat([_pull(features, wave, each) for each in part.flatten(0, 1).split(batch)])
        for k, (low, high) in enumerate(windows[first : first + size]):
            yield whole.unflatten(0, part.shape[:2])[:, k, max(0, low) : max(0, min(len(wave), high))]


def _through_crops(encoder, wave, features, pulled, windows, memory_bytes):
    """As :func:`_through_all`, from the frames alone whose receptive field touches the window."""
    import torch

    hop, field = math.prod(stride for _, stride in encoder.kernels), encoder.least_samples
    for k, (low, high) in enumerate(windows):
        low, high = max(0, low), max(0, min(len(wave), high))
        first = max(0, -(-(low - field + 1) // hop))
        last = min(features.shape[-1], (high - 1) // hop + 1)
        if first >= last or low >= high:
            yield pulled.new_zeros((len(pulled), max(0, high - low)))
            continue
        start, stop = first * hop, (last - 1) * hop + field
        crop = wave.detach()[start:stop].requires_grad_(True)
        again = encoder.model.feature_extractor(crop[None])
        size = _front_batch(encoder, len(crop), memory_bytes)
        parts = torch.cat([_pull(again, crop, part) for part in pulled[:, k, ..., first:last].split(size)])
        # Samples at the edges may belong to no frame of the crop.
        before, after = max(0, start - low), max(0, high - stop)
        inside = parts[:, max(0, low - start) : high - start]
        yield torch.nn.functional.pad(inside, (before, after))


def _front_batch(encoder, n_samples, memory_bytes):
    """Cotangents per batch through the front end, by the largest of its activations."""
    largest, n = 0, n_samples
    for (kernel, stride), width in zip(encoder.kernels, encoder.model.config.conv_dim, strict=True):
        n = (n - kernel) // stride + 1
        largest = max(largest, n * width)
    # A CPU is twice as fast on what its caches hold (measured: 1 to 5 at a time 8 s, 80 at a time 18 s).
    most = CPU_BYTES if encoder.device.type == "cpu" else memory_bytes
    return max(1, int(min(most, memory_bytes) // (4 * ALIVE * largest)))


def _block_batch(encoder, n_frames, memory_bytes):
    """Cotangents per batch through a block, by attention maps and the inner width."""
    config = encoder.model.config
    inner = max(config.intermediate_size, config.num_attention_heads * n_frames)
    return max(1, int(memory_bytes // (4 * ALIVE * n_frames * inner)))
