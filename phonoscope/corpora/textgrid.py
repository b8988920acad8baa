"""Segments of a Praat TextGrid, long or short, UTF-8 or UTF-16 (praatio)."""

import codecs
import math
import re
from pathlib import Path

from phonoscope.errors import InputError

# The number of entries of a tier, after its class, name and times, in Praat's long or short text.
_COUNT = re.compile(
    r'"(?:IntervalTier|TextTier)"\s+(?:'
    r'name = "[^"]*(?:""[^"]*)*"\s+xmin = \S+\s+xmax = \S+\s+(?:intervals|points): size = (\d{1,9})'
    r'|"[^"]*(?:""[^"]*)*"\s+\S+\s+\S+\s+(\d{1,9}))\b'
)


def read(path, tiers):
    """The labelled intervals of the wanted tiers.

    A TextGrid has no gaps: where nothing is labelled there is an empty interval, which is no segment.

    Parameters
    ----------
    path : path-like
    tiers : dict of str to str
        Our tier (phone, tone, ...) to the name of the tier in the file.

    Returns
    -------
    list of (tier, start_s, end_s, label)
        In the order of ``tiers``, then of time.

    Raises
    ------
    InputError
        If the file is no TextGrid, or has no such tier, two of that name, or points in it.
    """
    grid = _opened(path)
    found = []
    for tier, name in tiers.items():
        if name not in grid.tierNames:
            raise InputError(
                f"there is no tier `{name}`",
                path=path,
                row=f"tiers.{tier}",
                fix=f"choose among {', '.join(grid.tierNames) or 'nothing: the file has no tiers'}",
            )
        entries = grid.getTier(name).entries
        if entries and len(entries[0]) == 2:
            raise InputError(
                f"the tier `{name}` holds points, which have no duration",
                path=path,
                row=f"tiers.{tier}",
                fix="choose a tier of intervals",
            )
        found += [(tier, start, end, label.strip()) for start, end, label in entries if label.strip()]
        if wrong := [entry for entry in found if not 0 <= entry[1] <= entry[2] < math.inf]:
            raise InputError(
                f"`{wrong[0][3]}` lasts from {wrong[0][1]} s to {wrong[0][2]} s",
                path=path,
                row=f"tiers.{tier}",
                fix="mend the times in Praat",
            )
    return found


def _opened(path):
    from praatio import textgrid
    from praatio.utilities.errors import PraatioException

    try:
        grid = textgrid.openTextgrid(str(path), includeEmptyIntervals=True, reportingMode="silence")
    # A damaged file lets praatio fail in ways of its own and of Python's.
    except (PraatioException, OSError, ArithmeticError, ValueError, LookupError, AttributeError, TypeError,
            RecursionError) as error:  # fmt: skip
        raise InputError(
            f"not a readable TextGrid ({type(error).__name__}: {str(error)[:200]})",
            path=path,
            fix="open it in Praat and save it again as a text file",
        ) from error
    said, there = _said(Path(path).read_bytes()), [len(grid.getTier(name).entries) for name in grid.tierNames]
    if said != there:
        raise InputError(
            f"the file says that its tiers have {said} entries, there are {there}",
            path=path,
            fix="it may be cut off: copy it again, or open it in Praat and save it again",
        )
    return grid


def _said(data):
    """How many entries each tier should have; praatio takes a file that is cut off for a shorter one."""
    text = data.decode("utf-16" if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig")
    n_tiers = re.search(r"<exists>\s+(?:size = )?(\d{1,9})\b", text)
    counts = [int(match[1] or match[2]) for match in _COUNT.finditer(text)]
    return counts if n_tiers and len(counts) == int(n_tiers[1]) else [*counts, "?"]
