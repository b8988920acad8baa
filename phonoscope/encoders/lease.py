"""One GPU for one process, where nobody else hands them out."""

import fcntl
import os
import tempfile
import time
from pathlib import Path

from phonoscope.errors import InputError

# Open files hold the locks; the operating system lets go of them when the process ends, however it ends.
_held = []


def lease_gpu(devices=Path("/dev"), locks=None):
    """Wait for a GPU of this machine that no other process has leased, and see that one only.

    Snakemake counts GPUs but does not choose them. To be called before CUDA is first used. Does
    nothing inside a Slurm job, which is given its GPUs.

    Parameters
    ----------
    devices : path-like
        Folder with a file ``nvidiaN`` per GPU.
    locks : path-like, optional
        Folder for the lock files; the folder of temporary files by default.

    Returns
    -------
    str or None
        The device, as it is put into CUDA_VISIBLE_DEVICES.

    Raises
    ------
    InputError
        Where the machine has no GPU, or none may be used.
    """
    if "SLURM_JOB_ID" in os.environ:
        return None
    found = sorted(path.name.removeprefix("nvidia") for path in Path(devices).glob("nvidia[0-9]*"))
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    candidates = found if visible is None else [device for device in visible.split(",") if device]
    if not found or not candidates:
        raise InputError(
            "there is no GPU here, or CUDA_VISIBLE_DEVICES allows none",
            row="embeddings.gpu",
            fix="set `embeddings: {gpu: false}` to encode on the CPU",
        )
    while True:
        for device in candidates:
            if _lock(Path(locks or tempfile.gettempdir()) / f"phonoscope-{os.getuid()}-gpu{device}.lock"):
                os.environ["CUDA_VISIBLE_DEVICES"] = device
                return device
        time.sleep(0.5)


def _lock(path):
    file = open(path, "w")  # noqa: SIM115 (stays open: it is the lease)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return False
    _held.append(file)
    return True
