"""The scores of the kinematics study: their schema, and how they are collected."""

import numpy as np
import pyarrow as pa

from phonoscope import tables

# Groups of speakers; all others are groups of recordings.
OF_SPEAKERS = ("native_language", "sex")

_TEXT, _I32, _I64, _F64 = pa.string(), pa.int32(), pa.int64(), pa.float64()

# texts: as speakers, on texts that source and target both read, and on others (target_group says which).
# source: the speaker, or the group, that a probe was fitted on; target: the speaker it was tested on, and
# target_group its group. map: none, or what was done to the predictions; size, seconds: how much of the
# target's speech that took (of `own`: how much the probe was fitted on).
SCORES = pa.schema(
    [
        ("experiment", _TEXT),
        ("by", _TEXT),
        ("probe", _TEXT),
        ("model", _TEXT),
        ("layer", _I32),
        *((name, _TEXT) for name in ("source", "target", "target_group", "map", "size")),
        ("seconds", _F64),
        ("channel", _TEXT),
        ("r", _F64),
        ("chance", _F64),
        ("n_train", _I64),
        ("n_test", _I64),
        ("note", _TEXT),
    ]
)

_PER_CHANNEL = ("channel", "r", "chance", "n_train", "n_test", "note")
UNDEFINED = "r is undefined: no variance, or nothing to predict it from"


def planes(channels):
    """Places of the x and z of each sensor among ``channels``, as a list of (int, int)."""
    at = {name: place for place, name in enumerate(channels)}
    pairs = [(name, f"{name[:-2]}_z") for name in channels if name.endswith("_x")]
    return [(at[x], at[z]) for x, z in pairs if z in at]


def millimetres(utterances, scale, channels):
    """Millimetres per unit of each channel of a speaker, whose EMA is z-scored per recording.

    Parameters
    ----------
    utterances : list of str
        The speaker's.
    scale : dict of str to dict of str to (float, float)
        Utterance -> channel -> mean and SD in mm; of recordings and channels that there are.
    channels : list of str

    Returns
    -------
    array of shape (k,)
        Root mean square of the SDs over recordings; 1 for a channel that no recording has.
    """
    own = [scale[name] for name in utterances if name in scale]
    squares = [[one[c][1] ** 2 for one in own if c in one] for c in channels]
    return np.array([np.sqrt(np.mean(values)) if values else 1.0 for values in squares])


class Rows:
    """Collects scores, all channels of a source and a target at once.

    Parameters
    ----------
    channels : list of str
    same : dict
        What all rows have in common, such as model and layer.
    """

    def __init__(self, channels, **same):
        self.channels, self._same, self._found = np.array(channels), same, []

    def add(self, r, n_train, n_test, note="", **where):
        """Scores of one probe on one target.

        Parameters
        ----------
        r : array of shape (n_versions, k)
            Of the EMA, then of its shifted controls, whose mean is ``chance``.
        n_train : int or array of shape (k,)
        n_test : array of shape (k,)
            Channels without frames, which the target does not have, get no row.
        note : str or list of str
            For each channel.
        where : str or float
            The other columns of :data:`SCORES`.
        """
        k = len(self.channels)
        there = np.flatnonzero(n_test > 0)
        shifted = r[1:, there]
        counted = np.isfinite(shifted).sum(axis=0)
        chance = np.where(counted, np.nansum(shifted, axis=0) / np.maximum(counted, 1), np.nan)
        notes = [note] * k if isinstance(note, str) else note
        notes = [
            "; ".join(part for part in (notes[c], "" if np.isfinite(r[0, c]) else UNDEFINED) if part)
            for c in there
        ]
        values = (self.channels[there], r[0, there], chance, np.broadcast_to(n_train, k)[there])
        self._found.append((where, len(there), (*values, n_test[there], notes)))

    def skip(self, note, **where):
        """A row without a score that says what could not be done."""
        nothing = np.array([np.nan])
        self._found.append((where, 1, ([""], nothing, nothing, [0], [0], [note])))

    def table(self):
        """All rows as a table of :data:`SCORES`; NaN is null."""
        columns = []
        lengths = [length for _, length, _ in self._found]
        for field in SCORES:
            if field.name in _PER_CHANNEL:
                at = _PER_CHANNEL.index(field.name)
                values = [item for *_, block in self._found for item in block[at]]
                if pa.types.is_floating(field.type):
                    values = np.array(values, dtype=float)
                columns.append(pa.array(values, type=field.type, from_pandas=True))
                continue
            each = [(self._same | where).get(field.name) for where, *_ in self._found]
            column = pa.array(each, type=field.type)
            columns.append(column.take(pa.array(np.repeat(np.arange(len(each)), lengths))))
        return pa.Table.from_arrays(columns, schema=SCORES)


def write(table, path, speakers):
    """Write scores with the speakers' attributes as provenance."""
    tables.write(table, path, speakers=speakers)
