"""Retrieval of a sentence in one language by its recording in another, from the states of one layer."""

import logging

import numpy as np
import pyarrow as pa

from phonoscope import tables
from phonoscope.errors import InputError
from phonoscope.probes import dtw, seqsim
from phonoscope.probes.pairs import TooLittleMemory
from phonoscope.probes.retrieval import ranks, retrieval
from phonoscope.studies.alignment_challenge import subsets
from phonoscope.studies.alignment_sentences import pairs_of, states_of

MEASURES = ("seqsim", "mean_pooled", "dtw")
FULL, CHALLENGE, RANDOM = "full", "challenge", "random"

_WHERE = [
    ("model", pa.string()),
    ("layer", pa.int32()),
    *((name, pa.string()) for name in ("measure", "query", "candidate", "subset")),
]
# query and candidate are languages; draw numbers the random sets. low and high: exact binomial interval.
SCORES = pa.schema(
    [
        *_WHERE,
        ("draw", pa.int32()),
        ("metric", pa.string()),
        ("value", pa.float64()),
        *((name, pa.int64()) for name in ("hits", "n", "n_candidates")),
        *((name, pa.float64()) for name in ("chance", "low", "high")),
    ]
)
# One row per query of the full and of the challenge set; rank 1 is a hit.
RANKS = pa.schema([*_WHERE, ("sentence_id", pa.string()), ("rank", pa.int32())])


def score(chosen, challenge, paths, options, model, layer, device="cpu", threads=None):
    """R@1, R@5 and MRR of every ordered pair of languages, on all sets of sentences (long by this text).

    The candidates of a query are the recordings of its own set in the other language. All measures are
    symmetric, so that both directions of a pair come from one matrix.

    Parameters
    ----------
    chosen : path
        As ``alignment_sentences.choose`` gives it.
    challenge : path
        The pairs of ``alignment_challenge.choose`` on ``chosen``.
    paths : list of path
        Embeddings of the layer, of all shards. Padding frames are not in them; recordings longer than a
        model's window were encoded in windows.
    options : dict
        ``measures``: among :data:`MEASURES`; ``pairs``: list of two languages each, or null for all;
        ``n_random``: random sets of the challenge set's size; ``seed``; ``memory_mb``: held besides the
        states of two languages; ``dtype``: of unit vectors on a GPU.
    model : str
    layer : int
    device : str
        Where SeqSim is computed.
    threads : int, optional
        All cores by default.

    Returns
    -------
    scores, ranks : pyarrow.Table
        Of :data:`SCORES` and :data:`RANKS`.

    Raises
    ------
    InputError
        Where a recording has no hidden states or some that are not finite, a pair is not in the corpus,
        or no pair has a sentence in common.
    """
    recordings = {}
    for row in tables.read(chosen, ["utterance_id", "language", "sentence_id"]).to_pylist():
        recordings.setdefault(row["language"], {})[row["sentence_id"]] = row["utterance_id"]
    pairs, scores, found = tables.read(challenge), [], []
    held = {}
    for a, b in pairs_of(list(recordings), options["pairs"]):
        sets = subsets(pairs, (a, b), options["seed"], options["n_random"])
        held = {name: states for name, states in held.items() if name in (a, b)}
        for language in (a, b):
            if language not in held:
                states = {name: frames for name, frames, _ in states_of(recordings[language].values(), paths)}
                held[language] = {sentence: states[name] for sentence, name in recordings[language].items()}
        sides = [[held[name][sentence] for sentence in sets[0]] for name in (a, b)]
        names = [[recordings[name][sentence] for sentence in sets[0]] for name in (a, b)]
        for measure in options["measures"]:
            alike = likeness(measure, *sides, names, options, device, threads)
            for query, candidate, matrix in ((a, b, alike), (b, a, alike.T)):
                where = {"model": model, "layer": layer, "measure": measure}
                where |= {"query": query, "candidate": candidate}
                rows, ranked = on_subsets(matrix, *sets)
                scores += [where | row for row in rows]
                found += [where | row for row in ranked]
        logging.info("%s and %s: %d sentences", a, b, len(sets[0]))
    if not found:
        raise InputError(
            "no pair of languages has a sentence in common",
            path=chosen,
            fix="set alignment.pairs to languages that share sentences",
        )
    return tables.from_rows(scores, SCORES), tables.from_rows(found, RANKS)


def likeness(measure, a, b, names, options, device="cpu", threads=None):
    """How alike all pairs of utterances are by a measure; higher is more alike.

    Parameters
    ----------
    measure : {"seqsim", "mean_pooled", "dtw"}
        DTW distances get a minus sign.
    a, b : lists of arrays of shape (n_frames, d)
    names : pair of lists of str
    options : dict
        ``memory_mb`` and ``dtype``.

    Returns
    -------
    float32 array of shape (len(a), len(b))

    Raises
    ------
    InputError
        Where states are not finite, or the longest utterances do not fit into ``memory_mb``.
    """
    try:
        return _likeness(measure, a, b, names, options, device, threads)
    except TooLittleMemory as error:
        needed = -(-error.needed // 2**20)
        raise InputError(
            f"memory_mb {options['memory_mb']} is too little for {measure} of the longest utterances",
            row=error.row,
            fix=f"set alignment.retrieval.memory_mb to {needed} or more, {error.instead}",
        ) from error


def _likeness(measure, a, b, names, options, device, threads):
    memory = options["memory_mb"] * 2**20
    if measure == "mean_pooled":
        return seqsim.mean_pooled_matrix(a, b, names=names)
    if measure == "dtw":
        return -dtw.dtw_matrix(a, b, memory, threads, names)
    if device == "cpu":
        return seqsim.seqsim_matrix(a, b, memory, threads, names)
    from phonoscope.studies import alignment_device

    return alignment_device.seqsim_matrix(a, b, device, options["dtype"], memory, names=names)


def on_subsets(matrix, full, challenge, random):
    """Scores of the full set, the challenge set and random sets, and ranks of the first two.

    Parameters
    ----------
    matrix : array of shape (n_sentences, n_sentences)
        Rows are queries, columns candidates, both in the order of ``full``.
    full, challenge : list of str
    random : list of list of str

    Returns
    -------
    scores, ranks : list of dict
    """
    place = {sentence: at for at, sentence in enumerate(full)}
    sets = [(FULL, None, full), (CHALLENGE, None, challenge)]
    sets += [(RANDOM, draw, sentences) for draw, sentences in enumerate(random)]
    scores, found = [], []
    for subset, draw, sentences in sets:
        at = [place[sentence] for sentence in sentences]
        part = matrix[np.ix_(at, at)]
        for each in retrieval(part):
            # NaN, where there are no queries or the metric has no interval, is null.
            row = {name: None if value != value else value for name, value in vars(each).items()}
            scores.append({"subset": subset, "draw": draw} | row)
        if subset != RANDOM:
            placed = zip(sentences, ranks(part).tolist(), strict=True)
            found += [{"subset": subset, "sentence_id": name, "rank": rank} for name, rank in placed]
    return scores, found
