"""Texts to the tokens of an aligner's vocabulary, each with the characters that it stands for."""

import re
import unicodedata
from dataclasses import dataclass

import numpy as np

from phonoscope.alignment import phones, romanise
from phonoscope.errors import InputError

UNITS = ("auto", "phones", "romanised", "characters")
_LEAST = 1e-38


@dataclass(frozen=True)
class Token:
    """One thing that is said, and what it stands for.

    Attributes
    ----------
    label : str or None
        What the table of segments calls it; None for what is no sound: a space, or a stretch of the text
        that the vocabulary lacks.
    column : int
        Of :meth:`Tokeniser.extend`.
    start, end : int
        ``text[start:end]`` is what it stands for.
    """

    label: str | None
    column: int
    start: int
    end: int


class Tokeniser:
    """Turns texts into tokens of an aligner.

    Parameters
    ----------
    aligner : aligners.Aligner
        Its vocabulary, classes, phonetic, delimiter, blank and silence are used. Special tokens (these, and
        such as ``<unk>`` or ``[UNK]``) are never matched.
    units : str
        phones: the text is IPA, whose phones may be such as the vocabulary lacks; romanised: letters of its
        romanisation, roughly taken as phones where the vocabulary is of phones; characters: its own; auto:
        phones where the vocabulary is of phones, else characters, or their romanisation where the vocabulary
        is Latin and has more of it.

    Attributes
    ----------
    tier : str
        phone or character.
    substituted : dict of str to str
        Phones that the vocabulary lacks, and the nearest that it has.

    Raises
    ------
    InputError
        Where there are no such units, or phones are asked of a vocabulary without any.
    """

    def __init__(self, aligner, units="auto"):
        if units not in UNITS:
            raise InputError(f"`{units}` is not known", row="units", fix=f"use one of {', '.join(UNITS)}")
        phonetic = aligner.phonetic
        self.units = "phones" if units == "auto" and phonetic else units
        of_phones = self.units == "phones" or self.units == "romanised" and phonetic
        self.delimiter = aligner.vocabulary.get(aligner.delimiter)
        special = {self.delimiter, aligner.blank, aligner.silence}
        plain = {
            unicodedata.normalize("NFC", token): index
            for token, index in aligner.vocabulary.items()
            if index not in special and not re.fullmatch(r"[<\[].+[>\]]", token)
        }
        self.tier = "phone" if of_phones else "character"
        self.kin = phones.Kin(plain) if of_phones else None
        self.substituted = {}
        self.exact, self.folded = plain, {}
        for token, index in plain.items():
            self.folded.setdefault(token.lower(), index)
        self.names = {index: token for token, index in plain.items()}
        self.longest = max((len(unicodedata.normalize("NFD", token)) for token in plain), default=1)
        self.latin = all(unicodedata.name(c, "").startswith("LATIN") for t in plain for c in t if c.isalpha())
        self.classes, self.columns, self.weights = aligner.classes, {}, []
        # A frame-wise model would give all frames to what may be anything.
        self.star = None if aligner.blank is None else self._column("", np.ones(self.classes))

    def extend(self, log_probs):
        """Log probabilities of all columns: the aligner's classes, then sums of them.

        The sums are weighted: a phone is as probable as the classes near to it together, each times its
        nearness (:class:`phones.Kin`); what the vocabulary lacks is any class, with the probability 1.

        Parameters
        ----------
        log_probs : float array of shape (n_frames, n_classes)

        Returns
        -------
        float32 array of shape (n_frames, n_classes + n_sums)
        """
        if not self.weights:
            return log_probs
        sums = np.exp(log_probs) @ np.stack(self.weights, axis=1)
        return np.concatenate([log_probs, np.log(np.maximum(sums, _LEAST))], axis=1).astype(np.float32)

    def _column(self, name, weights):
        if name not in self.columns:
            self.columns[name] = self.classes + len(self.weights)
            self.weights.append(weights)
        return self.columns[name]

    def _phone(self, phone):
        """The column of a phone."""
        if phone not in self.columns:
            weights = np.zeros(self.classes)
            near = self.kin.near(phone)
            for label, nearness in near:
                weights[self.exact[label]] = nearness
            if phone not in self.exact:
                self.substituted[phone] = near[0][0]
            self._column(phone, weights)
        return self.columns[phone]

    def __call__(self, text):
        """Tokens of ``text`` in order, and the characters that were passed over.

        Returns
        -------
        tokens : list of Token
        lacking : str
            Letters, marks and digits without a token.
        """
        if self.units == "romanised":
            return self._tokens(romanise.letters(text))
        own = self._tokens([(c, at, at + 1) for at, c in enumerate(text)])
        if self.units != "auto" or not (self.latin and own[1]):
            return own
        roman = self._tokens(romanise.letters(text))
        return roman if len(roman[1]) < len(own[1]) else own

    def _tokens(self, letters):
        return self._phones(letters) if self.kin else self._characters(letters)

    def _index(self, written):
        written = unicodedata.normalize("NFC", written)
        return self.exact.get(written, self.folded.get(written.lower()))

    def _matched(self, letters, at, clean=lambda written: written):
        """How many letters from ``at`` on the longest token takes, and its class; 0 if there is none."""
        # One more than the longest: a tie may be in it.
        for count in range(min(self.longest + 1, len(letters) - at), 0, -1):
            index = self._index(clean("".join(letter for letter, *_ in letters[at : at + count])))
            if index is not None:
                return count, index
        return 0, None

    def _characters(self, letters):
        """Tokens of letters that know their characters: always the longest that fits."""
        made, lacking, at = [], [], 0
        while at < len(letters):
            count, index = self._matched(letters, at)
            if count:
                made.append(Token(self.names[index], index, letters[at][1], letters[at + count - 1][2]))
            else:
                self._pass(made, lacking, *letters[at])
            at += count or 1
        return self._trimmed(made), "".join(lacking)

    def _phones(self, letters):
        made, lacking = [], []
        for run in phones.runs(letters):
            at = 0
            while at < len(run):
                count, index = self._matched(run, at, lambda written: written.translate(phones.TIES))
                # panphon also takes a tone letter for a segment.
                written = "".join(letter for letter, *_ in run[at : at + phones.LONGEST])
                whole = 0 if phones.breaks(written[0]) else phones.one(written)
                taken = run[at : at + max(count, whole)]
                if taken:
                    label = unicodedata.normalize("NFC", "".join(letter for letter, *_ in taken))
                    column = self._phone(self.names[index] if count >= whole else label)
                    made.append(Token(label, column, taken[0][1], max(end for *_, end in taken)))
                elif not phones.breaks(written[0]):
                    self._pass(made, lacking, *run[at])
                at += len(taken) or 1
        return self._trimmed(made), "".join(lacking)

    def _pass(self, made, lacking, letter, start, end):
        """Note a letter without a token; leave a place for it where it is said."""
        kind = unicodedata.category(letter)[0]
        if letter.isspace():
            if self.delimiter is not None and made and made[-1].column != self.delimiter:
                made.append(Token(None, self.delimiter, start, end))
            return
        if kind in "LMN":
            lacking.append(letter)
        if self.star is not None and kind in "LN" and not (made and made[-1].column == self.star):
            made.append(Token(None, self.star, start, end))

    def _trimmed(self, made):
        """Without a delimiter at the end: nothing follows that it could part from."""
        return made[:-1] if made and made[-1].column == self.delimiter else made
