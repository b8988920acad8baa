"""Properties of what is written: what goes in comes out, in its order, and shards part the recordings."""

import json
import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from phonoscope import embeddings, tables
from phonoscope.corpora.recordings import usable
from phonoscope.corpora.shards import bucket_of, shard_names, speakers_of
from phonoscope.corpora.tabulate import tabulate
from phonoscope.errors import InputError
from workflow.dag import settings as dag

SCHEMAS = {
    name: getattr(tables, name)
    for name in ("UTTERANCES", "SEGMENTS", "SCORES", "PREDICTIONS", "NOTES", "QUALITY")
}
FUZZ = settings(settings.get_profile("fuzz"))
# Any text that Unicode allows in a file.
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
NAMES = st.lists(TEXT.filter(bool), min_size=1, max_size=8, unique=True)
_VALUES = {
    "string": TEXT,
    "float": st.floats(width=32, allow_nan=False),
    "double": st.floats(allow_nan=False),
    "int32": st.integers(-(2**31), 2**31 - 1),
    "int64": st.integers(-(2**63), 2**63 - 1),
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def rows_of(draw, schema):
    """Rows with some of a schema's columns."""
    one = {field.name: st.none() | _VALUES[str(field.type)] for field in schema}
    return draw(st.lists(st.fixed_dictionaries({}, optional=one), max_size=6))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tables")


@pytest.mark.parametrize("name", SCHEMAS)
def test_tables_come_back_as_they_were(folder, name):
    schema = SCHEMAS[name]

    @FUZZ
    @given(rows_of(schema), st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), JSON, max_size=4))
    def each(rows, said):
        tables.write(tables.from_rows(rows, schema), folder / "t.parquet", **said)
        found = tables.read(folder / "t.parquet")
        assert found.schema.equals(schema) and found.to_pylist() == [
            {field.name: row.get(field.name) for field in schema} for row in rows
        ]
        assert tables.provenance(found) == tables.provenance(tables.schema(folder / "t.parquet")) == said

    each()


@FUZZ
@given(st.lists(rows_of(tables.SEGMENTS), min_size=1, max_size=4))
def test_several_tables_are_one_below_the_other(folder, parts):
    paths = [folder / f"{i}.parquet" for i in range(len(parts))]
    for path, rows in zip(paths, parts, strict=True):
        tables.write(tables.from_rows(rows, tables.SEGMENTS), path)
    whole = tables.read(paths)
    assert whole.schema.equals(tables.SEGMENTS) and whole.num_rows == sum(map(len, parts))
    assert whole.to_pylist() == [row for path in paths for row in tables.read(path).to_pylist()]
    assert tables.read(paths, columns=["label", "score"]).column_names == ["label", "score"]


@FUZZ
@given(rows_of(tables.NOTES), st.text(min_size=1).filter(lambda name: name not in tables.NOTES.names))
def test_no_column_is_lost_without_a_word(rows, name):
    with pytest.raises(KeyError):
        tables.from_rows([*rows, {name: "x"}], tables.NOTES)


@FUZZ
@given(st.data(), st.sampled_from((pa.float32(), pa.float64(), pa.int32())))
def test_numbers_are_those_of_pyarrow(data, kind):
    values = data.draw(st.lists(st.none() | _VALUES[str(kind)] if kind != pa.int32() else _VALUES["int32"]))
    chunks = [pa.array(values, kind), pa.array(values[::-1], kind)]
    start = data.draw(st.integers(0, len(values)))
    column = pa.chunked_array(chunks).slice(start)
    expected = np.array([np.nan if v is None else v for v in column.to_pylist()], tables._NUMPY[str(kind)])
    np.testing.assert_array_equal(tables.numbers(column), expected)


def _states(counts, d, dtype, exponent, seed):
    rng = np.random.default_rng(seed)
    return [(rng.normal(size=(n, d)) * 10.0**exponent).astype(np.float32) for n in counts]


@FUZZ
@given(
    NAMES,
    st.data(),
    st.integers(1, 40),
    st.sampled_from(("float16", "float32")),
    st.integers(-12, 6),
    st.integers(0, 2**32 - 1),
)
def test_embeddings_come_back_in_order(folder, names, data, d, dtype, exponent, seed):
    """Names, counts, frames and values; where half floats cannot hold them, the error says so."""
    counts = data.draw(st.lists(st.integers(0, 2500), min_size=len(names), max_size=len(names)))
    states = _states(counts, d, dtype, exponent, seed)
    path = folder / "layer.parquet"
    path.unlink(missing_ok=True)
    with np.errstate(over="ignore"):
        halves = [part.astype(np.float16).astype(np.float64) for part in states]
    fits = dtype == "float32" or all(
        np.isfinite(half).all()
        and (np.linalg.norm(part - half, axis=1) <= 1e-2 * np.linalg.norm(part.astype(float), axis=1)).all()
        for part, half in zip(states, halves, strict=True)
    )
    try:
        with embeddings.Writer(path, d, dtype, {"model": "m", "layer": 2}) as writer:
            for name, part in zip(names, states, strict=True):
                writer.append(name, part)
    except InputError as error:
        assert (
            not fits and not path.exists() and "layer 2 of model m" in str(error) and "float32" in error.fix
        )
        return
    assert fits
    found = embeddings.read(path, threads=2)
    assert found.utterance_ids == embeddings.utterance_ids(path) == names
    np.testing.assert_array_equal(found.utterance, np.repeat(np.arange(len(names)), counts))
    np.testing.assert_array_equal(found.frame, np.concatenate([np.arange(n) for n in counts]))
    expected = np.concatenate(states) if dtype == "float32" else np.concatenate(halves).astype(np.float32)
    np.testing.assert_array_equal(found.values, expected)
    some = data.draw(st.lists(st.sampled_from(names), unique=True, max_size=3))
    part = embeddings.read(path, some)
    assert part.utterance_ids == [name for name in names if name in some]
    assert len(part.values) == sum(n for name, n in zip(names, counts, strict=True) if name in some)


@FUZZ
@given(st.floats(60000, 70000), st.integers(0, 30))
def test_the_largest_half_float(value, at):
    row = np.zeros((1, 31), np.float32)
    row[0, at] = value
    # 65520 is half-way to what would come next.
    if row[0, at] <= 65504:
        assert np.isfinite(embeddings.to_half(row)).all()
    else:
        with pytest.raises(OverflowError, match="above the largest half float"):
            embeddings.to_half(row)


@FUZZ
@given(NAMES, st.integers(1, 12))
def test_shards_part_the_speakers(names, n):
    for how in ("speakers", n):
        if how != "speakers" and how > len(names):
            with pytest.raises(InputError, match="more than the"):
                shard_names(how, names)
            continue
        shards = shard_names(how, names)
        parts = [speakers_of(shard, how, names) for shard in shards]
        assert sorted(name for part in parts for name in part) == sorted(names) and all(parts)
        # A speaker who comes last changes one shard, or is one.
        longer = [speakers_of(shard, how, [*names, "+"]) for shard in shard_names(how, [*names, "+"])]
        assert sum(part != old for part, old in zip(longer, parts, strict=False)) == (how != "speakers")


@FUZZ
@given(st.lists(TEXT, unique=True, min_size=1, max_size=30), st.integers(1, 5))
def test_buckets_part_the_recordings(stems, n):
    buckets = {stem: bucket_of(stem, n) for stem in stems}
    assert set(buckets.values()) <= set(shard_names(n, [])) and buckets == {
        s: bucket_of(s, n) for s in stems[::-1]
    }


@pytest.fixture(scope="module")
def heard(tmp_path_factory):
    """A corpus of thirty recordings, heard only."""
    from spoiling import seeds

    folder = tmp_path_factory.mktemp("heard")
    for number in range(30):
        (folder / f"r[{number}].wav").write_bytes(seeds.audio())
    keys = {"name": "heard", "reader": "audio", "path": str(folder), "files": {"audio": "{stem}.wav"}}
    return keys | {"on_error": "stop", "axes": {"x": "+x", "z": "+z"}}


@pytest.mark.parametrize("n", [1, 2, 7])
def test_every_recording_is_in_one_shard(heard, n):
    found = [tabulate(heard | {"shards": n}, [], shard)[0] for shard in shard_names(n, [])]
    ids = [name for table in found for name in table["utterance_id"].to_pylist()]
    assert sorted(ids) == sorted(f"r[{number}]" for number in range(30))
    for shard, table in zip(shard_names(n, []), found, strict=True):
        assert table["shard"].to_pylist() == [shard] * len(table)
        assert table["utterance_id"].to_pylist() == sorted(table["utterance_id"].to_pylist())


@FUZZ
@given(st.permutations(["name", "reader", "path", "files", "on_error", "axes", "shards"]))
def test_the_order_of_keys_decides_nothing(heard, keys):
    corpus = heard | {"shards": 3}
    found, _ = usable({key: corpus[key] for key in keys}, [], "bucket1")
    expected, _ = usable(corpus, [], "bucket1")
    assert [recording.utterance_id for recording, _ in found] == [each.utterance_id for each, _ in expected]


def _turned(tree, data):
    """A tree with the keys of each dict in another order."""
    if isinstance(tree, dict):
        return {key: _turned(tree[key], data) for key in data.draw(st.permutations(list(tree)))}
    return [_turned(each, data) for each in tree] if isinstance(tree, list) else tree


def _without_names(options):
    """Options without the corpora and models that they are for, which come in the order of the config."""
    return {
        key: _without_names(value) if isinstance(value, dict) else value
        for key, value in options.items()
        if key not in ("corpora", "models")
    }


CONFIG = {
    "corpora": {
        "b": {
            "reader": "est",
            "path": "x",
            "shards": 2,
            "files": {"ema": "{stem}.ema", "audio": "{stem}.wav"},
            "sensors": {"TT": 1, "LL": 2},
            "axes": {"x": "-y", "z": "+z"},
        },
        "a": {"reader": "audio", "path": "y", "shards": 1},
    },
    "models": {"mel": {"encoder": "mel", "context": 1}, "mfcc": {"encoder": "mfcc", "n_mfcc": 5}},
    "articulation": {"probes": ["ridge"], "training_seconds": [5, 10], "rate": 100},
}


@settings(settings.get_profile("fuzz"), max_examples=15)
@given(st.data())
def test_the_order_of_a_config_reaches_no_parameter(data):
    one, two = dag.load(json.loads(json.dumps(CONFIG)), "c"), dag.load(_turned(CONFIG, data), "c")
    for name in CONFIG["corpora"]:
        assert one.corpus(name, dag.RECORDINGS + dag.CHANNELS) == two.corpus(
            name, dag.CHANNELS + dag.RECORDINGS
        )
        assert one.shards[name] == two.shards[name]
    for name in CONFIG["models"]:
        assert one.model(name) == two.model(name) and one.layers[name] == two.layers[name]
    for section in ("articulation", "tone", "alignment", "kinematics", "calibration", "embeddings"):
        first, second = _without_names(getattr(one, section)), _without_names(getattr(two, section))
        assert dag.canonical(first) == dag.canonical(second)


@FUZZ
@given(JSON)
def test_canonical_json_means_what_it_was_made_of(value):
    assume(not isinstance(value, float) or math.isfinite(value))
    assert json.loads(dag.canonical(value)) == json.loads(json.dumps(value))
