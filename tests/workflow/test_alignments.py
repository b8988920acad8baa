"""What the alignment study's configuration may be, and which options reach which rule."""

import pytest

from phonoscope.errors import InputError
from workflow.dag import alignments


def config(**more):
    study = {"corpora": ["c"], "models": "all", "languages": None, "pairs": None, "splits": []}
    study |= {"recordings": "first", "seed": 3, "challenge": {"threshold": 0.4}}
    study |= {
        "retrieval": {"measures": ["seqsim"], "n_random": 5, "memory_mb": 9, "threads": 1, "gpu": False}
    }
    study["retrieval"]["dtype"] = "float32"
    return {
        "corpora": {"c": {"path": "x"}, "h": {"hub": {}}},
        "models": {"m": {}, "n": {}},
        "calibration": {"challenge": ["c"]},
        "alignment": study | more,
    }


def test_models_are_filled_in_and_options_reach_their_rules():
    made = config()
    alignments.check(made, "f")
    study = made["alignment"]
    assert study["models"] == ["m", "n"]
    assert alignments.sentences(study) == {"languages": None, "splits": [], "recordings": "first", "seed": 3}
    assert alignments.challenge(study) == {"threshold": 0.4, "languages": None, "splits": None, "seed": 3}
    scored = {"measures": ["seqsim"], "n_random": 5, "dtype": "float32", "pairs": None, "seed": 3}
    assert alignments.retrieval(study) == scored
    assert alignments.truth(made["corpora"]["c"]) == "x/lookalikes.tsv"


@pytest.mark.parametrize(
    ("more", "row"),
    [
        ({"corpora": ["d"]}, "alignment.corpora"),
        ({"models": ["o"]}, "alignment.models"),
        ({"languages": ["en"]}, "alignment.languages"),
        ({"pairs": [["en", "en"]]}, "alignment.pairs"),
        ({"languages": ["en", "fi"], "pairs": [["en", "ru"]]}, "alignment.pairs"),
    ],
)
def test_what_cannot_be_studied_is_refused(more, row):
    with pytest.raises(InputError, match=row):
        alignments.check(config(**more), "f")


@pytest.mark.parametrize("names", [["d"], ["h"]])
def test_the_calibration_needs_a_corpus_with_a_folder(names):
    with pytest.raises(InputError, match="calibration.challenge"):
        alignments.check(config() | {"calibration": {"challenge": names}}, "f")
