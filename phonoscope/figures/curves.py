"""Curves of r with bootstrap bands, one panel for few models, small multiples for many."""

import numpy as np

# Bands of more models than this cannot be told apart where they overlap.
OVERLAID = 4


def band(ax, x, rows, look, label=None):
    """One model's curve: line, markers, and its interval as a band (bars where there is one point)."""
    x, r, low, high = (np.asarray(v, dtype=float) for v in (x, rows.r, rows.ci_low, rows.ci_high))
    size = {"markersize": 4.5 if len(x) <= 13 else 3.5}
    if np.isfinite(low).any():
        if len(x) == 1:
            bars = [np.maximum(r - low, 0), np.maximum(high - r, 0)]
            ax.errorbar(x, r, bars, color=look.colour, capsize=3, linewidth=1.2, fmt="none")
        else:
            ax.fill_between(x, low, high, color=look.colour, alpha=0.16, linewidth=0)
    return ax.plot(x, r, **look.line(**size), label=label)[0]


def level(ax, rows, look, span):
    """A model without layers as a horizontal line over ``span``, its interval as a band."""
    r, low, high = (float(np.asarray(v, dtype=float)[0]) for v in (rows.r, rows.ci_low, rows.ci_high))
    if np.isfinite(low):
        ax.fill_between(span, low, high, color=look.colour, alpha=0.13, linewidth=0)
    ax.plot(span, [r, r], color=look.colour, linestyle=look.dashes)


def families(found):
    """Models that share a panel when there are many: each trained one with its untrained twins.

    Parameters
    ----------
    found : dict of str to style.Look

    Returns
    -------
    list of list of str
        One list per panel; baselines are in none (they are drawn in all).
    """
    members = {}
    for name, look in found.items():
        if look.role != "baseline":
            members.setdefault(look.role.removeprefix("untrained of "), []).append(name)
    panels = []
    for name, look in found.items():
        if look.role == "trained":
            panels.append([name, *members.get(name, [])])
    alone = members.get("untrained", [])
    orphans = [
        n for role, names in members.items() if role not in (*found, "trained", "untrained") for n in names
    ]
    return panels + [[name] for name in [*alone, *orphans]] or [[]]
