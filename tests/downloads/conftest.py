"""A server on 127.0.0.1 that speaks as much of the hub's HTTP as its client uses, and misbehaves if asked."""

import hashlib
import http.server
import json
import os
import re
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlparse

import pytest

from phonoscope.downloads.attempts import Patience

ROOT = Path(__file__).resolve().parents[2]
# As the real one in kind, and over in a moment.
HURRIED = Patience(
    connect_s=2,
    silence_s=0.5,
    window_s=0.4,
    least_rate=5000,
    attempts=4,
    first_wait_s=0.01,
    longest_wait_s=0.05,
)


def git_sha1(content):
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def sha256(content):
    return hashlib.sha256(content).hexdigest()


@dataclass
class Fault:
    """What the next requests for a path get instead of the truth."""

    pattern: str
    kind: str
    value: object = None
    headers: dict = field(default_factory=dict)
    times: int = 1


class Server(http.server.ThreadingHTTPServer):
    """Repositories, plain files and faults.

    Attributes
    ----------
    repos : dict of (kind, id) to dict of commit to dict of name to bytes
    refs : dict of (kind, id) to dict of branch to commit
    files : dict of path to bytes
    seen : list of (method, path with query, headers)
    large : int
        Files from this size on are LFS: at an address of another host, which is ``cdn`` if there is one.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.repos, self.refs, self.files, self.faults, self.seen = {}, {}, {}, [], []
        self.large, self.cdn, self.token = 1000, None, None
        self.lock = threading.Lock()
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def handle_error(self, request, client_address):
        """Clients that hang up are no news."""

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def repo(self, name, files, kind="model", commit="a" * 40, branch="main"):
        self.repos.setdefault((kind, name), {})[commit] = files
        self.refs.setdefault((kind, name), {})[branch] = commit
        return commit

    def fault(self, pattern, kind, value=None, times=1, **headers):
        self.faults.append(
            Fault(pattern, kind, value, {k.replace("_", "-"): v for k, v in headers.items()}, times)
        )

    def count(self, pattern, method="GET"):
        return sum(bool(re.search(pattern, path)) and verb == method for verb, path, _ in self.seen)

    def take(self, method, path):
        """The fault for a request, if one is left."""
        with self.lock:
            for fault in self.faults:
                if fault.times and re.search(fault.pattern, f"{method} {path}"):
                    fault.times -= 1
                    return fault
        return None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.answer()

    def do_GET(self):
        self.answer()

    def answer(self):
        server = self.server
        with server.lock:
            server.seen.append((self.command, self.path, dict(self.headers)))
        fault = server.take(self.command, self.path)
        if fault and fault.kind == "status":
            return self.send(fault.value, b"no", fault.headers)
        if fault and fault.kind == "redirect":
            return self.send(302, b"", {"Location": fault.value})
        if fault and fault.kind == "silence":
            time.sleep(fault.value)
            self.close_connection = True
            return None
        path = unquote(urlparse(self.path).path)
        known = self.headers.get("Authorization") == f"Bearer {server.token}"
        if server.token and not known and not path.startswith("/cdn/"):
            return self.send(401, b"", {"X-Error-Code": "GatedRepo", "X-Error-Message": "restricted"})
        if path in server.files:
            return self.file(server.files[path], {}, fault)
        if found := re.fullmatch(r"/api/(model|dataset)s/([^/]+/[^/]+)/(revision|tree)/(.+)", path):
            return self.listing(*found.groups(), fault)
        if found := re.fullmatch(r"/(datasets/)?([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            return self.resolve("dataset" if found[1] else "model", *found.groups()[1:], fault)
        return self.send(404, b"", {"X-Error-Code": "RepoNotFound"})

    def commit(self, kind, repo, revision):
        refs = self.server.refs.get((kind, repo))
        if refs is None:
            self.send(401, b"", {"X-Error-Code": "RepoNotFound"})
            return None
        commit = refs.get(revision, revision)
        if commit not in self.server.repos[kind, repo]:
            self.send(404, b"", {"X-Error-Code": "RevisionNotFound"})
            return None
        return commit

    def listing(self, kind, repo, what, revision, fault):
        commit = self.commit(kind, repo, revision)
        if commit is None:
            return None
        if what == "revision":
            said = {"id": repo, "sha": commit, "siblings": [], "private": False}
        else:
            assert parse_qs(urlparse(self.path).query)["recursive"] == ["true"]
            said = [self.entry(name, data) for name, data in self.server.repos[kind, repo][commit].items()]
        return self.file(json.dumps(said).encode(), {"Content-Type": "application/json"}, fault)

    def entry(self, name, data):
        entry = {"type": "file", "path": name, "size": len(data), "oid": git_sha1(data)}
        if len(data) >= self.server.large:
            entry["lfs"] = {"oid": sha256(data), "size": len(data), "pointerSize": 130}
        return entry

    def resolve(self, kind, repo, revision, name, fault):
        commit = self.commit(kind, repo, revision)
        if commit is None:
            return None
        data = self.server.repos[kind, repo][commit].get(name)
        if data is None:
            return self.send(404, b"", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": commit})
        if len(data) < self.server.large:
            return self.file(data, {"ETag": f'"{git_sha1(data)}"', "X-Repo-Commit": commit}, fault)
        headers = {
            "X-Linked-Etag": f'"{sha256(data)}"',
            "X-Linked-Size": str(len(data)),
            "X-Repo-Commit": commit,
        }
        elsewhere = self.server.cdn or self.server
        elsewhere.files[f"/cdn/{sha256(data)}"] = data
        # Another host than the hub's, by its name.
        location = f"http://localhost:{elsewhere.server_port}/cdn/{sha256(data)}?X-Signature=SIGNED"
        return self.send(302, b"", headers | {"Location": location})

    def file(self, data, headers, fault):
        kind, value = (fault.kind, fault.value) if fault else ("", None)
        start, status = 0, 200
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if asked and kind != "no_range":
            start, status = int(asked[1]), 206
            if start >= len(data):
                return self.send(416, b"", {"Content-Range": f"bytes */{len(data)}"})
            headers = headers | {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"}
        body = data[start:]
        if kind == "wrong":
            body = bytes(byte ^ 1 for byte in body)
        if kind == "length":
            body = body[:value] if value < len(body) else body + b"x" * (value - len(body))
        self.send_response(status)
        for key, each in headers.items():
            self.send_header(key, each)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return None
        if kind in ("cut", "no_range") and value is not None:
            self.wfile.write(body[:value])
            self.wfile.flush()
            self.close_connection = True
            return self.connection.shutdown(2)
        if kind == "trickle":
            for at in range(len(body)):
                self.wfile.write(body[at : at + 1])
                time.sleep(value)
            return None
        if kind == "slow":
            for at in range(0, len(body), 10_000):
                self.wfile.write(body[at : at + 10_000])
                time.sleep(value)
            return None
        return self.wfile.write(body)

    def send(self, status, body, headers):
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@pytest.fixture
def server(monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    server = Server()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def other(server):
    """Another host."""
    other = Server()
    yield other
    other.shutdown()
    other.server_close()


@pytest.fixture
def elsewhere(server, tmp_path):
    """Run Python code in a process whose hub is the server; the environment is read when it starts."""

    def run(code, wait=True, **environment):
        environment = {
            **os.environ,
            "HF_ENDPOINT": server.url,
            "HF_HOME": str(tmp_path / "hf"),
            "XDG_CACHE_HOME": str(tmp_path / "xdg"),
            "PYTHONPATH": str(ROOT),
            **environment,
        }
        patience = f"from phonoscope.downloads.attempts import Patience; hurried = {HURRIED!r}\n"
        started = subprocess.Popen(
            [sys.executable, "-c", patience + code],
            cwd=tmp_path,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        if not wait:
            return started
        started.out, started.err = started.communicate(timeout=120)
        return started

    return run
