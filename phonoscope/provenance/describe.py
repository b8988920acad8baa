"""What results were made of: results/provenance.json."""

import importlib.metadata
import json
import os
import platform
import re
import socket
import subprocess
import tomllib
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from phonoscope.downloads.attempts import scrubbed
from phonoscope.downloads.transfer import digest_of

FORMAT = 1
HOME = Path(__file__).resolve().parents[2]
# Where the driver describes the GPUs.
DRIVER = Path("/proc/driver/nvidia/gpus")
MANIFEST = re.compile(r"results/(models|aligners)/([^/]+)\.json")
RECORDINGS = re.compile(r"results/([^/]+)/(?:source\.json|utterances/[^/]+\.parquet)")
# The line that a job on a GPU writes into its log.
ON_GPU = re.compile(r"INFO on the GPU (.+)")


def describe(tables, record, config, home=HOME):
    """Everything that says where results are from.

    Parameters
    ----------
    tables : list of str
        Files that are described, relative to the working directory.
    record : callable
        A path to how the file was made, as a dict of rule, inputs, code, log, started and ended, or None.
    config : dict
        Merged, with defaults.
    home : path-like, optional
        Folder of the workflow's code.

    Returns
    -------
    dict
        JSON-able: format, written, started and ended (of the jobs that the tables rest on; ISO 8601, UTC),
        phonoscope, git, config, machine, gpus (device and host to number of jobs), packages, models and
        aligners (their manifests), corpora, tables (path to sha256, rule, started, ended, inputs with their
        SHA-256, models, aligners, corpora). What nobody knows is null.
    """
    history = _History(record)
    described = {path: _table(path, history) for path in sorted(map(str, tables))}
    return {
        "format": FORMAT,
        "written": _time(datetime.now(UTC).timestamp()),
        "started": _time(min(history.times("started"), default=None)),
        "ended": _time(max(history.times("ended"), default=None)),
        "phonoscope": _version(home),
        "git": git_state(home),
        "config": json.loads(scrubbed(json.dumps(config))),
        "machine": machine(),
        "gpus": history.gpus(),
        "packages": packages(),
        "models": _manifests("models", described),
        "aligners": _manifests("aligners", described),
        "corpora": {
            name: _corpus(name, config, history)
            for name in sorted({name for table in described.values() for name in table["corpora"] or ()})
        },
        "tables": described,
    }


class _History:
    """The records of files, and of what those were made of, looked up once."""

    def __init__(self, record):
        self._look, self._records, self._origins, self._digests = record, {}, {}, {}

    def record(self, path):
        if path not in self._records:
            self._records[path] = self._look(path)
        return self._records[path]

    def origins(self, path):
        """The manifests and recordings that a file goes back to."""
        if path not in self._origins:
            found = {path} if MANIFEST.fullmatch(path) or RECORDINGS.fullmatch(path) else set()
            self._origins[path] = found
            for source in (self.record(path) or {}).get("inputs", ()):
                found |= self.origins(source)
        return self._origins[path]

    def digest(self, path):
        """SHA-256 of a file; None where it is gone, as hidden states that are not kept."""
        if path not in self._digests:
            self._digests[path] = digest_of(path) if Path(path).is_file() else None
        return self._digests[path]

    def times(self, key):
        return [record[key] for record in self._records.values() if record and record[key] is not None]

    def gpus(self):
        """How many jobs ran on which GPU, by their logs."""
        logs = {path for record in self._records.values() if record for path in record["log"]}
        texts = (
            Path(path).read_text(encoding="utf-8", errors="replace") for path in logs if Path(path).is_file()
        )
        return dict(sorted(Counter(found[1] for text in texts if (found := ON_GPU.search(text))).items()))

    def seen(self, pattern):
        """Matches of all paths that were looked at."""
        return [found for path in sorted(self._records) if (found := pattern.fullmatch(path))]


def _table(path, history):
    record = history.record(path)
    if record is None:
        unknown = dict.fromkeys(
            ("rule", "started", "ended", "inputs", "code", "models", "aligners", "corpora")
        )
        return {"sha256": history.digest(path)} | unknown
    origins = history.origins(path)
    manifests = [found.groups() for origin in origins if (found := MANIFEST.fullmatch(origin))]
    return {
        "sha256": history.digest(path),
        "rule": record["rule"],
        "started": _time(record["started"]),
        "ended": _time(record["ended"]),
        "inputs": {source: history.digest(source) for source in sorted(record["inputs"])},
        "code": record["code"],
        "models": sorted(name for kind, name in manifests if kind == "models"),
        "aligners": sorted(name for kind, name in manifests if kind == "aligners"),
        "corpora": sorted({found[1] for origin in origins if (found := RECORDINGS.fullmatch(origin))}),
    }


def _manifests(kind, described):
    """What the fetching jobs wrote of models or aligners: revisions, commits, checksums."""
    names = sorted({name for table in described.values() for name in table[kind] or ()})
    return {name: _json(Path("results") / kind / f"{name}.json") for name in names}


def _corpus(name, config, history):
    """Source, size and one checksum over all recordings of a corpus."""
    import hashlib

    import pyarrow.parquet as pq

    paths = [
        found[0] for found in history.seen(RECORDINGS) if found[1] == name and found[0].endswith(".parquet")
    ]
    rows, seconds = [], 0.0
    for path in filter(os.path.isfile, paths):
        table = pq.read_table(path, columns=["utterance_id", "audio_sha256", "duration_s"])
        rows += zip(table["utterance_id"].to_pylist(), table["audio_sha256"].to_pylist(), strict=True)
        seconds += sum(filter(None, table["duration_s"].to_pylist()))
    listing = "".join(f"{utterance}\0{digest}\n" for utterance, digest in sorted(rows))
    return {
        "source": _json(Path("results") / name / "source.json"),
        "path": config["corpora"].get(name, {}).get("path"),
        "recordings": len(rows),
        "seconds": round(seconds, 3),
        "audio_sha256": hashlib.sha256(listing.encode()).hexdigest(),
    }


def _json(path):
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def _time(seconds):
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _version(home):
    path = Path(home) / "pyproject.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))["project"]["version"] if path.is_file() else None


def git_state(home):
    """Commit of the code in ``home`` and whether files differ from it; None without git or a repository."""

    def git(*arguments):
        done = subprocess.run(
            ["git", "-C", str(home), *arguments], capture_output=True, text=True, timeout=60
        )
        done.check_returncode()
        return done.stdout.strip()

    try:
        return {"commit": git("rev-parse", "HEAD"), "changed": bool(git("status", "--porcelain"))}
    except (OSError, subprocess.SubprocessError):
        return None


def machine(driver=DRIVER):
    """The computer that writes this: not the nodes of a cluster."""
    models = []
    for path in sorted(Path(driver).glob("*/information")):
        found = re.search(r"Model:\s*(.+)", path.read_text(encoding="utf-8", errors="replace"))
        models.append(found[1].strip() if found else "unknown")
    return {
        "host": socket.gethostname(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
        "gpus": models,
    }


def packages():
    """Name to version of all that is installed beside this."""
    found = importlib.metadata.distributions()
    pairs = {(dist.metadata["Name"], dist.version) for dist in found if dist.metadata["Name"]}
    return dict(sorted(pairs, key=lambda pair: pair[0].lower()))
