"""Tone probes of one layer: Phonoscope's cross-validation against scikit-learn's, fold by fold.

python benchmarks/logistic.py --out benchmarks/results/logistic.json
"""

import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from phonoscope.studies import tone_probes


def layer(n, dim, n_classes, seed=0):
    """Features whose variance falls off as that of hidden states does, and labels that depend on them."""
    rng = np.random.default_rng(seed)
    axes = np.linalg.qr(rng.normal(size=(dim, dim)))[0]
    fall = np.arange(1, dim + 1) ** -0.8
    latent = rng.normal(size=(n, dim))
    planes = rng.normal(size=(n_classes, dim)) * np.arange(1, dim + 1) ** -0.5
    y = (latent @ planes.T + 3 * rng.gumbel(size=(n, n_classes))).argmax(axis=1)
    x = (latent * fall) @ axes.T + 0.01 * rng.normal(size=(n, dim))
    return x.astype(np.float32), y, rng.integers(0, 5, n)


def theirs(x, labellings, fold, tolerance):
    """scikit-learn as one writes it down; probabilities of every item by labelling."""
    found = []
    for y in labellings:
        out = np.zeros((len(x), y.max() + 1))
        for k in np.unique(fold):
            model = LogisticRegression(class_weight="balanced", max_iter=5000, tol=tolerance)
            model = make_pipeline(StandardScaler(), model).fit(x[fold != k].astype(float), y[fold != k])
            out[fold == k] = model.predict_proba(x[fold == k].astype(float))
        found.append(out)
    return found


def ours(x, labellings, fold):
    """Phonoscope's probabilities of every item by labelling."""
    found = []
    for tested in tone_probes.cross_validate(x, labellings, fold, int(max(map(max, labellings))) + 1, [1.0]):
        odds = np.exp(tested.logits - tested.logits.max(axis=1, keepdims=True))
        found.append(odds / odds.sum(axis=1, keepdims=True))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--items", type=int, default=5000)
    parser.add_argument("--dim", type=int, default=1024)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    x, y, fold = layer(arguments.items, arguments.dim, 6)
    labellings = [y, np.random.default_rng(1).permutation(y)]
    times = {"scikit-learn": [], "phonoscope": []}
    with threadpool_limits(1):
        for _ in range(arguments.repeats):
            start = time.perf_counter()
            reference = theirs(x, labellings, fold, 1e-4)
            times["scikit-learn"].append(time.perf_counter() - start)
            start = time.perf_counter()
            found = ours(x, labellings, fold)
            times["phonoscope"].append(time.perf_counter() - start)
        minimum = theirs(x, labellings, fold, 1e-8)
    medians = {name: statistics.median(values) for name, values in times.items()}
    result = {
        "items": arguments.items,
        "dim": arguments.dim,
        "classes": 6,
        "folds": 5,
        "labellings": 2,
        "threads": 1,
        "load_average": os.getloadavg(),
        "times_s": times,
        "median_s": medians,
        "ratio": medians["scikit-learn"] / medians["phonoscope"],
        "largest_difference_of_a_probability": {
            name: max(float(np.abs(a - b).max()) for a, b in zip(values, minimum, strict=True))
            for name, values in (("scikit-learn", reference), ("phonoscope", found))
        },
    }
    print(json.dumps(result, indent=1))
    if arguments.out:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
