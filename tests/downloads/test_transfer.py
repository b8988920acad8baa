"""One file from a server that misbehaves: what is retried, gone on with, checked, and said."""

import os
import signal
import subprocess
import sys
import threading
import time

import httpx2
import numpy as np
import pytest

from phonoscope.downloads import attempts
from phonoscope.downloads.transfer import digest_of, download
from phonoscope.errors import InputError
from tests.downloads.conftest import HURRIED, ROOT, git_sha1, sha256

DATA = np.random.default_rng(0).bytes(300_000)
DIGEST = sha256(DATA)


@pytest.fixture
def fetch(server, tmp_path):
    server.files["/corpus.zip"] = DATA

    def fetch(path="/corpus.zip", digest=DIGEST, size=None, patience=HURRIED, base=server.url, **options):
        target = tmp_path / "cache" / "corpus.zip"
        options = {"what": "the archive", "fix": "set `path`", "patience": patience} | options
        return download(base + path, target, digest=digest, size=size, **options).read_bytes()

    return fetch


def ranges(server):
    return [headers.get("Range") for _, _, headers in server.seen]


def left(tmp_path):
    return sorted(path.name for path in (tmp_path / "cache").glob("[!.]*"))


def test_fetched_once(server, fetch, tmp_path):
    assert fetch() == fetch() == DATA
    assert len(server.seen) == 1 and left(tmp_path) == ["corpus.zip"]


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_faults_of_a_server_pass(server, fetch, status):
    server.fault("corpus", "status", status, times=2)
    assert fetch() == DATA and len(server.seen) == 3


@pytest.mark.parametrize("status", [400, 403, 404, 410])
def test_refusals_do_not(server, fetch, status):
    server.fault("corpus", "status", status, times=9)
    with pytest.raises(InputError, match=f"the archive cannot be fetched .*{status}.*`path`"):
        fetch()
    assert len(server.seen) == 1


def test_a_server_that_stays_down_is_given_up(server, fetch):
    server.fault("corpus", "status", 503, times=99)
    with pytest.raises(InputError, match="503"):
        fetch()
    assert len(server.seen) == HURRIED.attempts


def test_back_off_doubles_up_to_a_limit(monkeypatch):
    slept = []
    monkeypatch.setattr(attempts.time, "sleep", slept.append)
    patience = attempts.Patience(attempts=6, first_wait_s=1, longest_wait_s=6)

    def fails():
        raise attempts.Fault("cut")

    with pytest.raises(attempts.Fault):
        attempts.retried(fails, patience)
    assert slept == [1, 2, 4, 6, 6]


def answer(status, **headers):
    response = httpx2.Response(status, headers=headers, request=httpx2.Request("GET", "http://x/"))
    return httpx2.HTTPStatusError("no", request=response.request, response=response)


def test_retry_after_is_obeyed(server, fetch):
    server.fault("corpus", "status", 429, Retry_After="1")
    began = time.monotonic()
    assert fetch() == DATA and 1 <= time.monotonic() - began < 4


def test_retry_after_may_be_a_date_and_may_be_nonsense():
    date = attempts.email.utils.formatdate(time.time() + 90, usegmt=True)
    assert attempts.asked(answer(503, retry_after="x")) is None
    assert 85 < attempts.asked(answer(503, **{"Retry-After": date})) <= 90
    past = attempts.email.utils.formatdate(time.time() - 90, usegmt=True)
    assert attempts.asked(answer(503, **{"Retry-After": past})) == 0
    for value in ("", "soon", "-5", "1e9"):
        assert attempts.asked(answer(503, **{"Retry-After": value})) is None


def test_retry_after_longer_than_anyone_waits(server, fetch):
    server.fault("corpus", "status", 429, Retry_After="86400")
    with pytest.raises(InputError, match="asks to wait for 86400 s.*429"):
        fetch()
    assert len(server.seen) == 1


@pytest.mark.parametrize("size", [None, len(DATA)])
def test_a_cut_transfer_goes_on_where_it_was(server, fetch, size):
    server.fault("corpus", "cut", 100_000)
    server.fault("corpus", "cut", 50_000)
    assert fetch(size=size) == DATA
    starts = [int(each[6:-1]) for each in ranges(server)[1:]]
    assert ranges(server)[0] is None and len(starts) == 2 and starts == sorted(starts)
    assert 0 < starts[0] <= 100_000 < starts[1] <= 150_000


def test_more_cuts_than_attempts_are_no_end_while_there_is_progress(server, fetch, monkeypatch):
    monkeypatch.setattr("phonoscope.downloads.transfer.PROGRESS", 10_000)
    server.fault("corpus", "cut", 30_000, times=8)
    assert fetch() == DATA and len(server.seen) > HURRIED.attempts


def test_cuts_without_progress_are_the_end_and_the_part_stays(server, fetch, tmp_path):
    server.fault("corpus", "cut", 1000, times=99)
    with pytest.raises(InputError, match="cannot be fetched"):
        fetch()
    assert len(server.seen) == HURRIED.attempts and left(tmp_path) == ["corpus.zip.part"]
    server.faults.clear()
    assert fetch() == DATA and ranges(server)[-1] is not None


def test_a_server_that_cannot_go_on_begins_anew(server, fetch):
    server.fault("corpus", "cut", 100_000)
    server.fault("corpus", "no_range")
    assert fetch() == DATA and len(server.seen) == 2


def test_a_server_that_cannot_go_on_and_cuts_is_given_up(server, fetch, monkeypatch):
    monkeypatch.setattr("phonoscope.downloads.transfer.PROGRESS", 10_000)
    server.fault("corpus", "no_range", 50_000, times=99)
    with pytest.raises(InputError, match="cannot be fetched"):
        fetch()
    assert len(server.seen) == HURRIED.attempts


def test_wrong_bytes_are_fetched_again_from_the_start(server, fetch):
    server.fault("corpus", "wrong")
    assert fetch() == DATA and ranges(server) == [None, None]


def test_wrong_bytes_are_never_kept(server, fetch, tmp_path):
    server.fault("corpus", "wrong", times=99)
    with pytest.raises(InputError, match=f"wrong bytes: the digest is .*should be {sha256(DATA)}"):
        fetch()
    assert left(tmp_path) == [] and len(server.seen) == 2


def test_a_part_of_another_file_is_found_out(server, fetch, tmp_path):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "corpus.zip.part").write_bytes(b"x" * 1000)
    assert fetch() == DATA and ranges(server) == ["bytes=1000-", None]


@pytest.mark.parametrize("length", [len(DATA), len(DATA) + 5])
def test_a_part_that_is_too_long_is_found_out(server, fetch, tmp_path, length):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "corpus.zip.part").write_bytes(b"x" * length)
    assert fetch() == DATA


def test_a_whole_part_needs_no_server(fetch, tmp_path):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "corpus.zip.part").write_bytes(DATA)
    assert fetch(size=len(DATA), base="http://127.0.0.1:9") == DATA


def test_without_a_digest_nothing_is_gone_on_with(server, fetch, tmp_path):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "corpus.zip.part").write_bytes(b"x" * 1000)
    assert fetch(digest=None) == DATA and ranges(server) == [None]


@pytest.mark.parametrize("length", [5, 400_000])
def test_wrong_length(server, fetch, length):
    server.fault("corpus", "length", length)
    assert fetch(size=len(DATA)) == DATA and len(server.seen) == 2
    assert digest_of(ROOT / "LICENSE", "0" * 40) == git_sha1((ROOT / "LICENSE").read_bytes())


def test_wrong_length_for_ever(server, fetch):
    server.fault("corpus", "length", 5, times=99)
    with pytest.raises(InputError, match="wrong length: the server sends 5 bytes, and should 300000"):
        fetch(size=len(DATA))


def test_a_trickle_ends_with_a_message(server, fetch):
    server.fault("corpus", "trickle", 0.02, times=99)
    began = time.monotonic()
    with pytest.raises(InputError, match=r"stalled: \d+ bytes in"):
        fetch()
    assert time.monotonic() - began < 10


def test_a_silent_server_ends_with_a_message(server, fetch):
    server.fault("corpus", "silence", 3, times=99)
    began = time.monotonic()
    with pytest.raises(InputError, match="Timeout"):
        fetch()
    assert time.monotonic() - began < 10


def test_the_watch_sees_a_rate_and_not_a_pause():
    now = iter([0, 10, 100, 100, 200, 200, 300, 300])
    patience = attempts.Patience(window_s=60, least_rate=10)
    chunks = attempts.watched([b"x" * 5, b"x" * 995, b"x" * 1000, b"x"], patience, lambda: next(now))
    assert sum(map(len, [next(chunks), next(chunks), next(chunks)])) == 2000
    with pytest.raises(attempts.Fault, match="1 bytes in 100 s"):
        list(chunks)


@pytest.mark.parametrize("password", ["", "user:secret@"])
def test_a_token_goes_to_no_other_host(server, other, fetch, caplog, password, tmp_path):
    """And what the address of the other host gives away is neither logged nor said."""
    caplog.set_level("INFO")
    other.files["/elsewhere.zip"] = DATA
    location = other.url.replace("//", f"//{password}") + "/elsewhere.zip?X-Signature=SIGNED"
    server.fault("corpus", "redirect", location, times=9)
    other.fault("elsewhere", "status", 503)
    other.fault("elsewhere", "cut", 1000)
    assert fetch(headers={"authorization": "Bearer hf_abcdefghijkl"}) == DATA
    assert [headers["authorization"] for _, _, headers in server.seen] == ["Bearer hf_abcdefghijkl"] * 3
    assert len(other.seen) == 3
    assert not any("bearer" in str(headers).lower() for _, _, headers in other.seen)
    other.fault("elsewhere", "status", 403, times=9)
    (path,) = {record.name for record in caplog.records if "HTTP Request" in record.getMessage()}
    assert path == "httpx2" and "elsewhere.zip" in caplog.text
    with pytest.raises(InputError) as error:
        download(server.url + "/corpus.zip", tmp_path / "other.zip", what="it", fix="do", patience=HURRIED)
    for text in (str(error.value), caplog.text):
        assert not {"SIGNED", "secret", "hf_abc"} & set(attempts.re.findall(r"SIGNED|secret|hf_abc", text))
    assert error.value.__cause__ is None and error.value.__suppress_context__


def test_what_is_said_has_no_secrets(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "very-own-token")
    text = "https://me:p@ss@host.org/a/b?key=1&s=2 'http://h/x?y' very-own-token hf_0123456789 Bearer abc, http://h/c"
    assert attempts.scrubbed(text) == (
        "https://host.org/a/b?[…] 'http://h/x?[…]' [token] [token] Bearer [token], http://h/c"
    )


def test_a_full_disk_is_said_before(server, fetch, monkeypatch):
    import shutil

    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**6, 10**6, 10**5))
    with pytest.raises(InputError, match="0.00 GB are to come, and the disk has room for 0.00.*HF_HOME"):
        fetch()


def test_a_folder_that_cannot_be_written(fetch, tmp_path):
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(InputError, match="the archive cannot be fetched"):
        fetch()


def test_two_at_once_fetch_once(server, fetch):
    server.fault("corpus", "slow", 0.02)
    found = []
    both = [threading.Thread(target=lambda: found.append(fetch())) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert found == [DATA, DATA] and len(server.seen) == 1


def test_a_killed_process_leaves_a_part_to_go_on_with(server, fetch, tmp_path):
    server.files["/large"] = data = DATA * 20
    code = (
        "from phonoscope.downloads.transfer import download\n"
        f"download({server.url!r} + '/large', 'cache/corpus.zip', what='', fix='', digest={sha256(data)!r})"
    )
    server.fault("large", "trickle", 0.001)
    started = subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    part, until = tmp_path / "cache" / "corpus.zip.part", time.monotonic() + 20
    while not (part.is_file() and part.stat().st_size) and time.monotonic() < until:
        time.sleep(0.05)
    started.send_signal(signal.SIGKILL)
    started.wait()
    have = part.stat().st_size
    assert 0 < have < len(data)
    assert fetch("/large", sha256(data)) == data and ranges(server) == [None, f"bytes={have}-"]
