"""Heat maps whose cells say their values."""

import numpy as np

from phonoscope.figures import style


def draw(ax, values, limits, size, linewidth=0.4, written=True):
    """Rows from the top, a cell per value on one colour scale, with two decimals in it.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    values : array of shape (n_rows, n_columns)
        NaN cells stay white, with a dash.
    limits : (float, float)
        Of the colour scale.
    size : float
        Of the digits, points.
    linewidth : float
        Of the white lines between cells.
    written : bool
        Whether there is room for digits.

    Returns
    -------
    matplotlib.collections.QuadMesh
    """
    low, high = limits
    image = ax.pcolormesh(
        values, cmap=style.HEAT, vmin=low, vmax=high, edgecolors="white", linewidth=linewidth
    )
    for (row, column), value in np.ndenumerate(values) if written else ():
        known = np.isfinite(value)
        text = f"{value:.2f}".replace("0.", ".", 1) if known else "–"
        colour = style.ink(image.cmap(image.norm(value))) if known else style.GREY
        ax.text(column + 0.5, row + 0.53, text, ha="center", va="center", size=size, color=colour)
    ax.invert_yaxis()
    for spine in ax.spines.values():
        spine.set_visible(False)
    return image
