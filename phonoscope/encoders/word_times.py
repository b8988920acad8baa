"""When the words of a known text are said, by Whisper's cross-attention."""

import math

import numpy as np

from phonoscope.encoders.teacher_forcing import teacher_force

MEDIAN_WIDTH = 7
# Of attention in float32, relative.
ROUNDING = 1e-6


def word_times(whisper, audios, texts, languages, heads, task="transcribe", leading_space=True, names=None):
    """Times of the words of known texts.

    The decoder is given the text token by token. The attention of each head over the recording's own frames
    (softmax without the padding) is standardised over positions and median-filtered over 7 frames, then the
    heads are averaged; the best path of dynamic time warping through that map (tokens × frames) gives each
    token its first frame (Whisper's own word time stamps: Radford et al. 2022, arXiv 2212.04356, and the
    code that came with it).

    Parameters
    ----------
    whisper, audios, texts, languages, heads, task, leading_space, names
        As for :func:`teacher_forcing.teacher_force`; heads as :mod:`encoders.alignment_heads` gives them.

    Returns
    -------
    list of list of dict
        As :func:`times_of_words` gives them, per utterance.

    Raises
    ------
    InputError
        As :func:`teacher_forcing.teacher_force`.
    """
    forced = teacher_force(whisper, audios, texts, languages, heads, task, leading_space, names)
    return [times_of_words(each, alignment_map(each.attention), whisper.timebase) for each in forced]


def alignment_map(attention):
    """What the path goes through: attention, standardised, smoothed, mean over heads.

    Parameters
    ----------
    attention : float array of shape (n_heads, n_positions, n_frames)

    Returns
    -------
    float64 array of shape (n_positions, n_frames)
    """
    return head_maps(attention).mean(axis=0)


def head_maps(attention):
    """The map of each head: z-scores over positions, median over 7 frames (mirrored at the edges).

    A frame to which all positions attend alike, but for rounding, has z-scores of 0; a recording of up to
    three frames is not smoothed.

    Parameters
    ----------
    attention : float array of shape (n_heads, n_positions, n_frames)

    Returns
    -------
    float64 array of shape (n_heads, n_positions, n_frames)
    """
    attention = np.asarray(attention, dtype=np.float64)
    mean, spread = attention.mean(axis=-2, keepdims=True), attention.std(axis=-2, keepdims=True)
    alike = spread <= ROUNDING * mean
    scores = np.where(alike, 0.0, (attention - mean) / np.where(alike, 1.0, spread))
    half = MEDIAN_WIDTH // 2
    if scores.shape[-1] <= half:
        return scores
    padded = np.pad(scores, [(0, 0), (0, 0), (half, half)], mode="reflect")
    return np.median(np.lib.stride_tricks.sliding_window_view(padded, MEDIAN_WIDTH, axis=-1), axis=-1)


def first_frames(scores):
    """First frame of each row on the best path of dynamic time warping.

    The path goes from the first row and frame to the last ones by steps of one row, one frame or both, all
    of weight 1, and has the largest sum of scores. Where two ways are equally good, it takes both steps at
    once before a step in time, and that before a step of one row within a frame.

    Parameters
    ----------
    scores : float array of shape (n_rows, n_frames)

    Returns
    -------
    int array of shape (n_rows,)
    """
    n_rows, n_frames = scores.shape
    best = np.full((n_rows + 1, n_frames + 1), -np.inf)
    came = np.full(n_frames, -np.inf)
    came[0] = 0.0
    for row, own in enumerate(scores.astype(np.float64)):
        # Entering the row at frame k and staying to frame j adds total[j] - total[k - 1].
        total = np.cumsum(own)
        best[row + 1, 1:] = total + np.maximum.accumulate(came - (total - own))
        came = np.maximum(best[row + 1, 1:], best[row + 1, :-1])
    first = np.zeros(n_rows, dtype=int)
    row, frame = n_rows, n_frames
    while row > 1:
        ways = best[row - 1, frame - 1], best[row, frame - 1], best[row - 1, frame]
        way = int(np.argmax(ways))
        first[row - 1] = frame - 1
        row -= way != 1
        frame -= way != 2
    return first


def times_of_words(forced, scores, timebase):
    """Times of the words along the best path through a map.

    A word begins with its first token and ends where the token after its last one begins, which may be the
    end of the text: pauses are shared out to the words around them. A token begins half a hop before the
    centre of its first frame, the first one with the recording.

    Parameters
    ----------
    forced : teacher_forcing.Forced
    scores : float array of shape (n_positions, n_frames)
    timebase : encoders.timebase.Timebase

    Returns
    -------
    list of dict
        Per word utterance_id, word (without the punctuation around it; in scripts without spaces one to a few
        characters, see :func:`text_units.words`), start_s, end_s, centre_s (the middle), score (geometric
        mean of its tokens' probabilities). A word that no frame is left for has end_s = start_s.
    """
    first = first_frames(scores[forced.n_prompt - 1 :])
    begins = timebase.offset_s + (first - 0.5) * timebase.hop_s
    begins = np.clip(begins, 0.0, forced.duration_s)
    rows = []
    for word, tokens in forced.words:
        start, end = float(begins[tokens[0]]), float(begins[tokens[-1] + 1])
        score = math.exp(float(forced.log_probs[tokens].mean()))
        rows.append(
            {
                "utterance_id": forced.name,
                "word": word,
                "start_s": start,
                "end_s": end,
                "centre_s": (start + end) / 2,
                "score": score,
            }
        )
    return rows
