"""Which code a script depends on, by reading imports."""

import os

import pytest

from workflow.dag import code


@pytest.fixture
def root(tmp_path, monkeypatch):
    files = {
        "workflow/scripts/a.py": "from phonoscope.joblog import log_to\nfrom phonoscope.x.one import f\n",
        "phonoscope/__init__.py": "",
        "phonoscope/joblog.py": "import phonoscope.errors\n",
        "phonoscope/errors.py": "",
        "phonoscope/x/__init__.py": "",
        "phonoscope/x/one.py": "def f():\n    from phonoscope.y import two\n    import phonoscope.z as z\n",
        "phonoscope/y/__init__.py": "from . import three\n",
        "phonoscope/y/two.py": "import numpy\n",
        "phonoscope/y/three.py": "from ..z import name\nfrom .two import other\n",
        "phonoscope/z.py": "name = 1\n",
        "phonoscope/unused.py": "",
    }
    for name, text in files.items():
        path = tmp_path / "home" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path / "home")
    return tmp_path / "home"


WANTED = [
    "phonoscope/__init__.py",
    "phonoscope/x/__init__.py",
    "phonoscope/x/one.py",
    "phonoscope/y/__init__.py",
    "phonoscope/y/three.py",
    "phonoscope/y/two.py",
    "phonoscope/z.py",
    "workflow/scripts/a.py",
]


def test_lazy_relative_and_package_imports_are_followed(root):
    assert code.sources("workflow/scripts/a.py", root) == WANTED


def test_run_from_elsewhere_gives_absolute_paths(root, tmp_path):
    os.chdir(tmp_path)
    assert code.sources("workflow/scripts/a.py", root) == [f"home/{path}" for path in WANTED]
    (tmp_path / "other").mkdir()
    os.chdir(tmp_path / "other")
    assert code.sources("workflow/scripts/a.py", root) == [str(root / path) for path in WANTED]
