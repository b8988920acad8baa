"""The figure of a training's losses."""

from phonoscope.figures import loss


def lines(drawn):
    ax = drawn.axes[0]
    return {line.get_label(): list(zip(*line.get_data(), strict=True)) for line in ax.get_lines()
            if not line.get_label().startswith("_")}  # fmt: skip


def test_training_and_held_out():
    log = [{"step": k, "loss": 3 - k / 10, "held_out_loss": 3.0 if k == 4 else None} for k in (2, 4)]
    drawn = loss.draw(log, "hubert")
    assert lines(drawn) == {"training": [(2, 2.8), (4, 2.6)], "held out": [(4, 3.0)]}
    assert drawn.axes[0].get_yscale() == "linear" and "hubert" in drawn.get_suptitle()


def test_stages_have_their_own_losses():
    log = [
        {"step": 1, "loss": 2.0, "frames_loss": 2.0, "ctc_loss": 12.0, "held_out_loss": 13.0},
        {"step": 2, "loss": 0.1, "frames_loss": 0.5, "ctc_loss": 0.1, "held_out_loss": None},
    ]
    drawn = loss.draw(log, "ctc")
    assert lines(drawn)["training: CTC"] == [(1, 12.0), (2, 0.1)]
    assert lines(drawn)["training: known times"] == [(1, 2.0), (2, 0.5)]
    assert drawn.axes[0].get_yscale() == "log"


def test_iterations_are_marked():
    log = [{"step": k, "loss": 1.0 + k, "iteration": 1 + k // 3, "held_out_loss": None} for k in range(1, 5)]
    drawn = loss.draw(log, "hubert")
    assert [text.get_text() for text in drawn.axes[0].texts] == ["stage 2: new targets"]
