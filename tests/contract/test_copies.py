"""Results that are copied to another machine, and a folder whose code goes to an older commit and back."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.conftest import CONFIG, Bed, below

pytestmark = pytest.mark.slow
FIGURE = "phonoscope/figures/heatmap.py"


@pytest.fixture
def moved(demo, tmp_path):
    """A function: the project after `rsync -a` with further options."""

    def copy(*options):
        folder = tmp_path / "elsewhere"
        if shutil.which("rsync"):
            without = [f"--exclude={name}" for name in ("/.git", "/.venv", "__pycache__")]
            subprocess.run(["rsync", "-a", *without, *options, f"{demo}/", f"{folder}/"], check=True)
        else:
            pytest.skip("there is no rsync here")
        return Bed(folder)

    yield copy
    shutil.rmtree(tmp_path / "elsewhere")


@pytest.mark.parametrize("options", [[], ["--no-times"]], ids=["rsync -a", "without times"])
def test_a_copy_is_up_to_date(moved, options):
    assert moved(*options).plan() == {}


def test_a_copy_without_records_says_what_it_cannot_know(moved, dag):
    """Which options and code a result was made with is in .snakemake; without it only newer files tell."""
    bed = moved("--exclude=/.snakemake")
    warning = f"{len(dag)} jobs have missing provenance/metadata so that it in part cannot be used"
    said = bed.snakemake("-n")
    assert "Nothing to be done" in said and warning in said
    bed.configure(lambda config: config["articulation"].update(test_share=0.3))
    said = bed.snakemake("-n")
    assert "Nothing to be done" in said and warning in said
    # Any job can be asked for all the same, and a file that is newer than what was made of it is seen.
    assert set(bed.plan("--forcerun", "score")) >= {key for key in dag if key[0] == "score"}
    bed.append("resources/models/hubert-fi/config.json", " ")
    assert set(bed.plan()) == below(dag, {("fetch_model", "model=hubert-fi")})


def git(bed, *arguments):
    who = ["-c", "user.name=phonoscope", "-c", "user.email=phonoscope@localhost"]
    subprocess.run(["git", *who, *arguments], cwd=bed.folder, check=True, stdout=subprocess.DEVNULL)


def make_demo(bed):
    """`make demo` in the environment that the tests run in; the jobs that it ran."""
    environment = Path(sys.prefix)
    stamp = environment / ".synced"
    command = ["make", "demo", f"VENV={environment}", "CORES=2", "-o", str(stamp)]
    done = subprocess.run(
        command, cwd=bed.folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=1800
    )
    assert not done.returncode, done.stdout[-6000:]
    assert (bed.folder / "results/report.html").is_file()
    return set(re.findall(r"(?m)^(?:local)?rule (\w+):", done.stdout)) - {"all"}


def test_an_older_commit_and_back(copy):
    """Nothing is made again but what the commits make differently."""
    now = {path: (copy.folder / path).read_text(encoding="utf-8") for path in (FIGURE, "README.md", CONFIG)}
    figure = copy.folder / "results/figures/synthetic-ema/heatmap.png"
    drawn = figure.read_bytes()
    times = {path: path.stat().st_mtime_ns for path in (copy.folder / "results").rglob("*.parquet")}
    assert now[FIGURE].count("style.R_LABEL") == 1
    git(copy, "init", "-q")
    for path, text in now.items():
        older = text.replace("style.R_LABEL", '"r, as it once was"') + "\n# Older.\n"
        (copy.folder / path).write_text(older, encoding="utf-8")
    git(copy, "add", "-A")
    git(copy, "commit", "-qm", "older")
    for path, text in now.items():
        (copy.folder / path).write_text(text, encoding="utf-8")
    git(copy, "commit", "-qam", "newer")
    git(copy, "branch", "newer")

    git(copy, "checkout", "-q", "HEAD~1")
    assert {key[0] for key in copy.plan()} == {"draw_heatmap"}
    git(copy, "checkout", "-q", "newer")
    assert copy.plan() == {}

    git(copy, "checkout", "-q", "HEAD~1")
    assert make_demo(copy) == {"draw_heatmap"}
    assert figure.read_bytes() != drawn
    git(copy, "checkout", "-q", "newer")
    assert make_demo(copy) == {"draw_heatmap"}
    assert figure.read_bytes() == drawn
    assert copy.plan() == {}
    assert times == {path: path.stat().st_mtime_ns for path in times}
