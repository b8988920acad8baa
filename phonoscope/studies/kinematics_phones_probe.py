"""Phones from a layer: what recogniser-like knowledge a probe of the same kind finds, beside articulation.

Multinomial logistic regression on single frames; speakers are held out in folds. Score: macro-F1 over the
phones that the held-out speaker says. Controls: phones dealt out anew over segments within the speaker
(fitted and tested on them), and the commonest phone of the speaker everywhere.
"""

import numpy as np

from phonoscope import tables
from phonoscope.probes import designs, logistic
from phonoscope.probes.classification import confusion, f1
from phonoscope.studies import kinematics_phones
from phonoscope.studies.frames import Corpus

EXPERIMENT, PROBE = "phones", "logistic"
METRICS = {"spoken": "macro_f1", "shuffled": "macro_f1_shuffled"}


def score(utterances, articulation, segments, embeddings, options, model, layer):
    """Macro-F1 of every held-out speaker, from one layer of one model.

    Parameters
    ----------
    utterances, articulation, segments, embeddings : lists of path
        One per shard. The recordings are those of the articulation study.
    options : dict
        ``frames_per_class``, ``folds``, ``penalty`` of kinematics.measure, ``silence``, and
        ``frame_alignment``, ``seed`` of the articulation study.
    model : str
    layer : int

    Returns
    -------
    pyarrow.Table
        Schema tables.SCORES; ``metric`` is macro_f1, macro_f1_shuffled or macro_f1_majority.

    Raises
    ------
    InputError
        Where the corpus has no phones.
    """
    corpus = Corpus(utterances, articulation, embeddings, options["frame_alignment"])
    phones = kinematics_phones.read(segments, options["silence"])
    common = {"experiment": EXPERIMENT, "probe": PROBE, "model": model, "layer": layer, "target": "phone"}
    rows = classify(corpus, phones, options)
    return tables.from_rows([row | common for row in rows], tables.SCORES)


def classify(corpus, phones, options):
    """Rows of the held-out speakers; see :func:`score`.

    Parameters
    ----------
    corpus : frames.Corpus
        Or anything that can be iterated twice over SpeakerFrames.
    phones : kinematics_phones.Phones
    options : dict

    Returns
    -------
    list of dict
    """
    speakers = sorted(frames.speaker for frames in corpus)
    n_folds = min(options["folds"], len(speakers))
    if n_folds < 2:
        note = f"only one speaker with EMA and phones: {', '.join(speakers) or 'none'}"
        return [_row("", "", "macro_f1", None, 0, 0, note)]
    fold = {speaker: index % n_folds for index, speaker in enumerate(speakers)}
    # Every speaker gives as many frames, so that none of the training part stands out.
    each = -(-options["frames_per_class"] // max(len(speakers) - len(speakers) // n_folds, 1))
    pools = {kind: [] for kind in METRICS}
    for frames in corpus:
        for kind, codes in _codes(frames, phones, options).items():
            rng = designs.generator(options["seed"], frames.speaker, kind, "frames")
            rows = _sample(codes, each, rng)
            pools[kind].append((fold[frames.speaker], frames.x[rows], codes[rows]))
    fits = {
        kind: [_fit(pool, held_out, options["penalty"]) for held_out in range(n_folds)]
        for kind, pool in pools.items()
    }
    rows = []
    for frames in corpus:
        codes = _codes(frames, phones, options)
        of = {kind: fits[kind][fold[frames.speaker]] for kind in METRICS}
        rows += _test(frames, codes, of, len(phones.labels), fold[frames.speaker])
    return rows


def _codes(frames, phones, options):
    """Phone at every frame of a speaker, as spoken and dealt out anew."""
    where = frames.utterance_ids, frames.utterance, frames.time_s
    rng = designs.generator(options["seed"], frames.speaker, "shuffled phones")
    dealt = phones.shuffled(frames.utterance_ids, rng)
    return {"spoken": phones.at(*where)[:, 0], "shuffled": phones.at(*where, dealt)[:, 0]}


def _sample(codes, most, rng):
    """At most ``most`` frames of each class, at random."""
    found = []
    for code in np.unique(codes[codes != kinematics_phones.NONE]):
        rows = np.flatnonzero(codes == code)
        found.append(np.sort(rng.permutation(rows)[:most]))
    return np.concatenate(found) if found else np.zeros(0, dtype=int)


def _fit(pool, held_out, penalty):
    """Classifier, its classes and the number of frames, of all but one fold; None without two classes."""
    others = [(x, codes) for fold, x, codes in pool if fold != held_out]
    x, codes = (np.concatenate(part) for part in zip(*others, strict=True))
    classes, y = np.unique(codes, return_inverse=True)
    if len(classes) < 2:
        return None
    (fitted,) = logistic.fit(logistic.prepare(x), y, [penalty], len(classes))
    return fitted, classes, len(x)


def _test(frames, codes, fits, n_labels, fold):
    """Rows of one held-out speaker."""
    rows, words = [], (f"except_fold={fold}", f"speaker={frames.speaker}")
    for kind, metric in METRICS.items():
        there = codes[kind] != kinematics_phones.NONE
        if fits[kind] is None or not there.any():
            note = "no phones of the speaker" if not there.any() else "fewer than two phones to learn"
            rows.append(_row(*words, metric, None, 0, int(there.sum()), note))
            continue
        fitted, classes, n_train = fits[kind]
        truth = codes[kind][there]
        predicted = classes[fitted.predict(frames.x[there].astype(np.float64))]
        rows.append(_row(*words, metric, _macro(truth, predicted, n_labels), n_train, len(truth)))
        if kind == "spoken":
            commonest = np.full(len(truth), np.bincount(truth).argmax())
            value = _macro(truth, commonest, n_labels)
            rows.append(_row(*words, "macro_f1_majority", value, n_train, len(truth)))
    return rows


def _macro(truth, predicted, n_labels):
    """Mean F1 over the phones that are in ``truth``: one that cannot be predicted counts 0."""
    of_label = f1(confusion(truth, predicted, n_labels))
    return float(of_label[np.unique(truth)].mean())


def _row(train, test, metric, value, n_train, n_test, note=""):
    return {"train": train, "test": test, "metric": metric, "value": value} | {
        "n_train": n_train, "n_test": n_test, "note": note,
    }  # fmt: skip
