"""Known answers for the calibration itself, and its numbers against scikit-learn and brute force."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_1samp
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from phonoscope import tables
from phonoscope.encoders.timebase import Timebase
from phonoscope.errors import InputError
from phonoscope.probes.inference import resampled
from phonoscope.studies import (
    calibration,
    calibration_aligner,
    calibration_articulation,
    calibration_models,
    calibration_table,
    sheets,
)
from phonoscope.studies import calibration_boundaries as boundaries
from phonoscope.studies import calibration_languages as disjoint
from phonoscope.studies.frames import SpeakerFrames

OPTIONS = {"alphas": [1e-4, 1e-2, 1.0], "shifts_s": [2.0, -2.0], "frame_alignment": "time"}
HOP = 0.02


# Verdicts and intervals


@pytest.mark.parametrize(
    ("low", "high", "less", "words"),
    [
        (0.1, 0.2, False, "better than x"),
        (0.1, 0.2, True, "worse than x"),
        (-0.2, -0.1, False, "worse than x"),
        (-0.2, -0.1, True, "better than x"),
        (-0.1, 0.1, True, "not told apart from x"),
        (0.0, 0.1, False, "not told apart from x"),
        (np.nan, np.nan, False, "no interval: no verdict"),
    ],
)
def test_verdict_follows_from_the_interval(low, high, less, words):
    assert calibration.against(low, high, "x", less) == words


def test_mean_interval_is_that_of_students_test():
    values = np.random.default_rng(0).normal(size=8)
    low, high = ttest_1samp(values, 0).confidence_interval()
    found = calibration.mean_interval([*values[:3], np.nan, *values[3:]])
    assert found == pytest.approx((values.mean(), low, high, 8))
    assert np.isnan(calibration.mean_interval([0.5])[1])


def test_ratio_interval_against_brute_force():
    rng = np.random.default_rng(1)
    below = rng.uniform(0.5, 0.7, 8)
    above = 0.6 * below + 0.02 * rng.normal(size=8)
    drawn = [np.repeat(above, c).mean() / np.repeat(below, c).mean() for c in resampled(8)]
    expected = above.mean() / below.mean(), *np.quantile(drawn, [0.025, 0.975])
    assert calibration.ratio_interval(above, below) == pytest.approx(expected)
    assert np.isnan(calibration.ratio_interval(above, -below)).all()


# Two languages without a common phone


def speaker(name, encode, seed, n_utterances=5, n=260):
    """Frames of a speaker of languages A and B, in turns; ``encode(y, phone, rng)`` gives the features.

    A language has five phones of its own, each a place of the tongue: y is the place of the phone, smoothed.
    """
    rng = np.random.default_rng(seed)
    places = np.random.default_rng(9).normal(size=(10, 3))
    x, y, utterance, spoken = [], [], [], {}
    for u in range(2 * n_utterances):
        language = u % 2
        phone = np.repeat(rng.integers(0, 5, n // 10) + 5 * language, 10)
        track = places[phone]
        track = np.column_stack([np.convolve(t, np.hanning(9) / 4, "same") for t in track.T])
        track = (track - track.mean(axis=0)) / track.std(axis=0)
        x.append(encode(track, phone, rng))
        y.append(track)
        utterance.append(np.full(len(track), u))
        spoken[f"{name}-{u}"] = "AB"[language]
    x, y, utterance = np.concatenate(x).astype("f4"), np.concatenate(y), np.concatenate(utterance)
    time_s = HOP * np.arange(len(x))
    ids = list(spoken)
    return SpeakerFrames(name, "A", x, y, utterance, ids, dict.fromkeys(range(len(ids))), time_s, HOP), spoken


def corpus(encode, n_speakers=4):
    made = [speaker(f"s{i}", encode, i) for i in range(n_speakers)]
    return [frames for frames, _ in made], {k: v for _, names in made for k, v in names.items()}


def as_movement(y, phone, rng):
    return y @ np.random.default_rng(3).normal(size=(3, 6)) + 0.01 * rng.normal(size=(len(y), 6))


def as_phone(y, phone, rng):
    return np.eye(10)[phone] + 0.01 * rng.normal(size=(len(y), 10))


def as_noise(y, phone, rng):
    return rng.normal(size=(len(y), 6))


def of(found, measure, case="both ways"):
    return next(r for r in found if r["measure"] == measure and r["case"] == f"disjoint phones: {case}")


def test_movement_carries_over_and_phones_do_not():
    moved = disjoint.summarise(disjoint.score(*corpus(as_movement), OPTIONS))
    named = disjoint.summarise(disjoint.score(*corpus(as_phone), OPTIONS))
    assert of(moved, "r across languages")["measured"] > 0.99
    assert of(moved, "share kept: across / within")["measured"] == pytest.approx(1, abs=0.01)
    within, across = (of(named, f"r {where}") for where in ("within the language", "across languages"))
    assert within["measured"] > 0.8 and within["verdict"] == "above chance"
    assert abs(across["measured"]) < 0.2
    assert across["truth"] == within["measured"]
    assert across["verdict"].startswith("does not carry over")


def test_noise_reads_nothing():
    scores = disjoint.score(*corpus(as_noise, 12), OPTIONS)
    # A held-out recording's mean lies opposite to that of what was trained on; that is no reading.
    for kind in ("within", "within_chance", "across", "across_chance"):
        assert abs(np.mean([getattr(score, kind) for score in scores])) < 0.02
    found = disjoint.summarise(scores)
    assert of(found, "r within the language")["verdict"] == "not above chance"
    assert of(found, "r across languages")["verdict"].startswith("does not carry over")


def test_verdicts_of_carrying_over():
    rng = np.random.default_rng(0)
    within, chance = 0.7 + 0.01 * rng.normal(size=8), 0.01 * rng.normal(size=8)
    assert disjoint.verdict(within, within + 0.01 * rng.normal(size=8), chance).startswith(
        "carries over: not below"
    )
    words = disjoint.verdict(within, within * 0.5, chance)
    assert words == "carries over in part: keeps 0.50 [0.50, 0.50] of r within the language"
    assert disjoint.verdict(within, chance, chance).startswith("does not carry over")
    assert disjoint.verdict(within[:1], within[:1], chance[:1]) == "no interval: no verdict"


def ridge(x, y, unit, alphas):
    """Predictor, its alpha chosen per target by leaving out each unit; scikit-learn on frames."""

    def made(alpha, rows):
        model = make_pipeline(StandardScaler(), Ridge(alpha * rows.sum()))
        return model.fit(x[rows].astype(float), y[rows])

    error = np.zeros((len(alphas), y.shape[1]))
    for left_out in np.unique(unit):
        rows = unit != left_out
        for a, alpha in enumerate(alphas):
            guess = made(alpha, rows).predict(x[~rows].astype(float))
            error[a] += ((guess - y[~rows]) ** 2).sum(axis=0)
    fits = [made(alpha, unit == unit) for alpha in alphas]
    best = error.argmin(axis=0)
    return lambda new: np.stack([f.predict(new.astype(float)) for f in fits])[best, :, range(y.shape[1])].T


def test_scores_equal_scikit_learn_on_frames():
    def encode(y, phone, rng):
        return np.hstack([as_movement(y, phone, rng), as_phone(y, phone, rng)])[:, ::2] + 0.5 * rng.normal(
            size=(len(y), 8)
        )

    frames, spoken = speaker("s", encode, 4, n_utterances=3, n=120)
    one, two = disjoint.score([frames], spoken, OPTIONS)
    assert (one.train, one.test, two.train, two.test) == ("A", "B", "B", "A")
    language = np.array([spoken[name] for name in frames.utterance_ids])[frames.utterance]
    for score in (one, two):
        train, test = (np.flatnonzero(language == name) for name in (score.train, score.test))
        shifted = {}
        for name, rows in (("train", train), ("test", test)):
            y = frames.y[rows]
            shifted[name] = np.hstack([y, np.roll(y, 100, axis=0), np.roll(y, -100, axis=0)])
        x, unit = frames.x[test], frames.utterance[test]
        across = ridge(frames.x[train], shifted["train"], frames.utterance[train], OPTIONS["alphas"])(x)
        within = np.empty(across.shape)
        for left_out in np.unique(unit):
            rows = unit != left_out
            fitted = ridge(x[rows], shifted["test"][rows], unit[rows], OPTIONS["alphas"])
            within[~rows] = fitted(x[~rows])
        for found, predicted in (
            ((score.within, score.within_chance), within),
            ((score.across, score.across_chance), across),
        ):
            r = [
                [np.corrcoef(predicted[unit == u, c], shifted["test"][unit == u, c])[0, 1] for c in range(9)]
                for u in np.unique(unit)
            ]
            assert found == pytest.approx(
                (np.mean(r, axis=0)[:3].mean(), np.mean(r, axis=0)[3:].mean()), abs=1e-6
            )


def test_languages_need_to_be_two_and_said(tmp_path):
    def written(*languages):
        rows = [{"utterance_id": f"u{i}", "language": name} for i, name in enumerate(languages)]
        tables.write(tables.from_rows(rows, tables.UTTERANCES), tmp_path / "u.parquet")
        return [tmp_path / "u.parquet"]

    assert disjoint.languages(written("A", "B", "A")) == {"u0": "A", "u1": "B", "u2": "A"}
    with pytest.raises(InputError, match="there are 1: A"):
        disjoint.languages(written("A"))
    with pytest.raises(InputError, match="no language"):
        disjoint.languages(written("A", ""))
    frames, spoken = speaker("s", as_noise, 0)
    with pytest.raises(InputError, match="no speaker has two recordings"):
        disjoint.score([frames], dict.fromkeys(spoken, "A"), OPTIONS)


# Trained against untrained and MFCC


def scores(path, model, r, splits=("utterances",)):
    """A score file of one layer: r(speaker, channel, experiment) and a tenth of it as chance."""
    layer, rows = int(path.stem.removeprefix("layer")), []
    for who in ("s1", "s2", "s3"):
        for channel in ("TT_x", "TT_z"):
            tests = [("E1", f"speaker={who} split={s}", f"speaker={who} split={s} part=test") for s in splits]
            for experiment, train, test in [*tests, ("E4", f"except={who}", f"speaker={who}")]:
                value = r(who, channel, experiment) + 0.3 * ("split=frames" in test)
                for metric, factor in (("pearson_r", 1), ("pearson_r_shifted", 0.1)):
                    rows.append(
                        {"experiment": experiment, "probe": "ols", "model": model, "layer": layer}
                        | {"train": train, "test": test, "target": channel, "metric": metric}
                        | {"value": factor * value, "n_train": 9, "n_test": 9, "note": ""}
                    )
    tables.write(tables.from_rows(rows, tables.SCORES), path)
    return path


def test_differences_to_references(tmp_path):
    voice = {"s1": 0.08, "s2": 0.1, "s3": 0.12}
    both = ("utterances", "frames")
    mine = [
        scores(tmp_path / "m" / f"layer{n}.parquet", "m", lambda w, c, e, n=n: 0.5 + 0.1 * n + voice[w], both)
        for n in (0, 1, 2)
    ]
    twin = [
        scores(tmp_path / "t" / f"layer{n}.parquet", "twin", lambda w, c, e: 0.2 + voice[w]) for n in (0, 1)
    ]
    spectrum = tmp_path / "s" / "layer0.parquet"
    mfcc = [scores(spectrum, "mfcc", lambda w, c, e: 0.6 + 2 * voice[w] - 0.1 * (e == "E4"))]
    found = calibration_articulation.compare("c", "m", mine, [*twin, *mfcc], "ols").to_pandas()
    value = found.set_index(["case", "reference", "layer"]).sort_index()
    same, left_out = calibration_articulation.CASES.values()
    # The twin has no layer 2; MFCC's only layer is compared with all.
    assert len(found) == 2 * (2 + 3)
    assert value.loc[(same, "twin", 1), "measured"] == pytest.approx(0.4)
    assert value.loc[(same, "twin", 1), "chance"] == pytest.approx(0.04)
    assert value.loc[(same, "twin", 1), "verdict"] == "better than twin"
    assert value.loc[(same, "mfcc", 2), "measured"] == pytest.approx(0.7 - 0.6 - 0.1)
    assert value.loc[(same, "mfcc", 2), "verdict"] == "not told apart from mfcc"
    assert value.loc[(same, "mfcc", 0), "verdict"] == "worse than mfcc"
    assert value.loc[(left_out, "mfcc", 2), "measured"] == pytest.approx(0.1)
    assert set(found.n) == {3}
    best = calibration_table.best(found).set_index(["case", "reference"])
    assert best.loc[(same, "mfcc"), "layer"] == 2


def test_which_models_are_compared():
    hubert = {"encoder": "transformers", "depth": 4}
    models = {
        "mel": {"encoder": "mel"},
        "mfcc": {"encoder": "mfcc", "context": 0},
        "mfcc-wide": {"encoder": "mfcc", "context": 5},
        "fi": hubert | {"path": "fi"},
        "ru": hubert | {"path": "ru"},
        "large": hubert | {"path": "large", "depth": 24},
        "random": hubert | {"path": "fi", "init": "random"},
        "random-ru": hubert | {"path": "ru", "init": "random"},
    }
    assert calibration_models.references(models) == {
        "fi": ["random", "mfcc-wide"],
        "ru": ["random-ru", "mfcc-wide"],
        "large": ["mfcc-wide"],
    }
    del models["random-ru"], models["mfcc"], models["mfcc-wide"]
    assert calibration_models.references(models) == {"fi": ["random"], "ru": ["random"]}


# The aligner


class Knows:
    """An aligner that has seen the answer, late by ``late`` frames; frames of 20 ms from 0 on."""

    vocabulary = {"<pad>": 0, "<unk>": 1, "a": 2, "b": 3}
    timebase = Timebase(HOP, HOP / 2)

    def __init__(self, late=0):
        self.late, self.paths = late, iter(())

    def log_probs(self, audio):
        path = np.roll(next(self.paths), self.late)
        found = np.full((len(path), 4), 1e-4)
        found[np.arange(len(path)), path] = 1 - 3e-4
        return np.log(found)


def recordings(folder, labels=("a", "b", "a"), durations=(0.095, 0.105, 0.2)):
    """Four recordings of two voices: 0.1 s of silence, the phones, 0.1 s of silence."""
    import soundfile

    utterances, phones, paths = [], {}, []
    edges = 0.1 + np.concatenate([[0], np.cumsum(durations)])
    for i in range(4):
        name, total = f"u{i}", edges[-1] + 0.1
        soundfile.write(folder / f"{name}.wav", np.zeros(round(total * 16000)), 16000)
        utterances.append(
            {"utterance_id": name, "audio": str(folder / f"{name}.wav"), "duration_s": total}
            | {"speaker": f"s{i % 2}", "language": "xy"[i // 2], "split": "test"}
        )
        phones[name] = [
            {"utterance_id": name, "tier": "phone", "start_s": start, "end_s": end, "label": label}
            for start, end, label in zip(edges, edges[1:], labels, strict=False)
        ]
        centres = HOP / 2 + HOP * np.arange(round(total / HOP))
        path = np.zeros(len(centres), dtype=int)
        for phone in phones[name]:
            inside = (centres >= phone["start_s"]) & (centres < phone["end_s"])
            path[inside] = Knows.vocabulary.get(phone["label"], 1)
        paths.append(path)
    return utterances, phones, paths


def segments(folder, phones):
    """The phones and a silence as a table of segments."""
    rows = [row for each in phones.values() for row in each]
    rows.append(rows[0] | {"label": "sil", "start_s": 0.0, "end_s": 0.1})
    tables.write(tables.from_rows(rows, tables.SEGMENTS), folder / "s.parquet")
    return [folder / "s.parquet"]


def aligned(folder, late=0, cut=None, **options):
    utterances, phones, paths = recordings(folder, **options)
    aligner = Knows(late)
    aligner.paths = iter([path[:2] if i == cut else path for i, path in enumerate(paths)])
    found = boundaries.measure(aligner, utterances, segments(folder, phones))
    tables.write(found, folder / "b.parquet")
    return found.to_pandas()


@pytest.mark.parametrize(("late", "errors"), [(0, [0, 5, 0]), (2, [40, 45, 40])])
def test_boundary_errors_are_those_known(tmp_path, late, errors):
    found = aligned(tmp_path, late)
    off = {name: 1000 * (found[f"{name}_s"] - found.start_s) for name in ("aligned", "uniform", "grid")}
    assert off["aligned"].tolist() == pytest.approx(np.tile(errors, 4), abs=1e-6)
    assert off["grid"].tolist() == pytest.approx(np.tile([0, 5, 0], 4), abs=1e-6)
    # 0.6 s in three parts of 200 ms; the phones begin at 100, 195 and 300 ms.
    assert off["uniform"].tolist() == pytest.approx(np.tile([-100, 5, 100], 4), abs=1e-6)
    assert found.label.tolist() == ["a", "b", "a"] * 4 and found.has_class.all()
    assert found.speaker.tolist() == [f"s{i % 2}" for i in range(4) for _ in range(3)]


def test_unknown_phones_and_short_recordings_are_counted(tmp_path):
    found = aligned(tmp_path, cut=3, labels=("a", "q", "b"))
    assert len(found) == 9 and found.has_class.tolist() == [True, False, True] * 3
    rows = calibration_aligner.rows("c", "m", tmp_path / "b.parquet").to_pandas()
    assert rows.note[0].endswith("1 recordings left out; 3 phones without a class")
    utterances, *_ = recordings(tmp_path)
    with pytest.raises(InputError, match="no phones"):
        boundaries.measure(Knows(), [utterances[0] | {"utterance_id": "other"}], [tmp_path / "s.parquet"])


def test_rows_of_the_aligner(tmp_path):
    aligned(tmp_path)
    found = calibration_aligner.rows("c", "m", tmp_path / "b.parquet").to_pandas()
    value = found.set_index(["case", "measure"])
    assert list(dict.fromkeys(found.case)) == ["aligner: all", "aligner: x", "aligner: y"]
    row = value.loc[("aligner: all", "boundary error, 90th percentile")]
    assert (row.measured, row.chance, row.truth, row.n) == pytest.approx((5, 100, 0, 12))
    assert row.verdict == "better than equal parts"
    share = value.loc[("aligner: all", "boundaries within 20 ms")]
    assert (share.measured, share.chance, share.truth) == pytest.approx((1, 1 / 3, 1))
    assert share.verdict == "better than equal parts"


def test_intervals_of_the_aligner_are_over_voices(tmp_path):
    rng = np.random.default_rng(0)
    rows = [
        {"utterance_id": "u", "speaker": f"s{s}", "language": "x", "label": "a", "has_class": True}
        | {"start_s": 0.0, "aligned_s": 0.02 * rng.exponential() * (s + 1), "uniform_s": 0.05, "grid_s": 0.0}
        for s in range(6)
        for _ in range(5 + 3 * s)
    ]
    table = tables.from_rows(rows, boundaries.BOUNDARIES)
    tables.write(table, tmp_path / "b.parquet", left_out=0)
    found = calibration_aligner.rows("c", "m", tmp_path / "b.parquet").to_pandas()
    by_voice = [[1000 * r["aligned_s"] for r in rows if r["speaker"] == f"s{s}"] for s in range(6)]
    medians = [
        np.median(np.concatenate([np.tile(v, c) for v, c in zip(by_voice, draw, strict=True)]))
        for draw in resampled(6)
    ]
    assert found.loc[0, ["ci_low", "ci_high"]].tolist() == pytest.approx(np.quantile(medians, [0.025, 0.975]))
    assert found.case.tolist() == ["aligner: x"] * 3


def test_recordings_are_chosen_by_language_and_split(tmp_path):
    names = [("fi", "test"), ("fi", "train"), ("ru", "test"), ("en", "test")]
    rows = [{"utterance_id": str(i), "language": a, "split": b} for i, (a, b) in enumerate(names)]
    tables.write(tables.from_rows(rows, tables.UTTERANCES), tmp_path / "u.parquet")
    paths = [tmp_path / "u.parquet"]
    assert [row["utterance_id"] for row in boundaries.chosen(paths, ["fi", "ru"], ["test"], [])] == ["0", "2"]
    assert len(boundaries.chosen(paths, [], [], [])) == 4
    with pytest.raises(InputError, match="no recording has a language, split and voice"):
        boundaries.chosen(paths, ["es"], [], [])


@pytest.mark.parametrize("q", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_quantile_of_repeated_values(q):
    rng = np.random.default_rng(0)
    for n in (1, 2, 7, 100):
        values, times = rng.exponential(size=n).round(1), rng.integers(0, 4, n)
        times[0] = 1
        expected = np.quantile(np.repeat(values, times), q)
        assert calibration_aligner.quantile(values, times, q) == pytest.approx(expected)


# The table


def test_table_is_read_back_as_it_was_written(tmp_path):
    one = calibration.table([{"study": "a", "layer": 3, "measured": 0.5, "n": 8, "ci_low": float("nan")}])
    two = calibration.table([{"study": "b", "measured": 2.0, "n": 9, "note": "no layer", "truth": 1.0}])
    for name, table in (("one", one), ("two", two), ("none", calibration.table([]))):
        tables.write(table, tmp_path / f"{name}.parquet")
    found = calibration_table.combine([tmp_path / f"{name}.parquet" for name in ("none", "one", "two")])
    assert list(found.columns) == calibration.ROWS.names
    assert found.layer.tolist() == [3, pd.NA] and found.study.tolist() == ["a", "b"]
    sheets.write(found, tmp_path / "calibration.csv")
    pd.testing.assert_frame_equal(calibration_table.read(tmp_path / "calibration.csv"), found)
    sheets.write(calibration_table.combine([tmp_path / "none.parquet"]), tmp_path / "empty.csv")
    assert calibration_table.read(tmp_path / "empty.csv").empty
    with pytest.raises(KeyError, match="colour"):
        calibration.table([{"colour": 1}])
