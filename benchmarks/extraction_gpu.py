"""Extraction on a GPU: XLS-R-300M's shape with random weights, 20 minutes of audio.

Audio-seconds per second against the plain loop of published code, and the share of the time that
is spent in the forward pass (from audio on the CPU to states on the CPU). Without a GPU it says so
and writes nothing.

    python benchmarks/extraction_gpu.py --out benchmarks/results/extraction_gpu.json
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from extraction import OPTIONS, load_shape, make_corpus, plain_loop, timed

XLS_R_300M = {
    "hidden_size": 1024,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "intermediate_size": 4096,
    "feat_extract_norm": "layer",
    "do_stable_layer_norm": True,
    "conv_bias": True,
}


class Stopwatch:
    """An encoder whose forward passes are timed."""

    def __init__(self, encoder):
        self._encoder, self.seconds = encoder, 0.0

    def __getattr__(self, name):
        return getattr(self._encoder, name)

    def forward(self, prepared):
        start = time.perf_counter()
        states = self._encoder.forward(prepared)
        self.seconds += time.perf_counter() - start
        return states


def measure(repeats, minutes):
    from phonoscope.encoders.extract import extract
    from phonoscope.encoders.load import load

    rng = np.random.default_rng(1)
    seconds = rng.uniform(4, 12, round(minutes * 60 / 8)).round(2).tolist()
    speeds, shares = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        utterances = make_corpus(folder, seconds)
        cpu_encoder, network = load_shape(folder / "model", **XLS_R_300M)
        network = network.to("cuda")
        few = utterances.slice(0, 3)
        plain_loop(network, cpu_encoder.extractor, few, folder, "cuda")
        speeds["plain loop"] = [
            sum(seconds) / timed(plain_loop, network, cpu_encoder.extractor, utterances, folder, "cuda")
            for _ in range(repeats)
        ]
        del network
        for precision in ("float32", "bfloat16"):
            model = {"name": "xls-r", "path": str(folder / "model"), "precision": precision}
            encoder = Stopwatch(load(model, device="cuda"))
            paths = {layer: folder / f"layer{layer}.parquet" for layer in encoder.layers}
            extract(encoder, few, paths, OPTIONS, {})
            speeds[precision], shares[precision] = [], []
            for _ in range(repeats):
                encoder.seconds = 0.0
                taken = timed(extract, encoder, utterances, paths, OPTIONS, {})
                speeds[precision].append(sum(seconds) / taken)
                shares[precision].append(encoder.seconds / taken)
    return sum(seconds), speeds, shares


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=20)
    arguments = parser.parse_args()
    import torch

    if not torch.cuda.is_available():
        print("No CUDA device: nothing was measured.")
        return
    total, speeds, shares = measure(arguments.repeats, arguments.minutes)
    result = {
        "device": torch.cuda.get_device_name(),
        "audio_s": round(total, 1),
        "audio_s_per_s": {name: statistics.median(values) for name, values in speeds.items()},
        "forward_share": {name: statistics.median(values) for name, values in shares.items()},
        "all_audio_s_per_s": speeds,
    }
    print("| extraction, XLS-R-300M shape | plain loop | float32 (in forward) | bfloat16 (in forward) |")
    print("|---|---|---|---|")
    cells = [f"{result['audio_s_per_s']['plain loop']:.0f} audio-s/s"]
    for name, share in result["forward_share"].items():
        cells.append(f"{result['audio_s_per_s'][name]:.0f} audio-s/s ({100 * share:.0f} %)")
    print(f"| {result['device']}, {result['audio_s']:.0f} s of audio | {' | '.join(cells)} |")
    if arguments.out:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
