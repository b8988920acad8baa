"""Temporal focus: how far from a tone's centre the waveform matters to what a probe reads of it.

The gradient of the true class's logit (probe ∘ frozen encoder) with respect to the waveform, and its energy
per bin of offset from the segment's centre; :mod:`probes.focus` has the span.
"""

import logging

import numpy as np
import pyarrow as pa

from phonoscope import tables
from phonoscope.corpora import audio
from phonoscope.encoders import gradients
from phonoscope.encoders.windows import cut
from phonoscope.errors import InputError
from phonoscope.probes import focus
from phonoscope.studies import tone_items, tone_states

# One row per layer and item; `profile` holds the energy per bin, NaN beyond the recording.
FOCUS = pa.schema(
    [
        ("layer", pa.int32()),
        ("item", pa.int32()),
        ("fold", pa.int32()),
        ("profile", pa.list_(pa.float32())),
    ]
)


def measure(encoder, items_path, utterances, probes, options, window, overlap):
    """Profiles of all items of a shard in all layers.

    Parameters
    ----------
    encoder : WaveformEncoder
    items_path : path
    utterances : path
        Of the shard.
    probes : dict of int to dict of str to array
        Per layer, as ``tone_states.pack`` gives them.
    options : dict
        ``reach_ms`` (W), ``bin_ms``, ``of``: gradient or gradient_input, ``form``: energy or rms, ``edges``:
        keep or leave_out (items nearer than W to an end of the recording), ``max_items`` per fold or null,
        ``representation``, ``seed``.
    window, overlap : float
        Longest stretch that is encoded at once, as for the hidden states; s.

    Returns
    -------
    pyarrow.Table
        Of :data:`FOCUS`; provenance holds reach_ms and bin_ms. Without rows for an encoder that does not
        start from the waveform.

    Raises
    ------
    InputError
        Where a gradient is not finite.
    """
    from tqdm import tqdm

    said = {name: options[name] for name in ("reach_ms", "bin_ms", "of", "form")}
    if not gradients.starts_from_waveform(encoder):
        logging.warning("model %s does not start from the waveform: it has no gradients to it", encoder.name)
        return tables.from_rows([], FOCUS).cast(tables.with_provenance(FOCUS, said))
    items, _ = tone_items.read(items_path)
    chosen = tone_items.sample(items, options["max_items"], options["seed"])
    if options["edges"] == "leave_out":
        chosen &= ~tone_items.near_edge(items, options["reach_ms"])
    rows = []
    for row in tqdm(tables.read(utterances).to_pylist(), desc=encoder.name, unit="recording"):
        here = np.flatnonzero(chosen & (items["utterance_id"] == row["utterance_id"]))
        if len(here):
            decoded, _ = audio.load(row["audio"], encoder.rate, row["audio_sha256"])
            prepared = encoder.prepare(decoded)
            for piece in cut(encoder, len(prepared), window, overlap):
                rows += _in_piece(encoder, prepared, piece, items, here, probes, options)
    return tables.from_rows(rows, FOCUS).cast(tables.with_provenance(FOCUS, said))


def _in_piece(encoder, prepared, piece, items, here, probes, options):
    """Rows of the items whose frames this stretch of the recording gives."""
    base, n_frames = encoder.timebase, encoder.frames(len(prepared))
    every = tone_states.frames_of(items, here, n_frames, base.hop_s, base.offset_s, options["representation"])
    first = round(piece.start / (base.hop_s * encoder.rate))
    inside = [
        k for k, frames in enumerate(every) if piece.first <= frames[len(frames) // 2] - first < piece.last
    ]
    if not inside:
        return []
    wave, own = prepared[piece.start : piece.stop], here[inside]
    frames = [np.clip(every[k] - first, 0, encoder.frames(len(wave)) - 1) for k in inside]
    reach = round(options["reach_ms"] / 1000 * encoder.rate)
    centres = np.round(items["centre_s"][own] * encoder.rate).astype(int) - piece.start
    # A span does not depend on how long the direction is; of length 1 it fits into every precision.
    readings = {layer: tone_states.directions(packed, items, own) for layer, packed in probes.items()}
    readings = {
        layer: values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-30)
        for layer, values in readings.items()
    }
    found = gradients.gradients(encoder, wave, frames, readings, centres, reach)
    columns = centres[:, None] + np.arange(-reach, reach)
    outside = (columns < 0) | (columns >= len(wave))
    times = wave[np.clip(columns, 0, len(wave) - 1)] if options["of"] == "gradient_input" else 1.0
    n_bins = 2 * round(options["reach_ms"] / options["bin_ms"])
    rows = []
    for layer in sorted(found):
        if not np.isfinite(found[layer]).all():
            raise InputError(
                f"a gradient of layer {layer} of model {encoder.name} is not finite",
                row=f"utterance {items['utterance_id'][own[0]]}",
                fix="set precision: float32 or bfloat16 for the model",
            )
        profiles = focus.energy(np.where(outside, np.nan, found[layer] * times), n_bins, options["form"])
        rows += [
            {"layer": layer, "item": int(items["item"][k]), "fold": int(items["fold"][k])}
            | {"profile": profile.astype(np.float32)}
            for k, profile in zip(own, profiles, strict=True)
        ]
    return rows
