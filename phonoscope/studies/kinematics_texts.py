"""Does a probe carry over to a speaker because both read the same texts?

Texts that several speakers read are dealt into two halves. A source's probe of one half is tested on the
target's speech in the same half, whose texts it was fitted on in another voice, and in the other half. Either
half has either part, so that the same fits and the same frames stand on both sides of the difference.
"""

import re
from zlib import crc32

import numpy as np

from phonoscope.probes.transfer import Stack, pearson

# The cells of a speaker's speech in either half.
HALVES = ("texts 0", "texts 1")
SAME, OTHER = "same texts", "other texts"


def halves(spoken):
    """Half of each recording whose text two speakers or more read.

    Parameters
    ----------
    spoken : list of dict
        Rows of utterances: utterance_id, speaker, language, text, sentence_id.

    Returns
    -------
    dict of str to int
        Utterance -> 0 or 1; half of the texts of every language each.
    """
    readers = {}
    for row in spoken:
        if text := _text(row):
            readers.setdefault(text, set()).add(row["speaker"])
    # By a hash, so that neighbours in a list of sentences do not stay together.
    read = sorted(
        (t for t, by in readers.items() if len(by) > 1), key=lambda t: (t[0], crc32(t[1].encode()), t)
    )
    half = {text: place % 2 for place, text in enumerate(read)}
    return {row["utterance_id"]: half[_text(row)] for row in spoken if _text(row) in half}


def shares(spoken, half):
    """How much of what a target says in both halves is in texts that a source reads too, by duration.

    Parameters
    ----------
    spoken : list of dict
        As for :func:`halves`, and duration_s.
    half : dict of str to int
        Of :func:`halves`.

    Returns
    -------
    dict of (str, str) to float
        (source, target) -> share, above 0.
    """
    said = {}
    for row in spoken:
        if row["utterance_id"] in half:
            own = said.setdefault(row["speaker"], {})
            own[_text(row)] = own.get(_text(row), 0.0) + (row["duration_s"] or 0.0)
    found = {}
    for target, own in said.items():
        whole = sum(own.values())
        for source, theirs in said.items():
            common = sum(length for text, length in own.items() if text in theirs)
            if source != target and common:
                found[source, target] = common / whole
    return found


def _text(row):
    """What was read, without case and punctuation, and in which language; nothing where it is not known."""
    words = " ".join(re.findall(r"\w+", (row["text"] or "").casefold())) or row["sentence_id"]
    return (row["language"] or "", words) if words else None


def score(cells, probe, rows, common):
    """Rows of every source and target with texts in common: r on the same texts, and on others.

    Parameters
    ----------
    cells : phonoscope.studies.kinematics_cells.Cells
        Read, with the halves.
    probe : phonoscope.probes.fitting.Probe
    rows : phonoscope.studies.kinematics_rows.Rows
        Gets two rows for each pair of speakers and channel, ``target_group`` :data:`SAME` and :data:`OTHER`:
        each the mean of two r, one for each half that was fitted on. Without chance: other texts are the
        control of the same. ``note`` has the share of :func:`shares`.
    common : dict of (str, str) to float
        Of :func:`shares`.
    """
    about = {"experiment": "texts", "by": "", "probe": probe.name, "map": "none"}
    ready = [speaker for speaker in cells.speakers.values() if speaker.halves]
    if not any((a.name, b.name) in common for a in ready for b in ready):
        rows.skip("no two speakers with texts in common in both halves", source="", target="", **about)
        return
    fits = [fit for speaker in ready for fit in speaker.halves[probe.name]]
    stack = Stack(fits, cells.shift, 1)
    n_train = np.array([fit.n for fit in fits]).reshape(len(ready), 2, -1).sum(axis=1)
    for target in ready:
        joints = cells.joints(target, HALVES, stack)
        # (tested half, source, fitted half, one version, channel)
        r = np.stack([pearson(joint) for joint in joints])
        r = r.reshape(2, len(ready), 2, *r.shape[2:])
        found = {SAME: (r[0, :, 0] + r[1, :, 1]) / 2, OTHER: (r[0, :, 1] + r[1, :, 0]) / 2}
        n_test = sum(joint.n[0, 0] for joint in joints).astype(int)
        for i, source in enumerate(ready):
            if (source.name, target.name) not in common:
                continue
            note = f"shared={common[source.name, target.name]:.3f}"
            where = about | {"source": source.name, "target": target.name}
            for texts, values in found.items():
                rows.add(values[i], n_train[i], n_test, note, **where, target_group=texts)
