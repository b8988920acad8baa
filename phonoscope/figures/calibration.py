"""Known truth against what the instrument says: aligner, trained models, languages without a common phone,
tones whose stretch is known, look-alikes and times of words that are known."""

from string import ascii_lowercase

import numpy as np
from matplotlib.lines import Line2D

from phonoscope.figures import curves, dots, style

FARTHEST_MS = 200
WITHIN_MS = 20
ALIGNED = "#0072B2"
ACROSS = {"linestyle": (0, (4, 2)), "markerfacecolor": "white"}
MEASURES = {"r within the language": {}, "r across languages": ACROSS}
PER_ROW = 5
TRUTH = {"color": "black", "marker": "|", "markersize": 13, "markeredgewidth": 1.6, "linestyle": ""}
STRETCH = {"color": "#0072B2", "marker": "o", "linestyle": "", "zorder": 3}
# Unit of the rows of the tone study: what stands above their panel, and below it.
TONES = {
    "ms": ("tone: span", "log-mel span, ms"),
    "difference in ms": ("tone: spans told apart", "difference of spans, ms"),
    "macro-F1": ("tone: language without tones", "macro-F1, mean over windows"),
}
# Of the word times, the rows that are drawn.
WORD_ERRORS = [f"{edge} error, median" for edge in ("start", "end", "centre")]
WORD_ERRORS.append("centre error, 90th percentile")


def draw(table, boundaries=(), roles=None):
    """One figure of all cases that the table holds.

    Parameters
    ----------
    table : pandas.DataFrame
        The calibration table, with the columns of ``calibration.ROWS``.
    boundaries : list of pandas.DataFrame
        Columns start_s, aligned_s, uniform_s, grid_s: one table per corpus that was aligned.
    roles : dict of str to str, optional
        See :func:`phonoscope.studies.roles.roles`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    gains = table[table.unit.eq("difference in r") & table.measured.notna()]
    disjoint = table[table.case.str.startswith("disjoint phones: both") & table.measured.notna()]
    upper = [("aligner", each) for each in boundaries] + [("gain", part) for part in _gains(gains, roles)]
    tones, alignment = _tones(table), _alignment(table)
    # Their names are long: three side by side.
    lower = [tones] * bool(tones) + [alignment[i : i + 3] for i in range(0, len(alignment), 3)]
    if not upper and disjoint.empty and not lower:
        return style.message("The calibration has no row that could be drawn.", "Calibration")
    with style.styled():
        found = style.looks(_ordered(table, roles), roles)
        families, level = _families(disjoint, found), _level(gains, disjoint, found)
        heights = [1.0] * _lines(upper) + [0.9] * _lines(families)
        heights += [0.3 + 0.11 * max(len(rows) for *_, rows in line) for line in lower]
        drawn = style.figure(12.6, 0.3 + 2.6 * sum(heights), layout="constrained")
        grid = drawn.add_gridspec(len(heights), PER_ROW, height_ratios=heights)
        axes = [drawn.add_subplot(grid[divmod(i, PER_ROW)]) for i in range(len(upper))]
        for i, (ax, (kind, rows)) in enumerate(zip(axes, upper, strict=True)):
            title = f"({ascii_lowercase[i % 26]}) "
            _aligner(ax, rows, title) if kind == "aligner" else _gain(ax, rows, found, title)
        # Gains on MFCC are small beside those on untrained models: each pair has limits of its own.
        for against in ("untrained", "MFCC"):
            _same_limits([ax for ax, (_, rows) in zip(axes, upper, strict=True) if _is(rows, against)])
        below = []
        for i, name in enumerate(families):
            row, column = divmod(i, PER_ROW)
            below.append(drawn.add_subplot(grid[_lines(upper) + row, column]))
            title = f"({ascii_lowercase[len(upper) % 26]}) " * (i == 0) + name
            _languages(below[-1], disjoint, found[name], found.get(level), title)
            if column == 0:
                below[-1].set_ylabel(f"{style.R_LABEL}, disjoint phones")
        _same_limits(below)
        letters = iter(range(len(upper) + bool(families), 1000))
        for i, line in enumerate(lower, start=len(heights) - len(lower)):
            places = grid[i, :].subgridspec(1, len(line))
            for place, panel in zip(places, line, strict=True):
                letter = ascii_lowercase[next(letters) % 26]
                _dots(drawn.add_subplot(place), *panel, f"({letter}) ")
        drawn.suptitle("Calibration: known truth against what is measured", x=0.01, ha="left")
        handles = _keys(upper, gains, [*families, level], found) if upper or families else []
        style.legend_below(drawn, [*handles, *_dot_keys([rows for line in lower for *_, rows in line])])
        return drawn


def _tones(table):
    """Panels of the tone study: known stretches, pairs of them told apart, languages without tones."""
    found = table[table.study.eq("tone") & table.measured.notna()]
    panels = []
    for unit, (title, label) in TONES.items():
        rows = found[found.unit == unit]
        pairs = rows.corpus + " − " + rows.reference
        rows = rows.assign(
            row=pairs if unit == "difference in ms" else rows.corpus,
            told=(unit != "difference in ms") | (rows.ci_low > 0),
            control=rows.chance if unit == "macro-F1" else np.nan,
        )
        panels += [(title, label, rows)] * bool(len(rows))
    return panels


def _alignment(table):
    """Panels of the alignment study, for each corpus: look-alike filter, planted states, word times."""
    found = table[table.study.eq("alignment") & table.measured.notna()]
    marks = found[found.case.str.startswith("challenge set: all")]
    way = marks.case.str.replace(r".*phones by ", "", regex=True)
    planted = found[found.case.str.startswith("retrieval: ")]
    sets = planted.case.str.replace("retrieval: states of ", "") + planted.measure.str.replace("R@1", "")
    times = found[found.case.str.startswith("word times: ") & found.measure.isin(WORD_ERRORS)]
    # A corpus of one language has no row for all; of several, single ones have errors of the centre only.
    whole = set(times[times.measure == WORD_ERRORS[0]].case)
    names = times.model + ": " + times.measure.str.replace(" error", "")
    panels = []
    for title, label, rows in (
        ("look-alike filter", "precision or recall", marks.assign(row=marks.measure + ", " + way)),
        ("planted states", "R@1", planted.assign(row=sets)),
        ("word times", "error, ms", times.assign(row=names)[times.case.isin(whole)]),
    ):
        for corpus, part in rows.groupby("corpus", sort=False):
            told = ~part.verdict.str.startswith("not told apart")
            above = title if rows.corpus.nunique() == 1 else f"{title}: {corpus}"
            panels.append((above, label, part.assign(told=told, control=part.chance)))
    return panels


def _ordered(table, roles):
    """Models in the order of the config, as far as they are in the table."""
    there = list(dict.fromkeys(table[table.layer.notna()].model))
    return [model for model in roles or {} if model in there] or there


def _gains(gains, roles):
    """Rows of one panel each: an experiment, against untrained twins or against a baseline."""
    kind = gains.reference.map(lambda name: "MFCC" if (roles or {}).get(name) == "baseline" else "untrained")
    return [
        part.assign(against=against)
        for against in ("untrained", "MFCC")
        for _, part in gains[kind == against].groupby("case", sort=False)
    ]


def _is(rows, against):
    """Whether a panel's rows are gains on models of this kind."""
    return "against" in rows and rows.against.iloc[0] == against


def _lines(panels):
    return -(-len(panels) // PER_ROW)


def _families(rows, found):
    """Models with a panel of their own for the languages: trained ones, then untrained; else baselines."""
    there = [name for name in found if name in set(rows.model)]
    roles = ("trained", "untrained") if any(found[n].role != "baseline" for n in there) else ("baseline",)
    return [name for role in roles for name in there if found[name].role.partition(" ")[0] == role]


def _level(gains, rows, found):
    """The baseline that is drawn in every panel: what the trained models are compared with, or the first."""
    there = [name for name in found if name in set(rows.model) and found[name].role == "baseline"]
    return next((name for name in there if name in set(gains.reference)), there[0] if there else None)


def _aligner(ax, rows, title):
    """Share of phone starts within so many ms."""
    for name, options in (
        ("grid", {"color": style.LIGHT}),
        ("aligned", {"color": ALIGNED}),
        ("uniform", style.CHANCE),
    ):
        off = np.sort(1000 * np.abs(rows[f"{name}_s"] - rows.start_s).to_numpy())
        share = np.arange(1, len(off) + 1) / len(off)
        ax.step(
            [0, *off, FARTHEST_MS],
            [0, *share, 1 if off[-1] < FARTHEST_MS else np.nan],
            where="post",
            **options,
        )
        if name == "aligned":
            numbers = np.median(off), np.quantile(off, 0.9), 100 * np.mean(off <= WITHIN_MS)
            ax.plot(numbers[:2], [0.5, 0.9], "o", color=ALIGNED)
    said = "median {:.0f} ms\n90 % {:.0f} ms\n{:.0f} % within {} ms".format(*numbers, WITHIN_MS)
    ax.text(0.98, 0.03, said, transform=ax.transAxes, ha="right", va="bottom", size=7.5, color=ALIGNED)
    ax.axvline(WITHIN_MS, color=style.LIGHT, linewidth=0.7, zorder=0)
    ax.set_xlim(0, FARTHEST_MS)
    ax.set_ylim(0, 1.02)
    ax.set_xlabel("distance from the known start, ms")
    ax.set_ylabel("share of phones")
    ax.set_title(f"{title}aligner")


def _gain(ax, rows, found, title):
    ax.axhline(0, **style.CHANCE)
    for name, look in found.items():
        mine = rows[rows.model == name].sort_values("layer")
        if len(mine):
            curves.band(ax, mine.layer.astype(int), mine.assign(r=mine.measured), look)
    experiment = rows.case.iloc[0].partition(":")[0]
    ax.set_title(f"{title}{experiment}: gain on {rows.against.iloc[0]}")
    ax.set_ylabel("difference in r")
    curves.layer_axis(ax, rows.layer)


def _languages(ax, rows, look, level, title):
    """One model within the language (solid) and across languages (dashed, hollow), a baseline behind it."""
    mine = rows[rows.model == look.name].sort_values("layer")
    span = np.array([mine.layer.min() - 0.5, mine.layer.max() + 0.5], dtype=float)
    for measure, across in MEASURES.items():
        part = mine[mine.measure == measure]
        if level and level != look:
            flat = rows[(rows.model == level.name) & (rows.measure == measure)].measured.iloc[0]
            ax.plot(
                span, [flat, flat], color=level.colour, linewidth=1, linestyle=across.get("linestyle", "-")
            )
        x, low, high = (part[name].to_numpy(dtype=float) for name in ("layer", "ci_low", "ci_high"))
        if len(x) == 1:
            ax.plot([x[0], x[0]], [low[0], high[0]], color=look.colour, linewidth=1.2)
        else:
            ax.fill_between(x, low, high, color=look.colour, alpha=0.16, linewidth=0)
        ax.plot(x, part.measured, **look.line(linestyle="-", markerfacecolor=look.colour) | across)
    chance = mine[mine.measure == "r across languages"]
    ax.plot(np.r_[span[:1], chance.layer, span[1:]], np.pad(chance.chance, 1, "edge"), **style.CHANCE)
    ax.set_title(title)
    curves.layer_axis(ax, mine.layer)


def _dots(ax, title, label, rows, letter):
    """A line per row: measured with its interval, the truth as an upright line, the control in grey."""
    for y, row in enumerate(rows.itertuples()):
        if np.isfinite(row.ci_low):
            ax.plot([row.ci_low, row.ci_high], [y, y], color=STRETCH["color"], linewidth=1.4)
        ax.plot(row.measured, y, **STRETCH, markerfacecolor=STRETCH["color"] if row.told else "white")
        ax.plot(row.truth, y, **TRUTH)
        if np.isfinite(row.control):
            ax.plot([row.control] * 2, [y - 0.35, y + 0.35], color=style.LIGHT, linewidth=3.5, zorder=1)
    dots.name_rows(ax, list(rows.row))
    ends = rows[["measured", "truth", "control", "ci_low", "ci_high"]].astype(float)
    differences = rows.unit.iloc[0] == "difference in ms"
    low, high = min(0, np.nanmin(ends)), np.nanmax(ends)
    if differences:
        ax.axvline(0, **style.CHANCE)
    ax.set_xlim(1.1 * low - 0.03 * high * differences, 1.1 * high)
    ax.set_xlabel(label)
    ax.set_title(letter + title)


def _dot_keys(panels):
    """Legend entries of the panels with a line per row."""
    handles = []
    if panels:
        handles.append(Line2D([], [], **STRETCH, label="measured, 95 % interval"))
        handles.append(Line2D([], [], **TRUTH, label="truth"))
    if any((~rows.told).any() for rows in panels):
        handles.append(Line2D([], [], **STRETCH, markerfacecolor="white", label="not told apart"))
    if any(rows.control.notna().any() for rows in panels):
        label = "control: shuffled, random, or equal parts"
        handles.append(Line2D([], [], color=style.LIGHT, linewidth=3.5, label=label))
    return handles


def _same_limits(axes):
    if axes:
        low, high = min(ax.get_ylim()[0] for ax in axes), max(ax.get_ylim()[1] for ax in axes)
        for ax in axes:
            ax.set_ylim(low, high)


def _keys(upper, gains, models, found):
    """Legend entries of what is drawn."""
    drawn = {*models, *gains.model}
    handles = [
        Line2D([], [], color=look.colour, label=name) if look.role == "baseline" else style.key(look)
        for name, look in found.items()
        if name in drawn
    ]
    if any(models):
        handles.append(Line2D([], [], color=style.GREY, marker="o", label="within the language"))
        handles.append(Line2D([], [], color=style.GREY, marker="o", label="across languages", **ACROSS))
    if any(kind == "aligner" for kind, _ in upper):
        handles.append(Line2D([], [], color=ALIGNED, label="aligner"))
        handles.append(Line2D([], [], color=style.LIGHT, label="nearest edge of a frame"))
    handles.append(Line2D([], [], **style.CHANCE, label="no gain, chance, or equal parts"))
    return handles
