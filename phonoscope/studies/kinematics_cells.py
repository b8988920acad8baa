"""Moments of the speakers of a layer, for the kinematics study: one pass, and the frames again where it must.

Cells are a speaker's test part, the steps in which the training part grows, and the groups of utterances (by
condition, language, …). All are sums of the cells of their intersections, so that frames are multiplied once.
"""

from dataclasses import dataclass

import numpy as np

from phonoscope.errors import InputError
from phonoscope.probes import designs, moments
from phonoscope.probes.fitting import INNER_FOLDS, fit_steps, labels
from phonoscope.probes.least_squares import triangle
from phonoscope.probes.transfer import fit_together

# A speaker's matrices of (n_features + n_targets)² doubles are held: test, training by size, groups.
MAX_SPEAKERS = 60
TEST = "test"


@dataclass
class Speaker:
    """What is kept of one speaker after the pass.

    Attributes
    ----------
    name : str
    cells : dict
        ``TEST``, the number of a training size, or the labels (a tuple) of a group of utterances -> Cell.
    fits : dict of str to list of Fit
        Probe -> a fit for each training size; without any where the speaker cannot be split.
    whole : dict of str to Fit
        Probe -> the fit on all frames, for the other speakers.
    sizes : list of (str, float)
        Name and seconds of each training size, the last of which is the whole training part.
    mm : array of shape (k,)
        Millimetres per unit of each channel (root mean square over frames).
    """

    name: str
    cells: dict
    fits: dict
    whole: dict
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

    def __init__(self, corpus, labels_of, probes, options):
        self.corpus, self._labels_of, self._probes, self._options = corpus, labels_of, probes, options
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
        n_steps = max(len(place.sizes), 1)
        n_inner = n_steps * self._folds + 1
        inner = labels(place.step, place.block, n_steps, self._probes)
        found = moments.cells(frames.x, y, of_frame * n_inner + inner, self.shift)
        cells, by_step = {}, {}
        for label, cell in found.items():
            group, part = groups[label // n_inner], label % n_inner
            cells[group] = moments.plus(cells.get(group), cell)
            by_step[part] = moments.plus(by_step.get(part), cell)
        if not place.sizes:
            return Speaker(frames.speaker, cells, {}, {}, [], self._millimetres(frames))
        fits = fit_steps(by_step, frames.x, y, place.step, n_steps, self.shift, self._probes)
        whole = self._whole(frames.x, y, by_step, n_inner - 1)
        for part, cell in by_step.items():
            key = TEST if part == n_inner - 1 else part // self._folds
            cells[key] = moments.plus(cells.get(key), cell)
        speaker = Speaker(frames.speaker, cells, fits, whole, place.sizes, self._millimetres(frames))
        rows = np.flatnonzero(place.step < 0)
        tested(speaker, frames.x[rows], y[rows])
        return speaker

    def _whole(self, x, y, by_step, test):
        """Fits on all frames; ridge leaves out fourths of the training part, and the test part."""
        units = {}
        for part, cell in by_step.items():
            key = TEST if part == test else part % self._folds
            units[key] = moments.plus(units.get(key), cell)

        def triangles(targets):
            rows = np.flatnonzero(~np.isnan(y[:, targets[0]]))
            return [triangle(x, y[:, targets], self.shift, rows)]

        units = list(units.values())
        return {
            probe.name: fit_together(units, self.n_targets, self.shift, probe, triangles)
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

    def _millimetres(self, frames):
        counts = np.bincount(frames.utterance, minlength=len(frames.utterance_ids))
        squares = np.zeros((2, len(self.corpus.channels)))
        for name, count in zip(frames.utterance_ids, counts, strict=True):
            scale = self.corpus.scale[name]
            for c, channel in enumerate(self.corpus.channels):
                if channel in scale:
                    squares[:, c] += count * scale[channel][1] ** 2, count
        return np.sqrt(squares[0] / np.maximum(squares[1], 1))

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
        y = self._targets(frames)
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
        step = self._place(frames).step
        return np.flatnonzero(step < 0 if key == TEST else step == key)
