"""Windows: every frame once, and how far their states are from the whole recording's."""

import numpy as np
import pytest

from phonoscope.encoders import windows
from phonoscope.encoders.load import load
from phonoscope.errors import InputError


@pytest.mark.parametrize("family", ["wav2vec2-base", "wav2vec2-bert", "whisper"])
@pytest.mark.parametrize("overlap", [0, 0.1, 0.5])
def test_every_frame_is_kept_once(encoder_of, family, overlap):
    encoder = encoder_of(family)
    for n in [*range(16000, 16000 + 700, 53), 64000, 100001]:
        kept = []
        for piece in windows.cut(encoder, n, 1.0, overlap):
            assert piece.start % 320 == 0 and piece.stop - piece.start <= 16000
            assert 0 <= piece.first < piece.last <= encoder.frames(piece.stop - piece.start)
            kept.extend(piece.start // 320 + i for i in range(piece.first, piece.last))
        assert kept == list(range(encoder.frames(n)))


def test_stitched_at_the_middle_of_the_overlap(encoder_of):
    first, second = windows.cut(encoder_of("wav2vec2-base"), 28000, 1.0, 0.2)
    assert (first.start, first.last, second.start, second.first) == (0, 44, 12480, 5)


def test_up_to_the_window_a_recording_is_whole(encoder_of, speechlike):
    encoder, audio = encoder_of("wav2vec2-large"), speechlike(1.0)
    assert len(windows.cut(encoder, 16000, 1.0, 0.2)) == 1
    whole, windowed = encoder.encode([audio])[0], windows.encode(encoder, audio, 1.0, 0.2)
    assert all(np.array_equal(whole[layer], windowed[layer]) for layer in whole)


@pytest.mark.parametrize("window, overlap", [(1.0, 1.0), (1.0, 2.0), (0.01, 0), (1.0, -0.1)])
def test_impossible_windows(encoder_of, window, overlap):
    with pytest.raises(InputError, match="well below the window"):
        windows.cut(encoder_of("wav2vec2-base"), 160000, window, overlap)


def test_whisper_shortens_the_window_to_30_s(encoder_of):
    pieces = windows.cut(encoder_of("whisper"), 16000 * 70, 60, 8)
    assert max(piece.stop - piece.start for piece in pieces) == 30 * 16000 and len(pieces) == 3


def test_a_whisper_of_3_s_shortens_the_overlap_too(encoder_of, monkeypatch):
    encoder = encoder_of("whisper")
    monkeypatch.setattr(encoder, "longest_s", 3.0)
    pieces = windows.cut(encoder, 16000 * 7, 60, 8)
    assert [(piece.start / 16000, piece.stop / 16000) for piece in pieces] == [(0, 3), (2, 5), (4, 7)]
    assert sum(piece.last - piece.first for piece in pieces) == encoder.frames(16000 * 7)
    assert len(windows.cut(encoder, 16000 * 2, 60, 8)) == 1


@pytest.mark.parametrize("model", [{"encoder": "mel"}, {"encoder": "mfcc", "context": 2}])
def test_baselines_in_windows_are_the_same(speechlike, model):
    """Their context is far shorter than half the overlap."""
    report = windows.difference(load(model), speechlike(3.3), 1.0, 0.4)
    assert report[0]["max"] < 1e-6


@pytest.mark.parametrize(
    "family, limits",
    [("wav2vec2-large", (1e-5, 0.1, 0.1, 0.1)), ("wav2vec2-base", (0.3, 0.3, 0.3, 0.3))],
)
def test_report_of_windows_against_the_whole(encoder_of, speechlike, family, limits, capsys):
    """Layer norm: layer 0 needs only the positional convolution's reach; group norm sees the window."""
    report = windows.difference(encoder_of(family), speechlike(8.0), 4.0, 2.0)
    with capsys.disabled():
        for layer, row in report.items():
            print(
                f"\n{family} layer {layer}: windows differ by {row['mean']:.2e} (largest {row['max']:.2e})",
                end="",
            )
    assert list(report) == [0, 1, 2, 3]
    for layer, limit in enumerate(limits):
        assert 0 <= report[layer]["mean"] <= limit and report[layer]["mean"] <= report[layer]["max"]
    assert report[3]["mean"] > 0
