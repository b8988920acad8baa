"""The shipped corpus synthetic-tone: what it must hold, and that its answer is known.

Where tones are told apart, it is by scikit-learn's logistic regression, one voice left out at a time.
"""

import copy
import hashlib
import itertools
import json
import re
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from phonoscope import tables
from phonoscope.corpora.synthetic import source_filter, tone, tone_plan
from phonoscope.errors import InputError

ROOT = Path(__file__).resolve().parents[3]
CORPUS = ROOT / "resources" / "corpora" / "synthetic-tone"
TONAL = [name for name, spec in tone_plan.LANGUAGES.items() if spec["shapes"]]
CONTROL = "Duneli"
RATE_HZ, HALF_MS = 16000, 225
every_language = pytest.mark.parametrize("language", tone_plan.LANGUAGES)
every_tonal = pytest.mark.parametrize("language", TONAL)


def recordings(language):
    return tables.read(CORPUS / language.lower() / "recordings.parquet").to_pylist()


@cache
def segments(language):
    found = defaultdict(list)
    for row in tables.read(CORPUS / language.lower() / "segments.parquet").to_pylist():
        found[row["utterance_id"], row["tier"]].append(row)
    return found


def read_audio(language, row):
    import soundfile

    return soundfile.read(CORPUS / language.lower() / row["audio"], dtype="int16")


@cache
def syllables(language):
    """Tone, voice, sound and planned pitch of every syllable, in the order of the shipped tables.

    Returns
    -------
    labels, voices : array of shape (800,)
    sound, semitones : array of shape (800, 7200)
        450 ms about the syllable's centre; semitones re 100 Hz less the voice's mean over its syllables.
    durations_s : array of shape (800,)
    """
    planned = {row["utterance_id"]: row for row in tone_plan.utterances(language)}
    labels, voices, sound, pitch, durations = [], [], [], [], []
    half = HALF_MS * RATE_HZ // 1000
    for row in recordings(language):
        audio, _ = read_audio(language, row)
        audio = np.pad(audio.astype(float), half)
        f0 = np.pad(12 * np.log2(tone.f0(planned[row["utterance_id"]]) / 100), half, mode="edge")
        for part in segments(language)[row["utterance_id"], "tone"]:
            centre = half + round((part["start_s"] + part["end_s"]) / 2 * RATE_HZ)
            labels.append(part["label"])
            voices.append(row["speaker"])
            sound.append(audio[centre - half : centre + half])
            pitch.append(f0[centre - half : centre + half])
            durations.append(part["end_s"] - part["start_s"])
    labels, voices, pitch = np.array(labels), np.array(voices), np.array(pitch)
    for voice in set(voices):
        pitch[voices == voice] -= pitch[voices == voice].mean()
    return labels, voices, np.array(sound), pitch, np.array(durations)


def held_out(features, labels, voices):
    """Tones that are predicted for each voice from the others."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=300))
    return cross_val_predict(classifier, features, labels, groups=voices, cv=LeaveOneGroupOut())


def chance_bound(n):
    """The accuracy that guessing among five exceeds once in a thousand times."""
    from scipy.stats import binom

    return binom.ppf(0.999, n, 0.2) / n


def at(offsets_ms):
    """Index into the 450 ms about a syllable's centre."""
    return np.round((np.asarray(offsets_ms, float) + HALF_MS) * RATE_HZ / 1000).astype(int)


def log_mel(sound, starts_ms, window=512):
    """Log-mel spectra of single frames: 60 bands from 50 to 1500 Hz, fine enough for harmonics.

    Parameters
    ----------
    sound : array of shape (n, 7200)
    starts_ms : sequence of float
        First sample of every frame re the centre.

    Returns
    -------
    array of shape (n, 60 · n_frames)
    """
    from transformers.audio_utils import mel_filter_bank

    bank = mel_filter_bank(1025, 60, 50.0, 1500.0, RATE_HZ, norm=None, mel_scale="htk")
    frames = sound[:, at(starts_ms)[:, None] + np.arange(window)] * np.hanning(window)
    power = np.abs(np.fft.rfft(frames, 2048)) ** 2
    return np.log(power @ bank + 1).reshape(len(sound), -1)


def window_f1(language, width_ms):
    """Macro-F1 of the tone from log-mel frames of 32 ms that lie within `width_ms` about the centre."""
    from sklearn.metrics import f1_score

    labels, voices, sound, _, _ = syllables(language)
    last = width_ms / 2 - 32
    starts = np.linspace(-width_ms / 2, last, max(1, 1 + int((width_ms - 32) / 10)))
    return f1_score(labels, held_out(log_mel(sound, starts), labels, voices), average="macro")


@every_language
def test_is_the_plan(language):
    planned = {row["utterance_id"]: row for row in tone_plan.utterances(language)}
    shipped = recordings(language)
    assert [row["utterance_id"] for row in shipped] == list(planned)
    for row in shipped:
        plan = planned[row["utterance_id"]]
        assert all(row[key] == plan[key] for key in ("speaker", "sex", "language", "text", "split"))
        assert row["duration_s"] == plan["duration_ms"] / 1000
    found = [part for row in planned.values() for part in tone.segments(row)]
    assert tables.read(CORPUS / language.lower() / "segments.parquet").to_pylist() == found


@every_language
def test_schemas_provenance_and_truth(language):
    folder = CORPUS / language.lower()
    for name, schema in (("recordings", tables.UTTERANCES), ("segments", tables.SEGMENTS)):
        table = tables.read(folder / f"{name}.parquet")
        assert table.schema.equals(schema) and tables.provenance(table)["seed"] == tone_plan.SEED
    truth = json.loads((folder / "truth.json").read_text("utf-8"))
    assert truth == tone.truth(language)
    assert truth["labels_random"] == (language == CONTROL)
    assert truth["stretch_s"] == {"Lumade": 0.1, "Bogy": 0.1, "Naile": 0.18, "Wovo": 0.18}.get(language)


@every_language
def test_rebuilt_equals_shipped(language):
    """Sample by sample: the first utterance and the last, a woman's and a man's."""
    shipped = recordings(language)
    for row in (shipped[0], shipped[-1]):
        audio, rate = read_audio(language, row)
        assert rate == RATE_HZ
        np.testing.assert_array_equal(tone.synthesise(tone.item(row["utterance_id"])), audio)


@every_language
def test_each_voice_says_each_syllable_with_each_tone_once(language):
    spec, said = tone_plan.LANGUAGES[language], Counter()
    voice = {row["utterance_id"]: row["speaker"] for row in recordings(language)}
    for (utterance_id, tier), rows in segments(language).items():
        if tier == "syllable":
            for syllable, label in zip(rows, segments(language)[utterance_id, "tone"], strict=True):
                assert (syllable["start_s"], syllable["end_s"]) == (label["start_s"], label["end_s"])
                said[voice[utterance_id], syllable["label"], label["label"]] += 1
    types = {tone_plan.spelling(pair) for pair in itertools.product(spec["onsets"], spec["vowels"])}
    assert len(types) == 20
    expected = itertools.product((each["speaker"] for each in tone_plan.VOICES), types, "12345")
    assert said == dict.fromkeys(expected, 1)
    assert Counter(label for _, _, label in said) == dict.fromkeys("12345", 160)


@every_language
def test_two_of_eight_voices_are_for_the_test_only(language):
    splits = defaultdict(set)
    for row in recordings(language):
        splits[row["speaker"], row["sex"]].add(row["split"])
    assert Counter(sex for _, sex in splits) == {"f": 4, "m": 4}
    assert [sex for (_, sex), names in splits.items() if names == {"test"}] == ["f", "m"]
    assert sum(names == {"train", "dev"} for names in splits.values()) == 6


@every_language
def test_audio_is_intact(language):
    for row in recordings(language):
        content = (CORPUS / language.lower() / row["audio"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == row["audio_sha256"]
        audio, rate = read_audio(language, row)
        assert (audio.ndim, rate, row["sample_rate"]) == (1, RATE_HZ, RATE_HZ)
        assert len(audio) == round(row["duration_s"] * RATE_HZ)
        assert 500 < np.abs(audio.astype(int)).max() < 8000 and not (audio % tone.GRAIN).any()
        assert np.abs(audio[: 80 * 16]).max() <= 2 * tone.GRAIN


@every_language
def test_times_are_contiguous_and_words_hold_their_syllables(language):
    for row in recordings(language):
        tiers = {
            name: segments(language)[row["utterance_id"], name] for name in ("phone", "syllable", "word")
        }
        phones = tiers["phone"]
        assert phones[0]["start_s"] == 0 and phones[-1]["end_s"] == row["duration_s"]
        assert all(one["end_s"] == two["start_s"] for one, two in itertools.pairwise(phones))
        for syllable in tiers["syllable"]:
            inside = [each for each in phones if syllable["start_s"] <= each["start_s"] < syllable["end_s"]]
            assert len(inside) == 2 and inside[-1]["end_s"] == syllable["end_s"]
            assert 0.239 < syllable["end_s"] - syllable["start_s"] < 0.341
        assert " ".join(word["label"] for word in tiers["word"]) == row["text"]
        for word in tiers["word"]:
            inside = [s for s in tiers["syllable"] if word["start_s"] <= s["start_s"] < word["end_s"]]
            assert "".join(s["label"] for s in inside) == re.sub(r"\d", "", word["label"])
            assert 1 <= len(inside) <= 3 and inside[-1]["end_s"] == word["end_s"]


def test_is_small():
    assert sum(path.stat().st_size for path in CORPUS.rglob("*") if path.is_file()) < 8e6


def test_pairs_share_all_but_the_stretch_and_differ_in_sounds_and_shapes():
    languages = tone_plan.LANGUAGES
    for near, wide in (("Lumade", "Naile"), ("Bogy", "Wovo")):
        assert {k for k in languages[near] if languages[near][k] != languages[wide][k]} == {"stretch"}
    for one, two in (("Lumade", "Bogy"), ("Naile", "Wovo")):
        assert languages[one]["shapes"] != languages[two]["shapes"]
        for part in ("onsets", "vowels"):
            assert not set(languages[one][part]) & set(languages[two][part])


@every_language
def test_another_tone_changes_pitch_in_its_stretch_only(language):
    spec = tone_plan.LANGUAGES[language]
    half_s = tone_plan.STRETCH_MS[spec["stretch"]] / 2000 if spec["shapes"] else 0
    for row in tone_plan.utterances(language)[::10]:
        other = copy.deepcopy(row)
        for syllable in other["syllables"]:
            syllable["tone"] = syllable["tone"] % 5 + 1
        times = np.arange(row["duration_ms"] * 16) / RATE_HZ
        centres = np.array([(each["start_ms"] + each["end_ms"]) / 2000 for each in row["syllables"]])
        inside = (np.abs(times[:, None] - centres) < half_s).any(axis=1)
        one, two = tone.f0(row), tone.f0(other)
        np.testing.assert_array_equal(one[~inside], two[~inside])
        if spec["shapes"]:
            assert np.mean(one[inside] != two[inside]) > 0.8


@every_tonal
def test_pitch_tells_the_tone_inside_the_stretch_and_not_outside(language):
    labels, voices, _, pitch, durations = syllables(language)
    half_ms = tone_plan.STRETCH_MS[tone_plan.LANGUAGES[language]["stretch"]] / 2
    inside = pitch[:, at(np.linspace(-half_ms, half_ms, 15))]
    assert np.mean(held_out(inside, labels, voices) == labels) > 0.9
    edge_ms = durations.min() * 500
    outside_ms = np.linspace(half_ms, edge_ms, 8)
    outside = pitch[:, at(np.concatenate([-outside_ms, outside_ms]))]
    assert np.mean(held_out(outside, labels, voices) == labels) < chance_bound(800)
    mean = inside.mean(axis=1, keepdims=True)
    assert np.mean(held_out(mean, labels, voices) == labels) < 0.6


@every_tonal
def test_sound_outside_the_stretch_does_not_tell_the_tone(language):
    """Frames of 25 ms from the syllable's edge to the stretch; what is heard inside, the same frames tell."""
    labels, voices, sound, _, durations = syllables(language)
    half_ms = tone_plan.STRETCH_MS[tone_plan.LANGUAGES[language]["stretch"]] / 2
    edge_ms = durations.min() * 500
    assert edge_ms - half_ms > 25
    outside = log_mel(sound, [-edge_ms, -half_ms - 25, half_ms, edge_ms - 25], window=400)
    assert np.mean(held_out(outside, labels, voices) == labels) < chance_bound(800)
    inside = log_mel(sound, np.linspace(-half_ms, half_ms - 25, 4), window=400)
    assert np.mean(held_out(inside, labels, voices) == labels) > 0.5


@every_tonal
def test_loudness_and_duration_do_not_tell_the_tone(language):
    labels, voices, sound, _, durations = syllables(language)
    half_ms = tone_plan.STRETCH_MS[tone_plan.LANGUAGES[language]["stretch"]] / 2
    inside, outside = slice(*at([-half_ms, half_ms])), slice(*at([half_ms, half_ms + 30]))
    loudness = [np.log((sound[:, part] ** 2).mean(axis=1)) for part in (inside, outside)]
    cues = np.column_stack([*loudness, durations])
    assert np.mean(held_out(cues, labels, voices) == labels) < chance_bound(800)


def test_control_labels_follow_nothing():
    labels, voices, sound, pitch, durations = syllables(CONTROL)
    offsets = np.linspace(-120, 120, 17)
    for cues in (pitch[:, at(offsets)], log_mel(sound, offsets - 16), durations[:, None]):
        assert np.mean(held_out(cues, labels, voices) == labels) < chance_bound(800)


@every_tonal
def test_neighbours_tone_does_not_tell_the_tone(language):
    labels = [
        [part["label"] for part in segments(language)[row["utterance_id"], "tone"]]
        for row in recordings(language)
    ]
    pairs = np.array([pair for said in labels for pair in itertools.pairwise(said)])
    counts = np.array([[np.sum((pairs == [one, two]).all(axis=1)) for two in "12345"] for one in "12345"])
    best_guess = counts.max(axis=1).sum() / counts.sum()
    assert best_guess < 0.29  # 0.26 is what the largest of five counts gives in tables of this size by chance


@every_tonal
def test_heard_pitch_is_the_planned_pitch(language):
    """The lag of the first maximum of the autocorrelation over 40 ms, where the pitch hardly moves."""
    labels, _, sound, _, _ = syllables(language)
    rows, f0 = {row["utterance_id"]: row for row in tone_plan.utterances(language)}, []
    for row in recordings(language):
        track = tone.f0(rows[row["utterance_id"]])
        parts = segments(language)[row["utterance_id"], "tone"]
        f0.extend(track[round((part["start_s"] + part["end_s"]) / 2 * RATE_HZ)] for part in parts)
    level = {"levels": ["1", "2", "3"], "contours": ["1", "2"]}[tone_plan.LANGUAGES[language]["shapes"]]
    errors = []
    for index in np.flatnonzero(np.isin(labels, level))[::5]:
        frame = sound[index, slice(*at([-20, 20]))]
        product = np.fft.irfft(np.abs(np.fft.rfft(frame * np.hanning(len(frame)), 4096)) ** 2)
        window = np.fft.irfft(np.abs(np.fft.rfft(np.hanning(len(frame)), 4096)) ** 2)
        around = slice(int(RATE_HZ / f0[index] / 1.4), int(RATE_HZ / f0[index] * 1.4))
        lag = around.start + np.argmax(product[around] / window[around])
        errors.append(12 * np.log2(RATE_HZ / lag / f0[index]))
    assert len(errors) > 60 and np.median(np.abs(errors)) < 0.3


@pytest.mark.slow
def test_window_grows_to_the_stretch_as_the_readme_says():
    text = (CORPUS / "README.md").read_text("utf-8")
    widths = [int(width) for width in re.search(r"\| window, ms \|(.*)\|", text)[1].split("|")]
    for language in TONAL:
        cells = re.search(rf"\| {language}, harmonics \|(.*)\|", text)[1].split("|")
        printed = dict(zip(widths, map(float, cells), strict=True))
        stretch_ms = tone_plan.STRETCH_MS[tone_plan.LANGUAGES[language]["stretch"]]
        found = {width: window_f1(language, width) for width in (40, 100, 180, 220)}
        for width, f1 in found.items():
            assert abs(f1 - printed[width]) < 0.03, (language, width, f1)
        best = max(found.values())
        assert found[40] < 0.7 * best and found[stretch_ms] > 0.88 * best
        if stretch_ms == 180:
            assert found[100] < 0.85 * best


def test_unknown_utterance_is_named():
    with pytest.raises(InputError, match="lumade_nobody_01"):
        tone.item("lumade_nobody_01")


def test_voice_has_the_planned_pitch_and_power():
    n_ms = 200
    shape = (n_ms, source_filter.FORMANTS)
    formants = np.tile(np.concatenate([[500, 1500, 2500], source_filter.UPPER_HZ]), (n_ms, 1))
    for f0_hz in (90.0, 175.0, 240.0):
        sound = source_filter.voiced(
            np.full(n_ms * source_filter.STEP, f0_hz),
            formants,
            np.broadcast_to(source_filter.BANDWIDTH_HZ, shape),
            np.full(n_ms, 0.1),
            np.zeros(n_ms),
            2000.0,
        )
        assert abs(np.sqrt(np.mean(sound**2)) - 0.1) < 0.002
        spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 16000))
        strongest = np.flatnonzero(spectrum > 0.05 * spectrum.max())
        assert np.abs(strongest / f0_hz - np.round(strongest / f0_hz)).max() * f0_hz < 12


def test_tone_contours_begin_and_end_on_the_carrier_without_steps():
    u = np.linspace(-1.5, 1.5, 3001)
    for shapes in tone_plan.SHAPES.values():
        courses = [tone.contour(points, u) for _, points in shapes.values()]
        for course in courses:
            assert not course[np.abs(u) >= 1].any() and np.abs(np.diff(course)).max() < 0.05
        for one, two in itertools.combinations(courses, 2):
            assert np.abs(one - two).max() >= 3
