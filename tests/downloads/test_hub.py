"""Models and data sets of a hub that misbehaves: what its client does by itself, and what is done for it."""

import json
import os
import signal
import sys
import time
import types

import numpy as np
import pytest

from phonoscope.downloads import hub
from phonoscope.errors import InputError
from tests.downloads.conftest import HURRIED, sha256

WEIGHTS = np.random.default_rng(1).bytes(50_000)
FILES = {
    "config.json": b"{}",
    "model.safetensors": WEIGHTS,
    "pytorch_model.bin": b"pickle",
    "sub/vocab.json": b"[]",
}
WANTED = ["config.json", "model.safetensors", "sub/vocab.json"]
COMMIT, LATER = "a" * 40, "b" * 40


@pytest.fixture
def snapshot(server, tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    # The client itself waits a second and more before it asks again.
    impatient = types.SimpleNamespace(time=time.time, monotonic=time.monotonic, sleep=lambda seconds: None)
    monkeypatch.setattr("huggingface_hub.utils._http.time", impatient)
    server.repo("owner/name", FILES)

    def snapshot(
        revision="main", allow=("*.json", "*.safetensors"), patience=HURRIED, repo="owner/name", **options
    ):
        options = {"fix": "give its folder as path:", "row": "hub"} | options
        where = {"cache": tmp_path / "hub", "endpoint": server.url, "patience": patience}
        return hub.snapshot(repo, revision, allow=list(allow), **where, **options)

    return snapshot


def contents(found):
    return {name: (found.folder / name).read_bytes() for name in found.files}


def check(found, files=FILES, commit=COMMIT):
    assert contents(found) == {name: files[name] for name in WANTED}
    assert found.files == {name: sha256(files[name]) for name in WANTED}
    assert found.commit == found.folder.name == commit


@pytest.mark.parametrize("kind", ["model", "dataset"])
def test_files_are_those_of_the_commit(server, snapshot, kind):
    server.repo("owner/name", FILES, "dataset")
    found = snapshot(kind=kind)
    check(found)
    assert not (found.folder / "pytorch_model.bin").exists() and not server.count("pytorch_model")
    assert server.count("/resolve/.*safetensors") == 1


def test_the_hubs_own_client_finds_them(server, snapshot, tmp_path):
    """The cache is as the client would have left it."""
    import huggingface_hub

    folder = snapshot().folder
    assert (folder / "model.safetensors").is_symlink()
    where = {"cache_dir": tmp_path / "hub", "local_files_only": True}
    assert huggingface_hub.snapshot_download("owner/name", allow_patterns=["*.json"], **where) == str(folder)
    (repo,) = huggingface_hub.scan_cache_dir(tmp_path / "hub").repos
    (revision,) = repo.revisions
    assert (repo.repo_id, revision.commit_hash, revision.refs) == ("owner/name", COMMIT, {"main"})
    assert {file.file_name for file in revision.files} == {"config.json", "model.safetensors", "vocab.json"}


def test_a_pinned_commit_is_looked_up_once(server, snapshot):
    check(snapshot(COMMIT))
    asked = len(server.seen)
    check(snapshot(COMMIT))
    assert len(server.seen) == asked
    check(snapshot())
    assert server.count("resolve/.*") == len(WANTED)


def test_a_branch_that_moved_costs_what_changed(server, snapshot):
    snapshot()
    files = FILES | {"config.json": b'{"new": 1}'}
    server.repo("owner/name", files, commit=LATER)
    server.seen.clear()
    check(snapshot(), files, LATER)
    assert server.count("resolve/.*config") == 1 and server.count("resolve/.*safetensors") == 0


def test_more_files_of_a_commit(server, snapshot):
    assert list(snapshot(COMMIT, allow=["*.json"]).files) == ["config.json", "sub/vocab.json"]
    check(snapshot(COMMIT))


@pytest.mark.parametrize(
    "where", ["GET /api/.*revision", "GET /api/.*tree", "HEAD .*resolve", "GET .*resolve", "GET /cdn"]
)
@pytest.mark.parametrize(
    ("kind", "value", "headers"),
    [("status", 503, {}), ("status", 429, {"Retry_After": "0"}), ("silence", 1, {})],
)
def test_every_question_is_asked_again(server, snapshot, where, kind, value, headers):
    server.fault(where, kind, value, **headers)
    check(snapshot())


@pytest.mark.parametrize("fault", [("cut", 20_000), ("wrong", None), ("length", 100)])
def test_content_is_right_in_the_end(server, snapshot, fault):
    server.fault("GET /cdn", *fault)
    server.fault("GET .*config.json", "wrong")
    check(snapshot())
    assert server.count("/cdn") == 2 and server.count("resolve.*config.json") == 2


def test_wrong_content_is_never_kept(server, snapshot, tmp_path):
    server.fault("GET /cdn", "wrong", times=99)
    with pytest.raises(
        InputError, match=r"model.safetensors of the model owner/name.*wrong bytes.*Fix: give its folder"
    ):
        snapshot()
    assert not list(tmp_path.rglob("model.safetensors")) and not list(tmp_path.rglob(sha256(WEIGHTS)))


def test_a_trickling_answer_ends_with_a_message(server, snapshot):
    """Of the hub's own client, which has no end of waiting."""
    server.fault("GET /api/.*tree", "trickle", 0.05, times=99)
    began = time.monotonic()
    with pytest.raises(
        InputError, match="hub: the model owner/name at revision main cannot be fetched .*stalled"
    ):
        snapshot()
    assert time.monotonic() - began < 10


def test_damage_in_the_cache_is_mended(server, snapshot, caplog):
    path = snapshot(COMMIT).folder / "model.safetensors"
    content = bytearray(WEIGHTS)
    content[1000] ^= 1
    path.write_bytes(content)
    check(snapshot(COMMIT))
    assert "is damaged and will be fetched again" in caplog.text
    assert server.count("resolve/.*safetensors") == 2


def test_a_token_goes_to_the_hub_and_nowhere_else(server, other, snapshot, monkeypatch, caplog):
    caplog.set_level("INFO")
    server.token, server.cdn = "hf_abcdefghijklmnop", other
    with pytest.raises(
        InputError, match="cannot be fetched.*Fix: log in with `hf auth login` or set HF_TOKEN"
    ):
        snapshot()
    monkeypatch.setenv("HF_TOKEN", server.token)
    check(snapshot())
    assert other.seen and not any("hf_abc" in json.dumps(headers) for _, _, headers in other.seen)
    assert not any("authorization" in map(str.lower, headers) for _, _, headers in other.seen)
    assert "SIGNED" in json.dumps(other.seen) and "SIGNED" not in caplog.text and "hf_abc" not in caplog.text


def test_a_stale_token_is_not_said(server, snapshot, monkeypatch, caplog):
    caplog.set_level("INFO")
    server.token = "hf_abcdefghijklmnop"
    monkeypatch.setenv("HF_TOKEN", "my-old-token")
    with pytest.raises(InputError) as error:
        snapshot()
    assert "my-old-token" not in str(error.value) + caplog.text and error.value.__suppress_context__


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"repo": "owner/none"}, "owner/none at revision main cannot be fetched"),
        ({"revision": "v9"}, "owner/name at revision v9 cannot be fetched"),
        ({"repo": "not an id!"}, "not an id! at revision main cannot be fetched"),
        ({"allow": ["*.onnx"]}, r"none of the files that are asked for \(\*.onnx\)"),
    ],
)
def test_what_is_not_there(server, snapshot, options, says):
    with pytest.raises(InputError, match=says):
        snapshot(**options)
    assert len(server.seen) < 5


@pytest.fixture
def forbidden(monkeypatch):
    """No network: neither allowed nor there."""
    import socket

    def forbid():
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
        monkeypatch.setattr(socket, "socket", None)
        monkeypatch.setattr(socket, "create_connection", None)

    return forbid


@pytest.mark.parametrize("revision", ["main", COMMIT])
def test_offline_what_is_here_is_enough(server, snapshot, forbidden, revision):
    snapshot()
    asked = len(server.seen)
    forbidden()
    check(snapshot(revision))
    assert len(server.seen) == asked


def test_offline_names_what_is_missing_and_where(server, snapshot, forbidden, tmp_path):
    snapshot(allow=["*.json"])
    asked = len(server.seen)
    forbidden()
    place = tmp_path / "hub" / "models--owner--name"
    with pytest.raises(InputError) as error:
        snapshot()
    assert "not here: model.safetensors missing" in str(error.value) and str(place) in str(error.value)
    for wanted in ({"repo": "owner/other"}, {"revision": "v1"}, {"revision": LATER}):
        with pytest.raises(InputError, match="is not here, and the network is forbidden .offline: true"):
            snapshot(**wanted)
    assert len(server.seen) == asked


def test_offline_damage_is_said(snapshot, forbidden):
    (snapshot().folder / "model.safetensors").write_bytes(b"x" * 50_000)
    forbidden()
    with pytest.raises(InputError, match="model.safetensors: hub: the file is damaged"):
        snapshot()


FETCH = "from phonoscope.downloads.hub import snapshot\n"
FETCH += "print(snapshot('owner/name', allow=['*.json', '*.safetensors'], fix='', patience=hurried).folder)"


def test_two_processes_at_once_fetch_once(server, elsewhere):
    server.repo("owner/name", FILES)
    server.fault("/cdn", "slow", 0.2)
    both = [elsewhere(FETCH, wait=False) for _ in range(2)]
    said = [each.communicate(timeout=60) for each in both]
    assert [each.returncode for each in both] == [0, 0], said
    assert said[0][0] == said[1][0] and server.count("/cdn") == 1


def test_a_process_that_died_left_a_part(server, elsewhere, tmp_path):
    """What its lock was is free again, and what it had fetched is not fetched again."""
    large = WEIGHTS * 20
    server.repo("owner/name", FILES | {"model.safetensors": large})
    server.fault("/cdn", "slow", 0.02)
    started, until = elsewhere(FETCH, wait=False), time.monotonic() + 30
    while not (parts := list(tmp_path.rglob(f"{sha256(large)}.part"))) and time.monotonic() < until:
        time.sleep(0.05)
    while not parts[0].stat().st_size:
        time.sleep(0.05)
    started.send_signal(signal.SIGKILL)
    started.communicate()
    have = parts[0].stat().st_size
    done = elsewhere(FETCH)
    assert not done.returncode, done.err
    assert (tmp_path / done.out.strip() / "model.safetensors").read_bytes() == large
    (again,) = [headers["Range"] for _, path, headers in server.seen if "/cdn" in path and "Range" in headers]
    assert again == f"bytes={have}-" and have > 0 and not list(tmp_path.rglob("*.part"))


def test_offline_by_the_environment_asks_nobody(server, elsewhere):
    server.repo("owner/name", FILES)
    done = elsewhere(FETCH, HF_HUB_OFFLINE="1")
    assert done.returncode and not server.seen
    assert "the network is forbidden" in done.err and "models--owner--name" in done.err


def test_the_hubs_own_client_does_not_check_content(server, tmp_path):
    """Why files are fetched for it: were this to change, much here could go."""
    import huggingface_hub

    server.repo("owner/name", FILES)
    server.fault("GET /cdn", "wrong")
    folder = huggingface_hub.snapshot_download("owner/name", cache_dir=tmp_path, endpoint=server.url)
    with open(os.path.join(folder, "model.safetensors"), "rb") as file:
        assert sha256(file.read()) != sha256(WEIGHTS)
    assert sys.modules["huggingface_hub"] is huggingface_hub
