"""Haskins MVIEW files."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from phonoscope.corpora import mview
from phonoscope.errors import InputError


def write_mat(path, signals, **others):
    """`signals`: name to (rate, array)."""
    kind = [("NAME", object), ("SRATE", object), ("SIGNAL", object), ("SENTENCE", object)]
    entries = np.array(
        [(name, float(rate), array, "") for name, (rate, array) in signals.items()], dtype=kind
    )
    savemat(path, {"F01_B01_S01_R01_N": entries, **others})
    return path


def signals_of(positions, rate=100):
    six = {
        name: (rate, np.hstack([positions[:, i], np.zeros((len(positions), 3))]))
        for i, name in enumerate(("TT", "TR"))
    }
    return {"AUDIO": (44100, np.zeros(500)), **six}


def test_positions(tmp_path, movement):
    positions = movement(60, 2, 100)
    track = mview.read(write_mat(tmp_path / "a.mat", signals_of(positions)), {"TT": "TT", "TD": "TR"})
    assert track.rate == 100 and track.start_s == 0
    # x to the front and z up are the signal's columns 0 and 2.
    assert np.array_equal(track.sensors["TD"][:, [0, 2]], positions[:, 1][:, [0, 2]])


def test_two_columns_are_x_and_z(tmp_path):
    flat = np.arange(40.0).reshape(20, 2)
    track = mview.read(
        write_mat(tmp_path / "a.mat", {"AUDIO": (1, flat[:, 0]), "TT": (160, flat)}), {"TT": "TT"}
    )
    assert np.array_equal(track.sensors["TT"][:, [0, 2]], flat) and np.isnan(track.sensors["TT"][:, 1]).all()


def test_absent_signal(tmp_path, movement):
    path = write_mat(tmp_path / "a.mat", signals_of(movement(60, 2, 100)))
    with pytest.raises(InputError, match=r"a\.mat: sensor UL: .*`UL`.*Fix: .*TT, TR"):
        mview.read(path, {"UL": "UL"})
    with pytest.raises(InputError, match="signal AUDIO: the signal has no positions"):
        mview.read(path, {"UL": "AUDIO"})


def test_signals_of_unequal_length(tmp_path, movement):
    signals = signals_of(movement(60, 2, 100))
    signals["TR"] = (100, signals["TR"][1][:-1])
    with pytest.raises(InputError, match="differ in length or rate: TT 60 at 100 Hz, TD 59"):
        mview.read(write_mat(tmp_path / "a.mat", signals), {"TT": "TT", "TD": "TR"})


def test_other_files(tmp_path):
    savemat(tmp_path / "a.mat", {"x": np.ones(3), "y": {"NAME": "a"}, "z": 1.0})
    with pytest.raises(InputError, match="no struct array with NAME, SRATE and SIGNAL"):
        mview.read(tmp_path / "a.mat", {"TT": "TT"})
    head = b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM"
    (tmp_path / "b.mat").write_bytes(head + b"\x89HDF\r\n\x1a\n")
    with pytest.raises(InputError, match="MATLAB 7.3 file.*Fix: save it .*-v7"):
        mview.read(tmp_path / "b.mat", {"TT": "TT"})


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 1))
def test_a_truncated_file_is_an_input_error(tmp_path, movement, share):
    path = write_mat(tmp_path / "a.mat", signals_of(movement(60, 2, 100)))
    data = path.read_bytes()
    keep = int(share * len(data))
    path.write_bytes(data[:keep])
    try:
        track = mview.read(path, {"TT": "TT"})
    except InputError as error:
        assert error.path == path and error.fix
    else:
        assert keep == len(data) and track.sensors["TT"].shape == (60, 3)
