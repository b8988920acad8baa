"""Physics against phones: rows against scikit-learn on the frames, and parts that are planted."""

import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.linear_model import Ridge

from phonoscope import embeddings, tables
from phonoscope.errors import InputError
from phonoscope.studies import kinematics_partition as study
from phonoscope.studies import kinematics_partition_summary as summary
from phonoscope.studies import kinematics_phones
from phonoscope.studies.frames import Corpus

CHANNELS = ["TT_x", "TT_z", "LL_z"]
HOP, OFFSET, RATE, D = 0.02, 0.0125, 200.0, 8
SEGMENT = 0.1
OPTIONS = {
    "leave_out": ["speaker", "language"],
    "silence": ["sil"],
    "alphas": [1e-4, 1e-2, 1.0, 100.0],
    "phone_alphas": [1e-3, 0.1],
    "frame_alignment": "time",
    "shifts_s": [2.0, -2.0],
    "seed": 0,
}
LANGUAGES = {"L": "abcd", "M": "abcd"}


class Made:
    """A corpus on disk; ``ema`` and ``layer`` say what moves the sensors, and what the layer holds."""

    def __init__(self, folder, ema, layer, n_speakers=4, languages=LANGUAGES, silent=(), dead=None, seed=0):
        self.rng = np.random.default_rng(seed)
        self.ema, self.layer = ema, layer
        labels = sorted(set("".join(languages.values())))
        self.of_phone = dict(zip(labels, self.rng.normal(size=(len(labels), len(CHANNELS))), strict=True))
        self.code = dict(zip(labels, self.rng.normal(size=(len(labels), D)), strict=True))
        self.mixing = self.rng.normal(size=(D, len(CHANNELS)))
        self.paths = {kind: [] for kind in ("utterances", "articulation", "segments", "embeddings")}
        self.silent, self.dead = silent, dead
        for s in range(n_speakers):
            self.speaker(folder, f"s{s}", languages)

    def speaker(self, folder, speaker, languages):
        path = {kind: folder / kind / f"{speaker}.parquet" for kind in self.paths}
        path["embeddings"].parent.mkdir(parents=True, exist_ok=True)
        rows, tracks, segments = [], [], []
        about = {"hop_s": HOP, "offset_s": OFFSET}
        with embeddings.Writer(path["embeddings"], D, "float32", about) as writer:
            for language, labels in languages.items():
                for u in range(4):
                    name = f"{speaker}-{language}-{u}"
                    x, ema, phones = self.utterance(labels)
                    writer.append(name, x.astype("f4"))
                    if self.dead == speaker:
                        ema[:, 1] = np.nan
                    time = np.arange(len(ema)) / RATE
                    columns = [pa.array([name] * len(ema)).dictionary_encode(), pa.array(time)]
                    columns += [pa.array(each.astype("f4"), from_pandas=True) for each in ema.T]
                    tracks.append(pa.table(columns, schema=tables.articulation_schema(CHANNELS)))
                    rows.append({"utterance_id": name, "speaker": speaker, "language": language})
                    if name not in self.silent and language not in self.silent:
                        segments += [row | {"utterance_id": name} for row in phones]
        tables.write(tables.from_rows(rows, tables.UTTERANCES), path["utterances"])
        tables.write(tables.from_rows(segments, tables.SEGMENTS), path["segments"])
        scale = {row["utterance_id"]: {c: [0.0, 1.0] for c in CHANNELS} for row in rows}
        joined = pa.concat_tables(tracks).unify_dictionaries()
        tables.write(joined, path["articulation"], channels=CHANNELS, scale=scale, rate=RATE)
        for kind in self.paths:
            self.paths[kind].append(path[kind])

    def utterance(self, labels):
        n = int(self.rng.integers(30, 45))
        spoken = [*self.rng.choice(list(labels), size=n), "sil"]
        edges = SEGMENT * np.arange(len(spoken) + 1)
        phones = [
            {"tier": "phone", "start_s": a, "end_s": b, "label": label}
            for a, b, label in zip(edges, edges[1:], spoken, strict=False)
        ]
        time = np.arange(int(edges[-1] * RATE)) / RATE
        centres = OFFSET + HOP * np.arange(int((edges[-1] - OFFSET) / HOP))
        hidden = self.rng.normal(size=(len(time) // 8 + 2, D))
        states = np.column_stack([np.interp(time, np.arange(len(hidden)) * 8 / RATE, h) for h in hidden.T])
        at = [spoken[int(t / SEGMENT + 1e-9)] for t in time]
        moved = np.array([self.of_phone.get(label, np.zeros(len(CHANNELS))) for label in at])
        ema = {"phones": moved, "layer": states @ self.mixing}[self.ema]
        ema = ema + 0.1 * self.rng.normal(size=ema.shape)
        told = np.array([self.code.get(spoken[int(t / SEGMENT + 1e-9)], np.zeros(D)) for t in centres])
        there = np.column_stack([np.interp(centres, time, each) for each in states.T])
        x = {"noise": self.rng.normal(size=there.shape), "states": there, "phones": told}[self.layer]
        return x + 0.05 * self.rng.normal(size=x.shape), ema, phones

    def score(self, **changes):
        return study.score(*self.paths.values(), OPTIONS | changes, "m", 2)

    def corpus(self):
        return Corpus(self.paths["utterances"], self.paths["articulation"], self.paths["embeddings"])


def of_parts(table, leave_out="speaker"):
    """Mean over speakers and channels of every part."""
    values = summary.speaker_values(table.to_pandas().query("test != ''"))
    whole = summary.over_speakers(values, ["leave_out", "held_out", "channel", "layer"])
    rows = whole[(whole.leave_out == leave_out) & (whole.held_out == "all") & (whole.channel == "all")]
    return rows[rows.layer == 2].set_index("part")


@pytest.fixture(scope="module")
def physical(tmp_path_factory):
    return Made(tmp_path_factory.mktemp("physical"), ema="layer", layer="states")


def stacked(made):
    """Per speaker: layer and phones of frames in a phone, EMA, languages."""
    phones = kinematics_phones.read(made.paths["segments"], ["sil"])
    found = {}
    for frames in made.corpus():
        codes = phones.at(frames.utterance_ids, frames.utterance, frames.time_s)
        keep = codes[:, 0] >= 0
        language = np.array([frames.utterance_ids[u].split("-")[1] for u in frames.utterance])
        found[frames.speaker] = frames.x[keep], phones.one_hot(codes)[keep], frames.y[keep], language[keep]
    return found


def reference(train, test, note):
    """R² of scikit-learn's Ridge with the penalties of ``note``, after the mean of the test frames."""
    penalties = dict(re.findall(r"(layer|phones)=([\w.-]+)", note))
    (layer, hot, y), (new_layer, new_hot, truth) = train, test
    blocks = []
    for name, old, new in (("layer", layer, new_layer), ("phones", hot, new_hot)):
        if penalties[name] != "out":
            sd = old.std(axis=0)
            keep = sd > 0
            scale = sd[keep] * np.sqrt(float(penalties[name]))
            blocks.append([(each[:, keep] - old[:, keep].mean(axis=0)) / scale for each in (old, new)])
    if not blocks:
        return 0.0
    x, fresh = (np.hstack(part).astype(float) for part in zip(*blocks, strict=True))
    left = truth - Ridge(alpha=len(x), solver="svd").fit(x, y).predict(fresh)
    return 1 - left.var() / truth.var()


@pytest.mark.parametrize("leave_out", ["speaker", "language"])
def test_every_score_is_scikit_learns_on_the_frames(physical, leave_out):
    data = stacked(physical)
    checked = 0
    for row in physical.score(leave_out=[leave_out]).to_pylist():
        part = row["metric"].removeprefix("r2_")
        if part not in ("phones", "layer", "both"):
            continue
        held_out = row["train"].partition("=")[2]
        words = dict(word.split("=") for word in row["test"].split())
        k = CHANNELS.index(row["target"])

        def frames(chosen, k=k):
            parts = [(x[m], hot[m], y[m, k]) for (x, hot, y, _), m in chosen]
            return [np.concatenate(each).astype(float) for each in zip(*parts, strict=True)]

        if leave_out == "speaker":
            train = [(d, np.full(len(d[0]), True)) for s, d in data.items() if s != held_out]
            test = [(data[held_out], np.full(len(data[held_out][0]), True))]
        else:
            train = [(d, d[3] != held_out) for d in data.values()]
            test = [(data[words["speaker"]], data[words["speaker"]][3] == held_out)]
        train, test = frames(train), frames(test)
        assert row["value"] == pytest.approx(reference(train, test, row["note"]), abs=1e-6)
        assert (row["n_train"], row["n_test"]) == (len(train[2]), len(test[2]))
        checked += 1
    assert checked == 3 * len(CHANNELS) * {"speaker": 4, "language": 8}[leave_out]


def test_a_physical_signal_is_unique_to_the_layer(physical):
    parts = of_parts(physical.score())
    assert parts.r2["unique_layer"] > 0.9
    assert abs(parts.r2["unique_phones"]) < 0.01 and abs(parts.r2["shared"]) < 0.02
    assert parts.above_control["unique_layer"] == "yes" and parts.above_control["unique_phones"] == "no"


def test_a_language_only_signal_is_unique_to_phones(tmp_path):
    parts = of_parts(Made(tmp_path, ema="phones", layer="noise").score())
    assert parts.r2["unique_phones"] > 0.85
    assert abs(parts.r2["unique_layer"]) < 0.02 and abs(parts.r2["shared"]) < 0.02
    assert abs(parts.control["unique_phones"]) < 0.02 and abs(parts.control["both"]) < 0.05


def test_what_phones_and_the_layer_both_tell_is_shared(tmp_path):
    parts = of_parts(Made(tmp_path, ema="phones", layer="phones").score())
    assert parts.r2["shared"] > 0.85
    assert abs(parts.r2["unique_layer"]) < 0.02 and parts.r2["unique_phones"] < 0.05


def test_the_parts_add_up(physical):
    parts = of_parts(physical.score()).r2
    assert parts["unique_phones"] + parts["shared"] == pytest.approx(parts["phones"], abs=1e-12)
    assert parts["unique_phones"] + parts["shared"] + parts["unique_layer"] == pytest.approx(parts["both"])
    assert parts["layer_minus_phones"] == pytest.approx(parts["unique_layer"] - parts["unique_phones"])


@pytest.mark.parametrize(("ema", "layer"), [("phones", "phones"), ("layer", "states")])
def test_phones_are_useless_across_languages_without_a_common_one(tmp_path, ema, layer):
    made = Made(tmp_path, ema, layer, languages={"L": "abcd", "M": "wxyz"})
    table = made.score()
    within, across = of_parts(table), of_parts(table, "language")
    assert across.r2["phones"] == pytest.approx(0, abs=1e-9)
    if ema == "layer":
        assert across.r2["layer"] > 0.9 and across.r2["unique_layer"] > 0.9
    else:
        assert within.r2["phones"] > 0.85
        assert across.above_control["phones"] == "no"


def test_three_languages_are_chosen_for_by_languages(tmp_path):
    made = Made(tmp_path, "layer", "states", n_speakers=2, languages=dict.fromkeys("LMN", "abcd"))
    table = made.score(leave_out=["language"]).to_pandas()
    assert set(table.train) == {f"except_language={k}" for k in "LMN"}
    assert not table.note.str.contains("not chosen").any()
    assert table[table.metric == "r2_layer"].value.min() > 0.8


def test_a_missing_sensor_is_missing(tmp_path):
    made = Made(tmp_path, "layer", "states", dead="s1")
    table = made.score(leave_out=["speaker"]).to_pandas()
    of = table[table.metric == "r2_both"].groupby("test").target.apply(set).to_dict()
    assert of.pop("speaker=s1") == {"TT_x", "LL_z"}
    assert all(found == set(CHANNELS) for found in of.values())
    assert table[table.metric == "r2_both"].value.min() > 0.8
    full = table[(table.metric == "r2_both") & (table.test == "speaker=s0")].set_index("target").n_train
    assert full["TT_z"] < full["TT_x"] == full["LL_z"]


def test_two_speakers_have_nothing_to_choose_by(tmp_path):
    table = Made(tmp_path, "layer", "states", n_speakers=2).score(leave_out=["speaker"]).to_pandas()
    assert table[table.metric == "r2_both"].note.str.contains("not chosen").all()
    assert table[table.metric == "r2_both"].value.min() > 0.5


def test_what_cannot_be_held_out_is_said(tmp_path):
    made = Made(tmp_path, "layer", "states", n_speakers=1, languages={"L": "abcd"})
    table = made.score().to_pylist()
    assert [row["experiment"] for row in table] == ["partition_speaker", "partition_language"]
    assert all(row["value"] is None for row in table)
    assert "only one speaker" in table[0]["note"] and "only one language" in table[1]["note"]
    made = summary.summarise({"c": made.score()})
    assert list(made["partition"].leave_out) == ["speaker", "language"]
    assert made["partition"].note.str.startswith("only one").all()
    assert made["partition_statements"].empty


def test_a_language_without_phones_is_left_out_with_a_note(tmp_path):
    made = Made(tmp_path, "layer", "states", silent=["M", "s0-L-1"])
    table = made.score().to_pandas()
    notes = table[table.value.isna()].set_index("experiment").note
    assert notes["partition_language"].startswith("only one language with EMA and phones: L; ")
    assert "17 recordings without phone segments left out" in notes["partition_speaker"]
    found = summary.summarise({"c": made.score()})["partition"]
    assert found[found.leave_out == "speaker"].note.str.contains("17 recordings").all()


def test_a_corpus_without_phones_is_refused(tmp_path):
    made = Made(tmp_path, "layer", "states", n_speakers=2, silent=["L", "M"])
    with pytest.raises(InputError, match="no phone segments"):
        made.score()


def part(r2, low, high, above="yes"):
    return {"r2": r2, "ci_low": low, "ci_high": high, "above_control": above}


def parts(difference, layer, phones, explain=("yes", "yes", "yes"), shared=(0.4, 0.3, 0.5), own=()):
    fitted = dict(zip(summary.FITTED, (part(0.5, 0.4, 0.6, each) for each in explain), strict=True)) | dict(
        own
    )
    both = {"unique_layer": layer, "unique_phones": phones, "layer_minus_phones": part(*difference, above="")}
    return fitted | both | {"shared": part(*shared)}


NOTHING = {"phones": part(0.0, -0.01, 0.01, "no"), "both": part(-0.01, -0.02, 0.0, "no")}
WORSE = {"phones": part(-0.1, -0.2, -0.05), "layer": part(-0.02, -0.03, -0.01)}
OWN = "R² of the layer .50, of phones .50, of both .50"
LAYER, PHONES = part(0.12, 0.08, 0.16), part(0.031, 0.0, 0.06, "no")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            parts((0.1, 0.05, 0.2), LAYER, PHONES),
            f"the layer explains more than phones do: {OWN}; "
            "of the variance .12 [.08, .16] is the layer's alone, "
            ".03 [.00, .06] (not above chance) is the phones' alone",
        ),
        (
            parts((-0.1, -0.2, -0.05), LAYER, part(0.3, 0.2, 0.4)),
            f"phones explain more than the layer does: {OWN}; "
            "of the variance .12 [.08, .16] is the layer's alone, "
            ".30 [.20, .40] is the phones' alone",
        ),
        (
            parts((0.1, -0.2, 0.4), LAYER, part(-0.02, -0.03, -0.01, "no")),
            f"the layer and phones cannot be told apart: {OWN}; "
            "of the variance .12 [.08, .16] is the layer's "
            "alone, -.02 [-.03, -.01] is lost by the phones' presence",
        ),
        (
            parts((0.1, 0.05, 0.2), LAYER, part(0.3, 0.2, 0.4), ("no", "yes", "yes")),
            "the layer explains more than phones do: R² of the layer .50, of phones .50 (not above "
            "chance), of both .50; of the variance .12 [.08, .16] is the layer's alone, "
            ".30 [.20, .40] is gained by the phones' presence in training",
        ),
        (
            parts((0.1, 0.05, 0.2), LAYER, PHONES, ("no", "no", "no")),
            "neither phones (R² .50) nor the layer (.50) explains EMA above chance",
        ),
        # Below 0 and yet above a control that is worse: nothing is explained.
        (
            parts((-0.05, -0.06, -0.04), LAYER, PHONES, own=NOTHING | {"layer": part(-0.05, -0.06, -0.04)}),
            "neither phones (R² .00) nor the layer (-.05) explains EMA above chance",
        ),
        (
            parts((0.08, 0.05, 0.1), LAYER, PHONES, own=WORSE | {"both": part(-0.01, -0.02, 0.01)}),
            "neither phones (R² -.10) nor the layer (-.02) explains EMA above chance",
        ),
        (
            parts((0.08, 0.05, 0.1), LAYER, PHONES, own=WORSE | {"both": part(0.1, 0.05, 0.15)}),
            "only phones and the layer together explain EMA above chance: R² of the layer -.02 (not above "
            "chance), of phones -.10 (not above chance), of both .10; "
            "of the variance .12 [.08, .16] is gained "
            "by the layer's presence in training, .03 [.00, .06] (not above chance) is the phones' alone",
        ),
        # The higher of the two is not above its control.
        (
            parts((0.1, 0.05, 0.2), LAYER, PHONES, ("yes", "no", "yes")),
            "of the two only phones explain EMA above chance: R² of the layer .50 (not above chance), "
            "of phones .50, of both .50; of the variance .12 [.08, .16] is gained by the layer's presence "
            "in training, "
            ".03 [.00, .06] (not above chance) is the phones' alone",
        ),
        # The unique part is more than the layer by itself explains.
        (
            parts(
                (0.06, 0.05, 0.07),
                part(0.13, 0.12, 0.14),
                PHONES,
                shared=(-0.07, -0.08, -0.06),
                own=NOTHING | {"layer": part(0.06, 0.05, 0.07), "both": part(0.13, 0.12, 0.14)},
            ),
            "the layer explains more than phones do: R² of the layer .06, of phones .00 (not above chance), "
            "of both .13; of the variance .13 [.12, .14] is gained by the layer's presence in training, "
            ".03 [.00, .06] (not above chance) is the phones' alone",
        ),
        (parts((0.1, np.nan, np.nan), LAYER, PHONES), "no interval: no statement"),
    ],
)
def test_the_statement_follows_from_the_intervals(given, said):
    assert summary.statement(given) == said


def test_tables_over_models(physical):
    first = physical.score().to_pandas()
    frames = [first, first.assign(layer=5, value=first.value * 0.5), first.assign(model="a", layer=0)]
    table = pa.Table.from_pandas(pd.concat(frames), schema=tables.SCORES, preserve_index=False)
    found = summary.summarise({"c": table, "d": table})
    assert {name: list(frame) for name, frame in found.items()} == summary.COLUMNS
    whole = found["partition"]
    assert list(dict.fromkeys(whole.corpus)) == ["c", "d"] and list(dict.fromkeys(whole.model)) == ["m", "a"]
    assert set(whole[whole.leave_out == "language"].held_out) == {"all", "L", "M"}
    mine = whole[(whole.corpus == "c") & (whole.model == "m") & (whole.leave_out == "speaker")]
    of = mine.set_index(["layer", "part"]).r2
    assert of["best", "layer"] == of[2, "layer"] == pytest.approx(2 * of[5, "layer"])
    assert of["all", "both"] == pytest.approx(0.75 * of[2, "both"])
    said = found["partition_statements"]
    assert set(said[said.model == "m"].best_layer) == {2}
    assert said.statement.str.startswith("the layer explains more than phones do").all()
    channels = found["partition_channels"]
    expected = first[(first.metric == "r2_layer") & (first.experiment == "partition_speaker")]
    chosen = channels[(channels.corpus == "c") & (channels.model == "m") & (channels.part == "layer")]
    chosen = chosen[(chosen.leave_out == "speaker") & (chosen.layer == 2)].set_index("channel").r2
    assert chosen.to_dict() == pytest.approx(expected.groupby("target").value.mean().to_dict())
