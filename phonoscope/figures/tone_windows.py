"""Macro-F1 of tones against the width of the log-mel window, and the span that follows."""

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from phonoscope.figures import style

CURVE = "#0072B2"
PUBLISHED = {"color": "black", "marker": "v", "markersize": 6, "linestyle": ""}
# Stacked, so that spans can be compared along one axis; more corpora than this take two columns.
STACKED = 4


def draw(windows, spans):
    """A panel per corpus, one under the other on the same axis of widths.

    Parameters
    ----------
    windows, spans : pandas.DataFrame
        The tables of these names of the tone study.

    Returns
    -------
    matplotlib.figure.Figure
    """
    windows = windows[windows.macro_f1.notna()]
    if windows.empty:
        return style.message("No window was scored.", "Acoustic span of tones")
    titles = style.titles(windows)
    columns = 1 if len(titles) <= STACKED else 2
    lines = -(-len(titles) // columns)
    top = np.nanmax([windows.macro_f1.max(), windows.ci_high.max(), windows.shuffled.max()])
    with style.styled():
        drawn = style.figure(6.4 * columns, 1.75 * lines + 0.7, layout="constrained")
        axes = drawn.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
        for ax in axes.flat[len(titles) :]:
            ax.remove()
        for i, ((corpus, title), ax) in enumerate(zip(titles.items(), axes.T.flat, strict=False)):
            span = spans[spans.corpus == corpus].iloc[0]
            _panel(ax, windows[windows.corpus == corpus].sort_values("window_ms"), span)
            ax.set_title(title)
            ax.set_title(
                _said(span, windows[windows.corpus == corpus]), loc="right", weight="normal", size=8.5
            )
            if i % lines == lines - 1 or i == len(titles) - 1:
                ax.set_xlabel("width of the log-mel window, ms")
                ax.tick_params(labelbottom=True)
            if i < lines:
                ax.set_ylabel("macro-F1")
        axes[0, 0].set_ylim(0, min(1.02, top + 0.05))
        axes[0, 0].set_xlim(0, 1.04 * windows.window_ms.max())
        drawn.suptitle("How wide a stretch of sound tells tones apart", x=0.01, ha="left")
        style.legend_below(drawn, _keys(windows, spans))
        return drawn


def _panel(ax, rows, span):
    ax.plot(rows.window_ms, rows.shuffled, **style.CHANCE)
    ax.axhline(rows.majority.iloc[0], **style.MAJORITY)
    ax.axvspan(span.ci_low, span.ci_high, **style.ACOUSTIC_BAND)
    ax.axvline(span.span_ms, **style.ACOUSTIC)
    if len(rows) == 1:
        ax.vlines(rows.window_ms, rows.ci_low, rows.ci_high, color=CURVE, linewidth=1.2)
    else:
        ax.fill_between(rows.window_ms, rows.ci_low, rows.ci_high, color=CURVE, alpha=0.18, linewidth=0)
    ax.plot(rows.window_ms, rows.macro_f1, "o-", color=CURVE, markersize=3.5)
    ax.plot(span.best_ms, span.f1_best, **_ring())
    if np.isfinite(span.published_ms):
        above = ax.get_xaxis_transform()
        ax.plot(span.published_ms, 0.96, transform=above, **PUBLISHED)
    ax.grid(axis="y")


def _ring():
    return {
        "marker": "o",
        "markersize": 9,
        "markerfacecolor": "none",
        "markeredgecolor": "black",
        "linestyle": "",
    }


def _said(span, rows):
    chosen = rows[rows.window_ms == span.span_ms].iloc[0]
    if not chosen.ci_low > chosen.shuffled and np.isfinite(chosen.ci_low):
        return f"not above shuffled labels at {span.span_ms:g} ms"
    sure = f" ({span.ci_low:g}–{span.ci_high:g})" if np.isfinite(span.ci_low) else ""
    return f"span {span.span_ms:g}{sure} ms, best {span.best_ms:g} ms"


def _keys(windows, spans):
    handles = [
        Line2D([], [], color=CURVE, marker="o", markersize=3.5, label="macro-F1, 95 % interval"),
        Line2D([], [], **style.ACOUSTIC, label="span: within 1 SE of best"),
        Patch(**style.ACOUSTIC_BAND, label="its 95 % interval"),
        Line2D([], [], label="best window", **_ring()),
        Line2D([], [], **style.CHANCE, label=style.SHUFFLED_LABEL),
        Line2D([], [], **style.MAJORITY, label="commonest tone"),
    ]
    if spans[spans.corpus.isin(windows.corpus)].published_ms.notna().any():
        handles.append(Line2D([], [], **PUBLISHED, label="published span"))
    return handles
