"""The parent's side of ``child.py``: one process for many files, watched and replaced when it dies."""

import json
import select
import subprocess
import sys
from pathlib import Path

CHILD = Path(__file__).with_name("child.py")
SECONDS = 30.0


class Nursery:
    """Reads files in a child process.

    Parameters
    ----------
    log : path-like
        Where the child's standard error goes.
    """

    def __init__(self, log):
        self.log, self.process = log, None

    def read(self, name, folder):
        """The child's answer about a folder with a file of the format ``name``.

        Returns
        -------
        dict
            ``outcome``: read, refused, raised, hung or crashed; ``text``; ``peak`` in bytes.
        """
        self._ask(name, folder)
        ready, _, _ = select.select([self.process.stdout], [], [], SECONDS)
        line = self.process.stdout.readline() if ready else None
        if line:
            return json.loads(line)
        self.close()
        how = "crashed" if ready else "hung"
        return {"outcome": how, "text": f"exit status {self.process.returncode}", "peak": 0}

    def warm_up(self, name, folder):
        """Read a valid file twice, so that imports are not counted as memory; asserts that it is read."""
        self._ask(name, folder, warm_up=True)
        line = self.process.stdout.readline()
        assert line and json.loads(line)["outcome"] == "read", f"{name}: {line}\n{Path(self.log).read_text()}"

    def _ask(self, name, folder, **more):
        if self.process is None or self.process.poll() is not None:
            self._start()
        self.process.stdin.write(json.dumps({"format": name, "folder": str(folder), **more}) + "\n")
        self.process.stdin.flush()

    def _start(self):
        with open(self.log, "a", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [sys.executable, CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
            )

    def close(self):
        """End the child."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process.stdin.close()
            self.process.stdout.close()
