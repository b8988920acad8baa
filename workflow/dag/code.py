"""Which files a script's result depends on: the script, and the phonoscope modules it imports.

Imports are read, not run: also those inside functions, and those of imported modules in turn.
"""

import ast
import os
from functools import cache
from pathlib import Path

# Modules that shape messages and never a number; a better wording must not cost a day of encoding.
WORDING = {"phonoscope/errors.py", "phonoscope/joblog.py"}


def sources(script, root):
    """The script and every phonoscope module that it imports, directly or through others.

    Parameters
    ----------
    script : str
        Path relative to ``root``.
    root : path-like
        Folder that holds ``phonoscope/``.

    Returns
    -------
    list of str
        Sorted paths; relative to the working directory where ``root`` is inside it, so that a
        project that is moved or cloned keeps its results.
    """
    root = Path(root).resolve()
    found, todo = set(), [root / script]
    while todo:
        path = todo.pop()
        if path not in found:
            found.add(path)
            todo.extend(_imported(path, root))
    kept = (path for path in found if path.relative_to(root).as_posix() not in WORDING)
    return sorted(map(_from_here, kept))


def _from_here(path):
    here = Path.cwd()
    return os.fspath(path.relative_to(here) if path.is_relative_to(here) else path)


@cache
def _imported(path, root):
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node, path, root)
            names.add(base)
            names.update(f"{base}.{alias.name}" for alias in node.names)
    return [
        file for name in sorted(names) if name.split(".")[0] == "phonoscope" for file in _files(name, root)
    ]


def _absolute(node, path, root):
    """The module that ``from ... import`` names, with leading dots resolved."""
    if not node.level:
        return node.module or ""
    package = path.relative_to(root).with_suffix("").parts[: -node.level]
    return ".".join((*package, node.module) if node.module else package)


def _files(name, root):
    """The module's file, if ``name`` is one, and the packages that importing it runs through."""
    parts = name.split(".")
    packages = [root.joinpath(*parts[:depth], "__init__.py") for depth in range(1, len(parts) + 1)]
    return [file for file in (*packages, root.joinpath(*parts).with_suffix(".py")) if file.is_file()]
