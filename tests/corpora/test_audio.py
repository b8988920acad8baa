"""Audio: what is converted, what is refused."""

import base64
import hashlib
import json

import numpy as np
import pytest
import soundfile

from phonoscope.corpora import audio
from phonoscope.errors import InputError


def tone(rate, seconds=1.0, hz=440):
    return 0.5 * np.sin(2 * np.pi * hz * np.arange(int(rate * seconds)) / rate)


def test_plain_file_is_left_as_it_is(tmp_path):
    samples = tone(16000)
    soundfile.write(tmp_path / "a.wav", samples, 16000, subtype="FLOAT")
    loaded, notes = audio.load(tmp_path / "a.wav")
    assert loaded.dtype == np.float32 and np.array_equal(loaded, samples.astype(np.float32)) and notes == []


@pytest.mark.parametrize("rate", [8000, 44100, 48000])
def test_resampled_to_16_khz(tmp_path, rate):
    soundfile.write(tmp_path / "a.flac", tone(rate), rate)
    loaded, notes = audio.load(tmp_path / "a.flac")
    assert len(loaded) == 16000
    assert np.abs(loaded - tone(16000))[400:-400].max() < 1e-3
    assert notes == (["audio of 8000 Hz raised to 16000 Hz: nothing above 4000 Hz"] if rate == 8000 else [])


def test_stereo_is_averaged_with_a_note(tmp_path):
    soundfile.write(
        tmp_path / "a.wav", np.column_stack([tone(16000), np.zeros(16000)]), 16000, subtype="FLOAT"
    )
    loaded, notes = audio.load(tmp_path / "a.wav")
    assert np.allclose(loaded, tone(16000) / 2, atol=1e-6) and notes == ["2 audio channels averaged to one"]
    assert audio.probe(tmp_path / "a.wav").notes == tuple(notes)


def test_probe(tmp_path):
    soundfile.write(tmp_path / "a.wav", tone(8000, 1.5), 8000)
    info = audio.probe(tmp_path / "a.wav")
    assert (info.duration_s, info.sample_rate, info.channels) == (1.5, 8000, 1)
    assert info.sha256 == hashlib.sha256((tmp_path / "a.wav").read_bytes()).hexdigest()


def test_audio_inside_a_bundle(tmp_path, real_ema):
    info = audio.probe(real_ema / "emu_german" / "dfgspp_mo1_prosody_0020_bndl.json")
    assert info.sample_rate == 24000 and info.duration_s == pytest.approx(4.00004, abs=1e-5)
    soundfile.write(tmp_path / "a.wav", tone(16000), 16000)
    media = {"encoding": "BASE64", "data": base64.b64encode((tmp_path / "a.wav").read_bytes()).decode()}
    (tmp_path / "a_bndl.json").write_text(json.dumps({"mediaFile": media}))
    assert np.array_equal(audio.load(tmp_path / "a_bndl.json")[0], audio.load(tmp_path / "a.wav")[0])


@pytest.mark.parametrize(
    "media", ["{}", '{"mediaFile": {"encoding": "GETURL", "data": "x"}}', "[", '{"mediaFile": 1}']
)
def test_bundle_without_audio(tmp_path, media):
    (tmp_path / "a_bndl.json").write_text(media)
    with pytest.raises(InputError, match=r"a_bndl\.json: mediaFile: no audio in the bundle.*Fix: .*BASE64"):
        audio.load(tmp_path / "a_bndl.json")


@pytest.mark.parametrize("function", [audio.load, audio.probe])
def test_refused(tmp_path, function):
    with pytest.raises(
        InputError, match=r"gone\.wav: there is no such audio file.*Fix: check `files: audio`"
    ):
        function(tmp_path / "gone.wav")
    (tmp_path / "words.wav").write_text("not audio")
    with pytest.raises(InputError, match=r"words\.wav: the audio cannot be decoded.*Fix: export it again"):
        function(tmp_path / "words.wav")
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), 16000)
    with pytest.raises(InputError, match=r"empty\.wav: the audio is empty.*Fix: remove"):
        function(tmp_path / "empty.wav")
    samples = tone(16000)
    samples[8000:8005] = np.nan
    soundfile.write(tmp_path / "nan.wav", samples, 16000, subtype="FLOAT")
    with pytest.raises(InputError, match=r"nan\.wav: sample 8000 \(0\.500 s\): 5 audio samples are NaN"):
        function(tmp_path / "nan.wav")
