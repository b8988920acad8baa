"""The look that all figures share, and how they reach the disk.

Colours are those of Okabe & Ito (2008), told apart by people who are colour-blind; in greyscale,
markers tell models apart and line styles tell trained, untrained and baseline.
"""

import re
from contextlib import contextmanager
from dataclasses import dataclass
from textwrap import wrap

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from phonoscope.tables import beside

R_LABEL = "Pearson r"
HEAT = "cividis"
GREY, LIGHT = "#595959", "#bfbfbf"
CHANCE_LABEL = "chance (shifted EMA)"
CHANCE = {"color": GREY, "linestyle": (0, (1, 2)), "linewidth": 1}
SHUFFLED_LABEL = "shuffled labels"
MAJORITY = {"color": GREY, "linestyle": (0, (6, 2)), "linewidth": 0.9}
# What is known of the sound itself, beside what models make of it: in no model's colour.
ACOUSTIC = {"color": "#7d6b00", "linewidth": 1.7}
ACOUSTIC_BAND = {"color": "#F0E442", "alpha": 0.45, "linewidth": 0}

# Yellow is left out: it cannot be seen on white. Dark and light ones alternate.
_COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#E69F00", "#56B4E9"]
_MARKERS = ["o", "s", "^", "D", "v", "P", "X", "<", ">", "*", "p", "h"]
_BASELINE_DASHES = [(0, (6, 1.5, 1, 1.5)), (0, (1, 1)), (0, (6, 1.5, 1, 1.5, 1, 1.5)), (0, (2, 2))]

_RC = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.labelsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "axes.axisbelow": True,
    "grid.color": "#e3e3e3",
    "grid.linewidth": 0.7,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "lines.linewidth": 1.5,
    "lines.markersize": 4.5,
    "hatch.linewidth": 0.6,
    "svg.hashsalt": "phonoscope",
    "svg.fonttype": "path",
    "axes.unicode_minus": True,
    "path.simplify": True,
}


@dataclass(frozen=True)
class Look:
    """How one model is drawn everywhere: colour, line style, marker, and whether markers are filled."""

    name: str
    role: str
    colour: str
    dashes: object
    marker: str

    @property
    def filled(self):
        return not self.role.startswith("untrained")

    def line(self, **options):
        """Keyword arguments for plot and Line2D."""
        face = self.colour if self.filled else "white"
        return {
            "color": self.colour,
            "linestyle": self.dashes,
            "marker": self.marker,
            "markerfacecolor": face,
            "markeredgecolor": self.colour,
        } | options


def looks(models, roles=None):
    """The look of each model: untrained twins take their model's colour and marker, dashed and hollow.

    Parameters
    ----------
    models : iterable of str
        Names in the order of the tables; repetitions are allowed.
    roles : dict of str to str, optional
        As :func:`phonoscope.studies.roles.roles` gives them; models it does not name are trained.

    Returns
    -------
    dict of str to Look
    """
    models = list(dict.fromkeys(models))
    roles = {model: (roles or {}).get(model, "trained") for model in models}
    coloured = [model for model in models if roles[model] != "baseline"]
    twins = {model: role.removeprefix("untrained of ") for model, role in roles.items() if " of " in role}
    coloured = [model for model in coloured if twins.get(model) not in models]
    baselines = [model for model in models if roles[model] == "baseline"]
    found = {}
    for i, model in enumerate(coloured):
        dashes = "-" if roles[model] == "trained" else (0, (4, 2))
        colour, marker = _COLOURS[i % len(_COLOURS)], _MARKERS[i % len(_MARKERS)]
        found[model] = Look(model, roles[model], colour, dashes, marker)
    for i, model in enumerate(baselines):
        grey = [GREY, "#8c8c8c"][i % 2]
        found[model] = Look(model, "baseline", grey, _BASELINE_DASHES[i % 4], ["|", "x", "1", "+"][i % 4])
    for model in models:
        if model not in found:
            twin = found[twins[model]]
            found[model] = Look(model, roles[model], twin.colour, (0, (4, 2)), twin.marker)
    return {model: found[model] for model in models}


@contextmanager
def styled():
    """Draw inside this: the shared settings hold, and nothing of the caller's is left changed."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_RC)
        yield


def figure(width, height, **options):
    """An empty figure of the given size in inches that belongs to no window system."""
    made = Figure(figsize=(width, height), **options)
    FigureCanvasAgg(made)
    return made


def save(drawn, svg, png, dpi=160):
    """Write a figure as SVG and PNG; the same figure gives the same bytes on every day."""
    with styled():
        _freeze(drawn)
        options = {"bbox_inches": "tight", "pad_inches": 0.08, "facecolor": "white"}
        with beside(svg) as partial:
            drawn.savefig(partial, format="svg", metadata={"Date": None, "Creator": None}, **options)
        with beside(png) as partial:
            drawn.savefig(partial, format="png", dpi=dpi, metadata={"Software": None}, **options)


def _freeze(drawn):
    """Lay out once and round: the solver's last bits differ between runs, and ids in the SVG with them."""
    drawn.draw_without_rendering()
    if drawn.get_layout_engine() is None:
        return
    drawn.set_layout_engine("none")
    for ax in drawn.axes:
        for which in ("original", "active"):
            place = ax.get_position(original=which == "original")
            ax.set_position(np.round(place.bounds, 5), which=which)
    for title in drawn.texts:
        title.set_position(np.round(title.get_position(), 5))


def message(text, title=None):
    """A small figure that says why there is nothing to draw."""
    with styled():
        made = figure(6, 0.9)
        if title:
            made.text(0.02, 0.8, title, weight="bold", size=10)
        made.text(0.02, 0.62, "\n".join(wrap(text, 90)), va="top", color=GREY)
        return made


def legend_below(drawn, handles, title=None, above=None):
    """A legend under the figure, as wide as it: names are never cut off and cover no data.

    Parameters
    ----------
    drawn : matplotlib.figure.Figure
    handles : list of matplotlib.artist.Artist
    title : str, optional
    above : matplotlib.legend.Legend, optional
        The legend under which this one goes.
    """
    if not handles:
        return above
    widths = [0.065 * len(handle.get_label()) + 0.7 for handle in handles]
    room = drawn.get_figwidth() - 0.4
    columns = len(handles) if sum(widths) < room else max(int(room / max(widths)), 1)
    top = above.bottom if above else 0.0
    legend = drawn.legend(
        handles=handles,
        title=title,
        title_fontsize=8,
        alignment="left",
        loc="upper left",
        bbox_to_anchor=(0.02, top),
        ncols=columns,
        handlelength=3.0,
        columnspacing=1.5,
    )
    lines = -(-len(handles) // columns) + bool(title)
    legend.bottom = top - (0.17 * lines + 0.1) / drawn.get_figheight()
    return legend


def note_below(drawn, text, above=None):
    """A line in grey under the legend ``above``, or under the figure, on what could not be drawn."""
    top = above.bottom if above else 0.0
    width = int(drawn.get_figwidth() / 0.062)
    drawn.text(0.03, top, "\n".join(wrap(text, width)), va="top", size=8, color=GREY)


def keys(found, others, levels=False):
    """Legend entries of the models and the chance level.

    Parameters
    ----------
    found : dict of str to Look
    others : bool
        Whether models are also drawn in grey behind one another.
    levels : bool
        Whether baselines are horizontal lines, without markers.
    """
    handles = [key(look, levels and look.role == "baseline") for look in found.values()]
    if others:
        handles.append(Line2D([], [], color=LIGHT, linewidth=0.8, label="the other models"))
    return [*handles, Line2D([], [], **CHANCE, label=CHANCE_LABEL)]


def key(look, level=False):
    """The legend entry of a model."""
    kind = " (untrained)" if not look.filled and "untrain" not in look.name.lower() else ""
    return Line2D([], [], label=look.name + kind, **look.line(**{"marker": None} if level else {}))


def shades(values):
    """A colour for each of some numbers in order, dark to light, told apart in grey; and for the bar.

    Parameters
    ----------
    values : iterable of number

    Returns
    -------
    colours : dict of number to RGBA tuple
    mappable : matplotlib.cm.ScalarMappable
        In steps, one per value.
    """
    values = sorted(set(values))
    # The lightest end cannot be seen on white.
    colours = matplotlib.colormaps[HEAT](np.linspace(0, 0.86, max(len(values), 2)))[: len(values)]
    steps = np.arange(len(values) + 1) - 0.5
    mappable = ScalarMappable(BoundaryNorm(steps, len(values)), ListedColormap(colours))
    return {value: tuple(colour) for value, colour in zip(values, colours, strict=True)}, mappable


def titles(table):
    """What stands above the panels of each corpus: its name, and its language where that says more.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns corpus and language.

    Returns
    -------
    dict of str to str
    """
    languages = dict(zip(table.corpus, table.language, strict=True))
    return {
        corpus: corpus if language.lower() in corpus.lower() else f"{corpus} ({language})"
        for corpus, language in languages.items()
    }


def flow(panels, page):
    """Panels into lines no wider than ``page`` inches; each is a dict with its ``width``."""
    lines = [[]]
    for panel in panels:
        if lines[-1] and sum(each["width"] for each in lines[-1]) + panel["width"] > page:
            lines.append([])
        lines[-1].append(panel)
    return lines


def ink(colour):
    """Black or white, whichever can be read on ``colour`` (RGBA)."""
    red, green, blue = colour[:3]
    return "white" if 0.299 * red + 0.587 * green + 0.114 * blue < 0.5 else "black"


# From the lips back along the tongue, as a reader thinks of a vocal tract.
_SENSORS = ("UL", "LL", "LI", "JAW", "TT", "TM", "TB", "TD", "TR", "VE")


def along_the_tract(channels):
    """Channel names in the order of the vocal tract, lips first; unknown sensors last, by name."""

    def place(channel):
        sensor, _, axis = channel.rpartition("_")
        known = _SENSORS.index(sensor) if sensor in _SENSORS else len(_SENSORS)
        return known, sensor, axis

    return sorted(set(channels), key=place)


def natural(names):
    """Distinct names in the order a reader expects: s2 before s10."""
    return sorted(
        set(names), key=lambda name: [int(p) if p.isdigit() else p for p in re.split(r"(\d+)", name)]
    )


def choose(frame, column, wanted=None, preferred=()):
    """Rows of one value of ``column``: the wanted one, else a preferred one, else the first.

    Returns
    -------
    rows : pandas.DataFrame
    value : str
        The value chosen, for the title; "" if there are no rows.
    """
    values = list(dict.fromkeys(frame[column]))
    value = wanted or next((value for value in preferred if value in values), values[0] if values else "")
    return frame[frame[column] == value], value
