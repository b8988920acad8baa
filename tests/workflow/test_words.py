"""What the configuration of pairs of words may be, and which options reach which rule."""

import copy

import pytest

from phonoscope.errors import InputError
from workflow.dag import configuration, words

STUDY = {
    "models": ["m", "n"],
    "pairs": None,
    "seed": 3,
    "word_times": {"models": ["n"]},
    "challenge": {"pronunciation": "auto", "voices": {}, "threshold": 0.4, "least_phones": 3},
}
CONCEPTS = {"by": "concepts", "path": "w.tsv", "hub": None, "revision": None}
MODEL = {"by": "sentence_transformer", "path": None, "hub": "a/b", "revision": "main"}


def config(**more):
    part = {"models": "all", "times": "segments", "unit": "frame", "meaning": CONCEPTS}
    part |= {"meaning_threshold": 0.6, "draws": 10, "examples": 5}
    return {"alignment": copy.deepcopy(STUDY) | {"words": copy.deepcopy(part) | more}}


def test_models_are_filled_in_and_options_reach_their_rules():
    made = config()
    words.check(made, "f")
    study = made["alignment"]
    assert study["words"]["models"] == ["m", "n"]
    assert words.choice(study) == {"pronunciation": "auto", "voices": {}, "pairs": None}
    paired = {"unit": "frame", "meaning_threshold": 0.6, "draws": 10}
    assert words.pairing(study) == paired | {"threshold": 0.4, "least_phones": 3, "seed": 3}
    assert not words.by_model(study) and words.local_files(study) == []


@pytest.mark.parametrize(
    ("more", "row"),
    [
        ({"models": ["o"]}, "alignment.words.models"),
        ({"times": "m"}, "alignment.words.times"),
        ({"meaning": CONCEPTS | {"path": None}}, "alignment.words.meaning"),
        ({"meaning": CONCEPTS | {"path": None, "hub": "a/b"}}, "alignment.words.meaning"),
        ({"meaning": MODEL | {"path": "folder"}}, "alignment.words.meaning"),
        ({"meaning": MODEL | {"revision": None}}, "alignment.words.meaning"),
    ],
)
def test_what_cannot_be_studied_is_refused(more, row):
    with pytest.raises(InputError, match=row):
        words.check(config(**more), "f")
    off = config(**more | {"models": []})
    words.check(off, "f")
    assert off["alignment"]["words"]["models"] == []


def test_times_and_meanings_of_models_are_taken(tmp_path):
    made = config(times="n", meaning=MODEL)
    words.check(made, "f")
    assert words.by_model(made["alignment"]) and words.local_files(made["alignment"]) == []
    assert words.model(made["alignment"]) == {"hub": "a/b", "revision": "main", "path": None}
    for name in ("modules.json", "0_Part/model.safetensors", "0_Part/model.bin"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    local = MODEL | {"hub": None, "revision": None, "path": str(tmp_path)}
    files = words.local_files(config(meaning=local)["alignment"])
    assert [file.rpartition("/")[2] for file in files] == ["model.safetensors", "modules.json"]


def test_the_schema_has_them_off_by_default():
    least = {"corpora": {"c": {"reader": "table", "path": "x"}}, "models": {"mel": {"encoder": "mel"}}}
    part = configuration.checked(least, "config", "f")["alignment"]["words"]
    assert part["models"] == [] and part["times"] == "segments" and part["meaning"]["by"] == "concepts"
    wrong = least | {"alignment": {"words": {"units": "frame"}}}
    with pytest.raises(InputError, match="did you mean unit"):
        configuration.checked(wrong, "config", "f")
