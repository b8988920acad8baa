"""Texts and segments to tokens, and known times to a class for every frame."""

import json
import tempfile
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from phonoscope.errors import InputError

PAD, UNKNOWN, SPACE, SILENCE = "<pad>", "<unk>", "|", "sil"
# Of the frames that no loss looks at: padding.
IGNORED = -100


@dataclass(frozen=True)
class Units:
    """What is recognised.

    Attributes
    ----------
    tiers : tuple of str
        Of ``tables.SEGMENTS``; none: characters of the text.
    vocabulary : dict of str to int
        ``<pad>`` is 0: CTC's blank, or silence in a frame-wise model.
    prefixed : frozenset of str
        Labels that occur in several tiers and are told apart by the tier's name.
    """

    tiers: tuple
    vocabulary: dict
    prefixed: frozenset

    def tokens(self, row, segments):
        """What is said in an utterance, as ids; what training has not seen is ``<unk>``."""
        said = [self.name(each) for each in spoken(segments)] if self.tiers else list(characters(row["text"]))
        return [self.vocabulary.get(token, self.vocabulary[UNKNOWN]) for token in said]

    def name(self, segment):
        """The token of a segment."""
        label = segment["label"]
        return f"{segment['tier']}:{label}" if label in self.prefixed else label

    def tokenizer(self):
        """transformers' tokenizer of these tokens: phones stand apart by spaces, characters do not."""
        from transformers import Wav2Vec2CTCTokenizer, Wav2Vec2PhonemeCTCTokenizer

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "vocab.json"
            path.write_text(json.dumps(self.vocabulary), encoding="utf-8")
            kept = {"unk_token": UNKNOWN, "pad_token": PAD, "bos_token": None, "eos_token": None}
            if not self.tiers:
                return Wav2Vec2CTCTokenizer(str(path), word_delimiter_token=SPACE, **kept)
            return Wav2Vec2PhonemeCTCTokenizer(
                str(path), do_phonemize=False, phone_delimiter_token=" ", word_delimiter_token=None, **kept
            )


def units(rows, segments, tiers):
    """The :class:`Units` of what training has.

    Parameters
    ----------
    rows : list of dict
        Rows of ``tables.UTTERANCES``.
    segments : dict of str to list of dict
        By utterance, sorted by end.
    tiers : sequence of str
        Empty for the characters of the text.

    Raises
    ------
    InputError
        Where an utterance has neither, or a label holds a space.
    """
    labels = {tier: set() for tier in tiers}
    letters = set()
    for row in rows:
        found = segments.get(row["utterance_id"], [])
        if tiers and not found or not tiers and not row["text"]:
            raise InputError(
                f"utterance {row['utterance_id']} has no {'segments' if tiers else 'text'} to learn from",
                path=row["audio"],
                fix=f"give it segments of {', '.join(tiers)}" if tiers else "give it a text",
            )
        if not tiers:
            letters |= set(characters(row["text"]))
        for each in spoken(found) if tiers else ():
            labels[each["tier"]].add(each["label"])
    if spaced := sorted(label for each in labels.values() for label in each if " " in label):
        raise InputError(f"the label {spaced[0]!r} holds a space", fix="labels are one word")
    flat = [label for each in labels.values() for label in each]
    prefixed = frozenset(label for label in flat if flat.count(label) > 1)
    bare = Units(tuple(tiers), {}, prefixed)
    names = {bare.name({"tier": tier, "label": label}) for tier in tiers for label in labels[tier]}
    names = [PAD, UNKNOWN, *sorted(names)] if tiers else [PAD, UNKNOWN, SPACE, *sorted(letters - {SPACE})]
    return Units(bare.tiers, {name: index for index, name in enumerate(names)}, prefixed)


def characters(text):
    """What is heard of a text: lower-cased letters, marks, digits, apostrophes; ``|`` between words."""
    lowered = unicodedata.normalize("NFC", (text or "").lower())
    heard = (c if unicodedata.category(c)[0] in "LMN" or c in "'’" else " " for c in lowered)
    return SPACE.join("".join(heard).split())


def spoken(segments):
    """The segments that are not silence."""
    return [each for each in segments if each["label"] != SILENCE]


def path(tokens, ends, starts, centres):
    """A class for every frame: the path of CTC that agrees with the known times.

    Every frame whose centre is in a token has its class, all others the blank (0), so that this is one of the
    paths that CTC sums over: the cross-entropy with it is an upper bound of CTC's loss, and a model that
    learned it decodes to the tokens. Tokens of several tiers that end together (a vowel and its tone) share
    the time since what ended before in equal parts, in their order: the tone has the last part of its
    syllable. A token too short for a frame takes the one nearest to its middle, and two equal neighbours get
    a blank between them, where that leaves a frame to the other.

    Parameters
    ----------
    tokens : sequence of int
    ends, starts : sequence of float
        Seconds; ends do not decrease.
    centres : array of shape (n_frames,)
        Of the frames, in seconds.

    Returns
    -------
    int64 array of shape (n_frames,)
    """
    edges = _shares(starts, ends)
    owner = np.full(len(centres), -1)
    for k, (start, end) in enumerate(edges):
        owner[np.searchsorted(centres, start) : np.searchsorted(centres, end)] = k
    for k in sorted(set(range(len(edges))) - set(owner.tolist())):
        nearest = int(np.abs(centres - sum(edges[k]) / 2).argmin())
        # Order is kept: what is before and after that frame must be said before and after the token.
        before, after = owner[:nearest].max(initial=-1), owner[nearest + 1 :]
        after = after[after >= 0].min(initial=len(edges))
        spare = owner[nearest] < 0 or (owner == owner[nearest]).sum() > 1
        if spare and before < k < after:
            owner[nearest] = k
    found = np.where(owner < 0, 0, np.asarray([*tokens, 0])[owner])
    for i in range(1, len(found)):
        if owner[i] != owner[i - 1] and found[i] == found[i - 1] != 0:
            if (owner == owner[i - 1]).sum() > 1:
                found[i - 1], owner[i - 1] = 0, -1
            elif (owner == owner[i]).sum() > 1:
                found[i], owner[i] = 0, -1
    return found.astype(np.int64)


def _shares(starts, ends, together=1e-3):
    """Stretches of time that do not overlap, one per token."""
    shares, before, k = [], 0.0, 0
    while k < len(ends):
        last = k
        while last + 1 < len(ends) and ends[last + 1] - ends[k] < together:
            last += 1
        # Whoever ends together shares the time of the one that began last: the vowel, not its syllable.
        begin = min(max(max(starts[k : last + 1]), before), ends[last])
        steps = np.linspace(begin, ends[last], last - k + 2)
        shares += list(zip(steps[:-1], steps[1:], strict=True))
        before, k = ends[last], last + 1
    return shares
