"""Moments of the speakers of a layer, for the kinematics study: one pass, and the frames again where it must.

Cells are a speaker's test part, the steps in which the training part grows, the groups of utterances (by
condition, language, …), and the halves of the texts that speakers share. All are sums of the cells of their
intersections, so that frames are multiplied once.
"""

from dataclasses import dataclass

import numpy as np

from phonoscope.errors import InputError
from phonoscope.probes import designs, moments
from phonoscope.probes.fitting import INNER_FOLDS, fit_steps, labels
from phonoscope.probes.least_squares import triangle
from phonoscope.probes.transfer import fit_together
from phonoscope.studies.kinematics_rows import millimetres
from phonoscope.studies.kinematics_texts import HALVES

# A speaker's matrices of (n_features + n_targets)² doubles are held: test, training by size, groups, halves.
MAX_SPEAKERS = 50
TEST = "test"
NEITHER = len(HALVES)


@dataclass
class Speaker:
    """What is kept of one speaker after the pass.

    Attributes
    ----------
    name : str
    cells : dict
        ``TEST``, the number of a training size, one of ``HALVES``, or the labels (a tuple) of a group of
        utterances -> Cell.
    fits : dict of str to list of Fit
        Probe -> a fit for each training size; without any where the speaker cannot be split.
    whole : dict of str to Fit
        Probe -> the fit on all frames, for the other speakers.
    halves : dict of str to list of Fit
        Probe -> the fit on each half of the shared texts; empty where the speaker does not have both.
    sizes : list of (str, float)
        Name and seconds of each training size, the last of which is the whole training part.
    mm : array of shape (k,)
        Millimetres per unit of each channel (kinematics_rows.millimetres).
    """

    name: str
    cells: dict
    fits: dict
    whole: dict
    halves: dict
    sizes: list
    mm: np.ndarray


@dataclass(frozen=True)
class _Place:
    """``step`` and ``block`` of each frame (designs.steps, designs.split_utterances), and the sizes."""

    step: np.ndarray
    block: np.ndarray
    sizes: list


class Cells:
    """The speakers of a corpus, as one layer sees them.

    Parameters
    ----------
    corpus : phonoscope.studies.frames.Corpus
    labels_of : dict of str to tuple of str
        Utterance -> labels of the groups that it is in.
    half_of : dict of str to int
        Utterance -> half of the texts (kinematics_texts.halves); others are in neither.
    probes : list of Probe
    options : dict
        As for :func:`phonoscope.studies.kinematics.score`.

    Attributes
    ----------
    speakers : dict of str to Speaker
    shift : array of shape (n_features,)
    n_versions, n_targets : int
        EMA and its shifted controls; columns of these.
    """

    def __init__(self, corpus, labels_of, half_of, probes, options):
        self.corpus, self._probes, self._options = corpus, probes, options
        self._labels_of, self._half_of = labels_of, half_of
        self.n_versions = 1 + len(options["shifts_s"])
        self.n_targets = self.n_versions * len(corpus.channels)
        self._folds = INNER_FOLDS if any(probe.name == "ridge" for probe in probes) else 1
        self.shift, self.speakers, self._at_hand = None, {}, None

    def read(self, tested):
        """The pass over the layer.

        Parameters
        ----------
        tested : callable
            ``tested(speaker, x, y)`` gets each Speaker that can be split, with the frames of the test part.

        Raises
        ------
        InputError
            With fewer than two speakers, or more than are kept in memory.
        """
        if len(self.corpus.speakers) > MAX_SPEAKERS:
            raise InputError(
                f"{len(self.corpus.speakers)} speakers: more than {MAX_SPEAKERS} would not fit in memory",
                fix="name fewer of them in the sheet of speakers",
            )
        for frames in self.corpus:
            if self.shift is None:
                self.shift = moments.pilot_mean(frames.x)
            self.speakers[frames.speaker] = self._read(frames, tested)
        if len(self.speakers) < 2:
            raise InputError(
                f"transfer needs two speakers, and only {list(self.speakers)} has EMA that can be used",
                fix="its notes in results have the reasons; or leave it out of kinematics.corpora",
            )

    def _read(self, frames, tested):
        y, place = self._targets(frames), self._place(frames)
        groups, of_frame = self._groups(frames)
        half = self._half(frames)
        n_steps = max(len(place.sizes), 1)
        test = n_steps * self._folds
        # A cell's part among steps and folds, its half, its group.
        sizes = test + 1, NEITHER + 1, len(groups)
        part = labels(place.step, place.block, n_steps, self._probes)
        label = np.ravel_multi_index((part, half, of_frame), sizes)
        found = moments.cells(frames.x, y, label, self.shift)
        found = {np.unravel_index(label, sizes): cell for label, cell in found.items()}
        cells = moments.merged(found, lambda at: groups[at[2]])
        by_step = moments.merged(found, lambda at: int(at[0]))
        mm = millimetres(frames.utterance_ids, self.corpus.scale, self.corpus.channels)
        if not place.sizes:
            return Speaker(frames.speaker, cells, {}, {}, {}, [], mm)

        def unit(part):
            return TEST if part == test else part % self._folds

        fits = fit_steps(by_step, frames.x, y, place.step, n_steps, self.shift, self._probes)
        whole = self._fit(frames.x, y, moments.merged(by_step, unit))
        cells |= moments.merged(by_step, lambda part: TEST if part == test else part // self._folds)
        own = [{at: cell for at, cell in found.items() if at[1] == h} for h in range(NEITHER)]
        halves = {}
        if all(own):
            # The control of the one half is the other: EMA alone, without its shifts.
            k = len(self.corpus.channels)
            for h, of in enumerate(own):
                units = moments.merged(of, lambda at: unit(int(at[0])))
                units = {key: cell.first(k) for key, cell in units.items()}
                cells[HALVES[h]] = moments.add(list(units.values()))
                for name, fit in self._fit(frames.x, y[:, :k], units, half == h).items():
                    halves.setdefault(name, []).append(fit)
        speaker = Speaker(frames.speaker, cells, fits, whole, halves, place.sizes, mm)
        rows = np.flatnonzero(place.step < 0)
        tested(speaker, frames.x[rows], y[rows])
        return speaker

    def _fit(self, x, y, units, among=None):
        """A fit of each probe on units of a speaker's frames, of which ridge leaves out each in turn.

        Parameters
        ----------
        x, y : arrays of shape (n_frames, …)
        units : dict of Cell
            Fourths of the training part, and the test part.
        among : boolean array of shape (n_frames,), optional
            The frames of the units; all by default.
        """

        def triangles(targets):
            there = ~np.isnan(y[:, targets[0]])
            rows = np.flatnonzero(there if among is None else there & among)
            return [triangle(x, y[:, targets], self.shift, rows)]

        units = list(units.values())
        return {
            probe.name: fit_together(units, y.shape[1], self.shift, probe, triangles)
            for probe in self._probes
        }

    def _targets(self, frames):
        """EMA and its shifted controls side by side, of shape (n_frames, n_targets)."""
        return designs.with_controls(frames.y, frames.hop_s, self._options["shifts_s"])

    def _place(self, frames):
        """Where each frame stands in the split by utterances, which is that of E1."""
        rng = designs.generator(self._options["seed"], frames.speaker, "utterances")
        share = self._options["test_share"]
        try:
            order, block = designs.split_utterances(frames.utterance, frames.attributes, share, rng)
        except ValueError:
            none = np.zeros(len(frames.x), dtype=int)
            return _Place(none, none, [])
        n_train = int((order != designs.TEST).sum())
        given = sorted(s for s in self._options["map_seconds"] if s != "all")
        given = [s for s in given if round(s / frames.hop_s) < n_train]
        step = designs.steps(order, [round(s / frames.hop_s) for s in given])
        sizes = [*((f"{s:g}", float(s)) for s in given), ("all", n_train * frames.hop_s)]
        return _Place(step, block, sizes)

    def _groups(self, frames):
        """Labels of the groups of utterances of this speaker, and the place among them of each frame."""
        of = [self._labels_of[name] for name in frames.utterance_ids]
        groups = sorted(set(of))
        return groups, np.array([groups.index(label) for label in of])[frames.utterance]

    def _half(self, frames):
        """Half of the texts that each frame is in, or ``NEITHER``."""
        of = [self._half_of.get(name, NEITHER) for name in frames.utterance_ids]
        return np.array(of)[frames.utterance]

    def joints(self, speaker, keys, stack):
        """Sums of several cells of a speaker with the fits of a Stack.

        From moments; from the speaker's frames for fits whose weights are so large that moments would not do.

        Parameters
        ----------
        speaker : Speaker
        keys : list
            Of ``speaker.cells``.
        stack : phonoscope.probes.transfer.Stack

        Returns
        -------
        list of Joint
            None where there is no such cell.
        """
        found = [stack.on_cell(speaker.cells[key]) if key in speaker.cells else None for key in keys]
        doubts = [joint.doubtful() for joint in found if joint is not None]
        doubtful = np.flatnonzero(np.any(doubts, axis=0)) if doubts else []
        if not len(doubtful):
            return found
        frames = self._frames(speaker.name)
        y = self._targets(frames)[:, : stack.shape[1] * stack.shape[2]]
        for at, key in enumerate(keys):
            if found[at] is not None:
                rows = self._rows_of(frames, key)
                found[at] = found[at].replaced(doubtful, stack.on_frames(frames.x[rows], y[rows], doubtful))
        return found

    def triangles(self, targets, keys):
        """Triangular factors of speakers' frames where ``targets`` are valid: the fall-back of OLS.

        Parameters
        ----------
        targets : integer array
        keys : dict of str to list
            Speaker -> keys of cells, whose frames count.

        Returns
        -------
        list of Triangle
            In the order of ``keys``; None where a speaker has no frames.
        """
        found = {}
        for frames in self.corpus:
            if frames.speaker not in keys:
                continue
            y = self._targets(frames)[:, targets]
            rows = np.sort(np.concatenate([self._rows_of(frames, key) for key in keys[frames.speaker]]))
            rows = rows[~np.isnan(y[rows, 0])]
            if len(rows):
                found[frames.speaker] = triangle(frames.x, y, self.shift, rows)
        return [found.get(name) for name in keys]

    def _frames(self, name):
        if self._at_hand is None or self._at_hand.speaker != name:
            self._at_hand = next(frames for frames in self.corpus if frames.speaker == name)
        return self._at_hand

    def _rows_of(self, frames, key):
        """Frames of a cell."""
        if isinstance(key, tuple):
            groups, of_frame = self._groups(frames)
            return np.flatnonzero(of_frame == groups.index(key))
        if key in HALVES:
            return np.flatnonzero(self._half(frames) == HALVES.index(key))
        step = self._place(frames).step
        return np.flatnonzero(step < 0 if key == TEST else step == key)
