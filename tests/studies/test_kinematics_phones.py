"""Which phone a frame is in, and the phone probe, on invented speech."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.preprocessing import StandardScaler

from phonoscope import tables
from phonoscope.errors import InputError
from phonoscope.studies import kinematics_phones_probe as probe
from phonoscope.studies.frames import SpeakerFrames
from phonoscope.studies.kinematics_phones import NONE, Phones, Spoken, read

HOP = 0.02


def segment(name, start, end, label, tier="phone"):
    return {"utterance_id": name, "tier": tier, "start_s": start, "end_s": end, "label": label, "score": 1.0}


def write(folder, rows, name="s.parquet"):
    tables.write(tables.from_rows(rows, tables.SEGMENTS), folder / name)
    return folder / name


@pytest.fixture
def phones(tmp_path):
    rows = [
        *[segment("u", 0.3, 0.4, "b"), segment("u", 0.0, 0.1, "sil"), segment("u", 0.1, 0.3, "a")],
        *[segment("u", 0.4, 0.5, ""), segment("u", 0.6, 0.7, "a"), segment("u", 0.0, 0.7, "ab", "word")],
        segment("v", 0.0, 0.1, "sil"),
    ]
    more = [segment("w", 0.0, 0.5, "c")]
    return read([write(tmp_path, rows), write(tmp_path, more, "t.parquet")], ["sil"])


def test_phones_and_their_neighbours(phones):
    assert phones.labels == ["a", "b", "c"]
    assert set(phones.spoken) == {"u", "w"}  # in v there is silence only
    times = np.array([0.05, 0.1, 0.29, 0.3, 0.39, 0.45, 0.55, 0.65, 0.7, -0.1])
    a, b = 0, 1
    expected = [
        *[[NONE] * 3, [a, NONE, b], [a, NONE, b], [b, a, NONE], [b, a, NONE]],
        *[[NONE] * 3, [NONE] * 3, [a, NONE, NONE], [NONE] * 3, [NONE] * 3],
    ]
    assert phones.spoken["u"].at(times).tolist() == expected


def test_one_hots_stand_side_by_side(phones):
    hot = phones.one_hot(np.array([[1, 0, NONE], [NONE, NONE, NONE]]))
    assert hot.tolist() == [[0, 1, 0, 1, 0, 0, 0, 0, 0], [0] * 9]


def test_frames_of_recordings_without_phones_have_none(phones):
    codes = phones.at(["w", "x"], np.array([0, 1, 1, 0]), np.array([0.1, 0.1, 0.2, 0.6]))
    assert codes[:, 0].tolist() == [2, NONE, NONE, NONE]


def test_shuffling_keeps_times_pauses_and_counts(tmp_path):
    rng = np.random.default_rng(0)
    rows = []
    for u in range(4):
        labels = rng.choice(["a", "b", "c", "sil"], size=30)
        rows += [segment(f"u{u}", k / 10, (k + 1) / 10, label) for k, label in enumerate(labels)]
    phones = read([write(tmp_path, rows)], ["sil"])
    names = [f"u{u}" for u in range(3)]
    dealt = phones.shuffled([*names, "not there"], np.random.default_rng(1))
    assert sorted(dealt) == names
    before, after = (np.concatenate([of[name].code for name in names]) for of in (phones.spoken, dealt))
    assert np.array_equal(before == NONE, after == NONE)
    assert np.array_equal(np.sort(before), np.sort(after))
    assert (before != after).mean() > 0.3
    assert all(np.array_equal(dealt[name].start_s, phones.spoken[name].start_s) for name in names)


def test_a_corpus_without_phones_is_refused_in_one_line(tmp_path):
    rows = [segment("u", 0, 1, "ab", "word"), segment("u", 0, 1, "sil")]
    with pytest.raises(InputError, match="no phone segments") as error:
        read([write(tmp_path, rows)], ["sil"])
    assert "\n" not in str(error.value)
    assert "align" in str(error.value)


class Speech:
    """Frames of speakers in which dimension k tells phone k, under ``noise``."""

    def __init__(self, n_speakers=5, n=600, n_phones=4, noise=0.5, seed=0):
        rng = np.random.default_rng(seed)
        self.frames, spoken = [], {}
        for s in range(n_speakers):
            code = np.repeat(rng.integers(n_phones, size=n // 5), 5)
            code[: n // 10] = NONE
            x = 100 + noise * rng.normal(size=(n, 6))
            x[np.arange(n), code] += code != NONE
            edges = HOP * np.arange(0, n, 5)
            spoken[f"u{s}"] = Spoken(edges, edges + 5 * HOP, code[::5])
            time = HOP * (np.arange(n) + 0.5)
            where = np.zeros(n, dtype=int), [f"u{s}"], {0: ("", "")}
            self.frames.append(
                SpeakerFrames(f"s{s}", "", x.astype("f4"), np.zeros((n, 1)), *where, time, HOP)
            )
        self.phones = Phones(list("abcdefg"[:n_phones]), spoken)

    def __iter__(self):
        return iter(self.frames)


OPTIONS = {"frames_per_class": 40, "folds": 3, "penalty": 1.0, "seed": 0}


def by_metric(rows):
    found = {}
    for row in rows:
        found.setdefault(row["metric"], {})[row["test"]] = row
    return found


def test_the_probe_is_scikit_learns_on_the_same_frames():
    speech = Speech()
    # All frames, so that nothing is left to chance.
    rows = by_metric(probe.classify(speech, speech.phones, OPTIONS | {"frames_per_class": 10**6}))
    for index, held_out in enumerate(speech.frames):
        train = [each for k, each in enumerate(speech.frames) if k % 3 != index % 3]
        codes = {each.speaker: speech.phones.at(each.utterance_ids, each.utterance, each.time_s)[:, 0]
                 for each in speech.frames}  # fmt: skip
        x = np.concatenate([each.x[codes[each.speaker] != NONE] for each in train])
        y = np.concatenate([code[code != NONE] for code in (codes[each.speaker] for each in train)])
        scaler = StandardScaler().fit(x.astype(float))
        model = LogisticRegression(C=1.0, class_weight="balanced", tol=1e-8, max_iter=5000)
        model.fit(scaler.transform(x.astype(float)), y)
        there = codes[held_out.speaker] != NONE
        predicted = model.predict(scaler.transform(held_out.x[there].astype(float)))
        expected = f1_score(codes[held_out.speaker][there], predicted, average="macro")
        row = rows["macro_f1"][f"speaker={held_out.speaker}"]
        assert row["value"] == pytest.approx(expected, abs=2e-3)
        assert (row["n_train"], row["n_test"]) == (len(x), there.sum())


def test_a_signal_is_found_and_controls_find_nothing():
    speech = Speech(noise=0.2)
    rows = by_metric(probe.classify(speech, speech.phones, OPTIONS))
    mean = {metric: np.mean([row["value"] for row in of.values()]) for metric, of in rows.items()}
    assert mean["macro_f1"] > 0.95
    assert mean["macro_f1_shuffled"] < 0.4 and mean["macro_f1_majority"] < 0.15
    assert max(row["n_train"] for row in rows["macro_f1"].values()) <= 4 * (40 + 4)
    again = by_metric(probe.classify(speech, speech.phones, OPTIONS))
    assert again == rows


def test_a_phone_that_only_the_held_out_speaker_has_counts_nought():
    speech = Speech(n_speakers=3, n_phones=3, noise=0.05)
    own = speech.phones.spoken["u2"]
    own.code[own.code == 0] = 3
    speech.phones.labels.append("d")
    rows = by_metric(probe.classify(speech, speech.phones, OPTIONS))["macro_f1"]
    # Its three phones: two are right where they stand, but what is said for the third spoils one of them.
    assert rows["speaker=s2"]["value"] < 0.67
    assert rows["speaker=s0"]["value"] > 0.6


def test_one_speaker_cannot_be_held_out():
    speech = Speech(n_speakers=1)
    (row,) = probe.classify(speech, speech.phones, OPTIONS)
    assert row["value"] is None and "only one speaker" in row["note"]


def test_a_speaker_without_phones_is_said_to_have_none():
    speech = Speech(n_speakers=3)
    del speech.phones.spoken["u1"]
    rows = by_metric(probe.classify(speech, speech.phones, OPTIONS))["macro_f1"]
    assert rows["speaker=s1"]["value"] is None and rows["speaker=s1"]["note"] == "no phones of the speaker"
    assert rows["speaker=s0"]["value"] > 0.2
