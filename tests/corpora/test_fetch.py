"""Fetching a corpus, with the hub stood in for."""

import zipfile

import huggingface_hub
import pytest
from huggingface_hub.errors import HTTPError

from phonoscope.corpora.fetch import fetch
from phonoscope.errors import InputError

CORPUS = {"name": "spire", "hub": {"id": "Lab/Corpus", "revision": "main", "files": ["*.zip"]}}


@pytest.fixture
def hub(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    class Info:
        sha = "0123abc"

    def snapshot_download(repo_id, *, repo_type, revision, local_dir, allow_patterns):
        assert (repo_id, repo_type, revision, allow_patterns) == (
            "Lab/Corpus",
            "dataset",
            "0123abc",
            ["*.zip"],
        )
        local_dir.mkdir(parents=True)
        with zipfile.ZipFile(local_dir / "audios.zip", "w") as archive:
            archive.writestr("audios/spk1/a.wav", "x")
            archive.writestr("../../outside.txt", "x")

    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", lambda self, name, revision: Info())
    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    return tmp_path


def test_unpacked_and_put_down_to_a_commit(hub):
    source = fetch(CORPUS)
    assert source["commit"] == "0123abc" and source["revision"] == "main"
    assert source["folder"] == "results/spire/source" and list(source["files"]) == ["audios.zip"]
    assert (hub / "results/spire/source/audios/spk1/a.wav").is_file()
    assert not list(hub.glob("outside.txt")) and not list(hub.glob("results/outside.txt"))


@pytest.mark.parametrize("error", [ConnectionError, HTTPError, ValueError])
def test_hub_that_cannot_be_reached(hub, monkeypatch, error):
    def fail(self, name, revision):
        raise error("no route to host")

    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", fail)
    with pytest.raises(
        InputError, match=r"corpora\.spire\.hub: the data set Lab/Corpus at revision main.*Fix: .*`path`"
    ):
        fetch(CORPUS)


def test_damaged_archive(hub, monkeypatch):
    def snapshot_download(repo_id, *, local_dir, **_):
        local_dir.mkdir(parents=True)
        (local_dir / "audios.zip").write_bytes(b"PK")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    with pytest.raises(InputError, match=r"audios\.zip: the archive cannot be unpacked.*Fix: delete it"):
        fetch(CORPUS)
