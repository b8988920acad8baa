"""Summaries against plain loops over the score rows."""

import math
import re
import warnings

import numpy as np
import pandas as pd
import pytest

from phonoscope import tables
from phonoscope.probes.inference import bootstrap_mean
from phonoscope.studies import articulation_summary as summary
from phonoscope.studies import sheets


@pytest.fixture
def make_scores():
    """Random scores of all five experiments, with a channel absent for a speaker and undefined values."""

    def make(
        speakers=("a1", "a2", "b1", "b2", "b3"),
        layers=(0, 1, 2),
        channels=("TT_x", "TT_z", "UL_z"),
        model="m",
        probes=("ols",),
        absent=(("a2", "UL_z"),),
        undefined=0.03,
        seed=0,
    ):
        rng = np.random.default_rng(seed)
        rows = []

        def add(experiment, probe, layer, train, test, speaker):
            for channel in channels:
                if (speaker, channel) in absent:
                    continue
                for metric in ("pearson_r", "pearson_r_shifted"):
                    value = float(rng.uniform(-1, 1)) * (1.0 if metric == "pearson_r" else 0.1)
                    missing = rng.uniform() < undefined
                    rows.append(
                        {
                            "experiment": experiment,
                            "probe": probe,
                            "model": model,
                            "layer": layer,
                            "train": train,
                            "test": test,
                            "target": channel,
                            "metric": metric,
                            "value": None if missing else value,
                            "n_train": 1000,
                            "n_test": int(rng.integers(100, 200)),
                            "note": "r is undefined" if missing else "",
                        }
                    )

        for probe in probes:
            for layer in layers:
                for s in speakers:
                    for split in ("utterances", "frames"):
                        fit = f"speaker={s} split={split}"
                        add("E1", probe, layer, f"{fit} part=train", f"{fit} part=test", s)
                        for seconds in (20, 60):
                            add("E3", probe, layer, f"{fit} seconds={seconds}", f"{fit} part=test", s)
                    add("E4", probe, layer, f"except={s}", f"speaker={s}", s)
                    fit = f"group={s[0]} except={s}"
                    for words in (
                        "",
                        " task=T1",
                        " task=T 2",
                        " condition=L1",
                        " condition=L2",
                        " task=T1 condition=L1",
                    ):
                        add("E5", probe, layer, fit, f"speaker={s}{words}", s)
        return tables.from_rows(rows, tables.SCORES)

    return make


def mean(values):
    values = [v for v in values if v is not None and not math.isnan(v)]
    return sum(values) / len(values) if values else math.nan


def pick(rows, metric="pearson_r", **wanted):
    """Rows with all of the wanted fields; train and test match as whole strings or by a pattern."""
    found = []
    for row in rows:
        if row["metric"] == metric and all(
            re.fullmatch(want, row[key]) if key in ("train", "test") else row[key] == want
            for key, want in wanted.items()
        ):
            found.append(row)
    return found


def by_speaker(rows):
    speakers = {}
    for row in rows:
        speakers.setdefault(re.search(r"speaker=(\S+)", row["test"])[1], []).append(row["value"])
    return {speaker: mean(values) for speaker, values in sorted(speakers.items())}


def assert_row(row, rows, shifted):
    """r, interval, chance and the number of speakers of a summary row, from score rows by loops."""
    per_speaker = [v for v in by_speaker(rows).values() if not math.isnan(v)]
    assert row.r == pytest.approx(mean(per_speaker), nan_ok=True)
    assert row.n_speakers == len(per_speaker)
    low, high = bootstrap_mean(np.array(per_speaker)[:, None])
    assert (row.ci_low, row.ci_high) == pytest.approx((low[0], high[0]), nan_ok=True)
    assert row.chance == pytest.approx(mean(by_speaker(shifted).values()), nan_ok=True)
    undefined = sum(r["value"] is None for r in rows)
    assert (f"{undefined} without r (r is undefined)" in row.note) == (undefined > 0)


def both(rows, **wanted):
    return pick(rows, **wanted), pick(rows, metric="pearson_r_shifted", **wanted)


@pytest.fixture
def planted(make_scores):
    scores = make_scores()
    return scores.to_pylist(), summary.summarise_model(scores)


def test_columns(planted):
    for name, frame in planted[1].items():
        assert list(frame.columns) == summary.COLUMNS[name], name
        assert len(frame), name


def test_layers_against_loops(planted):
    rows, made = planted
    assert len(made["layers"]) == 3 * (2 + 1 + 1)
    for row in made["layers"].itertuples():
        wanted = {"experiment": row.experiment, "layer": row.layer}
        if row.experiment == "E1":
            wanted["train"] = f".*split={row.split} .*"
        else:
            assert row.split == "one speaker out"
            wanted["test"] = r"speaker=\S+"
        assert_row(row, *both(rows, **wanted))


def test_e1_all_and_best(planted):
    rows, made = planted
    for split in ("utterances", "frames"):
        layers = made["layers"].query("experiment == 'E1' and split == @split")
        best = layers.sort_values("r").iloc[-1].layer
        table = made["E1"].query("split == @split").set_index("layer")
        assert list(table.index) == ["all", "best"]
        assert (table.best_layer == best).all()
        fits = f".*split={split} .*"
        assert_row(table.loc["best"], *both(rows, experiment="E1", layer=best, train=fits))
        # over layers the mean is of layer means, which differs from the mean of all where r is undefined
        means = [by_speaker(pick(rows, experiment="E1", layer=layer, train=fits)) for layer in (0, 1, 2)]
        expected = mean([mean([m[s] for m in means]) for s in means[0]])
        assert table.loc["all"].r == pytest.approx(expected)
        assert table.loc["all"].n_speakers == 5


def test_e2_and_e3_against_loops(planted):
    rows, made = planted
    assert len(made["E2"]) == 2 * 3 * 3
    for row in made["E2"].itertuples():
        wanted = {"experiment": "E1", "layer": row.layer, "target": row.channel}
        assert_row(row, *both(rows, **wanted, train=f".*split={row.split} .*"))
    absent = made["E2"].query("channel == 'UL_z'")
    assert (absent.n_speakers <= 4).all()
    assert len(made["E3"]) == 2 * 2 * (3 + 1)
    for row in made["E3"].query("layer != 'all'").itertuples():
        fits = f".*split={row.split} seconds={row.seconds:.0f}"
        assert_row(row, *both(rows, experiment="E3", layer=row.layer, train=fits))


def test_e4_per_speaker_and_channel(planted):
    rows, made = planted
    each = made["E4"].query("speaker != 'all'")
    assert len(each) == 3 * (5 * 3 - 1 + 5)
    for row in each.itertuples():
        wanted = {"experiment": "E4", "layer": row.layer, "test": f"speaker={row.speaker}"}
        if row.channel != "all":
            wanted["target"] = row.channel
        real, shifted = both(rows, **wanted)
        assert row.r == pytest.approx(mean(r["value"] for r in real), nan_ok=True)
        assert row.chance == pytest.approx(mean(r["value"] for r in shifted), nan_ok=True)
        assert row.n_test == max(r["n_test"] for r in real)
    every = made["E4"].query("speaker == 'all'")
    assert len(every) == 3 * (3 + 1)
    for row in every.itertuples():
        speakers = each.query("layer == @row.layer and channel == @row.channel").r.dropna()
        assert row.r == pytest.approx(speakers.mean())
        assert row.n_speakers == len(speakers) and row.ci_low <= row.r <= row.ci_high


def test_leak_is_the_difference_of_the_splits_paired_over_speakers(planted):
    _, made = planted
    assert len(made["leak"])
    cells = made["leak"].query("layer != 'all'")
    for row in cells.itertuples():
        layer = made["layers"].query("experiment == 'E1' and layer == @row.layer and probe == @row.probe")
        r = layer.set_index("split").r
        if row.n_speakers == layer.n_speakers.min() == layer.n_speakers.max():
            assert row.leak == pytest.approx(r["frames"] - r["utterances"])
            assert row.ci_low <= row.leak <= row.ci_high
    for row in made["leak"].query("layer == 'all'").itertuples():
        own = cells[cells.probe == row.probe]
        if own.n_speakers.nunique() == 1:
            assert row.leak == pytest.approx(own.leak.mean())


def test_e5_by_group_task_and_condition(planted):
    rows, made = planted
    tests = {("all", "all"), ("T1", "all"), ("T 2", "all"), ("all", "L1"), ("all", "L2"), ("T1", "L1")}
    assert set(zip(made["E5"].task, made["E5"].condition, strict=True)) == tests
    for row in made["E5"].query("layer != 'best'").itertuples():
        words = "" if row.task == "all" else f" task={row.task}"
        words += "" if row.condition == "all" else f" condition={row.condition}"
        wanted = {"experiment": "E5", "layer": int(row.layer), "train": f"group={row.group} .*"}
        wanted["test"] = rf"speaker=\S+{words}"
        if row.channel != "all":
            wanted["target"] = row.channel
        assert_row(row, *both(rows, **wanted))
    best = made["layers"].query("experiment == 'E5'").sort_values("r").iloc[-1].layer
    assert (made["E5"].best_layer == best).all()
    columns = ["group", "task", "condition", "channel", "r"]
    at_best = made["E5"].query("layer == 'best'")[columns].reset_index(drop=True)
    same = made["E5"][made["E5"].layer.astype(str) == str(best)][columns].reset_index(drop=True)
    pd.testing.assert_frame_equal(at_best, same)
    assert set(made["E5_speakers"].layer) == {best}
    assert len(made["E5_speakers"]) == 6 * (5 * 3 - 1 + 5)


def test_speakers_are_taken_at_the_best_layer(planted):
    rows, made = planted
    assert len(made["speakers"]) == 5 * 4
    for row in made["speakers"].itertuples():
        wanted = {"experiment": row.experiment, "layer": row.layer}
        wanted["test"] = f"speaker={row.speaker}" + (
            f" split={row.split} part=test" if row.experiment == "E1" else ""
        )
        assert row.r == pytest.approx(mean(r["value"] for r in pick(rows, **wanted)))


def test_frames_are_summed_over_speakers_and_not_over_channels(make_scores):
    scores = make_scores(undefined=0)
    row = summary.summarise_model(scores)["layers"].query("experiment == 'E4' and layer == 1").iloc[0]
    frames = {}
    for r in pick(scores.to_pylist(), experiment="E4", layer=1):
        frames[r["test"]] = max(frames.get(r["test"], 0), r["n_test"])
    assert row.n_test == sum(frames.values())


def test_one_speaker_has_no_interval_and_says_so(make_scores):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = summary.summarise_model(make_scores(speakers=("a1",), undefined=0))
    for name in ("E1", "layers", "E2", "E3", "E5"):
        assert made[name].ci_low.isna().all()
        assert (made[name].note == "one speaker: no interval").all()
        assert made[name].r.notna().all()


def test_experiments_that_were_not_run_leave_empty_tables(make_scores, tmp_path):
    scores = make_scores()
    only = scores.filter(pa_equal(scores, "E4"))
    made = summary.summarise_model(only)
    assert made["E1"].empty and made["E3"].empty and made["E5"].empty and made["E2"].empty
    assert set(made["layers"].experiment) == {"E4"}
    for name, frame in made.items():
        sheets.write(frame, tmp_path / f"{name}.csv")
        assert list(sheets.read(tmp_path / f"{name}.csv").columns) == summary.COLUMNS[name]


def pa_equal(scores, experiment):
    import pyarrow.compute as pc

    return pc.equal(scores["experiment"], experiment)


def test_nothing_defined_gives_no_best_layer(make_scores):
    made = summary.summarise_model(make_scores(undefined=1.1))
    assert made["layers"].r.isna().all()
    assert set(made["E1"].layer) == {"all"}
    assert made["speakers"].empty
    assert (made["layers"].n_speakers == 0).all()


def test_leaving_out_one_utterance_averages_over_the_speakers_utterances():
    rows = [
        {"experiment": "E4", "probe": "ridge", "model": "m", "layer": 0, "target": "TT_x", "n_test": 50}
        | {"train": f"except_utterance={u}", "test": f"speaker={u[0]} utterance={u}", "metric": metric}
        | {"value": value if metric == "pearson_r" else 0.0}
        for u, value in [("a1", 0.2), ("a2", 0.4), ("b1", 0.7)]
        for metric in ("pearson_r", "pearson_r_shifted")
    ]
    made = summary.summarise_model(tables.from_rows(rows, tables.SCORES))
    every = made["E4"].query("channel == 'all' and speaker != 'all'")
    assert list(every.r) == pytest.approx([0.3, 0.7])
    assert list(every.n_test) == [100, 50]
    row = made["layers"].iloc[0]
    assert (row.r, row.split, row.n_speakers) == (pytest.approx(0.5), "one utterance out", 2)


def test_order_of_scores_does_not_matter(make_scores):
    scores = make_scores()
    shuffled = scores.take(np.random.default_rng(1).permutation(len(scores)))
    one, two = summary.summarise_model(scores), summary.summarise_model(shuffled)
    for name in one:
        pd.testing.assert_frame_equal(one[name], two[name], check_exact=False, atol=1e-12)


def test_a_score_without_speaker_is_refused(make_scores):
    frame = make_scores().to_pylist()[:1]
    frame[0]["test"] = "part=test"
    with pytest.raises(ValueError, match="names no speaker"):
        summary.summarise_model(tables.from_rows(frame, tables.SCORES))


def test_sheets_come_back_as_they_were(planted, tmp_path):
    for name, frame in planted[1].items():
        sheets.write(frame, tmp_path / f"{name}.csv")
        back = sheets.read(tmp_path / f"{name}.csv")
        for column in frame:
            if pd.api.types.is_numeric_dtype(frame[column]):
                np.testing.assert_allclose(back[column], frame[column].astype(float), atol=5.1e-7)
            else:
                assert list(back[column]) == [str(v) for v in frame[column]], (name, column)


def test_models_are_compared_on_shared_speakers(make_scores):
    from scipy.stats import wilcoxon
    from statsmodels.stats.multitest import multipletests

    names = [f"s{i}" for i in range(9)]
    parts = [
        summary.summarise_model(make_scores(speakers=names[i:], model=m, seed=i, undefined=0))
        for i, m in enumerate("xyz")
    ]
    speakers = summary.combine([part["speakers"] for part in parts])
    table = summary.compare_models(speakers)
    assert list(table.columns) == summary.COLUMNS["comparisons"]
    for design, family in table.groupby(["experiment", "split"]):
        assert list(zip(family.model_a, family.model_b, strict=True)) == [("x", "y"), ("x", "z"), ("y", "z")]
        assert list(family.n_speakers) == [8, 7, 7]
        part = speakers[(speakers.experiment == design[0]) & (speakers.split == design[1])]
        wide = {m: dict(zip(g.speaker, g.r, strict=True)) for m, g in part.groupby("model")}
        raw = []
        for row in family.itertuples():
            shared = sorted(set(wide[row.model_a]) & set(wide[row.model_b]))
            differences = [wide[row.model_a][s] - wide[row.model_b][s] for s in shared]
            assert row.mean_difference == pytest.approx(mean(differences))
            raw.append(wilcoxon(differences).pvalue)
        np.testing.assert_allclose(family.p, raw)
        np.testing.assert_allclose(family.p_holm, multipletests(raw, method="holm")[1])


def test_one_model_has_nothing_to_be_compared_with(make_scores):
    table = summary.compare_models(summary.summarise_model(make_scores())["speakers"])
    assert table.empty and list(table.columns) == summary.COLUMNS["comparisons"]


def test_combine_keeps_order_and_empty_tables(planted):
    frame = planted[1]["E1"]
    both_models = summary.combine([frame.assign(model="z"), frame.iloc[:0], frame.assign(model="a")])
    assert list(dict.fromkeys(both_models.model)) == ["z", "a"]
    assert list(summary.combine([frame.iloc[:0]]).columns) == list(frame.columns)


def test_figures_are_drawn_from_the_sheets(make_scores, tmp_path):
    from phonoscope.figures import heatmap, layer_profiles, speakers, tasks_conditions, training_size

    made = summary.summarise_model(make_scores(undefined=0))
    for name, frame in made.items():
        sheets.write(frame, tmp_path / f"{name}.csv")
    read = {name: sheets.read(tmp_path / f"{name}.csv") for name in made}
    for drawn, panels in [
        (layer_profiles.draw(read["layers"]), 2),
        (heatmap.draw(read["E2"]), 2),
        (training_size.draw(read["E3"]), 1),
        (tasks_conditions.draw(read["E5"]), 4),
        (speakers.draw(read["speakers"]), 1),
    ]:
        assert len(drawn.axes) == panels


def test_what_could_not_be_fitted_is_named_and_no_channel(make_scores):
    from pyarrow import concat_tables

    skipped = {"probe": "ols", "model": "m", "layer": 1, "target": "", "metric": "pearson_r", "n_test": 0}
    rows = [
        skipped
        | {
            "experiment": "E5",
            "train": "group=c except=c1",
            "test": "speaker=c1",
            "note": "one speaker in the group",
        },
        skipped
        | {"experiment": "E1", "train": "speaker=c1 split=frames part=train", "note": "too short"}
        | {"test": "speaker=c1 split=frames part=test"},
    ]
    scores = make_scores(undefined=0)
    without = summary.summarise_model(scores)
    made = summary.summarise_model(concat_tables([scores, tables.from_rows(rows, tables.SCORES)]))
    for name in ("E2", "E4", "E5_speakers", "speakers"):
        assert set(made[name].get("channel", "all")) == set(without[name].get("channel", "all"))
    alone = made["E5"].query("group == 'c'")
    assert list(alone.note) == ["1 without r (one speaker in the group)"] * len(alone)
    assert alone.r.isna().all() and (alone.n_speakers == 0).all() and (alone.channel == "all").all()
    row = made["layers"].query("experiment == 'E1' and split == 'frames' and layer == 1").squeeze()
    same = without["layers"].query("experiment == 'E1' and split == 'frames' and layer == 1").squeeze()
    assert row.note == "1 without r (too short)"
    assert (row.r, row.ci_low, row.n_speakers) == (same.r, same.ci_low, same.n_speakers)
