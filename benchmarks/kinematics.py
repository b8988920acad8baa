"""The kinematics study of one layer against the articulation study's own pass over that layer.

    python benchmarks/kinematics.py --out benchmarks/results/kinematics.json

All read the same Parquet files (those of benchmarks/probes.py: 18 speakers of two languages, who read the
same texts) in processes of their own, in turn, with all cores: all of E1–E5; all pairs of speakers and
groups, all maps of every size and their controls, the same texts and others; and the partition by phones and
layer, with speakers and languages held out, on a tier of random phones. The last two together may take three
times as long as the first. A few pairs are fitted by scikit-learn's LinearRegression on the frames, in this
run, for their time and r.
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
PARTITION = {"leave_out": ["speaker", "language"], "silence": ["sil"], "phone_alphas": [0.001, 0.03, 1]}
PARTITION |= {key: OPTIONS[key] for key in ("alphas", "frame_alignment", "shifts_s", "seed")}
STUDIES = ("articulation", "kinematics", "partition")
# How many times the articulation study's own pass the other two may take.
LIMIT = 3
PHONES, PHONE_S = 30, 0.1


def write_layer(folder, speakers, seconds, dim):
    """The layer of benchmarks/probes.py, with sexes, phones and texts; all speak both languages."""
    from phonoscope import tables

    probes.write_layer(folder, speakers, seconds, dim)
    rng = np.random.default_rng(1)
    (folder / "segments").mkdir()
    for number, path in enumerate(sorted((folder / "utterances").glob("*"))):
        rows = tables.read(path).to_pylist()
        rows = [
            row | {"sex": "fm"[number % 2], "language": "fr"[u % 2], "text": f"text {u}", "duration_s": 4.0}
            for u, row in enumerate(rows)
        ]
        tables.write(tables.from_rows(rows, tables.UTTERANCES), path)
        segments = [
            {"utterance_id": row["utterance_id"], "tier": "phone", "label": label}
            | {"start_s": at * PHONE_S, "end_s": (at + 1) * PHONE_S}
            for row in rows
            for at, label in enumerate(_phones(rng))
        ]
        tables.write(tables.from_rows(segments, tables.SEGMENTS), folder / "segments" / path.name)


def _phones(rng):
    """Labels of one utterance of benchmarks/probes.py (4 s), in silence at either end."""
    inner = rng.integers(PHONES, size=round(4 / PHONE_S) - 2)
    return ["sil", *(f"p{label}" for label in inner), "sil"]


def measure(folder, study, probe):
    """Time one study; run in a child process."""
    from phonoscope.studies import articulation, kinematics, kinematics_partition

    utterances, tracks, layer = probes.shards(folder)
    start, cpu = time.perf_counter(), time.process_time()
    if study == "articulation":
        options = probes.OPTIONS | {"probes": [probe], "alphas": OPTIONS["alphas"]}
        scores, _ = articulation.score(utterances, tracks, layer, options, "benchmark", 0)
    elif study == "kinematics":
        scores, _ = kinematics.score(utterances, tracks, layer, OPTIONS | {"probes": [probe]}, "benchmark", 0)
    else:
        segments = sorted(str(path) for path in (folder / "segments").glob("*"))
        scores = kinematics_partition.score(utterances, tracks, segments, layer, PARTITION, "benchmark", 0)
    found = {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - cpu}
    found["memory_gib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    found["rows"] = len(scores)
    if study == "kinematics":
        chosen = [row for row in scores.to_pylist() if row["experiment"] == "speakers"]
        found["r"] = {f"{row['source']}|{row['target']}|{row['channel']}": row["r"] for row in chosen}
    print(json.dumps(found))


def run(folder, probe, repeats):
    """The studies in turn; per study the medians of the repeats."""
    runs = {study: [] for study in STUDIES}
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


def against_the_limit(medians):
    """How many times the articulation study's pass the other two take, each and together."""
    found = {}
    for name in ("seconds", "cpu_seconds"):
        whole = medians["articulation"][name]
        each = {study: medians[study][name] / whole for study in STUDIES[1:]}
        found[name] = each | {"together": sum(each.values())}
    return {"times_the_articulation_study": found, "limit": LIMIT,
            "within_limit": found["seconds"]["together"] <= LIMIT}  # fmt: skip


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

    Solves are Cholesky factorisations: a probe for each speaker and size, one on all of each speaker, one for
    each speaker left out of each group (two languages, two sexes; three conditions of all speakers), one for
    each whole group, and one for each speaker and half of the texts, applied to both halves of the others.
    """
    frames = speakers * seconds / probes.HOP
    columns = channels * versions
    fits = speakers * (1 + sizes) + 2 * speakers + 2 + 2 + 3 * speakers + 2 * speakers
    applied = speakers * (1 + sizes) * speakers + speakers * (2 + 2 + 3 * 3) + (2 * speakers) ** 2
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
            result[probe] = medians | against_the_limit(medians)
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
