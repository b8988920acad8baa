"""EMU-SDMS: SSFF tracks, bundle folders, JSON bundles, labels."""

import base64
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonoscope.corpora import carstens_text, emu, emu_json, labels, ssff
from phonoscope.errors import InputError

GERMAN = {"TT": "t_tip", "TB": "t_mid", "UL": "upper_lip", "LL": "lower_lip"}


def ssff_bytes(positions, *, rate=200, start=0.0, machine="IBM-PC", names="tt_pos{}", kind="FLOAT"):
    order = {"IBM-PC": "<", "SPARC": ">"}[machine]
    head = f"SSFF -- (c) SHLRC\nMachine {machine}\nRecord_Freq {rate}\nStart_Time {start}\n"
    head += "".join(f"Column {names.format(axis)} {kind} 1\n" for axis in "xyz") + "-----------------\n"
    return (
        head.encode()
        + positions.astype(order + {"FLOAT": "f4", "DOUBLE": "f8", "SHORT": "i2"}[kind]).tobytes()
    )


def bundle_json(tracks, **annotation):
    files = [
        {"fileExtension": name, "encoding": "BASE64", "data": base64.b64encode(data).decode()}
        for name, data in tracks.items()
    ]
    return json.dumps({"ssffFiles": files, "annotation": annotation})


def test_ssff_equals_the_text_of_the_same_utterance(real_ema):
    folder = real_ema / "ag501_text"
    text = carstens_text.read(folder / "pos" / "sf2_0005.txt", {"TT": 1, "TB": 2, "UL": 6, "LL": 7}, rate=250)
    for sensor, values in text.sensors.items():
        path = folder / "ssff_same_utterance" / f"sf2_0005.{sensor}"
        track = emu.join({sensor: (ssff.parse(path.read_bytes(), path), path)}, path)
        assert track.rate == 250 and np.allclose(track.sensors[sensor], values, atol=1e-4)


def test_real_bundle_folder(real_ema):
    track = emu.read(real_ema / "emu_german" / "dfg91_s1em_0666_bndl", GERMAN)
    assert track.rate == 200 and track.n_samples == 612 and track.end_s == pytest.approx(3.06)
    # Lips lie in front of the tongue: at smaller y, because y points to the back.
    assert (
        track.sensors["UL"][:, 1].mean() < track.sensors["TT"][:, 1].mean() < track.sensors["TB"][:, 1].mean()
    )


def test_real_json_bundle(real_ema):
    track = emu_json.read(real_ema / "emu_german" / "dfgspp_mo1_prosody_0020_bndl.json", GERMAN)
    assert track.rate == 200 and {values.shape for values in track.sensors.values()} == {(800, 3)}


@pytest.mark.parametrize("machine", ["IBM-PC", "SPARC"])
@pytest.mark.parametrize("kind", ["FLOAT", "DOUBLE"])
@pytest.mark.parametrize("names", ["tt_pos{}", "TT{}_raw", "{}"])
def test_written_ssff(tmp_path, movement, machine, kind, names):
    positions = movement(30, 1, 200)[:, 0]
    folder = tmp_path / "rec_bndl"
    folder.mkdir()
    (folder / "rec.t_tip").write_bytes(
        ssff_bytes(positions, start=0.0025, machine=machine, kind=kind, names=names)
    )
    track = emu.read(folder, {"TT": "t_tip"})
    assert track.rate == 200 and track.start_s == 0.0025
    assert np.allclose(track.sensors["TT"], positions, atol=1e-4)


def test_absent_tracks_name_those_there_are(tmp_path, real_ema):
    with pytest.raises(
        InputError, match=r"ERC_Polish1_audio_0002_bndl: sensor TD: .*`t_mid`.*Fix: .*t_back, t_tip"
    ):
        emu.read(real_ema / "emu_polish" / "ERC_Polish1_audio_0002_bndl", {"TT": "t_tip", "TD": "t_mid"})
    path = real_ema / "emu_german" / "dfgspp_mo1_prosody_0020_bndl.json"
    with pytest.raises(
        InputError, match=r"0020_bndl\.json: sensor TD: .*`tongue`.*Fix: .*t_back, t_mid, t_tip"
    ):
        emu_json.read(path, {"TD": "tongue"})
    with pytest.raises(InputError, match="no such bundle folder.*Fix: check `files: ema`"):
        emu.read(tmp_path / "gone_bndl", {"TT": "t_tip"})


def test_track_without_positions(real_ema):
    with pytest.raises(InputError, match=r"\.la: header: no x, y and z positions among the columns LipAp"):
        emu.read(real_ema / "emu_german" / "dfg91_s1em_0666_bndl", {"lips": "la"})


def test_tracks_that_do_not_belong_together(tmp_path, movement):
    positions = movement(30, 1, 200)[:, 0]
    path = tmp_path / "a_bndl.json"
    for other in (
        ssff_bytes(positions[:-1]),
        ssff_bytes(positions, rate=100),
        ssff_bytes(positions, start=1),
    ):
        path.write_text(bundle_json({"t_tip": ssff_bytes(positions), "lip": other}))
        with pytest.raises(
            InputError, match=r"a_bndl\.json: the tracks differ.*TT 30 at 200 Hz.*Fix: .*truncated"
        ):
            emu_json.read(path, {"TT": "t_tip", "UL": "lip"})


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda data: data[:-3], r"record 29: the file is truncated .*9 bytes"),
        (lambda data: data[:50], "no whole SSFF header"),
        (lambda data: b"RIFF" + data[4:], "no whole SSFF header"),
        (lambda data: data.replace(b"IBM-PC", b"PDP-11"), "header is not understood"),
        (
            lambda data: data.replace(b"Record_Freq 200", b"Record_Freq abc"),
            "Record_Freq: `abc` is not a rate",
        ),
        (lambda data: data.replace(b"Record_Freq 200", b"Record_Freq   0"), "Record_Freq: `0` is not a rate"),
        (lambda data: data.replace(b"FLOAT", b"FLAOT"), "header is not understood"),
        (lambda data: data.replace(b"posz FLOAT", b"posy FLOAT"), "header is not understood"),
    ],
)
def test_damaged_ssff(movement, damage, said):
    data = damage(ssff_bytes(movement(30, 1, 200)[:, 0]))
    with pytest.raises(InputError, match=said) as error:
        ssff.parse(data, "x.t_tip")
    assert error.value.path == "x.t_tip" and error.value.fix


@settings(max_examples=200, deadline=None)
@given(keep=st.integers(0, 600), at=st.integers(0, 200), byte=st.integers(0, 255))
def test_any_damage_to_ssff_is_an_input_error(keep, at, byte):
    data = bytearray(ssff_bytes(np.arange(90.0).reshape(30, 3))[:keep])
    if at < len(data):
        data[at] = byte
    try:
        signals = ssff.parse(bytes(data), "x")
        track = emu.join({"TT": (signals, "x")}, "x")
    except InputError as error:
        assert error.path == "x" and error.fix
    else:
        assert track.sensors["TT"].shape == (track.n_samples, 3)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"ssffFiles": 3}', '{"ssffFiles": [{"data": ""}]}'])
def test_json_that_is_no_bundle(tmp_path, text):
    path = tmp_path / "a_bndl.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"a_bndl\.json: ssffFiles: not an EMU bundle.*Fix: "):
        emu_json.read(path, {"TT": "t_tip"})


def test_json_with_broken_base64(tmp_path):
    path = tmp_path / "a_bndl.json"
    path.write_text('{"ssffFiles": [{"fileExtension": "t_tip", "data": "###"}]}')
    with pytest.raises(InputError, match="ssffFiles t_tip: the track is not base64"):
        emu_json.read(path, {"TT": "t_tip"})


def test_esps_phones(real_ema):
    rows = labels.read(real_ema / "emu_german" / "dfg91_s1em_0666_bndl" / "dfg91_s1em_0666.MAU", {})
    assert len(rows) == 28 and rows[1] == {
        "tier": "phone",
        "start_s": 0.87994,
        "end_s": 0.93994,
        "label": "m",
    }
    assert all(one["end_s"] == two["start_s"] for one, two in zip(rows[:-1], rows[1:], strict=True))


def test_annotation_in_json(real_ema):
    folder = real_ema / "emu_german"
    rows = labels.read(folder / "dfgspp_mo1_prosody_0020_bndl.json", {"phone": "Segment"})
    assert len(rows) == 32 and rows[1] == {"tier": "phone", "start_s": 0.35, "end_s": 0.41, "label": "z"}
    # The annotation's own rate (20 kHz) counts, not the audio's.
    rows = labels.read(folder / "dfg91_s1em_0666_bndl" / "dfg91_s1em_0666_annot.json", {"word": "ORT"})
    assert rows[0] == {"tier": "word", "start_s": 15835 / 20000, "end_s": 25835 / 20000, "label": "bla"}


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.MAU", "signal x\n", "no line `#` ends the header"),
        ("a.MAU", "signal x\n#\n 0.1 125 a\n oops\n", "row 4: the line is not `time colour label`"),
        ("a.json", "{", "not an EMU annotation"),
        ("a.json", '{"sampleRate": 0, "levels": []}', None),
        (
            "a.json",
            '{"sampleRate": 10, "levels": [{"name": "Segment", "items": [{}]}]}',
            "not an EMU annotation",
        ),
    ],
)
def test_broken_labels(tmp_path, name, text, said):
    path = tmp_path / name
    path.write_text(text)
    if said is None:
        assert labels.read(path, {"phone": "Segment"}) == []
    else:
        with pytest.raises(InputError, match=said):
            labels.read(path, {"phone": "Segment"})
    with pytest.raises(InputError, match="label file cannot be read.*Fix: check `files: phones`"):
        labels.read(tmp_path / "gone", {})
