"""What a config may say, and what is said of one that is wrong."""

import copy
import inspect
from pathlib import Path

import pytest
import yaml

from phonoscope.corpora.readers import NAMES
from phonoscope.errors import InputError
from phonoscope.studies import articulation
from workflow.dag import settings
from workflow.dag.configuration import schema

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def config(tiny, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "speakers.tsv").write_text("speaker\nb\na\nc\n", encoding="utf-8")
    return tiny


def load(config):
    return settings.load(config, "mine.yaml")


def test_five_lines_are_enough(config):
    del config["articulation"]
    study = load(config)
    assert study.articulation["corpora"] == ["tiny"]
    assert study.articulation["models"] == ["mfcc", "mel", "untrained"]
    assert study.articulation["rate"] == 200 and study.embeddings["dtype"] == "float16"
    assert (
        settings.load(config | {"articulation": {"corpora": []}}, "mine.yaml").articulation["corpora"] == []
    )
    assert study.corpora["tiny"]["axes"] == {"x": "+x", "z": "+z"}
    assert study.models["untrained"]["precision"] == "float32"


_BOTH_X = {"reader": "est", "path": "x", "sensors": {"TT": 1}, "axes": {"x": "+x", "z": "-x"}}


_SPEAK = {"language": "fi", "minutes": 1}


@pytest.mark.parametrize(
    ("section", "key", "value", "words"),
    [
        ("articulation", "prob", ["ols"], ["mine.yaml: articulation", "'prob'", "did you mean probes"]),
        ("articulation", "probes", ["oles"], ["articulation.probes.0", "'oles'", "did you mean ols"]),
        ("articulation", "test_share", 1.5, ["articulation.test_share", "1.5", "keep for testing"]),
        ("articulation", "models", ["mffc"], ["articulation.models", "mffc", "mfcc, mel, untrained"]),
        ("models", "m f", {"encoder": "mfcc"}, ["'m f'", "letters, digits"]),
        ("models", "new", {"encoder": "mfcc", "hub": "a/b"}, ["models.new", "'hub'", "the keys here are"]),
        ("models", "new", {"encoder": "mffc"}, ["models.new.encoder", "did you mean mfcc"]),
        ("models", "new", {"encoder": "transformers", "hub": "a/b"}, ["'depth' is missing"]),
        ("models", "new", {"encoder": "transformers", "depth": 2}, ["a hub id, a path or a training"]),
        ("models", "new", {"encoder": "transformers", "depth": 2, "hub": "a/b"}, ["revision: main"]),
        ("models", "new", {"encoder": "mel", "layers": [1]}, ["models.new.layers", "depth 0", "from 0 to 0"]),
        (
            "corpora",
            "tables",
            {"reader": "est", "path": "x", "sensors": {"TT": 1}},
            ["results/tables", "choose a name other than"],
        ),
        (
            "corpora",
            "new",
            {"reader": "emu", "sensors": {"TT": 1}},
            ["corpora.new", "a path, a hub id, an archive or some"],
        ),
        (
            "corpora",
            "new",
            {"reader": "table", "path": "x", "speak": _SPEAK},
            ["set one of path, hub, archive and speak"],
        ),
        ("corpora", "new", {"reader": "audio", "speak": _SPEAK}, ["corpora.new", "set reader: table"]),
        ("corpora", "new", {"reader": "table", "speak": {"language": "fi"}}, ["'minutes' is missing"]),
        (
            "corpora",
            "new",
            {"reader": "table", "speak": _SPEAK | {"language": "eu"}},
            ["speak.language", "'eu'"],
        ),
        ("corpora", "new", {"reader": "audio", "path": "x", "sensors": {"TT": 1}}, ["audio has no EMA"]),
        (
            "corpora",
            "new",
            {"reader": "est", "path": "x", "files": {"ema": "x"}},
            ["files has ema", "add sensors"],
        ),
        ("articulation", "frame_alignment", "index", ["rate is 200", "set rate: 50"]),
        ("corpora", "new", _BOTH_X, ["corpora.new.axes", "both the file's x"]),
        ("corpora", "new", {"reader": "emma", "path": "x", "sensors": {"TT": 1}}, ["did you mean emu"]),
    ],
)
def test_a_mistake_is_named_with_its_place_and_the_fix(config, section, key, value, words):
    config[section][key] = value
    with pytest.raises(InputError) as caught:
        load(config)
    for word in words:
        assert word in str(caught.value)


def test_corpora_without_sensors_are_not_studied_for_articulation(config):
    config["corpora"]["heard"] = {"reader": "audio", "path": "x", "shards": 2}
    config["corpora"]["spoken"] = {"reader": "table", "speak": dict(_SPEAK), "shards": 1}
    study = load(config)
    assert study.articulation["corpora"] == ["tiny"] and set(study.shards) == {"tiny", "heard", "spoken"}
    assert study.corpora["heard"]["sensors"] == {} and study.corpora["spoken"]["speak"]["seed"] == 0
    config["articulation"]["corpora"] = ["tiny", "heard"]
    with pytest.raises(InputError, match=r"articulation\.corpora: heard has no sensors.*Fix: leave it out"):
        load(config)
    del config["corpora"]["tiny"]
    config["articulation"]["corpora"] = "all"
    assert load(config).articulation["corpora"] == []


def test_what_is_spoken_is_told_from_what_is_not(config):
    """A key that only some corpora have must leave the parameters of the others alone."""
    before = load(config).corpus("tiny", settings.RECORDINGS)
    config["corpora"]["spoken"] = {"reader": "table", "speak": dict(_SPEAK), "shards": 1}
    study = load(config)
    assert study.corpus("tiny", settings.RECORDINGS) == before and '"speak":' not in before
    assert study.corpus("spoken", ("speak",)) == (
        '{"name":"spoken","speak":{"language":"fi","minutes":1,"seed":0}}'
    )


def test_windows_cannot_overlap_by_their_length(config):
    config["embeddings"] = {"window": 5, "overlap": 8}
    with pytest.raises(InputError, match="make overlap smaller"):
        load(config)


def test_an_unknown_section(config):
    config["articulations"] = {}
    with pytest.raises(InputError, match="unknown key 'articulations'.*did you mean articulation"):
        load(config)


def test_a_layer_beyond_the_depth(config):
    config["models"]["untrained"]["layers"] = [0, 5]
    with pytest.raises(InputError, match="layer 5 does not exist in a model of depth 4"):
        load(config)


def test_shards_and_layers(config):
    study = load(config)
    assert list(study.shards["tiny"]) == ["b", "a", "c"] and study.layers["untrained"] == [0, 2]
    config["corpora"]["tiny"]["shards"] = 2
    config["models"]["untrained"]["layers"] = "all"
    study = load(config)
    found = {shard: [row["speaker"] for row in rows] for shard, rows in study.shards["tiny"].items()}
    assert found == {"bucket0": ["b", "c"], "bucket1": ["a"]} and study.layers["untrained"] == [0, 1, 2, 3, 4]


def test_parameters_do_not_depend_on_the_order_of_keys(config):
    turned = copy.deepcopy(config)
    turned["models"]["untrained"] = dict(reversed(turned["models"]["untrained"].items()))
    turned["corpora"]["tiny"] = dict(reversed(turned["corpora"]["tiny"].items()))
    one, two = load(config), load(turned)
    assert one.model("untrained") == two.model("untrained")
    keys = settings.RECORDINGS + settings.CHANNELS
    assert one.corpus("tiny", keys) == two.corpus("tiny", keys[::-1])


def test_every_option_of_the_study_reaches_one_rule():
    options = set(schema("config")["$defs"]["articulation"]["properties"])
    assert not set(settings.FILTER) & set(settings.SCORE)
    assert options == {*settings.FILTER, *settings.SCORE, "corpora", "models"}
    code = inspect.getsource(articulation)
    assert all(f'"{option}"' in code for option in settings.SCORE)


def test_every_key_of_a_corpus_reaches_a_rule():
    keys = set(schema("config")["$defs"]["corpus"]["properties"])
    assert keys == {*settings.RECORDINGS, *settings.CHANNELS, "speakers", "paper", "align"}


def test_every_key_is_explained():
    text = (ROOT / "config" / "README.md").read_text(encoding="utf-8")
    sections = schema("config")["$defs"]
    for section in ("corpus", "transformers", "mel", "mfcc", "embeddings", "articulation"):
        for key in sections[section]["properties"]:
            assert f"`{key}`" in text, f"{section}: {key}"


def test_every_reader_can_be_asked_for():
    assert set(schema("config")["$defs"]["corpus"]["properties"]["reader"]["enum"]) == set(NAMES)


def test_every_object_of_the_schema_refuses_unknown_keys():
    def walk(node, where):
        if isinstance(node, dict):
            if node.get("type") == "object" and where[-2:] not in (["$defs", "model"], ["$defs", "training"]):
                assert "additionalProperties" in node, ".".join(where)
            for key, child in node.items():
                walk(child, [*where, str(key)])
        elif isinstance(node, list):
            for child in node:
                walk(child, where)

    walk(schema("config"), [])


@pytest.mark.parametrize("path", sorted((ROOT / "config").rglob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_configs_are_valid(path, monkeypatch):
    monkeypatch.chdir(ROOT)
    study = settings.load(yaml.safe_load(path.read_text(encoding="utf-8")), path.name)
    assert study.articulation["corpora"] or study.tone["corpora"] or study.training
    assert all(study.layers.values())
