"""What a change of the default study has made again, and only that: the table of the design, by dry runs.

The jobs whose own input, parameter or code has changed are named here, or found in another way than the
workflow finds them; with what is below them in the graph they are what a dry run must name, and nothing else.
"""

import os
import re
import time
from modulefinder import ModuleFinder

import pytest

from tests.contract.conftest import below, fed_otherwise

pytestmark = pytest.mark.slow

# Where that is kept which is made over models, besides the summaries that have a model in their path.
OVER_MODELS = ("results/tables/", "results/figures/", "results/atlas.html", "results/provenance.json")
# The config is in it.
PROVENANCE = {("write_provenance", "")}


def planned(bed, dag, roots):
    """Check that a dry run names the jobs ``roots`` and all below them, and nothing else; return those."""
    found = bed.plan()
    assert set(found) == below(dag, roots)
    # Of a job whose input is made again Snakemake says that, whatever else has changed.
    fed = set().union(*(found[key].outputs for key in found))
    assert {key for key, job in found.items() if not job.follows} == {
        k for k in roots if not found[k].inputs & fed
    }
    return found


def of(dag, rules, **wildcards):
    """Keys of the jobs of some rules; `embed` stands for the rules of all numbers of layers."""
    return {
        key
        for key, job in dag.items()
        if re.sub(r"^embed(_layers)?(_\d+)+$", "embed", job.rule) in rules
        and wildcards.items() <= job.wildcards.items()
    }


def shared(bed, job):
    """Whether what a job makes belongs to no study: recordings, times, hidden states, models."""
    folders = {*bed.config()["corpora"], "models", "aligners"}
    return any(path.split("/")[1] in folders for path in job.outputs)


def only_of(model, found, dag):
    """Check that a plan has one model's branch, and else what goes over models."""
    for key, job in found.items():
        if job.model is None:
            assert all(path.startswith((*OVER_MODELS, "results/calibration/")) for path in job.outputs), key
        elif job.model != model:
            # A case of the calibration that compares a model with others.
            assert any(model in path.split("/") for path in job.inputs), key
            assert all(path.startswith("results/calibration/") for path in job.outputs), key
    assert {key for key in found if found[key].model == model} == {k for k in dag if dag[k].model == model}


def test_nothing_has_changed(bed):
    said = bed.snakemake("-n")
    assert "Nothing to be done" in said and "metadata" not in said.partition("Building DAG")[2]


def backwards(node, kept=()):
    """The mappings of a config in reversed order; where ``kept`` names one, its own keys stay as they are."""
    if not isinstance(node, dict):
        return node
    return {key: in_order(node[key]) if key in kept else backwards(node[key], kept) for key in [*node][::-1]}


def in_order(node):
    return {key: backwards(value) for key, value in node.items()} if isinstance(node, dict) else node


def replace(config, other):
    config.clear()
    config.update(other)


def test_keys_in_another_order(bed):
    names = ("corpora", "models", "variants")
    bed.configure(lambda config: replace(config, backwards(config, names)))
    assert bed.plan() == {}


def test_models_and_corpora_in_another_order(bed):
    """That is the order of rows and of curves, and costs no encoding and no fit."""
    bed.configure(lambda config: replace(config, backwards(config)))
    assert all(path.startswith(OVER_MODELS) for job in bed.plan().values() for path in job.outputs)


def test_a_fresh_checkout_of_the_same_files(bed):
    later, moved = time.time() + 60, {}
    for path in bed.folder.rglob("*"):
        if path.is_file() and not {"results", ".snakemake"} & set(path.relative_to(bed.folder).parts):
            moved[path] = path.stat()
            os.utime(path, (later, later))
    assert len(moved) > 500
    assert bed.plan() == {}
    for path, times in moved.items():
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


@pytest.mark.parametrize(
    ("model", "key", "value"),
    [("hubert-untrained", "seed", 1), ("hubert-fi-ru", "precision", "bfloat16"), ("mfcc", "context", 4)],
)
def test_one_model(bed, dag, model, key, value):
    bed.configure(lambda config: config["models"][model].update({key: value}))
    runs = of(dag, {"fetch_model", "embed", "focus", "occlude", "time_words", "exit_early"}, model=model)
    only_of(model, planned(bed, dag, runs | PROVENANCE), dag)


def test_the_files_of_one_model(bed, dag):
    """As another revision: what was fetched is another thing."""
    bed.append("resources/models/whisper-tiny-transcribe/config.json", " ")
    roots = of(dag, {"fetch_model"}, model="whisper-tiny-transcribe")
    only_of("whisper-tiny-transcribe", planned(bed, dag, roots), dag)


@pytest.mark.parametrize("model", ["hubert-ru", "whisper-untrained"])
def test_the_layers_of_one_model(bed, dag, model):
    bed.configure(lambda config: config["models"][model].update(layers=[0, 2, 4]))
    new = bed.plan("--forceall")
    found = bed.plan()
    runs = of(new, {"fetch_model", "embed"}, model=model)
    assert set(found) == below(new, runs | PROVENANCE)
    only_of(model, found, new)


def test_a_model_is_added(bed, dag):
    def add(config):
        config["models"]["mel-wide"] = {"encoder": "mel", "n_mels": 30}
        for study in ("articulation", "kinematics", "tone", "alignment"):
            config[study]["models"].append("mel-wide")

    bed.configure(add)
    new, found = bed.plan("--forceall"), bed.plan()
    own = {key for key in new if new[key].model == "mel-wide"}
    assert {new[key].rule for key in own} >= {
        "embed_1",
        "score",
        "transfer",
        "score_tones",
        "score_retrieval",
    }
    assert set(found) == below(new, own | PROVENANCE)
    assert own == set(new) - set(dag)
    only_of("mel-wide", found, new)


@pytest.mark.parametrize("model", ["hubert-ru", "hubert-sex", "whisper-untrained"])
def test_a_model_is_removed(bed, dag, model):
    def remove(config):
        config["models"].pop(model)
        config["tone"]["variants"].pop(model, None)
        for study in ("articulation", "kinematics", "tone", "alignment"):
            if model in config[study]["models"]:
                config[study]["models"].remove(model)

    bed.configure(remove)
    new, found = bed.plan("--forceall"), bed.plan()
    assert set(found) == below(new, fed_otherwise(dag, new) | PROVENANCE)
    only_of(model, found, new)


@pytest.mark.parametrize("corpus", ["synthetic-ema", "synthetic-ema-disjoint"])
def test_a_speaker_is_added(bed, dag, corpus):
    bed.append(f"config/speakers/{corpus}.tsv", "new_f\tf\tTalmi\n")
    found = bed.plan()
    (shard,) = {job.wildcards["shard"] for job in found.values() if job.rule == "tabulate"}
    planned(bed, dag, of(dag, {"tabulate", "filter_ema"}, corpus=corpus, shard=shard))
    assert of(found, {"embed"}) == of(dag, {"embed"}, corpus=corpus, shard=shard)
    # Of another corpus nothing but figures, which are drawn from tables over all corpora.
    assert all(
        job.wildcards.get("corpus", corpus) == corpus or job.rule.startswith("draw_")
        for job in found.values()
    )


# What a study's results are, where they are not over all studies.
PLACES = {
    "articulation": "results/(articulation|(tables|figures)/synthetic-ema)/",
    "kinematics": "results/((tables/|figures/)?kinematics)/",
    "tone": "results/((tables/|figures/)?tone)/",
    "alignment": "results/((tables/|figures/)?alignment)/",
}
ALL_STUDIES = "results/(calibration/|(tables|figures)/calibration|tables/atlas|atlas|provenance)"
# Who reads another study's results: articulation is compared as a measure of models.
READERS = {"articulation": ("compare_scores", "show_kinematics_models", "draw_kinematics_measure")}

# Study, option, its value, and the rules whose jobs have it as a parameter.
OPTIONS = [
    ("articulation", "training_seconds", [5, 10], "score"),
    ("articulation", "leave_out", "utterance", "score"),
    ("kinematics", "map_seconds", [10, "all"], "transfer"),
    ("kinematics", "groups", ["sex"], "transfer"),
    ("kinematics", "maps", ["affine"], "transfer map_items"),
    ("kinematics", "silence", ["sil"], "map_items partition probe_phones"),
    ("kinematics", "partition.phone_alphas", [0.01], "partition"),
    ("kinematics", "measure.penalty", 0.5, "probe_phones"),
    ("tone", "C", [0.1, 1.0], "score_tones score_windows"),
    ("tone", "least", 6, "choose_tones"),
    ("tone", "focus.max_items", 9, "focus"),
    ("tone", "occlusion.max_items", 5, "occlude"),
    ("alignment", "retrieval.n_random", 99, "score_retrieval"),
    ("alignment", "recordings", "random", "choose_sentences"),
    (
        "alignment",
        "challenge.least_phones",
        4,
        "choose_challenge pair_words calibrate_challenge calibrate_retrieval",
    ),
    ("alignment", "early_exit.norm", False, "exit_early"),
    ("alignment", "word_times.long", "refuse", "time_words"),
    ("alignment", "words.draws", 999, "pair_words"),
]


def set_option(bed, study, option, value):
    def change(config):
        section = config[study]
        *path, last = option.split(".")
        for key in path:
            section = section.setdefault(key, {})
        assert section.get(last) != value
        section[last] = value

    bed.configure(change)


@pytest.mark.parametrize(("study", "option", "value", "rules"), OPTIONS, ids=lambda value: str(value)[:40])
def test_an_option_of_one_study(bed, dag, study, option, value, rules):
    set_option(bed, study, option, value)
    found = planned(bed, dag, of(dag, rules.split()) | PROVENANCE)
    allowed = re.compile(f"{PLACES[study]}|{ALL_STUDIES}")
    for key, job in found.items():
        assert not shared(bed, job), key
        assert job.rule in READERS.get(study, ()) or all(map(allowed.match, job.outputs)), key


def test_an_option_that_studies_share(bed, dag):
    """The articulation study's penalties are those of every probe of movements."""
    set_option(bed, "articulation", "alphas", [0.01, 1.0])
    found = planned(bed, dag, of(dag, {"score", "transfer", "partition", "calibrate_disjoint"}) | PROVENANCE)
    assert not any(shared(bed, job) for job in found.values())


def test_an_option_of_the_ema(bed, dag):
    set_option(bed, "articulation", "cutoff_hz", 15)
    assert not of(planned(bed, dag, of(dag, {"filter_ema"}) | PROVENANCE), {"embed", "tabulate"})


def test_a_model_joins_the_kinematics_study(bed, dag):
    """Its hidden states are there for another study."""
    bed.configure(lambda config: config["kinematics"]["models"].append("mel"))
    new, found = bed.plan("--forceall"), bed.plan()
    assert {new[key].rule for key in set(new) - set(dag)} >= {"transfer", "partition", "probe_phones"}
    assert set(found) == below(new, fed_otherwise(dag, new) | PROVENANCE)
    assert not any(shared(bed, job) for job in found.values())
    assert {job.model for job in found.values()} == {"mel", None}
    allowed = re.compile(f"{PLACES['kinematics']}|{ALL_STUDIES}")
    assert all(allowed.match(path) for job in found.values() for path in job.outputs)


@pytest.mark.parametrize(
    ("option", "value", "rules"),
    [("window", 30, "embed focus occlude"), ("batch_seconds", 60, ""), ("gpu", False, "")],
)
def test_an_option_of_the_hidden_states(bed, dag, option, value, rules):
    bed.configure(lambda config: config.update(embeddings={option: value}))
    planned(bed, dag, of(dag, rules.split()) | PROVENANCE)


def scripts(bed):
    """Rule to script, as the rule files have it; the rules that encode are one: `embed`."""
    found = {}
    for path in (bed.folder / "workflow/rules").glob("*.smk"):
        for rule in re.split(r"(?m)^ *(?=rule\b.*:$)", path.read_text(encoding="utf-8"))[1:]:
            name = re.match(r"rule (\w+):", rule) or re.search(r'name:\s+f"(\w+?)_\{', rule)
            script = re.search(r'script:\s+"\.\./scripts/(\w+\.py)"', rule)
            if name and script:
                found[name[1]] = f"workflow/scripts/{script[1]}"
    return found


def users(bed, module):
    """Rules whose script imports a module, by what Python compiles of it and not by reading its text."""
    name, found = module.removesuffix(".py").replace("/", "."), set()
    for rule, script in scripts(bed).items():
        finder = ModuleFinder(path=[str(bed.folder)])
        finder.run_script(str(bed.folder / script))
        if name in finder.modules:
            found.add(rule)
    return found


@pytest.mark.parametrize(
    ("module", "some", "none"),
    [
        ("phonoscope/probes/scoring.py", "score", "embed score_tones"),
        ("phonoscope/encoders/windows.py", "embed", "tabulate"),
        ("phonoscope/probes/affine.py", "transfer", "score"),
        ("phonoscope/studies/tone_items.py", "choose_tones", "embed score"),
        ("phonoscope/studies/alignment_retrieval.py", "score_retrieval", "embed score_tones"),
        ("phonoscope/tables.py", "tabulate embed score transfer", ""),
        ("phonoscope/figures/heatmap.py", "draw_heatmap", "draw_layer_profiles show_tables"),
    ],
)
def test_a_module_that_decides_a_result(bed, dag, module, some, none):
    rules = users(bed, module)
    assert set(some.split()) <= rules and not set(none.split()) & rules
    bed.append(module)
    planned(bed, dag, of(dag, rules))


@pytest.mark.parametrize("module", ["phonoscope/errors.py", "phonoscope/joblog.py"])
def test_a_module_that_words_messages(bed, module):
    bed.append(module)
    assert bed.plan() == {}


@pytest.mark.parametrize(
    ("path", "jobs"),
    [
        ("phonoscope/figures/tone_spans.py", {"draw_tone_spans"}),
        ("phonoscope/figures/kinematics_seconds.py", {"draw_kinematics_seconds"}),
        ("phonoscope/figures/atlas_page/page.css", {"draw_atlas"}),
        ("workflow/scripts/draw_trajectories.py", {"draw_trajectories"}),
        ("workflow/report/heatmap.rst", set()),
        ("docs/methods.md", set()),
    ],
)
def test_the_style_of_a_figure(bed, dag, path, jobs):
    """That figure; the words about it are for the report, which is made of them each time."""
    bed.append(path)
    assert set(planned(bed, dag, of(dag, jobs))) == of(dag, jobs)
