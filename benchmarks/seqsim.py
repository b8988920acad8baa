"""SeqSim of all pairs of two languages' utterances in one layer, against what published code does.

Each way is timed in turn, several times over, beside one matrix product of all frames with all frames
(sgemm), which does the same multiplications and no maxima; its share of that speed is the median of the
ratios within a turn, by the clock and by seconds of CPU (which other work on the machine disturbs less;
ways that use one core look better by it). Slow ways do a few pairs, and their time is scaled up. With
``--device cuda`` the paper's size runs on the GPU as well.

    python benchmarks/seqsim.py --out benchmarks/results/seqsim.json
"""

import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

# isort: off
import phonoscope  # noqa: E402, F401 - sets up OpenBLAS's threads, so before NumPy
import numpy as np  # noqa: E402

PAPER = {"utterances": 427, "frames": 500, "dim": 1280}


def make(utterances, frames, dim, seed, dtype=np.float32):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal((frames, dim), dtype=np.float32).astype(dtype) for _ in range(utterances)]


def operations(utterances, frames, dim):
    return 2 * (utterances * frames) ** 2 * dim


def score(cosines):
    precision, recall = cosines.max(axis=1).mean(), cosines.max(axis=0).mean()
    return 2 * precision * recall / (precision + recall)


def broadcasting(x, y):
    """A frame with all frames of the other utterance at a time, by sums of products."""
    norm_y = np.sqrt((y * y).sum(axis=-1))
    return score(np.array([(u * y).sum(axis=-1) / (np.sqrt((u * u).sum()) * norm_y) for u in x]))


def pairwise(x, y):
    """scikit-learn's cosine_similarity of a pair of utterances."""
    from sklearn.metrics.pairwise import cosine_similarity

    return score(cosine_similarity(x, y))


def product(x, y):
    """One matrix product per pair, of unit frames."""
    return score(x @ y.T)


def seconds(function):
    """By the clock, and of CPU."""
    start, cpu = time.perf_counter(), time.process_time()
    function()
    return np.array([time.perf_counter() - start, time.process_time() - cpu])


def ways(a, b):
    """Name to (function, share of the pairs that it does); and the largest difference between scores."""
    from phonoscope.probes.dtw import dtw_matrix
    from phonoscope.probes.seqsim import mean_pooled_matrix, seqsim_matrix

    all_a, all_b = np.concatenate(a), np.concatenate(b)
    out = np.empty((len(all_a), len(all_b)), np.float32)
    unit_a, unit_b = ([x / np.linalg.norm(x, axis=1, keepdims=True) for x in side] for side in (a, b))
    ours = seqsim_matrix(a, b)
    few = [(i, 0) for i in range(1 if len(a[0]) > 100 else len(a))]
    some = [(i, j) for i in range(len(a)) for j in range(min(2, len(b)))]
    gap = max(abs(function(a[0], b[0]) - ours[0, 0]) for function in (broadcasting, pairwise))

    def loop(function, left, right, pairs):
        return (lambda: [function(left[i], right[j]) for i, j in pairs]), len(pairs) / ours.size

    return {
        "sgemm": ((lambda: np.matmul(all_a, all_b.T, out=out)), 1),
        "broadcasting": loop(broadcasting, a, b, few),
        "scikit-learn per pair": loop(pairwise, a, b, some),
        "product per pair": loop(product, unit_a, unit_b, some),
        "seqsim_matrix": ((lambda: seqsim_matrix(a, b)), 1),
        "dtw_matrix": ((lambda: dtw_matrix(a, b)), 1),
        "mean_pooled_matrix": ((lambda: mean_pooled_matrix(a, b)), 1),
    }, float(gap)


def compare(utterances, frames, dim, repeats):
    """Seconds of every way for all pairs, and its share of sgemm."""
    todo, gap = ways(make(utterances, frames, dim, 1), make(utterances, frames, dim, 2))
    for function, _ in todo.values():
        function()
    turns = []
    for _ in range(repeats):
        turns.append({name: seconds(function) / part for name, (function, part) in todo.items()})
    found = {}
    for name in todo:
        took, cpu = np.median([turn[name] for turn in turns], axis=0)
        share, cpu_share = np.median([turn["sgemm"] / turn[name] for turn in turns], axis=0)
        found[name] = {"seconds": took, "cpu_seconds": cpu}
        found[name] |= {"share_of_sgemm": share, "share_of_sgemm_by_cpu": cpu_share}
        shares = f"{took:9.3f} s  {share:.3f}  CPU {cpu:9.3f} s  {cpu_share:.3f}"
        print(f"{utterances} x {frames}: {name:22} {shares}")
    rate = operations(utterances, frames, dim) / found["sgemm"]["seconds"] / 1e9
    return {"utterances": utterances, "frames": frames, "dim": dim, "sgemm_gflops": rate} | {
        "largest_difference": gap,
        "ways": found,
    }


def on_gpu(dim, repeats):
    """The paper's size on the GPU, states on the host at the start and scores at the end."""
    import torch

    from phonoscope.studies.alignment_device import seqsim_matrix

    if not torch.cuda.is_available():
        sys.exit("no GPU: nothing is written")
    shape = PAPER | {"dim": dim}
    a, b = (make(**shape, seed=seed, dtype=np.float16) for seed in (1, 2))
    found = {"gpu": torch.cuda.get_device_name(), **shape}
    for dtype in ("float32", "float16"):
        seqsim_matrix(a[:2], b[:2], "cuda", dtype)
        x = torch.randn(8192, 8192, device="cuda", dtype=getattr(torch, dtype))
        turns = []
        for _ in range(repeats):
            torch.cuda.synchronize()
            gemm = seconds(lambda x=x: (x @ x, torch.cuda.synchronize()))[0]
            turns.append((gemm, seconds(lambda dtype=dtype: seqsim_matrix(a, b, "cuda", dtype))[0]))
        flops = 2 * 8192**3 / statistics.median(gemm for gemm, _ in turns)
        took = statistics.median(ours for _, ours in turns)
        found[dtype] = {"seconds": took, "share_of_gemm": operations(**shape) / took / flops}
        found[dtype]["peak_bytes"] = torch.cuda.max_memory_allocated()
        print(f"GPU, {dtype}: {took:.2f} s, {found[dtype]['share_of_gemm']:.3f} of the matrix product's rate")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--utterances", type=int, default=20, help="of each language")
    parser.add_argument("--dim", type=int, default=1280)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    n, dim = args.utterances, args.dim
    sizes = [(n, 500), (n, 50), (10 * n, 50)]
    result = {"cores": os.cpu_count(), "load_before": os.getloadavg()[0]}
    result["sizes"] = [compare(utterances, frames, dim, args.repeats) for utterances, frames in sizes]
    shape = PAPER | {"dim": dim}
    long = result["sizes"][0]
    scale = operations(**shape) / operations(n, 500, dim)
    result["paper_size"] = shape | {
        "operations": operations(**shape),
        "state_bytes_float16": 2 * 2 * shape["utterances"] * shape["frames"] * dim,
        "seconds_on_cpu": scale * long["ways"]["seqsim_matrix"]["seconds"],
        "cpu_seconds": scale * long["ways"]["seqsim_matrix"]["cpu_seconds"],
        "cpu_seconds_dtw": scale * long["ways"]["dtw_matrix"]["cpu_seconds"],
    }
    if args.device == "cuda":
        result["gpu"] = on_gpu(dim, args.repeats)
    print(json.dumps(result["paper_size"], indent=1))
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
