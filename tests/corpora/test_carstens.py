"""Carstens formats: AG501 binary and text, AG500 headerless."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from phonoscope.corpora import carstens_ag500, carstens_pos, carstens_text
from phonoscope.errors import InputError

SENSORS_21 = {"HL": 1, "HR": 2, "TB": 3, "TD": 4, "TT": 5, "UL": 6, "LL": 7, "unused": 12}


def values_of(positions):
    values = np.zeros((*positions.shape[:2], 7), dtype="<f4")
    values[:, :, :3] = positions
    values[:, :, 5] = 3.0
    return values


def write_pos(path, positions, *, channels=None, rate=250, order="<f4", cut=0, header=None):
    text = f"NumberOfChannels={channels or positions.shape[1]}\nSamplingFrequencyHz={rate}\nrecorded=never\n"
    start = "AG50xDATA_V003\n"
    head = header if header is not None else f"{start}{len(start) + 9 + len(text):08d}\n{text}".encode()
    body = values_of(positions).astype(order).tobytes()
    path.write_bytes(head + body[: len(body) - cut])
    return path


def test_binary_equals_its_text_twin(real_ema):
    binary = carstens_pos.read(real_ema / "ag501_binary" / "0021.pos", SENSORS_21)
    text = carstens_text.read(real_ema / "ag501_binary" / "0021.txt", SENSORS_21, rate=250)
    assert binary.rate == text.rate == 250
    assert binary.n_samples == text.n_samples == 5021
    for sensor in SENSORS_21:
        # The text is rounded to two decimals.
        assert np.abs(binary.sensors[sensor] - text.sensors[sensor]).max() <= 0.005 + 1e-4
    assert not binary.sensors["unused"].any()


def test_text_with_header_by_number_and_name(real_ema):
    path = real_ema / "ag501_text" / "pos" / "sf2_0005.txt"
    by_number = carstens_text.read(path, {"TT": 1, "UL": "6"}, rate=250)
    by_name = carstens_text.read(path, {"TT": "Ch1", "UL": "ch6"}, rate=250)
    assert by_number.sensors["TT"].shape == (703, 3)
    assert by_number.sensors["TT"][0].tolist() == [78.51, 1.73, -15.37]
    for sensor in by_number.sensors:
        assert np.array_equal(by_number.sensors[sensor], by_name.sensors[sensor])


@pytest.mark.parametrize("order", ["<f4", ">f4"])
def test_pos_in_both_byte_orders(tmp_path, movement, order):
    positions = movement(40, 4, 250)
    track = carstens_pos.read(write_pos(tmp_path / "a.pos", positions, order=order), {"TT": 2, "LL": "Ch4"})
    assert np.allclose(track.sensors["TT"], positions[:, 1], atol=1e-4)
    assert np.allclose(track.sensors["LL"], positions[:, 3], atol=1e-4)
    assert track.rate == 250 and track.end_s == pytest.approx(0.16)


def test_pos_header_that_does_not_match_the_channels(tmp_path, movement):
    path = write_pos(tmp_path / "a.pos", movement(40, 4, 250), channels=7)
    with pytest.raises(
        InputError, match=r"a\.pos: frame 22: .* other than 7 channels.*Fix: .*number of channels"
    ):
        carstens_pos.read(path, {"TT": 1})


def test_pos_truncated(tmp_path, movement):
    path = write_pos(tmp_path / "a.pos", movement(40, 4, 250), cut=10)
    with pytest.raises(InputError, match=r"a\.pos: frame 39: the file is truncated.*102 bytes.*Fix: copy"):
        carstens_pos.read(path, {"TT": 1})


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (b"", "does not begin with AG50xDATA_V003"),
        (b"AG50xDATA_V003\nabc\nNumberOfChannels=4\n", "its size is not given"),
        (b"AG50xDATA_V003\n99999999\nNumberOfChannels=4\n", "the file ends within it"),
        (b"AG50xDATA_V003\n00000048\nSamplingFrequencyHz=250\n", "NumberOfChannels is missing"),
        (b"AG50xDATA_V003\n00000067\nSamplingFrequencyHz=fast\nNumberOfChannels=4\n", "SamplingFrequencyHz"),
        (b"AG50xDATA_V003\n00000066\nSamplingFrequencyHz=250\nNumberOfChannels=0\n", "NumberOfChannels=0"),
    ],
)
def test_pos_damaged_headers(tmp_path, movement, header, said):
    path = write_pos(tmp_path / "a.pos", movement(4, 4, 250), header=header)
    with pytest.raises(InputError, match=said) as error:
        carstens_pos.read(path, {"TT": 1})
    assert error.value.path == path and error.value.fix


def test_pos_that_holds_something_else(tmp_path):
    positions = np.full((4, 2, 3), 1e30)
    with pytest.raises(InputError, match="not positions in mm"):
        carstens_pos.read(write_pos(tmp_path / "a.pos", positions), {"TT": 1})


def test_ag500(tmp_path, movement):
    positions = movement(50, 12, 200)
    path = tmp_path / "0001.pos"
    path.write_bytes(values_of(positions).tobytes())
    track = carstens_ag500.read(path, {"TT": 12})
    assert track.rate == 200 and np.allclose(track.sensors["TT"], positions[:, 11], atol=1e-4)
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(
        InputError, match=r"0001\.pos: frame 49: the file is truncated or has other than 12 channels"
    ):
        carstens_ag500.read(path, {"TT": 12})
    with pytest.raises(InputError, match="use reader `carstens_pos`"):
        carstens_ag500.read(write_pos(path, positions), {"TT": 12})


@pytest.mark.parametrize("where", [0, 5, "Ch9", "tongue", "-1"])
def test_absent_channel(tmp_path, movement, write_text, where):
    positions = movement(10, 4, 250)
    write_pos(tmp_path / "a.pos", positions)
    write_text(tmp_path / "bare.txt", positions, header=False)
    write_text(tmp_path / "named.txt", positions)
    said = r"sensor TT: sensor TT is mapped to channel `.*`, which is not in the file\. Fix: map it.*"
    with pytest.raises(InputError, match=said + "1 to 4"):
        carstens_pos.read(tmp_path / "a.pos", {"TT": where})
    with pytest.raises(InputError, match=said + "1 to 4"):
        carstens_text.read(tmp_path / "bare.txt", {"TT": where}, rate=250)
    with pytest.raises(InputError, match=said + "Ch1, Ch2, Ch3, Ch4"):
        carstens_text.read(tmp_path / "named.txt", {"TT": where}, rate=250)


def test_text_without_header(tmp_path, movement, write_text):
    positions = movement(30, 3, 250)
    positions[5, 1] = np.nan
    write_text(tmp_path / "a.txt", positions, header=False)
    track = carstens_text.read(tmp_path / "a.txt", {"TB": 2}, rate=1250)
    assert track.rate == 1250
    assert np.allclose(track.sensors["TB"], positions[:, 1], atol=1e-4, equal_nan=True)


def test_text_needs_a_rate(tmp_path, movement, write_text):
    write_text(tmp_path / "a.txt", movement(30, 3, 250))
    with pytest.raises(InputError, match=r"a\.txt: .*sampling rate\. Fix: set `ema_rate`"):
        carstens_text.read(tmp_path / "a.txt", {"TT": 1})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda lines: lines[:-1] + [lines[-1][:40]], r"row 31: the rows are not numbers in equal columns"),
        (lambda lines: lines[:4] + ["x" + lines[4]] + lines[5:], r"row 5: the rows are not numbers"),
        (
            lambda lines: [lines[0] + "\tCh4_X"] + lines[1:],
            "header: the header names 22 columns, the rows have 21",
        ),
        (lambda lines: lines[:1], "the file holds no samples"),
        (lambda lines: [], "the file holds no samples"),
        (lambda lines: [line.rsplit("\t", 1)[0] for line in lines[1:]], "20 columns are not a multiple of 7"),
    ],
)
@pytest.mark.filterwarnings("ignore:loadtxt")
def test_broken_text(tmp_path, movement, write_text, change, said):
    path = tmp_path / "a.txt"
    write_text(path, movement(30, 3, 250))
    path.write_text("\n".join(change(path.read_text().splitlines())))
    with pytest.raises(InputError, match=said) as error:
        carstens_text.read(path, {"TT": 1}, rate=250)
    assert error.value.path == path and error.value.fix


def test_missing_file(tmp_path):
    for module in (carstens_pos, carstens_ag500, carstens_text):
        with pytest.raises(InputError, match=r"gone: the EMA file cannot be read.*Fix: check `files: ema`"):
            module.read(tmp_path / "gone", {"TT": 1}, rate=250)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(keep=st.integers(0, 1300), rot=st.integers(0, 255), at=st.integers(0, 120))
@pytest.mark.filterwarnings("ignore:loadtxt")
def test_damaged_files_give_a_track_or_an_input_error(tmp_path, movement, write_text, keep, rot, at):
    positions = movement(10, 4, 250)
    write_pos(tmp_path / "a.pos", positions)
    write_text(tmp_path / "a.txt", positions)
    for module, name in ((carstens_pos, "a.pos"), (carstens_ag500, "a.pos"), (carstens_text, "a.txt")):
        data = bytearray((tmp_path / name).read_bytes()[:keep])
        if at < len(data):
            data[at] = rot
        (tmp_path / "damaged").write_bytes(data)
        try:
            track = module.read(tmp_path / "damaged", {"TT": 1}, rate=250)
        except InputError as error:
            assert error.path == tmp_path / "damaged" and error.fix
        else:
            assert track.sensors["TT"].ndim == 2 and track.sensors["TT"].shape[1] == 3 and track.n_samples > 0
