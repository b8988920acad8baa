"""Speech for training: Finnish and Russian pseudo-words, spoken by espeak-ng in minutes' worth of seconds.

Not shipped, because it can be spoken again. Words are strings of syllables that the language allows, in its
spelling, so that a model has to learn the language's sounds and cannot learn its words. Who speaks: variants
of the synthesiser, with formants and pitch scaled together by resampling, as another size of head would. The
columns `speaker`, `sex` and `condition` (calm, neutral, excited: rate and pitch range) are what classifiers
learn. Other material (:func:`build`) has a plan of its own.
"""

import random

import numpy as np

from phonoscope.corpora.synthetic import espeak, folder, tone_plan
from phonoscope.errors import InputError

LANGUAGES = {
    "fi": {
        "onsets": list("ptkmnslrhvj") + ["", "p", "t", "k", "s", "l", "d"],
        "vowels": {
            "back": ["a", "a", "o", "u", "e", "i", "aa", "oo", "uu", "ai", "ou", "uo"],
            "front": ["ä", "ä", "ö", "y", "e", "i", "ää", "yy", "äi", "öy", "yö", "ie"],
        },
        "codas": ["", "", "", "n", "s", "l", "r", "t", "k"],
        "syllables": (2, 2, 3, 3, 4),
        "words": (3, 7),
        "utterance_s": 3.5,
    },
    "ru": {
        "onsets": list("пткбдгмнсзлрвфхшжчц") + ["ст", "пр", "кр", "сл", "гр", "вр", "тв"],
        "vowels": {"one": list("аоуиеаоыяёю")},
        "codas": ["", "", "", "н", "т", "р", "л", "с", "к", "м", "й"],
        "syllables": (1, 2, 2, 3, 3),
        "words": (5, 9),
        "utterance_s": 3.4,
    },
}

# name: variant, factor of all frequencies, sex, split. Those of split `test` are never heard in training.
SPEAKERS = {
    "m1": ("m1", 1.0, "m", "train"),
    "m2": ("m2", 1.06, "m", "train"),
    "m3": ("m3", 0.94, "m", "train"),
    "m5": ("m5", 1.0, "m", "train"),
    "m7": ("m7", 1.04, "m", "train"),
    "michael": ("Michael", 0.98, "m", "train"),
    "andy": ("Andy", 1.02, "m", "train"),
    "f1": ("f1", 1.0, "f", "train"),
    "f4": ("f4", 0.97, "f", "train"),
    "linda": ("linda", 1.06, "f", "train"),
    "annie": ("Annie", 1.0, "f", "train"),
    "steph": ("steph", 1.05, "f", "train"),
    "f1_tall": ("f1", 0.93, "f", "train"),
    "f4_small": ("f4", 1.08, "f", "train"),
    "m6": ("m6", 1.0, "m", "test"),
    "m8": ("m8", 0.97, "m", "test"),
    "aunty": ("aunty", 1.05, "f", "test"),
    "grandma": ("grandma", 0.97, "f", "test"),
}
# Lowest and highest rate (words per minute) and pitch range (0 to 99).
EMOTIONS = {
    "calm": ((115, 140), (5, 25)),
    "neutral": ((150, 170), (40, 60)),
    "excited": ((185, 225), (80, 99)),
}
NOISE_DB = (25, 60)
PARALLEL_UTTERANCE_S = 1.76
TONE_LANGUAGES = {name.lower(): name for name, spec in tone_plan.LANGUAGES.items() if spec["shapes"]}


def build(where, language, minutes, seed=0):
    """Write a corpus folder (format `table`) of spoken training material.

    Parameters
    ----------
    where : path-like
    language : str
        ``fi`` or ``ru``; ``parallel`` is the grammar of synthetic-parallel, without its held-out part;
        a tone language of synthetic-tone in lower case (:func:`tone.assemble_training`).
    minutes : float
        How much there shall be, about. Of ``fi`` and ``ru`` a seventh is of held-out sentences by training
        speakers (split ``dev``), another seventh by speakers that are never heard in training (``test``).
    seed : int

    Raises
    ------
    InputError
        For an unknown language.
    """
    if language == "parallel":
        from phonoscope.corpora.synthetic import parallel

        return parallel.assemble_training(where, round(minutes * 60 / PARALLEL_UTTERANCE_S), seed)
    if language in TONE_LANGUAGES:
        from phonoscope.corpora.synthetic import tone

        return tone.assemble_training(where, TONE_LANGUAGES[language], minutes, seed)
    if language not in LANGUAGES:
        raise InputError(
            f"there is no plan for {language}",
            row="speak.language",
            fix=f"use {', '.join([*LANGUAGES, *TONE_LANGUAGES])}, parallel",
        )
    count = round(minutes * 60 / LANGUAGES[language]["utterance_s"])
    rows, segments = plan(language, count, seed), []

    def spoken():
        for row, speech in zip(rows, espeak.speak([row["request"] for row in rows]), strict=True):
            factor = SPEAKERS[row["speaker"]][1]
            for tier, spans in (("phone", speech.phones), ("word", speech.words)):
                segments.extend(
                    folder.segment(row["utterance_id"], tier, start / factor, end / factor, label)
                    for start, end, label in spans
                )
            yield row, recorded(speech.audio, factor, row["noise_db"], row["noise_seed"])

    folder.write(where, spoken(), segments, seed)


def plan(language, count, seed):
    """Rows of ``tables.UTTERANCES`` to be spoken, with ``request``, ``noise_db`` and ``noise_seed``."""
    names = {part: [name for name, each in SPEAKERS.items() if each[3] == part] for part in ("train", "test")}
    rows = []
    for index in range(count):
        rng = random.Random(f"{seed} {language} {index}")
        split = ("dev", "test", "train", "train", "train", "train", "train")[index % 7]
        of = names["test" if split == "test" else "train"]
        # Seven is prime to neither list: count whole rounds of seven, so that every speaker has every split.
        speaker = of[(index // 7 * (1 if split != "train" else 5) + index % 7) % len(of)]
        emotion = list(EMOTIONS)[int(rng.random() * 3)]
        variant, _, sex, _ = SPEAKERS[speaker]
        (slow, fast), (narrow, wide) = EMOTIONS[emotion]
        text = sentence(language, rng)
        rows.append(
            {
                "utterance_id": f"{language}_{index:05d}",
                "speaker": speaker,
                "sex": sex,
                "language": language,
                "native_language": language,
                "condition": emotion,
                "task": "read",
                "text": text,
                "split": split,
                "request": {
                    "voice": f"{language}+{variant}",
                    "text": text,
                    "rate": round(slow + rng.random() * (fast - slow)),
                    "range": round(narrow + rng.random() * (wide - narrow)),
                    "pitch": round(35 + 30 * rng.random()),
                },
                "noise_db": NOISE_DB[0] + rng.random() * (NOISE_DB[1] - NOISE_DB[0]),
                "noise_seed": int(rng.random() * 2**31),
            }
        )
    return rows


def word(language, rng):
    """A pseudo-word in the language's spelling."""
    spec = LANGUAGES[language]

    def pick(items):
        return items[int(rng.random() * len(items))]

    vowels = pick(sorted(spec["vowels"].values()))
    count = pick(spec["syllables"])
    out = "".join(pick(spec["onsets"]) + pick(vowels) + pick(spec["codas"]) for _ in range(count))
    return out


def sentence(language, rng):
    """Some pseudo-words, one comma at most."""
    least, most = LANGUAGES[language]["words"]
    words = [word(language, rng) for _ in range(least + int(rng.random() * (most + 1 - least)))]
    if len(words) > 4 and rng.random() < 0.5:
        words[2] += ","
    return " ".join(words).capitalize() + (".", ".", "?")[int(rng.random() * 3)]


def recorded(audio, factor, noise_db, seed):
    """The sound of another size of head, in a room.

    Parameters
    ----------
    audio : int16 array of shape (n_samples,)
    factor : float
        By which all frequencies rise and all times shrink.
    noise_db : float
        Level of the sound above white noise, dB.
    seed : int

    Returns
    -------
    int16 array of shape (about n_samples / factor,)
    """
    import soxr

    sound = soxr.resample(audio.astype(np.float64), folder.RATE_HZ * factor, folder.RATE_HZ, quality="HQ")
    level = sound.std() / 10 ** (noise_db / 20)
    sound += level * np.random.default_rng(seed).standard_normal(len(sound))
    return np.clip(np.rint(sound), -32768, 32767).astype(np.int16)
