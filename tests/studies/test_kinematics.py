"""The study's rows against scikit-learn fits made one by one on the frames, and what is planted in them."""

import numpy as np
import pyarrow as pa
import pytest
from sklearn.linear_model import LinearRegression

from phonoscope import embeddings, tables
from phonoscope.errors import InputError
from phonoscope.probes import designs, transfer
from phonoscope.studies import articulation, kinematics
from phonoscope.studies.frames import Corpus
from phonoscope.studies.kinematics_rows import SCORES

CHANNELS = ["TT_x", "TT_z", "LL_x", "LL_z"]
HOP, OFFSET, RATE = 0.02, 0.0125, 200.0
OPTIONS = {
    "probes": ["ols"],
    "groups": ["native_language", "sex", "condition"],
    "maps": ["affine", "rotation", "articulator"],
    "map_seconds": [3, 1000, "all"],
    "alphas": [1e-4, 1e-2, 1.0],
    "test_share": 0.25,
    "frame_alignment": "time",
    "shifts_s": [1.0, -2.0],
    "seed": 0,
}
SPEAKERS = {"a1": ("A", "f"), "a2": ("A", "m"), "a3": ("A", "f"), "b1": ("B", "m"), "b2": ("B", "f")}


def smooth(rng, n, k):
    """Noise of some 5 Hz, sampled at RATE."""
    steps = rng.standard_normal((n + 40, k))
    return np.stack([np.convolve(column, np.hanning(41), "valid") for column in steps.T], axis=1)[:n]


def write_corpus(folder, speakers=SPEAKERS, n_utterances=8, d=7, noise=0.7, maps=None, dead=None, seed=0,
                 scaled=True, conditions="XY"):  # fmt: skip
    """A corpus whose hidden states are a noisy image of one tract; ``maps`` gives each speaker's EMA from it.

    ``dead``: speaker -> list of channels that it lacks, or of (utterance, channel).
    """
    rng = np.random.default_rng(seed)
    k = len(CHANNELS)
    mixing = rng.standard_normal((k, d))
    paths = {"utterances": [], "articulation": [], "embeddings": []}
    for speaker, (language, sex) in speakers.items():
        rows, tracks, scale = [], [], {}
        path = {kind: folder / kind / f"{speaker}.parquet" for kind in paths}
        path["embeddings"].parent.mkdir(parents=True, exist_ok=True)
        with embeddings.Writer(
            path["embeddings"], d, "float32", {"hop_s": HOP, "offset_s": OFFSET}
        ) as writer:
            for u in range(n_utterances):
                name, n = f"{speaker}-{u}", int(rng.integers(250, 450))
                tract = smooth(rng, n, k)
                tract = (tract - tract.mean(axis=0)) / tract.std(axis=0)
                frames = int((n / RATE - OFFSET) / HOP)
                at = OFFSET + HOP * np.arange(frames)
                seen = np.column_stack([np.interp(at, np.arange(n) / RATE, c) for c in tract.T])
                states = seen @ mixing + noise * rng.standard_normal((frames, d))
                writer.append(name, states.astype("f4"))
                ema = tract @ maps[speaker].T if maps else tract
                sd = ema.std(axis=0) if scaled else np.ones(k)
                ema = (ema - ema.mean(axis=0)) / sd
                for channel in (dead or {}).get(speaker, []):
                    if not isinstance(channel, tuple):
                        ema[:, channel] = np.nan
                    elif channel[0] == u:
                        ema[:, channel[1]] = np.nan
                column = [pa.array([name] * n).dictionary_encode(), pa.array(np.arange(n) / RATE)]
                column += [pa.array(e.astype("f4"), from_pandas=True) for e in ema.T]
                tracks.append(pa.table(column, schema=tables.articulation_schema(CHANNELS)))
                scale[name] = {c: [0.0, float(s)] for c, s in zip(CHANNELS, sd, strict=True)}
                rows.append(
                    {"utterance_id": name, "speaker": speaker, "native_language": language, "sex": sex}
                    | {"task": "T", "condition": conditions[u % len(conditions)]}
                )
        tables.write(tables.from_rows(rows, tables.UTTERANCES), path["utterances"])
        joined = pa.concat_tables(tracks).unify_dictionaries()
        tables.write(joined, path["articulation"], channels=CHANNELS, scale=scale, rate=RATE)
        for kind in paths:
            paths[kind].append(path[kind])
    return paths


def run(paths, **changes):
    scores, speakers = kinematics.score(
        paths["utterances"], paths["articulation"], paths["embeddings"], OPTIONS | changes, "m", 3
    )
    assert scores.schema.equals(SCORES)
    frame = scores.to_pandas()
    keys = ["experiment", "by", "probe", "source", "target", "target_group", "map", "size", "channel"]
    assert not frame.duplicated(keys).any(), "a row appears twice"
    return frame, speakers


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    # a3 lacks a channel in one of the two conditions, b2 one in both.
    dead = {"a2": [(4, 1)], "b2": [3], "a3": [(u, 2) for u in (0, 2, 4, 6)]}
    return write_corpus(tmp_path_factory.mktemp("corpus"), dead=dead)


@pytest.fixture(scope="module")
def scores(corpus):
    return run(corpus)[0]


def stacks(corpus):
    """Per speaker: frames, EMA and its two shifts, place in training (negative: test), condition."""
    found = {}
    for frames in Corpus(corpus["utterances"], corpus["articulation"], corpus["embeddings"]):
        shifted = [np.roll(frames.y, 50, axis=0), np.roll(frames.y, -100, axis=0)]
        rng = designs.generator(0, frames.speaker, "utterances")
        order, _ = designs.split_utterances(frames.utterance, frames.attributes, 0.25, rng)
        condition = np.array([frames.attributes[u][1] for u in frames.utterance])
        found[frames.speaker] = frames.x.astype(float), [frames.y, *shifted], order, condition
    return found


def expected(train, test, c):
    """r and its control, of channel c: train and test are lists of (x, versions of y, rows)."""
    found, counts = [], []
    for v in range(3):
        x, y, x_test, y_test = (
            np.concatenate([part[at][rows] if at == 0 else part[at][v][rows, c] for *part, rows in frames])
            for frames in (train, test)
            for at in (0, 1)
        )
        fit, there = ~np.isnan(y), ~np.isnan(y_test)
        counts.append((fit.sum(), there.sum()))
        if not fit.any() or not there.any():
            return np.nan, np.nan, *counts[0]
        model = LinearRegression().fit(x[fit], y[fit])
        found.append(np.corrcoef(model.predict(x_test[there]), y_test[there])[0, 1])
    return found[0], np.mean(found[1:]), *counts[0]


def check(rows, train, test):
    """The rows of all channels of one fit and test; those of channels that the target lacks are not there."""
    rows = rows.set_index("channel")
    for c, channel in enumerate(CHANNELS):
        r, chance, n_train, n_test = expected(train, test, c)
        if not n_test:
            assert channel not in rows.index
            continue
        row = rows.loc[channel]
        if np.isnan(r):
            assert np.isnan(row.r) and "no valid training frames" in row.note and "undefined" in row.note
            continue
        assert (row.r, row.chance) == (pytest.approx(r, abs=1e-6), pytest.approx(chance, abs=1e-6))
        assert (row.n_train, row.n_test) == (n_train, n_test)


def test_every_speaker_to_every_speaker_is_linear_regression(corpus, scores):
    frames = stacks(corpus)
    rows = scores[(scores.experiment == "speakers")]
    for source, (x, y, order, _) in frames.items():
        for target, (x_test, y_test, place, _) in frames.items():
            found = rows[(rows.source == source) & (rows.target == target)]
            train = order >= 0 if source == target else order == order
            check(found, [(x, y, train)], [(x_test, y_test, place < 0)])
            assert len(found) == (3 if target == "b2" else 4)
    assert set(rows.source) == set(rows.target) == set(SPEAKERS)


def test_less_speech_of_ones_own_is_linear_regression(corpus, scores):
    rows = scores[scores.experiment == "own"]
    assert set(rows["size"]) == {"3", "all"}, "1000 s are more than there are"
    for speaker, (x, y, order, _) in stacks(corpus).items():
        found = rows[(rows.target == speaker) & (rows["size"] == "3")]
        assert set(found.seconds) == {3.0}
        check(found, [(x, y, (order >= 0) & (order < 150))], [(x, y, order < 0)])


def test_the_ceiling_is_e1_of_the_articulation_study(corpus, scores):
    options = OPTIONS | {"experiments": ["E1"], "splits": ["utterances"], "training_seconds": [3]}
    options |= {"leave_out": "speaker"}
    for probe in ("ols", "ridge"):
        found = run(corpus, probes=[probe], groups=[])[0] if probe == "ridge" else scores
        e1, _ = articulation.score(*corpus.values(), options | {"probes": [probe]}, "m", 3)
        mine = found[(found.experiment == "speakers") & (found.source == found.target)]
        mine = mine.set_index(["target", "channel"])
        rows = [row for row in e1.to_pylist() if row["experiment"] == "E1"]
        assert len(rows) == 2 * len(mine)
        for row in rows:
            here = mine.loc[row["test"].split()[0].removeprefix("speaker="), row["target"]]
            assert row["value"] == pytest.approx(here.r if row["metric"] == "pearson_r" else here.chance)


def group_rows(frames, by, label, without=""):
    """Frames of a group as parts for :func:`expected`, without a speaker."""
    parts = []
    for name, (x, y, _, condition) in frames.items():
        of = {"native_language": SPEAKERS[name][0], "sex": SPEAKERS[name][1]}.get(by)
        rows = np.full(len(x), of == label) if of else condition == label
        if name != without and rows.any():
            parts.append((x, y, rows))
    return parts


@pytest.mark.parametrize("by", ["native_language", "sex", "condition"])
def test_every_group_to_every_group_leaves_the_target_out(corpus, scores, by):
    frames = stacks(corpus)
    rows = scores[(scores.experiment == "groups") & (scores.by == by)]
    labels = {"native_language": "AB", "sex": "fm", "condition": "XY"}[by]
    for source in labels:
        for tested in labels:
            for target in SPEAKERS:
                found = rows[(rows.source == source) & (rows.target == target)]
                found = found[found.target_group == tested]
                test = group_rows({target: frames[target]}, by, tested)
                lacks = target == "b2" or (target, tested) == ("a3", "X")
                assert len(found) == (0 if not test else 4 - lacks)
                if test:
                    check(found, group_rows(frames, by, source, target), test)


def test_maps_are_linear_regressions_on_predictions(corpus, scores):
    frames = stacks(corpus)
    rows = scores[(scores.experiment == "maps") & (scores["map"] == "affine")]
    assert set(rows["size"]) == {"3", "all"}
    for source, target, size in [("a1", "a2", 150), ("a2", "b1", 10**6), ("a3", "b2", 10**6)]:
        (x, y, _, _), (x_test, y_test, place, _) = frames[source], frames[target]
        found = rows[(rows.source == source) & (rows.target == target)]
        found = found[found["size"] == ("3" if size == 150 else "all")].set_index("channel")
        for c, channel in enumerate(CHANNELS):
            if target == "b2" and c == 3:
                assert channel not in found.index
                continue
            results, counts = [], []
            for v in range(3):
                known = [~np.isnan(y[v][:, i]) for i in range(4)]
                p = np.column_stack(
                    [LinearRegression().fit(x[k], y[v][k, i]).predict(x_test) for i, k in enumerate(known)]
                )
                there = ~np.isnan(y_test[v][:, c])
                fit, test = there & (place >= 0) & (place < size), there & (place < 0)
                counts.append((fit.sum(), test.sum()))
                model = LinearRegression().fit(p[fit], y_test[v][fit, c])
                results.append(np.corrcoef(model.predict(p[test]), y_test[v][test, c])[0, 1])
            assert found.loc[channel].r == pytest.approx(results[0], abs=1e-6)
            assert found.loc[channel].chance == pytest.approx(np.mean(results[1:]), abs=1e-6)
            assert tuple(found.loc[channel, ["n_train", "n_test"]]) == counts[0]


def mean_r(scores, experiment, kind="none", size=None):
    rows = scores[(scores.experiment == experiment) & (scores["map"] == kind)]
    rows = rows[rows.source != rows.target]
    return (rows if size is None else rows[rows["size"] == size]).r.mean()


def test_tracts_that_are_affine_images_of_one_another_are_recovered(tmp_path):
    rng = np.random.default_rng(1)
    maps = {speaker: rng.standard_normal((4, 4)) for speaker in SPEAKERS}
    found, _ = run(write_corpus(tmp_path, maps=maps, noise=1e-3, scaled=False), groups=[])
    assert mean_r(found, "maps", "affine", "all") > 0.9999
    assert mean_r(found, "speakers") < 0.6 and mean_r(found, "maps", "rotation", "all") < 0.9
    assert found[found.experiment == "maps"].chance.abs().mean() < 0.3


def test_tracts_that_are_turned_and_scaled_are_recovered_in_millimetres(tmp_path):
    angles = dict(zip(SPEAKERS, [0, 20, -15, 30, 5], strict=True))
    maps = {}
    for i, (speaker, degrees) in enumerate(angles.items()):
        c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        tract = np.diag([2.0, 5.0, 1.0, 3.0])
        maps[speaker] = (1 + i) * np.kron(np.eye(2), [[c, -s], [s, c]]) @ tract
    found, _ = run(write_corpus(tmp_path, maps=maps, noise=1e-3), groups=[])
    # SDs are those of each recording, which differ a little: what is left of r.
    assert mean_r(found, "maps", "rotation", "all") > 0.995 > mean_r(found, "speakers") + 0.01
    assert mean_r(found, "maps", "articulator", "all") > 0.995
    turned = found[(found["map"] == "rotation") & (found["size"] == "all")]
    for source, target in (("a1", "a2"), ("b1", "a3")):
        note = turned[(turned.source == source) & (turned.target == target)].note.iloc[0]
        assert float(note.split()[0].removeprefix("angle=")) == pytest.approx(
            angles[target] - angles[source], abs=2
        )


def test_moments_that_would_not_do_give_way_to_frames(tmp_path):
    """Fewer frames than dimensions, and features that are all but collinear: still LinearRegression."""
    paths = write_corpus(tmp_path, {name: SPEAKERS[name] for name in ("a1", "a2", "b1")}, 4, d=700)
    found, _ = run(paths)
    frames = stacks(paths)
    rows = found[found.experiment == "speakers"]
    for source, target in (("a1", "a2"), ("b1", "a1"), ("b1", "b1")):
        (x, y, order, _), (x_test, y_test, place, _) = frames[source], frames[target]
        row = rows[(rows.source == source) & (rows.target == target)]
        own = source == target
        check(row, [(x, y, order >= 0 if own else order == order)], [(x_test, y_test, place < 0)])
        assert row.note.str.contains("fewer frames than dimensions" if own else "lstsq on frames").all()
    groups = found[(found.experiment == "groups") & (found.by == "sex")]
    row = groups[(groups.source == "m") & (groups.target == "a1")]
    check(row, group_rows(frames, "sex", "m"), group_rows({"a1": frames["a1"]}, "sex", "f"))


def test_frames_give_what_moments_give(corpus, scores, monkeypatch):
    monkeypatch.setattr(transfer, "DOUBT", 0.0)
    called = []
    on_frames = transfer.Stack.on_frames

    def counted(self, *arguments):
        called.append(self)
        return on_frames(self, *arguments)

    monkeypatch.setattr(transfer.Stack, "on_frames", counted)
    found, _ = run(corpus)
    assert len(called) > 20
    for column in ("r", "chance", "n_train", "n_test"):
        mine, theirs = found[column].to_numpy(dtype=float), scores[column].to_numpy(dtype=float)
        assert mine == pytest.approx(theirs, abs=1e-9, nan_ok=True), column


def test_a_group_of_one_speaker_has_a_note_and_no_number(corpus, tmp_path):
    speakers = {"a1": ("A", "f"), "a2": ("A", "m"), "b1": ("B", "m")}
    found, attributes = run(write_corpus(tmp_path, speakers, 4))
    rows = found[(found.experiment == "groups") & (found.by == "native_language")]
    alone = rows[(rows.source == "B") & (rows.target == "b1")]
    assert alone.note.tolist() == ["no other speaker in the group"] and alone.r.isna().all()
    assert rows[(rows.source == "B") & (rows.target == "a1")].r.notna().all()
    assert attributes["b1"] == {"native_language": "B", "sex": "m"}


def test_a_speaker_of_one_utterance_is_in_groups_only(tmp_path):
    speakers = {"a1": ("A", "f"), "a2": ("A", "m")}
    paths = write_corpus(tmp_path / "two", speakers, 3)
    one = write_corpus(tmp_path / "one", {"a3": ("A", "f")}, 1, seed=0)
    found, _ = run({kind: paths[kind] + one[kind] for kind in paths})
    rows = found[found.experiment == "speakers"]
    assert rows[rows.target == "a3"].note.tolist() == ["one utterance cannot be split"]
    assert set(rows[rows.target != "a3"].source) == {"a1", "a2"}
    groups = found[(found.experiment == "groups") & (found.by == "native_language")]
    assert set(groups[groups.r.notna()].target) == {"a1", "a2", "a3"}


def test_one_speaker_is_an_error_that_says_so(tmp_path):
    paths = write_corpus(tmp_path, {"a1": ("A", "f")}, 3)
    with pytest.raises(InputError, match="transfer needs two speakers.*a1.*kinematics.corpora") as told:
        run(paths)
    assert "{" not in str(told.value)
