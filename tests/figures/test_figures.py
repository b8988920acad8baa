"""Every figure on tables from one speaker and layer up to nine models of 25 layers, without a warning."""

import warnings

import numpy as np
import pytest

from phonoscope.figures import (
    heatmap,
    layer_profiles,
    quality,
    speakers,
    style,
    tasks_conditions,
    training_size,
    trajectories,
)

SIZES = {
    "least": {"n_models": 1, "n_layers": 1, "n_speakers": 1, "twins": 0, "baselines": 0, "channels": 1},
    "baseline": {"n_models": 0, "n_layers": 1, "n_speakers": 3, "twins": 0, "baselines": 1, "channels": 2},
    "demo": {"n_models": 2, "n_layers": 5, "n_speakers": 4, "channels": 4},
    "many": {"n_models": 9, "n_layers": 25, "n_speakers": 18, "twins": 2, "baselines": 1, "channels": 10},
}
DRAW = {
    "layer_profiles": lambda run: layer_profiles.draw(run.layers(), run.roles),
    "training_size": lambda run: training_size.draw(run.e3(), run.roles),
    "heatmap": lambda run: heatmap.draw(run.e2()),
    "tasks_conditions": lambda run: tasks_conditions.draw(run.e5()),
    "speakers": lambda run: speakers.draw(run.speakers(), run.groups),
    "quality": lambda run: quality.draw(run.quality(), "corpus-a"),
    "trajectories": lambda run: trajectories.draw(run.predictions(), *run.audio(), run.segments(), "mms"),
}
CASES = [(name, size) for name in DRAW for size in SIZES if (name, size) != ("heatmap", "many")]


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def texts(drawn):
    """All texts of a figure, line breaks and hyphenation of long names undone."""
    from matplotlib.text import Text

    drawn.draw_without_rendering()  # tick labels are made when drawn
    return {text.get_text().replace("\n", "") for text in drawn.findobj(Text) if text.get_visible()}


def overlapping(labels, renderer):
    """Pairs of neighbouring tick labels whose boxes cross (turned labels are compared at their anchors)."""
    labels = [label for label in labels if label.get_visible() and label.get_text()]
    if any(label.get_rotation() for label in labels):
        return []
    boxes = [label.get_window_extent(renderer) for label in labels]
    return [
        (labels[i].get_text(), labels[j].get_text())
        for i in range(len(boxes))
        for j in range(i)
        if boxes[i].overlaps(boxes[j])
    ]


@pytest.mark.parametrize(("name", "size"), CASES)
def test_figures_draw_and_their_labels_do_not_collide(make_run, name, size):
    drawn = DRAW[name](make_run(**SIZES[size]))
    drawn.draw_without_rendering()
    renderer = drawn.canvas.get_renderer()
    for ax in drawn.axes:
        assert ax.has_data() or ax.texts, "an empty panel"
        for axis in (ax.xaxis, ax.yaxis):
            low, high = sorted(axis.get_view_interval())
            ticks = [tick for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
            assert not overlapping([tick.label1 for tick in ticks], renderer)
    for legend in drawn.legends:
        box = legend.get_window_extent(renderer)
        assert not any(box.overlaps(ax.get_window_extent(renderer)) for ax in drawn.axes)
        assert box.width < drawn.bbox.width
        assert not any(
            box.overlaps(other.get_window_extent(renderer)) for other in drawn.legends if other is not legend
        )


@pytest.mark.parametrize(
    "name", ["layer_profiles", "training_size", "heatmap", "tasks_conditions", "speakers"]
)
def test_every_model_is_named(make_run, name):
    run = make_run(n_models=6, n_layers=2, n_speakers=4, channels=2)
    assert set(run.roles) <= texts(DRAW[name](run))


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("layer_profiles", {"Pearson r", "E1: same speaker", "E4: speaker not trained on"}),
        ("training_size", {"training speech (s)", "Pearson r", "1200"}),
        ("heatmap", {"layer", "Pearson r", "LL_x"}),
        ("tasks_conditions", {"Pearson r", "Finnish: by task", "Russian: by condition", "T3", "L1+accent"}),
        ("speakers", {"Pearson r", "Finnish", "Russian"}),
        (
            "quality",
            {"SD of the movement (mm)", "missing samples (%)", "fin_kh1_f", "left out of all recordings"},
        ),
        ("trajectories", {"time (s)", "kHz", "LL_x(mm)", "r = 0.81", "tʃ", "measured", "predicted"}),
    ],
)
def test_axes_are_labelled_with_units(make_run, name, labels):
    assert labels <= texts(DRAW[name](make_run(**SIZES["demo"])))


@pytest.mark.parametrize("name", DRAW)
def test_the_same_figure_gives_the_same_bytes(make_run, name, tmp_path):
    run = SIZES["demo"] | {"channels": 3}
    for i in range(2):
        style.save(DRAW[name](make_run(**run)), tmp_path / f"{i}.svg", tmp_path / f"{i}.png")
    for kind in ("svg", "png"):
        assert (tmp_path / f"0.{kind}").read_bytes() == (tmp_path / f"1.{kind}").read_bytes()
    assert b"<svg" in (tmp_path / "0.svg").read_bytes()
    assert b"dc:date" not in (tmp_path / "0.svg").read_bytes()


def test_settings_of_the_caller_are_left_alone(make_run):
    import matplotlib

    before = dict(matplotlib.rcParams)
    DRAW["speakers"](make_run(**SIZES["demo"]))
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize("name", ["layers", "e2", "e3", "e5", "speakers"])
def test_without_scores_the_figure_says_why(make_run, name):
    draw = {
        "layers": layer_profiles.draw,
        "e2": heatmap.draw,
        "e3": training_size.draw,
        "e5": tasks_conditions.draw,
        "speakers": speakers.draw,
    }[name]
    table = getattr(make_run(**SIZES["demo"]), name)()
    for empty in (table.iloc[:0], table.assign(r=np.nan)):
        drawn = draw(empty)
        assert not drawn.axes
        assert any("gave no score" in text for text in texts(drawn))


def test_an_experiment_without_scores_has_no_panel(make_run):
    run = make_run(**SIZES["demo"])
    layers = run.layers()
    drawn = layer_profiles.draw(layers[layers.experiment == "E1"], run.roles)
    assert [ax.get_title(loc="left") for ax in drawn.axes] == ["E1: same speaker"]
    e5 = make_run(**SIZES["demo"]).e5(conditions=())
    assert len(tasks_conditions.draw(e5).axes) == 2  # one column, two groups
    alone = tasks_conditions.draw(make_run(**SIZES["demo"]).e5(tasks=(), conditions=()))
    assert any("by task or condition" in text for text in texts(alone))


def test_probe_and_split_are_chosen_and_named(make_run):
    run = make_run(**SIZES["demo"], probes=("ols", "ridge"))
    layers = run.layers()
    first = layer_profiles.draw(layers, run.roles)
    assert "Reading articulation from each layer (ols, E1 on held-out utterances)" in texts(first)
    other = layer_profiles.draw(layers, run.roles, probe="ridge", split="frames")
    assert "Reading articulation from each layer (ridge, E1 on held-out frames)" in texts(other)


def test_untrained_twins_share_colour_and_marker_and_are_dashed(make_run):
    run = make_run(n_models=3, twins=2)
    found = style.looks(run.roles, run.roles)
    trained, twin = found["wav2vec2-large"], found["wav2vec2-large-untrained"]
    assert (trained.colour, trained.marker) == (twin.colour, twin.marker)
    assert (trained.dashes, trained.filled) == ("-", True)
    assert (twin.dashes, twin.filled) != ("-", True)
    assert found["mfcc"].dashes != found["mel"].dashes


def test_twelve_models_look_different_in_greyscale():
    found = style.looks([f"m{i}" for i in range(12)])
    assert len({look.marker for look in found.values()}) == 12


def test_an_untrained_model_without_its_twin_has_its_own_look():
    found = style.looks(["a", "b"], {"a": "trained", "b": "untrained of absent"})
    assert found["a"].colour != found["b"].colour and not found["b"].filled


def test_a_point_is_drawn_where_there_is_one_layer(make_run):
    drawn = DRAW["layer_profiles"](make_run(**SIZES["least"]))
    curves = [line for line in drawn.axes[0].lines if line.get_marker() == "o"]
    assert len(curves) == 1 and len(curves[0].get_xdata()) == 1


def test_the_interval_drawn_is_the_one_of_the_table(make_run):
    run = make_run(n_models=1, n_layers=1, n_speakers=5, twins=0, baselines=0)
    layers = run.layers()
    drawn = layer_profiles.draw(layers)
    row = layers[(layers.experiment == "E1") & (layers.split == "utterances")].iloc[0]
    bars = drawn.axes[0].collections[-1].get_segments()[0]
    np.testing.assert_allclose(sorted(bars[:, 1]), [row.ci_low, row.ci_high])


def test_heatmap_writes_the_values_it_colours(make_run):
    run = make_run(**SIZES["demo"])
    e2 = run.e2()
    drawn = heatmap.draw(e2)
    first = drawn.axes[0]
    mine = e2[e2.model == "wav2vec2-large"].sort_values(["channel", "layer"])
    assert [text.get_text() for text in first.texts] == [f"{r:.2f}".replace("0.", ".", 1) for r in mine.r]
    limits = {ax.collections[0].get_clim() for ax in drawn.axes[:-1]}
    assert len(limits) == 1


def test_a_channel_absent_from_a_model_is_a_dash(make_run):
    e2 = make_run(**SIZES["demo"]).e2()
    e2 = e2[~((e2.model == "mfcc") & (e2.channel == "LL_x"))]
    assert "–" in texts(heatmap.draw(e2))


def test_quality_marks_what_was_left_out(make_run):
    from matplotlib.patches import Rectangle

    drawn = DRAW["quality"](make_run(**SIZES["demo"]))
    marks = [patch for patch in drawn.axes[0].patches if isinstance(patch, Rectangle) and patch.get_hatch()]
    assert len(marks) == 1
    assert {"left out of all recordings", "left out of some recordings"} <= texts(drawn)
    whole = make_run(**SIZES["demo"]).quality().assign(n_left_out=0)
    assert not quality.draw(whole).legends
    assert any("no recording" in text for text in texts(quality.draw(whole.iloc[:0])))


def test_trajectories_show_the_measured_and_the_predicted(make_run):
    run = make_run(**SIZES["demo"])
    predictions = run.predictions()
    drawn = trajectories.draw(predictions, *run.audio())
    lane = drawn.axes[1]
    mine = predictions[predictions.channel == "LL_x"]
    np.testing.assert_array_equal(lane.lines[0].get_ydata(), mine.measured_mm)
    np.testing.assert_array_equal(lane.lines[1].get_ydata(), mine.predicted_mm)
    assert len(drawn.axes) == 1 + 4


def test_long_utterances_are_cut_and_say_so(make_run):
    run = make_run(**SIZES["demo"])
    drawn = trajectories.draw(run.predictions(20.0), *run.audio(20.0), run.segments(20.0), seconds=5.0)
    assert drawn.axes[0].get_xlim() == (0.0, 5.0)
    assert any("0.0–5.0 s of 20.0 s" in text for text in texts(drawn))


def test_trajectories_without_any_valid_sample_say_so(make_run):
    run = make_run(**SIZES["demo"])
    nothing = run.predictions().assign(measured_mm=np.nan, predicted_mm=np.nan)
    assert any("No trajectory" in text for text in texts(trajectories.draw(nothing, *run.audio())))


def test_silence_and_other_utterances_phones(make_run):
    run = make_run(**SIZES["demo"])
    segments = run.segments().assign(utterance_id="another")
    drawn = trajectories.draw(run.predictions(), np.zeros(16000 * 4), 16000, segments)
    drawn.draw_without_rendering()
    assert len(drawn.axes) == 1 + 4


def test_speakers_stand_in_the_order_of_their_numbers():
    assert style.natural(["s10", "s2", "s1", "s2", "a"]) == ["a", "s1", "s2", "s10"]
    assert style.natural(["T1", "1", "T10", "10", "9"]) == ["1", "9", "10", "T1", "T10"]


def test_channels_are_ordered_along_the_tract():
    from phonoscope.figures.style import along_the_tract

    names = ["TD_z", "XX_x", "TT_z", "LL_x", "TT_x", "UL_z", "TB_x", "TT_x"]
    assert along_the_tract(names) == ["UL_z", "LL_x", "TT_x", "TT_z", "TB_x", "TD_z", "XX_x"]
