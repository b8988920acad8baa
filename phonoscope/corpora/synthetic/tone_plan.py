"""What the corpus `synthetic-tone` says: four invented tone languages, a toneless control, eight voices.

Beside them, what is spoken to train models on. What is shipped follows from :data:`SEED`, the training
material from a seed that is asked for, through :class:`random.Random`, whose `random()` is the same on every
platform and Python version. Times are whole milliseconds, so that a boundary is a sample.
"""

import random

SEED = 20260617
LEAD_MS = 100
STRETCH_MS = {"near": 100, "wide": 180}
TONES = (1, 2, 3, 4, 5)
SYLLABLE_MS, ONSET_MS, PAUSE_MS = (246, 304), (52, 68), (80, 150)
PAUSE_SHARE = 0.4
OFFSET_ST, DECLINATION_ST_PER_S, START_ST, GAIN_DB = 2.0, (0.4, 1.4), (0.3, 2.0), 1.5

# A tone is a list of (u, semitones from the carrier): u runs from -1 to 1 over the stretch, and the pitch
# goes from point to point on half a cosine. All begin and end on the carrier.
_EDGE = 0.6
SHAPES = {
    "levels": {
        1: ("high", ((-1, 0), (-_EDGE, 4), (_EDGE, 4), (1, 0))),
        2: ("mid", ((-1, 0), (1, 0))),
        3: ("low", ((-1, 0), (-_EDGE, -4), (_EDGE, -4), (1, 0))),
        4: ("rising", ((-1, 0), (-0.5, -4), (0.5, 4), (1, 0))),
        5: ("falling", ((-1, 0), (-0.5, 4), (0.5, -4), (1, 0))),
    },
    "contours": {
        1: ("raised", ((-1, 0), (-_EDGE, 3), (_EDGE, 3), (1, 0))),
        2: ("bottom", ((-1, 0), (-_EDGE, -5), (_EDGE, -5), (1, 0))),
        3: ("high falling", ((-1, 0), (-0.6, 5), (0.3, -3), (1, 0))),
        4: ("low rising", ((-1, 0), (-0.3, -5), (0.6, 3), (1, 0))),
        5: ("late high", ((-1, 0), (-0.2, 0), (0.5, 6), (1, 0))),
    },
}

# Near and wide of one inventory and one set of shapes differ in nothing but the stretch.
_FRONT = {"onsets": ("m", "n", "l", "d", "j"), "vowels": ("i", "e", "a", "u")}
_BACK = {"onsets": ("ɲ", "w", "b", "g", "ʋ"), "vowels": ("y", "ɛ", "o", "ɨ")}
LANGUAGES = {
    "Lumade": {**_FRONT, "shapes": "levels", "stretch": "near"},
    "Naile": {**_FRONT, "shapes": "levels", "stretch": "wide"},
    "Bogy": {**_BACK, "shapes": "contours", "stretch": "near"},
    "Wovo": {**_BACK, "shapes": "contours", "stretch": "wide"},
    "Duneli": {**_FRONT, "shapes": None, "stretch": None},
}
_LETTERS = {"ɲ": "ñ", "ʋ": "v", "y": "ü", "ɛ": "ä", "ɨ": "y"}


def _voice(name, f0_hz, formants, tilt_hz, breath_db, rate, split):
    return {
        "speaker": name,
        "sex": name[-1],
        "f0_hz": f0_hz,
        "formants": formants,
        "tilt_hz": tilt_hz,
        "breath_db": breath_db,
        "rate": rate,
        "split": split,
    }


# `formants` scales all formants, `tilt_hz` is where the source falls off for the second time, `breath_db` is
# the aspiration under the voice, `rate` scales durations. The last two voices are in the test split only.
VOICES = (
    _voice("ton1_f", 196.0, 1.15, 2000, -48, 1.00, None),
    _voice("ton2_m", 112.0, 1.00, 2600, -52, 1.03, None),
    _voice("ton3_f", 224.0, 1.19, 1600, -46, 0.97, None),
    _voice("ton4_m", 96.0, 0.95, 3200, -54, 1.02, None),
    _voice("ton5_f", 178.0, 1.11, 2800, -50, 1.05, None),
    _voice("ton6_m", 130.0, 1.03, 1800, -48, 0.98, None),
    _voice("ton7_f", 208.0, 1.13, 2400, -50, 1.01, "test"),
    _voice("ton8_m", 104.0, 0.98, 2200, -50, 0.99, "test"),
)

# Of the voices to learn from, which are drawn: wider than the shipped ones on every side.
_ANY_VOICE = {"tilt_hz": (1500, 3400), "breath_db": (-55, -45), "rate": (0.95, 1.07)}
TRAINING_RANGES = {
    "f": {"f0_hz": (150.0, 245.0), "formants": (1.06, 1.22), **_ANY_VOICE},
    "m": {"f0_hz": (88.0, 150.0), "formants": (0.92, 1.07), **_ANY_VOICE},
}


def spelling(phones):
    """How phones are written: one letter a phone."""
    return "".join(_LETTERS.get(phone, phone) for phone in phones)


def _between(rng, low, high):
    return low + (high - low) * rng.random()


def _shuffled(rng, items):
    items = list(items)
    for last in range(len(items) - 1, 0, -1):
        other = int(rng.random() * (last + 1))
        items[last], items[other] = items[other], items[last]
    return items


def _words(rng, language):
    """Every syllable with every tone once, in random order, as words of 1 to 3 syllables.

    In the control the tone is a label that no sound follows.
    """
    spec = LANGUAGES[language]
    left = _shuffled(rng, [(c, v, tone) for c in spec["onsets"] for v in spec["vowels"] for tone in TONES])
    words = []
    while left:
        n = 1 + int(3 * rng.random())
        words.append(left[:n])
        left = left[n:]
    return words


def _utterances_of(rng, words):
    """Words in groups of 3 to 5; a rest of one or two joins the group before."""
    groups = []
    while words:
        n = 3 + int(3 * rng.random())
        if len(words) < n + 3:
            n = len(words)
        groups.append(words[:n])
        words = words[n:]
    return groups


def _timed(rng, words, voice):
    """Syllables with times in ms, carrier offset and gain, and the length of the utterance."""
    syllables, time = [], LEAD_MS
    for index, word in enumerate(words):
        if index and rng.random() < PAUSE_SHARE:
            time += round(_between(rng, *PAUSE_MS))
        for onset, vowel, tone in word:
            length = round(voice["rate"] * _between(rng, *SYLLABLE_MS))
            length += length % 2  # the centre is a whole millisecond too
            syllables.append(
                {
                    "onset": onset,
                    "vowel": vowel,
                    "tone": tone,
                    "word": index,
                    "start_ms": time,
                    "vowel_ms": time + round(_between(rng, *ONSET_MS)),
                    "end_ms": time + length,
                    "offset_st": _between(rng, -OFFSET_ST, OFFSET_ST),
                    "gain_db": _between(rng, -GAIN_DB, GAIN_DB),
                }
            )
            time += length
    return syllables, time + LEAD_MS


def written(word):
    """A word of (onset, vowel, tone) as it stands in `text`, with its tone digits."""
    return "".join(f"{spelling((onset, vowel))}{tone}" for onset, vowel, tone in word)


def utterances(language):
    """Plan of one language.

    Parameters
    ----------
    language : str
        A key of :data:`LANGUAGES`.

    Returns
    -------
    list of dict
        Per utterance: utterance_id, language, speaker, sex, text, split, duration_ms, start_st and
        slope_st_per_s (the carrier's line), and `syllables`, a list of dicts (onset, vowel, tone, word,
        start_ms, vowel_ms, end_ms, offset_st, gain_db).
    """
    return [
        row
        for voice in VOICES
        for row in _said_by(voice, random.Random(f"{SEED} {language} {voice['speaker']}"), language)
    ]


def training_voices(language, count, seed):
    """Voices to learn from, none of which is one of :data:`VOICES`: female and male by turns.

    Parameters
    ----------
    language : str
        A key of :data:`LANGUAGES`.
    count : int
    seed : int

    Returns
    -------
    list of dict
        As :data:`VOICES`; every eighth, of either sex by turns, is of split ``dev``, the others ``train``.
    """
    voices = []
    for index in range(count):
        sex = "fm"[index % 2]
        rng, ranges = random.Random(f"{seed} {language} voice {index}"), TRAINING_RANGES[sex]
        drawn = {
            key: _between(rng, *ranges[key]) for key in ("f0_hz", "formants", "tilt_hz", "breath_db", "rate")
        }
        split = "dev" if index % 16 in (6, 15) else "train"
        voices.append(_voice(f"new{index + 1:03d}_{sex}", **drawn, split=split))
    return voices


def training_utterances(language, count, seed):
    """Plan of speech to learn a language from: every syllable with every tone once by each new voice.

    Parameters
    ----------
    language : str
        A key of :data:`LANGUAGES`.
    count : int
        How many new voices.
    seed : int

    Returns
    -------
    list of dict
        As of :func:`utterances`, with the voice itself under ``voice``; every language has its own. The
        shipped utterances are among them, all of split ``test``: a model that learned from the rest has heard
        none of their voices.
    """
    new = [
        row | {"voice": voice, "speaker": f"{language.lower()}_{voice['speaker']}"}
        for voice in training_voices(language, count, seed)
        for row in _said_by(voice, random.Random(f"{seed} {language} {voice['speaker']}"), language)
    ]
    return new + [row | {"split": "test"} for row in utterances(language)]


def _said_by(voice, rng, language):
    """The utterances of one voice."""
    plan = []
    for index, words in enumerate(_utterances_of(rng, _words(rng, language))):
        syllables, duration_ms = _timed(rng, words, voice)
        plan.append(
            {
                "utterance_id": f"{language.lower()}_{voice['speaker']}_{index + 1:02d}",
                "language": language,
                "speaker": voice["speaker"],
                "sex": voice["sex"],
                "text": " ".join(map(written, words)),
                "split": voice["split"] or ("dev" if index % 6 == 4 else "train"),
                "duration_ms": duration_ms,
                "start_st": _between(rng, *START_ST),
                "slope_st_per_s": -_between(rng, *DECLINATION_ST_PER_S),
                "syllables": syllables,
            }
        )
    return plan
