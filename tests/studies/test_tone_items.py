"""Which tones are studied: what is left out is counted, folds share nothing."""

import numpy as np
import pytest

from phonoscope import tables
from phonoscope.errors import InputError
from phonoscope.studies import tone_choice, tone_items

OPTIONS = {
    "splits": [],
    "min_score": 0.0,
    "min_duration_ms": 40,
    "max_items": None,
    "fold_by": "auto",
    "folds": 4,
    "least": 2,
    "rare": "leave_out",
    "merge": {},
    "seed": 0,
}


def corpus(tmp_path, speakers=("a", "b", "c", "d"), tones="12", n=12, syllable=True, extra=()):
    utterances, segments = [], []
    for s, speaker in enumerate(speakers):
        row = {"utterance_id": f"u{s}", "speaker": speaker, "shard": "x", "language": "L"}
        utterances.append(row | {"duration_s": n * 0.2, "split": "test" if s == 0 else "train"})
        for k in range(n):
            at = {
                "utterance_id": f"u{s}",
                "start_s": 0.2 * k,
                "end_s": 0.2 * k + 0.18,
                "score": 0.5 + k / 100,
            }
            if syllable:
                segments.append(at | {"tier": "syllable", "label": f"ma{k % 6}"})
            segments.append(at | {"tier": "tone", "label": tones[k % len(tones)]})
    segments += extra
    paths = str(tmp_path / "u.parquet"), str(tmp_path / "s.parquet")
    tables.write(tables.from_rows(utterances, tables.UTTERANCES), paths[0])
    tables.write(tables.from_rows(segments, tables.SEGMENTS), paths[1])
    return [paths[0]], [paths[1]]


def chosen(tmp_path, options=(), **kwargs):
    items, left = tone_choice.choose(*corpus(tmp_path, **kwargs), OPTIONS | dict(options))
    tables.write(items, tmp_path / "items.parquet")
    return (
        *tone_items.read(tmp_path / "items.parquet"),
        {row["reason"]: row["items"] for row in left.to_pylist()},
    )


def test_folds_are_speakers_and_items_know_their_syllable(tmp_path):
    items, known, left = chosen(tmp_path)
    assert len(items["tone"]) == 48 and not left
    assert known["fold_by"] == "speaker" and known["fold_names"] == [["a"], ["b"], ["c"], ["d"]]
    assert known["classes"] == ["1", "2"] and (items["label"] == (items["tone"] == "2")).all()
    assert items["syllable"][7] == "ma1" and items["centre_s"][1] == pytest.approx(0.29)


def test_without_speakers_folds_are_syllable_types(tmp_path):
    items, known, _ = chosen(tmp_path, speakers=("", "", "", ""), tones="11212")
    assert known["fold_by"] == "syllable"
    for syllable in set(items["syllable"]):
        assert len(set(items["fold"][items["syllable"] == syllable])) == 1


@pytest.mark.parametrize(
    ("segment", "reason"),
    [
        ({"start_s": 0.5, "end_s": 0.5}, "no duration"),
        ({"start_s": 2.5, "end_s": 2.7}, "outside"),
        ({"label": ""}, "no label"),
        ({"score": 0.1}, "alignment"),
        ({"end_s": 0.03}, "short"),
    ],
)
def test_what_cannot_be_used_is_counted(tmp_path, segment, reason):
    row = {"utterance_id": "u0", "tier": "tone", "start_s": 0.0, "end_s": 0.1, "label": "1", "score": 1.0}
    items, _, left = chosen(tmp_path, {"min_score": 0.2}, extra=[row | segment])
    assert left == {reason: 1} and len(items["tone"]) == 48


def test_a_rare_class_is_counted(tmp_path):
    row = {"utterance_id": "u0", "tier": "tone", "start_s": 0.0, "end_s": 0.1, "label": "7", "score": 1.0}
    items, known, left = chosen(tmp_path, extra=[row])
    assert left == {"class too rare: left out": 1} and known["classes"] == ["1", "2"]


def test_options(tmp_path):
    items, known, left = chosen(tmp_path, {"max_items": 20})
    assert len(items["tone"]) == 40 and left == {"more than max_items": 8}
    items, known, _ = chosen(tmp_path, {"merge": {"3": "2"}}, tones="132")
    assert known["classes"] == ["1", "2"] and (items["tone"] == "2").sum() == 32
    with pytest.raises(InputError, match="1 group"):
        chosen(tmp_path, {"splits": ["test"], "fold_by": "speaker"})
    items, _, left = chosen(tmp_path, {"splits": ["train"]})
    assert left == {"split": 12} and set(items["utterance_id"]) == {"u1", "u2", "u3"}


def test_errors_name_the_fix(tmp_path):
    with pytest.raises(InputError, match="no tier `tone`.*align"):
        chosen(tmp_path, n=0)
    with pytest.raises(InputError, match="none of 48 tone segments.*min_score"):
        chosen(tmp_path, {"min_score": 0.9})
    with pytest.raises(InputError, match="has no syllable.*speaker"):
        chosen(tmp_path, {"fold_by": "syllable"}, syllable=False)


def test_samples_of_each_fold():
    items = {"label": np.zeros(30, dtype=int), "fold": np.repeat([0, 1, 2], 10)}
    assert tone_items.sample(items, None, 0).all()
    chosen = tone_items.sample(items, 4, 0)
    assert [chosen[items["fold"] == k].sum() for k in range(3)] == [4, 4, 4]
    assert (chosen == tone_items.sample(items, 4, 0)).all() and (
        chosen != tone_items.sample(items, 4, 1)
    ).any()


def test_near_an_edge():
    items = {"centre_s": np.array([0.4, 0.5, 1.0, 1.6]), "duration_s": np.full(4, 2.0)}
    assert list(tone_items.near_edge(items, 500)) == [True, False, False, True]
