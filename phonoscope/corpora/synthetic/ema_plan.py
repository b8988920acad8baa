"""What the corpora of articulatory synthesis say: their languages, speakers and utterances.

Everything here follows from a plan's seed through :class:`random.Random`, whose `random()` is the same on
every platform and Python version, so that a plan is a constant and no file of it has to be kept.
"""

import random
from dataclasses import dataclass

from phonoscope.corpora.synthetic.ema_languages import DISJOINT, OVERLAPPING, VOWELS, spelling
from phonoscope.corpora.synthetic.ema_speakers import SPEAKERS
from phonoscope.errors import InputError

RATE_HZ = 16000
EMA_HZ = 100
SENSORS = ("TT", "TB", "TD", "UL", "LL")
LEAD_S = 0.15
_FRICATIVES, _PLOSIVES = tuple("sSfCx"), tuple("ptkbdg")


@dataclass(frozen=True)
class Plan:
    """One corpus.

    Attributes
    ----------
    name : str
        Of its folder.
    seed : int
    languages : dict
        The two of ``ema_languages``. Natives of the first are the speakers `tal...`, of the second `vos...`.
    tasks : dict
        task -> number of recordings per speaker and condition
    conditions : tuple of str
        L1, L1-accent, L2. Only languages with `nearest` can have an accent; with it, a speaker replaces the
        phones that the own language lacks, without it none.
    l2_slowing : float
        How many times as long as in L1 the phones of L2 are.
    dead : tuple or None
        (utterance_id, sensor) of the one sensor that is dead through one recording.
    """

    name: str
    seed: int
    languages: dict
    tasks: dict
    conditions: tuple
    l2_slowing: float
    dead: tuple | None = None

    @property
    def speakers(self):
        """Speakers of ``ema_speakers`` with `native_language`, one of this corpus."""
        first, second = self.languages
        return [
            dict(s, native_language=first if s["speaker"].startswith("tal") else second) for s in SPEAKERS
        ]


PLANS = {
    plan.name: plan
    for plan in (
        Plan(
            "synthetic-ema",
            20260601,
            OVERLAPPING,
            tasks={"read": 3, "carrier": 2, "spontaneous": 2},
            conditions=("L1", "L1-accent", "L2"),
            l2_slowing=1.22,
            dead=("vos3_f_carrier_L2_2", "TB"),
        ),
        Plan(
            "synthetic-ema-disjoint",
            20260602,
            DISJOINT,
            tasks={"read": 3, "spontaneous": 3},
            conditions=("L1", "L2"),
            l2_slowing=1.0,
        ),
    )
}


def plan_of(corpus):
    """The plan of the corpus of that name.

    Raises
    ------
    InputError
        If there is none.
    """
    if corpus not in PLANS:
        raise InputError(f"no corpus of articulatory synthesis is called {corpus}", fix=f"take {list(PLANS)}")
    return PLANS[corpus]


def _pick(rng, items):
    return items[int(rng.random() * len(items))]


def lexicon(plan, language, n=40):
    """`n` different words of `language`, each a tuple of syllables, each a tuple of SAMPA phones."""
    rng, spec = random.Random(f"{plan.seed} {language} words"), plan.languages[language]
    words = []
    while len(words) < n:
        word, last = [], None
        for _ in range(_pick(rng, spec["syllables"])):
            onset = _pick(rng, [phone for phone in spec["onsets"] if phone != last])
            vowel, coda = _pick(rng, spec["vowels"]), _pick(rng, spec["codas"])
            word.append((onset, vowel, coda) if coda else (onset, vowel))
            last = word[-1][-1]
        if tuple(word) not in words:
            words.append(tuple(word))
    return words


def sentences(plan, language, n=6):
    """`n` sentences of `language` that its readers share, each a list of 4 or 5 words."""
    rng, words = random.Random(f"{plan.seed} {language} sentences"), lexicon(plan, language)
    return [[_pick(rng, words) for _ in range(4 + (k % 2))] for k in range(n)]


def _replaced(word, nearest, share, rng):
    return tuple(
        tuple(nearest[p] if p in nearest and rng.random() < share else p for p in syllable)
        for syllable in word
    )


def _other(plan, language):
    return next(name for name in plan.languages if name != language)


def _content(plan, speaker, index, task, condition, n, rng):
    """Language, sentence name and phrases (lists of words as the language has them) of one utterance."""
    native = speaker["native_language"]
    language = _other(plan, native) if condition == "L2" else native
    words, block = lexicon(plan, language), plan.conditions.index(condition)
    if task == "read":
        k = (index + n + block) % 6
        return language, f"{language}-read{k + 1}", [sentences(plan, language)[k]]
    if task == "carrier":
        k = (2 * index + n + 3 * block) % 30
        return language, f"{language}-word{k + 1}", [[words[31], words[k], words[33], words[38]]]
    phrases = [[_pick(rng, words) for _ in range(2 + (rng.random() < 0.4))] for _ in range(2)]
    return language, f"{language}-talk-{speaker['speaker']}-{n + 1}", phrases


def _spoken(plan, native, condition, phrases, rng):
    """The phrases with the phones that the speaker has for them."""
    if condition == "L1":
        return phrases
    own = native if condition == "L2" else _other(plan, native)
    nearest, share = plan.languages[own].get("nearest", {}), 1.0 if condition == "L2" else 0.75
    return [[_replaced(word, nearest, share, rng) for word in phrase] for phrase in phrases]


def utterances(plan):
    """Plan of the whole corpus.

    Returns
    -------
    list of dict
        Per utterance: utterance_id, speaker, language, native_language, sex, task, condition, sentence_id,
        text, seed, prosody, and `segments`, a list of dicts (phone, duration_s, word, syllable, accent;
        phone is "" in a pause).
    """
    found = []
    for index, speaker in enumerate(plan.speakers):
        for condition in plan.conditions:
            for task, count in plan.tasks.items():
                found += [_utterance(plan, speaker, index, task, condition, n) for n in range(count)]
    return found


def _utterance(plan, speaker, index, task, condition, n):
    name = f"{speaker['speaker']}_{task}_{condition}_{n + 1}"
    rng = random.Random(f"{plan.seed} {name}")
    native = speaker["native_language"]
    language, sentence, phrases = _content(plan, speaker, index, task, condition, n, rng)
    text = " , ".join(" ".join(spelling(word) for word in phrase) for phrase in phrases)
    phrases = _spoken(plan, native, condition, phrases, rng)
    prosody = plan.languages[_other(plan, native) if condition == "L1-accent" else native]["prosody"]
    # Who replaces phones hesitates in the own language; where phones are kept apart, so are hesitations.
    hesitates_in = plan.languages[native if "nearest" in plan.languages[native] else language]
    tempo = 1.06 * speaker["rate"] / (plan.l2_slowing if condition == "L2" else 1.0)
    return {
        "utterance_id": name,
        "speaker": speaker["speaker"],
        "sex": speaker["sex"],
        "language": language,
        "native_language": native,
        "task": task,
        "condition": condition,
        "sentence_id": sentence,
        "text": text,
        "seed": f"{plan.seed} {name} noise",
        "prosody": prosody,
        "segments": _timed(
            phrases, prosody, hesitates_in["filler"] if task == "spontaneous" else None, tempo, rng
        ),
    }


def _duration(phone):
    if phone in VOWELS:
        return 0.085 if phone == "@" else 0.105
    return 0.095 if phone in _FRICATIVES else 0.08 if phone in _PLOSIVES else 0.068


def _timed(phrases, prosody, filler, tempo, rng):
    """Phones with durations: stress, phrase-final lengthening, jitter, pauses and fillers."""
    out = [{"phone": "", "duration_s": LEAD_S, "word": -1, "syllable": -1, "accent": 0}]
    word_number = syllable_number = 0

    def add(phone, seconds, accent=0):
        jitter = 1 + 0.24 * (rng.random() + rng.random() + rng.random() - 1.5) / 1.5
        out.append(
            {
                "phone": phone,
                "duration_s": round(max(0.05, seconds * jitter), 3),
                "word": word_number if phone else -1,
                "syllable": syllable_number if phone else -1,
                "accent": accent,
            }
        )

    for number, phrase in enumerate(phrases):
        pace = tempo * (0.85 + 0.4 * rng.random() if filler else 1.0)
        if filler and rng.random() < 0.75:
            add(filler[0], 0.30)
            if rng.random() < 0.5:
                add(filler[1], 0.18)
            word_number, syllable_number = word_number + 1, syllable_number + 1
            add("", 0.12 + 0.2 * rng.random())
        for w, word in enumerate(phrase):
            for s, syllable in enumerate(word):
                accented = s == (0 if prosody == "initial" else len(word) - 1)
                final = w == len(phrase) - 1 and s == len(word) - 1
                for phone in syllable:
                    stretch = 1.0
                    if phone in VOWELS:
                        stretch = {"initial": (0.85, 1.25), "final": (0.98, 1.12)}[prosody][accented]
                        stretch *= 1.45 if final else 1.0
                    add(phone, _duration(phone) * stretch / pace, int(accented))
                syllable_number += 1
            word_number += 1
        if number < len(phrases) - 1:
            add("", 0.2 + 0.25 * rng.random())
    out.append({"phone": "", "duration_s": LEAD_S + 0.05, "word": -1, "syllable": -1, "accent": 0})
    return out
