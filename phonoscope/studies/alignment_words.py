"""Which words the chosen recordings have, when, and how alike their types sound across languages."""

import logging
from collections import Counter

import numpy as np
import pyarrow as pa

from phonoscope import tables
from phonoscope.alignment import likeness, pronounce
from phonoscope.errors import InputError
from phonoscope.studies.alignment_sentences import pairs_of

NO_WORDS, NO_LENGTH, NO_PHONES = "recording without words", "word without a length", "word without phones"

# One row per word that was said; position counts the words of a recording, with those left out.
WORDS = pa.schema(
    [
        *((name, pa.string()) for name in ("utterance_id", "language", "sentence_id")),
        ("position", pa.int32()),
        ("word", pa.string()),
        *((name, pa.float64()) for name in ("start_s", "end_s")),
    ]
)
# One row per type: a spelling of a language. `tokens`: how often it was said.
TYPES = pa.schema(
    [
        *((name, pa.string()) for name in ("language", "word")),
        ("phones", pa.list_(pa.string())),
        ("tokens", pa.int64()),
    ]
)
# One row per type of language_a (row of the types' table) and language_b: float32 distances to the types of
# language_b, in the order of the table. Made once for all layers and models.
DISTANCES = pa.schema(
    [
        *((name, pa.string()) for name in ("language_a", "language_b")),
        ("type_a", pa.int32()),
        ("distances", pa.binary()),
    ]
)
LEFT_OUT = pa.schema([("language", pa.string()), ("reason", pa.string()), ("items", pa.int64())])


def choose(chosen, segments, times, options):
    """Words of the chosen recordings with their times, their types, and how alike types sound.

    Parameters
    ----------
    chosen : path
        As ``alignment_sentences.choose`` gives it.
    segments : list of path
        Tables ``tables.SEGMENTS`` of all shards.
    times : list of path
        Tables of the same columns with the tier word, that say when words were said; those of ``segments``
        themselves, or a model's.
    options : dict
        ``pairs``: of languages, or null for all; ``pronunciation`` and ``voices``: as
        ``alignment_challenge.choose`` takes them, but that segments need not be there for all recordings.

    Returns
    -------
    words, types, distances, left_out : pyarrow.Table
        Of :data:`WORDS`, :data:`TYPES`, :data:`DISTANCES` and :data:`LEFT_OUT`. A word is in lower case and
        without punctuation around it; of a type that is said in several ways, the most frequent counts.

    Raises
    ------
    InputError
        Where a language has no words with times, or no phones.
    """
    columns = ["utterance_id", "language", "sentence_id"]
    recordings = {row["utterance_id"]: row for row in tables.read(chosen, columns).to_pylist()}
    rows, left = _words(recordings, tables.read(times).to_pylist())
    languages = list(dict.fromkeys(row["language"] for row in recordings.values()))
    for language in languages:
        if not any(row["language"] == language for row in rows):
            raise InputError(
                f"no recording of {language} has words with times",
                path=times[0],
                row=f"language {language}",
                fix="set alignment.words.times to a model that can tell when words are said, give the corpus "
                "`align`, or leave the language out",
            )
    counts = Counter((row["language"], row["word"]) for row in rows)
    spoken, ways = _phones(counts, recordings, segments, options)
    types = [
        {"language": language, "word": word, "phones": spoken.get((language, word), ()), "tokens": n}
        for (language, word), n in sorted(counts.items())
    ]
    for row in types:
        left[row["language"], NO_PHONES] += 0 if row["phones"] else row["tokens"]
    for (language, reason), count in sorted((+left).items()):
        logging.warning("%s: %s (%d)", language, reason, count)
    counted = [{"language": a, "reason": b, "items": n} for (a, b), n in sorted((+left).items())]
    about = tables.with_provenance(TYPES, {"pronounced": ways})
    return (
        tables.from_rows(rows, WORDS),
        tables.from_rows(types, TYPES).cast(about),
        tables.from_rows(_distances(types, pairs_of(languages, options["pairs"])), DISTANCES),
        tables.from_rows(counted, LEFT_OUT),
    )


def _words(recordings, segments):
    """Words by recording and time; (language, reason) to how many were left out."""
    said, left = {name: [] for name in recordings}, Counter()
    for row in segments:
        if row["tier"] == "word" and row["utterance_id"] in said:
            said[row["utterance_id"]].append(row)
    found = []
    for name, words in said.items():
        where = recordings[name]
        words = [
            row for row in sorted(words, key=lambda row: row["start_s"]) if pronounce.spelled(row["label"])
        ]
        left[where["language"], NO_WORDS] += not words
        for position, row in enumerate(words):
            if not row["end_s"] > row["start_s"]:
                left[where["language"], NO_LENGTH] += 1
                continue
            word = {"position": position, "word": pronounce.spelled(row["label"])}
            found.append(where | word | {"start_s": row["start_s"], "end_s": row["end_s"]})
    return found, left


def _phones(types, recordings, segments, options):
    """(language, word) to phones; language to how."""
    way = options["pronunciation"]
    spoken = _most_frequent(recordings, pronounce.spoken_in(segments, way, recordings))
    found, ways = {}, {}
    for language in sorted({language for language, _ in types}):
        words = sorted(word for where, word in types if where == language)
        known = {word: spoken.get((language, word), ()) for word in words}
        if any(known.values()):
            ways[language] = "segments"
        elif way == "segments":
            raise InputError(
                "no word has segments of the tiers word and phone",
                path=segments[0],
                row=f"language {language}",
                fix="set alignment.challenge.pronunciation to auto or to another way",
            )
        else:
            voice = options["voices"].get(language)
            read, ways[language] = pronounce.pronounce(words, language, way, voice)
            known = {word: _one(word, parts) for word, parts in zip(words, read, strict=True)}
        found |= {(language, word): phones for word, phones in known.items()}
    return found, ways


def _most_frequent(recordings, spoken):
    """(language, word) to its most frequent phones."""
    ways = {}
    for name, words in spoken.items():
        for word, phones in words:
            if phones:
                ways.setdefault((recordings[name]["language"], word), Counter())[phones] += 1
    return {word: min(counts, key=lambda way: (-counts[way], way)) for word, counts in ways.items()}


def _one(word, parts):
    """Phones of a word that is read as one, or as its parts: *otra vez*."""
    # In scripts without spaces the parts overlap, and the whole is among them.
    return dict(parts).get(word) or tuple(phone for _, phones in parts for phone in phones)


def _distances(types, pairs):
    rows_of = {}
    for at, row in enumerate(types):
        rows_of.setdefault(row["language"], []).append(at)
    rows = []
    for a, b in pairs:
        phones = [tuple(types[at]["phones"]) for at in rows_of[a] + rows_of[b]]
        n, m = len(rows_of[a]), len(rows_of[b])
        found = likeness.distances(phones, np.repeat(np.arange(n), m), n + np.tile(np.arange(m), n))
        silent = np.array([not each for each in phones])
        found = np.where(silent[:n, None] | silent[n:], np.nan, found.reshape(n, m)).astype("<f4")
        where = {"language_a": a, "language_b": b}
        for at, line in zip(rows_of[a], found, strict=True):
            rows.append(where | {"type_a": at, "distances": line.tobytes()})
    return rows
