"""Audio files to mono float32, with what had to be changed on the way."""

import base64
import hashlib
import io
import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from phonoscope.errors import ChangedError, InputError

_EXPECTED_RATE = 16000
# Hz that recordings have; a file with another one would be resampled to any length.
_RATES = (1000, 1_000_000)
# Full scale is 1; files of floats on the scale of 32-bit integers are let pass.
_LOUDEST = 2.0**31
# libsndfile's number of frames where a file does not say.
_UNKNOWN = 2**62
# libsndfile finds MPEG frames in many a file that is none.
_MPEG = (".mp1", ".mp2", ".mp3", ".mpga")
# Samples per byte beyond which a header is not believed, and how many are then read at a time.
_PLAUSIBLE, _BLOCK = 64, 2**20


@dataclass(frozen=True)
class AudioInfo:
    """What is known of an audio file: length, rate, channels, SHA-256 of its bytes, notes."""

    duration_s: float
    sample_rate: int
    channels: int
    sha256: str
    notes: tuple


def load(path, rate=_EXPECTED_RATE, sha256=None):
    """Decode an audio file to one channel at ``rate``.

    Parameters
    ----------
    path : path-like
        Anything libsndfile reads, or an EMU ``*_bndl.json`` with the audio inside.
    rate : int
        Sampling rate of the result in Hz.
    sha256 : str, optional
        What the table of utterances says of the file's bytes.

    Returns
    -------
    samples : array of shape (n_samples,), float32
    notes : list of str
        What was converted: channels averaged, a rate below ``rate`` raised.

    Raises
    ------
    InputError
        If the file is missing, cannot be decoded, is empty, or holds NaN or infinite samples. A
        :class:`ChangedError` where it is not the file that ``sha256`` is of.
    """
    samples, file_rate, _ = _decode(path, sha256)
    notes = _notes(samples.shape[1], file_rate, rate)
    mono = samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1)
    if file_rate != rate:
        import soxr

        mono = soxr.resample(mono, file_rate, rate)
    return np.ascontiguousarray(mono, dtype=np.float32), notes


def probe(path):
    """Length, rate and digest of an audio file; decodes it whole, so what it passes can be loaded.

    Returns
    -------
    AudioInfo

    Raises
    ------
    InputError
        As :func:`load`.
    """
    samples, file_rate, data = _decode(path)
    return AudioInfo(
        duration_s=len(samples) / file_rate,
        sample_rate=file_rate,
        channels=samples.shape[1],
        sha256=hashlib.sha256(data).hexdigest(),
        notes=tuple(_notes(samples.shape[1], file_rate, _EXPECTED_RATE)),
    )


def _notes(channels, file_rate, rate):
    notes = []
    if channels > 1:
        notes.append(f"{channels} audio channels averaged to one")
    if file_rate < rate:
        notes.append(f"audio of {file_rate} Hz raised to {rate} Hz: nothing above {file_rate / 2:g} Hz")
    return notes


def _bytes(path, sha256):
    # What was listed before was there and could be read.
    kind = ChangedError if sha256 else InputError
    if not os.path.isfile(path):
        raise kind("there is no such audio file", path=path, fix="check `files: audio` and the file's name")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise kind(f"the audio cannot be read ({error})", path=path, fix="check its permissions") from error
    if sha256 and hashlib.sha256(data).hexdigest() != sha256:
        raise ChangedError(
            "the audio was damaged or changed since its table was made", path=path,
            fix="copy it again; or, to use it as it now is, run snakemake with `--force` and no target but "
            "the table of its shard, results/<corpus>/utterances/<shard>.parquet, and then as before",
        )  # fmt: skip
    return data


def _decode(path, sha256=None):
    import soundfile

    path = Path(path)
    data = _bytes(path, sha256)
    sound = _bundle_audio(path, data) if path.suffix == ".json" else data
    try:
        with soundfile.SoundFile(io.BytesIO(sound)) as file:
            kind, rate, promised = file.format, file.samplerate, file.frames
            samples = _read(file, len(sound))
    except (soundfile.LibsndfileError, RuntimeError, TypeError) as error:
        # Not the whole message: it holds the address of the buffer, which differs at every run.
        reason = getattr(error, "error_string", None) or type(error).__name__
        raise InputError(
            f"the audio cannot be decoded ({reason})", path=path, fix="export it again as WAV or FLAC"
        ) from error
    if kind == "MP3" and path.suffix.lower() not in _MPEG:
        raise InputError(
            "the header is damaged: the file could only be taken for MPEG audio", path=path, row="header",
            fix="copy the file again; name it .mp3 if that is what it is",
        )  # fmt: skip
    if not len(samples):
        raise InputError("the audio is empty", path=path, fix="remove the recording or export it again")
    if len(samples) < promised < _UNKNOWN:
        raise InputError(
            f"the audio ends after {len(samples)} of {promised} samples", path=path, fix="copy the file again"
        )
    if not _RATES[0] <= rate <= _RATES[1]:
        raise InputError(
            f"audio of {rate} samples per second makes no sense", path=path, row="header",
            fix="export it again as WAV or FLAC",
        )  # fmt: skip
    bad = ~(np.abs(samples) <= _LOUDEST).all(axis=1)
    if bad.any():
        first = int(bad.argmax())
        raise InputError(
            f"{int(bad.sum())} audio samples are NaN, infinite or beyond any scale",
            path=path,
            row=f"sample {first} ({first / rate:.3f} s)",
            fix="export the audio again from its source",
        )
    return samples, rate, data


def _read(file, size):
    """All samples of an open file of ``size`` bytes, in memory for what is there, not what is promised."""
    if file.frames * file.channels <= _PLAUSIBLE * size:
        return file.read(dtype="float32", always_2d=True)
    blocks = [np.empty((0, file.channels), np.float32)]
    while len(block := file.read(max(1, _BLOCK // file.channels), dtype="float32", always_2d=True)):
        blocks.append(block.copy() if len(block) < _BLOCK // file.channels else block)
    return np.concatenate(blocks)


def _bundle_audio(path, data):
    try:
        media = json.loads(data)["mediaFile"]
        if media["encoding"] != "BASE64":
            raise ValueError(f"its encoding is {media['encoding']}")
        return base64.b64decode(media["data"], validate=True)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(
            f"no audio in the bundle ({error})",
            path=path,
            row="mediaFile",
            fix="export the bundle with its media file as BASE64",
        ) from error
