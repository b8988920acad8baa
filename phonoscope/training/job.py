"""What every recipe is given and gives back."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Job:
    """One training.

    Attributes
    ----------
    name : str
    options : dict
        The block of the config under ``training``, defaults filled in.
    base : path-like or None
        Folder of the checkpoint to start from.
    rows : dict of str to list of dict
        Split (train, dev, test) to rows of ``tables.UTTERANCES``; `audio` can be opened as it stands.
    segments : dict of str to list of dict
        Utterance to rows of ``tables.SEGMENTS`` (:func:`data.segments`).
    work : path-like
        Of the checkpoints.
    threads : int or None
    """

    name: str
    options: dict
    base: Path | None
    rows: dict
    segments: dict
    work: Path
    threads: int | None = None


@dataclass(frozen=True)
class Trained:
    """What came out.

    Attributes
    ----------
    model : transformers.PreTrainedModel
        In evaluation mode, on the CPU.
    extras : list
        Whatever else has ``save_pretrained(folder)``: feature extractor, tokenizer, processor.
    log : list of dict
        Rows of :func:`runs.run`.
    held_out : list of dict
        ``split``, ``metric`` (an error or a loss: less is better), ``value``, ``chance``, ``control`` (what
        chance is: what was shuffled or left out), ``n`` (how many utterances, frames or phones).
    facts : dict
        What else the card shall say.
    """

    model: object
    extras: list
    log: list
    held_out: list
    facts: dict = field(default_factory=dict)
