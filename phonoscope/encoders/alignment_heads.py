"""Which heads of Whisper's cross-attention follow the words: told by the model, or found by known times."""

import itertools

import numpy as np

from phonoscope.encoders.teacher_forcing import teacher_force
from phonoscope.encoders.word_errors import errors
from phonoscope.encoders.word_times import head_maps, times_of_words

MOST = 10


def given_heads(whisper):
    """The heads of the generation config, else all of the upper half of the decoder's layers.

    Parameters
    ----------
    whisper : encoders.whisper.Whisper

    Returns
    -------
    list of (layer, head)
        Both from 0.
    """
    if told := getattr(whisper.network.generation_config, "alignment_heads", None):
        return [(int(layer), int(head)) for layer, head in told]
    return [pair for pair in all_heads(whisper) if 2 * pair[0] >= whisper.network.config.decoder_layers]


def all_heads(whisper):
    """Every head of the decoder's cross-attention, as a list of (layer, head)."""
    config = whisper.network.config
    return list(itertools.product(range(config.decoder_layers), range(config.decoder_attention_heads)))


def choose_heads(whisper, audios, texts, languages, known, most=MOST, **options):
    """The heads whose word times are nearest to known ones.

    Heads are ranked by the error of each alone; of the first one, the first two, … the first ``most``, the
    set with the least error is chosen, the smallest one among equals. The error is the median distance of
    word centres over all words. Choose on other recordings than those whose times are then judged.

    Parameters
    ----------
    whisper, audios, texts, languages
        As for :func:`teacher_forcing.teacher_force`.
    known : list of list of (label, start_s, end_s)
        Per utterance, as for :func:`word_errors.errors`.
    most : int
    **options
        task, leading_space, names of :func:`teacher_forcing.teacher_force`.

    Returns
    -------
    heads : list of (layer, head)
    error_s : float
        Their error on these recordings, in seconds.

    Raises
    ------
    InputError
        As :func:`teacher_forcing.teacher_force` and :func:`word_errors.errors`.
    """

    def error_of(heads, maps_of):
        """Median error of every map that ``maps_of`` makes of an utterance's attention."""
        found = []
        forced = teacher_force(whisper, audios, texts, languages, heads, **options)
        for each, words in zip(forced, known, strict=True):
            maps = maps_of(each.attention)
            centres = [errors(times_of_words(each, m, whisper.timebase), words)[:, 2] for m in maps]
            found.append(np.abs(centres))
        return np.median(np.concatenate(found, axis=1), axis=1)

    heads = all_heads(whisper)
    alone = error_of(heads, lambda attention: (head_maps(one[None])[0] for one in attention))
    ranked = [heads[i] for i in np.argsort(alone, kind="stable")[:most]]
    # Sums in the place of means: the best path is the same.
    together = error_of(ranked, lambda attention: head_maps(attention).cumsum(axis=0))
    best = int(np.argmin(together))
    return ranked[: best + 1], float(together[best])
