"""From what was made anew to what is shipped under resources/."""

import hashlib
import shutil
from pathlib import Path


def ship(built, folder):
    """Copy a folder that was built over the shipped one, leaving files of equal content alone.

    Returns
    -------
    list of str
        "sha256  path" of every file that was built.
    """
    lines = []
    for source in sorted(path for path in Path(built).rglob("*") if path.is_file()):
        target = Path(folder) / source.relative_to(built)
        content = source.read_bytes()
        if not target.is_file() or target.read_bytes() != content:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        lines.append(f"{hashlib.sha256(content).hexdigest()}  {source.relative_to(built).as_posix()}")
    return lines
