"""Extraction on a CPU, side by side in one run: the plain loop, the forward pass alone, Phonoscope.

The plain loop is that of published code: one utterance at a time, ``output_hidden_states``, one
.npy per layer. The forward pass alone decodes nothing and keeps nothing. The model has
wav2vec2-base's shape and random weights. Memory: peak resident size of a process that extracts N
and 4N utterances.

    python benchmarks/extraction.py --out benchmarks/results/extraction.json
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

OPTIONS = {"dtype": "float16", "window": 60, "overlap": 8, "batch_seconds": 120}


def make_corpus(folder, seconds):
    """Noise with a slow envelope, one FLAC per entry of ``seconds``; the utterances table."""
    import soundfile

    from phonoscope import tables

    rng, rows = np.random.default_rng(0), []
    for k, duration in enumerate(seconds):
        n = round(duration * 16000)
        envelope = np.interp(np.arange(n), 1600 * np.arange(n // 1600 + 2), rng.random(n // 1600 + 2))
        path = Path(folder) / f"{k:04d}.flac"
        soundfile.write(path, 0.3 * envelope * rng.uniform(-1, 1, n), 16000)
        rows.append({"utterance_id": f"u{k:04d}", "audio": str(path), "duration_s": duration})
    return tables.from_rows(rows, tables.UTTERANCES)


def plain_loop(network, extractor, utterances, folder, device="cpu"):
    """The loop of published code."""
    import soundfile
    import torch

    for row in utterances.to_pylist():
        samples, rate = soundfile.read(row["audio"], dtype="float32")
        inputs = extractor(samples, sampling_rate=rate, return_tensors="pt").to(device)
        with torch.no_grad():
            states = network(inputs.input_values, output_hidden_states=True).hidden_states
        for layer, state in enumerate(states):
            np.save(Path(folder) / f"{row['utterance_id']}-{layer}.npy", state[0].cpu().numpy())


def forward_alone(network, waves):
    """The same forward passes and nothing else."""
    import torch

    with torch.inference_mode():
        for wave in waves:
            network(wave)


def load_shape(folder, **config):
    """Encoder and bare network of a wav2vec 2.0 shape with random weights (the same in both)."""
    from transformers import AutoModel, Wav2Vec2Config

    from phonoscope.encoders.load import load

    Wav2Vec2Config(**config).save_pretrained(folder)
    AutoModel.from_config(Wav2Vec2Config(**config)).save_pretrained(folder)
    network = AutoModel.from_pretrained(folder).eval()
    return load({"name": "wav2vec2", "path": str(folder)}), network


def timed(function, *args):
    """Seconds taken by the clock."""
    return clocked(function, *args)[0]


def clocked(function, *args):
    """Seconds taken by the clock, and by all threads of this process on a CPU."""
    start, cpu = time.perf_counter(), time.process_time()
    function(*args)
    return time.perf_counter() - start, time.process_time() - cpu


def compare(repeats, seconds):
    """(clock, CPU) seconds of each way, a list of ``repeats`` each, taken in turn."""
    import torch

    from phonoscope.corpora import audio
    from phonoscope.encoders.extract import extract

    times = {"plain loop": [], "forward alone": [], "phonoscope": []}
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        utterances = make_corpus(folder, seconds)
        encoder, network = load_shape(folder / "model")
        paths = {layer: folder / f"layer{layer}.parquet" for layer in encoder.layers}
        waves = [encoder.prepare(audio.load(p)[0]) for p in utterances.column("audio").to_pylist()]
        waves = [torch.from_numpy(wave)[None] for wave in waves]
        forward_alone(network, waves[:1])
        encoder.forward([waves[0][0].numpy()])
        for _ in range(repeats):
            times["plain loop"].append(clocked(plain_loop, network, encoder.extractor, utterances, folder))
            times["forward alone"].append(clocked(forward_alone, network, waves))
            times["phonoscope"].append(clocked(extract, encoder, utterances, paths, OPTIONS, {}))
    return times


def peak_of(n):
    """Extract ``n`` utterances of 5 s with wide states; print this process's peak memory in MB."""
    from phonoscope.encoders.extract import extract

    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        utterances = make_corpus(folder, [5.0] * n)
        narrow_front = {"conv_dim": [32] * 7, "hidden_size": 768, "num_hidden_layers": 2}
        encoder, _ = load_shape(folder / "model", **narrow_front)
        paths = {layer: folder / f"layer{layer}.parquet" for layer in encoder.layers}
        extract(encoder, utterances, paths, OPTIONS, {})
    # Not getrusage: its maximum is handed down from the parent process.
    print(int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1024)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--peak-of", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.peak_of:
        return peak_of(arguments.peak_of)
    import torch

    torch.set_num_threads(arguments.threads)
    seconds = np.random.default_rng(1).uniform(5, 10, 6).round(2).tolist()
    times = compare(arguments.repeats, seconds)
    medians, cpu = (
        {name: statistics.median(pair[k] for pair in pairs) for name, pairs in times.items()} for k in (0, 1)
    )
    peaks = {}
    for n in (60, 240):
        done = subprocess.run(
            [sys.executable, __file__, "--peak-of", str(n)], capture_output=True, text=True, check=True
        )
        peaks[n] = round(float(done.stdout.split()[-1]))
    result = {
        "audio_s": round(sum(seconds), 1),
        "threads": arguments.threads,
        "load_average": os.getloadavg(),
        "clock_and_cpu_s": times,
        "median_s": medians,
        "median_cpu_s": cpu,
        "plain_loop_over_phonoscope": medians["plain loop"] / medians["phonoscope"],
        "phonoscope_over_forward": medians["phonoscope"] / medians["forward alone"],
        "plain_loop_over_phonoscope_cpu": cpu["plain loop"] / cpu["phonoscope"],
        "phonoscope_over_forward_cpu": cpu["phonoscope"] / cpu["forward alone"],
        "peak_mb_by_utterances": peaks,
    }
    print("| extraction, wav2vec2-base shape, CPU | plain loop | forward alone | Phonoscope | peak memory |")
    print("|---|---|---|---|---|")
    speeds = " | ".join(f"{medians[name]:.2f} s ({cpu[name]:.2f} s CPU)" for name in medians)
    memory = ", ".join(f"{value} MB at {n}" for n, value in peaks.items())
    print(f"| {result['audio_s']} s of audio, {arguments.threads} threads | {speeds} | {memory} utterances |")
    if arguments.out:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
