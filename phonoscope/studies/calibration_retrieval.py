"""Calibration of retrieval: states that are made of meaning alone, and states that are made of sound alone.

A sentence has one state per phone that was spoken. A state of *meaning* is a random vector of the word's
concept, the same in all languages; a word without a concept has a vector of its own. A state of *sound* is
the articulatory features of the phone and of two neighbours on each side. The one must find every sentence
in every set, the other only where words sound alike: on the challenge set it should be left with chance. The
filter judges words by the same features of the same phones: of what it can do, this is the best case.
"""

from itertools import combinations

import numpy as np
import pyarrow as pa

from phonoscope import tables
from phonoscope.alignment import meaning, phones, pronounce
from phonoscope.errors import InputError
from phonoscope.probes import seqsim
from phonoscope.studies import calibration
from phonoscope.studies.alignment_challenge import choose, subsets
from phonoscope.studies.alignment_retrieval import CHALLENGE, FULL, RANDOM, on_subsets
from phonoscope.studies.calibration_alignment import number

NEIGHBOURS = 2
DIM = 64
N_RANDOM = 20
CHANCE = "1/N"


def rows(corpus, utterances, segments, concepts, options, ways):
    """R@1 over all pairs of languages on the full and the challenge set, of sentences with even numbers.

    Those with odd ones chose the threshold.

    Parameters
    ----------
    corpus : str
    utterances, segments : list of path
        With a word and a phone tier for every recording.
    concepts : path
        As for ``meaning.read_concepts``.
    options : dict
        Of ``alignment_challenge.choose``; all languages and splits are used.
    ways : list of str
        Values of ``pronunciation``: how the filter gets phones.

    Returns
    -------
    pyarrow.Table
        Of ``calibration.ROWS``; intervals are bootstraps over sentences.

    Raises
    ------
    InputError
        As ``alignment_challenge.choose`` and ``meaning.embed``.
    """
    recordings = {}
    for row in tables.read(utterances, ["utterance_id", "language", "sentence_id"]).to_pylist():
        recordings.setdefault((row["language"], row["sentence_id"]), row["utterance_id"])
    words = pronounce.spoken(tables.read(segments).to_pylist())
    said = {key: words.get(utterance, []) for key, utterance in sorted(recordings.items())}
    if silent := [key for key, spoken in said.items() if not any(heard for _, heard in spoken)]:
        raise InputError(
            "the recording has no word with phones", row=recordings[silent[0]],
            fix="give it segments of the tiers word and phone, or take it out of calibration.challenge",
        )  # fmt: skip
    found = []
    planted = {"meaning": of_meaning(said, concepts, options["seed"]), "sound": of_sound(said)}
    for way in ways:
        chosen = options | {"languages": None, "splits": None, "pronunciation": way}
        pairs, _ = choose(utterances, segments, chosen)
        pairs = pairs.filter([number(sentence) % 2 == 0 for sentence in pairs["sentence_id"].to_pylist()])
        for name, states in planted.items():
            found += [
                row | {"corpus": corpus, "case": f"retrieval: states of {name}, phones by {way}"}
                for row in _scored(name, states, pairs, options["seed"])
                # The full set is the same whatever the filter does.
                if way == ways[0] or CHALLENGE in row["measure"]
            ]
    return calibration.table(found)


def of_meaning(said, concepts, seed):
    """States of meaning.

    Parameters
    ----------
    said : dict of (language, sentence_id) to list of (word, phones)
    concepts : path
    seed : int

    Returns
    -------
    dict of (language, sentence_id) to float32 array of shape (n_phones, DIM)
    """
    types = sorted({(language, word) for (language, _), words in said.items() for word, _ in words})
    types = pa.table(list(zip(*types, strict=True)), names=["language", "word"])
    known = meaning.embed(types, meaning.CONCEPTS, concepts).to_pylist()
    name = {
        (row["language"], row["word"]): row["concept"] or f"{row['language']}: {row['word']}" for row in known
    }
    # By number, not by a hash: the same vectors on every machine.
    number = {each: at for at, each in enumerate(sorted(set(name.values())))}
    vectors = np.random.default_rng(seed).standard_normal((len(number), DIM), dtype=np.float32)
    return {
        (language, sentence): vectors[
            [number[name[language, word]] for word, heard in words for _ in heard]
        ]
        for (language, sentence), words in said.items()
    }  # fmt: skip


def of_sound(said):
    """States of sound, ``said`` to arrays of shape (n_phones, n_features · (2 NEIGHBOURS + 1))."""
    found = {}
    for key, words in said.items():
        features = np.array([phones.features_of(phone) for _, heard in words for phone in heard], np.float32)
        padded = np.pad(features, ((NEIGHBOURS, NEIGHBOURS), (0, 0)))
        shifts = range(2 * NEIGHBOURS + 1)
        found[key] = np.hstack([padded[shift : shift + len(features)] for shift in shifts])
    return found


def _scored(name, states, pairs, seed):
    """Rows of one kind of states."""
    hits, chance, random = {FULL: {}, CHALLENGE: {}}, {FULL: [], CHALLENGE: []}, []
    for pair in combinations(sorted({language for language, _ in states}), 2):
        sets = subsets(pairs, pair, seed, N_RANDOM)
        matrix = seqsim.seqsim_matrix(*([states[language, s] for s in sets[0]] for language in pair))
        for each in (matrix, matrix.T):
            scores, ranks = on_subsets(each, *sets)
            for row in (row for row in scores if row["metric"] == "R@1"):
                chance.get(row["subset"], []).append((row["chance"], row["n"]))
                if row["subset"] == RANDOM:
                    random.append((row["value"], row["n"]))
            for row in ranks:
                hits[row["subset"]].setdefault(row["sentence_id"], []).append(row["rank"] == 1)
    found = []
    for subset, of_sentence in hits.items():
        sums, sizes = ([f(each) for each in of_sentence.values()] for f in (np.sum, len))
        value, low, high = calibration.share_interval(sums, sizes)
        expected = _mean(chance[subset])
        row = {"study": "alignment", "model": f"planted: {name}", "measure": f"R@1, {subset} set", "unit": ""}
        row |= {
            "measured": value,
            "chance": expected,
            "ci_low": low,
            "ci_high": high,
            "n": int(np.sum(sizes)),
        }
        row |= {"reference": CHANCE, "verdict": calibration.against(low - expected, high - expected, CHANCE)}
        if name == "meaning":
            row["truth"] = 1.0
        elif subset == CHALLENGE:
            row |= {"truth": expected, "note": f"random sets of its size: {_mean(random):.3f}"}
        found.append(row)
    return found


def _mean(values):
    """Mean of (value, n), each n times."""
    value, n = np.array(values, dtype=float).T
    return float(np.average(value, weights=n))
