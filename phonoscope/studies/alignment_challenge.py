"""Challenge sets: parallel sentences without proper nouns and without words that sound alike.

Those of arXiv 2505.19606 were made by spaCy and by hand, and are not public; these are made by rules.
"""

import logging
from itertools import combinations

import numpy as np
import pyarrow as pa

from phonoscope import tables
from phonoscope.alignment import likeness, pronounce, proper_nouns
from phonoscope.errors import InputError

# Words nearer than this sound alike. Chosen with likeness.SCALE on the sentences of synthetic-parallel with
# odd numbers: the least threshold with an F1 over pairs of sentences within 0.01 of the best, since a larger
# one takes more words by chance, the more the longer the sentences are (`alike_by_chance` says how many).
THRESHOLD = 0.44
# Shorter words are alike by chance.
LEAST_PHONES = 3

MISSING, EMPTY = "missing in one language", "empty transcript"
PROPER_NOUN, ALIKE = "proper noun", "sounds alike"

# One row per sentence and pair of languages. The two words are the nearest, alike or not; null where no word
# has enough phones.
PAIRS = pa.schema(
    [
        *((name, pa.string()) for name in ("language_a", "language_b", "sentence_id")),
        ("kept", pa.bool_()),
        *((name, pa.string()) for name in ("reason", "proper_nouns", "word_a", "word_b")),
        ("distance", pa.float32()),
    ]
)
# One row per pair of words that sound alike, whatever the sentence was dropped for.
LOOKALIKES = pa.schema(
    [
        *((name, pa.string()) for name in ("sentence_id", "language_a", "language_b", "word_a", "word_b")),
        ("distance", pa.float32()),
    ]
)


def choose(utterances, segments, options):
    """Which sentences are kept for each pair of languages, and why others are not.

    A sentence that is missing or empty in one of the two languages is dropped first, then one with a proper
    noun in any language, then one with a pair of words that sound alike.

    Parameters
    ----------
    utterances, segments : list of path
        Tables ``tables.UTTERANCES`` and ``tables.SEGMENTS`` of all shards; no segments: an empty list. Of
        several recordings of a sentence the first, by utterance_id, with a text counts.
    options : dict
        ``languages``: which, or null for all; ``splits``: of the recordings, or null; ``pronunciation``: of
        ``pronounce.WAYS``, or ``segments`` (the tiers word and phone), which auto prefers where every text
        has them and they are no romanised letters; ``voices``: language to voice, of
        :func:`pronounce.pronounce`; ``threshold``; ``least_phones``: of each of two words that sound alike;
        ``drop_proper_nouns``; ``spacy``: language to model; ``names``: path of a list, or null; ``seed``.

    Returns
    -------
    pairs, lookalikes : pyarrow.Table
        Of :data:`PAIRS` and :data:`LOOKALIKES`. The provenance of ``pairs`` says how words got phones and
        proper nouns were found, per language, and for each pair of languages the share of sentence pairs
        with words that sound alike among pairs of *different* sentences (``alike_by_chance``).

    Raises
    ------
    InputError
        Where there are fewer than two languages, a sentence has no id, words get no phones, or proper nouns
        shall be dropped and nothing can find them in any language.
    """
    texts = _texts(utterances, options["languages"], options["splits"])
    words, pronounced = _words(texts, utterances, segments, options)
    nouns, told = _proper_nouns(texts, options) if options["drop_proper_nouns"] else ({}, {})
    rows, found, chance = [], [], {}
    rng = np.random.default_rng(options["seed"])
    for a, b in combinations(texts, 2):
        nearest = _Nearest(words[a], words[b], options["least_phones"])
        near, alike = nearest.alike(options["threshold"])
        chance[f"{a}-{b}"] = nearest.by_chance(options["threshold"], rng)
        for sentence in sorted(texts[a].keys() | texts[b].keys()):
            reason = _reason(sentence, texts[a], texts[b], nouns, alike)
            where = {"language_a": a, "language_b": b, "sentence_id": sentence}
            row = {"kept": reason is None, "reason": reason, "proper_nouns": nouns.get(sentence)}
            rows.append(where | row | near.get(sentence, {}))
            found += [where | each for each in alike.get(sentence, ())]
    about = {name: options[name] for name in ("threshold", "least_phones", "drop_proper_nouns", "seed")}
    about |= {"scale": likeness.SCALE, "pronounced": pronounced, "proper_nouns_by": told}
    about |= {"alike_by_chance": chance}
    pairs = tables.from_rows(rows, PAIRS).cast(tables.with_provenance(PAIRS, about))
    return pairs, tables.from_rows(found, LOOKALIKES).cast(tables.with_provenance(LOOKALIKES, about))


def _reason(sentence, a, b, nouns, alike):
    if sentence not in a or sentence not in b:
        return MISSING
    if not a[sentence] or not b[sentence]:
        return EMPTY
    return PROPER_NOUN if sentence in nouns else ALIKE if sentence in alike else None


def _texts(utterances, languages, splits):
    """Per language, in order, the text of every sentence."""
    columns = ["utterance_id", "language", "sentence_id", "text", "split"]
    rows = sorted(tables.read(utterances, columns).to_pylist(), key=lambda row: row["utterance_id"])
    rows = [row for row in rows if splits is None or row["split"] in splits]
    found = {language: {} for language in languages or sorted({row["language"] or "" for row in rows})}
    for row in rows:
        if row["language"] in found:
            if not row["sentence_id"]:
                raise InputError(
                    "the recording has no sentence_id",
                    row=row["utterance_id"],
                    fix="give parallel sentences the same id in all languages",
                )
            mine, text = found[row["language"]], (row["text"] or "").strip()
            mine[row["sentence_id"]] = mine.get(row["sentence_id"]) or text
    lacking = [language for language in found if not found[language] or not language]
    if lacking or len(found) < 2:
        what = f"no sentences of {', '.join(lacking) or 'a second language'}"
        raise InputError(what, path=utterances[0], fix="set `languages` and `splits` to what the corpus has")
    return found


def _words(texts, utterances, segments, options):
    """Per language and sentence the words with their phones; per language how."""
    way, spoken = options["pronunciation"], {}
    if segments and way in ("auto", "segments"):
        # Letters that an aligner took for phones are no better than those of the text.
        rough = any(tables.provenance(tables.schema(path)).get("units") == "romanised" for path in segments)
        if way == "segments" or not rough:
            spoken = _spoken(utterances, segments)
    found, ways = {}, {}
    for language, sentences in texts.items():
        mine = {sentence: spoken.get((language, sentence)) for sentence, text in sentences.items() if text}
        if mine and all(mine.values()):
            found[language], ways[language] = mine, "segments"
            continue
        if way == "segments":
            raise InputError(
                f"{sum(not words for words in mine.values())} of {len(mine)} sentences have no segments of "
                "the tiers word and phone",
                row=f"language {language}",
                fix="set `pronunciation` to auto or to another way",
            )
        words, ways[language] = pronounce.pronounce(
            [sentences[sentence] for sentence in mine], language, way, options["voices"].get(language)
        )
        found[language] = dict(zip(mine, words, strict=True))
    return found, ways


def _spoken(utterances, segments):
    """(language, sentence_id) to words, of the first recording that has them."""
    words = pronounce.spoken(tables.read(segments).to_pylist())
    rows = tables.read(utterances, ["utterance_id", "language", "sentence_id"]).to_pylist()
    found = {}
    for row in sorted(rows, key=lambda row: row["utterance_id"]):
        if words.get(row["utterance_id"]):
            found.setdefault((row["language"], row["sentence_id"]), words[row["utterance_id"]])
    return found


def _proper_nouns(texts, options):
    """Sentences with proper nouns, which are those of all languages together; per language how."""
    names = proper_nouns.read_names(options["names"]) if options["names"] else []
    found, ways = {}, {}
    for language, sentences in texts.items():
        model = options["spacy"].get(language)
        told, ways[language] = proper_nouns.find(list(sentences.values()), language, model, names)
        for sentence, nouns in zip(sentences, told, strict=True):
            found.setdefault(sentence, []).extend(f"{noun} ({language})" for noun in nouns)
    if not any(ways.values()):
        raise InputError(
            "nothing can tell proper nouns: the texts have no capitals",
            row="names",
            fix="give texts as they are written, a spaCy model or a list of names, or set "
            "`drop_proper_nouns: false`",
        )
    return {sentence: ", ".join(nouns) for sentence, nouns in found.items() if nouns}, ways


class _Nearest:
    """Distances of the words of two languages, of which each sentence has a list."""

    def __init__(self, a, b, least):
        self.a, self.b = ({s: [w for w in side[s] if len(w[1]) >= least] for s in side} for side in (a, b))
        self.both = sorted(s for s in self.a.keys() & self.b.keys() if self.a[s] and self.b[s])
        number = {}

        def codes(words):
            return np.array([number.setdefault(phones, len(number)) for _, phones in words])

        self.codes_a, self.codes_b = ({s: codes(side[s]) for s in self.both} for side in (self.a, self.b))
        self.phones = list(number)

    def alike(self, threshold):
        """Per sentence the nearest words; per sentence, if there are any, those nearer than ``threshold``."""
        nearest, found = {}, {}
        for s, distances in zip(self.both, self._distances(self.both, self.both), strict=True):
            nearest[s] = self._row(s, *np.unravel_index(distances.argmin(), distances.shape), distances)
            if distances.min() < threshold:
                found[s] = [self._row(s, *where, distances) for where in np.argwhere(distances < threshold)]
        return nearest, found

    def by_chance(self, threshold, rng):
        """Share of pairs of different sentences with words nearer than ``threshold``; None for no pairs."""
        if len(self.both) < 2:
            return None
        order = rng.permutation(self.both).tolist()
        distances = self._distances(order, order[1:] + order[:1])
        return float(np.mean([each.min() < threshold for each in distances]))

    def _row(self, s, i, j, distances):
        words = {"word_a": self.a[s][i][0], "word_b": self.b[s][j][0]}
        return words | {"distance": float(distances[i, j])}

    def _distances(self, of_a, of_b):
        """For sentences of a and of b, pair by pair, the distances of all words of the one to the other's."""
        if not of_a:
            return []
        n = len(self.phones)
        keys = [self.codes_a[s][:, None] * n + self.codes_b[t] for s, t in zip(of_a, of_b, strict=True)]
        # Most words stand in many sentences.
        unique, where = np.unique(np.concatenate([each.ravel() for each in keys]), return_inverse=True)
        found = likeness.distances(self.phones, *np.divmod(unique, n))[where]
        parts = np.split(found, np.cumsum([each.size for each in keys])[:-1])
        return [part.reshape(each.shape) for part, each in zip(parts, keys, strict=True)]


def subsets(pairs, pair, seed, n_random):
    """Sentences of the full set, of the challenge set, and of random sets of its size.

    Parameters
    ----------
    pairs : pyarrow.Table
        Of :func:`choose`.
    pair : (str, str)
        Languages, in either order: the sets are the same.
    seed : int
    n_random : int
        How many random sets, drawn from the full set without replacement.

    Returns
    -------
    full, challenge : list of str
        sentence_id; the full set is what neither language lacks.
    random : list of list of str

    Raises
    ------
    InputError
        Where the table does not have the pair.
    """
    rows = [row for row in pairs.to_pylist() if {row["language_a"], row["language_b"]} == set(pair)]
    if not rows:
        raise InputError(
            f"there is no pair of languages {'-'.join(pair)}", fix="choose two languages that the corpus has"
        )
    full = [row["sentence_id"] for row in rows if row["reason"] not in (MISSING, EMPTY)]
    challenge = [row["sentence_id"] for row in rows if row["kept"]]
    if not challenge:
        logging.warning("%s: no sentence is left for the challenge set", "-".join(pair))
    rng = np.random.default_rng([seed, *"-".join(sorted(pair)).encode()])
    draws = [sorted(rng.choice(len(full), len(challenge), replace=False)) for _ in range(n_random)]
    return full, challenge, [[full[at] for at in drawn] for drawn in draws]
