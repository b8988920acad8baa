"""Speech from espeak-ng, with the times of its phones and words to the sample.

Needs `espeakng-loader` (GPL), which only the making of corpora and training speech needs. The synthesiser
keeps state from one utterance to the next, so that the same text sounds different the second time. Utterances
are therefore spoken in a program of its own (`python -m phonoscope.corpora.synthetic.espeak`) that forks a
fresh process for each: then the sound follows from the request alone, for every voice variant without breath.
"""

import ctypes
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from phonoscope.corpora.synthetic.folder import RATE_HZ
from phonoscope.errors import InputError

LEAD_S = 0.1
GAIN = 0.3
BATCH = 64
# From speak_lib.h: events that matter, parameters, flags.
WORD, PHONEME = 1, 7
RATE, PITCH, RANGE = 1, 3, 4
RETRIEVAL, PHONEME_EVENTS, PHONEME_IPA, UTF8 = 1, 0x1, 0x2, 1
# Stress, and a mark of fronting that is not IPA.
MARKS = str.maketrans("", "", 'ˈˌ"')
PALATALISED = "ʲ"


@dataclass(frozen=True)
class Speech:
    """What was spoken.

    Attributes
    ----------
    audio : int16 array of shape (n_samples,)
        At 16 kHz, after ``LEAD_S`` seconds of silence.
    phones : list of (float, float, str)
        Start and end in seconds, IPA without stress; ``sil`` in pauses; without gaps.
    words : list of (float, float, str)
        Start and end in seconds, as it is written.
    """

    audio: np.ndarray
    phones: list
    words: list


def speak(requests, gain=GAIN):
    """Speak, in order.

    Parameters
    ----------
    requests : iterable of dict
        ``voice`` (language+variant, as in ``fi+m3``), ``text``, ``rate`` (words per minute), ``pitch`` and
        ``range`` (0 to 99).
    gain : float
        Of the sound.

    Yields
    ------
    Speech

    Raises
    ------
    InputError
        Where espeakng-loader is absent, or a voice is not known.
    """
    import soxr

    requests = list(requests)
    for first in range(0, len(requests), BATCH):
        batch = requests[first : first + BATCH]
        for request, (rate, sound, events) in zip(batch, _run(batch), strict=True):
            audio = soxr.resample(sound.astype(np.float64), rate, RATE_HZ, quality="HQ") * gain
            audio = np.concatenate([np.zeros(int(LEAD_S * RATE_HZ)), audio])
            phones, words = times(events, request["text"], len(sound), rate)
            yield Speech(np.clip(np.rint(audio), -32768, 32767).astype(np.int16), phones, words)


def _run(requests):
    """Per request: sampling rate, int16 sound, events."""
    program = [sys.executable, "-m", "phonoscope.corpora.synthetic.espeak"]
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        program, cwd=root, input=json.dumps(requests).encode(), capture_output=True, check=False
    )
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
        raise InputError(
            f"espeak-ng did not speak: {lines[-1]}",
            fix="install espeakng-loader, and use a voice that it has",
        )
    out, position = [], 0
    while position < len(done.stdout):
        end = done.stdout.index(b"\n", position)
        head = json.loads(done.stdout[position:end])
        position = end + 1 + 2 * head["samples"]
        out.append((head["rate"], np.frombuffer(done.stdout[end + 1 : position], "<i2"), head["events"]))
    return out


def times(events, text, n_samples, rate):
    """Phones and words with their times, from the synthesiser's events.

    Parameters
    ----------
    events : list of (type, position in the text from 1, length, sample, label)
    text : str
    n_samples, rate : int
        Of the sound as synthesised, without the lead.

    Returns
    -------
    phones, words : as in :class:`Speech`
    """
    marks = [(sample, position, label.translate(MARKS)) for kind, position, _, sample, label in events
             if kind == PHONEME]  # fmt: skip
    spelled = {position: text[position - 1 : position - 1 + length]
               for kind, position, length, _, _ in events if kind == WORD}  # fmt: skip
    starts = [0.0, *(LEAD_S + sample / rate for sample, _, _ in marks)]
    ends = [*starts[1:], LEAD_S + n_samples / rate]
    phones, words = [], {}
    for start, end, (_, position, label) in zip(starts, ends, [(0, 0, ""), *marks], strict=True):
        start, end, label = round(start, 5), round(end, 5), label or "sil"
        if end <= start:
            continue
        if phones and phones[-1][2] == label == "sil":
            phones[-1] = (phones[-1][0], end, "sil")
        elif phones and label == PALATALISED:
            # The off-glide of the consonant before it.
            phones[-1] = (phones[-1][0], end, phones[-1][2] + label)
        else:
            phones.append((start, end, label))
        if label != "sil" and position in spelled:
            words[position] = (words.get(position, (start,))[0], end, spelled[position])
    return phones, list(words.values())


class _Id(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    ]


def _say(request):
    """In a fresh process: load the synthesiser, speak once, return the bytes for the parent."""
    import espeakng_loader

    library = ctypes.CDLL(str(espeakng_loader.get_library_path()))
    data = str(espeakng_loader.get_data_path()).encode()
    rate = library.espeak_Initialize(RETRIEVAL, 0, data, PHONEME_EVENTS | PHONEME_IPA)
    sound, events = [], []

    @ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))
    def take(samples, count, event):
        if samples and count > 0:
            sound.append(ctypes.string_at(samples, 2 * count))
        index = 0
        while event[index].type:
            each = event[index]
            label = each.id.string.decode(errors="replace") if each.type == PHONEME else ""
            events.append((each.type, each.text_position, each.length, each.sample, label))
            index += 1
        return 0

    library.espeak_SetSynthCallback(take)
    # A variant that it does not know is left out without a word.
    variant = Path(data.decode()) / "voices" / "!v" / request["voice"].partition("+")[2]
    if not variant.exists():
        raise SystemExit(f"there is no variant {variant.name}")
    if library.espeak_SetVoiceByName(request["voice"].encode()):
        raise SystemExit(f"there is no voice {request['voice']}")
    for parameter, key in ((RATE, "rate"), (PITCH, "pitch"), (RANGE, "range")):
        library.espeak_SetParameter(parameter, int(request[key]), 0)
    text = request["text"].encode() + b"\0"
    library.espeak_Synth(text, len(text), 0, 1, 0, UTF8, None, None)
    library.espeak_Synchronize()
    sound = b"".join(sound)
    return json.dumps({"rate": rate, "samples": len(sound) // 2, "events": events}).encode() + b"\n" + sound


def main():
    """Read requests as JSON, write per request a line of JSON and the sound."""
    out = sys.stdout.fileno()
    for request in json.load(sys.stdin):
        child = os.fork()
        if not child:
            answer = memoryview(_say(request))
            while answer:
                answer = answer[os.write(out, answer) :]
            os._exit(0)
        if os.waitpid(child, 0)[1]:
            raise SystemExit(f"there is no sound for {request['voice']}: {request['text']}")


if __name__ == "__main__":
    main()
