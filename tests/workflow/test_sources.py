"""Which code a script depends on, by reading imports."""

import hashlib
import shutil

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
    assert [found.split()[0] for found in code.sources("workflow/scripts/a.py", root)] == WANTED


def test_each_comes_with_its_content_and_wherever_it_is_run_from(root, monkeypatch, tmp_path):
    found = code.sources("workflow/scripts/a.py", root)
    digests = [hashlib.sha256((root / path).read_bytes()).hexdigest()[:12] for path in WANTED]
    assert found == [f"{path} {digest}" for path, digest in zip(WANTED, digests, strict=True)]
    monkeypatch.chdir(tmp_path)
    assert code.sources("workflow/scripts/a.py", root) == found


def test_content_decides(root, tmp_path):
    before = code.sources("workflow/scripts/a.py", root)
    shutil.copytree(root, tmp_path / "other")
    (tmp_path / "other/phonoscope/z.py").write_text("name = 2\n", encoding="utf-8")
    changed = set(code.sources("workflow/scripts/a.py", tmp_path / "other")) - set(before)
    assert [found.split()[0] for found in changed] == ["phonoscope/z.py"]
