"""Trainings in the config: what is refused, what waits for what, and what is learned again."""

import copy

import pytest

from phonoscope.errors import InputError
from workflow.dag import settings, trainings

CONFIG = {
    "corpora": {"speech": {"reader": "table", "shards": 1, "speak": {"language": "fi", "minutes": 1}}},
    "models": {
        "mfcc": {"encoder": "mfcc"},
        "tuned": {"encoder": "transformers", "depth": 4, "trained": "ctc"},
    },
    "training": {
        "hubert": {"recipe": "pretrain", "corpora": ["speech"], "steps": 10},
        "ctc": {
            "recipe": "finetune_ctc",
            "corpora": ["speech"],
            "steps": 10,
            "base": "hubert",
            "units": ["phone"],
        },
    },
}


@pytest.mark.parametrize(
    ("training", "key", "value", "words"),
    [
        ("hubert", "corpora", ["speach"], ["training.hubert.corpora", "speach", "speech"]),
        ("ctc", "base", "wav2vec2", ["training.ctc.base", "neither a model nor a training"]),
        ("ctc", "base", "tuned", ["training.ctc.base", "starts from itself"]),
        ("ctc", "base", "ctc", ["starts from itself"]),
        ("ctc", "steps", 0, ["training.ctc.steps", "Number of updates"]),
        ("ctc", "crop_s", 2, ["training.ctc", "'crop_s'", "the keys here are"]),
        ("ctc", "loss", "frame", ["training.ctc.loss", "did you mean frames"]),
        ("hubert", "recipe", "pretraining", ["training.hubert.recipe", "did you mean pretrain"]),
    ],
)
def test_what_is_refused(training, key, value, words):
    config = copy.deepcopy(CONFIG)
    config["training"][training][key] = value
    with pytest.raises(InputError) as caught:
        settings.load(config, "mine.yaml")
    for word in words:
        assert word in str(caught.value)


def test_a_model_must_have_its_training():
    config = copy.deepcopy(CONFIG)
    config["models"]["tuned"]["trained"] = "ctk"
    with pytest.raises(InputError, match=r"models.tuned.trained.*no training ctk"):
        settings.load(config, "mine.yaml")
    config["models"]["tuned"] |= {"trained": "ctc", "path": "elsewhere"}
    with pytest.raises(InputError, match="set one of hub, path and trained"):
        settings.load(config, "mine.yaml")


def test_what_waits_for_what():
    study = settings.load(copy.deepcopy(CONFIG), "mine.yaml")
    config = {"training": study.training}
    assert trainings.start(config, "hubert") is None
    assert trainings.start(config, "ctc") == "results/training/hubert/training.json"
    assert trainings.start({"training": {"x": {"base": "xlsr"}}}, "x") == "results/models/xlsr.json"
    assert study.models["tuned"]["path"] == "results/training/ctc"


def test_how_often_is_logged_trains_nothing_anew():
    first = settings.load(copy.deepcopy(CONFIG), "mine.yaml")
    config = copy.deepcopy(CONFIG)
    config["training"]["ctc"] |= {"log_every": 7, "save_every": 9, "gpu": True}
    assert settings.load(config, "mine.yaml").trained("ctc") == first.trained("ctc")
    config["training"]["ctc"]["seed"] = 1
    assert settings.load(config, "mine.yaml").trained("ctc") != first.trained("ctc")
