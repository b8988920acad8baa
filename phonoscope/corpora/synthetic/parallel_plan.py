"""What the corpus `synthetic-parallel` says and who says it: 128 sentences in four languages, six voices.

Everything follows from :data:`SEED`, the phrases and the lexicon, so that no file of the plan has to be kept.
"""

import functools
import random
from collections import Counter

from phonoscope.corpora.synthetic import parallel_grammar as grammar
from phonoscope.corpora.synthetic import parallel_likeness as likeness
from phonoscope.errors import InputError

SEED = 20260903
TESTED, WITHOUT = 32, 43
# How many of the 128 sentences have which template.
TEMPLATES = {"svo": 18, "svop": 40, "psvo": 26, "svot": 20, "svp": 12, "svpt": 12}
# Share of test sentences without a look-alike: as in the whole.
TESTED_WITHOUT = 11
ATTEMPTS = 2000

VOICES = {"en": "en-us", "fi": "fi", "ru": "ru", "es": "es"}
# name: variant of the synthesiser, sex, split. Only variants without breath noise can be repeated.
SPEAKERS = {
    "f1": ("f1", "f", "train"),
    "linda": ("linda", "f", "train"),
    "m3": ("m3", "m", "train"),
    "m7": ("m7", "m", "train"),
    "aunty": ("aunty", "f", "test"),
    "m8": ("m8", "m", "test"),
}
# More voices for training material, beside those of split train.
MORE_SPEAKERS = {
    "f4": ("f4", "f"),
    "steph": ("steph", "f"),
    "annie": ("Annie", "f"),
    "m1": ("m1", "m"),
    "m2": ("m2", "m"),
    "michael": ("Michael", "m"),
}


def _pick(rng, items):
    return items[int(rng.random() * len(items))]


def _rarest(rng, items, used):
    """One of `items` (phrases), the likelier the less often it was used."""
    shares = [1 / (1 + used[item["concept"]]) ** 3 for item in items]
    at = rng.random() * sum(shares)
    for item, share in zip(items, shares, strict=True):
        at -= share
        if at <= 0:
            return item
    return items[-1]


def _draw(rng, template, used=None, plain=False):
    """A sentence of that template in which nothing sounds alike by chance.

    Parameters
    ----------
    rng : random.Random
    template : str
    used : Counter of concepts, optional
        Prefer those that are rare in it.
    plain : bool
        Without look-alikes.
    """
    used = Counter() if used is None else used

    def choose(slot, of=lambda phrase: True):
        found = [phrase for phrase in grammar.of(grammar.SLOTS[slot]) if of(phrase)]
        return _rarest(rng, [phrase for phrase in found if not (plain and phrase["alike"])], used)

    for _ in range(ATTEMPTS):
        if "o" in template:
            thing = choose("o")
            verb = choose("v", lambda phrase, thing=thing: grammar.fits(phrase, thing))
            chosen = {"o": thing, "v": verb}
        else:
            chosen = {"v": choose("v", lambda phrase: grammar.fits(phrase, None))}
        if "p" in template:
            large = chosen.get("o")
            chosen["p"] = choose("p", lambda phrase, large=large: grammar.has_room(phrase, large))
        chosen |= {slot: choose(slot) for slot in template if slot not in chosen}
        found = grammar.sentence(template, {slot: phrase["concept"] for slot, phrase in chosen.items()})
        if all(gap >= likeness.UNLIKE for *_, gap in grammar.unmarked(found)):
            return found
    raise InputError(
        f"no sentence of template {template} is free of words that sound alike by chance",
        path=grammar.FOLDER / "phrases.tsv",
        fix="use other words",
    )


@functools.cache
def _sentences():
    rng, used, cores, found = random.Random(f"{SEED} sentences"), Counter(), set(), []
    templates = sorted(
        (template for template, count in TEMPLATES.items() for _ in range(count)), key=lambda _: rng.random()
    )
    for index, template in enumerate(templates):
        plain = index < WITHOUT
        while True:
            new = _draw(rng, template, used, plain)
            if new["core"] not in cores and bool(new["lookalikes"]) != plain:
                break
        used.update(new["concepts"])
        cores.add(new["core"])
        found.append(new)
    tested = _tested(found, used, rng)
    order = sorted(range(len(found)), key=lambda _: rng.random())
    return [
        {"sentence_id": f"s{number:03d}", "split": "test" if index in tested else "train", **found[index]}
        for number, index in enumerate(order, 1)
    ]


def _tested(found, used, rng):
    """Indices of sentences to hold out, such that training sentences keep two of every phrase."""
    left, tested = Counter(used), set()
    quota = {True: TESTED_WITHOUT, False: TESTED - TESTED_WITHOUT}
    for index in sorted(range(len(found)), key=lambda _: rng.random()):
        without, concepts = not found[index]["lookalikes"], found[index]["concepts"]
        if quota[without] and all(left[concept] > 2 for concept in concepts):
            quota[without] -= 1
            left.subtract(concepts)
            tested.add(index)
    if any(quota.values()):
        raise InputError(
            f"{sum(quota.values())} test sentences are missing, since their words would be new in the test",
            path=grammar.FOLDER / "phrases.tsv",
            fix="use fewer phrases",
        )
    return tested


def sentences():
    """The shipped sentences.

    Returns
    -------
    list of dict
        ``sentence_id``, ``split`` (train, test), and what :func:`parallel_grammar.sentence` gives. Every word
        of a test sentence occurs in training sentences. No two sentences share subject, verb and object (or
        place, where the verb takes no object).
    """
    return list(_sentences())


def extra_sentences(n):
    """`n` sentences of the same grammar that are not shipped, for training.

    None shares subject, verb and object (or place) with a test sentence, and none is a training sentence. The
    first of a longer list are those of a shorter one.

    Raises
    ------
    InputError
        If the grammar does not hold that many.
    """
    rng, found = random.Random(f"{SEED} extra"), {}
    tested = {each["core"] for each in sentences() if each["split"] == "test"}
    shipped = {each["texts"]["en"] for each in sentences()}
    templates = [template for template, count in TEMPLATES.items() for _ in range(count)]
    for _ in range(20 * n + 1000):
        if len(found) == n:
            break
        new = _draw(rng, _pick(rng, templates))
        if new["core"] not in tested and new["texts"]["en"] not in shipped:
            number = len(found) + 1
            found.setdefault(new["texts"]["en"], {"sentence_id": f"x{number:05d}", "split": "train", **new})
    if len(found) < n:
        raise InputError(f"the grammar gave {len(found)} of {n} sentences", fix="ask for fewer")
    return list(found.values())


def manner(rng):
    """Speaking rate (words per minute), pitch and pitch range of one utterance."""
    return {name: round(low + rng.random() * (high - low))
            for name, low, high in (("rate", 170, 205), ("pitch", 40, 60), ("range", 40, 60))}  # fmt: skip


def utterance(utterance_id, sentence, language, speaker, sex, variant, rng):
    """A row of ``tables.UTTERANCES`` with, under ``request``, what :func:`espeak.speak` is asked for."""
    text = sentence["texts"][language]
    return {
        "utterance_id": utterance_id,
        "speaker": speaker,
        "sex": sex,
        "language": language,
        "native_language": language,
        "task": "read",
        "sentence_id": sentence["sentence_id"],
        "text": text,
        "split": sentence["split"],
        "shard": speaker,
        "request": {"voice": f"{VOICES[language]}+{variant}", "text": text, **manner(rng)},
    }


def utterances():
    """The shipped utterances: each sentence once in each language.

    The voice is drawn per sentence and language and does not tell the sentence: a language's sentences
    are shuffled and dealt out to the voices. Half of the test utterances of every language are spoken by
    held-out voices, the others by voices of the training.

    Returns
    -------
    list of dict
        See :func:`utterance`.
    """
    dealt = {language: _dealt(language) for language in grammar.LANGUAGES}
    rows = []
    for sentence in sentences():
        rng = random.Random(f"{SEED} {sentence['sentence_id']} manner")
        for language in grammar.LANGUAGES:
            speaker = dealt[language][sentence["sentence_id"]]
            variant, sex, _ = SPEAKERS[speaker]
            name = f"{sentence['sentence_id']}_{language}"
            rows.append(utterance(name, sentence, language, speaker, sex, variant, rng))
    return rows


def _dealt(language):
    """sentence_id to the speaker who says it in that language."""
    known, new = ([name for name, (_, _, split) in SPEAKERS.items() if split == part]
                  for part in ("train", "test"))  # fmt: skip
    rng = random.Random(f"{SEED} {language} voices")
    names = {
        part: sorted((each["sentence_id"] for each in sentences() if each["split"] == part),
                     key=lambda _: rng.random())
        for part in ("train", "test")
    }  # fmt: skip
    half = len(names["test"]) // 2
    parts = ((names["train"], known), (names["test"][:half], new), (names["test"][half:], known))
    return {name: voices[index % len(voices)] for ids, voices in parts for index, name in enumerate(ids)}


def training_utterances(count, seed):
    """`count` utterances for training only: never a test sentence, never a held-out voice.

    Every fourth sentence is a shipped training sentence in another voice, the others are not shipped. Each is
    spoken once in each language.

    Raises
    ------
    InputError
        If the grammar does not hold that many sentences.
    """
    needed = -(-count // len(grammar.LANGUAGES))
    again = [each for each in sentences() if each["split"] == "train"]
    extra = iter(extra_sentences(needed - -(-needed // 4)))
    voices = [(name, sex, variant) for name, (variant, sex, split) in SPEAKERS.items() if split == "train"]
    voices += [(name, sex, variant) for name, (variant, sex) in MORE_SPEAKERS.items()]
    rows = []
    for index in range(needed):
        sentence = next(extra) if index % 4 else again[index // 4 % len(again)]
        for language in grammar.LANGUAGES:
            rng = random.Random(f"{SEED} {seed} {index} {language}")
            speaker, sex, variant = _pick(rng, voices)
            name = f"t{index:05d}_{sentence['sentence_id']}_{language}"
            rows.append(utterance(name, sentence, language, speaker, sex, variant, rng))
    return rows[:count]
