"""Which recordings a shard of a corpus has, and what is known of each before its EMA is read."""

import glob
import os
import re
from dataclasses import dataclass, field

from phonoscope.corpora import audio, readers, sheets
from phonoscope.corpora.notes import Notes
from phonoscope.corpora.shards import bucket_of
from phonoscope.errors import InputError

# Readers whose corpora list their recordings themselves; others are looked for by `files`.
OWN_LISTS = ("table", "fleurs", "tusom")
FIELDS = ("sex", "language", "native_language", "condition", "task", "sentence_id", "text", "split")


@dataclass(frozen=True)
class Recording:
    """One recording: where its files lie and what the sheets say of it.

    Parameters
    ----------
    utterance_id : str
        Unique in the corpus.
    speaker : str
        Empty in a corpus without speakers.
    ema, audio : str
        Paths as reachable from the working directory; ``ema`` is empty, or names a file that may be absent,
        in a corpus without sensors.
    phones : str or None
        Label file.
    settings : dict
        As :func:`sheets.settings` gives them.
    fields : dict of str
        The columns ``FIELDS`` of the utterance table.
    inside : dict
        Further arguments of the reader, for files that hold many recordings.
    length_s : float or None
        How long the corpus says the audio is.
    """

    utterance_id: str
    speaker: str
    ema: str
    audio: str
    phones: str | None
    settings: dict
    fields: dict
    inside: dict = field(default_factory=dict)
    length_s: float | None = None

    @property
    def file(self):
        """The file that the recording was found by."""
        return self.ema or self.audio


def usable(corpus, speakers, shard):
    """The shard's recordings whose audio can be used, under the corpus' `on_error`.

    Parameters
    ----------
    corpus : dict
        A block of ``corpora`` in the config, with its ``name``.
    speakers : list of dict
        The speaker sheet's rows of this shard; empty for a corpus without speakers.
    shard : str

    Returns
    -------
    recordings : list of (Recording, audio.AudioInfo)
        Sorted by speaker as in the sheet, then by utterance.
    notes : Notes

    Raises
    ------
    InputError
        With ``on_error: stop``, for a speaker without recordings, a missing or unusable audio file.
    """
    notes = Notes(corpus.get("on_error", "stop"))
    # A mistake in the config or a sheet concerns no recording: it always stops.
    all_settings = [sheets.settings(corpus, speaker) for speaker in speakers or [{}]]
    sheet = _check(corpus, all_settings)
    recordings, seen = [], {}
    for speaker, settings in zip(speakers or [{}], all_settings, strict=True):
        name = speaker.get("speaker", "")
        with notes.guard(speaker=name):
            for recording in _find(corpus, speaker, settings, sheet, shard, notes):
                where = {"utterance_id": recording.utterance_id, "speaker": name, "file": recording.audio}
                with notes.guard(**where):
                    if recording.utterance_id in seen:
                        raise InputError(
                            f"two recordings are called {recording.utterance_id} (the other is "
                            f"{seen[recording.utterance_id]})",
                            path=recording.file,
                            fix=f"narrow `files: {'ema' if recording.ema else 'audio'}` to one of them, "
                            "or rename the files",
                        )
                    seen[recording.utterance_id] = recording.file
                    info = audio.probe(recording.audio)
                    recordings.append((recording, info))
                    for reason in info.notes:
                        notes.add("converted", reason, **where)
                    if reason := _wrong_length(recording, info):
                        notes.add("warning", reason, fix="unpack or fetch the audio again", **where)
    return recordings, notes


def _wrong_length(recording, info):
    """A cut file still decodes: say it where the corpus knows better."""
    said = recording.length_s
    if said is None or abs(info.duration_s - said) < 0.01:
        return ""
    return f"the audio lasts {info.duration_s:.2f} s, the corpus says {said:.2f} s"


def _check(corpus, all_settings):
    """Refuse settings that cannot be meant; return the recording sheet, or None."""
    name, root = corpus.get("name"), sheets.folder(corpus)
    if not os.path.isdir(root):
        raise InputError("there is no such folder", path=root, fix="set `path` of the corpus in the config")
    for settings in all_settings:
        readers.reader(settings["reader"])
        for kind in ("ema", "audio") if corpus.get("sensors") else ("audio",):
            if settings["reader"] not in OWN_LISTS and kind not in settings["files"]:
                raise InputError(f"`files: {kind}` is not given", row=name, fix="add the pattern")
    try:
        groups = re.compile(corpus.get("name_pattern") or "").groupindex
    except re.error as error:
        raise InputError(
            f"`name_pattern` is no regular expression ({error})", row=name, fix="mend the pattern"
        ) from error
    if unknown := set(groups) - set(FIELDS):
        raise InputError(
            f"`name_pattern` has the unknown groups {', '.join(sorted(unknown))}",
            row=name,
            fix=f"use groups among {', '.join(FIELDS)}",
        )
    return sheets.read_recordings(corpus["recordings"]) if corpus.get("recordings") else None


def _find(corpus, speaker, settings, sheet, shard, notes):
    if settings["reader"] == "table":
        found = _in_table(corpus, speaker, settings)
    elif settings["reader"] == "fleurs":
        found = _in_fleurs(corpus, settings, shard, notes)
    elif settings["reader"] == "tusom":
        found = _in_tusom(corpus, speaker, settings, shard, notes)
    else:
        found = _in_folder(corpus, speaker, settings, sheet, notes)
    # Those that list their recordings themselves have refused to be empty, or have none for this shard.
    if not found and (speaker or settings["reader"] not in OWN_LISTS):
        kind = "ema" if "ema" in settings["files"] else "audio"
        who = f"speaker {speaker['speaker']} has" if speaker else "there are"
        raise InputError(
            f"{who} no recordings",
            path=sheets.folder(corpus) / settings["files"].get(kind, ""),
            fix=f"check `path`, `files: {kind}` and the speaker sheet's column `files`",
        )
    if not speaker:
        found = [each for each in found if bucket_of(each.utterance_id, corpus["shards"]) == shard]
    return found


def _in_folder(corpus, speaker, settings, sheet, notes):
    root, files, name = sheets.folder(corpus), settings["files"], speaker.get("speaker", "")
    folder = speaker.get("files") or name
    found = []
    kind = "ema" if files.get("ema") else "audio"
    for path in _fitting(root, _fill(files[kind], glob.escape(folder), "*"), kind):
        stem = (path.name if path.is_dir() else path.stem).removesuffix("_bndl")
        says_speaker = not name or re.match(rf"{re.escape(name)}(?![A-Za-z0-9])", stem)
        utterance_id = stem if says_speaker else f"{name}_{stem}"
        where = {"utterance_id": utterance_id, "speaker": name, "file": path.as_posix()}
        with notes.guard(**where):
            audio_path = path.as_posix()
            if "ema" in files:
                audio_path = _one(root, files["audio"], folder, stem, "audio")
            phones = files.get("phones") and _one(root, _of_stem(files["phones"]), folder, stem, "phones")
            fields = {key: speaker.get(key) or "" for key in FIELDS}
            said = _said(stem, corpus.get("name_pattern"), sheet, notes, where)
            found.append(
                Recording(
                    utterance_id=utterance_id,
                    speaker=name,
                    ema=path.as_posix() if "ema" in files else "",
                    audio=audio_path,
                    phones=phones,
                    settings=settings,
                    fields=fields | {key: value for key, value in said.items() if value},
                )
            )
    return found


def _fill(pattern, speaker, stem):
    return pattern.replace("{speaker}", speaker).replace("{stem}", stem)


def _fitting(root, pattern, kind):
    """The files that fit a pattern, sorted."""
    try:
        found = sorted(root.glob(pattern))
        for path in found:
            path.as_posix().encode()
        return found
    except UnicodeEncodeError as error:
        raise InputError(
            f"the name of a file is not in UTF-8: {ascii(path.name)}",
            path=root,
            row=f"files: {kind}",
            fix="rename it",
        ) from error
    except (ValueError, NotImplementedError, OSError) as error:
        raise InputError(
            f"`{pattern}` is no pattern of files in this folder ({error})",
            path=root,
            row=f"files: {kind}",
            fix="write it relative to `path`, as in {speaker}/wav/{stem}.wav",
        ) from error


def _of_stem(pattern):
    """A pattern without ``{stem}``, such as ``*.TextGrid``: its last ``*`` is the recording's stem."""
    if "{stem}" in pattern:
        return pattern
    folders, slash, name = pattern.rpartition("/")
    return folders + slash + "{stem}".join(name.rsplit("*", 1))


def _one(root, pattern, speaker, stem, kind):
    """The file that a pattern names; a `*` in it must fit exactly one."""
    named = (root / _fill(pattern, speaker, stem)).as_posix()
    if not re.search(r"[*?\[]", pattern):
        return named
    # Brackets in the names that are filled in are no part of the pattern.
    found = _fitting(root, _fill(pattern, glob.escape(speaker), glob.escape(stem)), kind)
    if len(found) > 1:
        raise InputError(
            f"{len(found)} {kind} files fit `{pattern}`", path=found[0], fix=f"narrow `files: {kind}`"
        )
    return found[0].as_posix() if found else named


def _said(stem, pattern, sheet, notes, where):
    """What the file's name and the recording sheet say; the sheet has the last word."""
    said = {}
    if pattern:
        if match := re.search(pattern, stem):
            said = match.groupdict("")
        else:
            notes.add(
                "warning",
                "the file's name does not match `name_pattern`",
                fix="mend `name_pattern` of the corpus",
                **where,
            )
    if sheet is not None:
        if stem in sheet:
            said |= {key: value for key, value in sheet[stem].items() if value and key in FIELDS}
        else:
            notes.add(
                "warning",
                "the recording is not in the recording sheet",
                fix="add its row to the sheet `recordings`",
                **where,
            )
    return said


def _in_table(corpus, speaker, settings):
    from phonoscope.corpora import table

    root, name = sheets.folder(corpus), speaker.get("speaker", "")
    folder = speaker.get("files") or name
    return [
        Recording(
            utterance_id=row["utterance_id"],
            speaker=row["speaker"] or "",
            ema=(root / "ema" / f"{row['speaker']}.parquet").as_posix(),
            audio=(root / row["audio"]).as_posix(),
            phones=None,
            settings=settings,
            fields={key: row.get(key) or speaker.get(key) or "" for key in FIELDS},
            inside={"utterance_id": row["utterance_id"]},
        )
        for row in table.recordings(root)
        if not speaker or row["speaker"] == folder
    ]


def _in_fleurs(corpus, settings, shard, notes):
    from phonoscope.corpora import fleurs

    found = []
    for sheet in fleurs.sheets(sheets.folder(corpus), (corpus.get("hub") or {}).get("files")):
        for number, line in fleurs.lines(sheet):
            # Every shard reads every sheet: a bad line is of one shard too, to be said once.
            if bucket_of(fleurs.key(sheet, line), corpus["shards"]) != shard:
                continue
            with notes.guard(file=sheet.as_posix()):
                row = fleurs.row(sheet, number, line, corpus.get("transcription"))
                found.append(
                    Recording(
                        utterance_id=row["utterance_id"],
                        speaker="",
                        ema="",
                        audio=row["audio"],
                        phones=None,
                        settings=settings,
                        fields={key: row.get(key, "") for key in FIELDS},
                        length_s=row["length_s"],
                    )
                )
    return sorted(found, key=lambda each: each.utterance_id)


def _in_tusom(corpus, speaker, settings, shard, notes):
    from phonoscope.corpora import tusom

    if speaker:
        raise InputError(
            "tusom2021 does not say who speaks, a speaker sheet cannot choose from it",
            row=speaker["speaker"],
            fix="give the corpus no `speakers`, and set `shards` to a number",
        )
    found = {}
    for sheet in tusom.sheets(sheets.folder(corpus)):
        with notes.guard(file=sheet.as_posix()):
            for key, entry in tusom.entries(sheet).items():
                # The sheet of all recordings repeats those of the splits.
                if tusom.name(key) in found or bucket_of(tusom.name(key), corpus["shards"]) != shard:
                    continue
                with notes.guard(utterance_id=tusom.name(key), file=sheet.as_posix()):
                    row = tusom.row(sheet, key, entry)
                    found[row["utterance_id"]] = Recording(
                        utterance_id=row["utterance_id"],
                        speaker="",
                        ema="",
                        audio=row["audio"],
                        phones=None,
                        settings=settings,
                        fields={key: row.get(key, "") for key in FIELDS},
                    )
    return sorted(found.values(), key=lambda each: each.utterance_id)
