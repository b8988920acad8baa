"""What a job does first: send its messages and its uncaught exception to its log, watch who started it."""

import logging
import os
import select
import sys
import threading
import traceback
from pathlib import Path

from phonoscope.errors import InputError

# The Snakefile puts there which process starts jobs.
STARTED_BY = "PHONOSCOPE_STARTED_BY"


def log_to(path):
    """Send log records, warnings and the traceback of an uncaught exception to ``path``.

    The terminal gets one line, the message: of an :class:`InputError` it names the file and the
    fix, of any other exception also its type. A job whose Snakemake was killed ends too: the next
    run would delete what it writes, and make it once more beside it.

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
    if starter := os.environ.get(STARTED_BY):
        _end_with(int(starter))


def _end_with(process):
    """End this process as soon as ``process`` has ended, if that is one that it comes from."""
    # In a container, the number may be another process's.
    if not hasattr(os, "pidfd_open") or process not in _ancestors():
        return
    try:
        ended = os.pidfd_open(process)
    except OSError:
        return

    def watch():
        poll = select.poll()
        poll.register(ended, select.POLLIN)
        poll.poll()
        logging.error("Snakemake has ended, and with it this job.")
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _ancestors():
    """Numbers of the processes that this one comes from, as far as they are told."""
    found, process = set(), os.getppid()
    while process > 1 and process not in found:
        found.add(process)
        try:
            # The name in brackets may hold anything.
            process = int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            break
    return found
