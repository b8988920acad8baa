"""Reading a layer into one float32 array: Phonoscope's file against a fixed_size_list<float16> one.

python benchmarks/reading.py --out benchmarks/results/reading.json
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
import pyarrow as pa
import pyarrow.parquet as pq

from phonoscope import embeddings


def write_both(folder, n_utterances, dim):
    """The same frames in both layouts, row groups alike; returns their paths and the size in MB."""
    rng = np.random.default_rng(0)
    binary, lists = folder / "binary.parquet", folder / "lists.parquet"
    kept = []
    with embeddings.Writer(binary, dim, "float16", {"hop_s": 0.02, "offset_s": 0.0125}) as writer:
        for k in range(n_utterances):
            kept.append(rng.standard_normal((int(rng.integers(150, 500)), dim), np.float32))
            writer.append(f"u{k}", kept[-1])
    values = np.concatenate(kept).astype(np.float16)
    table = pa.table(
        {
            "utterance_id": np.repeat([f"u{k}" for k in range(n_utterances)], [len(v) for v in kept]),
            "frame": np.concatenate([np.arange(len(v), dtype=np.int32) for v in kept]),
            "embedding": pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), dim),
        }
    )
    pq.write_table(table, lists, compression="none", row_group_size=1000)
    return binary, lists, values.nbytes / 1e6


def read_lists(path):
    """A fixed_size_list<float16> column as one float32 array of shape (n, d)."""
    column = pq.read_table(path).column("embedding").combine_chunks()
    dim = column.type.list_size
    return column.flatten().to_numpy(zero_copy_only=False).reshape(-1, dim).astype(np.float32)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    times = {"fixed_size_list": [], "phonoscope": [], "one utterance": []}
    with tempfile.TemporaryDirectory() as folder:
        binary, lists, megabytes = write_both(Path(folder), 180, 1024)
        assert np.array_equal(read_lists(lists), embeddings.read(binary).values)
        for _ in range(arguments.repeats):
            start = time.perf_counter()
            read_lists(lists)
            times["fixed_size_list"].append(time.perf_counter() - start)
            start = time.perf_counter()
            embeddings.read(binary)
            times["phonoscope"].append(time.perf_counter() - start)
            start = time.perf_counter()
            embeddings.read(binary, ["u90"])
            times["one utterance"].append(time.perf_counter() - start)
    medians = {name: statistics.median(values) for name, values in times.items()}
    result = {
        "megabytes": round(megabytes),
        "cpus": os.cpu_count(),
        "load_average": os.getloadavg(),
        "times_s": times,
        "median_s": medians,
        "ratio": medians["fixed_size_list"] / medians["phonoscope"],
    }
    print("| reading a layer into float32 | fixed_size_list | Phonoscope | ratio | one utterance |")
    print("|---|---|---|---|---|")
    print(
        f"| {result['megabytes']} MB of half floats | {medians['fixed_size_list']:.2f} s | "
        f"{medians['phonoscope']:.3f} s | {result['ratio']:.1f} | {1000 * medians['one utterance']:.0f} ms |"
    )
    if arguments.out:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
