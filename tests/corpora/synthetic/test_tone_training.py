"""Speech of the tone languages that is spoken to train on: new voices, and the shipped corpus to test on."""

import itertools
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from phonoscope import tables
from phonoscope.corpora.synthetic import speech, tone, tone_plan
from phonoscope.errors import InputError

ROOT = Path(__file__).resolve().parents[3]
CORPUS = ROOT / "resources" / "corpora" / "synthetic-tone"
every_tonal = pytest.mark.parametrize("name", speech.TONE_LANGUAGES)
HEARD = ("f0_hz", "formants", "tilt_hz", "breath_db", "rate")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Two new voices of Lumade beside the shipped ones."""
    folder = tmp_path_factory.mktemp("tone") / "lumade"
    speech.build(folder, "lumade", minutes=1, seed=3)
    return folder


def test_every_tone_language_is_spoken_and_the_control_is_not(tmp_path):
    assert sorted(speech.TONE_LANGUAGES) == ["bogy", "lumade", "naile", "wovo"]
    with pytest.raises(InputError, match="no plan for duneli.*lumade"):
        speech.build(tmp_path, "duneli", minutes=1)


@every_tonal
def test_new_voices_are_of_both_sexes_and_not_the_shipped_ones(name):
    voices = tone_plan.training_voices(speech.TONE_LANGUAGES[name], 64, 0)
    names = [voice["speaker"] for voice in voices]
    assert len(set(names)) == 64 and not {voice["speaker"] for voice in tone_plan.VOICES} & set(names)
    for split, count in (("train", 28), ("dev", 4)):
        sexes = Counter(voice["sex"] for voice in voices if voice["split"] == split)
        assert sexes == {"f": count, "m": count}
    for sex in "fm":
        new = np.array([[voice[key] for key in HEARD] for voice in voices if voice["sex"] == sex])
        old = np.array([[voice[key] for key in HEARD] for voice in tone_plan.VOICES if voice["sex"] == sex])
        assert not (new[:, None] == old).any() and len(np.unique(new[:, 0])) == 32
        low, high = np.array([tone_plan.TRAINING_RANGES[sex][key] for key in HEARD]).T
        assert ((low <= new) & (new <= high)).all()
        assert ((low < old) & (old < high)).all(), "the shipped voices lie within what is learned"
        reach = (new.max(axis=0) - new.min(axis=0)) / (high - low)
        assert (reach > 0.8).all(), "the voices differ"


def test_seed_and_language_decide_the_voices():
    first = tone_plan.training_voices("Lumade", 4, 0)
    assert tone_plan.training_voices("Lumade", 6, 0)[:4] == first
    for language, seed in (("Lumade", 1), ("Naile", 0)):
        for one, other in zip(first, tone_plan.training_voices(language, 4, seed), strict=True):
            assert all(one[key] != other[key] for key in HEARD)


@every_tonal
def test_each_new_voice_says_each_syllable_with_each_tone_once(name):
    spec = tone_plan.LANGUAGES[speech.TONE_LANGUAGES[name]]
    rows = tone_plan.training_utterances(speech.TONE_LANGUAGES[name], 16, 0)
    said = Counter(
        (row["speaker"], each["onset"], each["vowel"], each["tone"])
        for row in rows
        if row["split"] != "test"
        for each in row["syllables"]
    )
    speakers = {speaker for speaker, *_ in said}
    assert len(speakers) == 16
    assert said == dict.fromkeys(
        itertools.product(speakers, spec["onsets"], spec["vowels"], tone_plan.TONES), 1
    )
    splits = {(row["speaker"], row["split"]) for row in rows}
    assert len({speaker for speaker, _ in splits}) == len(splits), "a voice is of one split"
    texts = [tuple(row["text"] for row in rows if row["speaker"] == speaker) for speaker in speakers]
    assert len(set(texts)) == 16, "every voice has an order of its own"


@every_tonal
def test_test_split_is_the_shipped_corpus(name):
    rows = tone_plan.training_utterances(speech.TONE_LANGUAGES[name], 2, 0)
    shipped = tables.read(CORPUS / name / "recordings.parquet").to_pylist()
    found = [row for row in rows if row["split"] == "test"]
    assert [(row["utterance_id"], row["text"]) for row in found] == [
        (row["utterance_id"], row["text"]) for row in shipped
    ]


@every_tonal
def test_durations_are_those_that_are_asked_for(name):
    for minutes in (5, 30):
        count = round(minutes * 60 / tone.VOICE_S)
        rows = tone_plan.training_utterances(speech.TONE_LANGUAGES[name], count, 0)
        spoken = sum(row["duration_ms"] for row in rows if row["split"] != "test") / 60000
        assert abs(spoken - minutes) < 0.06 * minutes


def test_folder_is_whole_and_the_same_again(built, tmp_path):
    import soundfile

    rows = tables.read(built / "recordings.parquet").to_pylist()
    assert {row["speaker"] for row in rows if row["split"] == "train"} == {
        "lumade_new001_f",
        "lumade_new002_m",
    }
    segments = tables.read(built / "segments.parquet").to_pylist()
    assert {row["utterance_id"] for row in segments} == {row["utterance_id"] for row in rows}
    assert {row["tier"] for row in segments} == {"phone", "syllable", "tone", "word", "pitch"}
    audio = {row["utterance_id"]: soundfile.read(built / row["audio"], dtype="int16")[0] for row in rows}
    for row in rows:
        assert len(audio[row["utterance_id"]]) == round(row["duration_s"] * 16000)
    for row in tables.read(CORPUS / "lumade" / "recordings.parquet").to_pylist()[::30]:
        shipped = soundfile.read(CORPUS / "lumade" / row["audio"], dtype="int16")[0]
        np.testing.assert_array_equal(audio[row["utterance_id"]], shipped)
    again = {row["utterance_id"]: row for row in tone_plan.training_utterances("Lumade", 2, 3)}
    for row in [row for row in rows if row["split"] == "train"][::8]:
        np.testing.assert_array_equal(tone.synthesise(again[row["utterance_id"]]), audio[row["utterance_id"]])


@every_tonal
def test_pitch_is_named_where_something_is_said_by_segments_that_hold_a_frame(name):
    from phonoscope.encoders.timebase import Timebase

    for row in tone_plan.training_utterances(speech.TONE_LANGUAGES[name], 4, 0)[:40:8]:
        track, found = tone.f0(row), tone.pitch_segments(row)
        assert {each["tier"] for each in found} == {"pitch"}
        silent = [(start / 1000, end / 1000) for start, end, label in tone.phones(row) if label == "sil"]
        for one, two in itertools.pairwise(found):
            assert one["end_s"] <= two["start_s"]
            if one["end_s"] == two["start_s"]:
                assert one["label"] != two["label"]
            else:
                assert (one["end_s"], two["start_s"]) in silent
        for each in found:
            samples = track[round(each["start_s"] * 16000) : round(each["end_s"] * 16000)]
            semitones = 12 * np.log2(samples / 100)
            assert semitones.min() - 0.5 <= int(each["label"]) <= semitones.max() + 0.5
            centres = Timebase(0.02, 0.0125).times(row["duration_ms"] // 20)
            assert ((each["start_s"] <= centres) & (centres < each["end_s"])).any()
        spoken = sum(each["end_s"] - each["start_s"] for each in found)
        silence = sum(end - start for start, end in silent)
        assert spoken == pytest.approx(row["duration_ms"] / 1000 - silence)


def test_new_voice_is_heard_at_its_pitch(built):
    """The strongest period of the planned pitch in the middle of level syllables."""
    import soundfile

    for row in tone_plan.training_utterances("Lumade", 2, 3)[:12:4]:
        audio = soundfile.read(built / "audio" / f"{row['utterance_id']}.flac")[0]
        track = tone.f0(row)
        assert 0.5 < np.median(track) / row["voice"]["f0_hz"] < 2
        for each in row["syllables"]:
            if each["tone"] == 2:
                centre = (each["vowel_ms"] + each["end_ms"]) * 8
                frame = audio[centre - 320 : centre + 320] * np.hanning(640)
                product = np.fft.irfft(np.abs(np.fft.rfft(frame, 4096)) ** 2)
                window = np.fft.irfft(np.abs(np.fft.rfft(np.hanning(640), 4096)) ** 2)
                period = 16000 / track[centre]
                around = slice(int(period / 1.4), int(period * 1.4))
                lag = around.start + np.argmax(product[around] / window[around])
                assert abs(12 * np.log2(lag / period)) < 0.7
