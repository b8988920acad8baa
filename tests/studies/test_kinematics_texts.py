"""What the same texts give a probe of another speaker: halves, r against scikit-learn, planted effects."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy import stats
from sklearn.linear_model import LinearRegression

from phonoscope import embeddings, tables
from phonoscope.probes import transfer
from phonoscope.studies import kinematics, kinematics_rows, kinematics_texts
from phonoscope.studies.frames import Corpus
from phonoscope.studies.kinematics_rows import Rows
from phonoscope.studies.kinematics_summary import summarise
from phonoscope.studies.kinematics_texts import OTHER, SAME
from tests.studies.test_kinematics import CHANNELS, HOP, OFFSET, OPTIONS, RATE, smooth, write_corpus

SPEAKERS = {"a1": ("A", "f"), "a2": ("A", "m"), "b1": ("B", "f")}


def spoken(*rows):
    """Rows of utterances from (speaker, language, text)."""
    return [
        {"utterance_id": f"{speaker}-{i}", "speaker": speaker, "language": language, "text": text}
        | {"sentence_id": "", "duration_s": 1.0 + i}
        for i, (speaker, language, text) in enumerate(rows)
    ]


def with_texts(paths, text_of):
    """The same corpus, whose recordings have texts: ``text_of(speaker, number)``."""
    for path in paths["utterances"]:
        rows = tables.read(path).to_pylist()
        rows = [
            row | {"text": text_of(row["speaker"], i), "language": "A", "duration_s": 2.0}
            for i, row in enumerate(rows)
        ]
        tables.write(tables.from_rows(rows, tables.UTTERANCES), path)
    return paths


def run(paths, **changes):
    options = OPTIONS | {"groups": [], "maps": []} | changes
    scores, speakers = kinematics.score(*paths.values(), options, "m", 3)
    scores = scores.to_pandas()
    return scores[scores.experiment == "texts"], speakers


def test_texts_of_two_readers_are_halved_in_every_language():
    texts = [(who, language, f"{language}{i}") for who in "ab" for language in "LM" for i in range(10)]
    rows = spoken(*texts, ("a", "L", "of one"), ("a", "L", ""))
    found = kinematics_texts.halves(rows)
    assert len(found) == 40
    half = {(row["language"], row["text"]): found[row["utterance_id"]] for row in rows[:40]}
    assert all(half[row["language"], row["text"]] == found[row["utterance_id"]] for row in rows[:40])
    for language in "LM":
        assert sum(value for (of, _), value in half.items() if of == language) == 5
    # Which half a text is in has nothing to do with the order in which texts are listed.
    assert kinematics_texts.halves(rows[::-1]) == found
    assert {half["L", f"L{i}"] for i in range(5)} == {0, 1}


def test_the_same_text_is_the_same_words_of_a_language():
    rows = spoken(("a", "L", "Ka, me!"), ("b", "L", "ka  me"), ("c", "M", "ka me"), ("d", "L", "x"))
    assert set(kinematics_texts.halves(rows)) == {"a-0", "b-1"}
    numbered = [row | {"text": None, "sentence_id": "s1"} for row in rows]
    assert set(kinematics_texts.halves(numbered)) == {"a-0", "b-1", "d-3"}
    assert kinematics_texts.halves([row | {"text": ""} for row in rows]) == {}


def test_shares_are_of_the_targets_speech():
    rows = spoken(
        ("a", "L", "x"), ("a", "L", "y"), ("b", "L", "x"), ("b", "L", "z"), ("c", "L", "z"), ("c", "L", "y")
    )
    found = kinematics_texts.shares(rows, kinematics_texts.halves(rows))
    # Seconds: a says x for 1 and y for 2, b says x for 3 and z for 4.
    assert found["b", "a"] == pytest.approx(1 / 3) and found["a", "b"] == pytest.approx(3 / 7)
    assert found["c", "b"] == pytest.approx(4 / 7) and len(found) == 6
    assert kinematics_texts.shares(rows, {}) == {}


def by_frames(paths, half_of):
    """Per speaker: frames, EMA, and the half of each frame."""
    found = {}
    for frames in Corpus(paths["utterances"], paths["articulation"], paths["embeddings"]):
        half = np.array([half_of.get(name, 2) for name in frames.utterance_ids])[frames.utterance]
        found[frames.speaker] = frames.x.astype(float), frames.y, half
    return found


def expected(source, target, c, fitted, tested):
    (x, y, half), (x_test, y_test, place) = source, target
    rows, there = (
        (h == of) & ~np.isnan(ema[:, c]) for h, of, ema in ((half, fitted, y), (place, tested, y_test))
    )
    model = LinearRegression().fit(x[rows], y[rows, c])
    return np.corrcoef(model.predict(x_test[there]), y_test[there, c])[0, 1], rows.sum(), there.sum()


def check(paths, found, speakers):
    everything = tables.read(paths["utterances"]).to_pylist()
    frames = by_frames(paths, kinematics_texts.halves(everything))
    for source in speakers:
        for target in speakers:
            rows = found[(found.source == source) & (found.target == target)]
            if source == target:
                assert rows.empty
                continue
            for c, channel in enumerate(CHANNELS):
                for texts, pairs in ((SAME, [(0, 0), (1, 1)]), (OTHER, [(0, 1), (1, 0)])):
                    (row,) = rows[(rows.channel == channel) & (rows.target_group == texts)].itertuples()
                    each = [expected(frames[source], frames[target], c, *pair) for pair in pairs]
                    r, n_train, n_test = zip(*each, strict=True)
                    assert row.r == pytest.approx(np.mean(r), abs=1e-6)
                    assert (row.n_train, row.n_test) == (sum(n_train), sum(n_test))


@pytest.mark.parametrize("d", [7, 500])
def test_r_is_that_of_linear_regressions_on_the_halves(tmp_path, d):
    """With more features than frames as well."""
    paths = write_corpus(tmp_path, SPEAKERS, 6, d=d, dead={"a2": [(4, 1)]})
    paths = with_texts(paths, lambda speaker, i: f"t{i}" if i < 5 else f"of {speaker}")
    found, _ = run(paths)
    check(paths, found, SPEAKERS)
    assert set(found.note) == {"shared=1.000"}


def test_frames_give_what_moments_give(tmp_path, monkeypatch):
    paths = with_texts(write_corpus(tmp_path, SPEAKERS, 6), lambda _, i: f"t{i}")
    found, _ = run(paths)
    monkeypatch.setattr(transfer, "DOUBT", 0.0)
    again, _ = run(paths)
    assert again.r.to_numpy() == pytest.approx(found.r.to_numpy(), abs=1e-9)


def test_other_rows_are_as_they_are_without_texts(tmp_path):
    """The halves cost nothing but their own rows."""
    paths = write_corpus(tmp_path, SPEAKERS, 6)
    options = OPTIONS | {"probes": ["ridge"]}
    without = kinematics.score(*paths.values(), options, "m", 3)[0].to_pandas()
    assert without[without.experiment == "texts"].r.isna().all()
    with_texts(paths, lambda _, i: f"t{i}")
    found = kinematics.score(*paths.values(), options, "m", 3)[0].to_pandas()
    assert found[found.experiment == "texts"].r.notna().all()
    mine, theirs = (table[table.experiment != "texts"].reset_index(drop=True) for table in (found, without))
    pd.testing.assert_frame_equal(mine, theirs, rtol=1e-9)


def write_planted(folder, memorised, n_texts=12, d=24, seed=0):
    """Speakers who all read the same texts. ``memorised``: states tell the text and nothing of the movement.

    Every text has movements of its own, alike in all speakers; states have them either as they are, or as
    coordinates in axes that belong to the text.
    """
    rng = np.random.default_rng(seed)
    k, n = len(CHANNELS), 300
    tracts = [smooth(rng, n, k) for _ in range(n_texts)]
    paths = {"utterances": [], "articulation": [], "embeddings": []}
    frames = int((n / RATE - OFFSET) / HOP)
    at = OFFSET + HOP * np.arange(frames)
    mixing = rng.standard_normal((n_texts, k, 2 * n_texts)) if memorised else rng.standard_normal((1, k, d))
    for speaker, (language, sex) in SPEAKERS.items():
        rows, tracks, scale = [], [], {}
        path = {kind: folder / kind / f"{speaker}.parquet" for kind in paths}
        path["embeddings"].parent.mkdir(parents=True, exist_ok=True)
        width = mixing.shape[2]
        about = {"hop_s": HOP, "offset_s": OFFSET}
        with embeddings.Writer(path["embeddings"], width, "float32", about) as writer:
            for u, tract in enumerate(tracts):
                name = f"{speaker}-{u}"
                seen = np.column_stack([np.interp(at, np.arange(n) / RATE, c) for c in tract.T])
                states = seen @ mixing[u % len(mixing)]
                states += 0.5 * rng.standard_normal(states.shape)
                writer.append(name, states.astype("f4"))
                column = [pa.array([name] * n).dictionary_encode(), pa.array(np.arange(n) / RATE)]
                column += [pa.array(e.astype("f4")) for e in tract.T]
                tracks.append(pa.table(column, schema=tables.articulation_schema(CHANNELS)))
                scale[name] = {c: [0.0, 1.0] for c in CHANNELS}
                rows.append(
                    {"utterance_id": name, "speaker": speaker, "native_language": language, "sex": sex}
                    | {"task": "T", "condition": "X", "text": f"t{u}", "language": "A", "duration_s": 1.5}
                )
        tables.write(tables.from_rows(rows, tables.UTTERANCES), path["utterances"])
        joined = pa.concat_tables(tracks).unify_dictionaries()
        tables.write(joined, path["articulation"], channels=CHANNELS, scale=scale, rate=RATE)
        for kind in paths:
            paths[kind].append(path[kind])
    return paths


@pytest.mark.parametrize("probe", ["ols", "ridge"])
def test_a_model_that_tells_texts_only_is_found_out(tmp_path, probe):
    found, _ = run(write_planted(tmp_path, memorised=True), probes=[probe])
    same, other = (found[found.target_group == texts].r.mean() for texts in (SAME, OTHER))
    assert same > 0.5 > other + 0.3 and abs(other) < 0.2


@pytest.mark.parametrize("probe", ["ols", "ridge"])
def test_a_model_that_has_the_movements_needs_no_text(tmp_path, probe):
    found, _ = run(write_planted(tmp_path, memorised=False), probes=[probe])
    same, other = (found[found.target_group == texts].r.mean() for texts in (SAME, OTHER))
    assert other > 0.9 and abs(same - other) < 0.01


def test_without_texts_in_common_a_row_says_so(tmp_path):
    paths = with_texts(write_corpus(tmp_path, SPEAKERS, 4), lambda speaker, i: f"{speaker} {i}")
    found, speakers = run(paths)
    assert found.note.tolist() == ["no two speakers with texts in common in both halves"]
    assert found.r.isna().all() and found.target_group.isna().all()
    path = tmp_path / "layer3.parquet"
    scores, _ = kinematics.score(*paths.values(), OPTIONS, "m", 3)
    kinematics_rows.write(scores, path, speakers)
    (row,) = summarise("c", "m", [path])["texts"].itertuples()
    assert row.n_speakers == 0 and np.isnan(row.same_texts) and row.note == found.note.iloc[0]
    assert (row.by, row.probe, row.layer) == ("speaker", "ols", 3)


def test_a_pair_without_texts_in_common_has_no_row(tmp_path):
    """c and d read what a and b do not."""
    speakers = dict.fromkeys("abcd", ("A", "f"))
    paths = write_corpus(tmp_path, speakers, 6)
    paths = with_texts(paths, lambda speaker, i: f"{speaker in 'ab'} {i}")
    found, _ = run(paths)
    assert set(zip(found.source, found.target, strict=True)) == {
        tuple("ab"),
        tuple("ba"),
        tuple("cd"),
        tuple("dc"),
    }


def test_the_table_is_means_over_speakers(tmp_path):
    """r of known rows; the interval is Student's over target speakers."""
    about = {name: {"native_language": of, "sex": "f"} for name, of in zip("abc", "LLM", strict=True)}
    rows = Rows(["x", "z"], model="m", layer=2, probe="ols")
    rng = np.random.default_rng(0)
    r = {}
    for source in "abc":
        for target in "abc":
            where = {"by": "", "source": source, "target": target, "map": "none"}
            value = rng.uniform(0.3, 0.8, (2, 2))
            rows.add(value, 9, np.array([5, 5]), experiment="speakers", **where)
            if source != target:
                for texts in (SAME, OTHER):
                    r[source, target, texts] = value = rng.uniform(0.3, 0.8, (2, 2))
                    note = f"shared={0.5 if source == 'a' else 0.25:.3f}"
                    where |= {"experiment": "texts", "target_group": texts}
                    rows.add(value, 9, np.array([5, 5]), note, **where)
    path = tmp_path / "layer.parquet"
    kinematics_rows.write(rows.table(), path, about)
    table = summarise("c", "m", [path])["texts"].set_index(["by", "relation"])
    one = table.loc["speaker", "other"]
    each = {
        texts: [np.mean([r[s, t, texts][0] for s in "abc" if s != t]) for t in "abc"]
        for texts in (SAME, OTHER)
    }
    assert one.same_texts == pytest.approx(np.mean(each[SAME]))
    assert one.other_texts == pytest.approx(np.mean(each[OTHER]))
    gaps = np.subtract(each[SAME], each[OTHER])
    half = stats.t.ppf(0.975, 2) * gaps.std(ddof=1) / np.sqrt(3)
    assert (one.difference, one.ci_low) == pytest.approx((gaps.mean(), gaps.mean() - half))
    assert one.shared == pytest.approx((0.25 + 0.375 + 0.375) / 3) and one.n_speakers == 3
    assert one.best_layer == 2
    same = table.loc["native_language", "same"]
    assert same.n_speakers == 2
    assert same.same_texts == pytest.approx(np.mean([r["a", "b", SAME][0], r["b", "a", SAME][0]]))
