"""Fetching a corpus, with the hub stood in for; see tests/downloads for one that answers."""

import io
import tarfile
import zipfile

import pytest

from phonoscope.corpora import fetch as module
from phonoscope.corpora.fetch import fetch
from phonoscope.downloads.hub import Snapshot
from phonoscope.downloads.transfer import digest_of
from phonoscope.errors import InputError

CORPUS = {"name": "spire", "hub": {"id": "Lab/Corpus", "revision": "main", "files": ["*.zip"]}}


@pytest.fixture
def hub(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    came = tmp_path / "cache" / "0123abc"
    came.mkdir(parents=True)
    with zipfile.ZipFile(came / "audios.zip", "w") as archive:
        archive.writestr("audios/spk1/a.wav", "x")

    def snapshot(repo, revision, kind, allow, *, fix, row, patience):
        assert (repo, revision, kind, allow) == ("Lab/Corpus", "main", "dataset", ["*.zip"])
        assert "`path`" in fix and row == "corpora.spire.hub"
        names = sorted(path.relative_to(came).as_posix() for path in came.rglob("*") if path.is_file())
        return Snapshot(came, "0123abc", {name: digest_of(came / name) for name in names})

    monkeypatch.setattr(module, "snapshot", snapshot)
    return came


def test_unpacked_and_put_down_to_a_commit(hub, tmp_path):
    source = fetch(CORPUS)
    assert source["commit"] == "0123abc" and source["revision"] == "main"
    assert source["folder"] == "results/spire/source" and list(source["files"]) == ["audios.zip"]
    assert (tmp_path / "results/spire/source/audios/spk1/a.wav").is_file()
    assert [path.name for path in (tmp_path / "results/spire").iterdir()] == ["source"]
    assert fetch(CORPUS) == source


def test_archives_lie_where_the_data_set_has_them_and_other_files_are_linked(hub, tmp_path):
    (hub / "data").mkdir()
    (hub / "data" / "test.tsv").write_text("1")
    with tarfile.open(hub / "data" / "test.tar.gz", "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("test/a.wav"), io.BytesIO())
    fetch(CORPUS)
    source = tmp_path / "results/spire/source"
    found = {path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()}
    assert found == {"audios/spk1/a.wav", "data/test.tsv", "data/test/a.wav"}
    assert (source / "data/test.tsv").samefile(hub / "data/test.tsv")


def test_another_disk_has_links_to_the_cache(hub, tmp_path, monkeypatch):
    (hub / "test.tsv").write_text("1")

    def link(*_):
        raise OSError("another disk")

    monkeypatch.setattr(module.os, "link", link)
    fetch(CORPUS)
    assert (tmp_path / "results/spire/source/test.tsv").readlink() == hub / "test.tsv"


def test_what_an_earlier_fetch_left_is_gone(hub, tmp_path):
    (hub / "old.tsv").write_text("1")
    fetch(CORPUS)
    (hub / "old.tsv").unlink()
    fetch(CORPUS)
    assert not (tmp_path / "results/spire/source/old.tsv").exists()


def test_damaged_archive_leaves_the_earlier_corpus(hub, tmp_path):
    fetch(CORPUS)
    (hub / "audios.zip").write_bytes(b"PK")
    with pytest.raises(InputError, match=r"audios\.zip: the archive cannot be unpacked.*Fix: delete it"):
        fetch(CORPUS)
    assert (tmp_path / "results/spire/source/audios/spk1/a.wav").is_file()
    assert [path.name for path in (tmp_path / "results/spire").iterdir()] == ["source"]
