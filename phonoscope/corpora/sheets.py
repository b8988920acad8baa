"""Speaker and recording sheets (TSV), and the settings they give a speaker. Standard library only."""

import csv
import re
from pathlib import Path

from phonoscope.corpora.readers import rate_in_hz
from phonoscope.errors import InputError

SPEAKER_COLUMNS = (
    "speaker",
    "sex",
    "native_language",
    "language",
    "files",
    "sensors",
    "reader",
    "files_ema",
    "files_audio",
    "files_phones",
    "axes",
    "ema_rate",
)
RECORDING_COLUMNS = ("utterance", "task", "condition", "sentence_id", "text", "language", "split")


def read_speakers(path):
    """Rows of a speaker sheet, as dicts of strings with every column of ``SPEAKER_COLUMNS``.

    Lines that start with ``#`` are comments. Only ``speaker`` is required; empty cells mean
    "as in the config".

    Raises
    ------
    InputError
        For an unknown column, a row of another length, a speaker named twice, no speaker, or a
        name that cannot be part of a file name.
    """
    rows = _read_sheet(path, SPEAKER_COLUMNS, "speaker")
    for row in rows:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", row["speaker"]):
            raise InputError(
                f"`{row['speaker']}` cannot be part of a file name",
                path=path,
                row=row["speaker"],
                fix="use letters, digits, `_`, `-` and `.`; give the folder's name in the column `files`",
            )
    return rows


def read_recordings(path):
    """Rows of a recording sheet by file stem (column ``utterance``), with ``RECORDING_COLUMNS``."""
    return {row["utterance"]: row for row in _read_sheet(path, RECORDING_COLUMNS, "utterance")}


def _read_sheet(path, columns, key):
    try:
        # Not splitlines, which also breaks at separators that belong to a text.
        lines = [line for line in Path(path).read_text(encoding="utf-8-sig").split("\n") if line.strip()]
        # Strict: a quote that is not closed would swallow the rows below it.
        cells = csv.reader((line for line in lines if not line.startswith("#")), delimiter="\t", strict=True)
        table = list(cells)
    except csv.Error as error:
        raise InputError(
            f"the quotes do not match ({error})",
            path=path,
            row=f"row {max(0, cells.line_num - 1)}",
            fix="put quotes around the whole cell and double those within it, or leave all of them out",
        ) from error
    except (OSError, ValueError) as error:
        raise InputError(f"not a readable sheet ({error})", path=path, fix="give a UTF-8 TSV file") from error
    header = table[0] if table else []
    if twice := [name for name in header if header.count(name) > 1]:
        raise InputError(f"two columns are called {twice[0]}", path=path, row="header", fix="rename one")
    if unknown := [name for name in header if name not in columns]:
        raise InputError(
            f"unknown columns {', '.join(unknown)}", path=path, row="header", fix=f"use {', '.join(columns)}"
        )
    if key not in header or len(table) < 2:
        raise InputError(
            f"no rows with a column `{key}`", path=path, fix=f"add the column `{key}` and its rows"
        )
    rows, seen = [], set()
    for number, cells in enumerate(table[1:], start=1):
        if len(cells) > len(header):
            raise InputError(
                f"{len(cells)} cells under {len(header)} columns",
                path=path,
                row=f"row {number}",
                fix="separate cells by single tabs",
            )
        given = {name: cell.strip() for name, cell in zip(header, cells, strict=False)}
        row = {name: given.get(name, "") for name in columns}
        if not row[key] or row[key] in seen:
            problem = f"`{row[key]}` appears twice" if row[key] else f"the column `{key}` is empty"
            raise InputError(problem, path=path, row=f"row {number}", fix=f"give each row its own `{key}`")
        seen.add(row[key])
        rows.append(row)
    return rows


def folder(corpus):
    """Where a corpus lies: its ``path``, or the place that it is fetched or spoken into."""
    return Path(corpus["path"]) if corpus.get("path") else Path("results") / corpus["name"] / "source"


def settings(corpus, speaker):
    """The corpus' keys for one speaker: the config's, with what the sheet overrides.

    Parameters
    ----------
    corpus : dict
        A block of ``corpora`` in the config.
    speaker : dict of str
        A row of the speaker sheet; ``{}`` for a corpus without speakers.

    Returns
    -------
    dict
        ``reader``, ``files`` (dict), ``sensors`` (dict; None for a sensor this speaker has not),
        ``axes`` (dict), ``ema_rate`` (float or None), ``mm_per_unit`` (float).
    """
    files = {kind: pattern for kind, pattern in (corpus.get("files") or {}).items() if pattern}
    for kind in ("ema", "audio", "phones"):
        if speaker.get(f"files_{kind}"):
            files[kind] = speaker[f"files_{kind}"]
    sensors = dict(corpus.get("sensors") or {})
    sheet = corpus.get("speakers")
    sensors.update(_pairs(speaker.get("sensors", ""), "sensors", speaker, sheet))
    axes = {"x": "+x", "z": "+z", **(corpus.get("axes") or {})}
    axes.update(_pairs(speaker.get("axes", ""), "axes", speaker, sheet))
    for axis, source in axes.items():
        if axis not in ("x", "z") or not re.fullmatch(r"[+-]?[xyz]", source):
            raise InputError(
                f"`{axis}={source}` is not an axis",
                path=sheet,
                row=speaker.get("speaker") or "axes",
                fix="write the table's axis and the file's signed axis, as in x=-y,z=+z",
            )
    rate = speaker.get("ema_rate") or corpus.get("ema_rate")
    reader = speaker.get("reader") or corpus["reader"]
    if speaker and reader == "fleurs":
        raise InputError(
            "FLEURS does not say who speaks, a speaker sheet cannot choose from it",
            path=sheet,
            row=speaker.get("speaker"),
            fix="give the corpus no `speakers`, and set `shards` to a number",
        )
    return {
        "reader": reader,
        "files": files,
        "sensors": {name: None if str(where) == "none" else where for name, where in sensors.items()},
        "axes": axes,
        "ema_rate": None if rate is None else rate_in_hz(rate, sheet, f"speaker {speaker.get('speaker')}"),
        "mm_per_unit": float(corpus.get("mm_per_unit") or 1.0),
    }


def _pairs(text, column, speaker, sheet):
    pairs = {}
    for word in filter(None, (word.strip() for word in text.split(","))):
        name, equals, value = (part.strip() for part in word.partition("="))
        if not (name and equals and value):
            raise InputError(
                f"`{word}` is not of the form name=value",
                path=sheet,
                row=f"speaker {speaker.get('speaker')}, column {column}",
                fix="write it as in TT=14,TD=9",
            )
        pairs[name] = value
    return pairs
