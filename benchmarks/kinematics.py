"""The kinematics study of one layer against the articulation study's own pass over that layer.

    python benchmarks/kinematics.py --out benchmarks/results/kinematics.json

Both read the same Parquet files (those of benchmarks/probes.py: 18 speakers of two languages) in processes
of their own, in turn, with all cores: all of E1–E5, and all pairs of speakers and groups, all maps of every
size and their controls. A few pairs are fitted by scikit-learn's LinearRegression on the frames, in this run,
for their time and r.
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

from benchmarks import probes  # noqa: E402

OPTIONS = {
    "probes": ["ols"],
    "groups": ["native_language", "sex", "condition"],
    "maps": ["affine", "rotation", "articulator"],
    "map_seconds": [10, 20, 40, "all"],
    "alphas": [10.0**power for power in range(-6, 2)],
    "test_share": 0.2,
    "frame_alignment": "index",
    "shifts_s": [10.0, -10.0],
    "seed": 0,
}


def write_layer(folder, speakers, seconds, dim):
    """The layer of benchmarks/probes.py, with a sex for every speaker."""
    from phonoscope import tables

    probes.write_layer(folder, speakers, seconds, dim)
    for number, path in enumerate(sorted((folder / "utterances").glob("*"))):
        rows = [row | {"sex": "fm"[number % 2]} for row in tables.read(path).to_pylist()]
        tables.write(tables.from_rows(rows, tables.UTTERANCES), path)


def measure(folder, study, probe):
    """Time one study; run in a child process."""
    from phonoscope.studies import articulation, kinematics

    start, cpu = time.perf_counter(), time.process_time()
    if study == "articulation":
        options = probes.OPTIONS | {"probes": [probe], "alphas": OPTIONS["alphas"]}
        scores, _ = articulation.score(*probes.shards(folder), options, "benchmark", 0)
    else:
        scores, _ = kinematics.score(*probes.shards(folder), OPTIONS | {"probes": [probe]}, "benchmark", 0)
    found = {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - cpu}
    found["memory_gib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    found["rows"] = len(scores)
    if study == "kinematics":
        chosen = [row for row in scores.to_pylist() if row["experiment"] == "speakers"]
        found["r"] = {f"{row['source']}|{row['target']}|{row['channel']}": row["r"] for row in chosen}
    print(json.dumps(found))


def run(folder, probe, repeats):
    """Both studies in turn; per study the medians of the repeats."""
    runs = {"articulation": [], "kinematics": []}
    for _ in range(repeats):
        for study, found in runs.items():
            command = [sys.executable, __file__, "--folder", str(folder), "--study", study, "--probe", probe]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            found.append(json.loads(done.stdout))
            print(probe, study, f"{found[-1]['seconds']:.1f} s", file=sys.stderr, flush=True)
    names = ("seconds", "cpu_seconds", "memory_gib", "rows")
    medians = {
        study: {name: statistics.median(one[name] for one in found) for name in names}
        for study, found in runs.items()
    }
    return medians, runs["kinematics"][0]["r"]


def against_sklearn(folder, r, pairs=3):
    """Seconds of one LinearRegression and its test, and the largest |Δr| over a few pairs of speakers."""
    from sklearn.linear_model import LinearRegression

    from phonoscope.probes import designs
    from phonoscope.studies.frames import Corpus

    found = list(Corpus(*probes.shards(folder), "index"))
    splits = []
    for frames in found:
        rng = designs.generator(0, frames.speaker, "utterances")
        splits.append(designs.split_utterances(frames.utterance, frames.attributes, 0.2, rng)[0])
    seconds, gaps = [], []
    for source in range(pairs):
        target = (source + len(found) // 2) % len(found)
        one, other = found[source], found[target]
        test = splits[target] < 0
        start = time.perf_counter()
        model = LinearRegression().fit(one.x.astype(float), one.y)
        predicted = model.predict(other.x[test].astype(float))
        seconds.append(time.perf_counter() - start)
        for c, channel in enumerate(probes.CHANNELS):
            expected = np.corrcoef(predicted[:, c], other.y[test, c])[0, 1]
            gaps.append(abs(expected - r[f"{one.speaker}|{other.speaker}|{channel}"]))
    return statistics.median(seconds), max(gaps)


def operations(speakers, seconds, dim, channels=10, versions=3, sizes=4):
    """Floating-point operations that cannot be avoided: of the pass, of the fits, of applying them.

    Solves are Cholesky factorisations: a probe for each speaker and size, one on all of each speaker, and one
    for each speaker left out of each group (two languages, two sexes; three conditions of all speakers) and
    each whole group.
    """
    frames = speakers * seconds / probes.HOP
    columns = channels * versions
    fits = speakers * (1 + sizes) + 2 * speakers + 2 + 2 + 3 * speakers
    applied = speakers * (1 + sizes) * speakers + speakers * (2 + 2 + 3 * 3)
    return {
        "pass": frames * (dim + columns) ** 2,
        "fits": fits * dim**3 / 3,
        "applying": applied * 2 * dim**2 * columns,
        "n_fits": fits,
        "n_applied": applied,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--speakers", type=int, default=18)
    parser.add_argument("--seconds", type=int, default=300, help="of speech per speaker")
    parser.add_argument("--dim", type=int, default=1024)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--probes", nargs="+", default=["ols"])
    parser.add_argument("--out", type=Path)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--study", help=argparse.SUPPRESS)
    parser.add_argument("--probe", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.folder:
        return measure(args.folder, args.study, args.probe)
    result = {"speakers": args.speakers, "seconds_per_speaker": args.seconds, "dim": args.dim}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_layer(folder, args.speakers, args.seconds, args.dim)
        for probe in args.probes:
            medians, r = run(folder, probe, args.repeats)
            result[probe] = medians
            for name in ("seconds", "cpu_seconds"):
                ratio = medians["kinematics"][name] / medians["articulation"][name]
                result[probe][f"times_the_articulation_study_{name}"] = ratio
            if probe == "ols":
                each, gap = against_sklearn(folder, r)
                result["linear_regression_s"], result["largest_r_difference"] = each, gap
                result["linear_regression_all_pairs_s"] = each * args.speakers**2
    counted = operations(args.speakers, args.seconds, args.dim)
    result["operations"] = counted
    if "ols" in result:
        flops = sum(counted[part] for part in ("pass", "fits", "applying"))
        result["gflops"] = flops / result["ols"]["kinematics"]["seconds"] / 1e9
    result["dgemm_gflops"] = probes.dgemm_rate()
    print(json.dumps(result, indent=1))
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
