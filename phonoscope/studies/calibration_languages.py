"""Calibration by two languages without a common phone, spoken by the same tracts.

A probe that reads phones has nothing to go by in the other language; one that reads the tract does not mind
which language moves it. Per speaker and layer a probe is fitted on all utterances of one language and
tested on those of the other; what a probe from the same language reaches on the same frames, its own
utterance held out, is the best that can be expected.
"""

from dataclasses import dataclass
from itertools import permutations

import numpy as np

from phonoscope import tables
from phonoscope.errors import InputError
from phonoscope.probes import designs, moments
from phonoscope.probes.fitting import Probe, assemble, fit_leave_one_out
from phonoscope.probes.least_squares import predict
from phonoscope.probes.ridge import ridge
from phonoscope.probes.scoring import pearson
from phonoscope.studies import calibration
from phonoscope.studies.frames import Corpus

# Ridge, because a language of one speaker is half a minute: least squares would need as many frames again.
PROBE = "ridge"


@dataclass(frozen=True)
class Score:
    """One speaker, one direction: r and chance within and across, means over recordings and channels."""

    speaker: str
    train: str
    test: str
    within: float
    within_chance: float
    across: float
    across_chance: float


def rows(corpus, model, utterances, articulation, embeddings, options):
    """Rows of the calibration table for all layers of one model.

    Parameters
    ----------
    corpus, model : str
    utterances, articulation : lists of path
        One per shard.
    embeddings : dict of int to list of path
        Layer -> one per shard.
    options : dict
        ``alphas``, ``frame_alignment``, ``shifts_s`` of the articulation study.

    Returns
    -------
    pyarrow.Table
        Of ``calibration.ROWS``.

    Raises
    ------
    InputError
        See :func:`score`.
    """
    spoken = languages(utterances)
    found = []
    for layer, paths in embeddings.items():
        frames = Corpus(utterances, articulation, paths, options["frame_alignment"])
        scores = score(frames, spoken, options)
        found += [row | {"corpus": corpus, "model": model, "layer": layer} for row in summarise(scores)]
    return calibration.table(found)


def languages(utterances):
    """Language of every utterance of the tables ``utterances``.

    Raises
    ------
    InputError
        Where one says no language, or there are not two.
    """
    found = {row["utterance_id"]: row["language"] for row in tables.read(utterances).to_pylist()}
    if silent := [name for name, language in found.items() if not language]:
        raise InputError(
            "the recording says no language", path=utterances[0], row=silent[0],
            fix="give it a language, or take the corpus out of calibration.disjoint",
        )  # fmt: skip
    if len(spoken := sorted(set(found.values()))) != 2:
        raise InputError(
            f"two languages are needed, and there are {len(spoken)}: {', '.join(spoken)}",
            path=utterances[0],
            fix="take the corpus out of calibration.disjoint",
        )
    return found


def score(speakers, spoken, options):
    """Within and across languages, speaker by speaker.

    Parameters
    ----------
    speakers : iterable of SpeakerFrames
    spoken : dict of str to str
        Utterance -> language; two languages in all.
    options : dict
        As for :func:`rows`.

    Returns
    -------
    list of Score

    Raises
    ------
    InputError
        Where no speaker speaks both languages in at least two utterances each.
    """
    found, shift = [], None
    for frames in speakers:
        shift = moments.pilot_mean(frames.x) if shift is None else shift
        parts = _by_language(frames, spoken, options, shift)
        if len(parts) == 2 and all(len(part.units) > 1 for part in parts.values()):
            found += [
                _direction(frames.speaker, one, parts[one], two, parts[two], shift, options)
                for one, two in permutations(sorted(parts))
            ]
    if not found:
        raise InputError(
            "no speaker has two recordings in each of two languages",
            fix="take the corpus out of calibration.disjoint",
        )
    return found


@dataclass(frozen=True)
class _Part:
    """One speaker's frames of one language: ``y`` holds EMA and its shifted controls side by side."""

    x: np.ndarray
    y: np.ndarray
    unit: np.ndarray
    units: list
    n_channels: int


def _by_language(frames, spoken, options, shift):
    of_frame = np.array([spoken[name] for name in frames.utterance_ids])[frames.utterance]
    parts = {}
    for language in np.unique(of_frame):
        rows = np.flatnonzero(of_frame == language)
        x, y = frames.x[rows], frames.y[rows]
        # Shifted among the frames of the language: the control has the same movements, at other times.
        y = designs.with_controls(y, frames.hop_s, options["shifts_s"])
        found = moments.cells(x, y, frames.utterance[rows], shift)
        # Numbered anew: an utterance without a valid frame is no unit.
        own = {utterance: unit for unit, utterance in enumerate(sorted(found))}
        unit = np.array([own.get(int(utterance), -1) for utterance in frames.utterance[rows]])
        parts[str(language)] = _Part(x, y, unit, [found[key] for key in own], frames.y.shape[1])
    return parts


def _direction(speaker, train, trained, test, tested, shift, options):
    """Fit on the language ``train``, test on ``test``, beside fits on ``test`` itself."""
    probe, n_targets = Probe(PROBE, tuple(options["alphas"])), tested.y.shape[1]
    held_out = fit_leave_one_out(tested.units, n_targets, shift, probe, None)
    pieces = [
        (targets, ridge(units, shift, probe.alphas))
        for targets, units in moments.target_groups(trained.units, n_targets)
    ]
    across = assemble(n_targets, len(shift), pieces)
    within = np.full(tested.y.shape, np.nan)
    for index, fit in enumerate(held_out):
        rows = tested.unit == index
        within[rows] = fit.predict(tested.x[rows])
    results = [within, *predict([across], tested.x)]
    scores = [_mean_r(predicted, tested) for predicted in results]
    return Score(speaker, train, test, *scores[0], *scores[1])


def _mean_r(predicted, tested):
    """Mean r over recordings and channels, and over those of the shifted controls; NaN where there is none.

    Recording by recording, because each is predicted by another fit: the mean of what a fit was given lies
    on the other side of what was held out, and over all recordings together noise would have a negative r.
    """
    r = pearson(predicted, tested.y, tested.unit, len(tested.units))[0]
    k = tested.n_channels
    means = [part[np.isfinite(part)] for part in (r[:, :k], r[:, k:])]
    return [float(part.mean()) if len(part) else np.nan for part in means]


def summarise(scores):
    """Rows (dicts) for each direction and for both together, from the scores of one layer.

    Speakers are the units of the intervals; "both" is the mean of a speaker's two directions.
    """
    one, two = sorted({score.train for score in scores})
    found = []
    for case, chosen in (
        (f"{one} to {two}", [score for score in scores if score.train == one]),
        (f"{two} to {one}", [score for score in scores if score.train == two]),
        ("both ways", scores),
    ):
        speakers = sorted({score.speaker for score in chosen})
        values = {
            name: np.array(
                [np.mean([getattr(s, name) for s in chosen if s.speaker == who]) for who in speakers]
            )
            for name in ("within", "within_chance", "across", "across_chance")
        }
        found += _rows(f"disjoint phones: {case}", **values)
    return found


def _rows(case, within, within_chance, across, across_chance):
    common = {"study": "articulation", "case": case, "reference": "a probe of the same language"}
    mean, low, high, n = calibration.mean_interval(within)
    reached, chance = mean, float(np.nanmean(within_chance))
    share, *share_bounds = calibration.ratio_interval(across, within)
    above = calibration.mean_interval(within - within_chance)[1:3]
    kept = verdict(within, across, across_chance)
    said = "above chance" if calibration.side(*above) == 1 else "not above chance"
    numbers = [
        ("r within the language", "r", mean, None, chance, (low, high), said),
        (
            *("r across languages", "r", float(np.nanmean(across)), reached),
            *(float(np.nanmean(across_chance)), calibration.mean_interval(across)[1:3], kept),
        ),
        ("share kept: across / within", "", share, 1.0, None, share_bounds, kept),
    ]
    return [
        common
        | {"measure": measure, "unit": unit, "measured": value, "truth": truth, "chance": at_chance}
        | {"ci_low": bounds[0], "ci_high": bounds[1], "n": n, "verdict": words}
        | {"note": f"{PROBE}; n: speakers"}
        for measure, unit, value, truth, at_chance, bounds, words in numbers
    ]


def verdict(within, across, across_chance):
    """What the intervals over speakers say of a probe in the other language.

    Parameters
    ----------
    within, across, across_chance : arrays of shape (n_speakers,)
    """
    above = calibration.side(*calibration.mean_interval(across - across_chance)[1:3])
    less = calibration.side(*calibration.mean_interval(within - across)[1:3])
    if above is None or less is None:
        return "no interval: no verdict"
    if above < 1:
        return "does not carry over: not above chance"
    if less < 1:
        return "carries over: not below the probe of the same language"
    share, low, high = calibration.ratio_interval(across, within)
    return f"carries over in part: keeps {share:.2f} [{low:.2f}, {high:.2f}] of r within the language"
