"""Times of the words of transcripts, by the cross-attention of a Whisper that is made to say them."""

import logging

import numpy as np

from phonoscope import tables
from phonoscope.encoders import alignment_heads
from phonoscope.encoders.teacher_forcing import teacher_force
from phonoscope.encoders.word_times import word_times
from phonoscope.errors import InputError
from phonoscope.studies.alignment_decoders import admitted, chunks

WORD = "word"
# Texts that tell whether the model has learned them with a space in front.
TRIED = 32


def time_words(whisper, chosen, options, utterances=(), segments=()):
    """Word times of all chosen recordings.

    Parameters
    ----------
    whisper : encoders.whisper.Whisper
    chosen : path
        As ``alignment_sentences.choose`` gives it.
    options : dict
        ``heads``: {``given``: model to list of (layer, head), ``splits``, ``max_recordings``, ``most``};
        ``leading_space``: true, false or ``auto``, what makes the texts more probable; ``stand_in`` and
        ``long`` of ``alignment_decoders.admitted``.
    utterances, segments : list of path
        Of all shards: recordings of ``heads: splits`` whose words' times are known.

    Returns
    -------
    pyarrow.Table
        Of ``tables.SEGMENTS``: tier ``word``, label as in the text without the punctuation around it, score
        the geometric mean of the probabilities of the word's tokens. Provenance: model, heads, heads_from,
        heads_error_s (on the recordings that chose them), leading_space, left_out.

    Raises
    ------
    InputError
        As ``encoders.word_times.word_times`` and :func:`alignment_decoders.admitted`.
    """
    rows, left_out = admitted(whisper, tables.read(chosen).to_pylist(), options["long"], options["stand_in"])
    studied = {row["utterance_id"] for row in tables.read(chosen, ["utterance_id"]).to_pylist()}
    known = known_words(whisper, options, utterances, segments, studied)
    space = options["leading_space"]
    if space == "auto":
        space = leading_space(whisper, (known or rows)[:TRIED])
    heads, source, error_s = heads_of(whisper, options["heads"], known, space)
    logging.info("heads %s (%s), leading space: %s", heads, source, space)
    found = []
    for part, audios in chunks(rows, whisper.rate):
        texts, codes, names = ([row[key] for row in part] for key in ("text", "code", "utterance_id"))
        timed = word_times(whisper, audios, texts, codes, heads, leading_space=space, names=names)
        found += [_segment(each) for words in timed for each in words]
    about = {"model": whisper.name, "heads": heads, "heads_from": source, "heads_error_s": error_s}
    about |= {"leading_space": space, "left_out": left_out}
    return tables.from_rows(found, tables.SEGMENTS).cast(tables.with_provenance(tables.SEGMENTS, about))


def _segment(word):
    return {"utterance_id": word["utterance_id"], "tier": WORD, "label": word["word"]} | {
        key: word[key] for key in ("start_s", "end_s", "score")
    }


def known_words(whisper, options, utterances, segments, studied):
    """Recordings whose words' times are known, to choose heads by; none where no split is named for that.

    Parameters
    ----------
    whisper : encoders.whisper.Whisper
    options : dict
        See :func:`time_words`.
    utterances, segments : list of path
    studied : set of str
        Recordings that are never taken: times are judged on them.

    Returns
    -------
    list of dict
        Rows of ``tables.UTTERANCES`` with code and ``known``, list of (label, start_s, end_s); as many as
        ``max_recordings``, at even distances.

    Raises
    ------
    InputError
        Where there is none in these splits.
    """
    splits = options["heads"]["splits"]
    if not splits:
        return []
    words = {}
    for row in tables.read(segments).to_pylist():
        if row["tier"] == WORD:
            words.setdefault(row["utterance_id"], []).append((row["start_s"], row["end_s"], row["label"]))
    rows = [
        row | {"known": [(label, start, end) for start, end, label in sorted(words[row["utterance_id"]])]}
        for row in tables.read(utterances).to_pylist()
        if row["split"] in splits and row["utterance_id"] in words and row["utterance_id"] not in studied
    ]
    if not rows:
        raise InputError(
            f"no recording of the splits {', '.join(splits)} has words with known times",
            path=segments[0],
            row="alignment.word_times.heads",
            fix="name splits with a tier word, or give the heads",
        )
    rows = admitted(whisper, rows, "leave_out", options["stand_in"])[0]
    most = min(options["heads"]["max_recordings"], len(rows))
    return [rows[at] for at in np.linspace(0, len(rows) - 1, most).round().astype(int)]


def leading_space(whisper, rows):
    """Whether texts are more probable with a space in front, summed over recordings.

    OpenAI's models have learned texts with one. No times are looked at.
    """
    rows = list(rows)
    total = {}
    for part, audios in chunks(rows, whisper.rate):
        texts, codes, names = ([row[key] for row in part] for key in ("text", "code", "utterance_id"))
        for space in (True, False):
            forced = teacher_force(whisper, audios, texts, codes, [(0, 0)], leading_space=space, names=names)
            total[space] = total.get(space, 0.0) + sum(float(each.log_probs.sum()) for each in forced)
    return total[True] >= total[False]


def heads_of(whisper, options, known, space):
    """The heads whose attention is read.

    Those that the config gives for the model; else those of its generation config; else the ones that are
    nearest to ``known`` times; else all of the upper half of the decoder's layers.

    Parameters
    ----------
    whisper : encoders.whisper.Whisper
    options : dict
        ``given`` and ``most``.
    known : list of dict
        Of :func:`known_words`.
    space : bool

    Returns
    -------
    heads : list of (layer, head)
    source : str
    error_s : float or None
        Median error of word centres of the recordings that chose them.
    """
    if given := options["given"].get(whisper.name):
        return [tuple(pair) for pair in given], "config", None
    if getattr(whisper.network.generation_config, "alignment_heads", None):
        return alignment_heads.given_heads(whisper), "generation config", None
    if not known:
        return alignment_heads.given_heads(whisper), "upper half of the layers", None
    audios = [audio for _, part in chunks(known, whisper.rate) for audio in part]
    columns = ([row[key] for row in known] for key in ("text", "code", "known", "utterance_id"))
    texts, codes, times, names = columns
    heads, error_s = alignment_heads.choose_heads(
        whisper, audios, texts, codes, times, options["most"], leading_space=space, names=names
    )
    return heads, f"known times of {len(known)} recordings", error_s
