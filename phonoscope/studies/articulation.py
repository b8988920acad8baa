"""The articulation study (arXiv 2606.31527, E1–E5): can tongue and lips be read from a layer linearly?

E1, E2  within a speaker: train on part of the utterances (or frames, as published), test on the rest.
E3      the same with a growing number of seconds to train on.
E4      leave one speaker out, over all speakers (or one utterance, for corpora of a few utterances).
E5      leave one speaker out within each native-language group, by task and condition.

Every fit has controls in the same solve: its targets circularly shifted by at least a second.
One pass over the layer accumulates moments and fits E1–E3; E4 and E5 are solved from each speaker's
moments, and a second pass applies them to the frames of the speaker they have not seen.
"""

from dataclasses import dataclass

import numpy as np

from phonoscope import tables
from phonoscope.errors import InputError
from phonoscope.probes import designs, moments
from phonoscope.probes.fitting import Probe, fit_leave_one_out, fit_steps, labels
from phonoscope.probes.least_squares import predict, triangle
from phonoscope.probes.scoring import pearson
from phonoscope.studies.frames import Corpus

EXAMPLE_SECONDS = 4.0
# One matrix of (n_features + n_targets)² doubles is held per unit that is left out.
MAX_UNITS = 100


@dataclass
class Rows:
    """Collects rows of the score table."""

    model: str
    layer: int
    channels: list

    def __post_init__(self):
        self.found = []

    def add(self, experiment, probe, train, test, r, n_train, n_test, note):
        """Rows for one fit and test: ``r``, ``n_train``, ``n_test``, ``note`` per column of _targets."""
        k = len(self.channels)
        for index in np.flatnonzero(n_test[:k] > 0):
            shifted = r[index + k :: k]
            chance = shifted[np.isfinite(shifted)].mean() if np.isfinite(shifted).any() else np.nan
            for metric, at, value in (
                ("pearson_r", index, float(r[index])),
                ("pearson_r_shifted", index + k, float(chance)),
            ):
                undefined = "" if np.isfinite(value) else "r is undefined: no variance"
                self.found.append(
                    {
                        "experiment": experiment,
                        "probe": probe,
                        "model": self.model,
                        "layer": self.layer,
                        "train": train,
                        "test": test,
                        "target": self.channels[index],
                        "metric": metric,
                        "value": None if undefined else value,
                        "n_train": int(n_train[at]),
                        "n_test": int(n_test[at]),
                        "note": "; ".join(part for part in (note[at], undefined) if part),
                    }
                )

    def skip(self, experiment, probe, train, test, note):
        """A row without value that says what could not be done."""
        self.found.append(
            {"experiment": experiment, "probe": probe, "model": self.model, "layer": self.layer}
            | {"train": train, "test": test, "target": "", "metric": "pearson_r", "value": None}
            | {"n_train": 0, "n_test": 0, "note": note}
        )


def score(utterances, articulation, embeddings, options, model, layer):
    """Score one layer of one model in every experiment that ``options`` asks for.

    Parameters
    ----------
    utterances, articulation, embeddings : lists of path
        One per shard, in the same order.
    options : dict
        ``experiments``, ``probes``, ``alphas``, ``splits``, ``training_seconds``, ``test_share``,
        ``leave_out``, ``frame_alignment``, ``shifts_s``, ``seed``: the study's section of the config.
    model : str
    layer : int

    Returns
    -------
    scores : pyarrow.Table
        Schema tables.SCORES.
    predictions : pyarrow.Table
        One utterance, measured and predicted in mm (schema PREDICTIONS).

    Raises
    ------
    InputError
        Where a speaker is to be left out and there is only one, or rates do not fit.
    """
    corpus = Corpus(utterances, articulation, embeddings, options["frame_alignment"])
    _check(corpus, options)
    study = _Study(corpus, options, Rows(model, layer, corpus.channels))
    study.within_speakers()
    study.across_speakers()
    return tables.from_rows(study.rows.found, tables.SCORES), study.example


def _check(corpus, options):
    if not corpus.speakers or not corpus.channels:
        raise InputError(
            "no recording of the corpus can be used", fix="see results/{corpus}/notes for the reasons"
        )
    if "E4" in options["experiments"] and options["leave_out"] == "speaker" and len(corpus.speakers) < 2:
        raise InputError(
            f"E4 leaves one speaker out, and there is only {corpus.speakers}",
            fix="add speakers to the sheet, set articulation.leave_out to utterance, or take E4 and E5 "
            "out of articulation.experiments",
        )


class _Study:
    """One layer on its way through the experiments; holds what the second pass needs of the first."""

    def __init__(self, corpus, options, rows):
        self.corpus, self.options, self.rows = corpus, options, rows
        self.probes = [Probe(name, tuple(options["alphas"])) for name in options["probes"]]
        self.experiments = set(options["experiments"])
        self.shift = None
        self.units, self.unit_names, self.unit_groups = [], [], []
        self.example = None

    def _targets(self, frames):
        """EMA and its shifted controls side by side, of shape (n_frames, (1 + n_shifts) n_channels)."""
        return designs.with_controls(frames.y, frames.hop_s, self.options["shifts_s"])

    def _unit(self, frames):
        """Unit (speaker or utterance) of each frame, and the units' names."""
        if self.options["leave_out"] == "utterance":
            return frames.utterance, frames.utterance_ids
        return np.zeros(len(frames.x), dtype=int), [frames.speaker]

    def within_speakers(self):
        """First pass: E1–E3 speaker by speaker, and the moments of the units that E4 and E5 leave out."""
        splits = self.options["splits"] if self.experiments & {"E1", "E2", "E3"} else []
        across = bool(self.experiments & {"E4", "E5"})
        for frames in self.corpus:
            if self.shift is None:
                self.shift = moments.pilot_mean(frames.x)
            y = self._targets(frames)
            total = None
            for split in splits:
                found = self._split(frames, y, split)
                total = total or (found and moments.add(found.values()))
            if across:
                self._add_units(frames, y, total)

    def _add_units(self, frames, y, total):
        unit, names = self._unit(frames)
        # The cells of a split are all of the speaker's frames: no need to multiply them again.
        found = {0: total} if total and len(names) == 1 else moments.cells(frames.x, y, unit, self.shift)
        for index, name in enumerate(names):
            if index in found:
                self.units.append(found[index])
                self.unit_names.append(name)
                self.unit_groups.append(frames.native_language)
        if len(self.units) > MAX_UNITS:
            raise InputError(
                f"more than {MAX_UNITS} {self.options['leave_out']}s to leave out would not fit in memory",
                fix="set articulation.leave_out to speaker",
            )

    def _split(self, frames, y, split):
        """E1 and E3 of one speaker on one split; returns its cells, None if it cannot be split."""
        options, speaker = self.options, frames.speaker
        rng = designs.generator(options["seed"], speaker, split)
        test = f"speaker={speaker} split={split} part=test"
        train = f"speaker={speaker} split={split}"
        try:
            if split == "utterances":
                order, block = designs.split_utterances(
                    frames.utterance, frames.attributes, options["test_share"], rng
                )
            else:
                order, block = designs.split_frames(len(frames.x), options["test_share"], rng)
        except ValueError as error:
            for probe in self.probes:
                self.rows.skip("E1", probe.name, f"{train} part=train", test, str(error))
            return None
        n_train = int((order != designs.TEST).sum())
        seconds = [s for s in options["training_seconds"] if round(s / frames.hop_s) <= n_train]
        seconds = seconds if "E3" in self.experiments else []
        step = designs.steps(order, [round(s / frames.hop_s) for s in seconds])
        n_steps = len(seconds) + 1
        found = moments.cells(frames.x, y, labels(step, block, n_steps, self.probes), self.shift)
        fits = fit_steps(found, frames.x, y, step, n_steps, self.shift, self.probes)
        tested = order == designs.TEST
        x, measured = frames.x[tested], y[tested]
        for name, by_step in fits.items():
            for at, (fit, predicted) in enumerate(zip(by_step, predict(by_step, x), strict=True)):
                r, n = pearson(predicted, measured)
                if at < len(seconds):
                    words = "E3", name, f"{train} seconds={seconds[at]:g}", test
                elif self.experiments & {"E1", "E2"}:
                    words = "E1", name, f"{train} part=train", test
                else:
                    continue
                self.rows.add(*words, r[0], fit.n, n[0], fit.note)
        if self.example is None and split == "utterances":
            self._illustrate(frames, fits[self.probes[0].name][-1], np.unique(frames.utterance[tested]))
        return found

    def across_speakers(self):
        """E4 and E5: solve from the units' moments, then test on frames in a second pass."""
        fits = {}
        names = self.unit_names
        if "E4" in self.experiments and len(names) < 2:
            raise InputError(
                f"E4 leaves one {self.options['leave_out']} out, and only {names} has EMA that can be used",
                fix="see results/{corpus}/notes for the reasons, or take E4 out of articulation.experiments",
            )
        if "E4" in self.experiments:
            fits |= self._leave_one_out("E4", list(range(len(names))), "")
        if "E5" in self.experiments:
            for group in sorted(set(self.unit_groups)):
                members = [i for i, g in enumerate(self.unit_groups) if g == group]
                if len(members) > 1:
                    fits |= self._leave_one_out("E5", members, f"group={group} ")
                    continue
                for probe in self.probes:
                    words = f"group={group} except={names[members[0]]}", f"speaker={names[members[0]]}"
                    self.rows.skip("E5", probe.name, *words, f"one {self.options['leave_out']} in the group")
        if fits:
            for frames in self.corpus:
                self._test(frames, fits)

    def _leave_one_out(self, experiment, members, prefix):
        """Fits on all ``members`` but one: (experiment, probe, unit name) -> (train words, Fit)."""
        n_targets = (1 + len(self.options["shifts_s"])) * len(self.corpus.channels)
        word = "except" if self.options["leave_out"] == "speaker" else "except_utterance"
        found = {}
        for probe in self.probes:
            fits = fit_leave_one_out(
                [self.units[i] for i in members],
                n_targets,
                self.shift,
                probe,
                lambda targets: self._triangles(targets, members),
            )
            for index, fit in zip(members, fits, strict=True):
                name = self.unit_names[index]
                found[experiment, probe.name, name] = (f"{prefix}{word}={name}", fit)
        return found

    def _triangles(self, targets, members):
        """Triangular factors of units' frames where ``targets`` are valid: the fall-back of OLS."""
        found = {}
        for frames in self.corpus:
            y = self._targets(frames)[:, targets]
            unit, names = self._unit(frames)
            valid = ~np.isnan(y[:, 0])
            for index, name in enumerate(names):
                rows = np.flatnonzero(valid & (unit == index))
                if len(rows):
                    found[name] = triangle(frames.x, y, self.shift, rows)
        return [found.get(self.unit_names[index]) for index in members]

    def _test(self, frames, fits):
        """Rows of E4 and E5 for the units of one speaker."""
        y = self._targets(frames)
        unit, names = self._unit(frames)
        for index, name in enumerate(names):
            found = [(e, probe, *fit) for (e, probe, of), fit in fits.items() if of == name]
            if not found:
                continue
            rows = np.flatnonzero(unit == index)
            x = frames.x if len(rows) == len(frames.x) else frames.x[rows]
            measured = y[rows]
            test = f"speaker={frames.speaker}"
            if self.options["leave_out"] == "utterance":
                test += f" utterance={name}"
            predictions = predict([fit for *_, fit in found], x)
            for (experiment, probe, train, fit), predicted in zip(found, predictions, strict=True):
                for words, group in _groupings(frames, rows, experiment):
                    r, n = pearson(predicted, measured, group)
                    self.rows.add(experiment, probe, train, test + words, r[0], fit.n, n[0], fit.note)
            if self.example is None:
                self._illustrate(frames, found[0][-1], np.unique(frames.utterance[rows]))

    def _illustrate(self, frames, fit, candidates):
        """Keep the predictions, in mm, for the test utterance whose length is nearest to 4 s."""
        lengths = [abs((frames.utterance == u).sum() * frames.hop_s - EXAMPLE_SECONDS) for u in candidates]
        chosen = candidates[int(np.argmin(lengths))]
        rows = frames.utterance == chosen
        name, channels = frames.utterance_ids[chosen], self.corpus.channels
        k = len(channels)
        predicted, measured = fit.predict(frames.x[rows])[:, :k], frames.y[rows]
        r, n = pearson(predicted, measured)
        parts = []
        for c in np.flatnonzero(n[0] > 0):
            mean, sd = self.corpus.scale[name][channels[c]]
            parts += [
                {
                    "utterance_id": name,
                    "time_s": time,
                    "channel": channels[c],
                    "measured_mm": mean + sd * m,
                    "predicted_mm": mean + sd * p,
                    "r": float(r[0, c]),
                }
                for time, m, p in zip(frames.time_s[rows], measured[:, c], predicted[:, c], strict=True)
            ]
        self.example = tables.from_rows(parts, tables.PREDICTIONS)


def _groupings(frames, rows, experiment):
    """Subsets of a unit's frames to score: all, and for E5 each task, condition and their pairs.

    Yields
    ------
    (words, group) : (str, integer array of shape (n_rows,))
        ``group`` is 0 for frames that belong and -1 for the others.
    """
    yield "", np.zeros(len(rows), dtype=int)
    if experiment != "E5":
        return
    attributes = np.array([frames.attributes[u] for u in range(len(frames.utterance_ids))], dtype=object)
    task, condition = attributes[frames.utterance[rows]].T
    for t in sorted(set(task) - {"", None}):
        yield f" task={t}", np.where(task == t, 0, -1)
    for c in sorted(set(condition) - {"", None}):
        yield f" condition={c}", np.where(condition == c, 0, -1)
    for t, c in sorted(set(zip(task, condition, strict=True)) - {("", ""), (None, None)}, key=str):
        if t and c:
            yield f" task={t} condition={c}", np.where((task == t) & (condition == c), 0, -1)
