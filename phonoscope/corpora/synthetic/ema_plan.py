"""What the corpus `synthetic-ema` says: two invented languages, eight speakers, their utterances.

Everything here follows from :data:`SEED` through :class:`random.Random`, whose `random()` is the same on
every platform and Python version, so that a plan is a constant and no file of it has to be kept.
"""

import random

SEED = 20260601
RATE_HZ = 16000
EMA_HZ = 100
SENSORS = ("TT", "TB", "TD", "UL", "LL")
TASKS = {"read": 3, "carrier": 2, "spontaneous": 2}
CONDITIONS = ("L1", "L1-accent", "L2")
LEAD_S = 0.15

VOWELS = tuple("aeiou@EOy2")
_FRICATIVES, _PLOSIVES = tuple("sSfCx"), tuple("ptkbdg")

# Phones are SAMPA. a i u p t k m n l s belong to both languages; `nearest` names, for every phone of the
# other language that is missing here, the phone by which a native replaces it.
LANGUAGES = {
    "Talmi": {
        "vowels": tuple("aiueo@"),
        "onsets": tuple("ptkbdgmnlsxj"),
        "codas": ("", "", "n", "s", "l", "k"),
        "syllables": (1, 2, 2, 3),
        "prosody": "initial",
        "filler": "@",
        "nearest": {
            "E": "e",
            "O": "o",
            "y": "i",
            "2": "e",
            "f": "p",
            "v": "b",
            "S": "s",
            "C": "x",
            "N": "n",
            "R": "g",
        },
    },
    "Vosun": {
        "vowels": tuple("aiuEOy2"),
        "onsets": tuple("ptkmnlsfvSCR"),
        "codas": ("", "", "", "N", "m", "n"),
        "syllables": (2, 2, 3, 3),
        "prosody": "final",
        "filler": "2",
        "nearest": {"e": "E", "o": "O", "@": "2", "b": "v", "d": "t", "g": "k", "x": "R", "j": "C"},
    },
}
_LETTERS = {
    "@": "ë",
    "E": "ä",
    "O": "å",
    "y": "ü",
    "2": "ö",
    "S": "sh",
    "C": "ch",
    "N": "ng",
    "R": "r",
    "x": "kh",
}

# Anatomy: the 13 parameters of VocalTractLab in its order and units (cm, degrees): lip width, mandible
# height, lower and upper molars height, palate height and depth, hard and soft palate length, pharynx
# length, larynx length and width, vocal fold length, oral-pharyngeal angle. `points_cm`: distance of TT,
# TB and TD from the tip along the tongue. `tilt_deg`: error of the bite-plane alignment. `voice`: lung
# pressure (share of 800 Pa), glottal gap added (cm), aspiration added (dB), pitch range (share).
_MALE = (1.30, 1.50, 0.50, 0.50, 1.60, 3.60, 4.70, 2.37, 6.35, 3.20, 3.30, 1.20, -98.0)
_FEMALE = (1.10, 1.40, 0.50, 0.50, 1.48, 3.35, 4.30, 2.35, 5.30, 2.60, 2.90, 1.00, -97.0)


def _speaker(name, language, sex, scale, f0_hz, rate, voice, points_cm, tilt_deg):
    anatomy = list(_MALE if sex == "m" else _FEMALE)
    for index, factor in scale.items():
        anatomy[index] = round(anatomy[index] * factor, 3)
    pressure, breathiness_cm, aspiration_db, pitch_range = voice
    return {
        "speaker": name,
        "sex": sex,
        "native_language": language,
        "anatomy": anatomy,
        "f0_hz": f0_hz,
        "pitch_range": pitch_range,
        "rate": rate,
        "pressure": pressure,
        "breathiness_cm": breathiness_cm,
        "aspiration_db": aspiration_db,
        "points_cm": points_cm,
        "tilt_deg": tilt_deg,
    }


SPEAKERS = (
    _speaker("tal1_f", "Talmi", "f", {},
             f0_hz=196, rate=1.00, voice=(0.95, 0.004, 2, 1.0), points_cm=(1.2, 2.6, 4.1), tilt_deg=2.0),
    _speaker("tal2_m", "Talmi", "m", {},
             f0_hz=112, rate=1.08, voice=(1.00, 0.000, 0, 0.8), points_cm=(1.3, 2.9, 4.7), tilt_deg=-1.5),
    _speaker("tal3_f", "Talmi", "f", {6: 1.05, 8: 0.98, 0: 0.92},
             f0_hz=218, rate=0.92, voice=(0.90, 0.006, 4, 1.3), points_cm=(1.1, 2.4, 3.9), tilt_deg=4.0),
    _speaker("tal4_m", "Talmi", "m", {6: 0.95, 8: 1.06, 9: 1.05, 5: 1.04},
             f0_hz=98, rate=0.96, voice=(1.05, 0.002, 1, 1.1), points_cm=(1.4, 3.0, 4.8), tilt_deg=0.5),
    _speaker("vos1_f", "Vosun", "f", {6: 0.97, 8: 1.04, 0: 1.1},
             f0_hz=184, rate=1.06, voice=(1.00, 0.002, 1, 0.9), points_cm=(1.3, 2.7, 4.2), tilt_deg=-3.0),
    _speaker("vos2_m", "Vosun", "m", {6: 1.04, 8: 0.96, 4: 0.95},
             f0_hz=124, rate=0.94, voice=(0.95, 0.004, 3, 1.2), points_cm=(1.2, 2.7, 4.5), tilt_deg=1.0),
    _speaker("vos3_f", "Vosun", "f", {5: 0.96, 4: 0.95, 9: 0.95},
             f0_hz=206, rate=1.12, voice=(0.92, 0.005, 2, 1.1), points_cm=(1.15, 2.5, 4.0), tilt_deg=-0.5),
    _speaker("vos4_m", "Vosun", "m", {6: 0.98, 7: 1.05, 9: 0.96},
             f0_hz=106, rate=1.02, voice=(1.02, 0.001, 0, 1.0), points_cm=(1.25, 2.8, 4.7), tilt_deg=3.0),
)  # fmt: skip

# The one sensor that is dead through one recording.
DEAD = ("vos3_f_carrier_L2_2", "TB")


def _pick(rng, items):
    return items[int(rng.random() * len(items))]


def lexicon(language, n=40):
    """`n` different words of `language`, each a tuple of syllables, each a tuple of SAMPA phones."""
    rng, spec = random.Random(f"{SEED} {language} words"), LANGUAGES[language]
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


def spelling(word):
    """How a word (syllables of phones) is written: one letter a phone, or two."""
    return "".join(_LETTERS.get(phone, phone) for syllable in word for phone in syllable)


def sentences(language, n=6):
    """`n` sentences of `language` that its readers share, each a list of 4 or 5 words."""
    rng, words = random.Random(f"{SEED} {language} sentences"), lexicon(language)
    return [[_pick(rng, words) for _ in range(4 + (k % 2))] for k in range(n)]


def _replaced(word, nearest, share, rng):
    return tuple(
        tuple(nearest[p] if p in nearest and rng.random() < share else p for p in syllable)
        for syllable in word
    )


def _content(speaker, index, task, condition, n, rng):
    """Sentence name and phrases (lists of words as the language has them) of one utterance."""
    other = next(name for name in LANGUAGES if name != speaker["native_language"])
    language = other if condition == "L2" else speaker["native_language"]
    words = lexicon(language)
    if task == "read":
        k = (index + n + CONDITIONS.index(condition)) % 6
        return language, f"{language}-read{k + 1}", [sentences(language)[k]]
    if task == "carrier":
        k = (2 * index + n + 3 * CONDITIONS.index(condition)) % 30
        return language, f"{language}-word{k + 1}", [[words[31], words[k], words[33], words[38]]]
    phrases = [[_pick(rng, words) for _ in range(2 + (rng.random() < 0.4))] for _ in range(2)]
    return language, f"{language}-talk-{speaker['speaker']}-{n + 1}", phrases


def utterances():
    """Plan of the whole corpus.

    Returns
    -------
    list of dict
        Per utterance: utterance_id, speaker, language, native_language, sex, task, condition, sentence_id,
        text, seed, prosody, and `segments`, a list of dicts (phone, duration_s, word, syllable, accent;
        phone is "" in a pause).
    """
    plan = []
    for index, speaker in enumerate(SPEAKERS):
        for condition in CONDITIONS:
            for task, count in TASKS.items():
                plan += [_utterance(speaker, index, task, condition, n) for n in range(count)]
    return plan


def _utterance(speaker, index, task, condition, n):
    name = f"{speaker['speaker']}_{task}_{condition}_{n + 1}"
    rng = random.Random(f"{SEED} {name}")
    native = speaker["native_language"]
    language, sentence, phrases = _content(speaker, index, task, condition, n, rng)
    other = next(candidate for candidate in LANGUAGES if candidate != native)
    text = " , ".join(" ".join(spelling(word) for word in phrase) for phrase in phrases)
    if condition == "L2":
        phrases = [[_replaced(w, LANGUAGES[native]["nearest"], 1.0, rng) for w in p] for p in phrases]
    elif condition == "L1-accent":
        phrases = [[_replaced(w, LANGUAGES[other]["nearest"], 0.75, rng) for w in p] for p in phrases]
    prosody = LANGUAGES[other if condition == "L1-accent" else native]["prosody"]
    filler = LANGUAGES[native]["filler"] if task == "spontaneous" else None
    tempo = 1.06 * speaker["rate"] / (1.22 if condition == "L2" else 1.0)
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
        "seed": f"{SEED} {name} noise",
        "prosody": prosody,
        "segments": _timed(phrases, prosody, filler, tempo, rng),
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
            add(filler, 0.30)
            if rng.random() < 0.5:
                add("m", 0.18)
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
