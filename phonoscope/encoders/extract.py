"""Every layer of a model for every utterance of a shard, in one pass, into one file per layer."""

import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from importlib.metadata import version

from phonoscope.corpora import audio
from phonoscope.corpora.notes import Notes
from phonoscope.embeddings import Writer
from phonoscope.encoders.batches import Budget, Piece, ahead, forward, on_gpu, stretches
from phonoscope.encoders.transformer import check_length
from phonoscope.encoders.windows import cut

BAR = "{desc}: {percentage:3.0f}% |{bar}| {n:.0f} of {total:.0f} s [{elapsed}<{remaining}, {rate_fmt}]"


def extract(encoder, utterances, paths, options, provenance, on_error="stop"):
    """Write the hidden states of ``utterances``, decoding, computing and writing at the same time.

    Batches are made of neighbours in the table (a few batches' worth at a time) of like length, so
    memory does not grow with the number of utterances; rows are written in the order of the table.
    Files appear under their names only when all are complete.

    Parameters
    ----------
    encoder
        As :func:`phonoscope.encoders.load.load` returns it.
    utterances : pyarrow.Table
        Schema ``tables.UTTERANCES``; utterance_id, audio, its digest and, for the bar, duration_s.
    paths : dict of int to path-like
        File of each layer; the layers of the encoder.
    options : dict
        ``dtype`` (float16 | float32), ``window``, ``overlap``, ``batch_seconds`` in seconds.
    provenance : dict
        Goes into the files' metadata, with model (the encoder's name), layer, hop_s, offset_s,
        precision, window, overlap and versions added.
    on_error : {"stop", "skip"}
        Whether an unreadable or too short recording ends the job or becomes a note.

    Returns
    -------
    list of dict
        Rows of schema ``tables.NOTES``: what was left out and why.

    Raises
    ------
    InputError
        Naming file or utterance, and the fix.
    """
    from tqdm import tqdm

    notes = Notes(on_error)
    budget = Budget(encoder, options["batch_seconds"])
    seconds = sum(duration or 0.0 for duration in utterances.column("duration_s").to_pylist())
    with ExitStack() as stack:
        sinks = [
            Sink(stack.enter_context(_writer(encoder, layer, path, options, provenance)), layer)
            for layer, path in paths.items()
        ]
        # Only a GPU leaves the CPU's cores free to write several layers at once.
        threads = min(len(sinks), os.cpu_count() or 1) if on_gpu(encoder) else 1
        layers = stack.enter_context(ThreadPoolExecutor(threads))
        writing = stack.enter_context(ThreadPoolExecutor(1))
        prepared = stack.enter_context(ahead(stretches(_pieces(encoder, utterances, options, notes), budget)))
        bar = stack.enter_context(tqdm(total=seconds, unit="audio-s", desc=encoder.name, bar_format=BAR))
        written = deque()
        for stretch in prepared:
            for batch, states in forward(encoder, stretch, budget):
                if len(written) > 1:
                    written.popleft().result()
                written.append(writing.submit(_put, layers, sinks, batch, states))
                done = sum(piece.last - piece.first for piece in batch) * encoder.timebase.hop_s
                bar.update(min(done, seconds - bar.n))
        for put in written:
            put.result()
    return notes.rows


class Sink:
    """Puts the pieces of one layer, which come in any order, into its file in their own order."""

    def __init__(self, writer, layer):
        self.writer, self.layer = writer, layer
        self.waiting, self.next = {}, 0

    def put(self, batch, states):
        """Take a batch; write whatever is now complete from the front."""
        for piece, by_layer in zip(batch, states, strict=True):
            values = by_layer[self.layer][piece.first : piece.last]
            self.waiting[piece.order] = piece.utterance_id, self.writer.narrow(piece.utterance_id, values)
        while self.next in self.waiting:
            self.writer.append(*self.waiting.pop(self.next))
            self.next += 1


def _put(pool, sinks, batch, states):
    list(pool.map(lambda sink: sink.put(batch, states), sinks))


def _writer(encoder, layer, path, options, provenance):
    return Writer(
        path,
        encoder.dim,
        options["dtype"],
        {
            **provenance,
            "model": encoder.name,
            "layer": layer,
            "hop_s": encoder.timebase.hop_s,
            "offset_s": encoder.timebase.offset_s,
            "precision": encoder.precision,
            "window": options["window"],
            "overlap": options["overlap"],
            "versions": {name: version(name) for name in ("torch", "torchaudio", "transformers")},
        },
    )


def _pieces(encoder, utterances, options, notes):
    """Decode the recordings one by one and cut them into windows."""
    order = 0
    for row in utterances.select(["utterance_id", "audio", "audio_sha256", "speaker"]).to_pylist():
        samples = None
        with notes.guard(utterance_id=row["utterance_id"], speaker=row["speaker"], file=row["audio"]):
            decoded, _ = audio.load(row["audio"], encoder.rate, row["audio_sha256"])
            check_length(encoder, len(decoded), path=row["audio"])
            samples = encoder.prepare(decoded)
        if samples is None:
            continue
        # Outside the guard: windows that cannot be laid are a mistake in the config, not a recording's.
        for window in cut(encoder, len(samples), options["window"], options["overlap"]):
            piece = samples[window.start : window.stop]
            yield Piece(order, row["utterance_id"], piece, window.first, window.last)
            order += 1
