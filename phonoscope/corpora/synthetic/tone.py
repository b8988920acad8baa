"""The corpus `synthetic-tone`: sound of planned utterances, and the folders that are shipped."""

import itertools
import json
from pathlib import Path

import numpy as np

from phonoscope.corpora.synthetic import source_filter
from phonoscope.corpora.synthetic import tone_plan as plan
from phonoscope.corpora.synthetic.folder import RATE_HZ, segment, write
from phonoscope.errors import InputError

# The sound is rounded to multiples of GRAIN: a vowel stays 45 dB above the rounding, and FLAC needs half the
# bytes.
GRAIN = 8
FULL = 32768 * 10 ** (-38 / 20)  # root mean square of a vowel
ROOM = 0.25 * GRAIN  # noise of the room
BURST_MS = 8
FORMANT_MS, LEVEL_MS, OFFSET_MS = 50, 16, 120
SHAPE_STEPS = 41
VOICE_S = 32  # what one voice says of a language
PITCH_HZ, PITCH_MS = 100.0, 20

# Per phone: formants 1 to 3 of a male voice (Hz), level (dB re vowel), order of the low-pass at 500 Hz,
# factor of the bandwidths, and a stop's burst as (lowest Hz, highest Hz, dB re vowel).
PHONES = {
    "sil": (500, 1500, 2500, -np.inf, 0.0, 1.0, None),
    "i": (290, 2250, 2950, -2, 0.0, 1.0, None),
    "e": (430, 2000, 2650, -1, 0.0, 1.0, None),
    "a": (750, 1250, 2550, 0, 0.0, 1.0, None),
    "u": (310, 780, 2350, -2, 0.0, 1.0, None),
    "y": (280, 1850, 2250, -2, 0.0, 1.0, None),
    "ɛ": (590, 1800, 2550, 0, 0.0, 1.0, None),
    "o": (480, 850, 2450, -1, 0.0, 1.0, None),
    "ɨ": (330, 1450, 2350, -2, 0.0, 1.0, None),
    "m": (260, 950, 2200, -8, 0.7, 2.0, None),
    "n": (260, 1550, 2500, -8, 0.7, 2.0, None),
    "ɲ": (260, 2100, 2800, -8, 0.7, 2.0, None),
    "l": (350, 1150, 2750, -6, 0.3, 1.3, None),
    "w": (310, 650, 2250, -7, 0.5, 1.3, None),
    "d": (220, 1750, 2650, -16, 1.6, 1.5, (3000, 6000, -14)),
    "b": (220, 850, 2250, -16, 1.6, 1.5, (500, 1500, -18)),
    "g": (220, 2050, 2450, -16, 1.6, 1.5, (1500, 2600, -14)),
    "j": (280, 2150, 3000, -5, 0.2, 1.2, None),
    "ʋ": (270, 1050, 2300, -8, 0.5, 1.5, None),
}


def item(utterance_id):
    """The planned utterance of that name.

    Raises
    ------
    InputError
        If the plan has none.
    """
    for language in plan.LANGUAGES:
        if utterance_id.startswith(f"{language.lower()}_"):
            for row in plan.utterances(language):
                if row["utterance_id"] == utterance_id:
                    return row
    raise InputError(
        "is not in the plan of synthetic-tone", row=utterance_id, fix="see tone_plan.utterances()"
    )


def contour(points, u):
    """A tone's pitch over its stretch.

    Parameters
    ----------
    points : sequence of (float, float)
        Position in the stretch from -1 to 1 and semitones, in order; half a cosine joins them.
    u : array of shape (n,)

    Returns
    -------
    array of shape (n,)
        Semitones re the carrier; 0 outside -1 to 1.
    """
    at, semitones = np.array(points, float).T
    index = np.clip(np.searchsorted(at, u, side="right") - 1, 0, len(at) - 2)
    share = np.clip((u - at[index]) / (at[index + 1] - at[index]), 0, 1)
    course = (1 - np.cos(np.pi * share)) / 2
    value = semitones[index] + (semitones[index + 1] - semitones[index]) * course
    return np.where(np.abs(u) < 1, value, 0.0)


def f0(row):
    """Pitch of a planned utterance, in pauses too.

    Returns
    -------
    array of shape (n_samples,)
        Hz, a value per sample at 16 kHz.
    """
    spec = plan.LANGUAGES[row["language"]]
    n_ms = row["duration_ms"]
    offset = np.empty(n_ms)
    before = 0
    for syllable in row["syllables"]:
        offset[before : syllable["end_ms"]] = syllable["offset_st"]
        before = syllable["end_ms"]
    offset[before:] = row["syllables"][-1]["offset_st"]
    time_ms = np.arange(n_ms * RATE_HZ // 1000) * 1000 / RATE_HZ
    semitones = np.interp(time_ms, np.arange(n_ms), source_filter.eased(offset, OFFSET_MS))
    semitones += row["start_st"] + row["slope_st_per_s"] * time_ms / 1000
    if spec["shapes"]:
        half_ms = plan.STRETCH_MS[spec["stretch"]] / 2
        for syllable in row["syllables"]:
            centre_ms = (syllable["start_ms"] + syllable["end_ms"]) / 2
            _, points = plan.SHAPES[spec["shapes"]][syllable["tone"]]
            semitones += contour(points, (time_ms - centre_ms) / half_ms)
    return _voice(row)["f0_hz"] * 2 ** (semitones / 12)


def _voice(row):
    if "voice" in row:
        return row["voice"]
    return next(voice for voice in plan.VOICES if voice["speaker"] == row["speaker"])


def phones(row):
    """The phones of a planned utterance without gaps, pauses as "sil": list of (start_ms, end_ms, label)."""
    found, time = [], 0
    for syllable in row["syllables"]:
        if syllable["start_ms"] > time:
            found.append((time, syllable["start_ms"], "sil"))
        found.append((syllable["start_ms"], syllable["vowel_ms"], syllable["onset"]))
        found.append((syllable["vowel_ms"], syllable["end_ms"], syllable["vowel"]))
        time = syllable["end_ms"]
    return [*found, (time, row["duration_ms"], "sil")]


def synthesise(row):
    """The sound of a planned utterance.

    Parameters
    ----------
    row : dict
        Of :func:`tone_plan.utterances` or :func:`tone_plan.training_utterances`.

    Returns
    -------
    int16 array of shape (n_samples,)
        16 kHz.
    """
    voice, n_ms = _voice(row), row["duration_ms"]
    rng = np.random.default_rng(list(f"{plan.SEED} {row['utterance_id']}".encode()))
    formants, level = np.empty((n_ms, source_filter.FORMANTS)), np.zeros(n_ms)
    dark, width = np.empty(n_ms), np.empty(n_ms)
    spoken = phones(row)
    for index, (start, end, label) in enumerate(spoken):
        # In a pause the tract is where the next phone wants it, after the last one where that left it.
        shape = PHONES[spoken[min(index + 1, len(spoken) - 2)][2] if label == "sil" else label]
        formants[start:end] = np.concatenate([shape[:3], source_filter.UPPER_HZ])
        dark[start:end], width[start:end] = shape[4:6]
        level[start:end] = 10 ** (PHONES[label][3] / 20)
    gain = np.ones(n_ms)
    for syllable in row["syllables"]:
        gain[syllable["start_ms"] : syllable["end_ms"]] = 10 ** (syllable["gain_db"] / 20)
    level = source_filter.eased(level * gain, LEVEL_MS)
    sound = source_filter.voiced(
        f0(row),
        voice["formants"] * source_filter.eased(formants, FORMANT_MS),
        source_filter.BANDWIDTH_HZ * source_filter.eased(width, LEVEL_MS)[:, None],
        level,
        source_filter.eased(dark, LEVEL_MS),
        voice["tilt_hz"],
    )
    sound += source_filter.noise(rng, _per_sample(level) * 10 ** (voice["breath_db"] / 20), 1500, 6000)
    for band, track in _bursts(spoken, gain).items():
        sound += source_filter.noise(rng, _per_sample(track), *band)
    sound = FULL * sound + ROOM * rng.standard_normal(len(sound))
    return (GRAIN * np.round(sound / GRAIN)).astype(np.int16)


def _bursts(spoken, gain):
    """Level of the stops' bursts per millisecond, for every band that is heard."""
    tracks = {}
    for _, end, label in spoken:
        if PHONES[label][6]:
            low, high, db = PHONES[label][6]
            at = slice(end - BURST_MS, end)
            tracks.setdefault((low, high), np.zeros(len(gain)))[at] = gain[at] * 10 ** (db / 20)
    return {band: source_filter.eased(tracks[band], 4) for band in sorted(tracks)}


def _per_sample(track):
    return np.interp(
        np.arange(len(track) * source_filter.STEP) / source_filter.STEP, np.arange(len(track)), track
    )


def segments(row):
    """Phones, syllables, tones and words of a planned utterance, rows of ``tables.SEGMENTS``."""
    name, found, words = row["utterance_id"], [], {}
    for start, end, label in phones(row):
        found.append(segment(name, "phone", start / 1000, end / 1000, label))
    for syllable in row["syllables"]:
        start_s, end_s = syllable["start_ms"] / 1000, syllable["end_ms"] / 1000
        label = plan.spelling((syllable["onset"], syllable["vowel"]))
        found.append(segment(name, "syllable", start_s, end_s, label))
        found.append(segment(name, "tone", start_s, end_s, str(syllable["tone"])))
        words.setdefault(syllable["word"], [start_s, end_s])[1] = end_s
    texts = row["text"].split()
    return found + [segment(name, "word", *times, texts[index]) for index, times in words.items()]


def pitch_segments(row):
    """Pitch of a planned utterance where it speaks: rows of ``tables.SEGMENTS``, tier `pitch`.

    The label is the pitch in the middle of 20 ms or more, in whole semitones re 100 Hz; neighbours of one
    label are one segment, so that a segment has at least one frame of an encoder.
    """
    semitones, found = 12 * np.log2(f0(row) / PITCH_HZ), []
    for silent, spoken in itertools.groupby(phones(row), lambda phone: phone[2] == "sil"):
        if silent:
            continue
        stretch = list(spoken)
        start, end = stretch[0][0], stretch[-1][1]
        last = None
        for first, then in itertools.pairwise([*range(start, end - PITCH_MS + 1, PITCH_MS), end]):
            label = f"{round(semitones[(first + then) * RATE_HZ // 2000]):+d}"
            if label == last:
                found[-1]["end_s"] = then / 1000
            else:
                found.append(segment(row["utterance_id"], "pitch", first / 1000, then / 1000, label))
            last = label
    return found


def truth(language):
    """What is known of a language by construction.

    Returns
    -------
    dict
        ``language``, ``seed``, ``labels_random``; ``stretch_s``, the duration centred at the syllable's
        centre that holds all of a tone (null in the control); ``u``, positions from -1 to 1 over the stretch;
        ``tones``, per label its ``name`` and its ``semitones`` re the carrier at ``u``.
    """
    spec = plan.LANGUAGES[language]
    u = np.linspace(-1, 1, SHAPE_STEPS)
    shapes = plan.SHAPES[spec["shapes"]] if spec["shapes"] else {}
    return {
        "language": language,
        "seed": plan.SEED,
        "labels_random": not shapes,
        "stretch_s": plan.STRETCH_MS[spec["stretch"]] / 1000 if shapes else None,
        "u": u.round(4).tolist(),
        "tones": {
            str(tone): {
                "name": shapes[tone][0] if shapes else None,
                "semitones": (contour(shapes[tone][1], u) if shapes else 0 * u).round(4).tolist(),
            }
            for tone in plan.TONES
        },
    }


def save(folder):
    """Synthesise all languages, each into a folder of its own (format `table`, and truth.json)."""
    for language in plan.LANGUAGES:
        target, rows = Path(folder) / language.lower(), plan.utterances(language)
        spoken = ((dict(row, shard=row["speaker"]), synthesise(row)) for row in rows)
        write(target, spoken, [part for row in rows for part in segments(row)], plan.SEED)
        text = json.dumps(truth(language), ensure_ascii=False, indent=1)
        (target / "truth.json").write_text(text + "\n", encoding="utf-8")


def assemble_training(folder, language, minutes, seed):
    """Write a corpus to train on, format `table`: new voices, and the shipped ones as split ``test``.

    Its segments have the tier `pitch` too, from which a front end can learn to hear it.

    Parameters
    ----------
    folder : path-like
    language : str
        A key of :data:`tone_plan.LANGUAGES`.
    minutes : float
        Of new voices, about: each says half a minute.
    seed : int
        Draws the voices and what they say.
    """
    count = max(2, round(minutes * 60 / VOICE_S))
    rows = plan.training_utterances(language, count, seed)
    spoken = ((row, synthesise(row)) for row in rows)
    write(folder, spoken, [part for row in rows for part in segments(row) + pitch_segments(row)], seed)
