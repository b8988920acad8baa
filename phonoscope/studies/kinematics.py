"""The kinematics study (after arXiv 2310.10788): does a probe of one vocal tract read another?

speakers  every speaker to every speaker: fitted on all of the source's frames, tested on the test part of
          the target's. Source and target the same: fitted on the training part, the ceiling, which is E1.
own       the ceiling with less speech to fit on.
maps      the predictions of another speaker's probe, mapped to the target's movements by a map that is fitted
          on some of the target's training part, tested on its test part.
groups    every group of speakers (or of recordings) to every group, on all frames. The target's own speech is
          in no training set: within a group one speaker is left out at a time.
texts     every speaker to every speaker who reads some of the same texts: on these, and on others.

One pass over the layer accumulates moments and fits the speakers' probes. All else follows from moments;
where these are not good enough (see phonoscope.probes.transfer), from a speaker's frames.
"""

import numpy as np

from phonoscope import tables
from phonoscope.probes import affine, moments
from phonoscope.probes.fitting import Probe, fit_leave_one_out
from phonoscope.probes.least_squares import Fit, predict
from phonoscope.probes.scoring import pearson as pearson_of_frames
from phonoscope.probes.transfer import Stack, fit_together, pearson
from phonoscope.studies import kinematics_texts
from phonoscope.studies.frames import Corpus
from phonoscope.studies.kinematics_cells import TEST, Cells
from phonoscope.studies.kinematics_rows import OF_SPEAKERS, Rows, planes


def score(utterances, articulation, embeddings, options, model, layer):
    """Score one layer of one model.

    Parameters
    ----------
    utterances, articulation, embeddings : lists of path
        One per shard, in the same order.
    options : dict
        ``probes``, ``groups``, ``maps``, ``map_seconds``, and of the articulation study ``alphas``,
        ``test_share``, ``frame_alignment``, ``shifts_s``, ``seed``.
    model : str
    layer : int

    Returns
    -------
    scores : pyarrow.Table
        Schema kinematics_rows.SCORES.
    speakers : dict of str to dict
        Speaker -> native_language, sex.

    Raises
    ------
    InputError
        With fewer than two speakers, or more than are kept in memory.
    """
    corpus = Corpus(utterances, articulation, embeddings, options["frame_alignment"])
    columns = {*OF_SPEAKERS, *options["groups"], "language", "text", "sentence_id", "duration_s"}
    columns = ["utterance_id", "speaker", *sorted(columns)]
    spoken = tables.read(utterances, columns=columns).to_pylist()
    study = _Study(corpus, spoken, options, Rows(corpus.channels, model=model, layer=layer))
    study.cells.read(study.within_speaker)
    for probe in study.probes:
        study.across_speakers(probe)
        for by in options["groups"]:
            study.across_groups(probe, by)
        kinematics_texts.score(study.cells, probe, study.rows, study.common)
    return study.rows.table(), study.attributes


class _Study:
    """The experiments on one layer."""

    def __init__(self, corpus, spoken, options, rows):
        self.options, self.rows = options, rows
        self.probes = [Probe(name, tuple(options["alphas"])) for name in options["probes"]]
        self.attributes = {}
        for row in spoken:
            self.attributes.setdefault(row["speaker"], {name: row[name] or "" for name in OF_SPEAKERS})
        self.by_utterance = [name for name in options["groups"] if name not in OF_SPEAKERS]
        labels_of = {
            row["utterance_id"]: tuple(row[name] or "" for name in self.by_utterance) for row in spoken
        }
        half_of = kinematics_texts.halves(spoken)
        self.common = kinematics_texts.shares(spoken, half_of)
        self.cells = Cells(corpus, labels_of, half_of, self.probes, options)
        self.planes, self.k = planes(corpus.channels), len(corpus.channels)

    def within_speaker(self, speaker, x, y):
        """Scores of a speaker's own probe, fitted on more and more of the training part, on the test part."""
        where = {"source": speaker.name, "target": speaker.name, "by": "", "map": "none"}
        n_test = (~np.isnan(y[:, : self.k])).sum(axis=0)
        for name, fits in speaker.fits.items():
            for fit, predicted, (size, seconds) in zip(fits, predict(fits, x), speaker.sizes, strict=True):
                r = pearson_of_frames(predicted, y)[0].reshape(-1, self.k)
                found = r, fit.n[: self.k], n_test, fit.note[: self.k]
                common = where | {"probe": name, "seconds": seconds}
                self.rows.add(*found, experiment="own", size=size, **common)
                if size == "all":
                    self.rows.add(*found, experiment="speakers", **common)

    def across_speakers(self, probe):
        """Scores of each speaker's probe on all others, as it is and after each map."""
        speakers = list(self.cells.speakers.values())
        split = [speaker for speaker in speakers if speaker.fits]
        for speaker in speakers:
            if not speaker.fits:
                where = {"experiment": "speakers", "by": "", "probe": probe.name, "map": "none"}
                self.rows.skip(
                    "one utterance cannot be split", source=speaker.name, target=speaker.name, **where
                )
        if not split:
            return
        fits = [speaker.whole[probe.name] for speaker in split]
        stack = Stack(fits, self.cells.shift, self.cells.n_versions)
        for target in split:
            test, *trained = self.cells.joints(target, [TEST, *range(len(target.sizes))], stack)
            others = [i for i, source in enumerate(split) if source is not target]
            if test is None or not others:
                continue
            where = {"by": "", "probe": probe.name, "target": target.name}
            r, n_test = pearson(test), test.n[0, 0].astype(int)
            for i in others:
                self.rows.add(
                    *(r[i], fits[i].n[: self.k], n_test, fits[i].note[: self.k]),
                    **(where | {"experiment": "speakers", "source": split[i].name, "map": "none"}),
                )
            trained = [joint and joint.of(others) for joint in trained]
            sources = [split[i] for i in others]
            self._map(where, sources, target, test.of(others), trained, stack.known[others])

    def _map(self, where, sources, target, test, trained, known):
        """Scores after each kind of map, fitted on more and more of the target's training part."""
        fitted, source_mm = None, np.stack([source.mm for source in sources])
        n_test = test.n[0, 0].astype(int)
        for joint, (size, seconds) in zip(trained, target.sizes, strict=True):
            fitted = moments.plus(fitted, joint)
            if fitted is None:
                continue
            n_train = fitted.n[0, 0].astype(int)
            for kind in self.options["maps"]:
                weights = affine.fit(kind, fitted, known, self.planes, source_mm, target.mm)
                notes = [""] * len(sources)
                if kind == "rotation":
                    turned = affine.angle(weights[:, :1], self.planes, source_mm, target.mm)
                    notes = [
                        f"angle={degrees:.2f} scale={scale:.3f}"
                        for degrees, scale in zip(*(part[:, 0] for part in turned), strict=True)
                    ]
                about = where | {"experiment": "maps", "map": kind, "size": size, "seconds": seconds}
                for source, r, note in zip(sources, pearson(test, weights), notes, strict=True):
                    self.rows.add(r, n_train, n_test, note, **about, source=source.name)

    def across_groups(self, probe, by):
        """Scores of each group's probe on each speaker of each group, never fitted on that speaker."""
        members = self._members(by)
        requests = {}
        for label in sorted(members):
            self._fit_group(probe, by, label, members, requests)
        for name, wanted in requests.items():
            self._test_groups(probe, by, name, wanted, members)

    def _members(self, by):
        """Group -> speaker -> keys of the speaker's cells that are in the group."""
        place = None if by in OF_SPEAKERS else self.by_utterance.index(by)
        members = {}
        for name, speaker in self.cells.speakers.items():
            for key in (key for key in speaker.cells if isinstance(key, tuple)):
                label = self.attributes[name][by] if place is None else key[place]
                if label:
                    members.setdefault(label, {}).setdefault(name, []).append(key)
        return members

    def _fit_group(self, probe, by, label, members, requests):
        """Fits of one source group, one for each target, put into ``requests``: target -> (group, Fit)."""
        own, shift, n_targets = members[label], self.cells.shift, self.cells.n_targets
        speakers = self.cells.speakers
        units = [moments.add([speakers[name].cells[key] for key in keys]) for name, keys in own.items()]

        def triangles(targets):
            return self.cells.triangles(targets, own)

        whole, left_out = None, {}
        if len(own) > 1:
            fits = fit_leave_one_out(units, n_targets, shift, probe, triangles)
            left_out = dict(zip(own, fits, strict=True))
        unit_of = dict(zip(own, units, strict=True))
        for name in sorted({name for group in members.values() for name in group}):
            fit = left_out.get(name)
            if name in own and fit is None:
                self._skip_group(probe, by, label, name, members)
                continue
            # Channels of which the target has given the group no frame: all of the group may be fitted on.
            foreign = [c for c in range(n_targets) if name not in own or not unit_of[name].seen(c)]
            if foreign:
                whole = whole or fit_together(units, n_targets, shift, probe, triangles)
                fit = whole if fit is None else _filled(fit, whole, foreign)
            requests.setdefault(name, []).append((label, fit))

    def _skip_group(self, probe, by, label, name, members):
        """What stands in place of a group whose only speaker is the target."""
        where = {"experiment": "groups", "by": by, "probe": probe.name, "source": label, "target": name}
        for tested in sorted(other for other, group in members.items() if name in group):
            self.rows.skip("no other speaker in the group", target_group=tested, map="none", **where)

    def _test_groups(self, probe, by, name, wanted, members):
        """Test the fits of all source groups on each group that the speaker has a part in."""
        stack = Stack([fit for _, fit in wanted], self.cells.shift, self.cells.n_versions)
        speaker = self.cells.speakers[name]
        where = {"experiment": "groups", "by": by, "probe": probe.name, "target": name, "map": "none"}
        for tested in sorted(label for label, group in members.items() if name in group):
            joint = moments.add(self.cells.joints(speaker, members[tested][name], stack))
            r, n_test = pearson(joint), joint.n[0, 0].astype(int)
            for (source, fit), of in zip(wanted, r, strict=True):
                found = of, fit.n[: self.k], n_test, fit.note[: self.k]
                self.rows.add(*found, **where, source=source, target_group=tested)


def _filled(fit, whole, targets):
    """A fit with the targets ``targets`` (integer indices) taken from another."""
    weights, intercept = fit.weights.copy(), fit.intercept.copy()
    n, note = fit.n.copy(), list(fit.note)
    weights[:, targets], intercept[targets] = whole.weights[:, targets], whole.intercept[targets]
    n[targets] = whole.n[targets]
    for target in targets:
        note[target] = whole.note[target]
    return Fit(weights, intercept, n, tuple(note))
