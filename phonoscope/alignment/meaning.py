"""How alike two words are in meaning: by the concepts of a list, or by vectors of a model.

A list is exact and only there for corpora that were made with it; a model such as LaBSE (Feng et al. 2022)
knows many languages, and its cosines of single words are a matter of degree.
"""

import numpy as np
import pyarrow as pa

from phonoscope import tables
from phonoscope.corpora import lists
from phonoscope.errors import InputError

CONCEPTS, MODEL = "concepts", "sentence_transformer"
# One row per type of word; where the meaning is not known both are null, else one of them.
MEANINGS = pa.schema(
    [
        *((name, pa.string()) for name in ("language", "word", "concept")),
        ("vector", pa.binary()),
    ]
)
_COLUMNS = ("language", "word", "concept")


class Meanings:
    """The meanings of types of words.

    Parameters
    ----------
    table : pyarrow.Table
        Of :data:`MEANINGS`.

    Attributes
    ----------
    known : bool array of shape (n_types,)
    """

    def __init__(self, table):
        vectors = table["vector"].to_pylist()
        concepts = table["concept"].to_pylist()
        self.known = np.array(
            [v is not None or c is not None for v, c in zip(vectors, concepts, strict=True)], bool
        )
        self._vectors = self._codes = None
        if any(vector is not None for vector in vectors):
            size = next(len(vector) for vector in vectors if vector is not None)
            filled = b"".join(vector or bytes(size) for vector in vectors)
            self._vectors = np.frombuffer(filled, "<f4").reshape(len(vectors), -1)
        else:
            number = {name: at for at, name in enumerate(sorted({c for c in concepts if c is not None}))}
            self._codes = np.array([number.get(concept, -1) for concept in concepts], np.intp)

    def matrix(self, first, second):
        """Similarity of every type of ``first`` with every one of ``second``.

        Parameters
        ----------
        first, second : int arrays of shape (n,) and (m,)
            Rows of the table.

        Returns
        -------
        float32 array of shape (n, m)
            Cosine of the vectors, or 1 for one concept and 0 for two; NaN where a meaning is not known.
        """
        first, second = np.asarray(first, np.intp), np.asarray(second, np.intp)
        if self._vectors is not None:
            found = np.clip(self._vectors[first] @ self._vectors[second].T, -1, 1)
        else:
            found = (self._codes[first][:, None] == self._codes[second]).astype(np.float32)
        found[~self.known[first]] = np.nan
        found[:, ~self.known[second]] = np.nan
        return found


def embed(types, how, source, vectors=None):
    """Meanings of types of words.

    Parameters
    ----------
    types : pyarrow.Table
        With the columns language and word.
    how : {"concepts", "sentence_transformer"}
    source : path-like
        The list of concepts, or the folder of the model.
    vectors : callable, optional
        ``meaning_model.vectors``, for a model: not imported here, where the jobs of a layer come by.

    Returns
    -------
    pyarrow.Table
        Of :data:`MEANINGS`, in the order of ``types``.

    Raises
    ------
    InputError
        Where the list or the model cannot be read, or a language has no word with a meaning.
    """
    rows = types.select(["language", "word"]).to_pylist()
    if how == CONCEPTS:
        known = read_concepts(source)
        for row in rows:
            row["concept"] = _concept(known, row["language"], row["word"])
    else:
        words = sorted({row["word"] for row in rows})
        found = dict(zip(words, vectors(source, words), strict=True))
        for row in rows:
            row["vector"] = found[row["word"]].tobytes()
    for language in sorted({row["language"] for row in rows}):
        mine = [row for row in rows if row["language"] == language]
        if not any(row.get("concept") or row.get("vector") for row in mine):
            raise InputError(
                f"no word of {language} has a meaning, of {len(mine)} such as {mine[0]['word']}",
                path=source,
                row=f"language {language}",
                fix="list the words as they are spoken, in lower case, or leave the language out",
            )
    return tables.from_rows(rows, MEANINGS).cast(tables.with_provenance(MEANINGS, {"by": how}))


def read_concepts(path):
    """The concept of each word of a list.

    Parameters
    ----------
    path : path-like
        Tab-separated, with the columns language, word and concept, perhaps among others. A word without a
        concept, such as an article, has no meaning to compare; nor has one that is listed with several.

    Returns
    -------
    dict of (str, str) to str
        (language, word in lower case) to the concept, empty for none.

    Raises
    ------
    InputError
        Where it cannot be read or lacks a column.
    """
    found = {}
    for row in lists.read(path, _COLUMNS, "the concepts"):
        found.setdefault((row["language"], row["word"].lower()), set()).add(row["concept"])
    return {word: next(iter(concepts)) if len(concepts) == 1 else "" for word, concepts in found.items()}


def _concept(known, language, word):
    """The concept of a word; of words that were spoken as one (*otra vez*), theirs if they have one only."""
    whole = known.get((language, word))
    parts = {whole} if whole else {known.get((language, part)) for part in word.split()} - {None, ""}
    return next(iter(parts)) if len(parts) == 1 else None
