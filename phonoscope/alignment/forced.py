"""Forced alignment: known tokens, in order, to times, from a model's log probabilities per frame."""

import math

import numpy as np

from phonoscope.errors import InputError

# As far as a token may reach from its spike into the blank, seconds.
SPREAD_S = 0.15


def align(log_probs, tokens, timebase, blank=None, silence=None, least=1):
    """The best path through ``log_probs`` that says ``tokens``, as times.

    Of a CTC model, the search is torchaudio's Viterbi (``forced_align``). CTC marks a token by a spike of one
    to three frames and says nothing about where it ends, so the frames between two spikes are split in the
    middle; those before the first and after the last spike belong to no token.

    Parameters
    ----------
    log_probs : float array or tensor of shape (n_frames, n_classes)
        Natural logarithms of probabilities.
    tokens : sequence of int
        Classes in the order in which they were said.
    timebase : encoders.timebase.Timebase
        Of the frames; a frame reaches from half a hop before its centre to half a hop after.
    blank : int, optional
        CTC's blank: it may stand anywhere and must stand between two equal tokens.
    silence : int, optional
        For a frame-wise model: a class that may stand before, between and after tokens, and keeps its
        frames. Without it and without ``blank`` every frame belongs to a token.
    least : int
        Fewest frames of a token of a frame-wise model.

    Returns
    -------
    list of (start_s, end_s, score)
        One per token; the score is the geometric mean of its frames' probabilities (with ``blank``, of those
        of the spike).

    Raises
    ------
    InputError
        Where the frames are too few for the tokens, or no path has a probability above 0.
    ValueError
        Where both ``blank`` and ``silence`` are given, one of them is among the tokens, or a CTC model is to
        give several frames to a token.
    """
    import torch

    if blank is not None and silence is not None:
        raise ValueError("give blank for a CTC model or silence for a frame-wise one, not both")
    if {blank, silence} & set(tokens):
        raise ValueError("blank or silence is among the tokens")
    if blank is not None and least != 1:
        raise ValueError("a CTC model marks a token by a spike, however short: least must be 1")
    if not len(tokens):
        return []
    log_probs = torch.as_tensor(log_probs, dtype=torch.float32).detach().cpu()
    needed = frames_needed(tokens, blank) if blank is not None else least * len(tokens)
    if needed > len(log_probs):
        raise InputError(
            f"{len(log_probs)} frames are too few for {len(tokens)} tokens, which need {needed}",
            fix="check that text and recording belong together, or leave the recording out",
        )
    if blank is None:
        spans = _frame_wise(log_probs.numpy(), list(tokens), silence, least)
    else:
        spans = _spikes(log_probs, list(tokens), blank, SPREAD_S / timebase.hop_s)
    first = timebase.offset_s - timebase.hop_s / 2
    return [
        (max(0.0, first + start * timebase.hop_s), first + end * timebase.hop_s, math.exp(score))
        for start, end, score in spans
    ]


def frames_needed(tokens, blank=None):
    """Fewest frames that ``tokens`` fit in: with a blank, two equal neighbours need one between them."""
    equal = sum(one == two for one, two in zip(tokens, tokens[1:], strict=False))
    return len(tokens) + (equal if blank is not None else 0)


def _spikes(log_probs, tokens, blank, reach):
    """Start, end (frames) and mean log probability of each token of a CTC model."""
    spans = _spans(log_probs, tokens, blank)
    found = [[span.start, span.end, span.score] for span in spans]
    for one, two in zip(found, found[1:], strict=False):
        half = (two[0] - one[1]) / 2
        # A long blank is a pause, which belongs to neither.
        one[1], two[0] = one[1] + min(half, reach), two[0] - min(half, reach)
    return found


def _spans(log_probs, tokens, blank):
    """Start, end (frames) and mean log probability of each spike on the best path."""
    import torch
    from torchaudio.functional import forced_align, merge_tokens

    path, scores = forced_align(log_probs[None], torch.tensor([tokens], dtype=torch.int32), blank=blank)
    # The sum tells an impossible path, through which torchaudio goes without complaint.
    if not torch.isfinite(scores.sum()):
        raise _impossible()
    return merge_tokens(path[0], scores[0], blank=blank)


def _frame_wise(log_probs, tokens, silence, least):
    """Start, end (frames) and mean log probability of each token of a frame-wise model, by Viterbi.

    A token is a row of ``least`` states of which the last may repeat; before, between and after the tokens
    there is a state of silence, which may repeat and may be left out.
    """
    quiet = silence is not None
    one = [(silence, -1)] * quiet
    states = [state for k, token in enumerate(tokens) for state in [*one, *[(token, k)] * least]] + one
    column, owner = (np.array(each) for each in zip(*states, strict=True))
    last_of_token = np.append(owner[1:] != owner[:-1], True)
    may_stay = np.where(last_of_token, 0.0, -np.inf)
    # A token may follow a token: over the silence between them.
    may_skip = np.full(len(states), -np.inf)
    may_skip[2:][(owner[1:-1] < 0) & (owner[2:] >= 0)] = 0.0

    score = np.full(len(states), -np.inf)
    begins = slice(0, 1 + quiet)
    score[begins] = log_probs[0, column[begins]]
    # How many states back the best way into a state comes from: 0 to 2.
    back = np.zeros((len(log_probs), len(states)), np.int8)
    step, skip = np.full((2, len(states)), -np.inf)
    for t in range(1, len(log_probs)):
        step[1:], skip[2:] = score[:-1], score[:-2]
        score = score + may_stay
        skip += may_skip
        for count, other in ((1, step), (2, skip)):
            better = other > score
            back[t, better] = count
            score = np.where(better, other, score)
        score += log_probs[t, column]
    state = len(states) - 1
    if quiet and score[state - 1] > score[state]:
        state -= 1
    if not np.isfinite(score[state]):
        raise _impossible()
    path = np.empty(len(log_probs), int)
    for t in reversed(range(len(log_probs))):
        path[t] = state
        state -= int(back[t, state])
    found = []
    for k, token in enumerate(tokens):
        mine = np.flatnonzero(owner[path] == k)
        found.append((mine[0], mine[-1] + 1, float(log_probs[mine, token].mean())))
    return found


def _impossible():
    return InputError("no path through the frames has a probability above 0", fix="check the tokens")
