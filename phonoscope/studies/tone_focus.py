"""Temporal focus: how far from a tone's centre the waveform matters to what a probe reads of it.

The gradient of the true class's logit (probe ∘ frozen encoder) with respect to the waveform, and its energy
per bin of offset from the segment's centre; :mod:`probes.focus` has the span.
"""

import numpy as np
import pyarrow as pa

from phonoscope import tables
from phonoscope.corpora import audio
from phonoscope.encoders import gradients
from phonoscope.encoders.windows import cut
from phonoscope.probes import focus
from phonoscope.studies import tone_items, tone_layers

# One row per layer and item; `profile` holds the energy per bin, null beyond the recording.
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
        Per layer, as ``tone_layers.pack`` gives them.
    options : dict
        ``reach_ms`` (W), ``bin_ms``, ``of``: gradient or gradient_input, ``form``: energy or rms, ``edges``:
        keep or leave_out (items nearer than W to an end of the recording), ``max_items`` per fold or null,
        ``representation``, ``seed``.
    window, overlap : float
        Longest stretch that is encoded at once, as for the hidden states; s.

    Returns
    -------
    pyarrow.Table
        Of :data:`FOCUS`; provenance holds reach_ms and bin_ms.

    Raises
    ------
    InputError
        For an encoder that does not start from the waveform.
    """
    from tqdm import tqdm

    gradients.check_encoder(encoder)
    items, _ = tone_items.read(items_path)
    chosen = tone_items.sample(items, options["max_items"], options["seed"])
    if options["edges"] == "leave_out":
        chosen &= ~tone_items.near_edge(items, options["reach_ms"])
    directions = {layer: tone_layers.directions(packed, items) for layer, packed in probes.items()}
    rows = []
    for row in tqdm(tables.read(utterances).to_pylist(), desc=encoder.name, unit="recording"):
        here = np.flatnonzero(chosen & (items["utterance_id"] == row["utterance_id"]))
        if len(here):
            decoded, _ = audio.load(row["audio"], encoder.rate)
            prepared = encoder.prepare(decoded)
            for piece in cut(encoder, len(prepared), window, overlap):
                rows += _in_piece(encoder, prepared, piece, items, here, directions, options)
    table = tables.from_rows(rows, FOCUS)
    return table.cast(
        tables.with_provenance(FOCUS, {name: options[name] for name in ("reach_ms", "bin_ms", "of", "form")})
    )


def _in_piece(encoder, prepared, piece, items, here, directions, options):
    """Rows of the items whose frames this stretch of the recording gives."""
    base, n_frames = encoder.timebase, encoder.frames(len(prepared))
    every = tone_layers.frames_of(items, here, n_frames, base.hop_s, base.offset_s, options["representation"])
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
    readings = {layer: values[own] for layer, values in directions.items()}
    found = gradients.gradients(encoder, wave, frames, readings, centres, reach)
    columns = centres[:, None] + np.arange(-reach, reach)
    outside = (columns < 0) | (columns >= len(wave))
    times = wave[np.clip(columns, 0, len(wave) - 1)] if options["of"] == "gradient_input" else 1.0
    n_bins = 2 * round(options["reach_ms"] / options["bin_ms"])
    rows = []
    for layer in sorted(found):
        profiles = focus.energy(np.where(outside, np.nan, found[layer] * times), n_bins, options["form"])
        rows += [
            {"layer": layer, "item": int(items["item"][k]), "fold": int(items["fold"][k])}
            | {"profile": [None if np.isnan(value) else float(value) for value in profile]}
            for k, profile in zip(own, profiles, strict=True)
        ]
    return rows
