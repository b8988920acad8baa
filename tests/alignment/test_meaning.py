"""What words mean: by a list, and by a tiny model of sentence-transformers that is made here."""

import json
import shutil

import numpy as np
import pyarrow as pa
import pytest

from phonoscope.alignment import meaning, meaning_model
from phonoscope.alignment.meaning import MEANINGS, Meanings
from phonoscope.downloads.hub import Snapshot
from phonoscope.errors import InputError

LIST = """sentence_id\tlanguage\tword\tconcept
s1\ten\tthe\t
s1\ten\tMap\tmap
s1\ten\tagain\tagain
s1\ten\tbank\tmoney
s2\ten\tbank\triver
s1\tes\totra\tagain
s1\tes\tvez\tagain
s1\tes\tel\t
s1\tes\tmapa\tmap
"""
WORDS = [("en", "again"), ("en", "bank"), ("en", "map"), ("en", "the"), ("en", "unheard")]
WORDS += [("es", "el mapa"), ("es", "mapa"), ("es", "mapa otra"), ("es", "otra vez")]


def types(words=WORDS):
    return pa.table({"language": [a for a, _ in words], "word": [b for _, b in words]})


@pytest.fixture
def listed(tmp_path):
    path = tmp_path / "words.tsv"
    path.write_text(LIST, encoding="utf-8")
    return path


def test_concepts_of_words_and_of_words_spoken_as_one(listed):
    found = meaning.embed(types(), "concepts", listed)
    assert found.schema.equals(MEANINGS)
    # Not known: of two concepts, without one, not in the list, two words of two concepts.
    assert found["concept"].to_pylist() == ["again", None, "map", None, None, "map", "map", None, "again"]
    meanings = Meanings(found)
    assert meanings.known.tolist() == [c is not None for c in found["concept"].to_pylist()]
    got = meanings.matrix([0, 2, 3], [5, 8, 7])
    assert np.array_equal(got, [[0, 1, np.nan], [1, 0, np.nan], [np.nan] * 3], equal_nan=True)


def test_lists_that_cannot_be_used_are_refused(listed, tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        meaning.embed(types(), "concepts", tmp_path / "none.tsv")
    with pytest.raises(InputError, match="language fi: no word of fi has a meaning, of 1 such as kartta"):
        meaning.embed(types([*WORDS, ("fi", "kartta")]), "concepts", listed)
    bad = tmp_path / "bad.tsv"
    bad.write_text("language\tword\nen\tmap\n")
    with pytest.raises(InputError, match="lack concept"):
        meaning.read_concepts(bad)
    bad.write_text("language\tword\tconcept\nen\tmap\n")
    with pytest.raises(InputError, match="lack row 2"):
        meaning.read_concepts(bad)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Words that share letters are alike: mean of a vector per letter."""
    sentence_transformers = pytest.importorskip("sentence_transformers")
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer, models, pre_tokenizers

    letters = {letter: at for at, letter in enumerate("?abcdefghijklmnopqrstuvwxyz")}
    tokenizer = Tokenizer(models.WordLevel(letters, unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    weights = np.random.default_rng(0).normal(size=(len(letters), 16)).astype(np.float32)
    folder = tmp_path_factory.mktemp("meaning") / "model"
    static = StaticEmbedding(tokenizer, embedding_weights=weights)
    sentence_transformers.SentenceTransformer(modules=[static], device="cpu").save(str(folder))
    return folder, letters, weights


def test_vectors_are_those_of_the_model(model):
    folder, letters, weights = model
    words = ["map", "mapa", "otra vez", "x"]
    found = meaning_model.vectors(folder, words)
    expected = [np.mean([weights[letters.get(c, 0)] for c in word], axis=0) for word in words]
    expected = np.array([each / np.linalg.norm(each) for each in expected])
    # Letters of a word with a space in it are split in another way.
    np.testing.assert_allclose(found[[0, 1, 3]], expected[[0, 1, 3]], atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)
    rows = types([("en", "map"), ("es", "map"), ("es", "mapa")])
    meanings = Meanings(meaning.embed(rows, "sentence_transformer", folder, meaning_model.vectors))
    assert meanings.known.all()
    got = meanings.matrix([0], [1, 2])[0]
    assert got == pytest.approx([1, expected[0] @ expected[1]], abs=1e-6)


def test_a_local_model_is_known_by_its_files(model, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(model[0], folder)
    first = meaning_model.fetch({"hub": None, "revision": None, "path": str(folder)})
    assert first["commit"].startswith("sha256:") and "modules.json" in first["files"]
    assert any(name.endswith("model.safetensors") for name in first["files"])
    assert meaning_model.fetch({"path": str(folder)})["commit"] == first["commit"]
    (folder / "tokenizer.json").write_text("{}")
    assert meaning_model.fetch({"path": str(folder)})["commit"] != first["commit"]
    with pytest.raises(InputError, match="cannot be loaded"):
        meaning_model.vectors(folder, ["map"])


def test_a_model_of_the_hub_is_pinned_to_its_commit(model, monkeypatch):
    asked = {}

    def snapshot(hub, revision, **options):
        asked.update(options, hub=hub, revision=revision)
        return Snapshot(model[0], "f" * 40, {"modules.json": "0"})

    monkeypatch.setattr(meaning_model, "snapshot", snapshot)
    found = meaning_model.fetch({"hub": "a/b", "revision": "main", "path": None})
    assert found == {"hub": "a/b", "revision": "main", "commit": "f" * 40} | {
        "folder": str(model[0]),
        "files": {"modules.json": "0"},
    }
    assert (asked["hub"], asked["revision"], asked["row"]) == ("a/b", "main", "alignment.words.meaning.hub")
    assert not any(".bin" in kind or ".py" in kind for kind in asked["allow"])


def test_code_and_pickles_are_refused(model, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(model[0], folder)
    weights = next(folder.rglob("model.safetensors"))
    weights.rename(weights.with_name("pytorch_model.bin"))
    with pytest.raises(InputError, match="no safetensors"):
        meaning_model.vectors(folder, ["map"])
    modules = json.loads((folder / "modules.json").read_text())
    modules[0]["type"] = "mine.Model"
    (folder / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(InputError, match="code of its own"):
        meaning_model.fetch({"path": str(folder)})
    with pytest.raises(InputError, match=r"no model of sentence-transformers"):
        meaning_model.fetch({"path": str(tmp_path)})


def test_vectors_without_a_direction_are_refused(model, monkeypatch):
    import sentence_transformers

    bad = np.eye(2, 16, dtype=np.float32)
    bad[1] = 0
    monkeypatch.setattr(sentence_transformers.SentenceTransformer, "encode", lambda *a, **k: bad)
    with pytest.raises(InputError, match="word 'b'"):
        meaning_model.vectors(model[0], ["a", "b"])
