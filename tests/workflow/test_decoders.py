"""Early exit and word times in the workflow: what may be asked of which model, and what is made again."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from phonoscope.errors import InputError
from workflow.dag import decoders, settings

ROOT = Path(__file__).resolve().parents[2]
PARALLEL = ROOT / "resources" / "corpora" / "synthetic-parallel"
WHISPER = {"encoder": "transformers", "path": "resources/models/whisper-tiny-transcribe", "depth": 4}


@pytest.fixture
def config(tiny, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "speakers.tsv").write_text("speaker\nb\na\n", encoding="utf-8")
    for kind in ("whisper", "hubert"):
        (tmp_path / kind).mkdir()
        (tmp_path / kind / "config.json").write_text(json.dumps({"model_type": kind}), encoding="utf-8")
    (tmp_path / "hubert" / "config.json").write_text('{"model_type": "hubert"}', encoding="utf-8")
    tiny["corpora"]["pairs"] = {"reader": "audio", "path": "x", "shards": 1}
    tiny["articulation"]["corpora"] = ["tiny"]
    tiny["models"] |= {
        "local": WHISPER | {"path": "whisper"},
        "far": {"encoder": "transformers", "hub": "o/w", "revision": "main", "depth": 6},
        "made": {"encoder": "transformers", "trained": "writer", "depth": 4},
        "hubert": WHISPER | {"path": "hubert"},
        "tuned": {"encoder": "transformers", "trained": "recogniser", "depth": 4},
    }
    tiny["training"] = {
        "writer": {"recipe": "train_whisper", "corpora": ["pairs"], "steps": 2},
        "recogniser": {"recipe": "finetune_ctc", "corpora": ["pairs"], "steps": 2},
    }
    tiny["alignment"] = {"corpora": ["pairs"], "splits": ["test"]}
    return tiny


def study(config, **more):
    config["alignment"] |= more
    return settings.load(config, "mine.yaml").alignment


def test_models_that_can_write_and_their_layers(config):
    made = study(config, early_exit={"models": "all"}, word_times={"models": "all"})
    assert made["early_exit"]["models"] == made["word_times"]["models"] == ["local", "far", "made"]
    found = settings.load(config, "mine.yaml")
    every = decoders.exit_layers(found.alignment, found.models)
    assert every == {"local": list(range(5)), "far": list(range(7)), "made": list(range(5))}
    made = study(config, early_exit={"models": ["far"], "layers": [0, 3]})
    assert decoders.exit_layers(made, found.models) == {"far": [0, 3, 6]}
    assert study(config, early_exit={}, word_times={})["early_exit"]["models"] == []


def test_options_reach_their_jobs(config):
    heads = {"given": {"local": [[1, 0]], "far": [[2, 2]]}}
    made = study(config, early_exit={"models": ["far"], "norm": False}, word_times={"heads": heads})
    assert decoders.early_exit(made) == {
        "norm": False, "task": "transcribe", "language": "given", "stand_in": {}, "long": "leave_out",
        "max_new_tokens": None, "normalisers": ["plain", "whisper"], "seed": 0,
    }  # fmt: skip
    own = decoders.word_times(made, "far")
    assert own["heads"] == {"given": {"far": [[2, 2]]}, "splits": [], "max_recordings": 200, "most": 10}
    assert own["leading_space"] == "auto" and "models" not in own
    assert decoders.word_times(made, "made")["heads"]["given"] == {}


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"early_exit": {"models": ["mfcc"]}}, ["early_exit.models", "mfcc is mfcc, which has no decoder"]),
        ({"word_times": {"models": ["hubert"]}}, ["word_times.models", "hubert is a hubert, which has no"]),
        ({"early_exit": {"models": ["tuned"]}}, ["tuned is trained by finetune_ctc", "name Whispers only"]),
        ({"early_exit": {"models": ["untrained"]}}, ["untrained has random weights"]),
        ({"early_exit": {"models": ["no"]}}, ["early_exit.models", "no is not configured"]),
        ({"early_exit": {"models": ["local"], "layers": [5]}}, ["early_exit.layers", "layer 5", "0 to 4"]),
        ({"word_times": {"heads": {"splits": ["test"]}}}, ["heads.splits", "test, which is studied"]),
        ({"word_times": {"heads": {"splits": ["dev"]}}, "splits": []}, ["alignment.splits", "are studied"]),
        ({"word_times": {"heads": {"given": {"local": [[1]]}}}}, ["word_times.heads.given.local"]),
        ({"early_exit": {"normaliser": "plain"}}, ["unknown key 'normaliser'", "normalisers"]),
        ({"early_exit": {"long": "window"}}, ["early_exit.long", "use one of leave_out, refuse"]),
    ],
)
def test_a_mistake_is_named_with_its_place_and_the_fix(config, section, words):
    with pytest.raises(InputError) as caught:
        study(config, **section)
    assert all(word in str(caught.value) for word in words), caught.value


def test_the_calibration_needs_word_times(config):
    config["calibration"] = {"word_times": ["pairs"]}
    with pytest.raises(InputError, match="calibration.word_times: no model gives word times"):
        study(config)
    assert study(config, word_times={"models": ["local"]})
    config["calibration"] = {"word_times": ["tiny"]}
    with pytest.raises(InputError, match="tiny is not among alignment.corpora"):
        study(config)


STUDY = {
    "corpora": ["pairs"],
    "models": ["whisper"],
    "splits": ["test"],
    "word_times": {"models": ["whisper"], "heads": {"splits": ["train"], "max_recordings": 4}},
    "early_exit": {"models": ["whisper"], "layers": [1], "max_new_tokens": 12},
}
WANTED = [
    "results/tables/alignment/early_exit.html",
    "results/figures/alignment/exits/pairs.svg",
    "results/tables/calibration.csv",
]


def decoded(config):
    """Two sentences in two languages, and two to choose heads by."""
    config["models"] = {"mfcc": config["models"]["mfcc"], "whisper": WHISPER | {"layers": [4]}}
    config["corpora"]["pairs"] = {"reader": "table", "path": "pairs", "shards": 1}
    config["articulation"] |= {"corpora": ["tiny"], "models": ["mfcc"]}
    config["alignment"] = json.loads(json.dumps(STUDY))
    config["calibration"] = {"word_times": ["pairs"]}


@pytest.fixture(scope="module")
def ran(finished, tmp_path_factory):
    """The tiny project after early exit and word times. Not to be changed."""
    from phonoscope import tables

    folder = tmp_path_factory.mktemp("decoded") / "project"
    shutil.copytree(finished.folder, folder, symlinks=True)
    (folder / "pairs").mkdir()
    rows = tables.read(PARALLEL / "recordings.parquet").to_pylist()
    rows = [row for row in rows if row["language"] in ("en", "fi")]
    rows = [row for split in ("train", "test") for row in [r for r in rows if r["split"] == split][:4]]
    for row in rows:
        shutil.copy(PARALLEL / row["audio"], folder / "pairs")
        row["audio"] = Path(row["audio"]).name
    tables.write(tables.from_rows(rows, tables.UTTERANCES), folder / "pairs" / "recordings.parquet")
    names = {row["utterance_id"] for row in rows}
    known = tables.read(PARALLEL / "segments.parquet").to_pylist()
    known = [row for row in known if row["utterance_id"] in names]
    tables.write(tables.from_rows(known, tables.SEGMENTS), folder / "pairs" / "segments.parquet")
    project = type(finished)(folder)
    project.config(decoded)
    project.snakemake("--", *WANTED)
    return project


@pytest.fixture
def project(ran, tmp_path):
    folder = tmp_path / "project"
    shutil.copytree(ran.folder, folder, symlinks=True)
    return type(ran)(folder)


EXITS = {("exit_early", f"corpus=pairs, model=whisper, layer={layer}") for layer in (1, 4)}
SECOND = {("exit_early", "corpus=pairs, model=whisper, layer=2")}
SUMMARIES = {("summarise_exits", "corpus=pairs, model=whisper"), ("compare_exits", ""), ("show_exits", "")}
FIGURE = {("draw_alignment_exits", "corpus=pairs")}
TIMES = {(rule, "corpus=pairs, model=whisper") for rule in ("time_words", "calibrate_word_times")}
# What was left out of the word times is in a table beside those of early exit.
TIMES |= {("calibrate_table", ""), ("compare_exits", ""), ("show_exits", "")} | FIGURE


def planned(project, change):
    def changed(config):
        decoded(config)
        change(config)

    project.config(changed)
    return project.planned("--", *WANTED)


@pytest.mark.slow
def test_everything_is_made_and_then_nothing(ran, project):
    results = ran.folder / "results"
    from phonoscope.studies import sheets

    exits = sheets.read(results / "tables" / "alignment" / "early_exit.csv")
    assert set(exits.layer) == {1, 4} and set(exits.language) == {"en", "fi", "all"}
    assert set(exits.normaliser) == {"plain", "whisper"} and exits.value.notna().all()
    calibrated = sheets.read(results / "tables" / "calibration.csv")
    assert {"word times: all", "word times: en", "word times: fi"} <= set(calibrated.case)
    assert planned(project, lambda config: None) == set()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("section", "change", "expected"),
    [
        ("early_exit", {"norm": False}, EXITS | SUMMARIES | FIGURE),
        ("early_exit", {"layers": [4]}, SUMMARIES | FIGURE),
        ("early_exit", {"layers": [1, 2]}, SECOND | SUMMARIES | FIGURE),
        ("word_times", {"leading_space": True}, TIMES),
        ("word_times", {"heads": {"given": {"whisper": [[1, 0]]}}}, TIMES),
    ],
)  # fmt: skip
def test_an_option_is_its_own_jobs(project, section, change, expected):
    assert planned(project, lambda config: config["alignment"][section].update(change)) == expected


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("figures/alignment_exits.py", FIGURE),
        ("studies/alignment_exits_summary.py", SUMMARIES | FIGURE),
        ("encoders/early_exit.py", EXITS | SUMMARIES | FIGURE),
        ("encoders/word_times.py", TIMES),
    ],
)
def test_a_module_is_the_jobs_that_use_it(project, module, expected):
    project.append(f"phonoscope/{module}")
    assert planned(project, lambda config: None) == expected


@pytest.mark.slow
def test_a_model_of_the_hub_without_a_decoder_ends_in_one_line(project):
    from safetensors.numpy import load_file, save_file

    folder = project.folder / WHISPER["path"]
    kept = {k: v for k, v in load_file(folder / "model.safetensors").items() if "decoder" not in k}
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    done = project.snakemake("--", *WANTED, check=False)
    said = [line for line in done.stdout.splitlines() if "has no decoder" in line]
    assert done.returncode and said and "Fix:" in said[0] and "Traceback" not in done.stdout


@pytest.mark.slow
def test_the_default_and_the_paper_contain_both(empty):
    corpora = {"config": "synthetic-parallel", "paper": "fleurs-parallel"}
    for name, corpus in corpora.items():
        wanted = f"results/figures/alignment/exits/{corpus}.svg"
        rules = {rule for rule, _ in empty.planned("--configfile", f"config/{name}.yaml", "--", wanted)}
        assert {"time_words", "exit_early", "compare_exits", "draw_alignment_exits"} <= rules
    default = yaml.safe_load((empty.folder / "config" / "config.yaml").read_text(encoding="utf-8"))
    assert default["calibration"]["word_times"] == ["synthetic-parallel"]
    paper = yaml.safe_load((empty.folder / "config" / "paper.yaml").read_text(encoding="utf-8"))
    assert "whisper-large-v2" in paper["alignment"]["early_exit"]["models"]
