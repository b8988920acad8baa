"""FLEURS (data set google/fleurs of the hub): a sheet and an archive of recordings per language and split.

``{language}/{split}.tsv`` has no header; its columns are id, file_name, raw_transcription, transcription,
chars, num_samples (at 16 kHz) and gender. ``{language}/audio/{split}.tar.gz``, which
:func:`corpora.fetch.fetch` unpacks where it lies, holds ``{split}/{file_name}``. The id is that of the
sentence: it is the same in all languages, and a sentence is read by up to three people, who are not named.
"""

import re
from fnmatch import fnmatch
from pathlib import Path

from phonoscope.corpora.readers import is_number
from phonoscope.errors import InputError

SPLITS = ("train", "dev", "test")
NORMALISED, RAW = "normalised", "raw"
RATE_HZ = 16000
_SEX = {"MALE": "m", "FEMALE": "f", "OTHER": ""}
_COLUMNS = 7


def sheets(root, patterns=None):
    """The sheets of the wanted languages and splits, whose audio must be unpacked.

    Parameters
    ----------
    root : path-like
        The data set, its folder ``data``, or the folder of one language.
    patterns : list of str, optional
        What was fetched (``hub: files``): sheets that fit none of them are left over from an earlier fetch.

    Returns
    -------
    list of pathlib.Path
        Sorted by language, then train, dev, test.

    Raises
    ------
    InputError
        If there is no sheet, or a sheet without its audio.
    """
    root = Path(root)
    found = [
        path
        for place in ("", "*/", "data/*/")
        for split in SPLITS
        for path in root.glob(f"{place}{split}.tsv")
        if patterns is None or any(_fits(path.relative_to(root).as_posix(), each) for each in patterns)
    ]
    if not found:
        raise InputError(
            "there is no sheet of FLEURS, such as data/fi_fi/train.tsv",
            path=root,
            fix="set `path` to the data set or one of its languages; let `hub: files` have the sheets",
        )
    for path in found:
        if not _audio(path).is_dir():
            raise InputError(
                "the sheet is here, its recordings are not",
                path=_audio(path),
                fix=f"unpack {path.stem}.tar.gz in its folder `audio` (a fetched corpus: add "
                f"`data/{_language(path)}/audio/{path.stem}.tar.gz` to `hub: files`)",
            )
    return sorted(found, key=lambda path: (_language(path), SPLITS.index(path.stem)))


def lines(sheet):
    """Number, from 1, and text of each line of a sheet.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    try:
        text = sheet.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"not a readable sheet ({error})", path=sheet, fix="fetch the data set again"
        ) from error
    # Not splitlines, which also breaks at separators that belong to a text.
    found = [(i, line.rstrip("\r")) for i, line in enumerate(text.split("\n"), start=1) if line.strip()]
    if not found:
        raise InputError("the sheet is empty", path=sheet, fix="fetch the data set again")
    return found


def key(sheet, line):
    """What decides the shard of a line: the name of its recording, or all of it if it has none."""
    cells = line.split("\t")
    return _name(sheet, cells[1]) if len(cells) > 1 else line


def row(sheet, number, line, transcription=NORMALISED):
    """A line of a sheet as a row of ``tables.UTTERANCES``.

    Parameters
    ----------
    sheet : pathlib.Path
    number : int
        For messages.
    line : str
    transcription : {"normalised", "raw"}
        Which one is the text: that without case and punctuation, or as it is written.

    Returns
    -------
    dict
        utterance_id (``fi_fi_{file_name}``), audio (path), sex (m, f or empty), language (``fi`` of
        ``fi_fi``), sentence_id, text, split, and length_s.

    Raises
    ------
    InputError
        For a line that does not have the seven columns, or not what they should hold.
    """
    cells = line.split("\t")
    if len(cells) != _COLUMNS:
        raise _bad(sheet, number, f"{len(cells)} columns, not {_COLUMNS}")
    sentence, name, raw, text, _, samples, gender = (cell.strip() for cell in cells)
    if not re.fullmatch(r"[A-Za-z0-9_-]+\.wav", name):
        raise _bad(sheet, number, f"`{name}` is not the name of a recording")
    if not is_number(sentence) or not is_number(samples):
        raise _bad(sheet, number, f"`{sentence}` and `{samples}` are not an id and a number of samples")
    if gender.upper() not in _SEX:
        raise _bad(sheet, number, f"`{gender}` is not among {', '.join(_SEX)}")
    return {
        "utterance_id": _name(sheet, name),
        "audio": (_audio(sheet) / name).as_posix(),
        "sex": _SEX[gender.upper()],
        "language": _language(sheet).partition("_")[0],
        "sentence_id": sentence,
        "text": raw if transcription == RAW else text,
        "split": sheet.stem,
        "length_s": int(samples) / RATE_HZ,
    }


def _bad(sheet, number, message):
    return InputError(
        message,
        path=sheet,
        row=f"line {number}",
        fix="fetch the sheet again, or leave the line out with `on_error: skip`",
    )


def _fits(path, pattern):
    # The hub reads `data/fi_fi/` as all that is in the folder.
    return fnmatch(path, pattern + "*" if pattern.endswith("/") else pattern)


def _language(sheet):
    return sheet.absolute().parent.name


def _audio(sheet):
    return sheet.parent / "audio" / sheet.stem


def _name(sheet, name):
    return f"{_language(sheet)}_{name.strip().removesuffix('.wav')}"
