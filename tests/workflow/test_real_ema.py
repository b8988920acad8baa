"""The example config on real recordings: three formats, three languages, one utterance left out."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data" / "ema"


def run(folder, sheet):
    """r and chance of the example config with the speaker sheet ``sheet``, run in ``folder``."""
    config = yaml.safe_load((ROOT / "config/examples/real_ema.yaml").read_text(encoding="utf-8"))
    config["corpora"]["real-ema"] |= {"path": str(DATA), "speakers": "sheet.tsv"}
    (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    (folder / "sheet.tsv").write_text(sheet, encoding="utf-8")
    table = "results/tables/real-ema/layers.csv"
    snakemake = [sys.executable, "-m", "snakemake", "--cores", "2", "-s", str(ROOT / "Snakefile")]
    done = subprocess.run(
        [*snakemake, "--configfile", "config.yaml", "--", table],
        cwd=folder,
        text=True,
        capture_output=True,
        timeout=600,
    )
    assert not done.returncode, done.stderr[-6000:]
    with open(folder / table, newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    return float(row["r"]), float(row["chance"])


def test_real_recordings_are_read_and_orientation_matters(tmp_path):
    if not DATA.is_dir():
        pytest.skip(f"{os.path.relpath(DATA, ROOT)} is absent")
    sheet = (ROOT / "config/speakers/real-ema.tsv").read_text(encoding="utf-8")
    r, chance = run(tmp_path, sheet)
    assert r > 0.3
    assert abs(chance) < 0.05
    unflipped, _ = run(tmp_path, sheet.replace("x=-y", "x=+y"))
    assert unflipped < r - 0.05
