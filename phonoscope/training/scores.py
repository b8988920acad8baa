"""Held-out errors of recognisers and aligners, each beside what chance would give."""

import numpy as np

from phonoscope.alignment import forced
from phonoscope.errors import InputError
from phonoscope.training.targets import IGNORED


def decoded(log_probs):
    """Greedy CTC decoding.

    Parameters
    ----------
    log_probs : array of shape (n_frames, n_classes)
        Class 0 is the blank.

    Returns
    -------
    list of int
    """
    best = np.asarray(log_probs).argmax(axis=1)
    kept = np.concatenate([[True], best[1:] != best[:-1]]) & (best != 0)
    return best[kept].tolist()


def token_errors(references, hypotheses):
    """Insertions, deletions and substitutions per token of the references."""
    import jiwer

    return jiwer.wer([_words(each) for each in references], [_words(each) for each in hypotheses])


def _words(tokens):
    return " ".join(map(str, tokens))


def recognition(split, metric, references, hypotheses, seed=0):
    """A row of ``Trained.held_out``: the token error rate, and that of hypotheses of other utterances."""
    pairs = [(one, other) for one, other in zip(references, hypotheses, strict=True) if one]
    references, hypotheses = [list(each) for each in zip(*pairs, strict=True)]
    order = np.random.default_rng(seed).permutation(len(pairs))
    shuffled = [None] * len(pairs)
    # Everyone gets the next one's in a random order: nobody its own, unless it is alone.
    for at, following in zip(order, np.roll(order, 1), strict=True):
        shuffled[at] = hypotheses[following]
    return {
        "split": split,
        "metric": metric,
        "value": token_errors(references, hypotheses),
        "chance": token_errors(references, shuffled),
        "control": "hypotheses shuffled over utterances",
        "n": sum(map(len, references)),
    }


def frames(split, paths, guesses, commonest):
    """A row of ``Trained.held_out``: the share of wrong frames, and that of always guessing ``commonest``."""
    known = np.concatenate(paths)
    guessed = np.concatenate(guesses)[known != IGNORED]
    known = known[known != IGNORED]
    return {
        "split": split,
        "metric": "frame error",
        "value": float((known != guessed).mean()),
        "chance": float((known != commonest).mean()),
        "control": "always the commonest class of the training split",
        "n": len(known),
    }


def boundaries(split, log_probs, tokens, starts, durations, timebase, within_s=0.020):
    """Rows of ``Trained.held_out``: how far starts of aligned tokens are from the known ones.

    Parameters
    ----------
    split : str
    log_probs : list of array of shape (n_frames, n_classes)
        Class 0 is silence.
    tokens : list of list of int
    starts : list of list of float
        Known, in seconds.
    durations : list of float
        Of the utterances, in seconds: the control cuts them into as many equal parts as there are tokens.
    timebase : Timebase

    Returns
    -------
    rows : list of dict
        Median and 90th percentile in ms, and the share that is more than ``within_s`` off; none where nothing
        could be aligned.
    left_out : int
        Utterances with fewer frames than tokens.
    """
    off, uniform, left_out = [], [], 0
    for each, said, known, duration in zip(log_probs, tokens, starts, durations, strict=True):
        try:
            found = forced.align(each, said, timebase, silence=0)
        except InputError:
            left_out += 1
            continue
        off += [abs(start - true) for (start, _, _), true in zip(found, known, strict=True)]
        even = np.linspace(0, duration, len(said), endpoint=False)
        uniform += np.abs(even - np.asarray(known)).tolist()
    if not off:
        return [], left_out
    off, uniform = np.asarray(off), np.asarray(uniform)
    measures = {
        "boundary error, median (ms)": lambda x: 1000 * np.median(x),
        "boundary error, 90th percentile (ms)": lambda x: 1000 * np.percentile(x, 90),
        f"boundaries more than {1000 * within_s:.0f} ms off": lambda x: np.mean(x > within_s),
    }
    return [
        {
            "split": split,
            "metric": name,
            "value": float(measure(off)),
            "chance": float(measure(uniform)),
            "control": "the utterance cut into equal parts",
            "n": len(off),
        }
        for name, measure in measures.items()
    ], left_out
