"""Utterance and segment tables to what is trained on."""

import numpy as np

from phonoscope import tables
from phonoscope.corpora.audio import load
from phonoscope.errors import InputError

RATE_HZ = 16000
# Up to this much audio is kept in memory (64 kB per second).
KEPT_S = 2 * 3600


def utterances(paths, splits, needed=True):
    """Rows of the utterance tables that belong to ``splits``.

    Parameters
    ----------
    paths : list of path-like
        Of the schema ``tables.UTTERANCES``.
    splits : sequence of str
        train, dev, test. A table without splits counts as train.
    needed : bool
        Whether it is an error if there is none.

    Returns
    -------
    list of dict
        Sorted by utterance_id.

    Raises
    ------
    InputError
        Where there is none and one is needed.
    """
    rows = [row for path in paths for row in tables.read(path).to_pylist()]
    rows = [row for row in rows if (row["split"] or "train") in splits]
    if not rows and needed:
        raise InputError(
            f"no utterance has the split {' or '.join(splits)}",
            path=", ".join(map(str, paths)),
            fix="give the recordings a column `split` with train and dev or test",
        )
    return sorted(rows, key=lambda row: row["utterance_id"])


def segments(paths, tiers):
    """Segments by utterance, each a list of dicts sorted by end, then by the order of ``tiers``."""
    found = {}
    for path in paths:
        for row in tables.read(path).to_pylist():
            if row["tier"] in tiers:
                found.setdefault(row["utterance_id"], []).append(row)
    for rows in found.values():
        rows.sort(key=lambda row: (row["end_s"], list(tiers).index(row["tier"])))
    return found


class Sounds:
    """Audio of utterances, normalised as wav2vec 2.0's feature extractor does, by index.

    Parameters
    ----------
    rows : list of dict
        Rows of ``tables.UTTERANCES``.
    """

    def __init__(self, rows):
        self.rows = rows
        self.kept = {} if sum(row["duration_s"] for row in rows) <= KEPT_S else None

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        """float32 array of shape (n_samples,), mean 0 and variance 1, 16 kHz."""
        if self.kept is None:
            return self._load(index)
        if index not in self.kept:
            self.kept[index] = self._load(index)
        return self.kept[index]

    def _load(self, index):
        audio = load(self.rows[index]["audio"], RATE_HZ)[0]
        return normalised(audio)


def normalised(audio):
    """As `Wav2Vec2FeatureExtractor` with ``do_normalize``."""
    audio = np.asarray(audio, dtype=np.float32)
    return ((audio - audio.mean()) / np.sqrt(audio.var() + 1e-7)).astype(np.float32)


class Drawn:
    """Items drawn anew for every update: item i follows from the seed and i alone.

    Parameters
    ----------
    draw : callable
        ``draw(rng)`` returns an item; ``rng`` is a ``numpy.random.Generator``.
    count : int
    seed : int
    """

    def __init__(self, draw, count, seed):
        self.draw, self.count, self.seed = draw, count, seed

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        if not 0 <= index < self.count:
            raise IndexError(index)
        return self.draw(np.random.default_rng([self.seed, index]))
