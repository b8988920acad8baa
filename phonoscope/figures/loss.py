"""The losses of a training against its steps."""

from phonoscope.figures import style

HELD_OUT = "#D55E00"
# What is learned in stages has a loss of its own for each, in the log throughout.
STAGES = {"ctc_loss": ("training: CTC", "-"), "frames_loss": ("training: known times", (0, (4, 2)))}
WIDE = 30


def draw(log, name):
    """Loss of the batches and of held-out recordings.

    Parameters
    ----------
    log : list of dict
        Rows of ``training.tsv``: step, loss, held_out_loss (None where it was not taken), ctc_loss and
        frames_loss where both were taken, and iteration where there are several with targets of their own.
    name : str
        Of the training.

    Returns
    -------
    matplotlib.figure.Figure
    """
    curves = {key: STAGES[key] for key in STAGES if key in log[0]} or {"loss": ("training", "-")}
    with style.styled():
        drawn = style.figure(6.2, 3.2, layout="constrained")
        ax = drawn.subplots()
        for part in sorted({row.get("iteration") or 1 for row in log}):
            mine = [row for row in log if (row.get("iteration") or 1) == part]
            for key, (label, line) in curves.items():
                _curve(ax, mine, key, label=label, color=style.GREY, linewidth=1, linestyle=line)
            _curve(ax, mine, "held_out_loss", label="held out", color=HELD_OUT, linewidth=1.2, marker="o",
                   markersize=3)  # fmt: skip
            if part > 1:
                ax.axvline(mine[0]["step"], color=style.LIGHT, linewidth=0.8)
                ax.annotate(
                    f"stage {part:g}: new targets", (mine[0]["step"], 1), (4, -4), ha="left", va="top",
                    xycoords=("data", "axes fraction"), textcoords="offset points", color=style.GREY,
                )  # fmt: skip
        values = [value for line in ax.get_lines() for value in line.get_ydata() if value > 0]
        if max(values) > WIDE * min(values):
            ax.set_yscale("log")
        ax.set_xlabel("step")
        ax.set_ylabel("loss")
        ax.grid(axis="y")
        chosen = dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
        style.legend_below(drawn, [_named(handle, label) for label, handle in chosen.items()])
        drawn.suptitle(f"Loss of {name}", x=0.01, ha="left")
        return drawn


def _named(handle, label):
    handle.set_label(label)
    return handle


def _curve(ax, rows, key, **look):
    known = [(row["step"], row[key]) for row in rows if row.get(key) is not None]
    if known:
        ax.plot(*zip(*known, strict=True), **look)
