"""Scores of models against published ones: what is joined, what is said, and what is named as missing."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from phonoscope import tables
from phonoscope.errors import InputError
from phonoscope.probes.correlation import fisher, steiger
from phonoscope.studies import kinematics_measure as study
from phonoscope.studies import sheets

SHIPPED = ["resources/published/superb.csv", "resources/published/librispeech.csv"]


class Made:
    """Tables of ``n`` models on disk; published scores follow ``truth`` of each."""

    def __init__(self, folder, n, seed=0, published=None, higher=True):
        rng = np.random.default_rng(seed)
        self.folder = folder
        self.models = [f"m{i}" for i in range(n)]
        self.good = rng.normal(size=n)
        self.articulation = {m: 0.5 + 0.1 * g for m, g in zip(self.models, self.good, strict=True)}
        self.phones = {m: 0.5 + 0.1 * rng.normal() for m in self.models}
        self.hub = {m: f"org/{m}" for m in self.models}
        known = self.models if published is None else self.models[:published]
        sign = 1 if higher else -1
        rows = [
            {"model": self.hub[m], "task": "t", "metric": "x", "source": "s"}
            | {"value": 50 + sign * 10 * g + rng.normal(), "better": "higher" if higher else "lower"}
            for m, g in zip(known, self.good, strict=False)
        ]
        self.sheet = folder / "published.csv"
        pd.DataFrame(rows, columns=study.PUBLISHED).to_csv(self.sheet, index=False)

    def paths(self):
        articulation, phones = {}, {}
        for m in self.models:
            # The best layer is the third, the mean of all is lower by .1.
            rows = [
                {"model": m, "probe": probe, "experiment": e, "split": split, "layer": layer, "chance": 0.01}
                | {"r": self.articulation[m] - gap - (probe == "ols") - (split == "frames")}
                for probe in ("ols", "ridge")
                for e, split in (("E1", "frames"), ("E1", "utterances"), ("E4", "one speaker out"))
                for layer, gap in enumerate((0.1, 0.2, 0.0))
            ]
            articulation[m] = self.folder / f"{m}.csv"
            sheets.write(pd.DataFrame(rows), articulation[m])
            phones[m] = []
            for layer, gap in enumerate((0.05, 0.0)):
                scores = {
                    "macro_f1": self.phones[m] - gap,
                    "macro_f1_shuffled": 0.03,
                    "macro_f1_majority": 0.01,
                }
                rows = [
                    {"metric": metric, "value": value, "layer": layer, "model": m, "test": f"speaker={s}"}
                    for metric, value in scores.items()
                    for s in "ab"
                ]
                phones[m].append(self.folder / f"{m}-{layer}.parquet")
                tables.write(tables.from_rows(rows, tables.SCORES), phones[m][-1])
        return {"c": articulation}, {"c": phones}

    def compare(self, sheets=None, hub=None):
        return study.compare(
            *self.paths(), self.models, sheets or [self.sheet], self.hub if hub is None else hub, "ridge"
        )


def row(found, predictor, experiment="E4", layers="best", task="t"):
    table = found["measure"]
    chosen = table[(table.predictor == predictor) & (table.experiment == experiment) & (table.task == task)]
    (one,) = chosen[chosen.layers == layers].to_dict("records")
    return one


@pytest.mark.parametrize("higher", [True, False])
def test_the_correlations_are_scipys_and_positive_means_better(tmp_path, higher):
    made = Made(tmp_path, 12, higher=higher)
    found = made.compare()
    assert {name: list(table) for name, table in found.items()} == {
        "measure": study.MEASURE,
        "measure_models": study.MODELS,
    }
    y = pd.read_csv(made.sheet).value * (1 if higher else -1)
    x, p = list(made.articulation.values()), list(made.phones.values())
    for layers in ("best", "mean"):
        for name, values in (("articulation", x), ("phones", p)):
            one = row(found, name, layers=layers)
            assert one["pearson"] == pytest.approx(stats.pearsonr(values, y)[0])
            assert one["spearman"] == pytest.approx(stats.spearmanr(values, y)[0])
            assert one["pearson_low"] < one["pearson"] < one["pearson_high"]
    one = row(found, "articulation − phones")
    r = [stats.pearsonr(*pair)[0] for pair in ((x, y), (p, y), (x, p))]
    assert one["pearson"] == pytest.approx(r[0] - r[1])
    assert (one["steiger_z"], one["p"]) == pytest.approx(steiger(*r, 12), rel=1e-3)
    assert one["p_holm"] == pytest.approx(one["p"])
    assert one["statement"] == "articulation goes more with the score"
    assert row(found, "articulation")["statement"] == "models with a higher score here do better there"
    own = row(found, "articulation", task=study.PHONE_TASK)
    assert own["pearson"] == pytest.approx(r[2], abs=1e-4) and own["n_models"] == 12


def test_the_scores_of_models_are_those_of_their_tables(tmp_path):
    made = Made(tmp_path, 3)
    models = made.compare()["measure_models"]
    assert list(models.model) == ["m0", "m0", "m1", "m1", "m2", "m2"]
    one = models[(models.model == "m1") & (models.experiment == "E1")].iloc[0]
    assert one.articulation_best == pytest.approx(made.articulation["m1"], abs=1e-6)
    assert one.articulation_layer == 2
    assert one.articulation_mean == pytest.approx(made.articulation["m1"] - 0.1, abs=1e-6)
    assert one.phones_best == pytest.approx(made.phones["m1"]) and one.phones_layer == 1
    assert one.phones_mean == pytest.approx(made.phones["m1"] - 0.025)
    assert one.phones_shuffled == pytest.approx(0.03) and one.phones_majority == pytest.approx(0.01)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 8])
def test_too_few_models_conclude_nothing(tmp_path, n):
    made = Made(tmp_path, 10, published=n)
    found = made.compare()
    if n == 0:
        assert list(dict.fromkeys(found["measure"].task)) == [study.PHONE_TASK, study.NO_TASK]
        none = found["measure"][found["measure"].task == study.NO_TASK]
        assert (none.statement == "0 models: too few to conclude").all()
        assert none.note.str.endswith("published scores: " + ", ".join(made.models)).all()
    else:
        task = found["measure"][found["measure"].task == "t"]
        words = f"{n} model{'s' * (n != 1)}: too few to conclude"
        assert (task.statement == words).all()
        assert (task.pearson.notna() == (n >= 3)).all()
        assert task.note.str.contains("without a score: m8, m9" if n == 8 else "m9").all()
    models = found["measure_models"]
    left = models[models.note == "not among the published scores"].model
    assert list(dict.fromkeys(left)) == made.models[n:]


def test_a_local_sheet_may_name_models_of_the_config(tmp_path):
    made = Made(tmp_path, 4)
    local = tmp_path / "local.csv"
    rows = [{"model": m, "task": "u", "metric": "y", "value": i, "better": "higher", "source": "here"}
            for i, m in enumerate(made.models)]  # fmt: skip
    pd.DataFrame(rows).to_csv(local, index=False)
    found = made.compare([made.sheet, local], hub={})
    assert row(found, "phones", task="u")["n_models"] == 4
    # Without their hub ids none of them has the other sheet's score.
    assert "t" not in set(found["measure"].task)


def test_values_that_nobody_checked_are_named_and_not_used(tmp_path):
    made = Made(tmp_path, 5)
    sheet = pd.read_csv(made.sheet)
    sheet["precision"] = ["agrees with 1 copy"] * 4 + ["to be checked"]
    sheet.to_csv(made.sheet, index=False)
    found = made.compare()
    one = row(found, "phones")
    assert one["n_models"] == 4 and one["note"] == "score to be checked: m4"
    expected = stats.pearsonr(list(made.phones.values())[:4], sheet.value[:4])[0]
    assert one["pearson"] == pytest.approx(expected)
    models = found["measure_models"]
    assert list(dict.fromkeys(models[models.n_tasks == 0].model)) == ["m4"]
    # Where none is checked, all are named and there is no correlation.
    sheet.assign(precision="to be checked").to_csv(made.sheet, index=False)
    one = row(made.compare(), "articulation")
    assert one["n_models"] == 0 and np.isnan(one["pearson"])
    assert "score to be checked: m0, m1, m2, m3, m4" in one["note"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda rows: rows.drop(columns="better"), "the column better is missing"),
        (lambda rows: rows.assign(value=["1", "2,5", "3"]), "value '2,5'"),
        (lambda rows: rows.assign(better="more"), "better 'more'"),
        (lambda rows: rows.assign(value=["1", "inf", "3"]), "csv: 3: value 'inf'"),
        (lambda rows: pd.concat([rows, rows]), "csv: 5: org/m0 has two values"),
    ],
)
def test_a_bad_sheet_is_refused(tmp_path, change, words):
    made = Made(tmp_path, 3)
    change(pd.read_csv(made.sheet)).to_csv(made.sheet, index=False)
    with pytest.raises(InputError, match="published.csv") as error:
        made.compare()
    assert words in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the sheet is empty"),
        (b"\n\n", "the sheet is empty"),
        (b'model,task,metric,value,better,source\n"a,b', "cannot be read"),
        (b"model,task,metric,value,better,source\na,t,x,1,higher,s,more\n", "csv: 2: 7 values in 6 columns"),
        (b"model,task,metric,value,better,source\n\na,t,x,1,higher,s\nb\n", "csv: 4: 1 values"),
        (
            b'model,task,metric,value,better,source\na,t,"x\ny",1,higher,s\nb,t,x,?,higher,s\n',
            "csv: 4: value",
        ),
        (b"model,task\xff\n", "cannot be read"),
        (b"\x00\x01", "column model is missing"),
    ],
)
def test_what_is_no_sheet_is_refused_in_one_line(tmp_path, content, words):
    path = tmp_path / "published.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match="published.csv") as error:
        study._published([path])
    assert words in str(error.value) and "\n" not in str(error.value)


def test_of_two_sheets_the_one_is_named_that_says_a_value_again(tmp_path):
    line = "model,task,metric,value,better,source\n{},t,x,1,higher,s\n"
    paths = [tmp_path / f"{name}.csv" for name in "abc"]
    for path, model in zip(paths, "mmn", strict=True):
        path.write_text(line.format(model))
    with pytest.raises(InputError, match=r"b\.csv: 2: m has two values"):
        study._published(paths)


def test_a_correlation_that_is_not_there_is_seldom_said():
    """Of ten tasks without any relation to the predictors, one is said to have it in one run of twenty."""
    rng, said, runs = np.random.default_rng(0), 0, 60
    models = [f"m{i}" for i in range(10)]
    for _ in range(runs):
        scores = pd.DataFrame({"model": models, "hub_id": "", "corpus": "c", "experiment": "E1"})
        for name in ("articulation_best", "articulation_mean", "phones_best", "phones_mean"):
            scores[name] = rng.normal(size=10)
        rows = [
            {"model": model, "task": f"t{task}", "metric": "x", "value": rng.normal(), "better": "higher"}
            | {"precision": ""}
            for task in range(4)
            for model in models
        ]
        table = study._measure(scores, pd.DataFrame(rows))
        table = table[(table.predictor == "articulation") & (table.layers == "best")]
        said += table.statement.str.startswith("models with").any()
    assert said <= stats.binom.ppf(0.999, runs, 0.05)


@pytest.mark.parametrize("n", [4, 9, 40])
def test_fishers_p_is_close_to_students(n):
    assert fisher(0.0, n) == pytest.approx(1) and fisher(1.0, n) == 0 and np.isnan(fisher(np.nan, n))
    assert np.isnan(fisher(0.5, 3))
    # Critical values of Student's test of r: at .05 the two agree to a percent or so from nine pairs on.
    t = stats.t.ppf(0.975, n - 2)
    critical = t / np.sqrt(n - 2 + t**2)
    assert fisher(critical, n) == fisher(-critical, n) == pytest.approx(0.05, abs=0.05 if n == 4 else 0.004)


def test_statements_follow_from_numbers():
    base = {"n_models": 20, "predictor": "articulation − phones", "steiger_z": -2.0}
    assert study.statement(base | {"p_holm": 0.01}) == "the phone probe goes more with the score"
    told = "articulation and phones cannot be told apart as predictors"
    assert study.statement(base | {"p_holm": 0.2}) == told
    assert study.statement(base | {"p_holm": np.nan}) == "no test"
    base = {"n_models": 20, "predictor": "phones"}
    for r, p, said in (
        (-0.5, 0.01, "worse there"),
        (-0.5, 0.06, "no correlation"),
        (0.5, 0.049, "better there"),
        (np.nan, np.nan, "no test"),
    ):
        assert said in study.statement(base | {"pearson": r, "p_holm": p})


def test_the_shipped_sheets_can_be_read():
    shipped = study._published(SHIPPED)
    assert (shipped.groupby(["task", "metric"]).better.nunique() == 1).all()
    errors = shipped.metric.str.contains("ER") & ~shipped.metric.str.contains("accuracy")
    assert (shipped[errors].better == "lower").all() and (shipped[~errors].better == "higher").all()
    superb = shipped[shipped.source.str.contains("arXiv 2105.01051|arXiv 2110.13900")]
    assert (superb.groupby(["task", "metric"]).model.nunique() >= 6).all()


def test_a_shipped_value_says_how_many_copies_it_agrees_with():
    for row in study._published(SHIPPED).itertuples():
        _, *copies = row.source.split("; ")
        counted = {f"agrees with {len(copies)} cop{'y' if len(copies) == 1 else 'ies'}"} if copies else set()
        assert row.precision in counted | {study.UNSURE, "from 1 copy", "from the card"}, row
        assert (row.precision == study.UNSURE) == (not copies and not row.source.startswith("card of ")), row
        assert "http" not in row.source


def test_with_the_models_of_the_shipped_sheets_tasks_have_correlations(tmp_path):
    """Seven models by hub id: values that are to be checked are named, the others count."""
    made = Made(tmp_path, 7)
    shipped = study._published(SHIPPED)
    hub = list(dict.fromkeys(shipped[shipped.task == "intent classification"].model))
    assert len(hub) == 7
    made.hub = dict(zip(made.models, hub, strict=True))
    found = made.compare(sheets=SHIPPED)
    emotion = row(found, "articulation", task="emotion recognition")
    assert emotion["n_models"] == 7 and np.isfinite(emotion["pearson"]) and emotion["note"] == ""
    phonemes = row(found, "articulation", task="phoneme recognition")
    assert phonemes["n_models"] == 3 and phonemes["note"].startswith("score to be checked: m0, m1")
