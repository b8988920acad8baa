"""What is made again after a change of the default study, by real runs: which jobs, which files, how long."""

import csv
import hashlib
from collections import Counter

import pytest

from tests.contract.conftest import jobs_of

pytestmark = pytest.mark.slow


def made(bed):
    """Content and time of every file of results but logs and benchmarks."""
    return {
        path.relative_to(bed.folder).as_posix(): (
            hashlib.sha256(path.read_bytes()).hexdigest(),
            path.stat().st_mtime_ns,
        )
        for path in (bed.folder / "results").rglob("*")
        if path.is_file() and path.parts[len(bed.folder.parts) + 1] not in ("logs", "benchmarks")
    }


def tables(bed):
    """The rows of every table of results/tables, as text."""
    found = {}
    for path in sorted((bed.folder / "results/tables").rglob("*.csv")):
        with open(path, newline="", encoding="utf-8") as file:
            found[path.relative_to(bed.folder / "results/tables").as_posix()] = list(csv.DictReader(file))
    return found


def seconds(bed, paths):
    """Processor time of jobs, by their benchmarks."""
    found = 0.0
    for path in paths:
        with open(bed.folder / path, newline="", encoding="utf-8") as file:
            found += float([*csv.DictReader(file, delimiter="\t")][-1]["cpu_time"])
    return found


def run(bed, share):
    """Run what is to be made again: the files of results before and after.

    Checks that it is what was planned and no more, and takes less than a share of the whole run's time.
    """
    plan, before = bed.plan(), made(bed)
    whole = seconds(bed, (bed.folder / "results/benchmarks").rglob("*.tsv"))
    ran = jobs_of(bed.snakemake())
    assert set(ran) == set(plan)
    after = made(bed)
    again = {path for job in plan.values() for path in job.outputs}
    assert {path for path in after if after[path] != before.get(path)} == again
    assert bed.plan() == {}
    took = seconds(bed, [job.benchmark for job in plan.values()])
    print(f"{len(plan)} jobs, {took:.0f} s of the processor; the whole run took {whole:.0f} s")
    assert took < share * whole
    return before, after


MODEL = "hubert-untrained"
# The tables of layers of every study that it is in.
LAYERS = [
    "synthetic-ema/layers",
    "kinematics/transfer",
    "kinematics/partition",
    "tone/layers",
    "alignment/retrieval",
]
# Correlations over models, which no row names.
OVER_MODELS = ["kinematics/measure.csv"]


def about(rows, model, yes=True):
    """The rows that name a model in any column, or do not; how often each is there.

    Without p-values that are corrected for how many models are compared.
    """
    return Counter(
        tuple((key, value) for key, value in row.items() if not key.endswith("holm"))
        for row in rows
        if (model in row.values()) == yes
    )


def test_one_model(copy):
    """Other weights of the untrained twin: the numbers of that model change, and no other's."""
    old = tables(copy)
    copy.configure(lambda config: config["models"][MODEL].update(seed=1))
    run(copy, share=0.4)
    new = tables(copy)
    assert set(new) == set(old)
    touched = [name for name in old if about(old[name], MODEL, False) != about(new[name], MODEL, False)]
    assert set(touched) <= set(OVER_MODELS)
    for name in LAYERS:
        before, after = (about(rows[f"{name}.csv"], MODEL) for rows in (old, new))
        assert sum(before.values()) == sum(after.values()) > 0
        # A count of hits may be the same by chance.
        assert sum((before & after).values()) < sum(before.values()) / 4, name


def test_a_model_is_added_and_removed(copy):
    """What the others have stays as it is; without the model, everything is as it was."""
    old = tables(copy)

    def add(config):
        config["models"]["mel-wide"] = {"encoder": "mel", "n_mels": 30}
        for study in ("articulation", "kinematics"):
            config[study]["models"].append("mel-wide")

    copy.configure(add)
    run(copy, share=0.5)
    new = tables(copy)
    everyone = {name: about(rows, None, False) for name, rows in old.items()}
    touched = [name for name in old if about(new[name], "mel-wide", False) != everyone[name]]
    assert set(touched) <= set(OVER_MODELS)
    assert sum(about(new["synthetic-ema/layers.csv"], "mel-wide").values()) > 0
    copy.put_back()
    run(copy, share=0.5)
    assert tables(copy) == old


@pytest.mark.parametrize(
    ("study", "change", "tables_of"),
    [
        ("articulation", {"training_seconds": [5, 10]}, "synthetic-ema"),
        ("kinematics", {"map_seconds": [10, "all"]}, "kinematics"),
        ("alignment", {"retrieval": {"n_random": 9}}, "alignment"),
    ],
)
def test_an_option_of_one_study(copy, study, change, tables_of):
    """No hidden state is computed, and no other study's table is touched."""
    old, corpora = tables(copy), {*copy.config()["corpora"], "models"}
    copy.configure(lambda config: config[study].update(change))
    before, after = run(copy, share=0.3)
    shared = [path for path in before if path.split("/")[1] in corpora]
    assert shared and all(before[path] == after[path] for path in shared)
    new = tables(copy)
    changed = {name for name in old if old[name] != new[name]}
    assert changed and {name.split("/")[0] for name in changed} <= {tables_of, "atlas.csv", "calibration.csv"}
