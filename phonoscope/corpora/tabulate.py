"""Recordings of a shard to the utterance and segment tables."""

from pathlib import Path

from phonoscope import tables
from phonoscope.corpora import labels, recordings


def tabulate(corpus, speakers, shard):
    """List a shard's recordings and their segments.

    Parameters
    ----------
    corpus : dict
        A block of ``corpora`` in the config, with its ``name``.
    speakers : list of dict
        The rows of the speaker sheet that belong to this shard (``shards.speakers_of``); empty for
        a corpus without speakers.
    shard : str

    Returns
    -------
    utterances, segments, notes : pyarrow.Table
        Of the schemas ``tables.UTTERANCES``, ``tables.SEGMENTS`` and ``tables.NOTES``. What is not
        known of a recording is an empty string.

    Raises
    ------
    InputError
        For recordings that cannot be used, unless the corpus says ``on_error: skip``.
    """
    found, notes = recordings.usable(corpus, speakers, shard)
    utterances, segments = [], []
    for recording, info in found:
        utterances.append(
            {
                "utterance_id": recording.utterance_id,
                "audio": recording.audio,
                "audio_sha256": info.sha256,
                "duration_s": info.duration_s,
                "sample_rate": info.sample_rate,
                "speaker": recording.speaker,
                "shard": shard,
                **recording.fields,
            }
        )
        if recording.phones:
            with notes.guard(utterance_id=recording.utterance_id, speaker=recording.speaker):
                for tier, start, end, label in labels.read(recording.phones, corpus.get("tiers") or TIERS):
                    segments.append(_segment(recording, tier, start, end, label))
    if any(recording.settings["reader"] == "table" for recording, _ in found):
        kept = {recording.utterance_id for recording, _ in found}
        segments += _shipped_segments(corpus, kept)
    return (
        tables.from_rows(utterances, tables.UTTERANCES),
        tables.from_rows(segments, tables.SEGMENTS),
        notes.table(),
    )


# The level that emuR and WebMAUS exports of phones are usually kept in.
TIERS = {"phone": "Segment"}


def _segment(recording, tier, start, end, label):
    return {
        "utterance_id": recording.utterance_id,
        "tier": tier,
        "start_s": start,
        "end_s": end,
        "label": label,
        "score": None,
    }


def _shipped_segments(corpus, kept):
    path = Path(corpus["path"]) / "segments.parquet"
    if not path.is_file():
        return []
    return [row for row in tables.read(path).to_pylist() if row["utterance_id"] in kept]
