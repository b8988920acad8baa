"""Forced alignment against all paths, one by one."""

import itertools

import numpy as np
import pytest
import torch

from phonoscope.alignment import forced
from phonoscope.encoders.timebase import Timebase
from phonoscope.errors import InputError

CLOCK = Timebase(hop_s=0.02, offset_s=0.0125)


def collapsed(path, blank):
    kept = [one for one, before in zip(path, [None, *path], strict=False) if one != before]
    return [one for one in kept if one != blank]


def best_ctc(log_probs, tokens, blank):
    """The best score over all paths that collapse to the tokens."""
    classes = range(log_probs.shape[1])
    paths = [p for p in itertools.product(classes, repeat=len(log_probs)) if collapsed(p, blank) == tokens]
    return max(sum(log_probs[t, c] for t, c in enumerate(p)) for p in paths)


def frame_wise(n_frames, tokens, silence):
    """All assignments of frames to tokens in order: lists of token numbers, -1 for silence."""
    allowed = range(-1 if silence is not None else 0, len(tokens))
    for path in itertools.product(allowed, repeat=n_frames):
        said = [one for one in path if one >= 0]
        in_a_row = all(
            first == second or first == -1 or second == -1 or second == first + 1
            for first, second in itertools.pairwise(path)
        )
        whole = sorted(set(said)) == list(range(len(tokens))) and said == sorted(said)
        stretches = len(collapsed(path, -1)) == len(tokens)
        if in_a_row and whole and stretches:
            yield path


def best_frame_wise(log_probs, tokens, silence):
    column = [*tokens, silence]
    return max(
        sum(log_probs[t, column[k]] for t, k in enumerate(path))
        for path in frame_wise(len(log_probs), tokens, silence)
    )


def random_log_probs(seed, n_frames=6, n_classes=3):
    logits = 2 * np.random.default_rng(seed).standard_normal((n_frames, n_classes))
    return (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))).astype(np.float32)


def frames_of(aligned):
    """First and past-the-end frame of each token."""
    edge = CLOCK.offset_s - CLOCK.hop_s / 2
    return [
        (round((max(s, edge) - edge) / CLOCK.hop_s), round((e - edge) / CLOCK.hop_s)) for s, e, _ in aligned
    ]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("tokens", [[1], [1, 2], [2, 1, 2], [1, 1], [1, 1, 2]])
@pytest.mark.parametrize("silence", [None, 0])
def test_frame_wise_alignment_is_the_best_of_all(tokens, seed, silence):
    log_probs = random_log_probs(seed)
    found = frames_of(forced.align(log_probs, tokens, CLOCK, silence=silence))
    path = np.full(len(log_probs), -1)
    for k, (start, end) in enumerate(found):
        assert end > start and (path[start:end] == -1).all()
        path[start:end] = k
    assert silence is not None or (path >= 0).all()
    score = sum(log_probs[t, [*tokens, silence][k]] for t, k in enumerate(path))
    assert score == pytest.approx(best_frame_wise(log_probs, tokens, silence), abs=1e-4)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("tokens", [[1], [1, 2], [2, 1, 2], [1, 1], [1, 1, 2]])
def test_ctc_alignment_is_the_best_of_all(tokens, seed):
    log_probs = random_log_probs(seed)
    spans = forced._spans(torch.from_numpy(log_probs), tokens, 0)
    path = np.zeros(len(log_probs), int)
    for span in spans:
        path[span.start : span.end] = span.token
    assert collapsed(path.tolist(), 0) == tokens
    score = sum(log_probs[t, c] for t, c in enumerate(path))
    assert score == pytest.approx(best_ctc(log_probs, tokens, 0), abs=1e-4)


def certain(path, n_classes=3):
    log_probs = np.full((len(path), n_classes), np.log(0.05), np.float32)
    log_probs[np.arange(len(path)), path] = np.log(0.9)
    return log_probs


def test_blanks_between_spikes_are_split_in_the_middle():
    path = [0, 1, 0, 0, 0, 0, 2, 2, 0]
    found = forced.align(certain(path), [1, 2], CLOCK, blank=0)
    edge = CLOCK.offset_s - CLOCK.hop_s / 2
    np.testing.assert_allclose([each[:2] for each in found], edge + 0.02 * np.array([[1, 4], [4, 8]]))
    np.testing.assert_allclose([each[2] for each in found], 0.9, rtol=1e-5)


def test_silence_keeps_its_frames():
    found = forced.align(certain([0, 1, 1, 0, 0, 2, 0]), [1, 2], CLOCK, silence=0)
    assert frames_of(found) == [(1, 3), (5, 6)]


def test_equal_neighbours_need_a_blank_only_in_ctc():
    log_probs = random_log_probs(0, n_frames=3)
    assert frames_of(forced.align(log_probs, [1, 1, 1], CLOCK)) == [(0, 1), (1, 2), (2, 3)]
    with pytest.raises(InputError, match="3 frames are too few for 3 tokens, which need 5"):
        forced.align(log_probs, [1, 1, 1], CLOCK, blank=0)


def test_times_do_not_begin_before_the_recording():
    found = forced.align(certain([1, 2]), [1, 2], Timebase(0.02, 0.0))
    assert found[0][0] == 0.0 and found[1][1] == pytest.approx(0.03)


def test_what_cannot_be_said_is_refused():
    impossible = np.array([[0.0, -np.inf], [0.0, -np.inf]], np.float32)
    with pytest.raises(InputError, match="no path"):
        forced.align(impossible, [1], CLOCK, blank=0)
    with pytest.raises(ValueError, match="among the tokens"):
        forced.align(impossible, [0, 1], CLOCK, blank=0)
    assert forced.align(impossible, [], CLOCK, blank=0) == []


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("silence", [None, 0])
@pytest.mark.parametrize("tokens", [[1], [1, 2], [1, 1], [2, 1, 1]])
def test_two_frames_for_each_token(tokens, silence, seed):
    log_probs, column = random_log_probs(seed), [*tokens, silence]
    paths = [
        path
        for path in frame_wise(len(log_probs), tokens, silence)
        if all(path.count(k) >= 2 for k in range(len(tokens)))
    ]
    found = forced.align(log_probs, tokens, CLOCK, silence=silence, least=2)
    path = np.full(len(log_probs), -1)
    for k, ((first, end), (*_, score)) in enumerate(zip(frames_of(found), found, strict=True)):
        path[first:end] = k
        assert np.log(score) == pytest.approx(np.mean(log_probs[first:end, tokens[k]]), abs=1e-5)
    totals = {p: sum(log_probs[t, column[k]] for t, k in enumerate(p)) for p in paths}
    # Of two equal neighbours the edge may be anywhere: the paths are as good.
    assert totals[tuple(path.tolist())] == pytest.approx(max(totals.values()), abs=1e-5)


def test_two_frames_are_too_many():
    with pytest.raises(InputError, match="3 frames are too few for 2 tokens, which need 4"):
        forced.align(random_log_probs(0, n_frames=3), [1, 2], CLOCK, silence=0, least=2)
    with pytest.raises(ValueError, match="least must be 1"):
        forced.align(random_log_probs(0), [1], CLOCK, blank=0, least=2)


@pytest.mark.parametrize("least", [1, 2])
def test_a_long_recording_is_aligned_where_it_was_planted(least):
    rng = np.random.default_rng(0)
    tokens, path, planted = rng.integers(1, 20, size=500).tolist(), [], []
    for token in tokens:
        path += [0] * rng.integers(1, 4)
        planted.append((len(path), len(path) + int(rng.integers(least, 6))))
        path += [token] * (planted[-1][1] - planted[-1][0])
    found = forced.align(certain(path, n_classes=20), tokens, CLOCK, silence=0, least=least)
    assert frames_of(found) == planted


def test_a_pause_belongs_to_no_token():
    """Two spikes with a second of blank between them reach 150 ms into it from each side."""
    log_probs = np.full((60, 3), -20.0)
    log_probs[:, 0] = 0
    for frame, token in ((2, 1), (52, 2)):
        log_probs[frame], log_probs[frame, token] = -20, 0
    (_, first_end, _), (second_start, _, _) = forced.align(log_probs, [1, 2], CLOCK, blank=0)
    assert first_end == pytest.approx(0.0025 + 3 * 0.02 + 0.15)
    assert second_start == pytest.approx(0.0025 + 52 * 0.02 - 0.15)
