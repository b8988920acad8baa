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


def test_nothing_to_draw_says_so():
    assert any("no row" in word for word in shown(calibration.draw(table(), [], ROLES)))


def test_the_same_figure_gives_the_same_bytes(tmp_path):
    for i in range(2):
        drawn = calibration.draw(*CASES["all"](), ROLES)
        style.save(drawn, tmp_path / f"{i}.svg", tmp_path / f"{i}.png")
    for kind in ("svg", "png"):
        assert (tmp_path / f"0.{kind}").read_bytes() == (tmp_path / f"1.{kind}").read_bytes()
