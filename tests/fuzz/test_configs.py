"""Whatever a config says: it is taken as it is meant, or refused in one line with the key and the fix."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from spoiling import mutations

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = (
    "config/config.yaml",
    "config/paper.yaml",
    "config/paper_measure.yaml",
    "config/examples/real_ema.yaml",
    "config/examples/tusom.yaml",
)
# What a config of thousands of lines may take.
MOST_BYTES = 48 * 2**20


class _Dumper(yaml.SafeDumper):
    """Writes every value where it stands."""

    def ignore_aliases(self, data):
        return True


def written(tree):
    """A tree as the bytes of a YAML file."""
    text = yaml.dump(tree, Dumper=_Dumper, sort_keys=False, allow_unicode=True)
    return text.encode("utf-8", errors="surrogatepass")


def _tree(path):
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def _values(path):
    odd = mutations.ODD + mutations.ODD_IN_YAML
    return mutations.spoiled_tree(_tree(path), odd=odd).map(written)


CASES = {f"{path}: values": _values(path) for path in CONFIGS}
CASES |= {f"{path}: bytes": mutations.spoiled((ROOT / path).read_bytes()) for path in CONFIGS}

LEAST = "corpora: {a: {reader: audio, path: x, shards: 1, files: {audio: '*.wav'}}}\n"
# What YAML makes of innocent looks, with what is said of it.
ODDITIES = {
    "an empty file": (b"", "keys at top level"),
    "a list": (b"- corpora\n", "keys at top level"),
    "a word": (b"corpora\n", "keys at top level"),
    "tabs": (b"corpora:\n\ta: 1\n", "not valid JSON or YAML"),
    "an open bracket": (b"corpora: {a: [\n", "not valid JSON or YAML"),
    "two documents": (LEAST.encode() + b"---\n" + LEAST.encode(), "not valid JSON or YAML"),
    "no encoding": (b"corpora: {caf\xe9: 1}\n", "can't decode"),
    "nothing but zeros": (bytes(1000), "not valid JSON or YAML"),
    "corpora twice": (2 * LEAST.encode(), "line 2: the key 'corpora' is there twice"),
    "a key twice": (LEAST.replace("path: x", "path: x, path: y").encode(), "the key 'path' is there twice"),
    "a name that is false": (LEAST.replace("{a:", "{no:").encode(), "corpora: the key False is no text"),
    "a name that is a number": (LEAST.replace("{a:", "{1:").encode(), "corpora: the key 1 is no text"),
    "a name that is a date": (LEAST.replace("{a:", "{2026-01-02:").encode(), "is no text"),
    "a name that is empty": (LEAST.replace("{a:", "{'':").encode(), "'' cannot be a name"),
    "a name with a line break": (LEAST.replace("{a:", '{"a\\n":').encode(), "is no text"),
    "a path that is a date": (LEAST.replace("x,", "2026-01-02,").encode(), "corpora.a.path: datetime.date"),
    "a path that is true": (LEAST.replace("x,", "yes,").encode(), "corpora.a.path: True is not of type"),
    "a path with a zero": (LEAST.replace("x,", '"a\\0b",').encode(), "corpora.a.path: .* control character"),
    "a share that is no number": (LEAST.encode() + b"articulation: {test_share: .nan}\n", "test_share: nan"),
    "a rate without end": (LEAST.encode() + b"articulation: {rate: .inf}\n", "articulation.rate: inf"),
    "more digits than a float": (
        LEAST.encode() + b"articulation: {seed: 1" + 400 * b"0" + b"}\n",
        "many digits",
    ),
    "more digits than int() takes": (
        LEAST.encode() + b"articulation: {seed: 1" + 5000 * b"0" + b"}\n",
        "4300 digits",
    ),
    "a depth that is a float": (
        LEAST.encode() + b"models: {m: {encoder: transformers, path: x, depth: 4.0}}\n",
        "models.m.depth: 4.0 is not of type 'integer'",
    ),
    "a depth beyond memory": (
        LEAST.encode() + b"models: {m: {encoder: transformers, path: x, depth: 1000000000}}\n",
        "models.m.depth: 1000000000 is greater than",
    ),
    "shards beyond memory": (LEAST.replace("shards: 1", "shards: 1000000000").encode(), "corpora.a.shards"),
    "shards by speakers who are not named": (
        LEAST.replace("1, files", "speakers, files").encode(),
        "corpora.a.shards",
    ),
    "an anchor within itself": (b"corpora: &a {a: *a}\n", "holds too much"),
    "anchors without number": (
        b"a0: &a0 [1, 1]\n" + b"".join(f"a{i}: &a{i} [{9 * f'*a{i - 1}, '}]\n".encode() for i in range(1, 9)),
        "holds too much",
    ),
    "brackets without number": (b"corpora: " + b"[" * 3000, "recursion"),
    "a merge of nothing": (b"corpora: {a: {<<: 1, reader: audio}}\n", "not valid JSON or YAML"),
}


def judge(nursery, folder, size):
    """Read the config in ``folder``; fail unless it was taken or refused as it should be."""
    answer = nursery.read("config", folder)
    assert answer["outcome"] in ("read", "refused"), f"{folder}: {answer['text']}"
    if answer["outcome"] == "refused":
        text = answer["text"]
        assert text.isprintable() and answer["named"] and len(text) < 3500, f"{folder}: {text[:5000]}"
    if answer["peak"] > MOST_BYTES + 100 * size:
        # What is loaded at its first use, whatever the file, is not loaded again.
        answer = nursery.read("config", folder)
    assert answer["peak"] <= MOST_BYTES + 100 * size, f"{folder}: {answer}"
    return answer


@pytest.fixture
def folder(nursery, tmp_path, monkeypatch):
    """A folder for a config, in a process that has read a valid one in the project's folder."""
    monkeypatch.chdir(ROOT)
    (tmp_path / "config.yaml").write_bytes(LEAST.encode())
    nursery.warm_up("config", tmp_path)
    return tmp_path


def fuzz(nursery, folder, contents, profile, examples):
    @settings(settings.get_profile(profile), max_examples=examples)
    @given(contents.map(mutations.Content))
    def each(content):
        (folder / "config.yaml").write_bytes(content)
        judge(nursery, folder, len(content))

    each()


@pytest.mark.parametrize("name", CASES)
def test_spoiled_configs(nursery, folder, name):
    fuzz(nursery, folder, CASES[name], "fuzz", 25)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_spoiled_configs_for_longer(nursery, folder, name):
    fuzz(nursery, folder, CASES[name], "fuzz-deep", 200)


@pytest.mark.parametrize("name", ODDITIES)
def test_oddities_of_yaml(nursery, folder, name):
    content, said = ODDITIES[name]
    (folder / "config.yaml").write_bytes(content)
    answer = judge(nursery, folder, len(content))
    assert answer["outcome"] == "refused"
    assert re.search(said, answer["text"]), answer["text"]


@pytest.mark.parametrize("path", CONFIGS)
def test_the_shipped_configs_are_taken(nursery, folder, path):
    (folder / "config.yaml").write_bytes((ROOT / path).read_bytes())
    assert judge(nursery, folder, 0)["outcome"] == "read"


@pytest.mark.parametrize(
    "name",
    [
        "a name that is a number",
        "corpora twice",
        "a rate without end",
        "shards by speakers who are not named",
    ],
)
def test_snakemake_says_it_in_one_line(tmp_path, name):
    content, said = ODDITIES[name]
    (tmp_path / "config.yaml").write_bytes(content)
    command = [sys.executable, "-m", "snakemake", "-s", ROOT / "Snakefile", "-n", "-q", "--cores", "1"]
    done = subprocess.run(
        [*command, "--configfile", "config.yaml"],
        cwd=tmp_path,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=120,
    )
    assert done.returncode == 1 and "Traceback" not in done.stdout
    (line,) = (line for line in done.stdout.splitlines() if said in line)
    assert line.startswith("config.yaml: ") and "Fix: " in line
