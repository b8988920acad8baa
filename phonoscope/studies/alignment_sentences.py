"""Which recording stands for each sentence in each language of the alignment study, and its states."""

import logging
from collections import Counter
from itertools import combinations

import numpy as np
import pyarrow as pa

from phonoscope import embeddings, tables
from phonoscope.errors import InputError
from phonoscope.studies.shards import check_one_model

MISSING, EMPTY, FURTHER = "missing in this language", "empty transcript", "further recording"

LEFT_OUT = pa.schema([("language", pa.string()), ("reason", pa.string()), ("items", pa.int64())])


def choose(utterances, options):
    """One recording for each sentence and language; long, because half of it says what is chosen.

    Parameters
    ----------
    utterances : list of path
        Tables ``tables.UTTERANCES`` of all shards.
    options : dict
        ``languages``: which, or null for all; ``splits``: of the recordings (none: all); ``recordings``:
        which of several recordings of a sentence, ``first`` by utterance_id, ``random``, or
        ``{speakers: [NAME, …]}`` for the first by the first of these voices that speaks it (others are not
        used); ``seed``.

    Returns
    -------
    chosen : pyarrow.Table
        Of ``tables.UTTERANCES``, by language and sentence. A recording without a text stands for its
        sentence only where all have none; such a sentence is in no set of ``alignment_challenge.subsets``.
    left_out : pyarrow.Table
        Of :data:`LEFT_OUT`: per language, sentences that it lacks and that others have, sentences without
        a text, recordings beyond the first.

    Raises
    ------
    InputError
        Where a recording has no sentence_id, a language none that can be used, there is only one, or no
        sentence has a text in two of them.
    """
    rows = sorted(tables.read(utterances).to_pylist(), key=lambda row: row["utterance_id"])
    rows = [row for row in rows if not options["splits"] or row["split"] in options["splits"]]
    known = sorted({row["language"] for row in rows if row["language"]})
    languages = known if options["languages"] is None else options["languages"]
    rows = [row for row in rows if row["language"] in languages]
    for row in rows:
        if not row["sentence_id"]:
            raise InputError(
                "the recording has no sentence_id",
                row=row["utterance_id"],
                fix="give parallel sentences the same id in all languages",
            )
    rows = _by_speaker(rows, options["recordings"])
    lacking = [name for name in languages if name not in {row["language"] for row in rows}]
    if lacking or len(languages) < 2:
        raise InputError(
            f"no recordings of {', '.join(lacking) or 'a second language'}",
            path=utterances[0],
            fix="set alignment.languages, splits and recordings to what the corpus has",
        )
    chosen, left = _one_each(rows, languages, options)
    spoken = Counter(row["sentence_id"] for row in chosen if (row["text"] or "").strip())
    if max(spoken.values(), default=0) < 2:
        raise InputError(
            "no sentence has a text in two languages",
            path=utterances[0],
            fix="give parallel sentences the same id in all languages",
        )
    for (language, reason), count in left.items():
        logging.warning("%s: %s (%d)", language, reason, count)
    counts = [{"language": a, "reason": b, "items": n} for (a, b), n in sorted(left.items())]
    about = {"recordings": options["recordings"], "seed": options["seed"]}
    return (
        tables.from_rows(chosen, tables.UTTERANCES).cast(tables.with_provenance(tables.UTTERANCES, about)),
        tables.from_rows(counts, LEFT_OUT),
    )


def _by_speaker(rows, how):
    """Recordings that may be used, those to be preferred first."""
    if isinstance(how, str):
        return rows
    order = {speaker: place for place, speaker in enumerate(how["speakers"])}
    return sorted((row for row in rows if row["speaker"] in order), key=lambda row: order[row["speaker"]])


def _one_each(rows, languages, options):
    found, left = {}, Counter()
    for row in rows:
        found.setdefault((row["language"], row["sentence_id"]), []).append(row)
    sentences = sorted({sentence for _, sentence in found})
    chosen, rng = [], np.random.default_rng(options["seed"])
    for language in languages:
        for sentence in sentences:
            takes = found.get((language, sentence), [])
            spoken = [row for row in takes if (row["text"] or "").strip()]
            if not takes:
                left[language, MISSING] += 1
                continue
            left[language, EMPTY] += not spoken
            left[language, FURTHER] += len(takes) - 1
            takes = spoken or takes
            chosen.append(takes[rng.integers(len(takes)) if options["recordings"] == "random" else 0])
    return chosen, +left


def pairs_of(languages, wanted):
    """Pairs of languages, each once.

    Parameters
    ----------
    languages : list of str
    wanted : list of (str, str), optional
        All by default.

    Raises
    ------
    InputError
        Where one is not among the languages.
    """
    if wanted is None:
        return list(combinations(languages, 2))
    for pair in wanted:
        if absent := [language for language in pair if language not in languages]:
            raise InputError(
                f"there are no recordings of {absent[0]}",
                row="alignment.pairs",
                fix=f"use languages among {', '.join(languages)}",
            )
    return list(dict.fromkeys(tuple(sorted(pair)) for pair in wanted))


def states_of(recordings, paths):
    """Hidden states of some recordings, in the order of the files.

    Parameters
    ----------
    recordings : collection of str
        utterance_id.
    paths : list of path
        Embeddings of a layer, of all shards.

    Yields
    ------
    name : str
    frames : float32 array of shape (n_frames, d)
    provenance : dict
        Of its file.

    Raises
    ------
    InputError
        At the end, where some have none.
    """
    check_one_model(paths)
    lacking = set(recordings)
    for path in paths:
        if ids := [each for each in embeddings.utterance_ids(path) if each in lacking]:
            layer = embeddings.read(path, ids)
            edges = np.searchsorted(layer.utterance, np.arange(len(layer.utterance_ids) + 1))
            for name, first, last in zip(layer.utterance_ids, edges, edges[1:], strict=False):
                yield name, layer.values[first:last], layer.provenance
            lacking -= set(layer.utterance_ids)
    if lacking:
        raise InputError(
            f"{len(lacking)} chosen recordings have no hidden states",
            path=paths[0],
            row=f"utterance {min(lacking)}",
            fix="see left_out.csv; take the recordings out of the corpus, or delete the file and run again",
        )
