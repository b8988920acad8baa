"""Segments of a Praat TextGrid, long or short, UTF-8 or UTF-16 (praatio)."""

from phonoscope.errors import InputError


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
    return found


def _opened(path):
    from praatio import textgrid
    from praatio.utilities.errors import PraatioException

    try:
        return textgrid.openTextgrid(str(path), includeEmptyIntervals=False, reportingMode="silence")
    # A damaged file lets praatio fail in ways of its own and of Python's.
    except (PraatioException, OSError, ValueError, IndexError, KeyError, AttributeError, TypeError) as error:
        raise InputError(
            f"not a readable TextGrid ({type(error).__name__}: {' '.join(str(error).split())[:200]})",
            path=path,
            fix="open it in Praat and save it again as a text file",
        ) from error
