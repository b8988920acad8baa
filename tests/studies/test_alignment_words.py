"""Pairs of words from planted states: what they have in common is known before anything is scored."""

from itertools import combinations, permutations

import numpy as np
import pytest

from phonoscope import embeddings, tables
from phonoscope.alignment import likeness, meaning, pronounce
from phonoscope.errors import InputError
from phonoscope.studies import alignment_words as words
from phonoscope.studies import alignment_words_pairs as pairs
from phonoscope.studies import alignment_words_types as word_types
from phonoscope.studies.alignment_words_chance import Sentence, against_random, paired_t

HOP, OFFSET, DIM = 0.02, 0.0125, 64
OPTIONS = {"threshold": 0.44, "least_phones": 3, "meaning_threshold": 0.6, "unit": "word_centre"}
OPTIONS |= {"draws": 99, "seed": 0}
CHOICE = {"pairs": None, "pronunciation": "auto", "voices": {}}
# Per concept its phones in two languages; the first three sound alike in both, and w04 like w13.
CONCEPTS = 12
SOUNDS = ["m", "n", "p", "t", "k", "s", "f", "l", "r", "ʃ", "b", "d"]


def phones_of(concept, language):
    """Three phones: alike in both languages for the first three concepts."""
    if concept < 3 or language == "en":
        return [SOUNDS[concept], "a", SOUNDS[(5 * concept + 1) % CONCEPTS], "i"]
    if concept == 11:
        return phones_of(4, "en")
    return ["u", SOUNDS[(concept + 6) % CONCEPTS], "o", SOUNDS[(7 * concept + 4) % CONCEPTS], "u", "e"]


class Corpus:
    """Sentences of six words, in another order in each language, half a second per word."""

    def __init__(self, folder, languages=("en", "fi"), n=24):
        self.folder, self.languages, self.n = folder, languages, n
        self.rng = np.random.default_rng(1)
        self.said = {}
        utterances, segments = [], []
        for sentence in range(n):
            concepts = self.rng.permutation(CONCEPTS)[:6]
            for language in languages:
                name, order = f"{language}-{sentence:02d}", self.rng.permutation(concepts)
                self.said[name] = order.tolist()
                row = {"utterance_id": name, "language": language, "sentence_id": f"s{sentence:02d}"}
                utterances.append(row | {"text": "x"})
                segments += self._segments(name, language, order)
        self.chosen, self.segments = folder / "chosen.parquet", folder / "segments.parquet"
        tables.write(tables.from_rows(utterances, tables.UTTERANCES), self.chosen)
        tables.write(tables.from_rows(segments, tables.SEGMENTS), self.segments)
        rows = [
            f"{language}\t{self.spelled(k, language)}\tc{k}"
            for k in range(CONCEPTS)
            for language in languages
        ]
        self.list = folder / "words.tsv"
        self.list.write_text("\n".join(["language\tword\tconcept", *rows]), encoding="utf-8")

    @staticmethod
    def spelled(concept, language):
        return f"{language}w{concept:02d}"

    def _segments(self, name, language, order):
        for position, concept in enumerate(order):
            start, end = 0.1 + 0.5 * position, 0.6 + 0.5 * position
            where = {"utterance_id": name, "score": 1.0}
            label = self.spelled(concept, language).capitalize() + "," * (position == 2)
            yield where | {"tier": "word", "start_s": start, "end_s": end, "label": label}
            labels = phones_of(concept, language)
            edges = np.linspace(start, end, len(labels) + 1)
            for at, phone in enumerate(labels):
                yield where | {"tier": "phone", "start_s": edges[at], "end_s": edges[at + 1], "label": phone}

    def prepare(self, times=None, **more):
        found = words.choose(self.chosen, [self.segments], times or [self.segments], CHOICE | more)
        self.paths = {}
        for name, table in zip(("words", "types", "distances", "left_out"), found, strict=True):
            self.paths[name] = self.folder / f"{name}.parquet"
            tables.write(table, self.paths[name])
        self.paths["meanings"] = self.folder / "meanings.parquet"
        tables.write(meaning.embed(found[1], "concepts", self.list), self.paths["meanings"])
        return found

    def embed(self, kind, noise=0.3, spoil=None):
        """States that hold a word's meaning, its sound, its place in the sentence, or nothing."""
        vectors = {k: self.rng.normal(size=DIM) for k in range(CONCEPTS)}
        sounds = {phone: self.rng.normal(size=DIM) for phone in "aiueo" + "".join(SOUNDS)}
        places = self.rng.normal(size=(6, DIM))
        path = self.folder / f"{kind}.parquet"
        with embeddings.Writer(path, DIM, "float32", {"hop_s": HOP, "offset_s": OFFSET}) as writer:
            for name, order in self.said.items():
                frames = self.rng.normal(size=(int(3.3 / HOP), DIM))
                for at in range(len(frames)):
                    position = int((OFFSET + HOP * at - 0.1) // 0.5)
                    if kind == "noise" or not 0 <= position < 6:
                        continue
                    language = name.partition("-")[0]
                    meant = vectors[order[position]]
                    heard = np.sum([sounds[p] for p in phones_of(order[position], language)], axis=0)
                    state = {"meaning": meant, "sound": heard, "place": places[position]}[kind]
                    frames[at] = state + noise * frames[at]
                if name == spoil:
                    frames[20, 3] = np.nan
                writer.append(name, frames.astype(np.float32))
        return [path]

    def score(self, states, **more):
        names = ("words", "types", "distances", "meanings")
        return pairs.score(*(self.paths[name] for name in names), states, OPTIONS | more, "m", 3)


@pytest.fixture
def corpus(tmp_path):
    made = Corpus(tmp_path)
    made.prepare()
    return made


def of_all(scores):
    return {row["measure"]: row for row in scores.to_pylist() if row["language_a"] == "all"}


def test_words_have_times_phones_and_distances(corpus):
    found, types, distances, left_out = corpus.prepare()
    assert len(found) == 2 * 24 * 6 and not len(left_out)
    first = found.to_pylist()[0]
    assert (first["start_s"], first["end_s"], first["position"]) == (0.1, 0.6, 0)
    assert set(found["word"].to_pylist()) <= {
        corpus.spelled(k, a) for k in range(CONCEPTS) for a in ("en", "fi")
    }
    rows = types.to_pylist()
    assert sum(row["tokens"] for row in rows) == len(found)
    for row in rows:
        spoken = phones_of(int(row["word"][-2:]), row["language"])
        assert tuple(row["phones"]) == likeness.segments(spoken)[0]
    fi = [row for row in rows if row["language"] == "fi"]
    for line in distances.to_pylist():
        got = np.frombuffer(line["distances"], "<f4")
        mine = tuple(rows[line["type_a"]]["phones"])
        assert got == pytest.approx([likeness.distance(mine, tuple(row["phones"])) for row in fi])


@pytest.mark.parametrize("unit", ["word_centre", "frame"])
def test_states_of_meaning_pair_words_of_the_same_meaning(corpus, unit):
    found, scores, types = corpus.score(corpus.embed("meaning", 0.1), unit=unit)
    scored = of_all(scores)
    assert scored["similarity"]["value"] == 1 and scored["similarity"]["n_sentences"] == 24
    assert scored["sound"]["value"] == scored["neither"]["value"] == 0
    assert scored["meaning"]["value"] + scored["both"]["value"] == pytest.approx(1)
    assert scored["similarity"]["p_permutation"] == 1 / 100
    assert scored["similarity"]["p_t"] is None  # every sentence is as far above chance
    assert scored["similarity"]["chance"] == pytest.approx(1 / 6)
    kinds = {row["word_a"][2:]: row["kind"] for row in found.to_pylist()}
    assert all(kinds[f"w{k:02d}"] == ("both" if k < 3 else "meaning") for k in range(CONCEPTS))
    compared = {
        (row["sentences"], row["group"]): row for row in types.to_pylist() if row["language_a"] == "all"
    }
    for context in ("different", "same"):
        assert compared[context, "translation"]["auc"] > 0.99 < compared[context, "both"]["auc"]
        assert compared[context, "translation"]["low"] > 0.5
        assert compared[context, "unrelated"]["similarity"] == pytest.approx(0, abs=1e-6)
        assert compared[context, "unrelated"]["auc"] == pytest.approx(0.5)
    assert compared["different", "near-homophone"]["similarity"] < 0.3


def test_states_of_sound_pair_words_that_sound_alike(corpus):
    _, scores, types = corpus.score(corpus.embed("sound", 0.1))
    scored = of_all(scores)
    assert scored["distance"]["value"] < scored["distance"]["chance"] - 0.1
    assert scored["distance"]["p_permutation"] == 1 / 100
    sounds = scored["sound"]["value"] + scored["both"]["value"]
    assert sounds > scored["sound"]["chance"] + scored["both"]["chance"] + 0.1
    assert scored["meaning"]["p_permutation"] > 0.05  # translations do not sound alike
    compared = {row["group"]: row for row in types.to_pylist() if row["sentences"] == "different"}
    assert compared["near-homophone"]["auc"] > 0.9 < compared["both"]["auc"]
    assert compared["translation"]["auc"] < 0.75


def test_states_of_nothing_give_what_is_expected_of_random_pairs(tmp_path):
    corpus = Corpus(tmp_path, n=120)
    corpus.prepare()
    _, scores, types = corpus.score(corpus.embed("noise"))
    for measure, row in of_all(scores).items():
        assert row["low"] <= row["chance"] <= row["high"], measure
        assert row["p_permutation"] > 0.01 < row["p_t"]
    for row in types.to_pylist():
        if row["low"] is not None:
            assert row["low"] < 0 < row["high"] and row["auc_low"] < 0.5 < row["auc_high"]


def test_states_of_time_alone_are_not_better_than_time(corpus, tmp_path):
    """Words in the same order: pairs by place are alike in meaning, as those nearest in time are."""
    same = tmp_path / "same"
    same.mkdir()
    ordered = Corpus(same)
    for sentence in range(ordered.n):
        ordered.said[f"fi-{sentence:02d}"] = ordered.said[f"en-{sentence:02d}"]
    rows = [each for n, order in ordered.said.items() for each in ordered._segments(n, n[:2], order)]
    tables.write(tables.from_rows(rows, tables.SEGMENTS), ordered.segments)
    ordered.prepare()
    scored = of_all(ordered.score(ordered.embed("place", 0.1))[1])["similarity"]
    assert scored["value"] == scored["by_time"] == 1 and scored["p_permutation"] == 1 / 100
    assert scored["p_time"] is None
    scored = of_all(corpus.score(corpus.embed("meaning", 0.1))[1])["similarity"]
    assert scored["by_time"] < 0.4 and scored["t_time"] > 5


def test_times_of_a_model_take_the_place_of_the_segments(corpus, tmp_path):
    rows = [row for row in tables.read(corpus.segments).to_pylist() if row["tier"] == "word"]
    for row in rows:
        row["start_s"] += 0.01
    rows[0]["end_s"] = rows[0]["start_s"]
    rows[1] |= {"start_s": 0.601, "end_s": 0.609}
    path = tmp_path / "times.parquet"
    tables.write(tables.from_rows(rows, tables.SEGMENTS), path)
    found, types, _, left_out = corpus.prepare([path])
    assert found["start_s"][3].as_py() == pytest.approx(0.01 + 0.1 + 0.5 * 4)
    assert all(row["phones"] for row in types.to_pylist())
    assert left_out.to_pylist() == [{"language": "en", "reason": words.NO_LENGTH, "items": 1}]
    _, scores, _ = corpus.score(corpus.embed("meaning"))
    assert tables.provenance(scores)[pairs.SHORT] == {"en": 1, "fi": 0}


def test_words_without_meaning_or_phones_are_in_no_test(corpus):
    corpus.list.write_text(corpus.list.read_text().replace("c3", "").replace("c5", ""), encoding="utf-8")
    rows = [
        row
        for row in tables.read(corpus.segments).to_pylist()
        if row["tier"] == "word" or row["label"] != "ʃ"
    ]
    tables.write(tables.from_rows(rows, tables.SEGMENTS), corpus.segments)
    corpus.prepare()
    found, scores, _ = corpus.score(corpus.embed("meaning", 0.1))
    for row in found.to_pylist():
        unknown = {row["word_a"][2:], row["word_b"][2:]} & {"w03", "w05"}
        assert (row["kind"] is None) == (row["similarity"] is None) == bool(unknown)
    n = sum(row["kind"] is not None for row in found.to_pylist())
    assert of_all(scores)["similarity"]["n_pairs"] == n < len(found)


def test_pairs_of_languages_can_be_chosen(tmp_path):
    corpus = Corpus(tmp_path, ("en", "fi", "es"), n=6)
    corpus.prepare(pairs=[["fi", "en"]])
    _, scores, _ = corpus.score(corpus.embed("noise"))
    found = {(row["language_a"], row["language_b"]) for row in scores.to_pylist()}
    assert found == {("all", "all"), ("en", "fi")}
    with pytest.raises(InputError, match="there are no recordings of ru"):
        corpus.prepare(pairs=[["fi", "ru"]])


def test_bad_input_is_named(corpus, tmp_path):
    with pytest.raises(InputError, match="utterance fi-03: has hidden states that are not finite"):
        corpus.score(corpus.embed("meaning", spoil="fi-03"))
    states = corpus.embed("meaning")
    del corpus.said["en-00"]
    with pytest.raises(InputError, match="utterance en-00: 1 chosen recordings have no hidden states"):
        corpus.score(corpus.embed("sound"))
    tables.write(tables.read(corpus.paths["meanings"]).slice(1), corpus.paths["meanings"])
    with pytest.raises(InputError, match="meanings are of other words"):
        corpus.score(states)
    rows = [row for row in tables.read(corpus.segments).to_pylist() if row["utterance_id"][:2] != "fi"]
    tables.write(tables.from_rows(rows, tables.SEGMENTS), corpus.segments)
    with pytest.raises(InputError, match="no recording of fi has words with times"):
        corpus.prepare()


def test_phones_must_be_had(corpus, tmp_path):
    rows = [row for row in tables.read(corpus.segments).to_pylist() if row["tier"] == "word"]
    tables.write(tables.from_rows(rows, tables.SEGMENTS), corpus.segments)
    with pytest.raises(InputError, match="language en: no word has segments of the tiers word and phone"):
        corpus.prepare(pronunciation="segments")
    types = corpus.prepare(pronunciation="romanised")[1]
    assert types["phones"][0].as_py() == ["e", "n", "w"]
    assert tables.provenance(types)["pronounced"] == {"en": "romanised", "fi": "romanised"}


def test_words_that_are_read_as_several_are_one():
    assert words._one("otra vez", [("otra", ("o", "t")), ("vez", ("b",))]) == ("o", "t", "b")
    assert words._one("中国人", [("中国", ("a",)), ("中国人", ("a", "b")), ("国人", ("b",))]) == ("a", "b")
    assert pronounce.spelled("¡Otra  vez!") == "otra  vez"


def sentences(rng, n, groups=("x", "y"), most=5):
    """Sentences with random values, and random partial matchings."""
    found = []
    for k in range(n):
        for group in groups:
            a, b = rng.integers(1, most, 2)
            size = rng.integers(1, min(a, b) + 1)
            i, j = np.sort(rng.permutation(a)[:size]), rng.permutation(b)[:size]
            timed = (np.array([0]), np.array([0])) if k % 3 else (np.array([], int), np.array([], int))
            sides = f"{group} 1", f"{group} 2"
            found.append(Sentence(f"s{k}", group, rng.normal(size=(2, a, b)), i, j, timed, sides))
    return found


def test_chance_is_the_mean_over_all_matchings():
    rng = np.random.default_rng(0)
    for each in sentences(rng, 8, most=4):
        n, m = each.values.shape[1:]
        every = [
            each.values[:, list(rows), list(columns)].mean(axis=1)
            for rows in permutations(range(n), len(each.i))
            for columns in permutations(range(m), len(each.j))
        ]
        np.testing.assert_allclose(np.mean(every, axis=0), each.expected(), atol=1e-12)
        drawn = each.shuffled([rng.random((4000, size)).argsort(axis=1) for size in (n, m)])
        # Every draw is one of the matchings, and all of them come up alike often.
        keys, counts = np.unique(drawn[:, 0].round(9), return_counts=True)
        known, due = np.unique(np.round(every, 9)[:, 0], return_counts=True)
        np.testing.assert_allclose(keys, known)
        np.testing.assert_allclose(counts / 4000, due / len(every), atol=0.05)


def test_tests_equal_scipy_and_every_matching_that_there_is():
    from scipy.stats import ttest_rel

    rng = np.random.default_rng(3)
    made = sentences(rng, 3, ("x",), 4)
    found = against_random(made, 6000, 0)
    assert [each.group for each in found] == [None, None, "x", "x"]
    totals = np.zeros((1, 2))
    for each in made:
        n, m = each.values.shape[1:]
        every = np.array(
            [
                each.values[:, list(rows), list(columns)].mean(axis=1)
                for rows in permutations(range(n), len(each.i))
                for columns in permutations(range(m), len(each.j))
            ]
        )
        totals = (totals[:, None] + every[None] / len(made)).reshape(-1, 2)
    matched = np.array([each.matched() for each in made])
    expected = np.array([each.expected() for each in made])
    for row in found:
        k = row.measure
        t, p = ttest_rel(matched[:, k], expected[:, k])
        assert (row.t, row.p_t) == pytest.approx((t, p))
        assert row.value == pytest.approx(matched[:, k].mean())
        observed = abs(matched[:, k].mean() - expected[:, k].mean())
        exact = np.mean(np.abs(totals[:, k] - expected[:, k].mean()) >= observed - 1e-9)
        assert row.p_permutation == pytest.approx(exact, abs=0.03)


def test_a_sentence_of_several_pairs_of_languages_is_one_sentence():
    made = sentences(np.random.default_rng(4), 7)
    found = {(each.group, each.measure): each for each in against_random(made, 50, 0)}
    by_pair = {group: [e.matched() for e in made if e.group == group] for group in "xy"}
    for measure in (0, 1):
        means = [np.mean([x[measure], y[measure]]) for x, y in zip(*by_pair.values(), strict=True)]
        assert found[None, measure].value == pytest.approx(np.mean(means))
        assert found[None, measure].n_sentences == 7 and found["x", measure].n_sentences == 7
        timed = [e for e in made if len(e.in_time[0]) and e.group == "x"]
        assert found["x", measure].by_time == pytest.approx(np.mean([e.values[measure, 0, 0] for e in timed]))
    assert found[None, 0].n_pairs == sum(len(each.i) for each in made)


def test_p_values_are_spread_evenly_where_nothing_is_there():
    rng = np.random.default_rng(5)
    p = [against_random(sentences(rng, 8, ("x",)), 99, k)[2].p_permutation for k in range(150)]
    assert 0.02 < np.mean(np.array(p) <= 0.1) < 0.2


def test_p_values_are_even_where_a_recording_stands_in_several_pairs_of_languages():
    """Some words are like all others: that a layer pairs these counts in all pairs of languages at once."""
    rng, p = np.random.default_rng(8), []
    for k in range(200):
        made = []
        for sentence in range(4):
            like = {language: rng.normal(size=4) for language in "abcde"}
            paired = {language: rng.permutation(4)[:2] for language in like}
            for x, y in combinations(like, 2):
                values = (like[x][:, None] + like[y])[None]
                timed = np.array([0]), np.array([0])
                made.append(Sentence(f"s{sentence}", x + y, values, paired[x], paired[y], timed, (x, y)))
        p.append(against_random(made, 99, k)[0].p_permutation)
    assert np.mean(np.array(p) <= 0.1) == pytest.approx(0.1, abs=0.05)  # .3 if each pair has its own shuffle


def test_differences_that_do_not_vary_have_no_test():
    t, p = paired_t(np.array([[1.0, 0.0, 1.0], [1.0, 0.0, 2.0]]))
    assert np.isnan(t[:2]).all() and np.isnan(p[:2]).all() and t[2] == pytest.approx(3)
    assert np.isnan(paired_t(np.ones((1, 2)))).all()


def test_similarities_of_types_equal_a_loop():
    rng = np.random.default_rng(6)

    def side(n, n_types):
        units = rng.normal(size=(n, 7))
        units /= np.linalg.norm(units, axis=1, keepdims=True)
        return units, rng.integers(n_types, size=n), rng.integers(5, size=n), n_types

    a, b = side(30, 8), side(25, 40)
    different, same = word_types.similarities(a, b)
    for found, together in ((different, False), (same, True)):
        for x in range(8):
            for y in range(40):
                cosines = [
                    a[0][i] @ b[0][j]
                    for i in np.flatnonzero(a[1] == x)
                    for j in np.flatnonzero(b[1] == y)
                    if (a[2][i] == b[2][j]) == together
                ]
                assert found[x, y] == pytest.approx(np.mean(cosines) if cosines else np.nan, nan_ok=True)
    assert np.isnan(different).any() and np.isfinite(same).any()


def test_words_nearest_in_time_are_mutual():
    i, j = pairs.nearest_in_time(np.array([0.1, 0.5, 0.55, 0.9]), np.array([0.12, 0.52, 0.6]))
    assert (i.tolist(), j.tolist()) == ([0, 1], [0, 1])


def test_frames_nearest_in_time_pair_words_as_frames_of_states_do():
    """States that tell the relative time alone, of recordings with pauses and words of unlike lengths."""
    from phonoscope.probes import word_pairs

    rng = np.random.default_rng(9)
    several = 0
    for _ in range(30):
        sides, states = [], []
        for _side in "ab":
            n = rng.integers(1, 7)
            edges = np.sort(np.append(rng.uniform(0.3, 1.3, 2 * n - 2), rng.uniform([0.1, 1.3], [0.3, 1.5])))
            times = np.arange(0, 1.6, 0.02) + 0.0125
            word_of = word_pairs.words_of_frames(times, edges[::2], edges[1::2])
            at = (times - edges[0]) / (edges[-1] - edges[0])
            sides.append(pairs.Spoken(None, None, None, None, None, None, word_of, at))
            states.append(np.stack([np.cos(1.5 * at), np.sin(1.5 * at)], axis=1))
        due = word_pairs.by_frames(*states, *(side.word_of for side in sides))
        i, j = pairs.words_in_time(*sides, "frame")
        assert list(zip(i.tolist(), j.tolist(), strict=True)) == [(each.i, each.j) for each in due]
        several += len(set(i.tolist())) < len(i)
    assert several > 10  # words are in several pairs, unlike by their centres


def test_time_pairs_words_in_the_unit_of_the_states(corpus, tmp_path):
    rng = np.random.default_rng(10)
    rows = [row for row in tables.read(corpus.segments).to_pylist() if row["tier"] == "word"]
    for first in range(0, len(rows), 6):
        edges = 0.1 + 3 * np.cumsum(np.append(0, rng.dirichlet(np.full(6, 2.0))))
        for row, start, end in zip(rows[first : first + 6], edges, edges[1:], strict=False):
            row |= {"start_s": start, "end_s": end}
    path = tmp_path / "times.parquet"
    tables.write(tables.from_rows(rows, tables.SEGMENTS), path)
    corpus.prepare([path])
    states = corpus.embed("noise")
    by_time = {
        unit: of_all(corpus.score(states, unit=unit)[1])["similarity"]["by_time"] for unit in pairs.UNITS
    }
    shared = []
    for sentence in range(corpus.n):
        said = [corpus.said[f"{language}-{sentence:02d}"] for language in ("en", "fi")]
        centres = np.arange(0.0125, 3.3, 0.02)
        spans = [rows[6 * (2 * sentence + side) :][:6] for side in (0, 1)]
        starts = [np.array([row["start_s"] for row in span]) for span in spans]
        inside = centres[(centres >= 0.1) & (centres < spans[0][-1]["end_s"])]
        # All recordings have one length, so that each frame is nearest to the one at the same time.
        places = {tuple(np.searchsorted(s, t, side="right") - 1 for s in starts) for t in inside}
        shared.append(np.mean([said[0][i] == said[1][j] for i, j in places]))
    assert by_time["frame"] == pytest.approx(np.mean(shared))
    assert by_time["frame"] != pytest.approx(by_time["word_centre"])
