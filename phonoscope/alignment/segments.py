"""Texts to the table of segments: words, syllables, tones and phones or characters, with their times."""

import logging
import math
import re
import unicodedata

from phonoscope import tables
from phonoscope.alignment import tones
from phonoscope.alignment.tokens import Tokeniser
from phonoscope.corpora.audio import load
from phonoscope.corpora.notes import Notes
from phonoscope.errors import InputError

# Scripts that put no space between words: what stands between spaces is a phrase.
_UNSPACED = ("THAI", "LAO", "MYANMAR", "KHMER", "TIBETAN", "CJK", "HIRAGANA", "KATAKANA")
_LEAST = 1e-38


def align(utterances, aligner, units="auto", rule=None, on_error="stop"):
    """Align every recording with its text.

    Parameters
    ----------
    utterances : pyarrow.Table
        Of ``tables.UTTERANCES``; utterance_id, speaker, audio, text and duration_s are used.
    aligner : aligners.Aligner
    units : str
        Of :data:`tokens.UNITS`: what the text is taken for.
    rule : str, optional
        Of ``tones.RULES``: how the spelling tells syllables and tones.
    on_error : {"stop", "skip"}
        Whether a recording that cannot be aligned ends the job or becomes a note.

    Returns
    -------
    segments : pyarrow.Table
        Of ``tables.SEGMENTS``. Tiers: ``phone`` or ``character`` (what was aligned), ``word`` (what stands
        between spaces; none in scripts without them), and with a rule ``syllable`` and ``tone``. The label of
        a syllable is its sounds without the tone (``tones.Syllable.kind``: IPA, for Vietnamese letters), or
        where the tone could not be read its spelling. A score is the geometric mean of the probabilities of
        the segment's tokens. The provenance says how many recordings were not aligned, and which phones stood
        in for others.
    notes : pyarrow.Table
        Of ``tables.NOTES``: recordings and syllables that were left out, text that was passed over.

    Raises
    ------
    InputError
        With ``on_error: stop``, for a recording without text, of which nothing can be aligned, or that is too
        short for it; always for a rule or units that do not exist.
    """
    from tqdm import tqdm

    tokeniser = Tokeniser(aligner, units)
    spelling = None if rule is None else tones.rule(rule)
    notes, segments, aligned = Notes(on_error), [], 0
    rows = utterances.to_pylist()
    for row in tqdm(rows, unit="recording", desc="align"):
        where = {"utterance_id": row["utterance_id"], "speaker": row["speaker"] or "", "file": row["audio"]}
        with notes.guard(**where):
            segments += _recording(row, aligner, tokeniser, spelling, notes, where)
            aligned += 1
    for phone, known in sorted(tokeniser.substituted.items()):
        logging.info("the aligner does not know %s; the nearest that it knows is %s", phone, known)
    logging.info("%d of %d recordings could not be aligned", len(rows) - aligned, len(rows))
    provenance = {"units": tokeniser.units, "tones": rule, "substituted": tokeniser.substituted}
    provenance |= {"recordings": len(rows), "not_aligned": len(rows) - aligned}
    table = tables.from_rows(segments, tables.SEGMENTS)
    return table.cast(tables.with_provenance(tables.SEGMENTS, provenance)), notes.table()


def _recording(row, aligner, tokeniser, spelling, notes, where):
    """Segments of one recording."""
    text = row["text"] or ""
    if not text.strip():
        raise InputError(
            "there is no text to align",
            path=row["audio"],
            row=row["utterance_id"],
            fix="give the recording its text, or leave it out",
        )
    tokens, lacking = tokeniser(text)
    if not any(token.label for token in tokens):
        raise InputError(
            f"nothing of the text {text[:40]!r} is in the aligner's vocabulary",
            path=row["audio"],
            row=row["utterance_id"],
            fix="choose another aligner, or other `units` in the corpus's `align`",
        )
    times = _times(row, aligner, tokeniser, tokens)
    if lacking:
        notes.add(
            "warning",
            f"{len(lacking)} characters of the text were passed over: {', '.join(sorted(set(lacking)))[:80]}",
            fix="choose an aligner that has them, or `units: romanised`",
            **where,
        )
    timed = [(token, *time) for token, time in zip(tokens, times, strict=True) if token.label]
    found = [_segment(tokeniser.tier, each[0].label, [each]) for each in timed]
    found += _words(text, timed)
    if spelling:
        found += _syllables(text, timed, spelling, notes, where)
    return [{"utterance_id": row["utterance_id"]} | segment for segment in found]


def _times(row, aligner, tokeniser, tokens):
    audio, _ = load(row["audio"], sha256=row["audio_sha256"])
    try:
        emissions = tokeniser.extend(aligner.emissions(audio))
        return aligner.align(emissions, [token.column for token in tokens])
    except InputError as error:
        # forced.align knows neither file nor utterance.
        raise InputError(error.message, path=row["audio"], row=row["utterance_id"], fix=error.fix) from error


def _segment(tier, label, timed):
    """One segment from its tokens: from the start of the first to the end of the last."""
    scores = [max(score, _LEAST) for *_, score in timed]
    return {"tier": tier, "label": label, "start_s": timed[0][1], "end_s": timed[-1][2]} | {
        "score": math.exp(sum(map(math.log, scores)) / len(scores))
    }


def _inside(timed, start, end):
    """The tokens that begin within ``text[start:end]``."""
    return [each for each in timed if start <= each[0].start < end]


def _words(text, timed):
    found = []
    for match in re.finditer(r"\S+", text):
        mine = _inside(timed, *match.span())
        word = match[0].strip("".join(c for c in match[0] if unicodedata.category(c)[0] == "P"))
        if mine and not any(unicodedata.name(c, "").startswith(_UNSPACED) for c in word):
            found.append(_segment("word", word, mine))
    return found


def _syllables(text, timed, rule, notes, where):
    found = []
    for syllable in rule.syllables(text):
        mine = _inside(timed, syllable.start, syllable.end)
        reason = syllable.reason if syllable.tone is None else None if mine else "nothing of it was aligned"
        if mine:
            found.append(_segment("syllable", syllable.kind or syllable.text, mine))
        if reason is not None:
            notes.add(
                "left_out",
                f"no tone for the syllable {syllable.text!r}: {reason}",
                fix="nothing, or mend the text",
                **where,
            )
        elif mine:
            found.append(_segment("tone", syllable.tone, mine))
    return found
