"""tusom2021 (Mortensen et al. 2021, arXiv 2104.00824): words of East Tusom with transcriptions in YAML.

``data/train.yml``, ``dev.yml`` and ``test.yml`` (and ``mapping.yml``, of all recordings) have an entry per
recording: its file's name, with ``gloss``, ``no_tones``, ``tone_dias`` and ``tone_letters``. The recordings
lie beside the sheets in ``wav`` (or ``audio``), as WAV or FLAC. Who speaks is not said.
"""

import os
import re
from functools import cache
from pathlib import Path

from phonoscope.errors import InputError

SPLITS = ("train", "dev", "test")
LANGUAGE = "East Tusom"
FIELDS = ("gloss", "tone_letters")
_DEEPEST = 100


def sheets(root):
    """The sheets of a copy of the corpus, those of splits first.

    Parameters
    ----------
    root : path-like
        The repository, its folder ``data``, or a folder with sheets and ``audio``.

    Returns
    -------
    list of pathlib.Path

    Raises
    ------
    InputError
        If there is none.
    """
    root = Path(root)
    for home in (root, root / "data"):
        if found := [path for name in (*SPLITS, "mapping") if (path := home / f"{name}.yml").is_file()]:
            return found
    raise InputError(
        "there is no sheet of tusom2021, such as data/mapping.yml or train.yml",
        path=root,
        fix="set `path` to a copy of the repository",
    )


@cache
def entries(sheet):
    """What a sheet says, by recording (its file's name).

    Raises
    ------
    InputError
        If it is no YAML, or no mapping of names to fields.
    """
    import yaml

    try:
        # BaseLoader leaves all as text: a gloss may be `no` or `1`.
        text = sheet.read_text(encoding="utf-8")
        _check_depth(text)
        found = yaml.load(text, Loader=yaml.BaseLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise InputError(
            f"not a readable sheet ({' '.join(str(error).split())[:200]})",
            path=sheet,
            fix="mend the YAML, or get the corpus again",
        ) from error
    if not isinstance(found, dict) or not found:
        raise InputError("the sheet is not a mapping of recordings", path=sheet, fix="get the corpus again")
    return found


def _check_depth(text):
    """Refuse brackets within brackets without end, which take the parser the square of their number."""
    import yaml

    depth = 0
    for bracket in re.finditer(r"[\[\]{}]", text):
        depth = depth + 1 if bracket[0] in "[{" else max(0, depth - 1)
        if depth > _DEEPEST:
            raise yaml.YAMLError(f"more than {_DEEPEST} brackets are open")


def name(key):
    """The name of the utterance of an entry."""
    return key.removesuffix(".wav")


def row(sheet, key, entry):
    """An entry as a row of ``tables.UTTERANCES``.

    Parameters
    ----------
    sheet : pathlib.Path
    key : str
        Name of the recording.
    entry : dict of str

    Returns
    -------
    dict
        utterance_id, audio, language, sentence_id (the gloss: what is said again has it again), text (with
        tone letters), split (empty if the sheet is of all recordings).

    Raises
    ------
    InputError
        Where a field or the recording is missing.
    """
    texts = [entry.get(field) for field in FIELDS] if isinstance(entry, dict) else [None]
    if not all(isinstance(text, str) and _is_unicode(key + text) for text in texts):
        raise InputError(
            f"the entry lacks {' or '.join(FIELDS)}",
            path=sheet,
            row=key,
            fix="mend the entry, or leave it out with `on_error: skip`",
        )
    return {
        "utterance_id": name(key),
        "audio": _audio(sheet, key).as_posix(),
        "language": LANGUAGE,
        "sentence_id": entry["gloss"],
        "text": entry["tone_letters"],
        "split": sheet.stem if sheet.stem in SPLITS else "",
    }


def _is_unicode(text):
    # YAML can write half a character, as \ud800; a table cannot.
    return not re.search("[\ud800-\udfff]", text)


def _audio(sheet, key):
    for folder in ("wav", "audio"):
        for suffix in (".wav", ".flac"):
            path = sheet.parent / folder / f"{name(key)}{suffix}"
            # Path.is_file fails at a name that is too long.
            if os.path.isfile(path):
                return path
    raise InputError(
        f"there is no recording {name(key)}.wav or .flac in `wav` or `audio` beside the sheet",
        path=sheet,
        row=key,
        fix="get the recording, or leave it out with `on_error: skip`",
    )
