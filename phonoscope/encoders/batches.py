"""Pieces of audio into batches: by length, within the encoder's means, without changing the order."""

import queue
import threading
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from phonoscope.errors import InputError

# Sorting looks this many batches ahead: enough for little padding, and bounded whatever the corpus.
STRETCH = 4
# On a CPU larger batches only leave its caches (measured: -25 % at 50 s, +0 % at 10 s).
CPU_BATCH_SECONDS = 10


@dataclass(frozen=True)
class Piece:
    """One window of one utterance, ready for the forward pass.

    ``order`` numbers the pieces as they are to be written; frames ``first`` to ``last`` are kept.
    """

    order: int
    utterance_id: str
    audio: np.ndarray
    first: int
    last: int


def on_gpu(encoder):
    """Whether the forward pass leaves the CPU's cores free."""
    return getattr(getattr(encoder, "device", None), "type", "cpu") != "cpu"


class Budget:
    """Seconds of padded audio that a batch may hold; shrinks when the GPU runs out of memory."""

    def __init__(self, encoder, seconds):
        self.encoder = encoder
        self.seconds = float(seconds) if on_gpu(encoder) else min(float(seconds), CPU_BATCH_SECONDS)

    def cost(self, pieces):
        """Seconds that the forward pass works on for ``pieces``, padding included."""
        longest = max(len(piece.audio) for piece in pieces)
        return len(pieces) * self.encoder.computed_samples(longest) / self.encoder.rate

    def batches(self, pieces):
        """Split ``pieces``, sorted by length, into lists within the budget, or of one piece."""
        batch = []
        for piece in sorted(pieces, key=lambda piece: (len(piece.audio), piece.order)):
            if batch and self.cost([*batch, piece]) > self.seconds:
                yield batch
                batch = []
            batch.append(piece)
        if batch:
            yield batch


def stretches(pieces, budget):
    """Group an iterable of pieces into lists of about ``STRETCH`` batches, in order."""
    stretch, seconds, limit = [], 0.0, STRETCH * budget.seconds
    for piece in pieces:
        cost = budget.cost([piece])
        if stretch and seconds + cost > limit:
            yield stretch
            stretch, seconds = [], 0.0
        stretch.append(piece)
        seconds += cost
    if stretch:
        yield stretch


def forward(encoder, pieces, budget):
    """Run ``pieces`` through the encoder in batches, halving them when the GPU's memory runs out.

    Yields
    ------
    batch : list of Piece
    states : list of dict of int to float32 array of shape (n_frames, dim)

    Raises
    ------
    InputError
        Where a single piece is too much for the GPU.
    """
    import torch

    pending = list(budget.batches(pieces))[::-1]
    while pending:
        batch = pending.pop()
        if len(batch) > 1 and budget.cost(batch) > budget.seconds:
            pending.extend(list(budget.batches(batch))[::-1])
            continue
        try:
            states = encoder.forward([piece.audio for piece in batch])
        except torch.cuda.OutOfMemoryError:
            states = None
        if states is not None:
            yield batch, states
            continue
        # Out of the except block, so that the traceback no longer holds the tensors.
        torch.cuda.empty_cache()
        if len(batch) == 1:
            raise InputError(
                f"the GPU's memory is too small for {len(batch[0].audio) / encoder.rate:.0f} s "
                f"through model {encoder.name}",
                row=f"utterance {batch[0].utterance_id}",
                fix="set embeddings: {window: ...} to fewer seconds, or precision: bfloat16 for the model",
            )
        budget.seconds = budget.cost(batch) / 2
        pending.append(batch)


@contextmanager
def ahead(iterable, size=1):
    """Iterate in a thread, ``size`` items ahead; an exception there is raised where it is read."""
    items, stop, end = queue.Queue(size), threading.Event(), object()

    def offer(item):
        while not stop.is_set():
            try:
                items.put(item, timeout=0.1)
                return
            except queue.Full:
                continue

    def work():
        try:
            for item in iterable:
                offer((item, None))
                if stop.is_set():
                    return
            offer((end, None))
        except BaseException as error:
            offer((end, error))

    def drain():
        while True:
            item, error = items.get()
            if error is not None:
                raise error
            if item is end:
                return
            yield item

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield drain()
    finally:
        stop.set()
        thread.join()
