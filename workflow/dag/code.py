"""Which files a script's result depends on: the script, and the phonoscope modules it imports.

Imports are read, not run: also those inside functions, and those of imported modules in turn. The rules
take what is found as parameters, each a module with a digest of its content: Snakemake compares those as
it does any parameter and names the module that changed. As input files they were nine tenths of all
inputs, and most of the time of a dry run.
"""

import ast
import hashlib
from functools import cache
from pathlib import Path

# Modules that shape messages and never a number; a better wording must not cost a day of encoding.
WORDING = {"phonoscope/errors.py", "phonoscope/joblog.py"}


def sources(script, root):
    """The script and every phonoscope module that it imports, directly or through others, by content.

    Parameters
    ----------
    script : str
        Path relative to ``root``.
    root : path-like
        Folder that holds ``phonoscope/``.

    Returns
    -------
    list of str
        Per file, sorted, its path relative to ``root`` and the first digits of its SHA-256.
    """
    root = Path(root).resolve()
    found, todo = set(), [root / script]
    while todo:
        path = todo.pop()
        if path not in found:
            found.add(path)
            todo.extend(_imported(path, root))
    names = {path.relative_to(root).as_posix(): path for path in found}
    return [f"{name} {_digest(names[name])}" for name in sorted(names.keys() - WORDING)]


@cache
def _digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


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
