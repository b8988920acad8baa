"""The corpus `synthetic-parallel`: spoken by espeak-ng, written as a folder, with its table of look-alikes.

Needs `espeakng-loader`, which nothing else does; see the README of the corpus.
"""

import csv
import re
from pathlib import Path

from phonoscope import tables
from phonoscope.corpora.synthetic import espeak
from phonoscope.corpora.synthetic import parallel_grammar as grammar
from phonoscope.corpora.synthetic import parallel_plan as plan
from phonoscope.corpora.synthetic.folder import segment, write
from phonoscope.errors import InputError

# Quiet, since a quieter sound is a smaller file: 10.4 kB a second, and 13.2 at 0.1. The signal is still
# 50 dB above the rounding to 16 bits.
GAIN = 0.03


def speak(rows):
    """Speak planned utterances.

    Parameters
    ----------
    rows : list of dict
        From :func:`parallel_plan.utterances` or :func:`parallel_plan.training_utterances`.

    Yields
    ------
    row : dict
    audio : int16 array of shape (n_samples,), 16 kHz
    segments : list of dict
        Tiers phone and word, rows of ``tables.SEGMENTS``.
    """
    for row, speech in zip(rows, espeak.speak([row["request"] for row in rows], gain=GAIN), strict=True):
        name = row["utterance_id"]
        phones = [segment(name, "phone", *phone) for phone in speech.phones]
        words = [segment(name, "word", *word) for word in whole(speech.words, row["text"])]
        yield row, speech.audio, phones + words


def whole(words, text):
    """Words with times, none lost: what is spoken as one with the word before is written with it.

    The synthesiser gives one time to *in the*; its label is then both words.

    Parameters
    ----------
    words : list of (float, float, str)
        Start and end in seconds, the word as it is written.
    text : str

    Returns
    -------
    list of (float, float, str)
        In small letters, without marks.

    Raises
    ------
    InputError
        If a word with a time is not in the text, or the first of the text has none.
    """
    found, left = [], list(words)
    for token in re.findall(r"\w+", text.lower()):
        if left and left[0][2].lower() == token:
            start, end, _ = left.pop(0)
            found.append((start, end, token))
        elif found:
            start, end, before = found[-1]
            found[-1] = (start, end, f"{before} {token}")
        else:
            raise InputError(f"the word {token} has no time", row=text, fix="use another word")
    if left:
        raise InputError(f"{left[0][2]} is spoken but not written", row=text, fix="use another word")
    return found


def assemble(folder):
    """Write the corpus that is shipped: format `table`, sentences.tsv, words.tsv and lookalikes.tsv."""
    _write(folder, plan.utterances(), plan.SEED)
    rows = plan.sentences()
    _write_tsv(
        Path(folder) / "sentences.tsv",
        [
            {
                "sentence_id": row["sentence_id"],
                "split": row["split"],
                "template": row["template"],
                "concepts": " ".join(row["concepts"]),
                "n_lookalikes": len({each["concept"] for each in row["lookalikes"]}),
                **row["texts"],
            }
            for row in rows
        ],
    )
    _write_tsv(
        Path(folder) / "words.tsv",
        [
            {"sentence_id": row["sentence_id"], "language": language, "position": position, "word": word,
             "concept": concept or ""}
            for row in rows
            for language, words in row["words"].items()
            for position, (word, concept) in enumerate(words)
        ],
    )  # fmt: skip
    _write_tsv(Path(folder) / "lookalikes.tsv", truth())


def truth():
    """Every look-alike of the shipped sentences, rows of lookalikes.tsv."""
    return [
        {"sentence_id": row["sentence_id"], **each, "distance": f"{each['distance']:.3f}"}
        for row in plan.sentences()
        for each in row["lookalikes"]
    ]


def assemble_training(folder, count, seed):
    """Write a corpus for training only, format `table`, all of split train.

    Parameters
    ----------
    folder : path-like
    count : int
        Utterances. A fourth are shipped training sentences in other voices; see
        :func:`parallel_plan.training_utterances`.
    seed : int
        Draws voices, rates and pitches.
    """
    _write(folder, plan.training_utterances(count, seed), seed)


def _write(folder, rows, seed):
    segments = []

    def spoken():
        for row, audio, found in speak(rows):
            segments.extend(found)
            yield row, audio

    write(folder, spoken(), segments, seed)


def lexicon():
    """The phones of every content word as the synthesiser speaks it within its phrase, rows of lexicon.tsv.

    Raises
    ------
    InputError
        If a word is spoken in two ways in two phrases.
    """
    asked = [(language, phrase) for phrase in grammar.phrases().values() for language in grammar.LANGUAGES]
    requests = [
        {"voice": plan.VOICES[language], "text": phrase[language], "rate": 170, "pitch": 50, "range": 50}
        for language, phrase in asked
    ]
    found = {}
    for (language, phrase), speech in zip(asked, espeak.speak(requests), strict=True):
        content = grammar.content_words(phrase, language)
        for start, end, word in whole(speech.words, phrase[language]):
            if word in content:
                inside = [
                    label for a, b, label in speech.phones if start <= a and b <= end and label != "sil"
                ]
                spoken = " ".join(inside)
                if found.setdefault((language, word), spoken) != spoken:
                    raise InputError("is spoken in two ways", row=word, fix="use another word")
    return [{"language": language, "word": word, "phones": spoken}
            for (language, word), spoken in sorted(found.items())]  # fmt: skip


def write_lexicon():
    """Make lexicon.tsv anew, after a change of phrases.tsv."""
    _write_tsv(grammar.FOLDER / "lexicon.tsv", lexicon())


def _write_tsv(path, rows):
    with tables.beside(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0], delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
