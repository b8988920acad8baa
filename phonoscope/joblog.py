"""Where a job's messages and its uncaught exception go: its log, and one line to the terminal."""

import logging
import sys
import traceback

from phonoscope.errors import InputError


def log_to(path):
    """Send log records, warnings and the traceback of an uncaught exception to ``path``.

    The terminal gets one line, the message: of an :class:`InputError` it names the file and the
    fix, of any other exception also its type.

    Parameters
    ----------
    path : path-like
        The rule's log, written anew.
    """
    logging.basicConfig(
        filename=path,
        filemode="w",
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
        force=True,
    )
    logging.captureWarnings(True)

    def report(kind, error, trace):
        logging.error("".join(traceback.format_exception(kind, error, trace)))
        text = str(error) if issubclass(kind, InputError) else f"{kind.__name__}: {error}"
        print(f"{' '.join(text.split())} (log: {path})", file=sys.stderr)

    sys.excepthook = report
