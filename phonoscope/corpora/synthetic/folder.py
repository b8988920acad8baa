"""A synthetic corpus as a folder in the format `table` (:mod:`phonoscope.corpora.table`)."""

import hashlib
from pathlib import Path

from phonoscope import tables

RATE_HZ = 16000


def write_audio(path, audio):
    """Write 16 kHz, 16 bit, mono FLAC.

    Parameters
    ----------
    path : path-like
    audio : int16 array of shape (n_samples,)

    Returns
    -------
    dict
        ``audio_sha256``, ``duration_s`` and ``sample_rate`` for ``tables.UTTERANCES``.
    """
    import soundfile

    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, audio, RATE_HZ, subtype="PCM_16", format="FLAC", compression_level=1.0)
    return {
        "audio_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "duration_s": len(audio) / RATE_HZ,
        "sample_rate": RATE_HZ,
    }


def segment(utterance_id, tier, start_s, end_s, label, score=1.0):
    """A row of ``tables.SEGMENTS``."""
    return {
        "utterance_id": utterance_id,
        "tier": tier,
        "start_s": start_s,
        "end_s": end_s,
        "label": label,
        "score": score,
    }


def write(folder, utterances, segments, seed):
    """Write the audio, recordings.parquet and segments.parquet.

    Parameters
    ----------
    folder : path-like
    utterances : iterable of (dict, int16 array of shape (n_samples,))
        Rows of ``tables.UTTERANCES`` (columns that are absent stay null) with their sound at 16 kHz;
        taken one at a time.
    segments : list of dict
        Rows of ``tables.SEGMENTS``; read after the last utterance was taken.
    seed : int
        Goes into the provenance.
    """
    folder, recordings = Path(folder), []
    for row, audio in utterances:
        name = f"audio/{row['utterance_id']}.flac"
        kept = {key: row[key] for key in tables.UTTERANCES.names if key in row}
        recordings.append({**kept, "audio": name, **write_audio(folder / name, audio)})
    for name, rows, schema in (
        ("recordings", recordings, tables.UTTERANCES),
        ("segments", segments, tables.SEGMENTS),
    ):
        tables.write(tables.from_rows(rows, schema), folder / f"{name}.parquet", seed=seed)
