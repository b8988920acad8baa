"""Maps between speakers who read the same items, on movements whose map and timing are planted."""

import numpy as np
import pyarrow as pa
import pytest
from sklearn.linear_model import LinearRegression

from phonoscope import tables
from phonoscope.studies import kinematics_items
from phonoscope.studies.frames import Track

CHANNELS = ["TT_x", "TT_z", "LL_x", "LL_z"]
RATE = 200.0
PHONES = "ptkaiumnls"


def tract(sentence):
    """Movement of a tract in a sentence, against the number of the phone (1.5: the middle of the second)."""
    rng = np.random.default_rng(sentence)
    knots = rng.standard_normal((40, len(CHANNELS)))
    return lambda place: np.column_stack([np.interp(place, np.arange(40), knot) for knot in knots.T])


def write(folder, maps, sentences=5, dead=None, same=True, segments=True):
    """Recordings of each speaker with its own timing of phones, and EMA that is a map of the same tract."""
    rng = np.random.default_rng(9)
    rows, tracks, marks, scale = [], [], [], {}
    for speaker, matrix in maps.items():
        for s in range(sentences):
            name, n = f"{speaker}-{s}", 12 + s
            lengths = rng.uniform(0.05, 0.15, n)
            edges = 0.2 + np.r_[0, np.cumsum(lengths)]
            time = np.arange(int((edges[-1] + 0.2) * RATE)) / RATE
            place = np.interp(time, edges, np.arange(n + 1))
            ema = tract(s if same else int(rng.integers(10**6)))(place) @ matrix.T
            if dead == speaker:
                ema[:, 1] = np.nan
            label = [PHONES[(s * 7 + 3 * i) % len(PHONES)] for i in range(n)]
            bounds = [("sil", 0.0, 0.2), *zip(label, edges[:-1], edges[1:], strict=True)]
            marks += [
                {"utterance_id": name, "tier": "phone", "start_s": a, "end_s": b, "label": text}
                for text, a, b in bounds
            ]
            column = [pa.array([name] * len(time)).dictionary_encode(), pa.array(time)]
            column += [pa.array(c.astype("f4"), from_pandas=True) for c in ema.T]
            tracks.append(pa.table(column, schema=tables.articulation_schema(CHANNELS)))
            scale[name] = {c: [0.0, 1.0] for c in CHANNELS}
            rows.append(
                {"utterance_id": name, "speaker": speaker, "sentence_id": f"s{s}", "native_language": "A"}
            )
    paths = [folder / f"{kind}.parquet" for kind in ("utterances", "articulation", "segments")]
    tables.write(tables.from_rows(rows, tables.UTTERANCES), paths[0])
    joined = pa.concat_tables(tracks).unify_dictionaries()
    tables.write(joined, paths[1], channels=CHANNELS, scale=scale, rate=RATE)
    tables.write(tables.from_rows(marks if segments else [], tables.SEGMENTS), paths[2])
    return [[path] for path in paths]


def run(paths, maps=("affine", "rotation", "articulator"), silence=("sil",)):
    scores, speakers = kinematics_items.score(*paths, {"maps": list(maps), "silence": list(silence)})
    return scores.to_pandas(), speakers


def turned(degrees, scale=1.0):
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return scale * np.kron(np.eye(2), [[c, -s], [s, c]])


def test_warped_movements_are_recovered_by_the_map_that_was_planted(tmp_path):
    rng = np.random.default_rng(0)
    found, speakers = run(write(tmp_path, {"a": np.eye(4), "b": turned(25, 2), "c": rng.normal(size=(4, 4))}))
    r = found.groupby(["source", "target", "map"]).r.mean()
    # The rest is that samples fall between the corners of the movement.
    assert r["a", "b", "rotation"] > 0.999 > r["a", "b", "none"] + 0.03
    assert r["b", "a", "articulator"] > 0.999
    assert r["a", "c", "affine"] > 0.999 > r["a", "c", "rotation"] + 0.05
    assert found.chance.abs().mean() < 0.35 and found.chance.max() < 0.9
    assert set(found["size"]) == {"5"} and (found.seconds > 5).all()
    assert speakers["a"] == {"native_language": "A", "sex": ""}
    # The angle of a turn is undone where the source is the turned one: same r.
    assert r["b", "a", "rotation"] == pytest.approx(r["a", "b", "rotation"], abs=1e-3)


def test_the_affine_map_is_linear_regression_item_by_item(tmp_path):
    rng = np.random.default_rng(4)
    paths = write(tmp_path, {"a": rng.normal(size=(4, 4)), "b": rng.normal(size=(4, 4))}, sentences=4)
    found, _ = run(paths)
    channels, tracks, _ = kinematics_items._read(paths[1])
    phones = kinematics_items._phones(paths[2], ["sil"])
    items = []
    for s in range(4):
        n = len(phones[f"a-{s}"])
        names = f"a-{s}", f"b-{s}"
        one, other = (phones[name] for name in names)
        same = [(i, i) for i in range(n)]
        items.append(kinematics_items.warp(one, other, same, *(tracks[name] for name in names)))
    for c, channel in enumerate(channels):
        each, plain = [], []
        for s, (x, y) in enumerate(items):
            rest = [item for i, item in enumerate(items) if i != s]
            model = LinearRegression().fit(
                np.concatenate([one for one, _ in rest]), np.concatenate([two for _, two in rest])[:, c]
            )
            each.append(np.corrcoef(model.predict(x), y[:, c])[0, 1])
            plain.append(np.corrcoef(x[:, c], y[:, c])[0, 1])
        rows = found[(found.source == "a") & (found.target == "b") & (found.channel == channel)]
        rows = rows.set_index("map").r
        assert rows["affine"] == pytest.approx(np.mean(each), abs=1e-6)
        assert rows["none"] == pytest.approx(np.mean(plain), abs=1e-6)


def test_movements_that_have_nothing_in_common_are_at_chance(tmp_path):
    found, _ = run(write(tmp_path, {"a": np.eye(4), "b": np.eye(4)}, same=False))
    assert found.r.abs().mean() < 0.3


def test_time_is_linear_within_phones_and_silence_is_left_out():
    time = np.arange(0, 2, 0.005)
    source, target = Track(time, time[:, None]), Track(time, 10 * time[:, None])
    one = [("a", 0.5, 0.7), ("b", 0.7, 1.3)]
    other = [("a", 0.1, 0.5), ("b", 0.5, 0.8)]
    warped, measured = kinematics_items.warp(one, other, [(0, 0), (1, 1)], source, target)
    at = measured[:, 0] / 10
    expected = np.where(at < 0.5, 0.5 + (at - 0.1) * 0.5, 0.7 + (at - 0.5) * 2)
    assert warped[:, 0] == pytest.approx(expected, abs=1e-9)
    assert (at.min(), at.max()) == (pytest.approx(0.1, abs=0.006), pytest.approx(0.795, abs=0.006))


def test_what_is_silence_is_an_option(tmp_path):
    """A label of silence is no phone, whatever it is; what is not named is one."""
    paths = write(tmp_path, {"a": np.eye(4), "b": np.eye(4)})
    seconds = {s: run(paths, (), s)[0].seconds.max() for s in ((), ("sil",), ("sil", "p", "t"))}
    assert seconds[()] == pytest.approx(seconds["sil",] + 5 * 0.2)
    assert seconds["sil", "p", "t"] < seconds["sil",] - 0.1
    loud = kinematics_items._phones(paths[2], ["sil", "p"])["a-0"]
    assert {label for label, *_ in loud} == set(PHONES) - {"p"}
    assert [start for _, start, _ in loud] == sorted(start for _, start, _ in loud)


def test_phones_are_matched_in_order():
    assert kinematics_items.matches("abcd", "abxd") == [(0, 0), (1, 1), (3, 3)]
    assert kinematics_items.matches("abc", "xbcy") == [(1, 1), (2, 2)]
    assert kinematics_items.matches("ab", "cd") == []


def test_a_missing_sensor_is_missing(tmp_path):
    found, _ = run(write(tmp_path, {"a": np.eye(4), "b": np.eye(4)}, dead="a"))
    to_b = found[(found.source == "a")].set_index(["map", "channel"])
    assert np.isnan(to_b.r["none", "TT_z"]) and np.isnan(to_b.r["rotation", "TT_z"])
    assert "undefined" in to_b.note["none", "TT_z"] and np.isfinite(to_b.r["affine", "TT_z"])
    assert to_b.r["none", "TT_x"] > 0.99
    assert "TT_z" not in set(found[found.source == "b"].channel)


@pytest.mark.parametrize(
    ("options", "note"),
    [
        ({"segments": False}, "no phone segments: there are no parallel items"),
        ({"sentences": 1}, "fewer than two items in common"),
    ],
)
def test_what_has_no_items_says_so(tmp_path, options, note):
    found, _ = run(write(tmp_path, {"a": np.eye(4), "b": np.eye(4)}, **options))
    assert set(found.note) == {note} and found.r.isna().all()


def test_one_speaker_says_so(tmp_path):
    found, _ = run(write(tmp_path, {"a": np.eye(4)}))
    assert found.note.tolist() == ["no two speakers with a sentence_id: there are no parallel items"]
