"""The figure of early exit: from one layer and language up to 33 layers and nine languages."""

import warnings

import pandas as pd
import pytest
from matplotlib.text import Text

from phonoscope.figures import alignment_exits, style
from phonoscope.studies.alignment_exits_summary import COLUMNS

LANGUAGES = ["ky", "en", "fr", "de", "ja", "zh", "sw", "lo", "my"]


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def table(models=2, layers=5, languages=2, looping=False, intervals=True):
    rows = []
    for model in range(models):
        for i, language in enumerate([*LANGUAGES[:languages], "all"]):
            for layer in range(layers):
                value = 1 - 0.8 * layer / layers + 0.02 * i + 3 * (looping and layer == 0)
                for metric in ("WER", "CER"):
                    row = {"corpus": "c", "model": f"whisper-{model}", "language": language, "layer": layer}
                    row |= {"prompted": "detected" if language == "ky" and model else "given"}
                    row |= {"normaliser": "plain", "metric": metric, "chance": 0.9 + 0.01 * i}
                    row |= {"value": value + (metric == "WER")}
                    if intervals:
                        row |= {"ci_low": value - 0.05, "ci_high": value + 0.05}
                    rows.append(row)
    return pd.DataFrame(rows).reindex(columns=COLUMNS)


def shown(drawn):
    drawn.draw_without_rendering()
    return {text.get_text() for text in drawn.findobj(Text) if text.get_visible()}


@pytest.mark.parametrize(
    ("models", "layers", "languages", "intervals"), [(1, 1, 1, False), (2, 5, 4, True), (3, 33, 9, True)]
)
def test_every_size_is_drawn_the_same_twice(models, layers, languages, intervals, tmp_path):
    found = table(models, layers, languages, intervals=intervals)
    for name in "ab":
        drawn = alignment_exits.draw(found, "c")
        style.save(drawn, tmp_path / f"{name}.svg", tmp_path / f"{name}.png", dpi=40)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    renderer = drawn.canvas.get_renderer()
    boxes = [ax.get_tightbbox(renderer) for ax in drawn.axes]
    assert len(boxes) == models
    assert not any(one.overlaps(two) for i, one in enumerate(boxes) for two in boxes[:i])


def test_lines_hold_the_table():
    found = table()
    drawn = alignment_exits.draw(found, "c")
    for ax, model in zip(drawn.axes, ("whisper-0", "whisper-1"), strict=True):
        rows = found[(found.model == model) & (found.metric == "CER")]
        lines = [tuple(line.get_ydata()) for line in ax.lines]
        for language in ("ky", "en"):
            mine = rows[rows.language == language]
            assert tuple(mine.value) in lines and tuple(mine.chance) in lines
        assert tuple(rows[rows.language == "all"].value) not in lines
        marks = {line.get_marker(): line.get_markerfacecolor() for line in ax.lines}
        assert (marks["o"] == "white") == (model == "whisper-1") and marks["s"] != "white"
    assert {"ky", "en", "no token of its own", "last layer", "CER (plain normaliser)"} <= shown(drawn)


def test_languages_are_told_apart_without_colour():
    drawn = alignment_exits.draw(table(languages=9), "c")
    markers = [line.get_marker() for line in drawn.axes[0].lines if line.get_marker() != "None"]
    assert len(set(markers)) == 9


def test_texts_that_do_not_end_do_not_squeeze_the_others():
    drawn = alignment_exits.draw(table(looping=True), "c")
    assert drawn.axes[0].get_ylim()[1] < 2
    assert any("not drawn" in word for word in shown(drawn))
    assert not any("not drawn" in word for word in shown(alignment_exits.draw(table(), "c")))


def test_nothing_decoded_says_so():
    assert any("Nothing was decoded" in word for word in shown(alignment_exits.draw(table(), "other")))
