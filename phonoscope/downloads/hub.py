"""Models and data sets of the Hugging Face hub, in the cache that all its clients share.

The hub's own client resolves revisions, lists files, signs in and lays out the cache. It does not check what
it brings, go on with a file after the process has died, notice a trickle, or retry its first questions: files
are brought by :mod:`transfer` into the place where the client looks for them, and then linked by the client.
"""

import logging
import os
import re
from dataclasses import dataclass
from pathlib import Path

from phonoscope.downloads.attempts import Patience, failed, guard_logs, retried, watched
from phonoscope.downloads.transfer import digest_of, download
from phonoscope.errors import InputError

COMMIT = re.compile(r"[0-9a-f]{40}")
# For messages.
FORBIDDEN = "the network is forbidden (offline: true, HF_HUB_OFFLINE)"


@dataclass(frozen=True)
class Snapshot:
    """What a repository of the hub held at a commit.

    Attributes
    ----------
    folder : pathlib.Path
        In the cache.
    commit : str
    files : dict of str to str
        Name, with folders, to SHA-256, of the files that were asked for.
    """

    folder: Path
    commit: str
    files: dict


@dataclass(frozen=True)
class _Wanted:
    """What is asked for, of whom, and where it goes."""

    repo: str
    revision: str
    kind: str
    allow: list | None
    ignore: list | None
    patience: Patience
    endpoint: str | None
    cache: Path
    fix: str
    row: str | None

    @property
    def what(self):
        kind = {"model": "model", "dataset": "data set"}[self.kind]
        return f"the {kind} {self.repo} at revision {self.revision}"

    @property
    def storage(self):
        from huggingface_hub.file_download import repo_folder_name

        return self.cache / repo_folder_name(repo_id=self.repo, repo_type=self.kind)

    @property
    def names(self):
        """How the hub's client is told the same."""
        return {"repo_id": self.repo, "repo_type": self.kind}

    def chosen(self, names):
        """Which of ``names`` are asked for."""
        from huggingface_hub.utils import filter_repo_objects

        return sorted(filter_repo_objects(names, allow_patterns=self.allow, ignore_patterns=self.ignore))


def offline():
    """Whether the network is forbidden, by ``offline`` of the config or HF_HUB_OFFLINE of the environment."""
    from huggingface_hub.constants import is_offline_mode

    return is_offline_mode()


def snapshot(
    repo,
    revision="main",
    kind="model",
    allow=None,
    ignore=None,
    *,
    fix,
    row=None,
    patience=None,
    cache=None,
    endpoint=None,
):
    """Fetch files of a repository, as far as they are not in the cache, and check all of them.

    A commit whose files are all in the cache needs no network; a branch or tag is looked up.

    Parameters
    ----------
    repo : str
        Owner and name.
    revision : str
        Commit, tag or branch.
    kind : {"model", "dataset"}
    allow, ignore : list of str, optional
        Patterns of names; all by default.
    fix, row : str
        For messages: what else a user could do, and the key of the config.
    patience : Patience, optional
    cache, endpoint : optional
        Instead of the hub's own (HF_HUB_CACHE, HF_ENDPOINT).

    Returns
    -------
    Snapshot

    Raises
    ------
    InputError
        Where it cannot be had; offline, where files are missing.
    """
    from huggingface_hub import constants

    cache = Path(cache or constants.HF_HUB_CACHE).expanduser().absolute()
    patience = patience or Patience()
    wanted = _Wanted(repo, revision, kind, allow, ignore, patience, endpoint, cache, fix, row)
    guard_logs()
    try:
        return _found(wanted)
    except InputError:
        raise
    # The hub's client lets through exceptions of its own, of its network library and of Python.
    except Exception as error:
        raise failed(wanted.what, error, row=row, fix=fix) from None


def _found(wanted):
    """The snapshot, from the cache where that is enough or all that there may be."""
    if offline():
        return _of_cache(wanted, _cached(wanted))
    folder = _cached(wanted) if COMMIT.fullmatch(wanted.revision) else None
    if folder is not None:
        files, damaged = _checked(wanted, folder, {})
        if not damaged:
            return Snapshot(folder, folder.name, files)
    return _fetched(wanted)


def _cached(wanted):
    """Folder of a snapshot in the cache, if all of it is there as far as the cache can tell."""
    from huggingface_hub import get_cached_repo_tree, snapshot_download
    from huggingface_hub.errors import CachedRepoTreeNotFoundError, LocalEntryNotFoundError

    where = {"revision": wanted.revision, "cache_dir": wanted.cache}
    patterns = {"allow_patterns": wanted.allow, "ignore_patterns": wanted.ignore}
    try:
        # Without a listing, of an older client, nobody knows whether all is there.
        if not offline():
            get_cached_repo_tree(wanted.repo, repo_type=wanted.kind, **where)
        return Path(snapshot_download(**wanted.names, **where, **patterns, local_files_only=True))
    except (CachedRepoTreeNotFoundError, LocalEntryNotFoundError):
        return None


def _of_cache(wanted, folder):
    """The snapshot, where the network is forbidden."""
    if folder is None:
        raise InputError(
            f"{wanted.what} is not here{_missing(wanted)}, and {FORBIDDEN}",
            path=wanted.storage,
            row=wanted.row,
            fix="fetch it on a machine that is online and copy that folder here, or set offline: false; "
            f"or {wanted.fix}",
        )
    files, damaged = _checked(wanted, folder, {})
    if damaged:
        raise InputError(
            f"the file is damaged, and {FORBIDDEN}",
            path=folder / damaged[0],
            row=wanted.row,
            fix="set offline: false, so that it is fetched again",
        )
    return Snapshot(folder, folder.name, files)


def _missing(wanted):
    """Which files are missing in the cache, where a listing tells."""
    from huggingface_hub import get_cached_repo_tree
    from huggingface_hub.errors import CachedRepoTreeNotFoundError

    where = {"revision": wanted.revision, "cache_dir": wanted.cache}
    try:
        listed = get_cached_repo_tree(wanted.repo, repo_type=wanted.kind, **where)
    except CachedRepoTreeNotFoundError:
        return ""
    reference = wanted.storage / "refs" / wanted.revision
    commit = reference.read_text(encoding="utf-8") if reference.is_file() else wanted.revision
    folder = wanted.storage / "snapshots" / commit
    names = [name for name in wanted.chosen([file.path for file in listed]) if not (folder / name).is_file()]
    return f": {', '.join(names[:5])}{' …' if len(names) > 5 else ''} missing" if names else ""


def _fetched(wanted):
    """The snapshot, with the hub's help."""
    commit, digests, sizes = _listed(wanted)
    for attempt in (1, 2):
        for name, digest in digests.items():
            _bring(wanted, commit, name, digest, sizes[name])
        folder = _linked(wanted, commit)
        files, damaged = _checked(wanted, folder, digests)
        if not damaged:
            _remember(wanted, commit)
            return Snapshot(folder, commit, files)
        if attempt == 1:
            for name in damaged:
                _forget(folder / name)
    raise InputError(
        f"{damaged[0]} of {wanted.what} has the wrong digest, however often it is fetched",
        path=folder / damaged[0],
        row=wanted.row,
        fix=wanted.fix,
    )


def _listed(wanted):
    """The commit, and of every wanted file the digest (SHA-256, or git's) and the size."""
    import httpx2
    from huggingface_hub import HfApi, get_session
    from huggingface_hub.hf_api import RepoFile

    session, patience = get_session(), wanted.patience
    # The client itself would wait for ever.
    session.timeout = patience.timeout()

    class Stream(httpx2.SyncByteStream):
        def __init__(self, stream):
            self.stream = stream

        def __iter__(self):
            return watched(self.stream, patience)

        def close(self):
            self.stream.close()

    def watch(response):
        response.stream = Stream(response.stream)

    session.event_hooks = {**session.event_hooks, "response": [watch]}
    api = HfApi(endpoint=wanted.endpoint)
    commit = retried(lambda: api.repo_info(**wanted.names, revision=wanted.revision).sha, patience)
    tree = retried(
        lambda: list(api.list_repo_tree(**wanted.names, revision=commit, recursive=True)), patience
    )
    files = {entry.path: entry for entry in tree if isinstance(entry, RepoFile)}
    names = wanted.chosen(list(files))
    if not names:
        raise InputError(
            f"{wanted.what} has none of the files that are asked for ({', '.join(wanted.allow or ['all'])})",
            row=wanted.row,
            fix="correct the patterns or the revision",
        )
    digests = {name: files[name].lfs.sha256 if files[name].lfs else files[name].blob_id for name in names}
    return commit, digests, {name: files[name].size for name in names}


def _bring(wanted, commit, name, digest, size):
    """See that a file's content is where the cache has it."""
    from huggingface_hub import hf_hub_url
    from huggingface_hub.utils import build_hf_headers

    blob = wanted.storage / "blobs" / digest
    # A file system without symbolic links has the file itself in the snapshot.
    if (wanted.storage / "snapshots" / commit / name).is_file():
        return
    url = hf_hub_url(wanted.repo, name, repo_type=wanted.kind, revision=commit, endpoint=wanted.endpoint)
    # The client's own lock, so that no other client of the hub fetches it at the same time.
    lock = wanted.cache / ".locks" / wanted.storage.name / f"{digest}.lock"
    logging.info("fetching %s of %s (%.1f MB)", name, wanted.repo, size / 1e6)
    download(
        url,
        blob,
        what=f"{name} of {wanted.what}",
        fix=wanted.fix,
        digest=digest,
        size=size,
        headers=build_hf_headers(),
        lock=lock,
        patience=wanted.patience,
    )


def _linked(wanted, commit):
    """The snapshot's folder, put together by the hub's client from what is in the cache."""
    from huggingface_hub import snapshot_download

    options = {
        "revision": commit,
        "cache_dir": wanted.cache,
        "endpoint": wanted.endpoint,
        "allow_patterns": wanted.allow,
        "ignore_patterns": wanted.ignore,
        "etag_timeout": wanted.patience.silence_s,
    }
    return Path(retried(lambda: snapshot_download(**wanted.names, **options), wanted.patience))


def _checked(wanted, folder, digests):
    """SHA-256 of every wanted file, and the names of those whose content is not what it should be."""
    names = list(digests) or wanted.chosen(
        [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    )
    files, damaged = {}, []
    for name in names:
        path = folder / name
        files[name] = digest_of(path)
        # In the cache a file is a link to its content, which is named by its digest.
        should = digests.get(name) or (os.path.basename(os.readlink(path)) if path.is_symlink() else "")
        if re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", should):
            found = files[name] if len(should) == 64 else digest_of(path, should)
            if found != should:
                damaged.append(name)
    return files, damaged


def _forget(path):
    """Remove a file and its content from the cache."""
    logging.warning("%s is damaged and will be fetched again", path)
    content = path.resolve()
    path.unlink()
    content.unlink(missing_ok=True)


def _remember(wanted, commit):
    """Write down, where the hub's clients look for it, what a branch or tag stood for."""
    if wanted.revision == commit:
        return
    path = wanted.storage / "refs" / wanted.revision
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text(commit, encoding="utf-8")
    os.replace(partial, path)
