"""Cross-validation of tone probes against scikit-learn's, and states of segments against their definition."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from phonoscope import embeddings, tables
from phonoscope.errors import InputError
from phonoscope.studies import tone_acoustic, tone_choice, tone_probes, tone_states


def problem(seed=0, n=240, dim=12, n_classes=3):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, n_classes, n)
    x = rng.normal(size=(n, dim)) + 1.2 * np.eye(n_classes, dim)[y]
    return x, y, rng.integers(0, 4, n)


def test_scores_are_those_of_scikit_learn():
    x, y, fold = problem()
    (found,) = tone_probes.cross_validate(x, [y], fold, 3, [1.0])
    for k in range(4):
        model = make_pipeline(
            StandardScaler(), LogisticRegression(class_weight="balanced", tol=1e-8, max_iter=5000)
        )
        predicted = model.fit(x[fold != k], y[fold != k]).predict(x[fold == k])
        assert (found.predicted[fold == k] == predicted).mean() > 0.98
        expected = f1_score(y[fold == k], predicted, average="macro", labels=range(3))
        assert found.scores[k] == pytest.approx(expected, abs=0.03)


def test_labellings_do_not_meet():
    x, y, fold = problem()
    other = np.random.default_rng(5).permutation(y)
    both = tone_probes.cross_validate(x, [y, other], fold, 3, [1.0])
    for labels, found in zip((y, other), both, strict=True):
        (alone,) = tone_probes.cross_validate(x, [labels], fold, 3, [1.0])
        assert np.array_equal(found.logits, alone.logits)


def test_the_penalty_is_chosen_within_the_training_part():
    x, y, fold = problem(dim=200)
    (found,) = tone_probes.cross_validate(x, [y], fold, 3, [1e-9, 0.01])
    assert 0.01 in {probe.C for probe in found.probes}
    # What the tested fold is labelled changes no probe.
    spoiled = np.where(fold == 2, (y + 1) % 3, y)
    (again,) = tone_probes.cross_validate(x, [spoiled], fold, 3, [1e-9, 0.01])
    assert np.array_equal(again.probes[2].coef, found.probes[2].coef)


def test_controls():
    _, y, fold = problem()
    items = {"label": y, "fold": fold}
    shuffled = tone_probes.shuffled(items, 0)
    for k in range(4):
        assert sorted(shuffled[fold == k]) == sorted(y[fold == k])
    assert (shuffled != y).mean() > 0.5
    values = tone_probes.majority(
        {"label": np.array([0, 0, 1, 0, 0, 1]), "fold": np.array([0, 0, 0, 1, 1, 1])}, 2
    )
    assert values == pytest.approx([0.4, 0.4])


def test_not_finite():
    x, y, fold = problem()
    x[7, 0] = np.nan
    with pytest.raises(InputError, match="item 7"):
        tone_probes.cross_validate(x, [y], fold, 3, [1.0])


def items_of(centres, ids="u", half=0.05):
    centres = np.asarray(centres)
    return {
        "utterance_id": np.array([f"{ids}{k % 2}" for k in range(len(centres))], dtype=object),
        "centre_s": centres,
        "start_s": centres - half,
        "end_s": centres + half,
        "label": np.zeros(len(centres), dtype=int),
    }


def test_frames_of_segments():
    items = items_of([0.0, 0.1, 0.119, 5.0])
    where = np.arange(4)
    frames = tone_states.frames_of(items, where, 20, 0.02, 0.0125, "centre")
    assert [list(each) for each in frames] == [[0], [4], [5], [19]]
    frames = tone_states.frames_of(items, where, 20, 0.02, 0.0125, "mean")
    assert list(frames[1]) == [2, 3, 4, 5, 6] and list(frames[3]) == [19]
    short = items_of([0.105], half=0.001)
    assert list(tone_states.frames_of(short, [0], 20, 0.02, 0.0, "mean")[0]) == [5]


@pytest.mark.parametrize("representation", ["centre", "mean"])
def test_states(tmp_path, representation):
    rng = np.random.default_rng(0)
    values = {f"u{k}": rng.normal(size=(30 + k, 4)).astype(np.float32) for k in range(3)}
    with embeddings.Writer(tmp_path / "l", 4, "float32", {"hop_s": 0.02, "offset_s": 0.0125}) as writer:
        for name, rows in values.items():
            writer.append(name, rows)
    items = items_of([0.1, 0.2, 0.3, 0.25])
    found = tone_states.states(items, [tmp_path / "l"], representation)
    for k in range(4):
        name = items["utterance_id"][k]
        times = 0.0125 + 0.02 * np.arange(len(values[name]))
        if representation == "centre":
            rows = [np.abs(times - items["centre_s"][k]).argmin()]
        else:
            rows = (times >= items["start_s"][k]) & (times <= items["end_s"][k])
        assert found[k] == pytest.approx(values[name][rows].mean(axis=0), abs=1e-6)
    with pytest.raises(InputError, match="utterance v0"):
        tone_states.states(items_of([0.1], ids="v"), [tmp_path / "l"], representation)


def test_probes_come_back_as_they_were(tmp_path):
    x, y, fold = problem()
    (found,) = tone_probes.cross_validate(x, [y], fold, 3, [1.0])
    packed = tone_states.pack(found.probes)
    tone_states.write_probes(packed, tmp_path / "p.npz")
    again = tone_states.read_probes(tmp_path / "p.npz")
    assert all(np.array_equal(again[name], packed[name]) for name in packed)
    items = {"fold": fold, "label": y}
    directions = tone_states.directions(again, items, np.arange(len(y)))
    # Along its direction, an item's own logit grows by the direction's square.
    k, step = 11, 1e-3
    probe = found.probes[fold[k]]
    grown = probe.logits(x[k] + step * directions[k]) - probe.logits(x[k])
    assert grown[y[k]] / step == pytest.approx(directions[k] @ directions[k], rel=1e-6)
    (tmp_path / "p.npz").write_bytes(b"no")
    with pytest.raises(InputError, match="not readable"):
        tone_states.read_probes(tmp_path / "p.npz")


MEL = {"n_mels": 40, "frame_ms": 25, "fmin_hz": 0, "fmax_hz": 8000, "hop_ms": 10, "windows_ms": [20, 60]}


def test_log_mel_frames_lie_about_the_centre():
    """Against torchaudio's spectrogram on a grid that the frames happen to lie on."""
    import torch
    from torchaudio.transforms import MelSpectrogram

    audio = np.random.default_rng(0).normal(size=8000).astype(np.float32) * 0.1
    mel = MelSpectrogram(16000, n_fft=512, win_length=400, hop_length=160, n_mels=40, center=False)
    expected = torch.log(mel(torch.from_numpy(audio)) + 1e-6).T.numpy()
    # torchaudio puts its 400-sample window in the middle of the 512: frame k is centred at 160 k + 256.
    centre, offsets = 160 * 10 + 256, np.array([-160, 0, 320])
    found = tone_acoustic.log_mel(audio, [centre], offsets, MEL)
    assert found[0] == pytest.approx(expected[[9, 10, 12]], abs=1e-3)


def test_windows_hold_frames_within_half_their_width(tmp_path):
    import soundfile

    tone = np.zeros(16000, dtype=np.float32)
    tone[8000:] = 0.1 * np.sin(np.arange(8000))
    soundfile.write(tmp_path / "a.wav", tone, 16000)
    items = items_of([0.5]) | {"fold": np.array([0])}
    frames, offsets = tone_acoustic.features(items, {"u0": tmp_path / "a.wav"}, MEL)
    assert list(offsets) == [-25, -15, -5, 5, 15, 25] and frames.shape == (1, 6, 40)
    level = frames[0].max(axis=1)
    assert level[0] < level[2] < level[5]


def test_score_of_windows(tmp_path):
    """Tones that sound within 40 ms are told there, and no wider window is needed."""
    import soundfile

    rng, rows, segments = np.random.default_rng(0), [], []
    for u in range(4):
        audio = 0.01 * rng.normal(size=16000 * 6).astype(np.float32)
        for k in range(24):
            at, label = 0.2 + 0.24 * k, int(rng.integers(2))
            n = np.arange(640)
            start = round(at * 16000) - 320
            audio[start : start + 640] += (
                0.2 * np.hanning(640) * np.sin(2 * np.pi * (400 + 800 * label) * n / 16000)
            )
            where = {"utterance_id": f"u{u}", "start_s": at - 0.1, "end_s": at + 0.1, "score": 1.0}
            segments.append(where | {"tier": "tone", "label": f"t{label}"})
        soundfile.write(tmp_path / f"{u}.wav", audio, 16000)
        row = {
            "utterance_id": f"u{u}",
            "audio": str(tmp_path / f"{u}.wav"),
            "speaker": f"s{u}",
            "duration_s": 6.0,
        }
        rows.append(row | {"shard": "x", "language": "L", "split": "test"})
    tables.write(tables.from_rows(rows, tables.UTTERANCES), tmp_path / "u.parquet")
    tables.write(tables.from_rows(segments, tables.SEGMENTS), tmp_path / "s.parquet")
    options = {
        "splits": [],
        "min_score": 0,
        "min_duration_ms": 40,
        "max_items": None,
        "fold_by": "auto",
        "folds": 4,
    }
    options |= {"least": 2, "rare": "leave_out", "merge": {}, "seed": 0}
    items, _ = tone_choice.choose([tmp_path / "u.parquet"], [tmp_path / "s.parquet"], options)
    tables.write(items, tmp_path / "i.parquet")
    found = tone_acoustic.score(
        tmp_path / "i.parquet",
        [tmp_path / "u.parquet"],
        MEL | {"C": [1.0], "solver": "preconditioned", "seed": 0},
        "c",
    ).to_pandas()
    means = found.groupby(["probe", "target"]).value.mean()
    assert means["logistic", "20"] > 0.97
    assert 0.3 < means["shuffled", "20"] < 0.7 and means["majority", ""] < 0.4
    assert set(found.n_test) == {24} and set(found.n_train) == {72}
