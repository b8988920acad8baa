"""Which words of two utterances find each other: mutual nearest hidden states (SeqSimInterp).

After arXiv 2505.19606: a frame of one utterance and a frame of the other are paired where each is the other's
nearest by cosine.
"""

from dataclasses import dataclass

import numpy as np

from phonoscope.probes.pairs import checked, unit_frames

NO_WORD = -1


@dataclass(frozen=True)
class WordPair:
    """Word ``i`` of the one utterance and word ``j`` of the other.

    Parameters
    ----------
    i, j : int
    cosine : float
        Mean over the pairs of frames.
    frames : int
        Number of mutual nearest frames that lie in these words.
    """

    i: int
    j: int
    cosine: float
    frames: int = 1


def by_centres(a, b, names=None):
    """Words that are each other's nearest, by the states at their centres (``unit: word_centre``).

    Parameters
    ----------
    a, b : arrays of shape (n_words, d)
        Hidden states of the frames nearest to the words' centres.
    names : pair of str, optional
        Of the two utterances, for errors.

    Returns
    -------
    list of WordPair
        By rising i; no word is in two pairs. Of equally near words the first is taken.

    Raises
    ------
    InputError
        Where a state is NaN or infinite, or an utterance has no word.
    """
    return [WordPair(int(i), int(j), float(c)) for i, j, c in zip(*_mutual(a, b, names), strict=True)]


def by_frames(a, b, words_a, words_b, names=None):
    """Words of frames that are each other's nearest (``unit: frame``).

    Parameters
    ----------
    a, b : arrays of shape (n_frames, d)
    words_a, words_b : int arrays of shape (n_frames,)
        The word that each frame lies in, as :func:`words_of_frames` gives it; pairs with a frame in no word
        are left out.
    names : pair of str, optional

    Returns
    -------
    list of WordPair
        By rising i and j; a word may be in several pairs.

    Raises
    ------
    InputError
        As :func:`by_centres`.
    ValueError
        Where words are not given for every frame.
    """
    words_a, words_b = np.asarray(words_a), np.asarray(words_b)
    if (len(words_a), len(words_b)) != (len(a), len(b)):
        raise ValueError("give the word of every frame")
    rows, columns, cosines = _mutual(a, b, names)
    found = {}
    for i, j, cosine in zip(words_a[rows], words_b[columns], cosines, strict=True):
        if i != NO_WORD and j != NO_WORD:
            found.setdefault((int(i), int(j)), []).append(cosine)
    return [WordPair(i, j, float(np.mean(c)), len(c)) for (i, j), c in sorted(found.items())]


def words_of_frames(times, starts, ends):
    """The word that each frame lies in.

    Parameters
    ----------
    times : array of shape (n_frames,)
        Centres of the frames, seconds.
    starts, ends : arrays of shape (n_words,)
        Seconds, in order and without overlap; a word holds its start, not its end.

    Returns
    -------
    int array of shape (n_frames,)
        ``NO_WORD`` (-1) where there is none.
    """
    times, starts, ends = (np.asarray(x, dtype=np.float64) for x in (times, starts, ends))
    # Of words that begin together, as those without a frame of their own do, the last can have a length.
    word = np.searchsorted(starts, times, side="right") - 1
    return np.where((word >= 0) & (times < np.append(ends, -np.inf)[word]), word, NO_WORD)


def centre_frames(times, centres):
    """The frames nearest to the centres of words.

    Parameters
    ----------
    times : array of shape (n_frames,)
        Centres of the frames, seconds, rising.
    centres : array of shape (n_words,)
        Seconds.

    Returns
    -------
    int array of shape (n_words,)
        The earlier one of two equally near frames.
    """
    times, centres = (np.asarray(x, dtype=np.float64) for x in (times, centres))
    return np.abs(times[None] - centres[:, None]).argmin(axis=1)


def _mutual(a, b, names):
    """Rows, columns and cosines of mutual nearest states."""
    (a,), (b,), names = checked([a], [b], names and [[name] for name in names])
    units = []
    for frames, name in ((a, names[0][0]), (b, names[1][0])):
        units.append(np.empty(frames.shape, np.float32))
        unit_frames(frames, name, units[-1])
    cosines = units[0] @ units[1].T
    nearest_b, nearest_a = cosines.argmax(axis=1), cosines.argmax(axis=0)
    rows = np.flatnonzero(nearest_a[nearest_b] == np.arange(len(a)))
    return rows, nearest_b[rows], np.clip(cosines[rows, nearest_b[rows]], -1, 1)
