"""All of E1–E5 for one layer: Phonoscope against scikit-learn's LinearRegression fit by fit.

    python benchmarks/probes.py --out benchmarks/results/probes.json

Both do float64 least squares on the same frames, in this run, with all cores. Phonoscope's time
is that of the score job's function, reading Parquet included, in a process of its own so that its
peak memory is its own. Of scikit-learn's fits, one of each size is timed (median of three), with
all channels and their controls in one call, and multiplied by how many there are.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

CHANNELS = [f"{sensor}_{axis}" for sensor in ("TT", "TB", "TD", "UL", "LL") for axis in "xz"]
SECONDS = [20, 30, 60, 120, 300, 600, 1200]
HOP = 0.02
OPTIONS = {
    "experiments": ["E1", "E2", "E3", "E4", "E5"],
    "probes": ["ols"],
    "alphas": [1.0],
    "splits": ["utterances"],
    "training_seconds": SECONDS,
    "test_share": 0.2,
    "leave_out": "speaker",
    "frame_alignment": "index",
    "shifts_s": [10.0, -10.0],
    "seed": 0,
}


def write_layer(folder, speakers, seconds, dim):
    """One layer of a corpus shaped like FROST-EMA: 11 + 7 speakers, 4-s utterances, 3 × 3 cells."""
    import pyarrow as pa

    from phonoscope import embeddings, tables

    rng = np.random.default_rng(0)
    weights = rng.standard_normal((dim, len(CHANNELS))) / np.sqrt(dim)
    for s in range(speakers):
        speaker, rows, tracks = f"s{s:02}", [], []
        path = {
            kind: folder / kind / f"{speaker}.parquet" for kind in ("utterances", "articulation", "layer")
        }
        path["layer"].parent.mkdir(exist_ok=True)
        about = {"hop_s": HOP, "offset_s": 0.0125}
        with embeddings.Writer(path["layer"], dim, "float16", about) as writer:
            for u in range(int(seconds / 4)):
                name, n = f"{speaker}-{u}", int(4 / HOP)
                x = rng.standard_normal((n, dim), dtype=np.float32).astype(np.float16)
                y = x.astype(np.float64) @ weights + rng.standard_normal((n, len(CHANNELS)))
                writer.append(name, x)
                columns = [pa.array([name] * n).dictionary_encode(), pa.array(HOP * np.arange(n))]
                columns += [pa.array(c.astype(np.float32)) for c in y.T]
                tracks.append(pa.table(columns, schema=tables.articulation_schema(CHANNELS)))
                about_row = {"utterance_id": name, "speaker": speaker, "task": f"T{u % 3}"}
                rows.append(about_row | {"condition": "ABC"[u // 3 % 3], "native_language": "fr"[s > 10]})
        tables.write(tables.from_rows(rows, tables.UTTERANCES), path["utterances"])
        scale = {row["utterance_id"]: dict.fromkeys(CHANNELS, [0.0, 1.0]) for row in rows}
        track = pa.concat_tables(tracks).unify_dictionaries()
        tables.write(track, path["articulation"], channels=CHANNELS, scale=scale)


def shards(folder):
    return [sorted(str(p) for p in (folder / k).glob("*")) for k in ("utterances", "articulation", "layer")]


def ours(folder, experiments):
    """Time one score job; run in a child process."""
    from phonoscope.studies import articulation

    start = time.perf_counter()
    scores, _ = articulation.score(*shards(folder), OPTIONS | {"experiments": experiments}, "benchmark", 0)
    seconds = time.perf_counter() - start
    rows = {f"{r['train']}|{r['test']}|{r['target']}|{r['metric']}": r["value"] for r in scores.to_pylist()}
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(json.dumps({"seconds": seconds, "memory_gib": memory, "rows": rows}))


def run_ours(folder, experiments, repeats):
    runs = []
    for _ in range(repeats):
        command = [sys.executable, __file__, "--folder", str(folder), "--experiments", *experiments]
        runs.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    return statistics.median(r["seconds"] for r in runs), max(r["memory_gib"] for r in runs), runs[0]["rows"]


def sklearn_fits(folder, repeats, rows):
    """Median seconds of one fit of every kind, how many there are, and the largest |Δr| to ``rows``."""
    from sklearn.linear_model import LinearRegression

    from phonoscope.probes import designs
    from phonoscope.studies.frames import Corpus

    found = list(Corpus(*shards(folder), "index"))
    shift = round(10 / HOP)
    ys = [np.hstack([f.y, np.roll(f.y, shift, axis=0), np.roll(f.y, -shift, axis=0)]) for f in found]
    kinds, worst = {}, 0.0

    def timed(kind, count, train, x_test, y_test, key):
        x = np.concatenate([found[i].x[rows] for i, rows in train]).astype(np.float64)
        y = np.concatenate([ys[i][rows] for i, rows in train])
        times = []
        for _ in range(repeats):
            start = time.perf_counter()
            model = LinearRegression().fit(x, y)
            predicted = model.predict(x_test.astype(np.float64))
            times.append(time.perf_counter() - start)
        kinds[kind] = {"seconds": statistics.median(times), "fits": count}
        print(f"{kind}: {kinds[kind]['seconds']:.2f} s x {count}", file=sys.stderr, flush=True)
        r = [np.corrcoef(p, y)[0, 1] for p, y in zip(predicted.T, y_test.T, strict=True)]
        r = np.reshape(r, (-1, len(CHANNELS)))
        gaps = []
        for metric, ours in (("pearson_r", r[0]), ("pearson_r_shifted", r[1:].mean(axis=0))):
            expected = [rows[f"{key}|{channel}|{metric}"] for channel in CHANNELS]
            gaps.append(np.abs(ours - expected).max())
        return max(gaps)

    f, y, count = found[0], ys[0], len(found)
    rng = designs.generator(0, f.speaker, "utterances")
    order, _ = designs.split_utterances(f.utterance, f.attributes, 0.2, rng)
    test = order < 0
    n_train = int((~test).sum())
    words = f"speaker={f.speaker} split=utterances"
    sizes = [(f"E3, {s} s", s / HOP, f"{words} seconds={s}") for s in SECONDS if s / HOP <= n_train]
    for kind, size, train_words in [("E1", n_train, f"{words} part=train"), *sizes]:
        train = [(0, np.flatnonzero(~test & (order < size)))]
        key = f"{train_words}|{words} part=test"
        worst = max(worst, timed(kind, count, train, f.x[test], y[test], key))
    everyone = slice(None)
    groups = [g.native_language for g in found]
    for group in sorted(set(groups)):
        members = [i for i, g in enumerate(groups) if g == group]
        train = [(i, everyone) for i in members[1:]]
        held = found[members[0]]
        key = f"group={group} except={held.speaker}|speaker={held.speaker}"
        worst = max(worst, timed(f"E5, {group}", len(members), train, held.x, ys[members[0]], key))
    train = [(i, everyone) for i in range(1, count)]
    worst = max(worst, timed("E4", count, train, f.x, y, f"except={f.speaker}|speaker={f.speaker}"))
    return kinds, worst


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--speakers", type=int, default=18)
    parser.add_argument("--seconds", type=int, default=300, help="of speech per speaker")
    parser.add_argument("--dim", type=int, default=1024)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--experiments", nargs="+", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.folder:
        return ours(args.folder, args.experiments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_layer(folder, args.speakers, args.seconds, args.dim)
        everything, memory, rows = run_ours(folder, ["E1", "E2", "E3", "E4", "E5"], args.repeats)
        e4, _, _ = run_ours(folder, ["E4"], args.repeats)
        kinds, gap = sklearn_fits(folder, args.repeats, rows)
    naive = sum(kind["seconds"] * kind["fits"] for kind in kinds.values())
    naive_e4 = kinds["E4"]["seconds"] * kinds["E4"]["fits"]
    n = args.speakers * args.seconds / HOP
    fits = sum(kind["fits"] for kind in kinds.values())
    # What cannot be avoided: the products of one pass (a symmetric half) and a Cholesky per fit.
    flops = n * args.dim**2 + fits * args.dim**3 / 3
    result = {
        "speakers": args.speakers,
        "seconds_per_speaker": args.seconds,
        "dim": args.dim,
        "channels": len(CHANNELS),
        "phonoscope_s": everything,
        "phonoscope_e4_s": e4,
        "linear_regression_s": naive,
        "linear_regression_e4_s": naive_e4,
        "speedup": naive / everything,
        "speedup_e4": naive_e4 / e4,
        "largest_r_difference": gap,
        "peak_memory_gib": memory,
        "least_flops": flops,
        "gflops_of_least": flops / everything / 1e9,
        "dgemm_gflops": dgemm_rate(),
        "fits": kinds,
    }
    print(json.dumps(result, indent=1))
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(json.dumps(result, indent=1) + "\n")


def dgemm_rate():
    """GFLOP/s of a float64 product on this machine, best of five."""
    a = np.random.default_rng(0).standard_normal((2048, 2048))
    times = []
    for _ in range(5):
        start = time.perf_counter()
        a @ a
        times.append(time.perf_counter() - start)
    return 2 * 2048**3 / min(times) / 1e9


if __name__ == "__main__":
    main()
