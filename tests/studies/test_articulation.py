"""The study's rows against scikit-learn fits made one by one on the same frames."""

import numpy as np
import pyarrow as pa
import pytest
from sklearn.linear_model import LinearRegression

from phonoscope import embeddings, tables
from phonoscope.errors import InputError
from phonoscope.probes import designs
from phonoscope.studies import articulation
from phonoscope.studies.frames import Corpus

CHANNELS = ["TT_x", "TT_z", "LL_z"]
HOP, OFFSET, RATE, D = 0.02, 0.0125, 200.0, 6
OPTIONS = {
    "experiments": ["E1", "E2", "E3", "E4", "E5"],
    "probes": ["ols"],
    "alphas": [1e-4, 1e-2, 1.0],
    "splits": ["utterances", "frames"],
    "training_seconds": [2, 5, 1000],
    "test_share": 0.2,
    "leave_out": "speaker",
    "frame_alignment": "time",
    "shifts_s": [1.0, -2.0],
    "seed": 0,
}


def smooth(rng, n, k):
    """Noise of some 5 Hz, sampled at RATE."""
    steps = rng.standard_normal((n + 40, k))
    return np.stack([np.convolve(column, np.hanning(41), "valid") for column in steps.T], axis=1)[:n]


def write_corpus(folder, speakers, n_utterances=9, dead=None, seed=0):
    """A corpus whose hidden states are a noisy linear image of its EMA; returns the paths of its shards."""
    rng = np.random.default_rng(seed)
    mixing = rng.standard_normal((len(CHANNELS), D))
    paths = {"utterances": [], "articulation": [], "embeddings": []}
    for speaker, language in speakers.items():
        rows, tracks, scale = [], [], {}
        path = {kind: folder / kind / f"{speaker}.parquet" for kind in paths}
        about = {"hop_s": HOP, "offset_s": OFFSET}
        path["embeddings"].parent.mkdir(parents=True, exist_ok=True)
        with embeddings.Writer(path["embeddings"], D, "float32", about) as writer:
            for u in range(n_utterances):
                name, n = f"{speaker}-{u}", int(rng.integers(250, 500))
                ema = smooth(rng, n, len(CHANNELS))
                ema = (ema - ema.mean(axis=0)) / ema.std(axis=0)
                frames = int((n / RATE - OFFSET) / HOP)
                at = OFFSET + HOP * np.arange(frames)
                y = np.column_stack([np.interp(at, np.arange(n) / RATE, e) for e in ema.T])
                writer.append(name, (y @ mixing + 0.7 * rng.standard_normal((frames, D))).astype("f4"))
                if dead == (speaker, u):
                    ema[:, 1] = np.nan
                column = [pa.array([name] * n).dictionary_encode(), pa.array(np.arange(n) / RATE)]
                column += [pa.array(e.astype("f4"), from_pandas=True) for e in ema.T]
                tracks.append(pa.table(column, schema=tables.articulation_schema(CHANNELS)))
                scale[name] = {c: [float(i), 2.0 + i] for i, c in enumerate(CHANNELS)}
                rows.append(
                    {"utterance_id": name, "speaker": speaker, "native_language": language}
                    | {"task": f"T{u % 3}", "condition": "AB"[u % 2]}
                )
        tables.write(tables.from_rows(rows, tables.UTTERANCES), path["utterances"])
        joined = pa.concat_tables(tracks).unify_dictionaries()
        tables.write(joined, path["articulation"], channels=CHANNELS, scale=scale, rate=RATE)
        for kind in paths:
            paths[kind].append(path[kind])
    return paths


def run(paths, **changes):
    scores, example = articulation.score(
        paths["utterances"], paths["articulation"], paths["embeddings"], OPTIONS | changes, "m", 3
    )
    assert scores.schema.equals(tables.SCORES)
    found = {}
    for row in scores.to_pylist():
        key = (row["experiment"], row["probe"], row["train"], row["test"], row["target"], row["metric"])
        assert key not in found, "a row appears twice"
        found[key] = row
    return found, example


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    speakers = {"a1": "A", "a2": "A", "a3": "A", "b1": "B", "b2": "B"}
    return write_corpus(folder, speakers, dead=("a2", 4))


def stacks(corpus):
    """Frames, EMA and shifted EMA of every speaker, with task and condition of each frame."""
    found = {}
    for frames in Corpus(corpus["utterances"], corpus["articulation"], corpus["embeddings"]):
        shifted = [np.roll(frames.y, 50, axis=0), np.roll(frames.y, -100, axis=0)]
        labels = np.array([frames.attributes[u] for u in frames.utterance])
        found[frames.speaker] = frames, np.hstack([frames.y, *shifted]), labels
    return found


def expected_r(train, test, x, y):
    rows = train & ~np.isnan(y)
    tested = test & ~np.isnan(y)
    model = LinearRegression().fit(x[rows].astype(float), y[rows])
    return np.corrcoef(model.predict(x[tested].astype(float)), y[tested])[0, 1], rows.sum(), tested.sum()


def check(row, train, test, x, y):
    """The row's r is the mean of those of the columns of ``y``: one, or one for each shift."""
    found = [expected_r(train, test, x, column) for column in y.T]
    (r, *_), (_, n_train, n_test) = np.mean(found, axis=0), found[0]
    assert abs(row["value"] - r) < 1e-6
    assert (row["n_train"], row["n_test"]) == (n_train, n_test)


def test_within_speaker_rows_equal_linear_regression(corpus):
    rows, _ = run(corpus)
    for speaker, (frames, y, _) in stacks(corpus).items():
        for split in ("utterances", "frames"):
            rng = designs.generator(0, speaker, split)
            if split == "utterances":
                order, _ = designs.split_utterances(frames.utterance, frames.attributes, 0.2, rng)
            else:
                order, _ = designs.split_frames(len(frames.x), 0.2, rng)
            train, test = order >= 0, order < 0
            words = f"speaker={speaker} split={split}"
            for c, channel in enumerate(CHANNELS):
                for metric, column in (("pearson_r", [c]), ("pearson_r_shifted", [c + 3, c + 6])):
                    rest = f"{words} part=test", channel, metric
                    check(
                        rows["E1", "ols", f"{words} part=train", *rest], train, test, frames.x, y[:, column]
                    )
                    for seconds in (2, 5):
                        part = train & (order < seconds * 50)
                        row = rows["E3", "ols", f"{words} seconds={seconds}", *rest]
                        check(row, part, test, frames.x, y[:, column])
    assert not any("seconds=1000" in key[2] for key in rows), "more seconds than there are"


def test_left_out_speakers_rows_equal_linear_regression(corpus):
    rows, _ = run(corpus)
    found = stacks(corpus)
    names = np.concatenate([[s] * len(f.x) for s, (f, _, _) in found.items()])
    groups = np.array([name[0].upper() for name in names])
    x = np.concatenate([f.x for f, _, _ in found.values()])
    y = np.concatenate([y for _, y, _ in found.values()])
    task, condition = np.concatenate([labels for *_, labels in found.values()]).T
    for speaker in found:
        group = speaker[0].upper()
        own, mates = names == speaker, (groups == group) & (names != speaker)
        for c, channel in enumerate(CHANNELS):
            for metric, column in (("pearson_r", [c]), ("pearson_r_shifted", [c + 3, c + 6])):
                end = channel, metric
                row = rows["E4", "ols", f"except={speaker}", f"speaker={speaker}", *end]
                check(row, names != speaker, own, x, y[:, column])
                train = f"group={group} except={speaker}"
                for words, test in (
                    ("", own),
                    (" task=T1", own & (task == "T1")),
                    (" condition=B", own & (condition == "B")),
                    (" task=T0 condition=A", own & (task == "T0") & (condition == "A")),
                ):
                    row = rows["E5", "ols", train, f"speaker={speaker}{words}", *end]
                    check(row, mates, test, x, y[:, column])


def test_control_is_at_chance_and_the_probe_is_not(corpus):
    rows, _ = run(corpus, probes=["ols", "ridge"])
    for probe in ("ols", "ridge"):
        for experiment in ("E1", "E4"):
            values = {
                metric: np.mean(
                    [r["value"] for k, r in rows.items() if k[:2] == (experiment, probe) and k[5] == metric]
                )
                for metric in ("pearson_r", "pearson_r_shifted")
            }
            assert values["pearson_r"] > 0.7 and abs(values["pearson_r_shifted"]) < 0.1


def test_ridge_rows_name_their_alpha(corpus):
    rows, _ = run(corpus, probes=["ridge"], experiments=["E4"])
    assert rows and all("alpha=" in row["note"] for row in rows.values())


def test_leave_one_utterance_out(tmp_path):
    paths = write_corpus(tmp_path, {"a": "A", "b": "B"}, n_utterances=2)
    rows, example = run(paths, leave_out="utterance", experiments=["E4"])
    assert {key[2] for key in rows} == {f"except_utterance={s}-{u}" for s in "ab" for u in (0, 1)}
    found = stacks(paths)
    names = np.concatenate([[f"{s}-{u}" for u in f.utterance] for s, (f, _, _) in found.items()])
    x = np.concatenate([f.x for f, _, _ in found.values()])
    y = np.concatenate([y for _, y, _ in found.values()])
    row = rows["E4", "ols", "except_utterance=a-1", "speaker=a utterance=a-1", "TT_z", "pearson_r"]
    check(row, names != "a-1", names == "a-1", x, y[:, [1]])
    assert example["utterance_id"][0].as_py() in {"a-0", "a-1"}


def test_example_is_an_unseen_utterance_in_mm(corpus):
    rows, example = run(corpus)
    table = example.to_pandas()
    (name,) = table.utterance_id.unique()
    one = table[table.channel == "LL_z"]
    # The corpus gives channel i a mean of i mm and an SD of 2 + i mm.
    assert abs(one.measured_mm.mean() - 2) < 1.5 and 2 < one.measured_mm.std() < 6
    r = np.corrcoef(one.measured_mm, one.predicted_mm)[0, 1]
    assert abs(r - one.r.iloc[0]) < 1e-5


def test_index_alignment_pairs_and_truncates(tmp_path):
    paths = write_corpus(tmp_path, {"a": "A"}, n_utterances=3)
    with pytest.raises(InputError, match="articulation.rate to 50"):
        run(paths, frame_alignment="index", experiments=["E1"])


def test_one_speaker_cannot_be_left_out(tmp_path):
    paths = write_corpus(tmp_path, {"a": "A"}, n_utterances=3)
    with pytest.raises(InputError, match=r"only \['a'\].*leave_out"):
        run(paths, experiments=["E4"])


def test_a_group_of_one_speaker_says_so(tmp_path):
    paths = write_corpus(tmp_path, {"a": "A", "b": "B", "c": "B"}, n_utterances=3)
    rows, _ = run(paths, experiments=["E5"])
    row = rows["E5", "ols", "group=A except=a", "speaker=a", "", "pearson_r"]
    assert row["value"] is None and "one speaker in the group" in row["note"]
    assert any(key[2] == "group=B except=b" for key in rows)


def test_one_utterance_cannot_be_split(tmp_path):
    paths = write_corpus(tmp_path, {"a": "A", "b": "B"}, n_utterances=1)
    rows, _ = run(paths, splits=["utterances"], experiments=["E1"])
    assert all(row["value"] is None and "one utterance" in row["note"] for row in rows.values())


def test_one_speaker_with_ema_cannot_be_left_out(tmp_path):
    """The others were all skipped: an error, not an empty table."""
    paths = write_corpus(tmp_path, {"a": "A", "b": "A"}, n_utterances=3)
    table = tables.read(paths["articulation"][1])
    about = tables.provenance(table)
    tables.write(table.slice(0, 0), paths["articulation"][1], **about)
    with pytest.raises(InputError, match=r"only \['a'\] has EMA"):
        run(paths, experiments=["E4"])


def test_an_utterance_that_was_too_short_to_encode_is_left_out(tmp_path):
    """With on_error: skip the encoder leaves it out of the hidden states, not of the other tables."""
    paths = write_corpus(tmp_path, {"a": "A", "b": "A"}, n_utterances=4)
    whole = embeddings.read(paths["embeddings"][0])
    about = {"hop_s": HOP, "offset_s": OFFSET}
    with embeddings.Writer(paths["embeddings"][0], D, "float32", about) as writer:
        for index, name in enumerate(whole.utterance_ids):
            if name != "a-2":
                writer.append(name, whole.values[whole.utterance == index])
    rows, _ = run(paths, experiments=["E4"])
    row = rows["E4", "ols", "except=a", "speaker=a", "TT_x", "pearson_r"]
    assert row["value"] > 0.5
    assert row["n_test"] < (whole.utterance != whole.utterance_ids.index("a-2")).sum() + 1
