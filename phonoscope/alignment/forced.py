"""Forced alignment: known tokens, in order, to times, from a model's log probabilities per frame."""

import math

from phonoscope.errors import InputError


def align(log_probs, tokens, timebase, blank=None, silence=None):
    """The best path through ``log_probs`` that says ``tokens``, as times.

    The search is torchaudio's Viterbi (``forced_align``). CTC marks a token by a spike of one to three
    frames and says nothing about where it ends, so with ``blank`` the frames between two spikes are split
    in the middle; those before the first and after the last spike belong to no token.

    Parameters
    ----------
    log_probs : float array or tensor of shape (n_frames, n_classes)
        Natural logarithms; normalised over classes.
    tokens : sequence of int
        Classes in the order in which they were said.
    timebase : encoders.timebase.Timebase
        Of the frames; a frame reaches from half a hop before its centre to half a hop after.
    blank : int, optional
        CTC's blank: it may stand anywhere and must stand between two equal tokens.
    silence : int, optional
        For a frame-wise model: a class that may stand before, between and after tokens, and keeps its
        frames. Without it and without ``blank`` every frame belongs to a token.

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
        Where both ``blank`` and ``silence`` are given, or one of them is among the tokens.
    """
    import torch

    if blank is not None and silence is not None:
        raise ValueError("give blank for a CTC model or silence for a frame-wise one, not both")
    if {blank, silence} & set(tokens):
        raise ValueError("blank or silence is among the tokens")
    if not len(tokens):
        return []
    log_probs = torch.as_tensor(log_probs, dtype=torch.float32).detach().cpu()
    if (needed := frames_needed(tokens, blank)) > len(log_probs):
        raise InputError(
            f"{len(log_probs)} frames are too few for {len(tokens)} tokens, which need {needed}",
            fix="check that text and recording belong together, or leave the recording out",
        )
    if blank is None:
        log_probs, tokens, blank = _without_blank(log_probs, list(tokens), silence)
        spans = _spans(log_probs, tokens, blank)
        edges = [(span.start, span.end) for span in spans]
    else:
        spans = _spans(log_probs, list(tokens), blank)
        cuts = [(one.end + two.start) / 2 for one, two in zip(spans, spans[1:], strict=False)]
        edges = list(zip([spans[0].start, *cuts], [*cuts, spans[-1].end], strict=True))
    first = timebase.offset_s - timebase.hop_s / 2
    return [
        (max(0.0, first + start * timebase.hop_s), first + end * timebase.hop_s, math.exp(span.score))
        for (start, end), span in zip(edges, spans, strict=True)
    ]


def frames_needed(tokens, blank=None):
    """Fewest frames that ``tokens`` fit in: with a blank, two equal neighbours need one between them."""
    equal = sum(one == two for one, two in zip(tokens, tokens[1:], strict=False))
    return len(tokens) + (equal if blank is not None else 0)


def _without_blank(log_probs, tokens, silence):
    """``log_probs`` and ``tokens`` so that CTC's rules say what a frame-wise model means.

    Of two equal neighbours the second becomes a copy of its class, so that no blank is forced between
    them; without a silence, a class that is impossible stands for the blank.
    """
    import torch

    columns, classes, copies = [log_probs], log_probs.shape[1], {}
    for i in range(1, len(tokens)):
        if tokens[i] == tokens[i - 1]:
            if tokens[i] not in copies:
                copies[tokens[i]] = classes + len(copies)
                columns.append(log_probs[:, tokens[i], None])
            tokens[i] = copies[tokens[i]]
    if silence is None:
        silence = classes + len(copies)
        columns.append(torch.full((len(log_probs), 1), -math.inf))
    return torch.cat(columns, dim=1), tokens, silence


def _spans(log_probs, tokens, blank):
    """Start, end (frames) and mean log probability of each token on the best path."""
    import torch
    from torchaudio.functional import forced_align, merge_tokens

    path, scores = forced_align(log_probs[None], torch.tensor([tokens], dtype=torch.int32), blank=blank)
    # The sum tells an impossible path, through which torchaudio goes without complaint.
    if not torch.isfinite(scores.sum()):
        raise InputError("no path through the frames has a probability above 0", fix="check the tokens")
    return merge_tokens(path[0], scores[0], blank=blank)
