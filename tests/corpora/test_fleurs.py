"""FLEURS, written as it lies on the hub: a sheet and an archive per language and split."""

import io
import tarfile

import numpy as np
import pytest
import soundfile

from phonoscope.corpora import fetch as fetching
from phonoscope.corpora.fetch import fetch
from phonoscope.corpora.tabulate import tabulate
from phonoscope.downloads.archives import unpack
from phonoscope.downloads.hub import Snapshot
from phonoscope.errors import InputError

# The separator U+2028 and the quote belong to the text; they end neither line nor cell.
LINES = {
    "fi_fi/train": [
        '7\t11.wav\t"Junat kulkevat.\tjunat\u2028kulkevat\tj u n a t |\t8000\tFEMALE',
        "9\t12.wav\tTaksi odottaa.\ttaksi odottaa\tt a k s i |\t16000\tMALE",
    ],
    "fi_fi/test": ["7\t13.wav\tJunat kulkevat.\tjunat kulkevat\tj u n a t |\t8000\tOTHER"],
    "ru_ru/train": ["7\t11.wav\tПоезда идут.\tпоезда идут\tп о е з д а |\t8000\tMALE"],
}


def wav(seconds, seed=0):
    buffer = io.BytesIO()
    noise = 0.1 * np.random.default_rng(seed).normal(size=round(seconds * 16000))
    soundfile.write(buffer, noise, 16000, format="WAV")
    return buffer.getvalue()


def archive(path, members):
    """A tar archive of (name, content); None makes a link that points upwards."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members:
            member = tarfile.TarInfo(name)
            if content is None:
                member.type, member.linkname = tarfile.SYMTYPE, "../../.."
            else:
                member.size = len(content)
            tar.addfile(member, io.BytesIO(content or b""))


def write(root):
    for name, lines in LINES.items():
        language, split = name.split("/")
        sheet = root / "data" / language / f"{split}.tsv"
        recordings = [line.split("\t") for line in lines]
        archive(
            sheet.parent / "audio" / f"{split}.tar.gz",
            [(f"{split}/{row[1]}", wav(int(row[5]) / 16000)) for row in recordings],
        )
        sheet.write_text("\n".join(lines) + "\n", encoding="utf-8")


CORPUS = {
    "name": "fleurs",
    "reader": "fleurs",
    "shards": 1,
    "hub": {"id": "google/fleurs", "revision": "main"},
}


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """The hub stood in for; a function that fetches a corpus with the files it names."""
    monkeypatch.chdir(tmp_path)

    write(tmp_path / "cache")
    names = [
        path.relative_to(tmp_path / "cache") for path in (tmp_path / "cache").rglob("*") if path.is_file()
    ]
    found = Snapshot(tmp_path / "cache", "0123abc", {path.as_posix(): "digest" for path in names})
    monkeypatch.setattr(fetching, "snapshot", lambda *_, **__: found)

    def fetched(*files):
        corpus = CORPUS | {"hub": CORPUS["hub"] | ({"files": list(files)} if files else {})}
        return corpus, fetch(corpus)

    return fetched


def test_from_the_hub_to_the_utterance_table(hub):
    corpus, source = hub()
    assert set(source["files"]) == {
        path for name in LINES for path in (f"data/{name}.tsv", f"data/{name.replace('/', '/audio/')}.tar.gz")
    }
    utterances, segments, notes = tabulate(corpus, [], "bucket0")
    rows = {row["utterance_id"]: row for row in utterances.to_pylist()}
    assert list(rows) == ["fi_fi_11", "fi_fi_12", "fi_fi_13", "ru_ru_11"]
    one = rows["fi_fi_11"]
    assert one["audio"] == "results/fleurs/source/data/fi_fi/audio/train/11.wav" and one["duration_s"] == 0.5
    assert (one["sentence_id"], one["sex"], one["language"], one["split"]) == ("7", "f", "fi", "train")
    assert one["text"] == "junat\u2028kulkevat" and one["speaker"] == ""
    assert [(row["sex"], row["split"]) for row in rows.values()] == [
        ("f", "train"),
        ("m", "train"),
        ("", "test"),
        ("m", "train"),
    ]
    # What makes the languages parallel.
    assert rows["ru_ru_11"]["sentence_id"] == one["sentence_id"] and rows["ru_ru_11"]["language"] == "ru"
    assert segments.num_rows == notes.num_rows == 0


def test_text_as_it_is_written(hub):
    corpus, _ = hub()
    texts = tabulate(corpus | {"transcription": "raw"}, [], "bucket0")[0]["text"].to_pylist()
    assert texts == ['"Junat kulkevat.', "Taksi odottaa.", "Junat kulkevat.", "Поезда идут."]


def test_fetched_again_it_is_the_same(hub):
    assert hub()[1] == hub()[1]


@pytest.mark.parametrize(
    ("files", "left"),
    [
        (("data/ru_ru/*",), ["ru_ru_11"]),
        (("data/ru_ru/",), ["ru_ru_11"]),
        (("data/*/test.tsv", "data/*/audio/test.tar.gz"), ["fi_fi_13"]),
    ],
)
def test_the_files_of_the_hub_choose_languages_and_splits(hub, files, left):
    # All is here, as after an earlier fetch of more.
    utterances, _, _ = tabulate(hub(*files)[0], [], "bucket0")
    assert utterances["utterance_id"].to_pylist() == left


@pytest.mark.parametrize(("place", "count"), [("", 4), ("data", 4), ("data/fi_fi", 3)])
def test_a_copy_of_ones_own(hub, place, count):
    _, source = hub()
    corpus = {"name": "own", "reader": "fleurs", "shards": 1, "path": f"{source['folder']}/{place}"}
    assert tabulate(corpus, [], "bucket0")[0].num_rows == count


def test_shards_share_out_recordings_and_bad_lines(hub):
    corpus, source = hub()
    with open(f"{source['folder']}/data/fi_fi/train.tsv", "a", encoding="utf-8") as sheet:
        sheet.write("13\t99.wav\tno more\n")
    corpus |= {"shards": 2, "on_error": "skip"}
    done = [tabulate(corpus, [], f"bucket{i}") for i in range(2)]
    ids = [part[0]["utterance_id"].to_pylist() for part in done]
    assert sorted(ids[0] + ids[1]) == ["fi_fi_11", "fi_fi_12", "fi_fi_13", "ru_ru_11"] and all(ids)
    (note,) = done[0][2].to_pylist() + done[1][2].to_pylist()
    assert note["kind"] == "left_out" and note["reason"] == "line 3: 3 columns, not 7"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("7\t11.wav\ta", "line 1: 3 columns, not 7"),
        ("7\t../11.wav\ta\ta\ta |\t8000\tMALE", r"line 1: `\.\./11\.wav` is not the name of a recording"),
        ("seven\t11.wav\ta\ta\ta |\t8000\tMALE", "line 1: `seven` and `8000` are not an id"),
        ("7\t11.wav\ta\ta\ta |\t0.5\tMALE", "line 1: `7` and `0.5` are not an id"),
        ("7\t11.wav\ta\ta\ta |\t8000\ttrain", "line 1: `train` is not among MALE, FEMALE, OTHER"),
    ],
)
def test_a_line_that_is_not_as_it_should_be(hub, tmp_path, line, said):
    corpus, _ = hub("data/ru_ru/*")
    sheet = tmp_path / "results/fleurs/source/data/ru_ru/train.tsv"
    sheet.write_text(line + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=rf"ru_ru/train\.tsv: {said}.*Fix: "):
        tabulate(corpus, [], "bucket0")


def test_a_cut_recording_is_noted(hub, tmp_path):
    corpus, _ = hub("data/ru_ru/*")
    (tmp_path / "results/fleurs/source/data/ru_ru/audio/train/11.wav").write_bytes(wav(0.25))
    (note,) = tabulate(corpus, [], "bucket0")[2].to_pylist()
    assert note["kind"] == "warning" and note["utterance_id"] == "ru_ru_11"
    assert note["reason"] == "the audio lasts 0.25 s, the corpus says 0.50 s"


def test_what_is_not_there(hub, tmp_path):
    corpus, source = hub("data/ru_ru/*")
    with pytest.raises(InputError, match="no sheet of FLEURS.*Fix: set `path`"):
        tabulate(corpus | {"hub": {"files": ["data/fi_fi/audio/*"]}}, [], "bucket0")
    (tmp_path / source["folder"] / "data/ru_ru/audio/train").rename(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="recordings are not.*Fix: unpack train.tar.gz.*data/ru_ru/audio"):
        tabulate(corpus, [], "bucket0")
    with pytest.raises(InputError, match="anna: FLEURS does not say who speaks.*Fix: "):
        tabulate(corpus | {"shards": "speakers"}, [{"speaker": "anna"}], "anna")


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ([("a.wav", b"x"), ("up", None)], "up: the member is neither a file nor a folder"),
        ([("a.wav", b"x"), ("../out.wav", b"x")], r"\.\./out\.wav: the member would land outside"),
        ([("a.wav", b"x"), ("/tmp/out.wav", b"x")], "/tmp/out.wav: the member would land outside"),
        ([("a.wav", b"x"), ("big.wav", b"x" * 2000)], "big.wav: the member makes it more than"),
    ],
)
def test_an_archive_that_means_no_good(tmp_path, members, said):
    path = tmp_path / "audio" / "train.tar.gz"
    archive(path, members)
    with pytest.raises(InputError, match=rf"train\.tar\.gz: {said}.*Fix: check where"):
        unpack(path, path.parent, largest=1000)
    left = {found.relative_to(tmp_path).as_posix() for found in tmp_path.rglob("*")}
    assert left == {"audio", "audio/train.tar.gz", "audio/a.wav"}


@pytest.mark.parametrize("kept", [0, 40, 0.6])
def test_a_cut_archive(tmp_path, kept):
    path = tmp_path / "train.tar.gz"
    archive(path, [("train/a.wav", wav(1)), ("train/b.wav", wav(1, seed=1))])
    whole = path.read_bytes()
    path.write_bytes(whole[: kept if isinstance(kept, int) else round(kept * len(whole))])
    with pytest.raises(InputError, match=r"train\.tar\.gz: the archive cannot be unpacked.*Fix: delete it"):
        unpack(path, path.parent)
