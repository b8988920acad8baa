"""Whether pairs of words have more in common than random pairs of the same sentences, or than their order.

Words of parallel sentences stand in similar order, so that a layer which tells nothing but the time within a
sentence pairs words of like meaning more often than chance. Hence two controls: random pairs, and the words
that are nearest in time.
"""

from dataclasses import dataclass
from itertools import groupby

import numpy as np

from phonoscope.probes.inference import bootstrap_mean

# Sums of the same values in another order differ in their last bits.
ROUNDING = 1e-12


@dataclass(frozen=True)
class Sentence:
    """One sentence in two languages.

    Parameters
    ----------
    name : str
    group : hashable
        Which tests it counts for, such as the pair of languages.
    values : array of shape (n_measures, n_a, n_b)
        Of every pair of words.
    i, j : int arrays of shape (n_pairs,)
        The pairs that were matched; at least one.
    in_time : pair of int arrays
        Likewise, by time alone; perhaps none.
    sides : pair of hashable
        Which recordings of the sentence rows and columns are; one that stands in several groups has the same
        words in all of them.
    """

    name: str
    group: object
    values: np.ndarray
    i: np.ndarray
    j: np.ndarray
    in_time: tuple
    sides: tuple

    def timed(self):
        """Mean of each measure over the pairs that are nearest in time; NaN for none."""
        i, j = self.in_time
        return self.values[:, i, j].mean(axis=1) if len(i) else np.full(len(self.values), np.nan)

    def matched(self):
        """Mean of each measure over the pairs that were matched."""
        return self.values[:, self.i, self.j].mean(axis=1)

    def expected(self):
        """What random pairs give on average: the mean over all pairs of words."""
        return self.values.mean(axis=(1, 2))

    def shuffled(self, orders):
        """The mean over matched pairs where the words of both sides are shuffled, (draws, n_measures).

        Of pairs that no two words share, as mutual nearest words are, these are random partial matchings of
        the same size.

        Parameters
        ----------
        orders : pair of int arrays of shape (draws, n_a) and (draws, n_b)
        """
        rows, columns = (order[:, at] for order, at in zip(orders, (self.i, self.j), strict=True))
        return self.values[:, rows, columns].mean(axis=2).T


@dataclass(frozen=True)
class Against:
    """One measure against chance, over sentences.

    Attributes
    ----------
    group : hashable
        None for all groups together.
    measure : int
    value, chance : float
        Means over sentences, of the pairs that were matched and of random ones.
    low, high : float
        Bootstrap interval of ``value`` over sentences; NaN for fewer than two.
    t, p_t : float
        Paired t-test over sentences, two-sided; NaN where their differences do not vary.
    p_permutation : float
        Of a difference at least as large, either way, where words are shuffled within sentences.
    by_time, t_time, p_time : float
        Mean over sentences of the pairs that are nearest in time, and the paired t-test against it.
    n_sentences, n_pairs : int
    """

    group: object
    measure: int
    value: float
    chance: float
    low: float
    high: float
    t: float
    p_t: float
    p_permutation: float
    by_time: float
    t_time: float
    p_time: float
    n_sentences: int
    n_pairs: int


def against_random(sentences, draws, seed):
    """Every measure of every group, and of all groups together, against random pairs of the same sentences.

    A sentence weighs the same however many pairs it has. In all groups together it is the mean over those it
    is in, since its pairs in several languages depend on one another: so a draw of the permutation shuffles
    each recording once, in all the groups that it stands in.

    Parameters
    ----------
    sentences : list of Sentence
        At least one.
    draws : int
        Of the permutation; p cannot be below 1 / (1 + draws).
    seed : int

    Returns
    -------
    list of Against
    """
    groups = list(dict.fromkeys(each.group for each in sentences))
    members = {group: [k for k, each in enumerate(sentences) if each.group == group] for group in groups}
    weights = {group: _weights(sentences, members[group]) for group in groups}
    weights[None] = _weights(sentences, range(len(sentences)))
    n_measures = len(sentences[0].values)
    null = {group: np.zeros((draws, n_measures)) for group in weights}
    for k, drawn in _drawn(sentences, draws, np.random.default_rng(seed)):
        for group in (sentences[k].group, None):
            null[group] += weights[group][k] * drawn
    matched = np.array([each.matched() for each in sentences])
    expected = np.array([each.expected() for each in sentences])
    timed = np.array([each.timed() for each in sentences])
    found = []
    for group in [None, *groups]:
        means = [_by_sentence(sentences, weights[group], each) for each in (matched, expected, timed)]
        n_pairs = sum(len(sentences[k].i) for k in weights[group])
        found += _tests(group, *means, null[group], n_pairs)
    return found


def _drawn(sentences, draws, rng):
    """Numbers of the sentences and their means where words are shuffled."""
    by_name = sorted(range(len(sentences)), key=lambda k: sentences[k].name)
    for _, members in groupby(by_name, key=lambda k: sentences[k].name):
        orders = {}
        for k in members:
            each = sentences[k]
            for side, size in zip(each.sides, each.values.shape[1:], strict=True):
                if side not in orders:
                    orders[side] = rng.random((draws, size)).argsort(axis=1)
            yield k, each.shuffled([orders[side] for side in each.sides])


def _weights(sentences, which):
    """What each counts in the mean over sentences, by its number."""
    names = [sentences[k].name for k in which]
    count = {name: names.count(name) for name in set(names)}
    return {k: 1 / (len(count) * count[name]) for k, name in zip(which, names, strict=True)}


def _by_sentence(sentences, weights, values):
    """Means per sentence, array of shape (n_sentences, n_measures)."""
    found = {}
    for k in weights:
        mine = found.setdefault(sentences[k].name, [])
        mine += [values[k]] if np.isfinite(values[k]).all() else []
    none = np.full((1, values.shape[1]), np.nan)
    return np.array([np.mean(found[name] or none, axis=0) for name in sorted(found)])


def _tests(group, matched, expected, timed, null, n_pairs):
    difference = matched - expected
    observed = difference.mean(axis=0)
    low, high = bootstrap_mean(matched)
    t, p_t = paired_t(difference)
    known = np.isfinite(timed).all(axis=1)
    by_time = timed[known].mean(axis=0) if known.any() else np.full(matched.shape[1], np.nan)
    t_time, p_time = paired_t((matched - timed)[known])
    beyond = np.abs(null - expected.mean(axis=0)) >= np.abs(observed) - ROUNDING
    p = (1 + beyond.sum(axis=0)) / (1 + len(null))
    for measure in range(matched.shape[1]):
        yield Against(
            group,
            measure,
            *(float(each[measure]) for each in (matched.mean(axis=0), expected.mean(axis=0), low, high)),
            *(float(each[measure]) for each in (t, p_t, p, by_time, t_time, p_time)),
            len(matched),
            n_pairs,
        )


def paired_t(difference):
    """Student's paired t-test, two-sided; importing scipy.stats would take longer than many a job.

    Parameters
    ----------
    difference : array of shape (n, n_tests)

    Returns
    -------
    t, p : arrays of shape (n_tests,)
        NaN where there are fewer than two differences, or they are all the same.
    """
    from scipy.special import stdtr

    difference = np.asarray(difference, dtype=float)
    n = len(difference)
    mean, t = difference.mean(axis=0), np.full(difference.shape[1], np.nan)
    if n > 1:
        spread = difference.std(axis=0, ddof=1)
        varies = spread > ROUNDING
        t[varies] = mean[varies] / (spread[varies] / np.sqrt(n))
    return t, 2 * stdtr(max(n - 1, 1), -np.abs(t))
