"""results/provenance.json of a real run, when it is written again, and the options of downloads."""

import copy
import hashlib
import json

import pytest

from phonoscope.errors import InputError
from workflow.dag import settings

ARCHIVE = {"url": "https://host.org/data/corpus.tar.gz?download=1", "sha256": "0a" * 32}


def load(config, **changes):
    return settings.load(copy.deepcopy(config) | changes, "config.yaml")


@pytest.mark.slow
def test_a_run_says_what_its_tables_are_from(finished):
    said = json.loads((finished.folder / "results/provenance.json").read_text(encoding="utf-8"))
    found = {
        path.relative_to(finished.folder).as_posix()
        for path in (finished.folder / "results/tables").rglob("*.csv")
    }
    # What `combine` also makes and no one asks for.
    assert set(said["tables"]) == found - {"results/tables/tiny/leak.csv"} and len(found) > 10
    for path, table in said["tables"].items():
        assert table["sha256"] == hashlib.sha256((finished.folder / path).read_bytes()).hexdigest()
        assert table["rule"] and table["started"] <= table["ended"] and table["corpora"] == ["tiny"]
        for source, digest in table["inputs"].items():
            assert digest == hashlib.sha256((finished.folder / source).read_bytes()).hexdigest()
        for module, digest in table["code"].items():
            assert hashlib.sha256((finished.folder / module).read_bytes()).hexdigest().startswith(digest)
        assert "phonoscope/tables.py" in table["code"] or path.endswith("published_vs_measured.csv")
    assert said["tables"]["results/tables/tiny/E1.csv"]["models"] == ["mel", "mfcc", "untrained"]
    assert said["tables"]["results/tables/tiny/quality.csv"]["models"] == []
    assert said["corpora"]["tiny"]["recordings"] == 12 and said["models"]["untrained"]["files"]
    assert said["config"]["articulation"]["probes"] == ["ridge"] and said["config"]["offline"] is False
    assert said["started"] <= said["ended"] <= said["written"]


@pytest.mark.slow
def test_it_is_written_again_when_a_table_is_and_only_then(project):
    assert "write_provenance" not in project.snakemake("-n").stdout
    project.append("phonoscope/figures/heatmap.py")
    assert "write_provenance" not in project.snakemake("-n").stdout
    project.config(lambda config: config["articulation"].update(test_share=0.3))
    assert "write_provenance" in project.snakemake("-n").stdout


@pytest.mark.slow
def test_a_crate_is_a_target(project):
    assert "rule ro_crate" in project.snakemake("-n", "ro_crate").stdout
    assert "rule ro_crate" not in project.snakemake("-n").stdout


@pytest.mark.slow
def test_offline_and_gpus_rerun_nothing(project):
    project.config(lambda config: config.update(offline=True))
    assert project.planned() == set()
    for gpu in ("auto", True, False):
        project.config(lambda config, gpu=gpu: config.update(embeddings={"gpu": gpu}))
        assert project.planned() == set()


def test_an_archive_is_a_corpus(tiny):
    corpus = {key: value for key, value in tiny["corpora"]["tiny"].items() if key != "path"} | {
        "archive": ARCHIVE
    }
    found = load(tiny, corpora={"tiny": corpus | {"speakers": None, "shards": 1}})
    assert json.loads(found.corpus("tiny", ("hub", "archive"))) == {"name": "tiny", "archive": ARCHIVE}
    assert "archive" in found.corpus("tiny", settings.RECORDINGS)


@pytest.mark.parametrize(
    ("archive", "says"),
    [
        (
            ARCHIVE | {"url": "https://me:secret@host.org/a.zip"},
            "archive.url: an address with a user or password",
        ),
        (
            ARCHIVE | {"url": "https://host.org/a.rar"},
            "no archive that can be unpacked.*use one of .zip, .tar",
        ),
        (ARCHIVE | {"url": "file:///etc/a.zip"}, "url"),
        (ARCHIVE | {"sha256": "0a"}, "sha256"),
        ({"url": ARCHIVE["url"]}, "'sha256' is missing"),
        (ARCHIVE | {"token": "hf_x"}, "unknown key 'token'"),
    ],
)
def test_archives_that_cannot_be(tiny, archive, says):
    corpus = {"reader": "table", "shards": 1, "archive": archive}
    with pytest.raises(InputError, match=says) as error:
        load(tiny, corpora={"tiny": corpus})
    assert "secret" not in str(error.value)
