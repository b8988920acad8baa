"""SeqSim of all pairs on a GPU: the blocks of ``probes.seqsim`` as tensors.

A GPU wants equal lengths where a CPU wants none wasted: utterances of like length share a group and are
filled up to its longest by repeating their last frame, which changes no maximum.
"""

from dataclasses import dataclass

import numpy as np

from phonoscope.errors import InputError
from phonoscope.probes.pairs import checked, not_finite, too_little_memory
from phonoscope.probes.seqsim import harmonic_mean

MEMORY_BYTES = 2**32
# Frames of a group. Products of 8192 x 8192 keep the largest GPUs busy; a block of them is 256 MiB.
GROUP_FRAMES = 2**13


def seqsim_matrix(a, b, device, dtype="float32", memory_bytes=MEMORY_BYTES, tf32=False, names=None):
    """SeqSim of every utterance of ``a`` with every one of ``b``, as ``probes.seqsim.seqsim_matrix``.

    Parameters and errors as for ``precision_recall``.

    Returns
    -------
    float32 array of shape (len(a), len(b)), in [-1, 1]
    """
    return harmonic_mean(*precision_recall(a, b, device, dtype, memory_bytes, tf32, names))


def precision_recall(a, b, device, dtype="float32", memory_bytes=MEMORY_BYTES, tf32=False, names=None):
    """Precision and recall of SeqSim, all pairs, on a device.

    Parameters
    ----------
    a, b : lists of arrays of shape (n_frames, d)
        Hidden states, one array per utterance, without padding frames; float16 or float32.
    device : str or torch.device
    dtype : {"float32", "float16"}
        Of the unit vectors. Products and maxima are float32 either way; half floats err by 1e-4.
    memory_bytes : int
        Bound on the device's memory, besides the result. Where the device has less, it is halved until
        the blocks fit.
    tf32 : bool
        Let the device round float32 factors to 10 bits, for speed; errors are those of half floats.
    names : pair of lists of str, optional
        Of the utterances of a and of b, for errors.

    Returns
    -------
    precision, recall : float32 arrays of shape (len(a), len(b))

    Raises
    ------
    InputError
        As ``probes.seqsim.seqsim_matrix`` does.
    """
    import torch

    if dtype not in ("float32", "float16"):
        raise InputError(f"dtype {dtype!r} is unknown", fix="use float32 or float16")
    a, b, names = checked(a, b, names)
    if not a or not b:
        return tuple(np.zeros((2, len(a), len(b)), np.float32))
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high" if tf32 else "highest")
    try:
        while True:
            plan = _plan(a, b, torch.finfo(getattr(torch, dtype)).bits // 8, memory_bytes, names)
            try:
                with torch.inference_mode():
                    return _all_pairs(a, b, names, plan, torch.device(device), getattr(torch, dtype))
            except torch.OutOfMemoryError:
                memory_bytes = plan.held // 2
            torch.cuda.empty_cache()  # does nothing where CUDA was never used
    finally:
        torch.set_float32_matmul_precision(before)


@dataclass(frozen=True)
class _Plan:
    """Members of each group of a, in panels that are held at a time, and of b; bytes that this takes."""

    panels_a: list
    groups_b: list
    held: int


@dataclass(frozen=True)
class _Group:
    """Unit frames of utterances, tensor of shape (utterances * longest, d), with their true lengths."""

    members: object
    frames: object
    lengths: object
    longest: int


def _plan(a, b, itemsize, memory_bytes, names):
    """The largest groups and panels within the bound."""
    d = a[0].shape[1]
    longest = [max(len(x) for x in side) for side in (a, b)]
    most = GROUP_FRAMES
    while True:
        rows, columns = (max(most, length) for length in longest)
        # The cosines, a quarter more for maxima; a group while float32, float64 and unit vectors coexist.
        block = 5 * rows * columns + max(rows, columns) * d * (20 + itemsize)
        needed = block + rows * d * itemsize
        if most == 1 or max(2 * block, needed) <= memory_bytes:
            break
        most //= 2
    if needed > memory_bytes:
        raise too_little_memory(memory_bytes, needed, a, b, names, "on a device that has them free")
    panel = (memory_bytes - block) // (d * itemsize)
    groups_a, groups_b = (_padded_groups([len(x) for x in side], most) for side in (a, b))
    panels, room = [], 0
    for group in groups_a:
        frames = len(group) * len(a[group[-1]])
        if frames > room:
            panels.append([])
            room = panel
        panels[-1].append(group)
        room -= frames
    largest = max(sum(len(g) * len(a[g[-1]]) for g in panel) for panel in panels)
    return _Plan(panels, groups_b, block + largest * d * itemsize)


def _padded_groups(lengths, most):
    """Utterances by rising length, in groups of at most ``most`` frames with padding, or of one."""
    found = []
    for i in np.argsort(lengths, kind="stable"):
        if not found or (len(found[-1]) + 1) * lengths[i] > most:
            found.append([])
        found[-1].append(int(i))
    return found


def _all_pairs(a, b, names, plan, device, dtype):
    import torch

    precision, recall = torch.zeros((2, len(a), len(b)), dtype=torch.float32, device=device)
    for panel in plan.panels_a:
        held = [_upload(a, names[0], members, device, dtype) for members in panel]
        for members in plan.groups_b:
            columns = _upload(b, names[1], members, device, dtype)
            for rows in held:
                p, r = _block(rows, columns)
                precision[rows.members[:, None], columns.members] = p
                recall[rows.members[:, None], columns.members] = r
        del held, rows, columns  # before the next panel is made, not after
    return tuple(x.clamp_(-1, 1).cpu().numpy() for x in (precision, recall))


def _upload(utterances, names, members, device, dtype):
    """A group's unit frames on the device; norms in float64, which no float32 overflows."""
    import torch

    lengths = [len(utterances[i]) for i in members]
    shape = len(members), max(lengths), utterances[0].shape[1]
    half = all(utterances[i].dtype == np.float16 for i in members)
    frames = np.empty(shape, np.float16 if half else np.float32)
    for row, i in zip(frames, members, strict=True):
        row[: len(utterances[i])] = utterances[i]
        row[len(utterances[i]) :] = utterances[i][-1]
    frames = torch.from_numpy(frames).to(device).double()
    norm = torch.linalg.vector_norm(frames, dim=2, keepdim=True)
    finite = norm.isfinite().all(dim=1).flatten()
    if not finite.all():
        raise not_finite(names[members[int(finite.logical_not().nonzero()[0])]])
    frames /= norm.masked_fill_(norm == 0, 1)
    frames = frames.to(dtype).flatten(0, 1)
    return _Group(
        torch.tensor(members, device=device), frames, torch.tensor(lengths, device=device), max(lengths)
    )


def _product(x, y):
    """Cosines in float32, also of half floats."""
    import torch

    if x.dtype == torch.float32:
        return x @ y.T
    if x.device.type == "cuda":
        return torch.mm(x, y.T, out_dtype=torch.float32)
    return x.float() @ y.float().T


def _block(rows, columns):
    """Precision and recall of all pairs of two groups."""
    import torch

    cosines = _product(rows.frames, columns.frames)
    cosines = cosines.view(len(rows.members), rows.longest, len(columns.members), columns.longest)
    best = cosines.amax(dim=3)
    own = torch.arange(rows.longest, device=best.device) < rows.lengths[:, None]
    precision = (best * own[:, :, None]).sum(dim=1, dtype=torch.float64) / rows.lengths[:, None]
    best = cosines.amax(dim=1)
    own = torch.arange(columns.longest, device=best.device) < columns.lengths[:, None]
    recall = (best * own).sum(dim=2, dtype=torch.float64) / columns.lengths
    return precision.float(), recall.float()
