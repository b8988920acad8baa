"""Moments of frames, the sufficient statistics of every least-squares probe.

A *cell* is the smallest group of frames that an experiment treats as one. Its moments (n, sums and
products of features x and targets y) add up: the moments of a training set are the sum of those of
its cells, so a fold costs an addition and a solve, and no frame is read twice.

Products are accumulated in float64 on features shifted by a pilot mean common to all cells of a
layer: float32 products lose rank, and an offset of 100 with a standard deviation of 0.1 would
otherwise cancel eight digits.
"""

from dataclasses import dataclass

import numpy as np

BLOCK_FRAMES = 2048
PILOT_FRAMES = 2000


@dataclass(frozen=True)
class Moments:
    """Sums over n frames of z = (x - shift, y) and of its products.

    Attributes
    ----------
    n : int
        Frames.
    total : array of shape (n_features + n_targets,)
        Sum of z.
    product : array of shape (n_features + n_targets, n_features + n_targets)
        Sum of z zᵀ.
    n_features : int
    """

    n: int
    total: np.ndarray
    product: np.ndarray
    n_features: int

    def __add__(self, other):
        return Moments(
            self.n + other.n, self.total + other.total, self.product + other.product, self.n_features
        )

    def __sub__(self, other):
        return Moments(
            self.n - other.n, self.total - other.total, self.product - other.product, self.n_features
        )

    def targets(self, columns):
        """The same moments with only the targets ``columns`` (integer indices)."""
        if len(columns) == len(self.total) - self.n_features:
            return self
        keep = np.r_[np.arange(self.n_features), self.n_features + np.asarray(columns)]
        return Moments(self.n, self.total[keep], self.product[np.ix_(keep, keep)], self.n_features)

    def centred(self):
        """Mean of z, and the centred products XᵀX and XᵀY.

        Returns
        -------
        mean : array of shape (n_features + n_targets,)
        xx : array of shape (n_features, n_features)
        xy : array of shape (n_features, n_targets)
        """
        d, mean = self.n_features, self.total / self.n
        # Two arrays, so that a solver may overwrite the first, contiguous one.
        xx, xy = (np.multiply.outer(self.total[:d], mean[part]) for part in (slice(d), slice(d, None)))
        np.subtract(self.product[:d, :d], xx, out=xx)
        np.subtract(self.product[:d, d:], xy, out=xy)
        return mean, xx, xy


def pilot_mean(x):
    """Mean of the first frames, for the shift that all moments of a layer have in common.

    Parameters
    ----------
    x : array of shape (n_frames, n_features)

    Returns
    -------
    float64 array of shape (n_features,)
    """
    return x[:PILOT_FRAMES].mean(axis=0, dtype=np.float64)


def moments(x, y, shift, rows=None):
    """Accumulate the moments of frames.

    Parameters
    ----------
    x : array of shape (n_frames, n_features), any float type
    y : array of shape (n_frames, n_targets)
    shift : array of shape (n_features,)
        Pilot mean, the same for all moments that are to be added.
    rows : integer array, optional
        The frames to use; all by default.

    Returns
    -------
    Moments
    """
    d, k = x.shape[1], y.shape[1]
    n = len(x) if rows is None else len(rows)
    total, product = np.zeros(d + k), np.zeros((d + k, d + k))
    block = np.empty((min(BLOCK_FRAMES, n), d + k))
    for start in range(0, n, BLOCK_FRAMES):
        z = stacked(
            x,
            y,
            shift,
            slice(start, start + BLOCK_FRAMES) if rows is None else rows[start : start + BLOCK_FRAMES],
            block,
        )
        total += z.sum(axis=0)
        product += z.T @ z
    return Moments(n, total, product, d)


def stacked(x, y, shift, rows, out):
    """Write (x - shift, y) of ``rows`` into the first rows of ``out`` (float64) and return those."""
    picked = x[rows]
    z = out[: len(picked)]
    np.subtract(picked, shift, out=z[:, : x.shape[1]])
    z[:, x.shape[1] :] = y[rows]
    return z


@dataclass(frozen=True)
class Cell:
    """Moments of one cell, kept apart by which targets are valid, so that a missing sensor is missing.

    ``parts`` maps a tuple of booleans (valid targets) to the moments of the frames it holds for.
    """

    parts: dict

    def __add__(self, other):
        parts = dict(self.parts)
        for valid, moment in other.parts.items():
            parts[valid] = parts[valid] + moment if valid in parts else moment
        return Cell(parts)

    def seen(self, target):
        """The validity patterns of this cell in which ``target`` is valid."""
        return frozenset(valid for valid in self.parts if valid[target])

    def first(self, n_targets):
        """The same frames with only the first ``n_targets`` targets; without those of which none is valid."""
        own = {valid: moment.targets(np.arange(n_targets)) for valid, moment in self.parts.items()}
        own = {
            valid: Cell({valid[:n_targets]: moment})
            for valid, moment in own.items()
            if any(valid[:n_targets])
        }
        return add([Cell({}), *own.values()])

    def of(self, targets):
        """Moments over all frames in which ``targets`` (which must be valid together) are valid."""
        found = [moment for valid, moment in self.parts.items() if valid[targets[0]]]
        return add(found).targets(targets) if found else None


def cells(x, y, labels, shift):
    """Moments of every cell among frames.

    Parameters
    ----------
    x : array of shape (n_frames, n_features)
    y : array of shape (n_frames, n_targets)
        NaN where a target is not valid; frames without any valid target belong to no cell.
    labels : integer array of shape (n_frames,)
        Cell of each frame; negative for none.
    shift : array of shape (n_features,)

    Returns
    -------
    dict
        label -> Cell
    """
    valid = ~np.isnan(y)
    filled = y if valid.all() else np.where(valid, y, 0.0)
    pattern = _patterns(valid)
    use = (labels >= 0) & valid.any(axis=1)
    found = {}
    key = labels * (pattern.max(initial=0) + 1) + pattern
    order = np.flatnonzero(use)[np.argsort(key[use], kind="stable")]
    if not len(order):
        return found
    starts = np.flatnonzero(np.r_[True, np.diff(key[order]) != 0])
    for rows in np.split(order, starts[1:]):
        label = int(labels[rows[0]])
        part = Cell({tuple(valid[rows[0]].tolist()): moments(x, filled, shift, rows)})
        found[label] = plus(found.get(label), part)
    return found


def _patterns(valid):
    """Number the distinct rows of a boolean array, 0 …: one integer per row, equal for equal rows."""
    pattern = np.zeros(len(valid), dtype=np.int64)
    for first in range(0, valid.shape[1], 32):
        part = valid[:, first : first + 32]
        bits = part @ (np.int64(1) << np.arange(part.shape[1], dtype=np.int64))
        pattern = np.unique((pattern << 32) + bits, return_inverse=True)[1].ravel()
    return pattern


def merged(found, key):
    """Sums of cells by a key, in place: no copy for every addition.

    Parameters
    ----------
    found : dict of Cell
        label -> Cell; is left as it is.
    key : callable
        ``key(label)`` is the label of the sum that a cell belongs to.

    Returns
    -------
    dict
        key -> Cell
    """
    parts = {}
    for label, cell in found.items():
        into = parts.setdefault(key(label), {})
        for valid, moment in cell.parts.items():
            into.setdefault(valid, []).append(moment)
    return {name: Cell({valid: _sum(own) for valid, own in into.items()}) for name, into in parts.items()}


def _sum(items):
    if len(items) == 1:
        return items[0]
    found = items[0] + items[1]
    for item in items[2:]:
        np.add(found.total, item.total, out=found.total)
        np.add(found.product, item.product, out=found.product)
    return Moments(sum(item.n for item in items), found.total, found.product, found.n_features)


def add(items):
    """Sum of a non-empty sequence of Moments or Cells."""
    first, *rest = items
    for item in rest:
        first = first + item
    return first


def target_groups(units, n_targets):
    """Group targets that are valid on the same frames, so that each group shares its factorisations.

    Parameters
    ----------
    units : list of Cell
    n_targets : int

    Returns
    -------
    list of (targets, moments)
        ``targets`` an integer array; ``moments`` a list over units of Moments of these targets, None
        where a unit has no frame for them. Targets valid nowhere are in no group.
    """
    groups = {}
    for target in range(n_targets):
        signature = tuple(unit.seen(target) for unit in units)
        if any(signature):
            groups.setdefault(signature, []).append(target)
    return [(np.array(g), [unit.of(np.array(g)) for unit in units]) for g in groups.values()]


def leave_one_out(items):
    """For each item, the sum of all others, by prefix and suffix sums: no subtraction, no cancellation.

    Parameters
    ----------
    items : list of objects that add, or None where a unit has nothing to add

    Yields
    ------
    The sum of all items but the i-th; None where nothing is left.
    """
    suffixes = [None]
    for item in reversed(items[1:]):
        suffixes.append(plus(item, suffixes[-1]))
    prefix = None
    for item in items:
        yield plus(prefix, suffixes.pop())
        prefix = plus(prefix, item)


def plus(a, b):
    """a + b, where None is nothing."""
    return b if a is None else a if b is None else a + b
