"""Archives that mean harm, and ones that are merely broken."""

import bz2
import gzip
import io
import stat
import tarfile
import zipfile

import numpy as np
import pytest

from phonoscope.downloads import archives
from phonoscope.downloads.archives import unpack
from phonoscope.errors import InputError

FILES = {"a/b.wav": b"sound", "c.tsv": b"1\t2\n", "a/empty": b""}


def tar(path, members, mode="w"):
    with tarfile.open(path, mode) as archive:
        for name, content in members:
            member = content if isinstance(content, tarfile.TarInfo) else tarfile.TarInfo(name)
            if isinstance(content, bytes):
                member.size = len(content)
            archive.addfile(member, io.BytesIO(content) if isinstance(content, bytes) else None)
    return path


def zipped(path, members, **options):
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def special(name, kind, target=""):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


@pytest.mark.parametrize("suffix", archives.KINDS)
def test_all_kinds(tmp_path, suffix):
    path = tmp_path / f"corpus{suffix.upper() if suffix == '.zip' else suffix}"
    modes = {".tar": "w", ".tar.bz2": "w:bz2"}
    if suffix == ".zip":
        zipped(path, FILES.items(), compression=zipfile.ZIP_DEFLATED)
    else:
        tar(path, FILES.items(), modes.get(suffix, "w:gz"))
    assert archives.is_archive(path)
    unpack(path, tmp_path / "out")
    found = {
        p.relative_to(tmp_path / "out").as_posix(): p.read_bytes()
        for p in (tmp_path / "out").rglob("*")
        if p.is_file()
    }
    assert found == FILES


@pytest.mark.parametrize("name", ["data.parquet", "a.gz", "zip", "tar", "a.tar.xz", "a.rar"])
def test_what_is_no_archive(name):
    assert not archives.is_archive(name)


@pytest.mark.parametrize("name", ["../out.txt", "a/../../out.txt", "/out.txt", "..\\out.txt"])
@pytest.mark.parametrize("suffix", [".zip", ".tar"])
def test_no_way_out(tmp_path, name, suffix):
    path = (zipped if suffix == ".zip" else tar)(tmp_path / f"x{suffix}", [("fine", b"1"), (name, b"2")])
    with pytest.raises(
        InputError, match="would land outside the folder.*Fix: check where the archive comes from"
    ):
        unpack(path, tmp_path / "deep" / "out")
    assert not list(tmp_path.rglob("out.txt"))


@pytest.mark.parametrize(
    "member",
    [
        special("l", tarfile.SYMTYPE, "/etc/passwd"),
        special("l", tarfile.SYMTYPE, "fine"),
        special("l", tarfile.LNKTYPE, "fine"),
        special("d", tarfile.CHRTYPE),
        special("d", tarfile.BLKTYPE),
        special("p", tarfile.FIFOTYPE),
    ],
    ids=lambda member: member.type.decode(),
)
def test_no_links_and_devices_in_tar(tmp_path, member):
    path = tar(tmp_path / "x.tar", [("fine", b"1"), (member.name, member)])
    with pytest.raises(InputError, match=f"{member.name}: the member is neither a file nor a folder"):
        unpack(path, tmp_path / "out")
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["fine"]


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK])
def test_no_links_and_devices_in_zip(tmp_path, kind):
    member = zipfile.ZipInfo("link")
    member.external_attr = (kind | 0o777) << 16
    path = zipped(tmp_path / "x.zip", [("fine", b"1"), (member, "/etc/passwd")])
    with pytest.raises(InputError, match="link: the member is neither a file nor a folder"):
        unpack(path, tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("suffix", [".zip", ".tar.gz", ".tar.bz2"])
def test_a_bomb(tmp_path, suffix):
    """A thousandth of what it unpacks to; nothing beyond the limit reaches the disk."""
    members = [(f"{number}", bytes(100_000)) for number in range(20)]
    if suffix == ".zip":
        path = zipped(tmp_path / "x.zip", members, compression=zipfile.ZIP_DEFLATED)
    else:
        path = tar(tmp_path / f"x{suffix}", members, "w:gz" if suffix == ".tar.gz" else "w:bz2")
    assert path.stat().st_size < 30_000
    with pytest.raises(InputError, match="makes it more than .* GiB"):
        unpack(path, tmp_path / "out", largest=550_000)
    assert sum(p.stat().st_size for p in (tmp_path / "out").iterdir()) <= 550_000


def test_a_zip_that_lies_about_sizes(tmp_path):
    """The central directory says 10 bytes where there are a million."""
    path = zipped(tmp_path / "x.zip", [("bomb", bytes(10**6))], compression=zipfile.ZIP_DEFLATED)
    content = path.read_bytes()
    path.write_bytes(content.replace((10**6).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    with pytest.raises(InputError, match="cannot be unpacked"):
        unpack(path, tmp_path / "out", largest=1000)
    assert sum(p.stat().st_size for p in (tmp_path / "out").rglob("*")) <= 1000


@pytest.mark.parametrize("suffix", [".zip", ".tar"])
def test_too_many(tmp_path, suffix):
    members = [(f"{number}", b"") for number in range(30)]
    path = (zipped if suffix == ".zip" else tar)(tmp_path / f"x{suffix}", members)
    with pytest.raises(InputError, match="is one of more than 20"):
        unpack(path, tmp_path / "out", most=20)


def test_a_header_of_gigabytes(tmp_path):
    """A name may be of any length in tar; this one would be read into memory whole."""
    member = tarfile.TarInfo("././@LongLink")
    member.type, member.size = tarfile.GNUTYPE_LONGNAME, 50 * 2**20
    with gzip.open(tmp_path / "x.tar.gz", "wb") as file:
        file.write(member.tobuf(tarfile.GNU_FORMAT) + b"a" * member.size)
    with pytest.raises(InputError, match="a header of 5242"):
        unpack(tmp_path / "x.tar.gz", tmp_path / "out")


def test_an_encrypted_zip(tmp_path):
    path = zipped(tmp_path / "x.zip", [("a", b"1")])
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match="encrypted, password required"):
        unpack(path, tmp_path / "out")


@pytest.mark.parametrize("suffix", [".zip", ".tar", ".tar.gz", ".tar.bz2"])
def test_rubbish_is_refused_in_one_line(tmp_path, suffix):
    good = tmp_path / f"good{suffix}"
    noise = np.random.default_rng(0)
    members = [(f"{number}", noise.bytes(2000)) for number in range(5)]
    if suffix == ".zip":
        zipped(good, members)
    else:
        tar(good, members, {".tar": "w", ".tar.gz": "w:gz"}.get(suffix, "w:bz2"))
    content = good.read_bytes()
    for broken in (b"", b"x" * 3000, content[: len(content) // 2], content[:100], noise.bytes(5000)):
        path = tmp_path / f"x{suffix}"
        path.write_bytes(broken)
        if suffix == ".tar" and broken == content[: len(content) // 2]:
            continue  # Ends within a member, which the next test has.
        with pytest.raises(InputError, match="cannot be unpacked") as error:
            unpack(path, tmp_path / "out")
        assert "\n" not in str(error.value)


def test_a_tar_that_ends_within_a_member(tmp_path):
    path = tar(tmp_path / "x.tar", [("a", bytes(5000))])
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(InputError, match="cannot be unpacked .*unexpected end of data"):
        unpack(path, tmp_path / "out")


def test_a_full_disk(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    path = tar(tmp_path / "x.tar.bz2", FILES.items(), "w:bz2")
    assert bz2.decompress(path.read_bytes())
    monkeypatch.setattr(tarfile.TarFile, "extract", full)
    with pytest.raises(InputError, match="No space left.*Fix: make room"):
        unpack(path, tmp_path / "out")


def test_where_archives_are_kept(monkeypatch, tmp_path):
    monkeypatch.delenv("PHONOSCOPE_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert archives.cache() == tmp_path / "phonoscope"
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    assert archives.cache().parts[-2:] == (".cache", "phonoscope")
    monkeypatch.setenv("PHONOSCOPE_CACHE", str(tmp_path / "own"))
    assert archives.cache() == tmp_path / "own"
