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
# one takes more words by chance, the more the longer the sentences are (`by_chance` says how many).
THRESHOLD = 0.44
# Shorter words are alike by chance.
LEAST_PHONES = 3
# Turns of the sentences against one another, to see how often different ones have words that sound alike.
TURNS = 5

MISSING, EMPTY = "missing in one language", "empty transcript"
PROPER_NOUN, ALIKE = "proper noun", "sounds alike"

# One row per sentence and pair of languages. The two words are the nearest, alike or not; null where no word
# has enough phones. threshold is that of the pair of languages, by_chance the share of pairs of different
# sentences with words nearer than it.
PAIRS = pa.schema(
    [
        *((name, pa.string()) for name in ("language_a", "language_b", "sentence_id")),
        ("kept", pa.bool_()),
        *((name, pa.string()) for name in ("reason", "proper_nouns", "word_a", "word_b")),
        *((name, pa.float32()) for name in ("distance", "threshold", "by_chance")),
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
        :func:`pronounce.pronounce`; ``threshold``, and ``most_by_chance``: the share of pairs of different
        sentences that may have words nearer than it, or a pair of languages gets a lower one;
        ``least_phones``: of each of two words that sound alike;
        ``drop_proper_nouns``; ``spacy``: language to model; ``names``: path of a list, or null; ``seed``.

    Returns
    -------
    pairs, lookalikes : pyarrow.Table
        Of :data:`PAIRS` and :data:`LOOKALIKES`. The provenance of ``pairs`` says how words got phones and
        proper nouns were found, per language.

    Raises
    ------
    InputError
        Where there are fewer than two languages, a sentence has no id, words get no phones, or proper nouns
        shall be dropped and nothing can find them in any language.
    """
    texts = _texts(utterances, options["languages"], options["splits"])
    words, pronounced = _words(texts, utterances, segments, options)
    nouns, told = _proper_nouns(texts, options) if options["drop_proper_nouns"] else ({}, {})
    rows, found = [], []
    rng = np.random.default_rng(options["seed"])
    for a, b in combinations(texts, 2):
        nearest = _Nearest(words[a], words[b], options["least_phones"])
        threshold, chance = nearest.threshold(options["threshold"], options["most_by_chance"], rng)
        if threshold < options["threshold"]:
            logging.warning(
                "%s-%s: over %.0f %% of different sentences have words nearer than %g; %.2f is taken instead",
                *(a, b, 100 * options["most_by_chance"], options["threshold"], threshold),
            )
        near, alike = nearest.alike(threshold)
        for sentence in sorted(texts[a].keys() | texts[b].keys()):
            reason = _reason(sentence, texts[a], texts[b], nouns, alike)
            where = {"language_a": a, "language_b": b, "sentence_id": sentence}
            row = {"threshold": threshold, "by_chance": chance}
            row |= {"kept": reason is None, "reason": reason, "proper_nouns": nouns.get(sentence)}
            rows.append(where | row | near.get(sentence, {}))
            found += [where | each for each in alike.get(sentence, ())]
    names = ("threshold", "most_by_chance", "least_phones", "drop_proper_nouns", "seed")
    about = {name: options[name] for name in names}
    about |= {"scale": likeness.SCALE, "pronounced": pronounced, "proper_nouns_by": told}
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
    way = options["pronunciation"]
    spoken = _by_sentence(utterances, pronounce.spoken_in(segments, way))
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


def _by_sentence(utterances, words):
    """(language, sentence_id) to words, of the first recording that has them."""
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

    def threshold(self, threshold, most, rng):
        """``threshold``, or the largest below it that few enough pairs of different sentences stay under.

        Returns
        -------
        threshold : float
        by_chance : float or None
            Their share; None where there are no pairs.
        """
        if len(self.both) < 2:
            return threshold, None
        order = rng.permutation(self.both).tolist()
        turned = [order[by:] + order[:by] for by in range(1, min(TURNS, len(order) - 1) + 1)]
        nearest = np.sort([each.min() for turn in turned for each in self._distances(order, turn)])
        if (allowed := int(most * len(nearest))) < len(nearest):
            threshold = min(threshold, float(nearest[allowed]))
        return threshold, float(np.mean(nearest < threshold))

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
        How many random sets, drawn from the full set without replacement: in each draw every sentence of the
        corpus is exchanged for another one, in all pairs of languages alike.

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
    everywhere = sorted(set(pairs["sentence_id"].to_pylist()))
    rng = np.random.default_rng(seed)
    random = []
    for _ in range(n_random):
        # One exchange for all pairs of languages: their random sets overlap as the challenge sets do.
        order = rng.permutation(everywhere).tolist()
        instead = dict(zip(everywhere, order, strict=True))
        drawn = {instead[sentence] for sentence in challenge} & set(full)
        # In the place of those that this pair lacks.
        free = set(full) - drawn
        others = [sentence for sentence in order if sentence in free]
        random.append(sorted(drawn | set(others[: len(challenge) - len(drawn)])))
    return full, challenge, random
