"""Gradients of tone readings: all segments and layers of a recording at once, against one backward pass each.

python benchmarks/focus.py --out benchmarks/results/focus.json      (--device cuda --full: XLS-R's size)
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from phonoscope.encoders.gradients import gradients
from phonoscope.encoders.load import load
from phonoscope.encoders.states import taken

SIZES = {
    "wav2vec2, group norm, 4 blocks, 96 wide": ("resources/models/hubert-fi-ru", None),
    "wav2vec2, layer norm, 6 blocks, 512 wide": (None, {"blocks": 6, "width": 512, "front": 256}),
}
FULL = {"XLS-R-300M's shape": (None, {"blocks": 24, "width": 1024, "front": 512})}


def shaped(blocks, width, front, folder):
    """Config of a wav2vec 2.0 with layer norm in its front end, as XLS-R has."""
    from transformers import Wav2Vec2Config

    Wav2Vec2Config(
        hidden_size=width,
        num_hidden_layers=blocks,
        num_attention_heads=width // 64,
        intermediate_size=4 * width,
        conv_dim=[front] * 7,
        conv_bias=True,
        feat_extract_norm="layer",
        do_stable_layer_norm=True,
    ).save_pretrained(folder)


def one_by_one(encoder, audio, frames, directions):
    """A forward and a backward pass for every segment and layer, as one writes it down."""
    import torch

    for layer in encoder.layers:
        for frame, direction in zip(frames, directions[layer], strict=True):
            wave = encoder.tensor(audio).requires_grad_(True)
            with torch.enable_grad(), taken(encoder.stack.layers, [layer]) as states:
                encoder.run_waves([wave], [encoder.frames(len(audio))])
                reading = states[layer][0, frame].mean(dim=0)
                (reading @ torch.as_tensor(direction).to(reading)).backward()
    return wave.grad.cpu()


def measured(encoder, seconds, segments, repeats):
    """Segments per second, each in all layers, of both ways."""
    rng = np.random.default_rng(0)
    audio = encoder.prepare((0.1 * rng.standard_normal(round(seconds * encoder.rate))).astype(np.float32))
    n_frames = encoder.frames(len(audio))
    at = np.linspace(0.1 * n_frames, 0.9 * n_frames, segments).astype(int)
    frames = [np.array([frame]) for frame in at]
    directions = {
        layer: rng.standard_normal((segments, encoder.dim)).astype(np.float32) for layer in encoder.layers
    }
    centres, reach = 320 * at + 200, encoder.rate // 2
    times = {"one backward each": [], "phonoscope": []}
    for _ in range(repeats):
        start = time.perf_counter()
        one_by_one(encoder, audio, frames, directions)
        times["one backward each"].append(time.perf_counter() - start)
        start = time.perf_counter()
        gradients(encoder, audio, frames, directions, centres, reach)
        times["phonoscope"].append(time.perf_counter() - start)
    medians = {name: segments / statistics.median(values) for name, values in times.items()}
    return {
        "seconds": seconds,
        "segments": segments,
        "layers": len(encoder.layers),
        "segments_per_s": medians,
        "ratio": medians["phonoscope"] / medians["one backward each"],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--full", action="store_true", help="XLS-R's size, for a GPU")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    result = {"device": arguments.device, "load_average": os.getloadavg()}
    for name, (path, shape) in (FULL if arguments.full else SIZES).items():
        with tempfile.TemporaryDirectory() as folder:
            if shape:
                shaped(**shape, folder=folder)
            depth = shape["blocks"] if shape else 4
            model = {"encoder": "transformers", "depth": depth, "layers": "all"}
            model |= {"init": "random"} if shape else {}
            encoder = load(model, path or folder, arguments.device)
        result[name] = [measured(encoder, s, n, arguments.repeats) for s, n in ((3, 10), (8, 20))]
        print(name, json.dumps(result[name], indent=1))
    if arguments.out:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
