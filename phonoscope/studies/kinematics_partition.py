"""Physics against phones: how much of EMA's variance do phones explain, the layer, and both together?

For each held-out speaker (or language) and channel, ridge on (a) the identity of the phone at the frame and
of its neighbours, (b) the layer, (c) both. The parts follow by difference: unique to phones c − b, unique
to the layer c − a, shared a + b − c. Controls in the same solve: phones shuffled over segments, and EMA
shifted in time. One pass over the layer accumulates the moments of every speaker and language.
"""

from dataclasses import dataclass

import numpy as np

from phonoscope import tables
from phonoscope.probes import designs, moments, partition
from phonoscope.studies import kinematics_phones
from phonoscope.studies.frames import Corpus

PROBE = "ridge"
EXPERIMENTS = {"speaker": "partition_speaker", "language": "partition_language"}
# Parts that are also fitted to shifted EMA.
SHIFTED = ("phones", "layer", "both")


@dataclass(frozen=True)
class Cells:
    """Moments of stacked features and targets per (speaker, language).

    Attributes
    ----------
    of : dict of (str, str) to moments.Cell
    shift : array of shape (n_features,)
    blocks : partition.Blocks
    channels : list of str
    n_targets : int
        Channels and their shifted controls.
    silent : list of str
        Utterances without phones, which are left out.
    """

    of: dict
    shift: np.ndarray
    blocks: partition.Blocks
    channels: list
    n_targets: int
    silent: list


def score(utterances, articulation, segments, embeddings, options, model, layer):
    """Variance explained by phones, by one layer of one model, and by both.

    Parameters
    ----------
    utterances, articulation, segments, embeddings : lists of path
        One per shard, in the same order.
    options : dict
        ``leave_out``, ``silence``, ``phone_alphas`` of kinematics.partition; ``alphas``, ``frame_alignment``,
        ``shifts_s``, ``seed`` of the articulation study.
    model : str
    layer : int

    Returns
    -------
    pyarrow.Table
        Schema tables.SCORES. ``metric`` is r2_phones, r2_layer, r2_both, r2_phones_shuffled or
        r2_both_shuffled; r2_phones_shifted, r2_layer_shifted and r2_both_shifted are the means over shifts
        of what is reached for shifted EMA.

    Raises
    ------
    InputError
        Where the corpus has no phones, or rates do not fit.
    """
    corpus = Corpus(utterances, articulation, embeddings, options["frame_alignment"])
    phones = kinematics_phones.read(segments, options["silence"])
    language = languages(utterances)
    found = accumulate(corpus, phones, language, options)
    grid = partition.Grid(tuple(options["alphas"]), tuple(options["phone_alphas"]))
    rows = []
    for leave_out in options["leave_out"]:
        rows += _leave_out(found, leave_out, grid)
    common = {"probe": PROBE, "model": model, "layer": layer}
    return tables.from_rows([row | common for row in rows], tables.SCORES)


def languages(utterances):
    """Language of every utterance, "" where none is given."""
    rows = tables.read(utterances, columns=["utterance_id", "language"]).to_pylist()
    return {row["utterance_id"]: row["language"] or "" for row in rows}


def accumulate(corpus, phones, language, options):
    """One pass over the frames of ``corpus``.

    Parameters
    ----------
    corpus : frames.Corpus
        Or any iterable of SpeakerFrames with ``channels``.
    phones : kinematics_phones.Phones
    language : dict of str to str
        Of every utterance.
    options : dict
        As for :func:`score`.

    Returns
    -------
    Cells
    """
    n_phones = 3 * len(phones.labels)
    found, silent, shift, n_targets = {}, [], None, 0
    for frames in corpus:
        if shift is None:
            pilot = moments.pilot_mean(frames.x)
            shift = np.r_[pilot, np.zeros(2 * n_phones)]
        silent += [name for name in frames.utterance_ids if name not in phones.spoken]
        y = designs.with_controls(frames.y, frames.hop_s, options["shifts_s"])
        n_targets = y.shape[1]
        spoken = [language[name] for name in frames.utterance_ids]
        names = sorted(set(spoken))
        codes = phones.at(frames.utterance_ids, frames.utterance, frames.time_s)
        dealt = phones.at(
            frames.utterance_ids, frames.utterance, frames.time_s, _shuffled(phones, frames, spoken, options)
        )
        x = np.hstack([frames.x, phones.one_hot(codes), phones.one_hot(dealt)])
        label = np.array([names.index(each) for each in spoken])[frames.utterance]
        label = np.where(codes[:, 0] == kinematics_phones.NONE, -1, label)
        for index, cell in moments.cells(x, y, label, shift).items():
            found[frames.speaker, names[index]] = cell
    n_layer = 0 if shift is None else len(shift) - 2 * n_phones
    blocks = partition.Blocks(n_layer, n_phones)
    return Cells(found, shift, blocks, list(corpus.channels), n_targets, silent)


def _shuffled(phones, frames, spoken, options):
    """Phones dealt out anew within each language of a speaker."""
    dealt = {}
    for language in sorted(set(spoken)):
        rng = designs.generator(options["seed"], frames.speaker, language, "shuffled phones")
        own = [name for name, of in zip(frames.utterance_ids, spoken, strict=True) if of == language]
        dealt |= phones.shuffled(own, rng)
    return dealt


def _leave_out(cells, leave_out, grid):
    """Rows of all held-out speakers, or of all held-out languages."""
    at = {"speaker": 0, "language": 1}[leave_out]
    keys = sorted(key for key in cells.of if key[at])
    names = sorted({key[at] for key in keys})
    said = _said(cells)
    if len(names) < 2:
        note = f"only one {leave_out} with EMA and phones: {', '.join(names) or 'none'}"
        return [_skipped(leave_out, "; ".join(filter(None, [note, said])))]
    reached = Reached(cells)
    for targets, parts in moments.target_groups([cells.of[key] for key in keys], cells.n_targets):
        of = {key: part for key, part in zip(keys, parts, strict=True) if part is not None}
        there = sorted({key[at] for key in of})
        sums = {name: moments.add([of[key] for key in of if key[at] == name]) for name in there}
        errors = _errors(cells, of, sums, at, grid)
        for name, train in zip(there, moments.leave_one_out(list(sums.values())), strict=True):
            if train is None:
                continue
            fitted = partition.fit(train, errors[name], cells.shift, cells.blocks, grid)
            # A language is tested speaker by speaker: they are the units of the intervals.
            tests = {name: sums[name]} if at == 0 else {key[0]: of[key] for key in of if key[1] == name}
            for speaker, test in tests.items():
                words = f"speaker={speaker}" + (f" language={name}" if at else "")
                design = f"except_{leave_out}={name}", words
                reached.add(design, targets, train.n, test, fitted, errors[name])
    rows = [row | {"experiment": EXPERIMENTS[leave_out]} for row in reached.rows()]
    return rows + ([_skipped(leave_out, said)] if said else [])


class Reached:
    """R² of every design and part, for real and shifted targets, which may be valid on different frames."""

    def __init__(self, cells):
        self.channels, self.n_targets = cells.channels, cells.n_targets
        self.found = {}

    def add(self, design, targets, n_train, test, fitted, errors):
        """Take in one fit on one test cell, of some targets."""
        weights, penalties = fitted
        for part, of_part in weights.items():
            blank = np.full(self.n_targets, np.nan), np.zeros((2, self.n_targets), int), [""] * self.n_targets
            r2, n, notes = self.found.setdefault((*design, part), blank)
            r2[targets] = partition.r_squared(test, of_part)
            n[:, targets] = [[n_train], [test.n]]
            for target, pair in zip(targets, penalties[part], strict=True):
                notes[target] = _note(pair, errors)

    def rows(self):
        """Rows of the score table, without model, layer and experiment."""
        k = len(self.channels)
        for (train, test, part), (r2, n, notes) in self.found.items():
            for index in np.flatnonzero(n[1, :k]):
                row = {"train": train, "test": test, "target": self.channels[index]}
                row |= {"n_train": int(n[0, index]), "n_test": int(n[1, index])}
                yield row | {"metric": f"r2_{part}"} | _value(r2[index], notes[index])
                shifted = r2[index + k :: k]
                shifted = shifted[np.isfinite(shifted)]
                if part in SHIFTED and len(shifted):
                    yield row | {"metric": f"r2_{part}_shifted", "value": float(shifted.mean()), "note": ""}


def _errors(cells, of, sums, at, grid):
    """What the penalties of each held-out name are chosen by, from the others alone; None for nothing."""
    groups, group = partition.grouped(list(sums.values()))
    found = partition.errors_without(groups, cells.shift, cells.blocks, grid)
    errors = {name: found[index] for name, index in zip(sums, group, strict=True)}
    if at == 1 and len(sums) == 2:
        # Of two languages one is left: its speakers take the place of languages.
        for name in sums:
            own = [moment for (_, language), moment in of.items() if language != name]
            parts = partition.grouped(own)[0]
            errors[name] = partition.errors_within(parts, cells.shift, cells.blocks, grid)
    return errors


def _said(cells):
    if not cells.silent:
        return ""
    n = len(cells.silent)
    return f"{n} recording{'s' * (n > 1)} without phone segments left out, such as {cells.silent[0]}"


def _skipped(leave_out, note):
    """A row without a value that says what could not be done."""
    words = {"train": "", "test": "", "target": "", "metric": "r2_both", "value": None}
    return {"experiment": EXPERIMENTS[leave_out], "n_train": 0, "n_test": 0, "note": note} | words


def _value(value, note):
    if np.isfinite(value):
        return {"value": float(value), "note": note}
    return {"value": None, "note": f"{note}; R² is undefined: no variance"}


def _note(pair, errors):
    words = ["out" if penalty == partition.OUT else f"{penalty:g}" for penalty in pair]
    chosen = "" if errors else " (not chosen: nothing to choose by)"
    return f"alpha layer={words[0]} phones={words[1]}{chosen}"
