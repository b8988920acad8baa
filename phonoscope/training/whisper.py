"""Train a Whisper (Radford et al. 2022, arXiv 2212.04356): transcription, and translation into English.

A model that is not fine-tuned from another gets a vocabulary of its own (byte-level BPE of the training
texts) with all of Whisper's special tokens, and an encoder that sees ``chunk_s`` instead of 30 seconds.
"""

from pathlib import Path

from phonoscope.errors import InputError
from phonoscope.training import runs, whisper_phones
from phonoscope.training.data import Drawn
from phonoscope.training.job import Trained
from phonoscope.training.whisper_items import Collator, Heard, Items, in_english
from phonoscope.training.whisper_model import languages, new, pretrained, tell
from phonoscope.training.whisper_scores import scores

# Beside the fields of runs.Schedule.
DEFAULTS = {
    "tasks": ("transcribe",),
    "vocabulary": 600,
    "chunk_s": None,
    "time_mask_s": 0.1,
    "mel_mask": 10,
    "masks": 2,
    "frames_share": 0,
    "architecture": None,
}
# Held-out items whose loss is logged.
HELD_OUT = 64


def train(job):
    """Train on the utterances of split train and measure word error rates on the others.

    Parameters
    ----------
    job : job.Job
        Options: ``tasks`` (transcribe, or transcribe and translate), the fields of ``runs.Schedule``, and
        those of :data:`DEFAULTS`: size of the vocabulary, longest recording in seconds (default: the longest
        there is, in whole seconds), number and greatest size of the stretches of time and of the bands of mel
        channels that are masked, the share of the steps in which the encoder alone learns the phones
        (``frames_share``, needs segments; see :mod:`whisper_phones`), keywords of ``WhisperConfig`` over
        those of :data:`whisper_model.TINY`.
        Where ``job.base`` is given, vocabulary, ``chunk_s`` and architecture are its own.

    Returns
    -------
    job.Trained
        ``held_out`` has the word error rates of :func:`whisper_scores.scores`.

    Raises
    ------
    InputError
        For an unknown task or language, an utterance without text, or if there is nothing to translate into.
    """
    import torch

    options = DEFAULTS | {key: value for key, value in job.options.items() if value is not None}
    schedule = runs.schedule(job.options)
    tasks = _tasks(options["tasks"])
    _check_texts(job.rows)
    torch.manual_seed(schedule.seed)
    model, processor = pretrained(job.base) if job.base else new(job.rows, options, schedule.seed)
    codes = languages(processor.tokenizer, [row for rows in job.rows.values() for row in rows])
    tell(model, processor.tokenizer, codes)
    english = in_english(job.rows, codes)
    heard = {split: Heard(rows, processor.feature_extractor) for split, rows in job.rows.items() if rows}
    train_items = Items(heard["train"], processor.tokenizer, codes, english, tasks, options)
    if "translate" in tasks and not train_items.translated:
        raise InputError(
            "no training utterance that is not English has an English one with its sentence_id",
            row="tasks",
            fix="leave out translate, or add a corpus with English",
        )
    if processor.tokenizer.pad_token_id is None or model.config.pad_token_id is None:
        raise InputError("the tokenizer has no token for padding", path=job.base)
    watched = next((heard[split] for split in ("dev", "test") if split in heard), None)
    log, work = [], Path(job.work)
    if options["frames_share"]:
        first, schedule = whisper_phones.parted(schedule, options["frames_share"])
        log = whisper_phones.learn(
            model, heard["train"], job.segments, options, first, work / "phones", job.threads
        )
        torch.manual_seed(schedule.seed)
    log = _joined(
        log,
        runs.run(
            model,
            Drawn(train_items.draw, schedule.steps * schedule.batch, schedule.seed),
            schedule,
            work / "texts",
            collate=Collator(model.config),
            held_out=watched
            and Items(watched, processor.tokenizer, codes, english, tasks, options).fixed(HELD_OUT),
            threads=job.threads,
        ),
    )
    model = model.eval().cpu()
    scored = [
        scores(model, processor, heard[split], split, codes, english, tasks)
        for split in ("dev", "test")
        if split in heard
    ]
    facts = {
        "vocabulary": f"{len(processor.tokenizer)} tokens, special ones included",
        "left out": ", ".join(f"{each.too_long} of {split}" for split, each in heard.items())
        + f" (longer than {processor.feature_extractor.chunk_length:g} s)",
    }
    for _, controls in scored:
        facts |= controls
    # The extractor has a file of its own too, which readers of the encoder alone look for.
    extras = [processor, processor.feature_extractor]
    return Trained(model, extras, log, [row for rows, _ in scored for row in rows], facts)


def _joined(first, then):
    """The logs of two stages as one: steps and seconds are counted on."""
    if not first:
        return then
    empty = dict.fromkeys([*first[0], *then[0]])
    before = {key: first[-1][key] for key in ("step", "seconds")}
    return [{"iteration": 1} | empty | row for row in first] + [
        {"iteration": 2} | empty | row | {key: row[key] + before[key] for key in before} for row in then
    ]


def _check_texts(rows):
    for each in rows.values():
        for row in each:
            if not row["text"]:
                raise InputError(
                    "has no text", row=row["utterance_id"], fix="use a corpus whose column text is filled"
                )


def _tasks(tasks):
    tasks = [tasks] if isinstance(tasks, str) else list(tasks)
    if sorted(tasks) not in (["transcribe"], ["transcribe", "translate"]):
        raise InputError(
            f"{tasks} cannot be trained", row="tasks", fix="use transcribe, or both it and translate"
        )
    return tasks
