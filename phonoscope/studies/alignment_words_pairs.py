"""Words of parallel sentences that find each other in a layer: do they sound alike, or mean the same?

SeqSimInterp of arXiv 2505.19606, with random pairs of the same sentences as its control.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from phonoscope import tables
from phonoscope.alignment.meaning import Meanings
from phonoscope.encoders.timebase import Timebase
from phonoscope.errors import InputError
from phonoscope.probes import word_pairs
from phonoscope.studies import alignment_words_types as word_types
from phonoscope.studies.alignment_sentences import states_of
from phonoscope.studies.alignment_words_chance import Sentence, against_random

SHORT = "word shorter than a frame"
KINDS = ("sound", "meaning", "both", "neither")
# What random pairs are compared in: how alike in meaning, how far in sound, and what share is of which kind.
MEASURES = ("similarity", "distance", *KINDS)
UNITS = ("word_centre", "frame")
# Sentences whose states are read at once: of a large corpus a layer would not fit.
AT_ONCE = 24

_LANGUAGES = [(name, pa.string()) for name in ("language_a", "language_b")]
# One row per pair of words. `kind` and what it follows from are null where a word has no meaning or phones.
PAIRS = pa.schema(
    [
        ("sentence_id", pa.string()),
        *_LANGUAGES,
        *((name, pa.string()) for name in ("utterance_a", "utterance_b", "word_a", "word_b")),
        *((name, pa.float64()) for name in ("start_a_s", "end_a_s", "start_b_s", "end_b_s")),
        ("cosine", pa.float32()),
        ("frames", pa.int32()),
        *((name, pa.float32()) for name in ("distance", "similarity")),
        ("kind", pa.string()),
    ]
)
# low and high: bootstrap over sentences. by_time: of words nearest in time. n_pairs: those with a kind.
SCORES = pa.schema(
    [
        ("model", pa.string()),
        ("layer", pa.int32()),
        *_LANGUAGES,
        ("measure", pa.string()),
        *((name, pa.float64()) for name in ("value", "chance", "low", "high", "t", "p_t", "p_permutation")),
        *((name, pa.float64()) for name in ("by_time", "t_time", "p_time")),
        *((name, pa.int64()) for name in ("n_sentences", "n_pairs")),
    ]
)


@dataclass(frozen=True)
class Spoken:
    """The words of one recording that have frames of their own, as a layer has them.

    Attributes
    ----------
    rows : int array of shape (n_words,)
        Of the table of words.
    types : int array of shape (n_words,)
        Of the table of types.
    at : float array of shape (n_words,)
        Centres, from 0 at the start of the first word to 1 at the end of the last.
    centres, means : float32 arrays of shape (n_words, d)
        The state of the frame nearest to the word's centre, and the mean over its frames.
    frames : float32 array of shape (n_frames, d)
    word_of : int array of shape (n_frames,)
        Which of the words the frame lies in, or ``word_pairs.NO_WORD``.
    frames_at : float array of shape (n_frames,)
        Their centres on the scale of ``at``; beyond 0 and 1 outside the words.
    """

    rows: np.ndarray
    types: np.ndarray
    at: np.ndarray
    centres: np.ndarray
    means: np.ndarray
    frames: np.ndarray
    word_of: np.ndarray
    frames_at: np.ndarray


class Relations:
    """How any two types of two languages relate.

    Parameters
    ----------
    types, distances : pyarrow.Table
        Of ``alignment_words.TYPES`` and ``DISTANCES``.
    meanings : pyarrow.Table
        Of ``meaning.MEANINGS``, in the same order.
    options : dict
        ``threshold``: words nearer than this sound alike; ``least_phones``: of each of the two;
        ``meaning_threshold``: words at least as similar are alike in meaning.

    Attributes
    ----------
    pairs : list of (str, str)
        Of languages.
    known : bool array of shape (n_types,)
        With a meaning and with phones.
    """

    def __init__(self, types, distances, meanings, options):
        same = [types[name].to_pylist() == meanings[name].to_pylist() for name in ("language", "word")]
        if not all(same):
            raise InputError(
                "the meanings are of other words", row="meanings.parquet", fix="delete it and run again"
            )
        self.languages = np.array(types["language"].to_pylist())
        self._place = np.empty(len(types), np.intp)
        for language in set(self.languages.tolist()):
            mine = np.flatnonzero(self.languages == language)
            self._place[mine] = np.arange(len(mine))
        n_phones = np.array([len(phones) for phones in types["phones"].to_pylist()])
        self._long = n_phones >= options["least_phones"]
        self._meanings, self._options = Meanings(meanings), options
        self.known = self._meanings.known & (n_phones > 0)
        lines = {}
        for row in distances.to_pylist():
            pair = row["language_a"], row["language_b"]
            lines.setdefault(pair, []).append(np.frombuffer(row["distances"], "<f4"))
        self._distances = {pair: np.array(each) for pair, each in lines.items()}
        self.pairs = list(self._distances)

    def of(self, pair, first, second):
        """Of types of the languages of a pair: similarity, distance, alike in meaning, alike in sound.

        Parameters
        ----------
        pair : (str, str)
        first, second : int arrays of shape (n,) and (m,)

        Returns
        -------
        similarity, distance : float32 arrays of shape (n, m)
            NaN where it is not known.
        means, sounds : bool arrays of shape (n, m)
        """
        similarity = self._meanings.matrix(first, second)
        distance = self._distances[pair][np.ix_(self._place[first], self._place[second])]
        long = self._long[first][:, None] & self._long[second]
        sounds = long & (distance < self._options["threshold"])
        return similarity, distance, similarity >= self._options["meaning_threshold"], sounds

    def measures(self, pair, first, second):
        """:data:`MEASURES` of all pairs of types, float64 array of shape (n_measures, n, m)."""
        similarity, distance, means, sounds = self.of(pair, first, second)
        kinds = sounds & ~means, means & ~sounds, means & sounds, ~means & ~sounds
        return np.stack([similarity, distance, *kinds]).astype(np.float64)


def score(words, types, distances, meanings, paths, options, model, layer):
    """Pairs of words that a layer brings together, against random pairs; and types of words across languages.

    Parameters
    ----------
    words, types, distances : path
        As ``alignment_words.choose`` gives them.
    meanings : path
        As ``meaning.embed`` gives it for the types.
    paths : list of path
        Embeddings of the layer, of all shards.
    options : dict
        Of :class:`Relations`; ``unit``: words by the state at their centre (``word_centre``), or by all
        frames of the recordings (``frame``); ``draws``; ``seed``.
    model : str
    layer : int

    Returns
    -------
    pairs, scores, types : pyarrow.Table
        Of :data:`PAIRS`, :data:`SCORES` and ``alignment_words_types.SCORES``. The provenance of ``scores``
        has the number of words without a frame, by language.

    Raises
    ------
    InputError
        Where a recording has no hidden states or some that are not finite, words have no frames, or no
        matched pair has words with known meanings and phones.
    """
    table = tables.read(words)
    relations = Relations(*(tables.read(each) for each in (types, distances, meanings)), options)
    found = _Matched(table, tables.read(types), relations, options["unit"])
    for sentences in _batches(found.sentences):
        spoken = found.spoken(sentences, paths)
        for sentence in sentences:
            found.match(sentence, spoken)
    if not found.judged:
        raise InputError(
            "no two words that found each other have known meanings and phones",
            path=words,
            fix="give alignment.words.meaning that knows the corpus's words",
        )
    where = {"model": model, "layer": layer}
    rows = []
    for each in against_random(found.judged, options["draws"], options["seed"]):
        of = vars(each).copy()
        languages = of.pop("group") or (word_types.ALL, word_types.ALL)
        of = {name: None if value != value else value for name, value in of.items()}
        of["measure"] = MEASURES[each.measure]
        rows.append(where | dict(zip(("language_a", "language_b"), languages, strict=True)) | of)
    scores = tables.from_rows(rows, SCORES).cast(tables.with_provenance(SCORES, {SHORT: found.short}))
    compared = word_types.compare(relations, *found.tokens(), options["draws"], options["seed"])
    compared = tables.from_rows([where | row for row in compared], word_types.SCORES)
    return tables.from_rows(found.pairs, PAIRS), scores, compared


def _batches(sentences):
    return [sentences[k : k + AT_ONCE] for k in range(0, len(sentences), AT_ONCE)]


class _Matched:
    """What is gathered sentence by sentence."""

    def __init__(self, words, types, relations, unit):
        self.words = words.to_pylist()
        columns = [types[name].to_pylist() for name in ("language", "word")]
        number = {word: at for at, word in enumerate(zip(*columns, strict=True))}
        self.type_of = np.array([number[row["language"], row["word"]] for row in self.words], np.intp)
        self.relations, self.unit = relations, unit
        self.recordings, self._rows = {}, {}
        for at, row in enumerate(self.words):
            self._rows.setdefault(row["utterance_id"], []).append(at)
            self.recordings.setdefault(row["sentence_id"], {})[row["language"]] = row["utterance_id"]
        self.sentences = list(self.recordings)
        self.short, self.pairs, self.judged = {}, [], []
        self._tokens = []

    def spoken(self, sentences, paths):
        """Recordings of some sentences, utterance_id to :class:`Spoken`."""
        wanted = {name for sentence in sentences for name in self.recordings[sentence].values()}
        return {
            name: self._of(name, frames, Timebase(about["hop_s"], about["offset_s"]))
            for name, frames, about in states_of(wanted, paths)
        }

    def _of(self, name, frames, base):
        if not np.isfinite(frames).all():
            raise InputError(
                "has hidden states that are not finite",
                row=f"utterance {name}",
                fix="leave the recording out",
            )
        rows = np.array(self._rows[name])
        starts, ends = (np.array([self.words[at][key] for at in rows]) for key in ("start_s", "end_s"))
        times = base.times(len(frames))
        word_of = word_pairs.words_of_frames(times, starts, ends)
        heard = np.isin(np.arange(len(rows)), word_of)
        language = self.words[rows[0]]["language"]
        self.short[language] = self.short.get(language, 0) + int((~heard).sum())
        renumbered = np.append(np.where(heard, np.cumsum(heard) - 1, word_pairs.NO_WORD), word_pairs.NO_WORD)
        word_of, rows, middle = renumbered[word_of], rows[heard], (starts + ends)[heard] / 2
        at, frames_at = ((each - starts[0]) / (ends.max() - starts[0]) for each in (middle, times))
        centres = frames[word_pairs.centre_frames(times, middle)] if len(rows) else frames[:0]
        means = np.zeros((len(rows), frames.shape[1]), np.float32)
        for word in range(len(rows)):
            means[word] = frames[word_of == word].mean(axis=0)
        kept = frames if self.unit == "frame" else frames[:0]
        made = Spoken(rows, self.type_of[rows], at, centres, means, kept, word_of, frames_at)
        self._tokens.append((name, made.rows, made.means))
        return made

    def match(self, sentence, spoken):
        """Words of the sentence that find each other, in every pair of languages."""
        recordings = self.recordings[sentence]
        for pair in self.relations.pairs:
            names = [recordings.get(language) for language in pair]
            if None in names:
                continue
            a, b = (spoken[name] for name in names)
            if not len(a.rows) or not len(b.rows):
                continue
            if self.unit == "frame":
                found = word_pairs.by_frames(a.frames, b.frames, a.word_of, b.word_of, names)
            else:
                found = word_pairs.by_centres(a.centres, b.centres, names)
            self._keep(sentence, pair, a, b, found)

    def _keep(self, sentence, pair, a, b, found):
        values = self.relations.measures(pair, a.types, b.types)
        known_a, known_b = (self.relations.known[side.types] for side in (a, b))
        for each in found:
            first, second = self.words[a.rows[each.i]], self.words[b.rows[each.j]]
            row = {"sentence_id": sentence, "language_a": pair[0], "language_b": pair[1]}
            for side, word in (("a", first), ("b", second)):
                row |= {f"utterance_{side}": word["utterance_id"], f"word_{side}": word["word"]}
                row |= {f"start_{side}_s": word["start_s"], f"end_{side}_s": word["end_s"]}
            row |= {"cosine": each.cosine, "frames": each.frames}
            at = values[:, each.i, each.j]
            row |= {
                name: None if np.isnan(at[k]) else at[k] for k, name in ((0, "similarity"), (1, "distance"))
            }
            if known_a[each.i] and known_b[each.j]:
                row["kind"] = KINDS[int(at[2:].argmax())]
            self.pairs.append(row)
        judged = [each for each in found if known_a[each.i] and known_b[each.j]]
        if judged:
            place_a, place_b = np.cumsum(known_a) - 1, np.cumsum(known_b) - 1
            i, j = (np.array([getattr(each, name) for each in judged]) for name in "ij")
            part = values[:, known_a][:, :, known_b]
            ti, tj = words_in_time(a, b, self.unit)
            both = known_a[ti] & known_b[tj]
            timed = place_a[ti[both]], place_b[tj[both]]
            # Known words of a recording are the same in every pair of languages: it can be shuffled once.
            self.judged.append(Sentence(sentence, pair, part, place_a[i], place_b[j], timed, pair))

    def tokens(self):
        """Mean states, types and sentences of all words that have frames."""
        rows = np.concatenate([rows for _, rows, _ in self._tokens])
        states = np.concatenate([means for _, _, means in self._tokens])
        number = {sentence: at for at, sentence in enumerate(self.sentences)}
        sentences = np.array([number[self.words[at]["sentence_id"]] for at in rows])
        return states, self.type_of[rows], sentences


def words_in_time(a, b, unit):
    """Words that the same matching gives as that of states, if time is all there is.

    Parameters
    ----------
    a, b : Spoken
    unit : {"word_centre", "frame"}
        Words by their centres, one to one; or those of frames that are nearest, a word in several pairs.

    Returns
    -------
    i, j : int arrays of shape (n_pairs,)
    """
    if unit == "word_centre":
        return nearest_in_time(a.at, b.at)
    rows, columns = nearest_in_time(a.frames_at, b.frames_at)
    words = np.stack([a.word_of[rows], b.word_of[columns]])
    return np.unique(words[:, (words != word_pairs.NO_WORD).all(axis=0)], axis=1)


def nearest_in_time(a, b):
    """Words or frames of two sentences that are each other's nearest in time.

    Parameters
    ----------
    a, b : arrays of shape (n,) and (m,)
        Their places: 0 where the first word begins, 1 where the last one ends.

    Returns
    -------
    i, j : int arrays of shape (n_pairs,)
        The first of equally near ones is taken.
    """
    apart = np.abs(a[:, None] - b)
    nearest_b, nearest_a = apart.argmin(axis=1), apart.argmin(axis=0)
    i = np.flatnonzero(nearest_a[nearest_b] == np.arange(len(a)))
    return i, nearest_b[i]
