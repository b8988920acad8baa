"""Small curves of a value against relative depth, as SVG that can be read without colour."""

import math
import re
from html import escape

import numpy as np

WIDTH, HEIGHT = 122, 50
# Where the plot lies in the picture: its edges in the picture's units.
LEFT, RIGHT, TOP, BOTTOM = 19, 117, 5, 45
# More markers than these would touch one another.
_MARKED = 9
SHAPES = {
    "dot": "M{x} {y}h0",
    "square": "M{left} {top}h4v4h-4z",
    "triangle": "M{left} {bottom}h4l-2 -4z",
    "cross": "M{left} {top}l4 4m0 -4l-4 4",
    "diamond": "M{left} {y}l2 -2l2 2l-2 2z",
    "plus": "M{left} {y}h4m-2 -2v4",
}


def limits(values):
    """A common range for the curves of a study, in whole steps: room for all values, and for 0.

    Parameters
    ----------
    values : array_like
        NaN and infinite ones do not count.

    Returns
    -------
    low, high : float
    """
    values = np.asarray(values, dtype=float)
    values = values[np.isfinite(values)]
    low, high = (min(values.min(), 0), max(values.max(), 0)) if len(values) else (0, 1)
    if low == high:
        high = 1
    step = 10 ** math.floor(math.log10(high - low))
    step = next(step * part for part in (0.1, 0.2, 0.5, 1) if (high - low) / (step * part) <= 10)
    # What differs from a whole step in its last bits is one.
    return round(math.floor(low / step + 1e-9) * step, 9), round(math.ceil(high / step - 1e-9) * step, 9)


def place(depth, value, low, high):
    """Where a value lies in the picture: x of the relative depth, y within the study's range."""
    x = LEFT + depth * (RIGHT - LEFT)
    y = BOTTOM - (value - low) / (high - low) * (BOTTOM - TOP)
    return x, y


def draw(series, low, high, label, key):
    """One picture.

    Parameters
    ----------
    series : list of dict
        ``number`` (style of the line), ``shape`` (marker), ``depth``, ``value``, ``low``, ``high``,
        ``chance`` (lists of equal length; None where there is nothing) and ``best`` (index of the best layer,
        or None). A depth of None is a model without layers, drawn from side to side.
    low, high : float
        Range of the values.
    label : str
        What a reader who cannot see it is told.
    key : str
        Id under which the page has its numbers.

    Returns
    -------
    str
        An ``svg`` element.
    """
    zero = place(0, 0, low, high)[1]
    parts = [
        f'<path class="frame" d="M{LEFT} {TOP}V{BOTTOM}H{RIGHT}"/>',
        f'<path class="zero" d="M{LEFT} {zero:.2f}H{RIGHT}"/>' if low < 0 < high else "",
        f'<text x="{LEFT - 2}" y="{TOP + 4}">{_tick(high)}</text>',
        f'<text x="{LEFT - 2}" y="{BOTTOM + 1}">{_tick(low)}</text>',
    ]
    for each in series:
        parts += _curve(each, low, high)
    return (
        # Of this role, screen readers let the arrow keys through to the page; an img takes none.
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" tabindex="0" role="application" data-key="{escape(key)}" '
        f'data-low="{low:g}" data-high="{high:g}" aria-roledescription="curve" '
        f'aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


def short(value):
    """A number as an axis has it."""
    return f"{value:g}".replace("-", "−")


def _tick(value):
    """As :func:`short`, without the zero before the point, for which there is no room."""
    return re.sub(r"^(−?)0\.", r"\1.", short(value))


def _curve(series, low, high):
    """Band, chance, line and markers of one series."""
    number = series["number"]
    if None in series["depth"]:
        series = {k: v * 2 if isinstance(v, list) else v for k, v in series.items()} | {"depth": [0, 1]}
        series["best"] = None
    points = {
        name: [
            None if value is None else place(depth, value, low, high)
            for depth, value in zip(series["depth"], series[name], strict=True)
        ]
        for name in ("value", "low", "high", "chance")
    }
    line = points["value"]
    drawn = [i for i, point in enumerate(line) if point]
    marked = set(drawn[:: max(1, -(-len(drawn) // _MARKED))]) | {series["best"]}
    marks = "".join(mark(series["shape"], *line[i]) for i in drawn if i in marked)
    parts = [
        f'<path class="band s{number}" d="{_band(points["low"], points["high"])}"/>',
        f'<path class="chance" d="{_line(points["chance"])}"/>',
        f'<path class="line s{number}" d="{_line(line)}"/>',
        f'<path class="marks {series["shape"]} s{number}" d="{marks}"/>',
    ]
    if series["best"] is not None and line[series["best"]]:
        x, y = line[series["best"]]
        parts.append(f'<circle class="best s{number}" cx="{x:.2f}" cy="{y:.2f}" r="4"/>')
    return parts


def mark(shape, x, y):
    numbers = {"x": x, "y": y, "left": x - 2, "top": y - 2, "bottom": y + 2}
    return SHAPES[shape].format(**{name: f"{value:.2f}" for name, value in numbers.items()})


def _line(points):
    """A path through the points, broken where there is none."""
    path, drawing = [], False
    for point in points:
        if point:
            path.append(f"{'L' if drawing else 'M'}{point[0]:.2f} {point[1]:.2f}")
        drawing = bool(point)
    return "".join(path)


def _band(low, high):
    """The area between two curves, in pieces where there are both."""
    pieces, piece = [], []
    for below, above in [*zip(low, high, strict=True), (None, None)]:
        if below and above:
            piece.append((below, above))
        elif piece:
            pieces.append([below for below, _ in piece] + [above for _, above in reversed(piece)])
            piece = []
    return "".join(_line(edge) + "Z" for edge in pieces)
