"""Which phone is spoken at a frame, and which stand before and after it."""

from dataclasses import dataclass

import numpy as np

from phonoscope import tables
from phonoscope.errors import InputError

TIER = "phone"
NONE = -1


class NoPhones(InputError):
    """A corpus has no phone segments."""


@dataclass(frozen=True)
class Spoken:
    """Phones of one utterance in order of time.

    Attributes
    ----------
    start_s, end_s : arrays of shape (n_segments,)
    code : integer array of shape (n_segments,)
        Index into the labels; ``NONE`` for silence.
    """

    start_s: np.ndarray
    end_s: np.ndarray
    code: np.ndarray

    def at(self, time_s):
        """The phone at some times, the one before it and the one after it.

        Parameters
        ----------
        time_s : array of shape (n_frames,)

        Returns
        -------
        integer array of shape (n_frames, 3)
            ``NONE`` where there is none: outside of all segments, in silence, next to either.
        """
        index = np.searchsorted(self.start_s, time_s, side="right") - 1
        inside = (index >= 0) & (time_s < self.end_s[index]) & (self.code[index] != NONE)
        padded = np.r_[NONE, self.code, NONE]
        around = padded[index[:, None] + [1, 0, 2]]
        return np.where(inside[:, None], around, NONE)


@dataclass(frozen=True)
class Phones:
    """Phones of a corpus.

    Attributes
    ----------
    labels : list of str
        Distinct phones, sorted, without silence.
    spoken : dict of str to Spoken
        By utterance; those without any phone are not in it.
    """

    labels: list
    spoken: dict

    def at(self, utterance_ids, utterance, time_s, spoken=None):
        """The phone at each frame of a speaker, and its neighbours, as :meth:`Spoken.at` gives them.

        Parameters
        ----------
        utterance_ids : list of str
        utterance : integer array of shape (n_frames,)
            Index into ``utterance_ids``.
        time_s : array of shape (n_frames,)
        spoken : dict of str to Spoken, optional
            Instead of the phones that were spoken, such as shuffled ones.
        """
        spoken = self.spoken if spoken is None else spoken
        found = np.full((len(time_s), 3), NONE)
        for index, name in enumerate(utterance_ids):
            if name in spoken:
                rows = utterance == index
                found[rows] = spoken[name].at(time_s[rows])
        return found

    def one_hot(self, codes):
        """Indicators of the phone at a frame, the one before and the one after it, side by side.

        Returns
        -------
        float32 array of shape (n_frames, 3 · n_labels)
            All zero for ``NONE``.
        """
        every = np.arange(len(self.labels))
        return (codes[:, :, None] == every).reshape(len(codes), -1).astype(np.float32)

    def shuffled(self, utterance_ids, rng):
        """The same segments with their phones dealt out anew among those of ``utterance_ids``.

        Times, pauses and how often each phone occurs stay.
        """
        names = [name for name in utterance_ids if name in self.spoken]
        codes = np.concatenate([self.spoken[name].code for name in names] or [np.zeros(0, int)])
        loud = np.flatnonzero(codes != NONE)
        codes[loud] = codes[rng.permutation(loud)]
        parts = np.split(codes, np.cumsum([len(self.spoken[name].code) for name in names])[:-1])
        return {
            name: Spoken(self.spoken[name].start_s, self.spoken[name].end_s, part)
            for name, part in zip(names, parts, strict=False)
        }


def read(segments, silence):
    """Phones of a corpus from its segment tables.

    Parameters
    ----------
    segments : list of path
        One per shard.
    silence : sequence of str
        Labels that are no phone; the empty one is none either.

    Returns
    -------
    Phones

    Raises
    ------
    NoPhones
        Where the corpus has no phone at all.
    """
    table = tables.read(segments, columns=["utterance_id", "tier", "start_s", "end_s", "label"])
    rows = [row for row in table.to_pylist() if row["tier"] == TIER]
    quiet = {"", None, *silence}
    labels = sorted({row["label"] for row in rows} - quiet)
    if not labels:
        raise NoPhones(
            "the corpus has no phone segments", path=segments[0],
            fix="give it `align` with units: phones, or take it out of kinematics.partition.corpora and "
            "kinematics.measure.corpora",
        )  # fmt: skip
    code = {label: index for index, label in enumerate(labels)}
    by_utterance = {}
    for row in sorted(rows, key=lambda row: row["start_s"]):
        by_utterance.setdefault(row["utterance_id"], []).append(row)
    spoken = {name: _spoken(found, code) for name, found in by_utterance.items()}
    return Phones(labels, {name: each for name, each in spoken.items() if (each.code != NONE).any()})


def _spoken(rows, code):
    times = np.array([[row["start_s"], row["end_s"]] for row in rows])
    return Spoken(*times.T, np.array([code.get(row["label"], NONE) for row in rows]))
