"""Models, corpora and aligners from a server, as rules fetch them: what is kept, shared, logged, said."""

import io
import json
import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.downloads.conftest import ROOT, sha256

MODEL = ROOT / "resources" / "models" / "hubert-fi"
COMMIT = "c" * 40
SCRIPT = """
import json
from pathlib import Path
from phonoscope.joblog import log_to
from phonoscope.{room}.fetch import fetch
log_to("log.txt")
print(json.dumps(fetch(json.loads(Path("block.json").read_text()), hurried)))
"""


@pytest.fixture
def fetch(elsewhere, tmp_path):
    def fetch(room, block, **environment):
        (tmp_path / "block.json").write_text(json.dumps(block))
        done = elsewhere(SCRIPT.format(room=room), **environment)
        done.log = (tmp_path / "log.txt").read_text() if (tmp_path / "log.txt").is_file() else ""
        return done

    return fetch


def archive(kind=".zip"):
    buffer = io.BytesIO()
    if kind == ".zip":
        with zipfile.ZipFile(buffer, "w") as file:
            file.writestr("wav/s1.wav", b"sound")
    else:
        with tarfile.open(fileobj=buffer, mode="w:gz") as file:
            member = tarfile.TarInfo("s1.wav")
            member.size = 5
            file.addfile(member, io.BytesIO(b"sound"))
    return buffer.getvalue()


def test_a_model_whatever_goes_wrong(server, other, fetch):
    """Gated, its files on another host, some faults; and no secret in log, error or manifest."""
    names = ("config.json", "preprocessor_config.json", "model.safetensors")
    files = {name: (MODEL / name).read_bytes() for name in names}
    server.repo("owner/hubert", files, commit=COMMIT)
    server.token, server.cdn = "hf_abcdefghijklmnop", other
    server.fault("GET /api/.*revision", "status", 503)
    server.fault("GET .*resolve/.*/preprocessor", "wrong")
    other.fault("GET /cdn", "status", 429, Retry_After="1")
    other.fault("GET /cdn", "cut", 100_000)
    block = {"name": "m", "encoder": "transformers", "hub": "owner/hubert", "revision": "main", "depth": 4}
    denied = fetch("encoders", block)
    assert denied.returncode == 1 and "hf auth login" in denied.err and not other.seen
    done = fetch("encoders", block, HF_TOKEN=server.token)
    assert not done.returncode, done.err
    manifest = json.loads(done.out)
    assert (manifest["commit"], manifest["depth"]) == (COMMIT, 4)
    assert manifest["files"] == {name: sha256(content) for name, content in files.items()}
    again = fetch("encoders", block, HF_HUB_OFFLINE="1")
    assert json.loads(again.out) == manifest
    for text in (done.out, done.err, done.log, denied.err, denied.log, json.dumps(other.seen)):
        assert "hf_abc" not in text
    assert "SIGNED" in json.dumps(other.seen) and "SIGNED" not in done.log + done.err
    assert "/cdn/" in done.log and "attempt 1 failed" in done.log


def test_an_error_is_one_line_and_its_log_has_no_more(server, other, fetch):
    server.repo("owner/hubert", {"config.json": b"{}", "model.safetensors": bytes(5000)})
    server.cdn = other
    other.fault("/cdn", "status", 403, times=99)
    done = fetch("encoders", {"hub": "owner/hubert", "revision": "main", "depth": 4}, HF_TOKEN="my-own-token")
    (line,) = done.err.strip().splitlines()
    assert "model.safetensors of the model owner/hubert at revision main cannot be fetched" in line
    assert "403" in line and "instead of hub:" in line
    assert "SIGNED" not in done.log + done.err and "my-own-token" not in done.log + done.err
    assert "Traceback" in done.log


@pytest.mark.parametrize("kind", [".zip", ".tar.gz"])
def test_a_data_set_of_the_hub_is_shared_by_checkouts(server, fetch, tmp_path, kind):
    name = f"data/wav{kind}"
    files = {"data/test.tsv": b"1\t2", name: archive(kind)}
    server.repo("lab/corpus", {**files, "data/other.tsv": b"3"}, "dataset", COMMIT)
    block = {
        "name": "new",
        "hub": {"id": "lab/corpus", "revision": "main", "files": ["data/test*", "data/wav*"]},
    }
    source = json.loads(fetch("corpora", block).out)
    assert source["commit"] == COMMIT and source["folder"] == "results/new/source"
    assert source["files"] == {name: sha256(content) for name, content in sorted(files.items())}
    place = "wav/s1.wav" if kind == ".zip" else "data/s1.wav"
    unpacked = tmp_path / "results/new/source"
    assert (unpacked / place).read_bytes() == b"sound" and (
        unpacked / "data/test.tsv"
    ).read_bytes() == b"1\t2"
    asked = server.count("resolve")
    shutil.rmtree(tmp_path / "results")
    assert json.loads(fetch("corpora", block).out) == source and server.count("resolve") == asked
    shutil.rmtree(tmp_path / "results")
    assert json.loads(fetch("corpora", block, HF_HUB_OFFLINE="1").out) == source
    assert (unpacked / place).read_bytes() == b"sound"


def test_an_archive_on_a_server_is_shared_by_checkouts(server, fetch, tmp_path):
    server.files["/corpora/mine.zip"] = data = archive()
    digest = sha256(data)
    block = {
        "name": "new",
        "archive": {"url": f"{server.url}/corpora/mine.zip?version=2", "sha256": digest.upper()},
    }
    missing = fetch("corpora", block, HF_HUB_OFFLINE="1")
    place = tmp_path / "xdg/phonoscope/archives" / digest / "mine.zip"
    assert missing.returncode == 1 and f"{place}: corpora.new.archive: the archive is not here" in missing.err
    assert not server.seen
    server.fault("mine", "cut", 50)
    source = json.loads(fetch("corpora", block).out)
    assert source["files"] == {"mine.zip": digest} and source["url"].endswith("/corpora/mine.zip?[…]")
    assert (tmp_path / "results/new/source/wav/s1.wav").read_bytes() == b"sound" and place.is_file()
    asked = len(server.seen)
    for environment in ({}, {"HF_HUB_OFFLINE": "1"}):
        assert json.loads(fetch("corpora", block, **environment).out) == source
    assert len(server.seen) == asked
    place.write_bytes(data[:-1] + b"x")
    damaged = fetch("corpora", block, HF_HUB_OFFLINE="1")
    assert "the archive is damaged" in damaged.err and len(server.seen) == asked
    assert json.loads(fetch("corpora", block).out) == source and place.read_bytes() == data


def test_an_archive_that_is_another_is_refused(server, fetch, tmp_path):
    server.files["/mine.zip"] = archive()
    block = {"name": "new", "archive": {"url": f"{server.url}/mine.zip", "sha256": "0" * 64}}
    done = fetch("corpora", block)
    assert done.returncode == 1 and "wrong bytes: the digest is" in done.err and "corpora.new" in done.err
    assert not (tmp_path / "results/new/source").exists() and not list(tmp_path.rglob("mine.zip"))


def test_the_weights_of_mms_fa(server, elsewhere, tmp_path):
    """torch's own way to them waits for ever."""
    server.files["/model.pt"] = b"no weights"
    server.fault("model.pt", "cut", 5)
    code = f"""
import types, torchaudio.pipelines
torchaudio.pipelines.MMS_FA = types.SimpleNamespace(
    _path={server.url + "/model.pt"!r}, get_model=lambda **_: None)
from phonoscope.alignment.fetch import fetch
print(fetch({{"kind": "mms_fa"}}, hurried))
"""
    done = elsewhere(code, TORCH_HOME=str(tmp_path / "torch"))
    assert not done.returncode, done.err
    path = tmp_path / "torch/hub/checkpoints/mms_fa.pt"
    assert sha256(path.read_bytes()) in done.out and Path(path).read_bytes() == b"no weights"
    assert len(server.seen) == 2
