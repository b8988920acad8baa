"""The grammar of synthetic-parallel: phrases with their exact form in four languages, and their orders.

`phrases.tsv` of the corpus holds one row per phrase. A phrase has one form per language (a Finnish object is
in the partitive, a Russian one in the accusative, every verb in the third person singular), so that every
combination that :func:`fits` allows is grammatical in all four. `lexicon.tsv` holds the phones of every
word, as the synthesiser speaks them.
"""

import csv
import functools
import itertools
from pathlib import Path

from phonoscope.corpora.synthetic import parallel_likeness as likeness
from phonoscope.errors import InputError

FOLDER = Path(__file__).resolve().parents[3] / "resources" / "corpora" / "synthetic-parallel"
LANGUAGES = ("en", "fi", "ru", "es")
PAIRS = tuple(itertools.combinations(LANGUAGES, 2))
SLOTS = {"s": "subject", "v": "verb", "o": "object", "p": "place", "t": "adverb"}

# Template: order of its slots, and where a language has another.
TEMPLATES = {
    "svo": {},
    "svop": {},
    "psvo": {},
    "svot": {"fi": "svto", "ru": "stvo"},
    "svp": {},
    "svpt": {"fi": "svtp", "ru": "stvp"},
}

# Words that belong to no concept. They are short and not compared.
FUNCTION_WORDS = {
    "en": frozenset(["the", "a", "is", "in", "on", "at", "for", "to", "with"]),
    "fi": frozenset(["kanssa"]),
    "ru": frozenset(["в", "на", "с"]),
    "es": frozenset(["el", "la", "en", "con", "un"]),
}


def _read(name):
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


@functools.cache
def phrases():
    """Concept to phrase.

    Returns
    -------
    dict of str to dict
        ``slot``, ``concept``, ``kind`` (plain, name, loanword), ``alike`` (set of language pairs in which it
        sounds alike), ``class`` (set: what an object or a place is, what a verb takes), and the form per
        language.

    Raises
    ------
    InputError
        For a concept that occurs twice, or one that sounds alike and is more than one word.
    """
    found = {}
    for row in _read("phrases.tsv"):
        concept = row["concept"]
        if concept in found:
            raise InputError("occurs twice", path=FOLDER / "phrases.tsv", row=concept, fix="rename one")
        groups = [set(group.split("-")) for group in row["alike"].split()]
        alike = {pair for pair in PAIRS if any(set(pair) <= group for group in groups)}
        found[concept] = {**row, "alike": alike, "class": set(row["class"].split())}
        if alike and any(len(content_words(found[concept], language)) != 1 for language in LANGUAGES):
            raise InputError(
                "sounds alike, but is not one word",
                path=FOLDER / "phrases.tsv",
                row=concept,
                fix="use one word in every language",
            )
    return found


@functools.cache
def lexicon():
    """(language, word) to its phones, IPA separated by spaces."""
    return {(row["language"], row["word"]): row["phones"] for row in _read("lexicon.tsv")}


def content_words(phrase, language):
    """The words of a phrase that carry its concept, in small letters."""
    words = phrase[language].lower().split()
    return [word for word in words if word not in FUNCTION_WORDS[language]]


def of(slot):
    """The phrases of a slot, in the order of the table."""
    return [phrase for phrase in phrases().values() if phrase["slot"] == slot]


def fits(verb, thing):
    """Whether the object is one that the verb takes; for no object, whether the verb takes none."""
    return bool(verb["class"] & thing["class"]) if thing else verb["class"] == {"-"}


def has_room(place, thing):
    """Whether the object can be there: no house in a kitchen."""
    return not ("indoors" in place["class"] and thing and "large" in thing["class"])


def sentence(template, fillers):
    """A sentence in all languages.

    Parameters
    ----------
    template : str
        A key of :data:`TEMPLATES`.
    fillers : dict of str to str
        Slot letter to concept.

    Returns
    -------
    dict
        ``template``, ``concepts`` (in the order of the template), ``core`` (what makes it this sentence:
        subject, verb and object or place), ``texts`` (language to text), ``words`` (language to a list of
        (word, concept or None)), ``lookalikes`` (see :func:`lookalikes`).
    """
    texts, words = {}, {}
    for language in LANGUAGES:
        order = [phrases()[fillers[slot]] for slot in TEMPLATES[template].get(language, template)]
        text = " ".join(phrase[language] for phrase in order)
        texts[language] = text[0].upper() + text[1:] + "."
        words[language] = [
            (word, None if word in FUNCTION_WORDS[language] else phrase["concept"])
            for phrase in order
            for word in phrase[language].lower().split()
        ]
    concepts = [fillers[slot] for slot in template]
    core = tuple(fillers[slot] for slot in ("svo" if "o" in fillers else "svp"))
    return {
        "template": template,
        "concepts": concepts,
        "core": core,
        "texts": texts,
        "words": words,
        "lookalikes": lookalikes(concepts),
    }


def lookalikes(concepts):
    """The words that sound alike, a dict per concept and language pair.

    Keys: ``language_a``, ``language_b``, ``word_a``, ``word_b``, ``concept``, ``kind``, ``distance``.
    """
    found = []
    for phrase in (phrases()[concept] for concept in concepts):
        for a, b in PAIRS:
            if (a, b) in phrase["alike"]:
                (word_a,), (word_b,) = content_words(phrase, a), content_words(phrase, b)
                found.append(
                    {
                        "language_a": a,
                        "language_b": b,
                        "word_a": word_a,
                        "word_b": word_b,
                        "concept": phrase["concept"],
                        "kind": phrase["kind"],
                        "distance": apart(a, word_a, b, word_b),
                    }
                )
    return found


def apart(language_a, word_a, language_b, word_b):
    """Distance of two words by the lexicon; None where one is too short to tell."""
    phones_a, phones_b = lexicon()[language_a, word_a], lexicon()[language_b, word_b]
    return likeness.between(phones_a, language_a, phones_b, language_b)


def unmarked(sentence):
    """Pairs of content words of two languages that are not marked as alike, with their distance.

    Yields
    ------
    tuple of (str, str, str, str, float)
        language_a, word_a, language_b, word_b, distance.
    """
    marked = {tuple(row[key] for key in ("language_a", "word_a", "language_b", "word_b"))
              for row in sentence["lookalikes"]}  # fmt: skip
    for a, b in PAIRS:
        words_a, words_b = ([word for word, concept in sentence["words"][each] if concept] for each in (a, b))
        for pair in itertools.product(words_a, words_b):
            if (a, pair[0], b, pair[1]) not in marked and (gap := apart(a, pair[0], b, pair[1])) is not None:
                yield a, pair[0], b, pair[1], gap
