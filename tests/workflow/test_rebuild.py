"""What is made again after a change, and only that: the table of the design, one test a row."""

import os
import time

import pytest

pytestmark = pytest.mark.slow

MODELS = ["mfcc", "mel", "untrained"]
LAYERS = {"mfcc": [0], "mel": [0], "mel-wide": [0], "untrained": [0, 2]}

OVER_MODELS = {
    (rule, "corpus=tiny")
    for rule in (
        "combine",
        "compare_models",
        "compare_published",
        "show_tables",
        "draw_layer_profiles",
        "draw_heatmap",
        "draw_training_size",
        "draw_speakers",
        "draw_tasks_conditions",
    )
} | {("collect_atlas", ""), ("draw_atlas", "")}
LEFT_OUT = {("list_left_out", "corpus=tiny")}


def of_shard(*shards, rules=("tabulate", "filter_ema")):
    return {(rule, f"corpus=tiny, shard={shard}") for rule in rules for shard in shards}


def encoded(*models, shards=("s1", "s2"), layers=None):
    """Encoding jobs; models with the same layers share a rule."""
    found = set()
    for model in models:
        own = (layers or LAYERS).get(model, [0])
        every = own == list(range(len(own)))
        rule = f"embed_{len(own)}" if every else f"embed_layers_{'_'.join(map(str, own))}"
        found |= {(rule, f"corpus=tiny, model={model}, shard={shard}") for shard in shards}
    return found


def fetched(*models):
    return {("fetch_model", f"model={model}") for model in models}


def summarised(*models):
    return {(rule, f"corpus=tiny, model={m}") for m in models for rule in ("summarise", "draw_trajectories")}


def scored(*models, layers=LAYERS):
    scores = {("score", f"corpus=tiny, model={m}, layer={layer}") for m in models for layer in layers[m]}
    return scores | summarised(*models)


def test_nothing_changed(project):
    assert project.planned() == set()


def test_reordered_keys(project):
    def reverse(node):
        for value in node.values():
            if isinstance(value, dict):
                reverse(value)
        for key in list(node)[::-1]:
            node[key] = node.pop(key)

    project.config(reverse)
    # The order of models is that of rows in tables, not a result: it may not cost an encoding or a fit.
    assert project.planned() <= OVER_MODELS


def test_fresh_checkout_of_the_same_files(project):
    later = time.time() + 60
    for path in project.folder.rglob("*"):
        if path.is_file() and not {"results", ".snakemake"} & set(path.relative_to(project.folder).parts):
            os.utime(path, (later, later))
    assert project.planned() == set()


@pytest.mark.parametrize(
    ("model", "key", "value"),
    [("mfcc", "context", 2), ("untrained", "precision", "bfloat16"), ("untrained", "layers", [0, 1, 2])],
)
def test_one_model_changed(project, model, key, value):
    project.config(lambda config: config["models"][model].update({key: value}))
    layers = LAYERS | ({model: value} if key == "layers" else {})
    expected = encoded(model, layers=layers) | scored(model, layers=layers) | OVER_MODELS | LEFT_OUT
    assert project.planned() - fetched(model) == expected


def test_model_added(project):
    project.config(lambda config: config["models"].update({"mel-wide": {"encoder": "mel", "n_mels": 30}}))
    own = fetched("mel-wide") | encoded("mel-wide") | scored("mel-wide")
    assert project.planned() == own | OVER_MODELS | LEFT_OUT


def test_model_removed(project):
    project.config(lambda config: config["models"].pop("mel"))
    assert project.planned() == OVER_MODELS | LEFT_OUT


def test_speaker_added(project):
    project.append("speakers.tsv", "s3\tf\ta\n")
    own = of_shard("s3") | encoded(*MODELS, shards=["s3"])
    quality = {("assess_quality", "corpus=tiny"), ("draw_quality", "corpus=tiny")}
    assert project.planned() == own | scored(*MODELS) | OVER_MODELS | LEFT_OUT | quality


def test_option_of_the_study(project):
    project.config(lambda config: config["articulation"].update(test_share=0.3))
    assert project.planned() == scored(*MODELS) | OVER_MODELS


def test_option_of_the_ema(project):
    project.config(lambda config: config["articulation"].update(cutoff_hz=15))
    quality = {("assess_quality", "corpus=tiny"), ("draw_quality", "corpus=tiny")}
    filtered = of_shard("s1", "s2", rules=["filter_ema"])
    assert project.planned() == filtered | scored(*MODELS) | OVER_MODELS | LEFT_OUT | quality


@pytest.mark.parametrize("key", ["batch_seconds", "gpu"])
def test_option_that_decides_no_result(project, key):
    project.config(lambda config: config.update(embeddings={key: True if key == "gpu" else 60}))
    assert project.planned() == set()


def test_module_that_decides_scores(project):
    project.append("phonoscope/probes/scoring.py")
    assert project.planned() == scored(*MODELS) | OVER_MODELS


def test_module_that_decides_hidden_states(project):
    project.append("phonoscope/encoders/windows.py")
    assert project.planned() == encoded(*MODELS) | scored(*MODELS) | OVER_MODELS | LEFT_OUT


def test_module_that_words_messages(project):
    project.append("phonoscope/joblog.py")
    project.append("phonoscope/errors.py")
    assert project.planned() == set()


def test_style_of_a_figure(project):
    project.append("phonoscope/figures/heatmap.py")
    assert project.planned() == {("draw_heatmap", "corpus=tiny")}


def test_local_checkpoint(project):
    project.append("resources/models/wav2vec2-tiny/config.json", " ")
    expected = fetched("untrained") | encoded("untrained") | scored("untrained") | OVER_MODELS | LEFT_OUT
    assert project.planned() == expected
