"""The corpora that are planned in `ema_plan`: synthesis, sensor noise, and the folder that is shipped.

One utterance is one subprocess (:mod:`phonoscope.corpora.synthetic.ema_tract`), checked and tried again where
it crashes. Needs `vocaltractlab-cython`, which nothing else does; see the README of the corpus.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa

from phonoscope import tables
from phonoscope.corpora.synthetic import ema_tract
from phonoscope.corpora.synthetic.ema_languages import spelling
from phonoscope.corpora.synthetic.ema_plan import EMA_HZ, RATE_HZ, SENSORS, utterances
from phonoscope.corpora.synthetic.ema_speakers import SPEAKERS
from phonoscope.corpora.synthetic.folder import segment, write
from phonoscope.errors import InputError

GAIN = 4.0
ROOM_NOISE, SENSOR_NOISE_MM, DROPOUT_SHARE = 1e-4, 0.15, 0.2
ATTEMPTS, TIMEOUT_S = 3, 900
CHANNELS = [f"{sensor}_{axis}" for sensor in SENSORS for axis in "xz"]


def item(plan, utterance_id):
    """The utterance of that name in a plan (:class:`phonoscope.corpora.synthetic.ema_plan.Plan`).

    Raises
    ------
    InputError
        If the plan has none.
    """
    for row in utterances(plan):
        if row["utterance_id"] == utterance_id:
            return row
    raise InputError(f"is not in the plan of {plan.name}", row=utterance_id, fix="see ema_plan.utterances()")


def segments(row):
    """Phones and words of a planned utterance with their times, rows of ``tables.SEGMENTS``."""
    out, words, time_s = [], {}, 0.0
    name = row["utterance_id"]
    for part in row["segments"]:
        start, time_s = time_s, round(time_s + part["duration_s"], 4)
        out.append(segment(name, "phone", start, time_s, part["phone"] or "sil"))
        if part["phone"]:
            first = words.setdefault(part["word"], [start, time_s, ""])
            first[1], first[2] = time_s, first[2] + spelling([[part["phone"]]])
    return out + [segment(name, "word", *word) for word in words.values()]


def synthesise(plan, utterance_id):
    """One utterance as it was spoken and as it was recorded.

    Returns
    -------
    audio : int16 array of shape (samples,), 16 kHz
    ema_mm : float32 array of shape (n, 10), 100 Hz
        Channels in the order of :data:`CHANNELS`, mm, NaN where a sensor dropped out.

    Raises
    ------
    RuntimeError
        If no attempt gives sound and movement that pass :func:`check`.
    """
    row = item(plan, utterance_id)
    reasons = []
    for _ in range(ATTEMPTS):
        try:
            return recorded(row, **_spoken(row), dead=plan.dead)
        except (RuntimeError, OSError, subprocess.SubprocessError) as error:
            reasons.append(str(error))
    raise RuntimeError(f"{utterance_id}: {ATTEMPTS} attempts failed: {'; '.join(reasons)}")


def _speaker(row):
    return next(speaker for speaker in SPEAKERS if speaker["speaker"] == row["speaker"])


def _spoken(row):
    """Run the synthesiser in a process of its own; judge it by its file, since it may crash at exit."""
    speaker = _speaker(row)
    with tempfile.TemporaryDirectory() as folder:
        job, out = Path(folder) / "job.json", Path(folder) / "out.npz"
        job.write_text(json.dumps(dict(row, speaker=speaker, ema_hz=EMA_HZ)))
        program = [sys.executable, "-m", ema_tract.__name__, str(job), str(out)]
        root = Path(__file__).resolve().parents[3]
        done = subprocess.run(
            program, cwd=root, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
        if not out.is_file():
            raise RuntimeError(f"the synthesiser ended with {done.returncode}: {done.stderr[-500:]}")
        with np.load(out) as arrays:
            return {name: arrays[name] for name in arrays.files}


def recorded(row, audio, rate, ema_mm, dead=None):
    """What microphone and sensors made of an utterance: 16 kHz, noise, tilt, dropouts. See `synthesise`."""
    import soxr

    rng = np.random.default_rng(list(row["seed"].encode()))
    sound = GAIN * soxr.resample(np.asarray(audio, float), int(rate), RATE_HZ, quality="VHQ")
    check(row, sound, ema_mm)
    sound = sound + ROOM_NOISE * rng.standard_normal(len(sound))
    speaker = _speaker(row)
    angle = np.deg2rad(speaker["tilt_deg"])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = ema_mm @ turn.T + SENSOR_NOISE_MM * rng.standard_normal(ema_mm.shape)
    for sensor in range(points.shape[1]):
        if rng.random() < DROPOUT_SHARE:
            start = int(rng.random() * (len(points) - 20))
            points[start : start + 3 + int(12 * rng.random()), sensor] = np.nan
    if dead and row["utterance_id"] == dead[0]:
        points[:, SENSORS.index(dead[1])] = np.nan
    pcm = np.round(np.clip(sound, -1, 1) * 32767).astype(np.int16)
    return pcm, points.reshape(len(points), -1).astype(np.float32)


def check(row, sound, ema_mm):
    """Refuse an utterance that is broken, silent, clipped or of the wrong length.

    Raises
    ------
    RuntimeError
    """
    planned = sum(segment["duration_s"] for segment in row["segments"])
    length, moves = len(sound) / RATE_HZ, ema_mm.std(axis=0)
    faults = {
        "sound or sensors are not finite": not (np.isfinite(sound).all() and np.isfinite(ema_mm).all()),
        f"{length:.2f} s of sound, {planned:.2f} s planned": abs(length - planned) > 0.03,
        f"{len(ema_mm)} EMA samples": abs(len(ema_mm) / EMA_HZ - planned) > 0.03,
        "the sound is clipped": np.abs(sound).max() > 0.98,
        "the sound is silent": sound.std() < 0.007,
        "a sensor does not move or jumps": moves.min() < 0.1 or np.abs(np.diff(ema_mm, axis=0)).max() > 15,
    }
    if found := [fault for fault, is_so in faults.items() if is_so]:
        raise RuntimeError(f"{row['utterance_id']}: {', '.join(found)}")


def save(plan, utterance_id, path):
    """Synthesise one utterance of a plan into an .npz file (audio, ema_mm), moved into place."""
    audio, ema_mm = synthesise(plan, utterance_id)
    with tables.beside(path) as partial, partial.open("wb") as file:
        np.savez_compressed(file, audio=audio, ema_mm=ema_mm)


def assemble(plan, paths, folder):
    """Write the corpus folder (format `table`) from the files of :func:`save`.

    Parameters
    ----------
    plan : ema_plan.Plan
    paths : dict of str to path-like
        Per utterance_id its file.
    folder : path-like
        Gets recordings.parquet, segments.parquet, audio/*.flac and ema/{speaker}.parquet.
    """
    phones, ema = [], {}

    def spoken():
        for row in utterances(plan):
            name = row["utterance_id"]
            with np.load(paths[name]) as arrays:
                audio, ema_mm = arrays["audio"], arrays["ema_mm"]
            phones.extend(segments(row))
            ema.setdefault(row["speaker"], []).append(_ema(name, ema_mm))
            yield dict(row, shard=row["speaker"]), audio

    write(folder, spoken(), phones, plan.seed)
    for speaker, parts in ema.items():
        tables.write(
            pa.concat_tables(parts).combine_chunks(),
            Path(folder) / "ema" / f"{speaker}.parquet",
            rate=EMA_HZ,
            unit="mm",
            seed=plan.seed,
        )


def _ema(utterance_id, ema_mm):
    columns = {
        "utterance_id": pa.array([utterance_id] * len(ema_mm)),
        "time_s": pa.array(np.arange(len(ema_mm)) / EMA_HZ),
    }
    for index, channel in enumerate(CHANNELS):
        columns[channel] = pa.array(ema_mm[:, index].round(2), from_pandas=True)
    return pa.table(columns)
