"""The shipped corpus synthetic-parallel: what it must hold, its truth, and that it can be remade."""

import csv
import hashlib
import importlib.util
import itertools
import random
import re
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest

from phonoscope import tables
from phonoscope.corpora.synthetic import parallel, parallel_grammar, parallel_plan
from phonoscope.corpora.synthetic import parallel_likeness as likeness
from phonoscope.errors import InputError

CORPUS = Path(__file__).resolve().parents[3] / "resources" / "corpora" / "synthetic-parallel"
LANGUAGES = parallel_grammar.LANGUAGES
needs_synthesiser = pytest.mark.skipif(
    importlib.util.find_spec("espeakng_loader") is None,
    reason="espeakng-loader is not installed (see resources/corpora/synthetic-parallel/README.md)",
)


def read_tsv(name):
    with (CORPUS / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


@pytest.fixture(scope="module")
def recordings():
    return tables.read(CORPUS / "recordings.parquet").to_pylist()


@pytest.fixture(scope="module")
def segments():
    found = defaultdict(list)
    for row in tables.read(CORPUS / "segments.parquet").to_pylist():
        found[row["utterance_id"], row["tier"]].append(row)
    return found


@pytest.fixture(scope="module")
def sentences():
    return {row["sentence_id"]: row for row in parallel_plan.sentences()}


def test_is_the_plan(recordings):
    planned = parallel_plan.utterances()
    assert [row["utterance_id"] for row in recordings] == [row["utterance_id"] for row in planned]
    for row, expected in zip(recordings, planned, strict=True):
        for key in ("speaker", "sex", "language", "native_language", "task", "sentence_id", "text", "split"):
            assert row[key] == expected[key]


def test_schemas_and_provenance():
    for name, schema in (("recordings", tables.UTTERANCES), ("segments", tables.SEGMENTS)):
        table = tables.read(CORPUS / f"{name}.parquet")
        assert table.schema.equals(schema)
        assert tables.provenance(table)["seed"] == parallel_plan.SEED


def test_every_sentence_is_once_in_every_language(recordings, sentences):
    assert len(sentences) == 128
    said = Counter((row["sentence_id"], row["language"]) for row in recordings)
    assert said == dict.fromkeys(itertools.product(sentences, LANGUAGES), 1)
    for language in LANGUAGES:
        assert len({row["text"] for row in recordings if row["language"] == language}) == 128


def test_six_voices_of_two_sexes_two_held_out(recordings):
    speakers = {row["speaker"]: row["sex"] for row in recordings}
    assert Counter(speakers.values()) == {"f": 3, "m": 3}
    heard = {row["speaker"] for row in recordings if row["split"] == "train"}
    new = set(speakers) - heard
    assert len(heard) == 4 and {speakers[name] for name in new} == {"f", "m"} and len(new) == 2
    by_new = Counter((row["language"], row["speaker"] in new) for row in recordings if row["split"] == "test")
    assert by_new == dict.fromkeys(itertools.product(LANGUAGES, (True, False)), 16)


def test_voice_does_not_tell_the_sentence(recordings):
    """Two renditions of a sentence share the voice about as often as those of two sentences do."""
    for part in ("train", "test"):
        of = defaultdict(dict)
        for row in (row for row in recordings if row["split"] == part):
            of[row["language"]][row["sentence_id"]] = row["speaker"]
        same, other = [], []
        for a, b in parallel_grammar.PAIRS:
            for x, y in itertools.product(of[a], of[b]):
                (same if x == y else other).append(of[a][x] == of[b][y])
        assert abs(np.mean(same) - np.mean(other)) < 0.08, (part, np.mean(same), np.mean(other))


def test_held_out_sentences_are_new_but_their_words_are_not(sentences):
    split = defaultdict(list)
    for row in sentences.values():
        split[row["split"]].append(row)
    assert len(split["train"]) == 96 and len(split["test"]) == 32
    assert not {row["core"] for row in split["train"]} & {row["core"] for row in split["test"]}
    for language in LANGUAGES:
        known = Counter(word for row in split["train"] for word, _ in row["words"][language])
        for row in split["test"]:
            assert all(known[word] >= 2 for word, _ in row["words"][language]), row["texts"][language]


def test_words_and_sentences_are_those_of_the_text(sentences):
    for row in read_tsv("sentences.tsv"):
        planned = sentences[row["sentence_id"]]
        assert {language: row[language] for language in LANGUAGES} == planned["texts"]
        assert (row["split"], row["concepts"].split()) == (planned["split"], planned["concepts"])
    written = defaultdict(list)
    for row in read_tsv("words.tsv"):
        written[row["sentence_id"], row["language"]].append((row["word"], row["concept"]))
    assert set(written) == set(itertools.product(sentences, LANGUAGES))
    for (sentence_id, language), words in written.items():
        text = sentences[sentence_id]["texts"][language]
        assert [word for word, _ in words] == re.findall(r"\w+", text.lower())
        # Languages say the same: every concept of the sentence, and no other.
        assert {concept for _, concept in words} - {""} == set(sentences[sentence_id]["concepts"])


def test_a_third_of_the_sentences_hold_no_lookalike(sentences):
    marked = {row["sentence_id"] for row in read_tsv("lookalikes.tsv")}
    without = set(sentences) - marked
    assert 1 / 3 <= len(without) / len(sentences) < 0.4
    tested = {name for name, row in sentences.items() if row["split"] == "test"}
    assert 1 / 3 <= len(without & tested) / len(tested) < 0.4
    for name in without:
        concepts = sentences[name]["concepts"]
        assert all(not parallel_grammar.phrases()[concept]["alike"] for concept in concepts)


def test_lookalikes_are_the_planned_ones_and_words_of_their_sentences(sentences):
    rows = read_tsv("lookalikes.tsv")
    assert rows == parallel.truth()
    for row in rows:
        words = sentences[row["sentence_id"]]["words"]
        for side in "ab":
            assert (row[f"word_{side}"], row["concept"]) in words[row[f"language_{side}"]]
    kinds = Counter(row["kind"] for row in rows)
    assert set(kinds) == {"name", "loanword"} and min(kinds.values()) > 100


def test_some_concepts_sound_alike_in_some_pairs_only():
    rows = {(row["concept"], row["language_a"], row["language_b"]) for row in read_tsv("lookalikes.tsv")}
    assert {pair[1:] for pair in rows if pair[0] == "train"} == {("en", "es")}
    assert {pair[1:] for pair in rows if pair[0] == "map"} == {("en", "es"), ("fi", "ru")}
    assert {pair[1:] for pair in rows if pair[0] == "anna"} == set(parallel_grammar.PAIRS)


def spoken_words(sentence, segments):
    """(language, content word) to its phones as they are in the shipped sound."""
    found = {}
    for language in LANGUAGES:
        name = f"{sentence['sentence_id']}_{language}"
        for word in segments[name, "word"]:
            inside = [
                phone["label"]
                for phone in segments[name, "phone"]
                if word["start_s"] <= phone["start_s"] and phone["end_s"] <= word["end_s"]
            ]
            found[language, word["label"].split()[0]] = " ".join(x for x in inside if x != "sil")
    return found


def test_marked_pairs_are_nearer_than_all_others_in_the_sound(sentences, segments):
    """By the phones that were spoken, not by the lexicon that the plan was made with."""
    alike, other = [], []
    for sentence in sentences.values():
        phones = spoken_words(sentence, segments)
        marked = {
            (row["language_a"], row["word_a"], row["language_b"], row["word_b"])
            for row in sentence["lookalikes"]
        }
        for a, b in parallel_grammar.PAIRS:
            of_a, of_b = ([word for word, concept in sentence["words"][x] if concept] for x in (a, b))
            for x, y in itertools.product(of_a, of_b):
                gap = likeness.between(phones[a, x], a, phones[b, y], b)
                if gap is not None:
                    (alike if (a, x, b, y) in marked else other).append(gap)
    assert len(alike) == sum(len(row["lookalikes"]) for row in sentences.values()) > 600
    assert max(alike) <= likeness.ALIKE < likeness.UNLIKE <= min(other)
    assert np.median(alike) < 0.2 and np.median(other) > 0.8


def test_audio_is_intact_and_speechlike(recordings):
    import soundfile

    for row in recordings:
        path = CORPUS / row["audio"]
        assert hashlib.sha256(path.read_bytes()).hexdigest() == row["audio_sha256"]
        audio, rate = soundfile.read(path, dtype="float32")
        assert (audio.ndim, rate) == (1, 16000) and len(audio) / rate == row["duration_s"]
        assert np.abs(audio).max() < 0.5 and audio.std() > 0.001
        assert audio[:1600].std() < 0.1 * audio.std()
        assert 0.8 < row["duration_s"] < 3


def test_times_are_in_order_and_within_the_audio(recordings, segments):
    for row in recordings:
        phones, words = (segments[row["utterance_id"], tier] for tier in ("phone", "word"))
        assert phones[0]["start_s"] == 0 and phones[0]["label"] == "sil"
        for phone, following in itertools.pairwise(phones):
            assert phone["start_s"] < phone["end_s"] == following["start_s"]
        assert abs(phones[-1]["end_s"] - row["duration_s"]) < 0.001
        for word, following in itertools.pairwise(words):
            assert word["start_s"] < word["end_s"] <= following["start_s"]
        bounds = {phone["start_s"] for phone in phones} | {phone["end_s"] for phone in phones}
        assert {bound for word in words for bound in (word["start_s"], word["end_s"])} <= bounds
        assert " ".join(word["label"] for word in words) == " ".join(re.findall(r"\w+", row["text"].lower()))


def test_word_times_are_where_the_sound_is(recordings, segments):
    """Every word is louder than the lead, and the sibilants are higher than the vowels."""
    import soundfile

    high = defaultdict(list)
    for row in recordings[::5]:
        audio, rate = soundfile.read(CORPUS / row["audio"], dtype="float32")
        lead = audio[: int(0.08 * rate)].std()
        for word in segments[row["utterance_id"], "word"]:
            part = audio[int(word["start_s"] * rate) : int(word["end_s"] * rate)]
            assert part.std() > 10 * lead + 1e-4, (row["utterance_id"], word["label"])
        for phone in segments[row["utterance_id"], "phone"]:
            part = audio[int(phone["start_s"] * rate) : int(phone["end_s"] * rate)]
            power = np.abs(np.fft.rfft(part * np.hanning(len(part)))) ** 2
            if len(part) > 480 and power.any():  # a closure is silent
                high[phone["label"]].append(power[len(power) // 2 :].sum() / power.sum())
    assert min(np.median(high["s"]), np.median(high["ʃ"])) > 0.3 > 0.02 > np.median(high["a"])


def test_is_small():
    assert sum(path.stat().st_size for path in CORPUS.rglob("*") if path.is_file()) < 10e6


def test_extra_sentences_are_new_and_of_known_words(sentences):
    extra = parallel_plan.extra_sentences(300)
    assert extra[:50] == parallel_plan.extra_sentences(50)
    assert len({row["texts"]["en"] for row in extra}) == len({row["sentence_id"] for row in extra}) == 300
    assert not {row["texts"]["en"] for row in extra} & {row["texts"]["en"] for row in sentences.values()}
    held_out = {row["core"] for row in sentences.values() if row["split"] == "test"}
    assert not {row["core"] for row in extra} & held_out
    known = {concept for row in sentences.values() for concept in row["concepts"]}
    assert {concept for row in extra for concept in row["concepts"]} <= known


def test_training_material_has_no_test_sentence_and_no_test_voice(sentences):
    rows = parallel_plan.training_utterances(802, seed=3)
    assert len(rows) == 802 and {row["split"] for row in rows} == {"train"}
    assert len({row["utterance_id"] for row in rows}) == 802
    held_out = [row for row in sentences.values() if row["split"] == "test"]
    assert not {row["text"] for row in rows} & {text for each in held_out for text in each["texts"].values()}
    variants = {variant for variant, _, split in parallel_plan.SPEAKERS.values() if split == "test"}
    assert not {row["request"]["voice"].split("+")[1] for row in rows} & variants
    assert len({row["speaker"] for row in rows}) == 10
    again = {row["sentence_id"] for row in rows} & set(sentences)
    assert 0.2 < len(again) / len({row["sentence_id"] for row in rows}) < 0.3
    assert rows == parallel_plan.training_utterances(802, seed=3) != parallel_plan.training_utterances(802, 4)


def test_more_sentences_than_there_are_is_refused(monkeypatch):
    monkeypatch.setattr(parallel_plan, "_draw", lambda rng, template: parallel_plan.sentences()[0])
    with pytest.raises(InputError, match="gave 0 of 5"):
        parallel_plan.extra_sentences(5)


def test_nothing_large_is_indoors_and_verbs_get_what_they_take():
    phrases = parallel_grammar.phrases()
    for row in [*parallel_plan.sentences(), *parallel_plan.extra_sentences(300)]:
        by_slot = {phrases[concept]["slot"]: phrases[concept] for concept in row["concepts"]}
        thing = by_slot.get("object")
        assert parallel_grammar.fits(by_slot["verb"], thing)
        assert "place" not in by_slot or parallel_grammar.has_room(by_slot["place"], thing)
    assert not parallel_grammar.fits(phrases["eat"], phrases["radio"])
    assert not parallel_grammar.has_room(phrases["kitchen"], phrases["taxi"])


def test_grammar_orders_words_as_the_language_does():
    row = parallel_grammar.sentence("svot", {"s": "anna", "v": "eat", "o": "pizza", "t": "today"})
    assert row["texts"] == {
        "en": "Anna is eating pizza today.",
        "fi": "Anna syö tänään pitsaa.",
        "ru": "Анна сегодня ест пиццу.",
        "es": "Ana come pizza hoy.",
    }
    assert row["words"]["en"][1:3] == [("is", None), ("eating", "eat")]


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (("t æ k s i", "en"), ("t a k sʲ ɪ", "ru"), 0),
        (("p iː t s ə", "en"), ("p ɪ ts a", "es"), 0.1),
        (("k a t", "fi"), ("ɡ a t", "ru"), 1 / 6),
        (("t ɹ eɪ n", "en"), ("j u n aː", "fi"), 1),
        (("w ɔː ɾ ɚ", "en"), ("w ɔ d ə r", "en"), 0),
        (("b ɔɪ", "fi"), ("o ɪ", "es"), None),
    ],
)
def test_distance_of_phones(a, b, expected):
    assert likeness.between(*a, *b) == likeness.between(*b, *a) == pytest.approx(expected)


def test_distance_is_a_plain_edit_distance_where_classes_play_no_part():
    """Against the definition, by recursion, over letters of which no two are of a class."""

    def reference(a, b):
        if not a or not b:
            return len(a) + len(b)
        change = reference(a[1:], b[1:]) + (a[0] != b[0])
        return min(change, reference(a[1:], b) + 1, reference(a, b[1:]) + 1)

    rng = random.Random(0)
    for _ in range(100):
        a, b = ("".join(rng.choices("ptkfs", k=rng.randint(1, 6))) for _ in "ab")
        assert likeness.distance(a, b) == pytest.approx(reference(a, b) / max(len(a), len(b)))


def test_words_that_are_spoken_as_one_keep_both_labels():
    words = [(0.1, 0.3, "At"), (0.3, 0.6, "sea")]
    assert parallel.whole(words, "At the sea.") == [(0.1, 0.3, "at the"), (0.3, 0.6, "sea")]
    with pytest.raises(InputError, match="lake is spoken but not written"):
        parallel.whole([*words, (0.6, 0.9, "lake")], "At the sea.")
    with pytest.raises(InputError, match="the word on has no time"):
        parallel.whole(words, "On the sea.")


@needs_synthesiser
@pytest.mark.parametrize("language", LANGUAGES)
def test_rebuilt_equals_shipped(language, recordings, segments):
    import soundfile

    mine = [row for row in parallel_plan.utterances() if row["language"] == language]
    chosen = [next(row for row in mine if row["split"] == part) for part in ("train", "test")]
    for row, audio, found in parallel.speak(chosen):
        shipped, _ = soundfile.read(CORPUS / "audio" / f"{row['utterance_id']}.flac", dtype="int16")
        np.testing.assert_array_equal(audio, shipped)
        kept = segments[row["utterance_id"], "phone"] + segments[row["utterance_id"], "word"]
        assert found == kept


@needs_synthesiser
@pytest.mark.slow
def test_lexicon_is_what_the_synthesiser_speaks():
    assert parallel.lexicon() == read_tsv("lexicon.tsv")


@needs_synthesiser
def test_training_folder_is_a_corpus(tmp_path):
    parallel.assemble_training(tmp_path, 6, seed=1)
    rows = tables.read(tmp_path / "recordings.parquet").to_pylist()
    assert [row["utterance_id"] for row in rows] == [
        row["utterance_id"] for row in parallel_plan.training_utterances(6, 1)
    ]
    assert {row["split"] for row in rows} == {"train"} and all(
        (tmp_path / row["audio"]).is_file() for row in rows
    )
    assert {row["utterance_id"] for row in tables.read(tmp_path / "segments.parquet").to_pylist()} == {
        row["utterance_id"] for row in rows
    }
