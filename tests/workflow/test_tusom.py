"""Real words of a tone language, from their texts to the table of layers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from phonoscope.studies import sheets

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data" / "tusom2021"


def test_tusom_runs_end_to_end(tmp_path):
    if not DATA.is_dir():
        pytest.skip(f"{os.path.relpath(DATA, ROOT)} is absent")
    config = yaml.safe_load((ROOT / "config/examples/tusom.yaml").read_text(encoding="utf-8"))
    config["corpora"]["tusom"]["path"] = str(DATA)
    # One model and few tones: the example itself takes minutes.
    config["tone"] |= {"models": ["hubert-fi-ru"], "variants": {}, "max_items": 100, "folds": 4}
    config["tone"] |= {"acoustic": {"windows_ms": [100, 200]}, "focus": {"max_items": 5}}
    config["tone"] |= {"occlusion": {"models": []}}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    (tmp_path / "resources").symlink_to(ROOT / "resources")
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "-s", str(ROOT / "Snakefile")]
    command += ["--configfile", "config.yaml", "--", "results/tables/tone/layers.csv"]
    done = subprocess.run(command, cwd=tmp_path, text=True, capture_output=True, timeout=1200)
    assert not done.returncode, done.stderr[-6000:]
    tables = tmp_path / "results/tables/tone"
    layers, spans = sheets.read(tables / "layers.csv"), sheets.read(tables / "spans.csv")
    assert (
        list(layers.layer) == [0, 1, 2, 3, 4]
        and set(layers.n_classes) == {3}
        and set(layers.n_items) == {300}
    )
    assert list(spans.fold_by) == ["syllable"] and spans.f1_best[0] > 0.4
    assert (layers.shuffled < 0.42).all() and (layers.macro_f1 <= 1).all()
    left = sheets.read(tables / "left_out.csv")
    assert left.reason.str.startswith("no tone by the spelling").any()
    assert left[left.reason == "more than max_items"]["items"].sum() > 2000
