"""Utterance and segment tables to what is trained on."""

import numpy as np

from phonoscope import tables
from phonoscope.corpora.audio import load
from phonoscope.errors import InputError

RATE_HZ = 16000
# Up to this much audio is kept in memory (64 kB per second).
KEPT_S = 2 * 3600


# One in so many speakers or recordings is held out where a corpus does not say what is.
HELD_OUT_EVERY = 7
SPLITS = ("train", "dev", "test")


def utterances(paths, by="speaker"):
    """Rows of utterance tables by split.

    Recordings without a split are train; where no recording has one, every seventh speaker (or recording,
    where ``by`` asks for it or there are fewer than seven speakers) is dev.

    Parameters
    ----------
    paths : list of path-like
        Of the schema ``tables.UTTERANCES``.
    by : str
        What is held out whole where nothing is said: speaker or utterance_id.

    Returns
    -------
    dict of str to list of dict
        Split (train, dev, test) to rows sorted by utterance_id.

    Raises
    ------
    InputError
        Where nothing is left to train on, or two recordings have one utterance_id.
    """
    rows = [row for path in paths for row in tables.read(path).to_pylist()]
    rows.sort(key=lambda row: row["utterance_id"])
    for one, another in zip(rows, rows[1:], strict=False):
        if one["utterance_id"] == another["utterance_id"]:
            raise InputError(
                "two recordings have this utterance_id",
                path=", ".join(map(str, paths)),
                row=one["utterance_id"],
                fix="train on corpora whose recordings have different names",
            )
    if not any(row["split"] for row in rows):
        if len({row[by] for row in rows}) < HELD_OUT_EVERY:
            by = "utterance_id"
        held_out = set(sorted({row[by] or "" for row in rows})[HELD_OUT_EVERY - 1 :: HELD_OUT_EVERY])
        rows = [row | {"split": "dev" if (row[by] or "") in held_out else "train"} for row in rows]
    found = {split: [row for row in rows if (row["split"] or "train") == split] for split in SPLITS}
    if not found["train"]:
        raise InputError(
            "no recording has the split train",
            path=", ".join(map(str, paths)),
            fix="give the recordings a column `split` with train, dev and test, or none",
        )
    return found


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
        row = self.rows[index]
        audio = load(row["audio"], RATE_HZ, row.get("audio_sha256"))[0]
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
