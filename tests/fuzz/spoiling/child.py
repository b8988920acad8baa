"""A process of its own in which spoiled files are read: it may hang, crash or run out of memory alone.

Reads one JSON object per line, ``{"format", "folder"}``, and answers each with one: ``outcome`` (read,
refused or raised), ``text``, and ``peak``, the bytes that were allocated meanwhile.
"""

import json
import os
import resource
import sys
import traceback
import tracemalloc
import warnings
from pathlib import Path

# Beyond what the process holds at its start: enough to read a small file, too little to harm the machine.
ROOM = 2 * 2**30


def main():
    tests = Path(__file__).resolve().parents[1]
    sys.path[:0] = [str(tests), str(tests.parents[1])]
    warnings.simplefilter("ignore")
    from spoiling.readings import READINGS

    answers = os.fdopen(os.dup(1), "w")
    # Whatever a library prints goes to stderr.
    os.dup2(2, 1)
    limited = False
    for line in sys.stdin:
        request = json.loads(line)
        reading, folder = READINGS[request["format"]], Path(request["folder"])
        if request.get("warm_up"):
            reading(folder)
            limited = limited or _limit()
        print(json.dumps(_answer(reading, folder, request["format"] != "config")), file=answers, flush=True)


def _limit():
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held + ROOM, held + ROOM))
    return True


def _answer(reading, folder, trace):
    from phonoscope.errors import InputError

    before = _resident("VmRSS")
    # Sets the highest resident size back to the present one.
    Path("/proc/self/clear_refs").write_text("5")
    if trace:
        tracemalloc.start()
    try:
        reading(folder)
        answer = {"outcome": "read", "text": ""}
    except InputError as error:
        answer = {
            "outcome": "refused",
            "text": str(error),
            "named": error.path is not None and bool(error.fix),
        }
    except BaseException as error:  # whatever it is, it is what the test is about
        answer = {"outcome": "raised", "text": "".join(traceback.format_exception(error, limit=-6))}
    # NumPy tells tracemalloc of what it asks for, touched or not; others show in the resident size.
    traced = tracemalloc.get_traced_memory()[1] if trace else 0
    tracemalloc.stop()
    return answer | {"peak": max(traced, _resident("VmHWM") - before)}


def _resident(key):
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1]) * 1024
    return 0


if __name__ == "__main__":
    main()
