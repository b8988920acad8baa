"""The figure of the calibration, with all of its cases, with each alone, and with none."""

import warnings

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from phonoscope.figures import calibration, style
from phonoscope.studies.calibration import ROWS

TRAINED = ["hubert-fi", "hubert-ru", "hubert-fi-ru", "hubert-tiny"]
ROLES = {"mfcc": "baseline", "mel": "baseline"} | dict.fromkeys(TRAINED, "trained")
ROLES |= {"hubert-untrained": "untrained of hubert-fi"}


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def layers(model):
    return range(1) if ROLES[model] == "baseline" else range(5)


def gains():
    for case in ("E1: same speaker", "E4: speaker left out"):
        for reference, more in (("hubert-untrained", 0.3), ("mfcc", 0.0)):
            for i, model in enumerate(TRAINED):
                for layer in layers(model):
                    value = more + 0.02 * i + 0.03 * layer
                    yield {"study": "articulation", "case": case, "model": model, "reference": reference} | {
                        "layer": layer, "unit": "difference in r", "measured": value,
                        "ci_low": value - 0.03, "ci_high": value + 0.02,
                    }  # fmt: skip


def disjoint(interval=0.04):
    for case in ("A to B", "B to A", "both ways"):
        for i, model in enumerate(ROLES):
            for layer in layers(model):
                for measure, value in (("r within the language", 0.7), ("r across languages", 0.5)):
                    value += 0.02 * i + 0.01 * layer - 0.3 * (model == "hubert-untrained")
                    yield {"study": "articulation", "case": f"disjoint phones: {case}", "model": model} | {
                        "layer": layer, "measure": measure, "unit": "r", "measured": value, "chance": 0.01,
                        "ci_low": value - interval, "ci_high": value + interval,
                    }  # fmt: skip


def tones(interval=20.0):
    common = {"study": "tone", "model": "log-mel windows", "reference": "shuffled labels"}
    for corpus, truth, off in (("lumade", 100, 0), ("bogy", 100, 20), ("naile", 180, 0)):
        yield common | {"case": "stretch that holds the tone", "corpus": corpus, "unit": "ms"} | {
            "measured": truth + off, "truth": truth, "ci_low": truth - interval, "ci_high": truth + interval,
        }  # fmt: skip
    for reference, low in (("lumade", 40.0), ("bogy", -20.0)):
        yield common | {"case": "two stretches told apart", "corpus": "naile", "reference": reference} | {
            "unit": "difference in ms", "measured": 80.0, "truth": 80.0, "ci_low": low, "ci_high": 120.0,
        }  # fmt: skip
    yield common | {"case": "language without tones", "corpus": "duneli", "unit": "macro-F1"} | {
        "measured": 0.21, "truth": 0.2, "chance": 0.19, "ci_low": 0.18, "ci_high": 0.23,
    }  # fmt: skip


def alignments(models=2, corpora=("parallel",)):
    for corpus in corpora:
        common = {"study": "alignment", "corpus": corpus, "unit": ""}
        for language in ("all", "en-fi"):
            for way in ("segments", "romanised"):
                for measure in ("precision, sentence pairs", "recall, word pairs"):
                    yield common | {"case": f"challenge set: {language}, phones by {way}"} | {
                        "model": "look-alike filter", "measure": measure, "measured": 0.9, "truth": 1.0,
                        "chance": 0.6 if "sentence" in measure else np.nan, "ci_low": 0.8, "ci_high": 0.95,
                        "verdict": "better than as many drawn at random" if "sentence" in measure else "",
                    }  # fmt: skip
        for name, rates in (("meaning", (1.0, 1.0)), ("sound", (0.21, 0.03))):
            for subset, rate in zip(("full", "challenge"), rates, strict=True):
                truth = {"meaning": 1.0, "sound": 0.02 if subset == "challenge" else np.nan}[name]
                yield common | {"case": f"retrieval: states of {name}", "measure": f"R@1, {subset} set"} | {
                    "model": f"planted: {name}", "measured": rate, "truth": truth, "chance": 0.02,
                    "verdict": "not told apart from chance" if rate == 0.03 else "better than chance",
                }  # fmt: skip
        for model in range(models):
            for edge in ("start", "end", "centre"):
                for i, statistic in enumerate(("error, median", "error, 90th percentile", "within 50 ms")):
                    for case in ("all", "fi")[: 1 + (edge == "centre")]:
                        value = 50.0 + 40 * i + 10 * model
                        yield common | {"case": f"word times: {case}", "model": f"whisper-{model}"} | {
                            "measure": f"{edge} {statistic}", "unit": "ms" if i < 2 else "", "truth": 0.0,
                            "measured": value, "chance": 55.0, "ci_low": value - 9, "ci_high": value + 9,
                            "verdict": ["not told apart from", "worse than"][model] + " equal parts",
                        }  # fmt: skip


def table(*parts):
    found = pd.DataFrame([row for part in parts for row in part], columns=ROWS.names)
    text = [name for name in ROWS.names if str(ROWS.field(name).type) == "string"]
    found[text] = found[text].astype(object).fillna("")
    return found.astype({"layer": "Int64"})


def boundaries():
    rng = np.random.default_rng(0)
    start = rng.uniform(0, 2, 400)
    grid = np.round(start / 0.02) * 0.02
    return pd.DataFrame(
        {"start_s": start, "aligned_s": start + 0.015 * rng.normal(size=400), "grid_s": grid}
        | {"uniform_s": start + 0.1 * rng.normal(size=400)}
    )


CASES = {
    "all": lambda: (table(gains(), disjoint()), [boundaries()]),
    "aligner": lambda: (table(), [boundaries()]),
    "gains": lambda: (table(gains()), []),
    "disjoint": lambda: (table(disjoint()), []),
    "baselines": lambda: (table(row for row in disjoint() if ROLES[row["model"]] == "baseline"), []),
    "tones": lambda: (table(tones()), []),
    "tones, two folds": lambda: (table(tones(np.nan)), []),
    "tones with all": lambda: (table(gains(), disjoint(), tones()), [boundaries()]),
    "alignment": lambda: (table(alignments()), []),
    "alignment with all": lambda: (table(gains(), disjoint(), tones(), alignments()), [boundaries()]),
    "alignment of two corpora": lambda: (table(alignments(corpora=("parallel", "fleurs"))), []),
    "one speaker": lambda: (table(disjoint(np.nan)), []),
}


def shown(drawn):
    drawn.draw_without_rendering()
    return {text.get_text() for text in drawn.findobj(Text) if text.get_visible()}


@pytest.mark.parametrize("case", CASES)
def test_what_is_there_is_drawn(case):
    drawn = calibration.draw(*CASES[case](), ROLES)
    drawn.draw_without_rendering()
    renderer = drawn.canvas.get_renderer()
    assert all(ax.has_data() for ax in drawn.axes)
    boxes = [ax.get_tightbbox(renderer) for ax in drawn.axes]
    assert not any(one.overlaps(two) for i, one in enumerate(boxes) for two in boxes[:i])
    (legend,) = drawn.legends
    box = legend.get_window_extent(renderer)
    assert not any(box.overlaps(other) for other in boxes) and box.width < drawn.bbox.width


def test_all_cases_are_named():
    drawn = calibration.draw(*CASES["all"](), ROLES)
    words = shown(drawn)
    assert {"(a) aligner", "(b) E1: gain on untrained", "(e) E4: gain on MFCC", "(f) hubert-fi"} <= words
    assert {*ROLES} - {"mel"} | {
        "within the language",
        "across languages",
        "aligner",
        "Pearson r, disjoint phones",
    } <= words
    assert any(word.startswith("median 1") and word.endswith("% within 20 ms") for word in words)
    assert len(drawn.axes) == 1 + 4 + 5


def test_curves_hold_the_table():
    found = table(gains(), disjoint())
    drawn = calibration.draw(found, [boundaries()], ROLES)
    titles = {ax.get_title(loc="left") or ax.get_title(): ax for ax in drawn.axes}
    curves = [tuple(line.get_ydata()) for line in titles["(c) E4: gain on untrained"].lines]
    expected = found[(found.model == "hubert-ru") & (found.case == "E4: speaker left out")]
    expected = expected[expected.reference == "hubert-untrained"].measured
    assert tuple(expected) in curves
    across = found[(found.model == "hubert-fi") & (found.measure == "r across languages")]
    across = across[across.case == "disjoint phones: both ways"].measured
    assert tuple(across) in [tuple(line.get_ydata()) for line in titles["(f) hubert-fi"].lines]


def by_title(drawn):
    """Panels by their title, without its letter."""
    return {ax.get_title(loc="left").partition(") ")[2]: ax for ax in drawn.axes}


@pytest.mark.parametrize(("case", "letters"), [("tones", "abc"), ("tones with all", "ghi")])
def test_tones_show_truth_and_measurement(case, letters):
    drawn = calibration.draw(*CASES[case](), ROLES)
    shown(drawn)
    panels = by_title(drawn)
    spans, apart = panels["tone: span"], panels["tone: spans told apart"]
    assert [label.get_text() for label in spans.get_yticklabels()] == ["lumade", "bogy", "naile"]
    assert [label.get_text() for label in apart.get_yticklabels()] == ["naile − lumade", "naile − bogy"]
    marks = {kind: points(spans, kind) for kind in "o|"}
    assert marks == {"o": [100, 120, 180], "|": [100, 100, 180]}
    assert (80.0, 120.0) in [tuple(line.get_xdata()) for line in spans.lines]
    hollow = [line.get_markerfacecolor() == "white" for line in apart.lines if line.get_marker() == "o"]
    assert hollow == [False, True]
    control = panels["tone: language without tones"]
    assert points(control, "o") == [0.21] and points(control, "|") == [0.2]
    assert (0.19, 0.19) in [tuple(line.get_xdata()) for line in control.lines]
    assert {f"({letter})" for letter in letters} <= {word.partition(" ")[0] for word in shown(drawn)}


@pytest.mark.parametrize(("case", "letters"), [("alignment", "ab"), ("alignment with all", "jk")])
def test_look_alikes_and_word_times_have_their_panels(case, letters):
    drawn = calibration.draw(*CASES[case](), ROLES)
    words, panels = shown(drawn), by_title(drawn)
    marks, times = panels["look-alike filter"], panels["word times"]
    names = [label.get_text().replace("\n", " ") for label in marks.get_yticklabels()]
    assert names == [
        f"{measure}, {way}"
        for way in ("segments", "romanised")
        for measure in ("precision, sentence pairs", "recall, word pairs")
    ]
    assert points(marks, "o") == [0.9] * 4 and points(marks, "|") == [1.0] * 4
    states = panels["planted states"]
    names = [label.get_text() for label in states.get_yticklabels()]
    assert names == [f"{of}, {some} set" for of in ("meaning", "sound") for some in ("full", "challenge")]
    assert points(states, "o") == [1.0, 1.0, 0.21, 0.03]
    names = [label.get_text().replace("\n", " ") for label in times.get_yticklabels()]
    assert names[:4] == [
        *(f"whisper-0: {edge}, median" for edge in ("start", "end", "centre")),
        "whisper-0: centre, 90th percentile",
    ]
    assert points(times, "o") == [50.0, 50.0, 50.0, 90.0, 60.0, 60.0, 60.0, 100.0]
    controls = {
        ax: [tuple(line.get_xdata()) for line in ax.lines].count((value, value))
        for ax, value in ((marks, 0.6), (times, 55.0))
    }
    assert controls == {marks: 2, times: 8}
    hollow = [line.get_markerfacecolor() == "white" for line in times.lines if line.get_marker() == "o"]
    assert hollow == [True] * 4 + [False] * 4
    assert {f"({letter})" for letter in letters} <= {word.partition(" ")[0] for word in words}


def test_panels_of_several_corpora_name_them():
    panels = by_title(calibration.draw(*CASES["alignment of two corpora"](), ROLES))
    assert {"word times: fleurs", "look-alike filter: parallel"} <= set(panels) and len(panels) == 6


def test_of_one_language_word_times_are_drawn_too():
    found = table(alignments())
    found = found[~found.case.isin(["word times: fi"])].replace(
        {"case": {"word times: all": "word times: fi"}}
    )
    assert len(points(by_title(calibration.draw(found, [], ROLES))["word times"], "o")) == 8


def points(ax, marker):
    return [line.get_xdata()[0] for line in ax.lines if line.get_marker() == marker]


def test_a_table_without_tones_is_drawn_without_their_legend():
    assert not any("tone" in word for word in shown(calibration.draw(*CASES["all"](), ROLES)))
    assert not any("no gain" in word for word in shown(calibration.draw(*CASES["tones"](), ROLES)))


def test_nothing_to_draw_says_so():
    assert any("no row" in word for word in shown(calibration.draw(table(), [], ROLES)))


def test_the_same_figure_gives_the_same_bytes(tmp_path):
    for i in range(2):
        drawn = calibration.draw(*CASES["all"](), ROLES)
        style.save(drawn, tmp_path / f"{i}.svg", tmp_path / f"{i}.png")
    for kind in ("svg", "png"):
        assert (tmp_path / f"0.{kind}").read_bytes() == (tmp_path / f"1.{kind}").read_bytes()
