"""One utterance through VocalTractLab, in a process of its own: `python -m ... JOB.json OUT.npz`.

The synthesiser keeps global state and can crash when its process exits, so this module is only ever run as
a program (:mod:`phonoscope.corpora.synthetic.ema` starts it), and it leaves without clean-up once its file is
written. VocalTractLab's coordinates are in cm, x to the front, y up, origin above the back of the palate.
"""

import json
import os
import re
import sys
import tempfile
from pathlib import Path

import numpy as np

TONGUE, UPPER_LIP, LOWER_LIP = 16, 4, 5
# Cross-sections of the tongue beyond this one turn around the tip, which is 1.1 cm further on.
LAST_UPPER_RIB, TIP_BEYOND_CM, LIP_POINT = 30, 1.1, 7
F0, PRESSURE, LOWER_GAP, UPPER_GAP, CHINK, ASPIRATION = 0, 1, 2, 3, 4, 10
# Columns of a tract state that are points (x, y), per point.
_POINTS = {"tongue body": (8, 9), "tip": (10, 11), "blade": (12, 13), "root": (14, 15)}
_HYOID_Y, _JAW_X, _LIP_DISTANCE, _SIDES = 1, 2, 5, slice(16, 19)
_MOLARS_L, _MOLARS_U, _MANDIBLE, _PALATE_H, _PALATE_D, _HARD, _SOFT, _PHARYNX = 2, 3, 1, 4, 5, 6, 7, 8


def adapted(states, reference, anatomy):
    """Tract states of one anatomy moved to another by scaling along its landmarks.

    Horizontally, what lies before the palate's back edge scales with the hard palate and what lies behind
    it with the soft palate. Vertically, distances from the palate's top scale with the pharynx at the back
    and with palate, molars and mandible at the front, blended linearly between (the transformation of
    VocalTractLab's anatomy parameters; Birkholz and Kröger, ISSP 2006).

    Parameters
    ----------
    states : array of shape (n, 19)
    reference, anatomy : array of shape (13,)
        Anatomy parameters of the states and of the wanted tract, cm.

    Returns
    -------
    array of shape (n, 19)
    """
    old, new = np.asarray(reference, float), np.asarray(anatomy, float)
    ratio = new / old
    front = sum(new[i] for i in (_PALATE_H, _MOLARS_U, _MOLARS_L, _MANDIBLE))
    front /= sum(old[i] for i in (_PALATE_H, _MOLARS_U, _MOLARS_L, _MANDIBLE))
    out = np.array(states, float)

    def moved(x, y):
        share = np.clip((x + old[_SOFT]) / (old[_SOFT] + old[_HARD]), 0, 1)
        scale = (1 - share) * ratio[_PHARYNX] + share * front
        return np.where(x < 0, ratio[_SOFT], ratio[_HARD]) * x, new[_PALATE_H] + (y - old[_PALATE_H]) * scale

    for x, y in _POINTS.values():
        out[:, x], out[:, y] = moved(states[:, x], states[:, y])
    out[:, _HYOID_Y] = moved(np.zeros(len(out)), states[:, _HYOID_Y])[1]
    out[:, _JAW_X] *= (new[_HARD] + new[_SOFT]) / (old[_HARD] + old[_SOFT])
    out[:, _LIP_DISTANCE] *= ratio[_PHARYNX]
    out[:, _SIDES] *= ratio[_PALATE_D]
    return out


def contour(segments, prosody, f0_hz, pitch_range, times, rng):
    """Fundamental frequency in Hz: declination in every phrase, accents, final fall or rise, slow drift."""
    ends = np.cumsum([segment["duration_s"] for segment in segments])
    starts = ends - [segment["duration_s"] for segment in segments]
    semitones = np.zeros(len(times))
    pauses = [i for i, segment in enumerate(segments) if not segment["phone"]]
    for left, right in zip(pauses, pauses[1:], strict=False):
        begin, end = ends[left], starts[right]
        inside = (times >= begin - 0.05) & (times < starts[right] + 0.1)
        semitones[inside] += 1.5 - 3.0 * np.clip((times[inside] - begin) / (end - begin), 0, 1)
        accents = [
            i for i in range(left, right) if segments[i]["accent"] and segments[i]["phone"] in "aiueo@EOy2"
        ]
        for i in accents:
            height = (3.2 if prosody == "initial" else 2.4) * (0.8 + 0.4 * rng.random())
            centre = starts[i] + (0.35 if prosody == "initial" else 0.9) * (ends[i] - starts[i])
            semitones += height * np.exp(-0.5 * ((times - centre) / 0.07) ** 2)
        tail = np.clip((times - (end - 0.25)) / 0.25, 0, 1) * (times < end + 0.1)
        semitones += (-2.5 if prosody == "initial" else 2.0) * tail
    for rate_hz in (0.7, 2.3, 5.1):
        semitones += 0.25 * np.sin(2 * np.pi * (rate_hz * times + rng.random()))
    step = times[1] - times[0]
    kernel = np.exp(-0.5 * (np.arange(-0.06, 0.06, step) / 0.02) ** 2)
    padded = np.pad(semitones * pitch_range, len(kernel), mode="edge")
    smooth = np.convolve(padded, kernel / kernel.sum(), mode="same")[len(kernel) : -len(kernel)]
    return f0_hz * 2 ** (smooth / 12)


def breath(segments, times):
    """Lung pressure as a share of full: nothing in pauses, with ramps of 50 ms (the score keeps it up)."""
    ends = np.cumsum([segment["duration_s"] for segment in segments])
    share = np.ones(len(times))
    for end, segment in zip(ends[:-1], segments[:-1], strict=True):
        if not segment["phone"] and end > segments[0]["duration_s"] + 1e-6:
            begin = end - segment["duration_s"]
            inside = np.clip(np.minimum(times - (begin - 0.02), end + 0.015 - times) / 0.05, 0, 1)
            share *= 0.5 + 0.5 * np.cos(np.pi * inside)
    return share


def voice_file(source, f0_hz, fold_length_cm, target):
    """Write a speaker file whose glottis rests at the speaker's own f0 and fold length."""
    text = Path(source).read_text()
    for name, value in {"RF0": f0_hz, "RL": fold_length_cm}.items():
        text = re.sub(rf'(name="{name}"[^>]*neutral=")[^"]*', rf"\g<1>{value:.6f}", text, count=1)
    Path(target).write_text(text)


def motor_states(segments, folder):
    """Glottis (n, 11) and tract (n, 19) states of the reference tract, by VocalTractLab's gestural score."""
    import vocaltractlab_cython as vtl

    lines, previous = [], None
    for segment in segments:
        line = f"name = {segment['phone']}; duration_s = {segment['duration_s']:.4f};"
        if segment["phone"] and segment["syllable"] != previous:
            line += " start_of_syllable = 1;"
        previous = segment["syllable"]
        lines.append(line)
    score = {end: str(Path(folder) / f"score.{end}") for end in ("seg", "ges", "tract")}
    Path(score["seg"]).write_text("\n".join(lines) + "\n")
    vtl.phoneme_file_to_gesture_file(score["seg"], score["ges"])
    vtl.gesture_file_to_motor_file(score["ges"], score["tract"])
    rows = [line.split() for line in Path(score["tract"]).read_text().splitlines() if line[:1] != "#"][2:]
    return np.array(rows[0::2], float), np.array(rows[1::2], float)


def _along(line, distances):
    """Points at `distances` (cm) along a polyline of shape (n, 2), from its first point."""
    arc = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    return np.stack([np.interp(distances, arc, line[:, i]) for i in (0, 1)], axis=1)


def sensors(tract, points_cm):
    """Mid-sagittal positions of TT, TB, TD, UL and LL in mm, shape (n, 5, 2): x to the front, z up."""
    import vocaltractlab_cython as vtl

    out = np.empty((len(tract), 5, 2))
    for i, state in enumerate(tract):
        tongue = vtl.get_surface_vertices(state, TONGUE)
        middle = tongue[: LAST_UPPER_RIB + 1, tongue.shape[1] // 2, :2]
        out[i, :3] = _along(middle[::-1], np.asarray(points_cm) - TIP_BEYOND_CM)
        for row, surface in ((3, UPPER_LIP), (4, LOWER_LIP)):
            out[i, row] = vtl.get_surface_vertices(state, surface)[-1, LIP_POINT, :2]
    return 10 * out


def synthesise(job, folder):
    """Audio at 44.1 kHz and sensor positions at `ema_hz` of one job (a dict, see the caller).

    Returns
    -------
    dict of arrays
        audio (samples,), rate (), ema_mm (n, 5, 2).
    """
    import vocaltractlab_cython as vtl
    from vocaltractlab_cython.VocalTractLabApi import _initialize

    speaker, segments = job["speaker"], job["segments"]
    voice = str(Path(folder) / "voice.speaker")
    voice_file(vtl.speaker_path(), speaker["f0_hz"], 1.6 if speaker["sex"] == "m" else 1.2, voice)
    _initialize(voice)
    glottis, tract = motor_states(segments, folder)
    constants = vtl.get_constants()
    step = constants["n_samples_per_state"] / constants["sr_audio"]
    times = np.arange(len(tract)) * step
    rng = np.random.default_rng(list(job["seed"].encode()))
    glottis[:, F0] = contour(segments, job["prosody"], speaker["f0_hz"], speaker["pitch_range"], times, rng)
    glottis[:, PRESSURE] *= speaker["pressure"] * breath(segments, times)
    glottis[:, [LOWER_GAP, UPPER_GAP]] += speaker["breathiness_cm"]
    glottis[:, CHINK] += 4 * speaker["breathiness_cm"]
    glottis[:, ASPIRATION] = np.minimum(glottis[:, ASPIRATION] + speaker["aspiration_db"], 0)
    reference = vtl.get_anatomy_params()
    vtl.set_anatomy_params(np.array(speaker["anatomy"]))
    tract = adapted(tract, reference, vtl.get_anatomy_params())
    at = np.arange(0, times[-1], 1 / job["ema_hz"])
    sampled = np.stack([np.interp(at, times, column) for column in tract.T], axis=1)
    ema = sensors(sampled, speaker["points_cm"])
    return {"audio": vtl.synth_block(tract, glottis), "rate": np.array(constants["sr_audio"]), "ema_mm": ema}


def main(job_path, out_path):
    """Read the job, synthesise, write the arrays, and leave at once."""
    with tempfile.TemporaryDirectory() as folder:
        arrays = synthesise(json.loads(Path(job_path).read_text()), folder)
    np.savez(out_path, **arrays)
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
