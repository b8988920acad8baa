"""EST Track files as mngu0 and MOCHA-TIMIT have them."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from phonoscope.corpora import est
from phonoscope.errors import InputError

MNGU0 = [f"{sensor}_p{axis}" for sensor in ("T3", "upperlip") for axis in "xyz"]
MOCHA = ["tt_x", "ul_x", "tt_y", "ul_y"]


def write_est(
    path, channels, names, *, kind="binary", order="01", rate=200, breaks=True, flags=None, frames=None, cut=0
):
    n = len(channels)
    times = (np.arange(n) / rate)[:, None]
    flags = np.ones((n, 1)) if flags is None else np.asarray(flags, float)[:, None]
    values = np.hstack([times, flags, channels] if breaks else [times, channels])
    head = ["EST_File Track", f"DataType {kind}", f"NumFrames {n if frames is None else frames}"]
    if kind == "binary":
        head.append(f"ByteOrder {order}")
    head += [
        f"NumChannels {len(names)}",
        "EqualSpace 0",
        f"BreaksPresent {str(breaks).lower()}",
        "CommentChar ;",
        "",
    ]
    head += [f"Channel_{i} {name}" for i, name in enumerate(names)] + ["EST_Header_End", ""]
    if kind == "binary":
        body = values.astype("<f4" if order == "01" else ">f4").tobytes()
    else:
        body = "\n".join(" ".join(f"{value:.7g}" for value in row) for row in values).encode()
    path.write_bytes("\n".join(head).encode() + body[: len(body) - cut])
    return path


@pytest.mark.parametrize("kind", ["binary", "ascii"])
@pytest.mark.parametrize("breaks", [True, False])
def test_mngu0_like(tmp_path, movement, kind, breaks):
    positions = movement(50, 2, 200)
    path = write_est(tmp_path / "a.ema", positions.reshape(50, 6), MNGU0, kind=kind, breaks=breaks)
    track = est.read(path, {"TT": "T3", "UL": "upperlip"})
    assert track.rate == 200 and track.start_s == 0
    assert np.allclose(track.sensors["UL"], positions[:, 1], atol=1e-4)


def test_binary_equals_its_ascii_twin_in_both_byte_orders(tmp_path, movement):
    channels = movement(50, 2, 500).reshape(50, 6)
    tracks = [
        est.read(write_est(tmp_path / "a.ema", channels, MNGU0, rate=500, **how), {"TT": "T3"})
        for how in ({"kind": "ascii"}, {"order": "01"}, {"order": "10"})
    ]
    assert all(np.allclose(track.sensors["TT"], tracks[0].sensors["TT"], atol=1e-4) for track in tracks)
    assert [track.rate for track in tracks] == [500, 500, 500]


def test_mocha_like_has_no_third_axis(tmp_path):
    channels = np.arange(200.0).reshape(50, 4)
    track = est.read(write_est(tmp_path / "a.ema", channels, MOCHA, rate=500), {"TT": "tt"})
    assert np.array_equal(track.sensors["TT"][:, :2], channels[:, [0, 2]])
    assert np.isnan(track.sensors["TT"][:, 2]).all()


def test_breaks_are_missing(tmp_path):
    flags = np.ones(50)
    flags[10:13] = 0
    path = write_est(tmp_path / "a.ema", np.ones((50, 4)), MOCHA, flags=flags)
    missing = np.isnan(est.read(path, {"TT": "tt"}).sensors["TT"][:, 0])
    assert missing.nonzero()[0].tolist() == [10, 11, 12]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"cut": 7}, r"frame 49: the header says 50 frames of 4 channels \(300 values\), there are 298"),
        ({"frames": 60}, "frame 50: the header says 60 frames"),
        ({"frames": 40}, "the header says 40 frames"),
        ({"frames": "x"}, "NumFrames is missing or not a number"),
        ({"order": "99"}, "ByteOrder: the byte order `99` is not known"),
        ({"kind": "ascii", "cut": 4}, "the header says|equally spaced"),
    ],
)
def test_damaged(tmp_path, how, said):
    path = write_est(tmp_path / "a.ema", np.full((50, 4), 2.5), MOCHA, **how)
    if how.get("kind") == "ascii":
        path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(InputError, match=said) as error:
        est.read(path, {"TT": "tt"})
    assert error.value.path == path and error.value.fix


def test_header_with_another_channel_count(tmp_path):
    path = write_est(tmp_path / "a.ema", np.ones((50, 4)), MOCHA)
    path.write_bytes(path.read_bytes().replace(b"NumChannels 4", b"NumChannels 5"))
    with pytest.raises(InputError, match="50 frames of 5 channels .350 values., there are 300"):
        est.read(path, {"TT": "tt"})


def test_absent_channel(tmp_path):
    path = write_est(tmp_path / "a.ema", np.ones((50, 4)), MOCHA)
    with pytest.raises(InputError, match=r"a\.ema: sensor TD: .*`td`.*Fix: .*tt, ul"):
        est.read(path, {"TD": "td"})


def test_uneven_times(tmp_path):
    path = write_est(tmp_path / "a.ema", np.ones((50, 4)), MOCHA, kind="ascii")
    path.write_bytes(path.read_bytes().replace(b"0.05 1 ", b"0.09 1 "))
    with pytest.raises(InputError, match="not equally spaced"):
        est.read(path, {"TT": "tt"})


def test_no_est_file(tmp_path):
    (tmp_path / "a.ema").write_bytes(b"RIFF....")
    with pytest.raises(InputError, match="no whole EST Track header"):
        est.read(tmp_path / "a.ema", {"TT": "tt"})


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    keep=st.integers(0, 1500),
    at=st.integers(0, 260),
    byte=st.integers(0, 255),
    kind=st.sampled_from(["binary", "ascii"]),
)
def test_any_damage_is_an_input_error_or_a_track(tmp_path, keep, at, byte, kind):
    path = write_est(tmp_path / "a.ema", np.ones((50, 4)), MOCHA, kind=kind)
    data = bytearray(path.read_bytes()[:keep])
    if at < len(data):
        data[at] = byte
    path.write_bytes(data)
    try:
        track = est.read(path, {"TT": "tt"})
    except InputError as error:
        assert error.path == path and error.fix
    else:
        assert track.sensors["TT"].shape == (track.n_samples, 3)
