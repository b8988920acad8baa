"""The default study on what is shipped: its key numbers, and the controls that they stand on."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]

# Mean r over speakers and channels, OLS: model -> (E1 best layer, E4 best layer).
EXPECTED = {
    "mfcc": (0.692, 0.653),
    "mel": (0.682, 0.576),
    "hubert-fi": (0.676, 0.654),
    "hubert-ru": (0.602, 0.570),
    "hubert-fi-ru": (0.672, 0.650),
    "hubert-tiny": (0.696, 0.697),
    "hubert-untrained": (0.208, 0.218),
}


@pytest.fixture(scope="module")
def layers(tmp_path_factory):
    """Rows of layers.csv of the default study, run in a folder of its own."""
    folder = tmp_path_factory.mktemp("demo")
    (folder / "resources").symlink_to(ROOT / "resources")
    (folder / "config").symlink_to(ROOT / "config")
    table = "results/tables/synthetic-ema/layers.csv"
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "-s", str(ROOT / "Snakefile"), table]
    done = subprocess.run(command, cwd=folder, text=True, capture_output=True, timeout=900)
    assert not done.returncode, done.stderr[-6000:]
    with open(folder / table, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def best(layers, model, experiment, probe="ols", column="r"):
    """The row with the highest r of a model."""
    rows = [r for r in layers if (r["model"], r["experiment"], r["probe"]) == (model, experiment, probe)]
    return float(max(rows, key=lambda row: float(row["r"]))[column])


@pytest.mark.parametrize("model", EXPECTED)
def test_key_numbers(layers, model):
    found = best(layers, model, "E1"), best(layers, model, "E4")
    assert found == pytest.approx(EXPECTED[model], abs=0.01)


@pytest.mark.parametrize("probe", ["ols", "ridge"])
@pytest.mark.parametrize("experiment", ["E1", "E4", "E5"])
def test_controls_are_below(layers, experiment, probe):
    for name in ("hubert-fi", "hubert-ru", "hubert-fi-ru", "hubert-tiny"):
        trained = best(layers, name, experiment, probe)
        assert trained > best(layers, "hubert-untrained", experiment, probe) + 0.3
    for model in EXPECTED:
        r, chance = (best(layers, model, experiment, probe, column) for column in ("r", "chance"))
        assert r > chance + 0.1
        assert abs(chance) < 0.1


def test_every_layer_is_scored_with_its_interval(layers):
    rows = [r for r in layers if r["model"] == "hubert-tiny" and r["experiment"] == "E4"]
    assert sorted({int(r["layer"]) for r in rows}) == [0, 1, 2, 3, 4]
    for row in rows:
        assert float(row["ci_low"]) < float(row["r"]) < float(row["ci_high"])
        assert int(row["n_speakers"]) == 8
