"""Challenge sets of hand-made sentences and of the shipped corpus, whose look-alikes are known."""

import csv
import itertools
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from phonoscope import tables
from phonoscope.alignment import espeak
from phonoscope.alignment.likeness import distance
from phonoscope.errors import InputError
from phonoscope.studies import alignment_challenge as challenge
from phonoscope.studies.alignment_truth import precision_recall

CORPUS = Path(__file__).parents[2] / "resources" / "corpora" / "synthetic-parallel"
SHIPPED = [CORPUS / "recordings.parquet"], [CORPUS / "segments.parquet"]
OPTIONS = {
    "languages": None,
    "splits": None,
    "pronunciation": "romanised",
    "voices": {"en": "en-us"},
    "threshold": challenge.THRESHOLD,
    "least_phones": challenge.LEAST_PHONES,
    "most_by_chance": 0.25,
    "drop_proper_nouns": True,
    "spacy": {},
    "names": None,
    "seed": 0,
}
TEXTS = {
    ("1", "en"): "the taxi is here",
    ("1", "fi"): "taksi on pihalla",
    ("2", "en"): "we hide in Madrid",
    ("2", "fi"): "piilossa koko yön",
    ("3", "en"): "my bread",
    ("3", "fi"): "leipä maistuu",
    ("4", "en"): "alone",
    ("5", "en"): "some words",
    ("5", "fi"): "  ",
    ("6", "en"): "12",
    ("6", "fi"): "kaksitoista",
}


@pytest.fixture
def written(tmp_path):
    """Writes recordings of texts, as (sentence, language) to text, and gives the path."""

    def write(texts, name="utterances", **more):
        rows = [
            {"utterance_id": f"{language}-{sentence}", "language": language, "sentence_id": sentence}
            | {"text": text, "split": "test"}
            | more
            for (sentence, language), text in texts.items()
        ]
        tables.write(tables.from_rows(rows, tables.UTTERANCES), tmp_path / f"{name}.parquet")
        return [tmp_path / f"{name}.parquet"]

    return write


def by_sentence(pairs, a, b):
    rows = [row for row in pairs.to_pylist() if (row["language_a"], row["language_b"]) == (a, b)]
    return {row["sentence_id"]: row for row in rows}


def test_every_reason(written):
    pairs, lookalikes = challenge.choose(written(TEXTS), [], OPTIONS)
    rows = by_sentence(pairs, "en", "fi")
    assert {sentence: row["reason"] for sentence, row in rows.items()} == {
        "1": "sounds alike",
        "2": "proper noun",
        "3": None,
        "4": "missing in one language",
        "5": "empty transcript",
        "6": None,
    }
    assert all(row["kept"] == (row["reason"] is None) for row in rows.values())
    assert (rows["1"]["word_a"], rows["1"]["word_b"]) == ("taxi", "taksi")
    assert rows["1"]["distance"] == 0 and rows["3"]["distance"] > OPTIONS["threshold"]
    assert rows["2"]["proper_nouns"] == "Madrid (en)" and rows["1"]["proper_nouns"] is None
    assert [rows[sentence]["distance"] for sentence in "456"] == [None] * 3
    assert lookalikes.to_pylist() == [
        {"sentence_id": "1", "language_a": "en", "language_b": "fi"}
        | {"word_a": "taxi", "word_b": "taksi", "distance": 0}
    ]
    about = tables.provenance(pairs)
    assert about["pronounced"] == {"en": "romanised", "fi": "romanised"}
    assert about["proper_nouns_by"]["en"] == "capitals" and about["threshold"] == OPTIONS["threshold"]


def test_languages_in_the_other_order_give_the_same(written):
    forth, back = (
        challenge.choose(written(TEXTS), [], OPTIONS | {"languages": languages})[0]
        for languages in (["en", "fi"], ["fi", "en"])
    )
    forth, back = by_sentence(forth, "en", "fi"), by_sentence(back, "fi", "en")
    for sentence, row in forth.items():
        other = back[sentence]
        assert (row["word_a"], row["word_b"]) == (other["word_b"], other["word_a"])
        assert (row["reason"], row["distance"]) == (other["reason"], other["distance"])


def test_a_name_in_any_language_drops_the_sentence_in_all(written):
    texts = {("1", "en"): "we hide in Madrid", ("1", "de"): "wir sind dort", ("1", "hi"): "हम वहाँ"}
    pairs, _ = challenge.choose(written(texts), [], OPTIONS)
    assert pairs["reason"].to_pylist() == ["proper noun"] * 3
    pairs, _ = challenge.choose(written(texts), [], OPTIONS | {"drop_proper_nouns": False})
    assert "proper noun" not in pairs["reason"].to_pylist()


def test_texts_without_capitals_cannot_tell_proper_nouns(written, tmp_path):
    texts = written({key: text.lower() for key, text in TEXTS.items()})
    with pytest.raises(InputError, match="nothing can tell proper nouns"):
        challenge.choose(texts, [], OPTIONS)
    (tmp_path / "names.txt").write_text("madrid\n")
    pairs, _ = challenge.choose(texts, [], OPTIONS | {"names": tmp_path / "names.txt"})
    assert by_sentence(pairs, "en", "fi")["2"]["reason"] == "proper noun"


def test_short_words_and_the_threshold(written):
    texts = written({("1", "en"): "no karta In Ulm", ("1", "fi"): "no kartta"})
    options = OPTIONS | {"drop_proper_nouns": False}
    near = challenge.choose(texts, [], options)[0].to_pylist()[0]
    assert (near["word_a"], near["word_b"]) == ("karta", "kartta")  # not `no`
    assert near["distance"] == pytest.approx(1 / 6)
    for threshold, kept in ((1 / 6 - 1e-6, True), (1 / 6 + 1e-6, False)):
        pairs, _ = challenge.choose(texts, [], options | {"threshold": threshold})
        assert pairs["kept"].to_pylist() == [kept]
    pairs, _ = challenge.choose(texts, [], options | {"least_phones": 6})
    assert pairs["distance"].to_pylist() == [None] and pairs["kept"].to_pylist() == [True]


def test_the_first_recording_with_a_text_counts(written):
    texts = written({("1", "en"): None, ("1", "fi"): "taksi"}, "one")
    texts += written({("1", "en"): "The taxi"}, "two", utterance_id="z")
    texts += written({("1", "en"): "Another"}, "three", utterance_id="zz", split="train")
    pairs, _ = challenge.choose(texts, [], OPTIONS)
    assert pairs["word_a"].to_pylist() == ["taxi"]
    with pytest.raises(InputError, match="no sentences of a second language"):
        challenge.choose(texts, [], OPTIONS | {"splits": ["train"]})


def test_bad_corpora(written):
    with pytest.raises(InputError, match="no sentences of a second language"):
        challenge.choose(written({("1", "en"): "A taxi"}), [], OPTIONS)
    with pytest.raises(InputError, match="no sentences of sv"):
        challenge.choose(written(TEXTS), [], OPTIONS | {"languages": ["en", "sv"]})
    with pytest.raises(InputError, match=r"en-1: the recording has no sentence_id"):
        challenge.choose(written({("1", "en"): "A taxi"}, sentence_id=None), [], OPTIONS)


def test_segments_are_preferred_where_every_text_has_them(written, tmp_path):
    texts = written({("1", "en"): "The taxi", ("1", "fi"): "taksi", ("2", "en"): "So", ("2", "fi"): "niin"})
    phones = {"en-1": "laɪk", "fi-1": "paljon", "fi-2": "näin"}
    rows = []
    for utterance, spoken in phones.items():
        common = {"utterance_id": utterance, "score": 1.0}
        rows.append(common | {"tier": "word", "start_s": 0, "end_s": len(spoken), "label": "word"})
        rows += [
            common | {"tier": "phone", "start_s": at, "end_s": at + 1, "label": phone}
            for at, phone in enumerate(spoken)
        ]
    table = tables.from_rows(rows, tables.SEGMENTS)
    tables.write(table, tmp_path / "given.parquet", units="phones")
    tables.write(table, tmp_path / "aligned.parquet", units="romanised")

    def way(name, pronunciation):
        options = OPTIONS | {"pronunciation": pronunciation}
        pairs, _ = challenge.choose(texts, [tmp_path / name], options)
        return tables.provenance(pairs)["pronounced"]

    # English lacks one, and goes on to the next way; the aligner's letters are no phones.
    given, aligned = way("given.parquet", "auto"), way("aligned.parquet", "auto")
    assert given["fi"] == "segments" and given["en"] == aligned["en"] == aligned["fi"] != "segments"
    with pytest.raises(InputError, match=r"language en: 1 of 2 sentences have no segments"):
        way("given.parquet", "segments")
    assert way("given.parquet", "romanised") == {"en": "romanised", "fi": "romanised"}


def test_nearest_words_against_every_pair(monkeypatch):
    rng = np.random.default_rng(0)
    phones = ["p", "a", "t", "i", "s", "u"]

    def language(name):
        return {
            str(s): [
                (f"{name}{s}.{k}", tuple(rng.choice(phones, rng.integers(0, 6)).tolist()))
                for k in range(rng.integers(0, 6))
            ]
            for s in range(20)
        }

    a, b = language("a"), language("b")
    near, alike = challenge._Nearest(a, b, 3).alike(0.4)
    for s in a:
        every = {(v, w): distance(x, y) for v, x in a[s] for w, y in b[s] if min(len(x), len(y)) >= 3}
        assert (s in near) == bool(every)
        if every:
            assert near[s]["distance"] == pytest.approx(min(every.values()))
            assert every[near[s]["word_a"], near[s]["word_b"]] == near[s]["distance"]
        found = {(row["word_a"], row["word_b"]) for row in alike.get(s, ())}
        assert found == {words for words, d in every.items() if d < 0.4}


def test_chance_is_that_of_different_sentences():
    words = {str(s): [("w", ("p", "a", "t", "a") if s % 2 else ("s", "u", "n", "i"))] for s in range(40)}
    nearest = challenge._Nearest(words, words, 3)
    assert len(nearest.alike(0.1)[1]) == 40
    found = [nearest.threshold(0.1, 1, np.random.default_rng(seed)) for seed in range(50)]
    assert {threshold for threshold, _ in found} == {0.1}
    assert np.mean([share for _, share in found]) == pytest.approx(19 / 39, abs=0.05)
    assert challenge._Nearest({"1": words["1"]}, words, 3).threshold(0.1, 0, None) == (0.1, None)


def test_threshold_falls_until_chance_is_rare_enough():
    rng = np.random.default_rng(0)
    letters = list("patakisunimol")
    words = {str(s): [(str(k), tuple(rng.choice(letters, 4))) for k in range(6)] for s in range(30)}
    nearest = challenge._Nearest(words, words, 3)
    before = np.inf
    for most in (1.0, 0.5, 0.2, 0.05, 0.0):
        threshold, share = nearest.threshold(0.6, most, np.random.default_rng(1))
        assert share <= most and threshold <= min(before, 0.6)
        before = threshold
    assert 0 < threshold < 0.6
    # As high as it may be: at the next distance there would be too many.
    order = np.random.default_rng(1).permutation(nearest.both).tolist()
    turns = [order[by:] + order[:by] for by in range(1, challenge.TURNS + 1)]
    least = np.concatenate([[d.min() for d in nearest._distances(order, turn)] for turn in turns])
    threshold, share = nearest.threshold(0.6, 0.2, np.random.default_rng(1))
    assert share == np.mean(least < threshold) and np.mean(least <= threshold) > 0.2


@pytest.fixture(scope="module")
def shipped():
    return challenge.choose(*SHIPPED, OPTIONS | {"pronunciation": "auto"})


def shares(found, sentences=None):
    rows = precision_recall(*found, CORPUS / "lookalikes.tsv", sentences)
    return {(row.level, row.pair, row.metric): row for row in rows}


needs_espeak = pytest.mark.skipif(not espeak.installed(), reason="espeakng-loader is not installed")


def half(odd):
    return {f"s{number:03}" for number in range(1, 129) if number % 2 == odd}


def test_precision_and_recall_on_the_half_that_chose_no_threshold(shipped):
    assert set(tables.provenance(shipped[0])["pronounced"].values()) == {"segments"}
    found = shares(shipped, half(odd=False))
    precision, recall = (found["sentence pair", "all", metric] for metric in ("precision", "recall"))
    assert precision.value > 0.94 and recall.value > 0.92 and recall.n == 247
    assert precision.low < precision.value < precision.high < 1
    assert recall.value == recall.hits / recall.n
    words = [found["word pair", "all", metric].value for metric in ("precision", "recall")]
    assert words[0] > 0.94 and words[1] > 0.87
    # What is dropped as a proper noun besides leaves fewer look-alikes in the challenge set.
    assert found["dropped", "all", "recall"].hits >= recall.hits
    pairs = ["en-es", "en-fi", "en-ru", "es-fi", "es-ru", "fi-ru"]
    assert {pair for _, pair, _ in found} == {"all", *pairs}
    counts = [found["word pair", pair, "recall"].n for pair in [*pairs, "all"]]
    assert sum(counts[:-1]) == counts[-1]


def test_the_default_threshold_follows_from_the_other_half():
    def f1(threshold):
        found = challenge.choose(*SHIPPED, OPTIONS | {"pronunciation": "auto", "threshold": threshold})
        found = shares(found, half(odd=True))
        values = [found["sentence pair", "all", metric].value for metric in ("precision", "recall")]
        return 2 / sum(1 / value for value in values)

    scores = {threshold / 100: f1(threshold / 100) for threshold in range(40, 53)}
    least = min(threshold for threshold, score in scores.items() if score >= max(scores.values()) - 0.01)
    assert least == challenge.THRESHOLD


@pytest.mark.parametrize("way", [pytest.param("espeak", marks=needs_espeak), "romanised"])
def test_other_ways_find_look_alikes_too(way):
    found = shares(challenge.choose(*SHIPPED, OPTIONS | {"pronunciation": way}), half(odd=False))
    assert found["sentence pair", "all", "recall"].value > 0.92
    assert found["sentence pair", "all", "precision"].value > 0.92


def test_counts_against_sets(shipped):
    """Precision and recall again, from the tables by hand."""
    with (CORPUS / "lookalikes.tsv").open(encoding="utf-8") as file:
        truth = {
            (row["sentence_id"], frozenset((row["language_a"], row["language_b"])))
            for row in csv.DictReader(file, delimiter="\t")
        }
    ours = {
        (row["sentence_id"], frozenset((row["language_a"], row["language_b"])))
        for row in shipped[1].to_pylist()
    }
    found = shares(shipped)
    assert found["sentence pair", "all", "precision"].hits == len(ours & truth)
    assert found["sentence pair", "all", "precision"].n == len(ours)
    assert found["sentence pair", "all", "recall"].n == len(truth)


def test_shares_of_nothing_are_nan(written, tmp_path):
    found = challenge.choose(written({("1", "en"): "A bread", ("1", "fi"): "leipä"}), [], OPTIONS)
    assert all(np.isnan(row.value) and row.n == 0 for row in shares(found).values())
    (tmp_path / "truth.tsv").write_text("sentence_id\tlanguage_a\tlanguage_b\tword_a\n1\ten\tfi\tx\n")
    with pytest.raises(InputError, match="lack word_b"):
        precision_recall(*found, tmp_path / "truth.tsv")
    (tmp_path / "truth.tsv").write_text("sentence_id\tlanguage_a\tlanguage_b\tword_a\tword_b\n1\ten\n")
    with pytest.raises(InputError, match="lack row 2"):
        precision_recall(*found, tmp_path / "truth.tsv")
    with pytest.raises(InputError, match="cannot be read"):
        precision_recall(*found, tmp_path / "none.tsv")


def test_truth_may_name_the_languages_in_the_other_order(written, tmp_path):
    found = challenge.choose(written(TEXTS), [], OPTIONS)
    head = "sentence_id\tlanguage_a\tlanguage_b\tword_a\tword_b\n"
    # Sentence 4 is missing in Finnish and does not count.
    (tmp_path / "truth.tsv").write_text(f"{head}1\tfi\ten\tTaksi\ttaxi\n3\ten\tfi\tx\ty\n4\ten\tfi\tx\ty\n")
    rows = {(r.level, r.pair, r.metric): r for r in precision_recall(*found, tmp_path / "truth.tsv")}
    for level in ("sentence pair", "word pair"):
        assert (rows[level, "en-fi", "precision"].hits, rows[level, "en-fi", "precision"].n) == (1, 1)
        assert (rows[level, "en-fi", "recall"].hits, rows[level, "en-fi", "recall"].n) == (1, 2)


def test_subsets_are_of_the_challenge_sets_size(shipped):
    full, kept, random = challenge.subsets(shipped[0], ("en", "fi"), 3, 20)
    assert len(full) == 128 and 20 < len(kept) < 100
    assert set(kept) == {s for s, row in by_sentence(shipped[0], "en", "fi").items() if row["kept"]}
    for drawn in random:
        assert len(drawn) == len(set(drawn)) == len(kept) and set(drawn) <= set(full)
    assert len({tuple(drawn) for drawn in random}) == 20
    # Every sentence is as likely as any other.
    counts = Counter(itertools.chain(*challenge.subsets(shipped[0], ("en", "fi"), 0, 2000)[2]))
    share = len(kept) / len(full)
    assert np.abs(np.array([counts[s] for s in full]) / 2000 - share).max() < 5 * np.sqrt(share / 2000)


def test_subsets_follow_from_seed_and_pair(shipped):
    here = challenge.subsets(shipped[0], ("en", "fi"), 3, 4)
    assert here == challenge.subsets(shipped[0], ("fi", "en"), 3, 4)
    assert here[2] != challenge.subsets(shipped[0], ("en", "fi"), 4, 4)[2]
    # More of them leave the first as they are.
    assert here[2] == challenge.subsets(shipped[0], ("en", "fi"), 3, 9)[2][:4]
    with pytest.raises(InputError, match="no pair of languages en-sv"):
        challenge.subsets(shipped[0], ("en", "sv"), 3, 4)


def test_subsets_of_pairs_overlap_as_the_challenge_sets_do(shipped):
    """A sentence that no pair has kept is exchanged for one that no random set has."""
    found = [challenge.subsets(shipped[0], pair, 0, 10) for pair in (("en", "fi"), ("en", "es"))]
    kept = [set(each[1]) for each in found]
    for draw in range(10):
        drawn = [set(each[2][draw]) for each in found]
        assert len(drawn[0] & drawn[1]) == len(kept[0] & kept[1])
        assert len(drawn[0] | drawn[1]) == len(kept[0] | kept[1])


def test_subsets_leave_out_what_a_language_lacks(written, caplog):
    pairs, _ = challenge.choose(written(TEXTS), [], OPTIONS)
    full, kept, random = challenge.subsets(pairs, ("en", "fi"), 0, 2)
    assert full == ["1", "2", "3", "6"] and kept == ["3", "6"] and all(len(d) == 2 for d in random)
    pairs, _ = challenge.choose(written(TEXTS), [], OPTIONS | {"threshold": 1.1, "most_by_chance": 1})
    pairs = pairs.filter([row["sentence_id"] != "6" for row in pairs.to_pylist()])
    assert challenge.subsets(pairs, ("en", "fi"), 0, 2)[1:] == ([], [[], []])
    assert "no sentence is left" in caplog.text
