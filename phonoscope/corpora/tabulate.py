"""Recordings of a shard to the utterance and segment tables."""

from phonoscope import tables
from phonoscope.corpora import labels, readers, recordings
from phonoscope.errors import InputError


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
        try:
            rows = _segments(recording, corpus.get("tiers") or TIERS)
        except InputError as error:
            # A recording without its labels can still be scored.
            where = {"utterance_id": recording.utterance_id, "speaker": recording.speaker}
            notes.add(
                "warning",
                f"no segments: {error.message}",
                fix=error.fix or "",
                file=str(error.path or recording.file),
                **where,
            )
            rows = []
        segments += [{"utterance_id": recording.utterance_id, **row} for row in rows]
    return (
        tables.from_rows(utterances, tables.UTTERANCES),
        tables.from_rows(segments, tables.SEGMENTS),
        notes.table(),
    )


# The level that emuR and WebMAUS exports of phones are usually kept in.
TIERS = {"phone": "Segment"}


def _segments(recording, tiers):
    """Rows of segments from a label file, or from the recording's EMA file where its format has them."""
    if recording.phones:
        return labels.read(recording.phones, tiers)
    module = readers.reader(recording.settings["reader"])
    if not (recording.ema and hasattr(module, "segments")):
        return []
    return module.segments(recording.ema, **recording.inside)
