"""The losses of a training against its steps."""

from phonoscope.figures import style


def draw(log, name):
    """Loss of the batches and of held-out recordings.

    Parameters
    ----------
    log : list of dict
        Rows of ``training.tsv``: step, loss, held_out_loss (None where it was not taken), and iteration
        where there are several, each with a loss of its own.
    name : str
        Of the training.

    Returns
    -------
    matplotlib.figure.Figure
    """
    with style.styled():
        drawn = style.figure(6.2, 3.2, layout="constrained")
        ax = drawn.subplots()
        for part in sorted({row.get("iteration", 1) for row in log}):
            mine = [row for row in log if row.get("iteration", 1) == part]
            last = [row for row in mine if row["held_out_loss"] is not None]
            ax.plot([row["step"] for row in mine], [row["loss"] for row in mine], color=style.GREY,
                    linewidth=1, label="training")  # fmt: skip
            ax.plot([row["step"] for row in last], [row["held_out_loss"] for row in last], color="#D55E00",
                    linewidth=1.2, marker="o", markersize=3, label="held out")  # fmt: skip
            if part > 1:
                ax.axvline(mine[0]["step"], color=style.LIGHT, linewidth=0.8)
                ax.annotate(
                    f"iteration {part:g}: new targets", (mine[0]["step"], 1), (4, -4), ha="left", va="top",
                    xycoords=("data", "axes fraction"), textcoords="offset points", color=style.GREY,
                )  # fmt: skip
        ax.set_xlabel("step")
        ax.set_ylabel("loss")
        ax.grid(axis="y")
        handles, labels = ax.get_legend_handles_labels()
        chosen = dict(zip(labels, handles, strict=True))
        ax.legend(chosen.values(), chosen.keys(), loc="center right", frameon=False)
        drawn.suptitle(f"Loss of {name}", x=0.01, ha="left")
        return drawn
