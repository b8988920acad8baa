"""The tables of the kinematics study, on scores whose means, differences and gaps are known."""

import numpy as np
import pandas as pd
import pyarrow.compute as pc
import pytest
from scipy import stats

from phonoscope import tables
from phonoscope.studies import kinematics_rows, sheets
from phonoscope.studies.kinematics_comparison import ITEMS, compare, of_items
from phonoscope.studies.kinematics_rows import Rows
from phonoscope.studies.kinematics_summary import COLUMNS, UNMATCHED, summarise, verdict

CHANNELS = ["TT_x", "TT_z"]
SPEAKERS = {
    "a1": {"native_language": "A", "sex": "f"},
    "a2": {"native_language": "A", "sex": "m"},
    "b1": {"native_language": "B", "sex": "f"},
    "b2": {"native_language": "B", "sex": "m"},
}
MAPS = {"none": 0.0, "affine": 0.08, "rotation": -0.01}


def truth(source, target, channel, layer, kind="none"):
    """r of a source and a target; deterministic, so that a test can take its own means."""
    noise = np.random.default_rng([ord(c) for c in source + target + channel] + [layer]).normal()
    if source == target:
        base = 0.8
    else:
        base = 0.6 if SPEAKERS[source]["native_language"] == SPEAKERS[target]["native_language"] else 0.4
    return base + 0.02 * noise - 0.1 * abs(layer - 1) + MAPS.get(kind, 0)


def write(path, layer, lacks=None, speakers=SPEAKERS):
    """Scores of one layer; ``lacks``: a source and a channel that it does not have."""
    rows = Rows(CHANNELS, model="m", layer=layer, probe="ols")
    n = np.full(2, 100)

    def r(source, target, kind="none", plus=0.0):
        known = [truth(source, target, c, layer, kind) + plus for c in CHANNELS]
        known = [np.nan if (source, c) == lacks else v for v, c in zip(known, CHANNELS, strict=True)]
        return np.array([known, [0.01, 0.03]])

    for target in speakers:
        for source in speakers:
            where = {"by": "", "source": source, "target": target}
            rows.add(r(source, target), 500, n, experiment="speakers", map="none", **where)
            if source == target:
                for size, seconds in (("10", 10.0), ("all", 50.0)):
                    own = r(source, target, plus=-1 / seconds)
                    rows.add(own, 500, n, experiment="own", map="none", size=size, seconds=seconds, **where)
                continue
            for kind in ("affine", "rotation"):
                for size, seconds in (("10", 10.0), ("all", 50.0)):
                    mapped = r(source, target, kind, -1 / seconds + 1 / 50)
                    about = {"experiment": "maps", "map": kind, "size": size, "seconds": seconds}
                    rows.add(mapped, 500, n, **about, **where)
        for source in [name for name in speakers if name != target]:
            for texts, plus in (("same texts", 0.03), ("other texts", 0.0)):
                where = {"by": "", "source": source, "target": target, "target_group": texts, "map": "none"}
                read = r(source, target, plus=plus)[:1]
                rows.add(read, 500, n, "shared=0.500", experiment="texts", **where)
        for by in ("native_language", "sex"):
            for group in sorted({about[by] for about in speakers.values()}):
                own = speakers[target][by]
                value = np.array([[0.7 if group == own else 0.5] * 2, [0.0, 0.0]])
                where = {"by": by, "source": group, "target": target, "target_group": own}
                rows.add(value, 500, n, experiment="groups", map="none", **where)
    kinematics_rows.write(rows.table(), path, speakers)
    return path


@pytest.fixture
def paths(tmp_path):
    return [write(tmp_path / f"layer{layer}.parquet", layer) for layer in range(3)]


def means(target, relation, kind="none", layer=1):
    """Mean over channels and sources: of the same and the other language those of the other sex."""
    language, sex = SPEAKERS[target]["native_language"], SPEAKERS[target]["sex"]
    others = [s for s in SPEAKERS if s != target]
    alike = [s for s in others if SPEAKERS[s]["sex"] != sex]
    sources = {
        "within": [target],
        "same": [s for s in alike if SPEAKERS[s]["native_language"] == language],
        "other": [s for s in alike if SPEAKERS[s]["native_language"] != language],
        "any": others,
    }[relation]
    return np.mean([truth(s, target, c, layer, kind) for s in sources for c in CHANNELS])


def test_tables_have_their_columns_and_survive_a_sheet(paths, tmp_path):
    for name, table in summarise("c", "m", paths).items():
        assert list(table.columns) == COLUMNS[name] and len(table), name
        sheets.write(table, tmp_path / "t.csv")
        read = sheets.read(tmp_path / "t.csv")
        for column in table.select_dtypes("number"):
            assert pd.api.types.is_numeric_dtype(read[column]), f"{name}: {column} is read as text"
            assert read[column].to_numpy(dtype=float) == pytest.approx(
                table[column].to_numpy(dtype=float), abs=1e-6, nan_ok=True
            )


def test_curves_are_means_over_targets_of_means_over_sources(paths):
    curves = summarise("c", "m", paths)["transfer"]
    assert set(curves.best_layer) == {1}
    curves = curves.set_index(["experiment", "by", "relation", "map", "layer"])
    for relation in ("within", "same", "other"):
        for layer in range(3):
            row = curves.loc["speakers", "native_language", relation, "none", layer]
            expected = [means(t, relation, layer=layer) for t in SPEAKERS]
            assert row.r == pytest.approx(np.mean(expected)) and row.n_speakers == 4
            assert row.ci_low <= row.r <= row.ci_high and row.chance == pytest.approx(0.02)
    row = curves.loc["speakers", "speaker", "other", "affine", 1]
    assert row.r == pytest.approx(np.mean([means(t, "any", "affine") for t in SPEAKERS]))
    assert curves.loc["groups", "sex", "same", "none", 0].r == pytest.approx(0.7)
    assert curves.loc["groups", "native_language", "other", "none", 0].r == pytest.approx(0.5)


def test_the_contrast_is_paired_over_targets(paths):
    found = summarise("c", "m", paths)["contrast"]
    row = found[(found.experiment == "speakers") & (found.by == "native_language") & (found.layer == 1)]
    row = row[row["map"] == "none"].iloc[0]
    same, other, within = (
        np.array([means(t, relation) for t in SPEAKERS]) for relation in ("same", "other", "within")
    )
    assert row.difference == pytest.approx(np.mean(same - other))
    interval = stats.ttest_1samp(same - other, 0).confidence_interval(0.95)
    assert (row.ci_low, row.ci_high) == pytest.approx(tuple(interval))
    assert row.verdict == "worse to another native language" and row.ci_low > 0
    assert row.ratio == pytest.approx(other.mean() / same.mean())
    assert row.of_ceiling == pytest.approx(other.mean() / within.mean())
    assert row.ratio_low < row.ratio < row.ratio_high and row.chance_difference == pytest.approx(0)
    group = found[(found.experiment == "groups") & (found.by == "sex")].iloc[0]
    assert group.difference == pytest.approx(0.2) and np.isnan(group.ceiling)
    assert group.verdict == UNMATCHED
    # Sexes do not differ in the scores of pairs but for their languages: the interval holds 0.
    sex = found[(found.experiment == "speakers") & (found.by == "sex") & (found["map"] == "none")]
    assert len(sex) == 3 and set(sex.n_speakers) == {4}
    assert (sex.ci_low < 0).all() and (sex.ci_high > 0).all() and set(sex.verdict) == {"not told apart"}


EIGHT = {
    f"{language}{number}": {"native_language": language.upper(), "sex": "ffmm"[number]}
    for language in "ab"
    for number in range(4)
}


def pairs(path, speakers, r_of):
    """Scores of pairs of speakers, r of source and target by ``r_of``."""
    rows = Rows(CHANNELS, model="m", layer=0, probe="ols")
    for target in speakers:
        for source in speakers:
            value = np.array([[r_of(source, target)] * 2, [0.0, 0.0]])
            where = {"by": "", "source": source, "target": target, "map": "none"}
            rows.add(value, 500, np.full(2, 100), experiment="speakers", **where)
    kinematics_rows.write(rows.table(), path, speakers)
    return path


def test_speakers_of_one_sex_do_not_pass_for_speakers_of_one_language(tmp_path):
    """Without its target a language has one source of the target's sex in three, the other two in four."""

    def by_sex(source, target):
        return 0.6 if EIGHT[source]["sex"] == EIGHT[target]["sex"] else 0.46

    found = summarise("c", "m", [pairs(tmp_path / "l.parquet", EIGHT, by_sex)])
    contrast = found["contrast"].set_index("by")
    assert contrast.difference["native_language"] == pytest.approx(0, abs=1e-12)
    assert contrast.difference["sex"] == pytest.approx(0.14)
    curves = found["transfer"].set_index(["by", "relation"]).r
    assert curves["native_language", "same"] == pytest.approx(0.53)
    assert curves["native_language", "other"] == pytest.approx(0.53)

    # And a language that is there is found as large as it is, whatever the sexes do.
    def both(source, target):
        return by_sex(source, target) - 0.1 * (source[0] != target[0])

    contrast = summarise("c", "m", [pairs(tmp_path / "l.parquet", EIGHT, both)])["contrast"].set_index("by")
    assert contrast.difference.to_dict() == pytest.approx({"native_language": 0.1, "sex": 0.14})


@pytest.mark.parametrize(
    ("by", "parted", "told"),
    [("language", False, True), ("language", True, False), ("condition", False, False)],
)
def test_groups_of_the_same_speakers_get_a_verdict_on_the_language_spoken(tmp_path, by, parted, told):
    """Parted: each speaker speaks one of the two only."""
    rows = Rows(CHANNELS, model="m", layer=0, probe="ols")
    for number, target in enumerate(EIGHT):
        where = {"by": "", "source": target, "target": target, "map": "none"}
        rows.add(np.full((2, 2), 0.8), 500, np.full(2, 100), experiment="speakers", **where)
        for tested in "xy"[number % 2] if parted else "xy":
            for source in "xy":
                r = 0.6 - 0.1 * (source != tested) + 0.001 * number * (source == "x")
                where = {"by": by, "source": source, "target": target, "target_group": tested, "map": "none"}
                rows.add(np.full((2, 2), r), 500, np.full(2, 100), experiment="groups", **where)
    kinematics_rows.write(rows.table(), tmp_path / "l.parquet", EIGHT)
    found = summarise("c", "m", [tmp_path / "l.parquet"])["contrast"].set_index("experiment")
    assert set(found.n_speakers["speakers"]) == {0}, "a contrast of speakers without any other speaker"
    row = found.loc["groups"]
    assert row.difference == pytest.approx(0.1, abs=0.005) and row.n_speakers == 8
    assert row.verdict == ("worse to another language" if told else UNMATCHED)


def test_without_sources_that_are_alike_there_is_no_verdict(tmp_path):
    """All women speak one language: the other sex is the other language."""
    parted = {name: {"native_language": name[0], "sex": "fm"[name[0] == "b"]} for name in EIGHT}
    found = summarise("c", "m", [pairs(tmp_path / "l.parquet", parted, lambda *_: 0.5)])
    contrast = found["contrast"].set_index("by")
    assert contrast.difference.isna().all() and set(contrast.n_speakers) == {0}
    assert contrast.verdict["sex"] == "no verdict: no sources of both kinds that are alike in native language"
    curves = found["transfer"].set_index(["by", "relation"])
    assert np.isnan(curves.r["sex", "same"]) and "alike in native language" in curves.note["sex", "same"]
    assert curves.r["speaker", "other"] == pytest.approx(0.5) and curves.r["sex", "within"] == 0.5


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.1, 0.2, "worse to another native language"),
        (-0.2, -0.1, "better to another native language"),
        (-0.1, 0.1, "not told apart"),
        (np.nan, np.nan, "no interval: no verdict"),
    ],
)
def test_the_verdict_follows_from_the_interval(low, high, expected):
    assert verdict(low, high, "native_language") == expected


def test_maps_are_compared_with_no_map_on_the_same_cells(paths):
    found = summarise("c", "m", paths)["maps"]
    row = found[(found.by == "speaker") & (found["map"] == "affine") & (found.layer == 1)].iloc[0]
    before, ceiling = (np.mean([means(t, name) for t in SPEAKERS]) for name in ("any", "within"))
    assert row.gain == pytest.approx(0.08) and row.after - row.before == pytest.approx(0.08)
    assert row.closed == pytest.approx(0.08 / (ceiling - before)) and row.ceiling == pytest.approx(ceiling)
    assert row.verdict == "better than no map"
    turned = found[(found.by == "speaker") & (found["map"] == "rotation")]
    assert (turned.verdict == "worse than no map").all()


def test_seconds_are_of_the_best_layer(paths):
    found = summarise("c", "m", paths)["seconds"].set_index(["map", "size"])
    assert set(found.layer) == {1}
    expected = np.mean([means(t, "any", "affine") for t in SPEAKERS])
    assert found.r["affine", "all"] == pytest.approx(expected)
    assert found.lost["affine", "10"] == pytest.approx(0.08) and np.isnan(found.lost["affine", "all"])
    assert found.seconds["affine", "all"] == 50 and found.seconds["none", "0"] == 0
    assert found.r["none", "0"] == pytest.approx(np.mean([means(t, "any") for t in SPEAKERS]))
    assert found.r["own", "10"] == pytest.approx(np.mean([means(t, "within") for t in SPEAKERS]) - 0.1)


def test_the_matrix_is_that_of_the_best_layer(paths):
    found = summarise("c", "m", paths)["matrix"]
    pairs = found[(found.experiment == "speakers") & (found["map"] == "none")].set_index(["source", "target"])
    assert len(pairs) == 16 and set(pairs.layer) == {1}
    assert pairs.r["a1", "b2"] == pytest.approx(np.mean([truth("a1", "b2", c, 1) for c in CHANNELS]))
    assert (pairs.source_group["a1", "b2"], pairs.target_group["a1", "b2"]) == ("A", "B")
    groups = found[(found.experiment == "groups") & (found.by == "sex")].set_index(["source", "target"])
    assert groups.r["f", "m"] == pytest.approx(0.5) and groups.n_speakers["f", "f"] == 2


def test_the_matrices_are_those_of_all_layers(paths):
    found = summarise("c", "m", paths)
    every = found["matrix_layers"]
    pairs = every[(every.experiment == "speakers") & (every["map"] == "none")]
    pairs = pairs.set_index(["layer", "source", "target"])
    assert len(pairs) == 3 * 16 and set(every.best_layer) == {1}
    for layer in range(3):
        expected = np.mean([truth("b1", "a2", c, layer) for c in CHANNELS])
        assert pairs.r[layer, "b1", "a2"] == pytest.approx(expected)
    best = every[every.layer == 1].drop(columns="best_layer").reset_index(drop=True)
    pd.testing.assert_frame_equal(best, found["matrix"].reset_index(drop=True))


def test_a_missing_channel_is_left_out_on_both_sides(tmp_path):
    """a1 lacks a channel: it is missing from all that a1 would have been compared with or for."""
    path = write(tmp_path / "layer1.parquet", 1, lacks=("a1", "TT_z"))
    found = summarise("c", "m", [path])
    row = found["contrast"].query("experiment == 'speakers' and by == 'native_language' and map == 'none'")
    # Matched sources of the same and the other language, and the channels that both (and a ceiling) have.
    compared = {
        "a1": ("a2", "b2", CHANNELS[:1]),
        "a2": ("a1", "b1", CHANNELS[:1]),
        "b1": ("b2", "a2", CHANNELS),
        "b2": ("b1", "a1", CHANNELS[:1]),
    }
    for at, name in enumerate(("same", "other")):
        r = [np.mean([truth(about[at], t, c, 1) for c in about[2]]) for t, about in compared.items()]
        assert row.iloc[0][name] == pytest.approx(np.mean(r))
    matrix = found["matrix"].set_index(["experiment", "map", "source", "target"])
    assert matrix.note["speakers", "none", "a1", "b1"] == "1 channels without r"
    curves = found["transfer"].set_index(["experiment", "by", "relation", "map"])
    assert curves.note["speakers", "speaker", "within", "none"].startswith("1 without r (r is undefined")
    assert curves.note["speakers", "speaker", "other", "none"].startswith("3 without r (r is undefined")


def test_speakers_of_one_language_have_no_contrast(tmp_path):
    alone = {name: about | {"native_language": "A"} for name, about in SPEAKERS.items()}
    found = summarise("c", "m", [write(tmp_path / "layer0.parquet", 0, speakers=alone)])
    assert set(found["contrast"].by) == {"sex"} and set(found["transfer"].by) == {"speaker", "sex"}
    nameless = {name: {"native_language": "", "sex": ""} for name in SPEAKERS}
    found = summarise("c", "m", [write(tmp_path / "layer1.parquet", 1, speakers=nameless)])
    assert set(found["transfer"].by) == {"speaker"} and found["contrast"].empty
    assert list(found["contrast"].columns) == COLUMNS["contrast"]


def test_speakers_that_cannot_be_split_leave_groups_only(tmp_path):
    rows = Rows(CHANNELS, model="m", layer=0, probe="ols")
    for name in SPEAKERS:
        where = {"by": "", "source": name, "target": name, "map": "none"}
        rows.skip("one utterance cannot be split", experiment="speakers", **where)
        for group in "fm":
            about = {"by": "sex", "source": group, "target": name, "target_group": SPEAKERS[name]["sex"]}
            value = np.array([[0.5, 0.6], [0.0, 0.0]])
            rows.add(value, 500, np.full(2, 100), experiment="groups", map="none", **about)
    path = tmp_path / "layer0.parquet"
    kinematics_rows.write(rows.table(), path, SPEAKERS)
    found = summarise("c", "m", [path])
    assert len(found["contrast"]) == 1 and set(found["contrast"].experiment) == {"groups"}
    assert all(list(table.columns) == COLUMNS[name] for name, table in found.items())
    curves = found["transfer"].set_index(["experiment", "relation"])
    assert np.isnan(curves.r["speakers", "within"]) and curves.n_speakers["speakers", "within"] == 0
    assert curves.note["speakers", "within"] == "4 without r (one utterance cannot be split)"
    assert curves.r["groups", "same"] == pytest.approx(0.55)
    skipped = found["matrix"]
    assert set(skipped.note) == {"one utterance cannot be split"} and skipped.r.isna().all()
    assert sorted(skipped.target) == sorted(SPEAKERS)


def test_what_has_no_score_is_told(tmp_path):
    """b2 is the only m of its group, and f on f is undefined for a1: they count among what has no r."""
    speakers = SPEAKERS | {"a2": {"native_language": "A", "sex": "f"}}
    rows = Rows(CHANNELS, model="m", layer=0, probe="ols")
    n = np.full(2, 100)
    for target, about in speakers.items():
        for source in speakers:
            if source != target:
                where = {"by": "", "source": source, "target": target, "map": "none"}
                rows.add(np.full((2, 2), 0.3), 500, n, experiment="speakers", **where)
        for group in "fm":
            where = {"experiment": "groups", "by": "sex", "source": group, "target": target, "map": "none"}
            where["target_group"] = about["sex"]
            if (target, group) == ("b2", "m"):
                rows.skip("no other speaker in the group", **where)
            else:
                lost = (target, group) == ("a1", "f")
                rows.add(np.array([[np.nan if lost else 0.5] * 2, [0.0, 0.0]]), 500, n, **where)
    rows.skip(
        "one utterance cannot be split", experiment="speakers", by="", source="c", target="c", map="none"
    )
    path = tmp_path / "layer0.parquet"
    kinematics_rows.write(rows.table(), path, speakers | {"c": {"native_language": "A", "sex": ""}})
    found = summarise("c", "m", [path])
    matrix = found["matrix"].set_index(["by", "source", "target"])
    assert np.isnan(matrix.r["sex", "m", "m"]) and matrix.n_speakers["sex", "m", "m"] == 0
    assert matrix.note["sex", "m", "m"] == "1 without r (no other speaker in the group)"
    assert matrix.r["sex", "f", "f"] == 0.5 and matrix.n_speakers["sex", "f", "f"] == 2
    assert matrix.note["sex", "f", "f"].startswith("2 without r (r is undefined")
    assert np.isnan(matrix.r["speaker", "c", "c"])
    assert matrix.note["speaker", "c", "c"] == "one utterance cannot be split"
    curves = found["transfer"].set_index(["experiment", "by", "relation"])
    assert curves.note["groups", "sex", "same"].startswith("3 without r (")
    assert curves.n_speakers["groups", "sex", "same"] == 2
    assert curves.note["groups", "sex", "other"] == ""


def test_without_maps_there_is_transfer(paths):
    for path in paths:
        found = tables.read(path)
        kept = found.filter(pc.not_equal(found["experiment"], "maps"))
        kinematics_rows.write(kept, path, SPEAKERS)
    made = summarise("c", "m", paths)
    assert made["maps"].empty and set(made["transfer"]["map"]) == {"none"}
    assert set(made["seconds"]["map"]) == {"none", "own"}


def items(path, pairs=True):
    rows = Rows(CHANNELS, experiment="items", by="")
    for source in SPEAKERS if pairs else []:
        for target in SPEAKERS:
            if source != target:
                for kind in MAPS:
                    value = np.array([[truth(source, target, c, 1, kind) for c in CHANNELS], [0.0, 0.1]])
                    where = {"source": source, "target": target, "map": kind, "size": "5", "seconds": 12.0}
                    rows.add(value, 100, np.full(2, 50), **where)
    rows.skip("fewer than two items in common", source="a1", target="x", map="none")
    kinematics_rows.write(rows.table(), path, SPEAKERS)
    return path


def test_items_are_summarised_over_targets_and_listed(tmp_path):
    found = of_items("c", items(tmp_path / "items.parquet"))
    assert list(found.columns) == ITEMS
    every = found[found.source == "all"].set_index(["by", "relation", "map"])
    row = every.loc["speaker", "other", "affine"]
    assert row.r == pytest.approx(np.mean([means(t, "any", "affine") for t in SPEAKERS]))
    assert row.gain == pytest.approx(0.08) and row["items"] == 5 and row.n_speakers == 4
    assert every.r["native_language", "same", "none"] == pytest.approx(
        np.mean([means(t, "same") for t in SPEAKERS])
    )
    assert len(found[(found.source == "a1") & (found.target == "b1")]) == 3
    assert found.note[found.target == "x"].tolist() == ["fewer than two items in common"]
    empty = of_items("c", items(tmp_path / "none.parquet", pairs=False))
    assert len(empty) == 1 and empty.r.isna().all()
    plain = tables.read(tmp_path / "items.parquet")
    kinematics_rows.write(plain.filter(pc.equal(plain["map"], "none")), tmp_path / "plain.parquet", SPEAKERS)
    unmapped = of_items("c", tmp_path / "plain.parquet")
    assert set(unmapped["map"]) == {"none"} and unmapped.gain.isna().all()


def test_items_are_compared_on_channels_that_every_map_has(tmp_path):
    """A channel that the source lacks, and that the affine map alone gives, badly: no change, not a loss."""
    rows = Rows(CHANNELS, experiment="items", by="")
    for source in SPEAKERS:
        for target in SPEAKERS:
            if source != target:
                for kind, of_z in (("none", np.nan), ("affine", 0.1), ("rotation", np.nan)):
                    r = np.array([[0.7, of_z], [0.0, 0.0]])
                    where = {"source": source, "target": target, "map": kind, "size": "5", "seconds": 12.0}
                    rows.add(r, 100, np.full(2, 50), **where)
    kinematics_rows.write(rows.table(), tmp_path / "items.parquet", SPEAKERS)
    found = of_items("c", tmp_path / "items.parquet")
    assert found.r.dropna().to_numpy() == pytest.approx(0.7)
    assert found.gain.dropna().to_numpy() == pytest.approx(0, abs=1e-12) and found.gain.notna().any()


def test_all_models_and_corpora_stand_in_one_table(paths, tmp_path):
    summaries = {name: [] for name in COLUMNS}
    for corpus in "cd":
        for name, table in summarise(corpus, "m", paths).items():
            summaries[name].append(tmp_path / corpus / f"{name}.csv")
            sheets.write(table, summaries[name][-1])
    found = compare(summaries, ["c", "d"], [items(tmp_path / f"{c}.parquet") for c in "cd"])
    assert set(found) == {*COLUMNS, "items"}
    for name, table in found.items():
        assert set(table.corpus) == {"c", "d"}, name
