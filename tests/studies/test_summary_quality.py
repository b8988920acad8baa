import numpy as np
import pytest

from phonoscope import tables
from phonoscope.studies.quality import left_out, summarise_quality


def quality(**row):
    base = {"utterance_id": "u", "speaker": "s", "channel": "TT_x", "n_samples": 100, "sd_mm": 2.0}
    return base | {"missing_share": 0.0, "zero_share": 0.0, "largest_jump_mm": 1.0, "left_out": ""} | row


def summarise(*rows):
    return summarise_quality(tables.from_rows([quality(**row) for row in rows], tables.QUALITY))


def test_recordings_are_pooled():
    row = summarise(
        {"sd_mm": 3.0, "missing_share": 0.5, "largest_jump_mm": 2.0, "length_difference_s": -0.2},
        {"sd_mm": 4.0, "n_samples": 300, "zero_share": 0.1, "length_difference_s": 0.1},
    ).squeeze()
    assert row.sd_mm == pytest.approx(np.sqrt((9 + 16) / 2))
    assert row.missing_share == pytest.approx(0.5 * 100 / 400)
    assert row.zero_share == pytest.approx(0.1 * 300 / 400)
    assert (row.largest_jump_mm, row.length_difference_s) == (2.0, -0.2)
    assert (row.n_recordings, row.n_left_out, row.n_samples, row.left_out) == (2, 0, 400, "")


def test_left_out_recordings_do_not_count_into_the_sd():
    row = summarise({"sd_mm": 3.0}, {"sd_mm": 0.1, "left_out": "SD 0.1 mm"}).squeeze()
    assert row.sd_mm == pytest.approx(3.0)
    assert (row.n_left_out, row.left_out) == (1, "SD 0.1 mm")


def test_a_dead_channel_shows_what_it_measured():
    table = summarise({"sd_mm": 0.0, "zero_share": 1.0, "left_out": "all zero"}, {"speaker": "a"})
    assert list(table.speaker) == ["a", "s"]
    assert table.sd_mm.tolist() == [2.0, 0.0]
    nothing = summarise({"sd_mm": None, "missing_share": None, "left_out": None}).squeeze()
    assert np.isnan(nothing.sd_mm) and nothing.n_left_out == 0


def test_no_recordings_give_an_empty_table():
    assert summarise().empty


def test_left_out_comes_before_conversions():
    notes = [
        {"utterance_id": "u1", "speaker": "b", "kind": "converted", "reason": "stereo"},
        {"utterance_id": "u2", "speaker": "b", "kind": "left_out", "reason": "truncated"},
        {"utterance_id": "u3", "speaker": "a", "kind": "warning", "reason": "jump"},
        {"utterance_id": "u0", "speaker": "a", "kind": "left_out", "channel": "TT_x", "reason": "all zero"},
    ]
    table = left_out(tables.from_rows(notes, tables.NOTES))
    assert list(table.utterance_id) == ["u0", "u2", "u3", "u1"]
    assert list(table.columns) == tables.NOTES.names
