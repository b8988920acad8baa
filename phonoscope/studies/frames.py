"""Hidden states and EMA of one speaker, frame by frame: where the tables of a layer meet."""

from dataclasses import dataclass

import numpy as np

from phonoscope import embeddings as store
from phonoscope import tables
from phonoscope.encoders.timebase import Timebase
from phonoscope.errors import InputError
from phonoscope.studies.shards import check_one_model

# Hidden states kept in memory from one reading to the next; what is beyond that is read again.
KEEP_BYTES = 3 << 29


@dataclass(frozen=True)
class SpeakerFrames:
    """What one speaker said, as one layer and the sensors saw it.

    Attributes
    ----------
    speaker, native_language : str
    x : float32 array of shape (n_frames, n_features)
    y : float64 array of shape (n_frames, n_channels)
        NaN where a channel is not valid.
    utterance : integer array of shape (n_frames,)
        Index into ``utterance_ids``.
    utterance_ids : list of str
    attributes : dict
        utterance index -> (task, condition)
    time_s : float64 array of shape (n_frames,)
        Centre of the frame in its recording.
    hop_s : float
    """

    speaker: str
    native_language: str
    x: np.ndarray
    y: np.ndarray
    utterance: np.ndarray
    utterance_ids: list
    attributes: dict
    time_s: np.ndarray
    hop_s: float


class Corpus:
    """The speakers of a corpus with one layer's hidden states, read shard by shard as they are asked for.

    Parameters
    ----------
    utterances, articulation, embeddings : lists of path
        One per shard, in the same order.
    alignment : {"time", "index"}
        ``time`` interpolates EMA at the encoder's frame centres. ``index`` pairs the i-th EMA sample
        with the i-th frame and cuts to the shorter, as published; EMA must then be at the frame rate.
    """

    def __init__(self, utterances, articulation, embeddings, alignment="time"):
        self._embeddings, self._alignment = list(embeddings), alignment
        check_one_model(self._embeddings)
        self._kept, self._room = {}, KEEP_BYTES
        self._utterances = [tables.read(path).to_pylist() for path in utterances]
        self._articulation = list(articulation)
        self.channels, self.scale = [], {}
        for path in self._articulation:
            about = tables.provenance(tables.schema(path))
            self.channels += [c for c in about["channels"] if c not in self.channels]
            self.scale.update(about["scale"])
        self.speakers = list(dict.fromkeys(row["speaker"] for shard in self._utterances for row in shard))

    def __iter__(self):
        """Yield the SpeakerFrames of every speaker that has frames with EMA."""
        for shard in range(len(self._embeddings)):
            if shard in self._kept:
                yield from self._kept[shard]
                continue
            read = []
            for frames in self._shard(shard):
                yield frames
                if self._room >= frames.x.nbytes:
                    read.append(frames)
                self._room -= frames.x.nbytes
            if self._room >= 0:
                self._kept[shard] = read

    def _shard(self, shard):
        tracks = read_tracks(self._articulation[shard], self.channels)
        # A recording may have been left out for its EMA, or for being too short for the encoder.
        usable = tracks.keys() & set(store.utterance_ids(self._embeddings[shard]))
        by_speaker = {}
        for row in self._utterances[shard]:
            if row["utterance_id"] in usable:
                by_speaker.setdefault(row["speaker"], []).append(row)
        for speaker, spoken in by_speaker.items():
            yield self._frames(speaker, spoken, tracks, self._embeddings[shard])

    def _frames(self, speaker, rows, tracks, path):
        ids = [row["utterance_id"] for row in rows]
        layer = store.read(path, utterances=ids)
        base = Timebase(layer.provenance["hop_s"], layer.provenance["offset_s"])
        # The store numbers utterances in its own order; ours is that of the utterances table.
        own = {name: index for index, name in enumerate(ids)}
        utterance = np.array([own[name] for name in layer.utterance_ids])[layer.utterance]
        time_s = base.offset_s + base.hop_s * layer.frame
        y = np.full((len(utterance), len(self.channels)), np.nan)
        for index, name in enumerate(ids):
            at = np.flatnonzero(utterance == index)
            track = tracks[name]
            if self._alignment == "index":
                _check_rate(track, base.hop_s, name, path)
                keep = at[layer.frame[at] < len(track.values)]
                y[keep] = track.values[layer.frame[keep]]
            else:
                y[at] = track.at(time_s[at])
        return SpeakerFrames(
            speaker,
            rows[0]["native_language"],
            layer.values,
            y,
            utterance,
            ids,
            {index: (row["task"], row["condition"]) for index, row in enumerate(rows)},
            time_s,
            base.hop_s,
        )


@dataclass(frozen=True)
class Track:
    """EMA of one recording: ``time_s`` of shape (n_samples,), ``values`` (n_samples, n_channels)."""

    time_s: np.ndarray
    values: np.ndarray

    def at(self, times):
        """Linear interpolation at ``times``; NaN more than half a sample outside the recording."""
        if not len(self.time_s):
            return np.full((len(times), self.values.shape[1]), np.nan)
        half = 0.5 * (self.time_s[1] - self.time_s[0]) if len(self.time_s) > 1 else 0.0
        inside = (times >= self.time_s[0] - half) & (times <= self.time_s[-1] + half)
        out = np.column_stack([np.interp(times, self.time_s, channel) for channel in self.values.T])
        out[~inside] = np.nan
        return out


def read_tracks(path, channels):
    """EMA of a shard as a dict utterance_id -> Track, with the columns ``channels``; NaN where null."""
    table = tables.read(path)
    names = table["utterance_id"].combine_chunks()
    ids, codes = names.dictionary.to_pylist(), tables.numbers(names.indices)
    time_s = tables.numbers(table["time_s"])
    missing = np.full(len(table), np.nan)
    values = (
        np.column_stack(
            [tables.numbers(table[c]).astype(float) if c in table.column_names else missing for c in channels]
        )
        if len(table)
        else np.empty((0, len(channels)))
    )
    return {ids[code]: Track(time_s[codes == code], values[codes == code]) for code in np.unique(codes)}


def _check_rate(track, hop_s, name, path):
    if len(track.time_s) > 1 and abs(track.time_s[1] - track.time_s[0] - hop_s) > 1e-6:
        raise InputError(
            f"EMA at {1 / (track.time_s[1] - track.time_s[0]):.0f} Hz cannot be paired with frames at "
            f"{1 / hop_s:.0f} Hz by index",
            path=path,
            row=name,
            fix=f"set articulation.rate to {1 / hop_s:.0f}, or articulation.frame_alignment to time",
        )
