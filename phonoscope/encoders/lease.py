"""One GPU for one process, where nobody else hands them out."""

import fcntl
import logging
import os
import re
import socket
import sys
import tempfile
import time
from pathlib import Path

from phonoscope.errors import InputError

# Where the driver says which GPU has which UUID, in folders named by their place on the bus.
DRIVER = Path("/proc/driver/nvidia/gpus")
# What Slurm, and CUDA itself, take for none.
NONE = {"", "-1", "NoDevFiles", "none", "void"}
# Open files hold the locks; the operating system lets go of them when the process ends, however it ends.
_held = []


def _let_go():
    """Also in a child that was forked: its copies of the files would hold the lock after its parent."""
    while _held:
        _held.pop().close()


os.register_at_fork(after_in_child=_let_go)


def devices(folder=Path("/dev"), driver=DRIVER):
    """The GPUs that this process may use.

    Inside a Slurm job, those that Slurm gave to it: without CUDA_VISIBLE_DEVICES there are none.

    Parameters
    ----------
    folder : path-like
        With a file ``nvidiaN`` per GPU.
    driver : path-like
        With a folder per GPU whose file ``information`` has its UUID.

    Returns
    -------
    list of str
        As CUDA_VISIBLE_DEVICES has them: numbers from 0, in the order of the bus, or UUIDs of GPUs or parts
        of GPUs (MIG).
    """
    found = len([path for path in Path(folder).glob("nvidia*") if re.fullmatch(r"nvidia\d+", path.name)])
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return [] if "SLURM_JOB_ID" in os.environ else [str(number) for number in range(found)]
    names = []
    for name in map(str.strip, visible.split(",")):
        # As CUDA reads the list: it ends at the first that is none.
        if name in NONE or (name.isdigit() and int(name) >= found and "SLURM_JOB_ID" not in os.environ):
            break
        if _key(name, driver) not in [_key(other, driver) for other in names]:
            names.append(name)
    return names if found or "SLURM_JOB_ID" in os.environ else []


def device(gpu, needed=True, option="embeddings.gpu", **where):
    """``cuda`` after a lease, or ``cpu``.

    Parameters
    ----------
    gpu : int
        How many GPUs the scheduler counts for this job: 0 or 1.
    needed : bool
        Whether a GPU that cannot be used is an error; if not, the CPU computes and the log says so.
    option : str
        Where the config asks for the GPU, for messages.
    where : dict
        Of :func:`lease_gpu`.

    Raises
    ------
    InputError
        Where there is no GPU, or torch cannot use it, and one is needed.
    """
    if not gpu:
        return "cpu"
    try:
        lease_gpu(option=option, **where)
        import torch

        if torch.cuda.is_available():
            logging.info("on the GPU %s of %s", torch.cuda.get_device_name(), socket.gethostname())
            return "cuda"
        raise InputError(
            f"torch {torch.__version__} cannot use the GPU {os.environ.get('CUDA_VISIBLE_DEVICES')}",
            row=option,
            fix=f"install a torch with CUDA that fits the driver, or set `{option}: false` (as many jobs run "
            "at a time as there are cores then)",
        )
    except InputError as error:
        if needed:
            raise
        logging.warning("%s Going on with the CPU", error)
        _let_go()
        return "cpu"


def lease_gpu(folder=Path("/dev"), locks=None, driver=DRIVER, *, option="embeddings.gpu"):
    """Wait for a GPU of this machine that no other process has leased, and see that one only.

    Snakemake counts GPUs but does not choose them. To be called before CUDA is first used. Does nothing
    where Slurm has given this job one GPU; of several, as inside ``salloc``, it leases one.

    Parameters
    ----------
    folder, driver : path-like
        As of :func:`devices`.
    locks : path-like, optional
        Folder for the lock files; by default the machine's folder of temporary files, whatever TMPDIR says.
    option : str
        Where the config asks for the GPU, for messages.

    Returns
    -------
    str or None
        The device, as it is put into CUDA_VISIBLE_DEVICES.

    Raises
    ------
    InputError
        Where the machine has no GPU, or none may be used.
    """
    candidates = devices(folder, driver)
    slurm = "SLURM_JOB_ID" in os.environ
    if not candidates:
        raise InputError(
            "Slurm gave this job no GPU"
            if slurm
            else "there is no GPU here, or CUDA_VISIBLE_DEVICES allows none",
            row=option,
            fix=f"let its rule ask for one (--set-resources RULE:gpu=1), or set `{option}: false`"
            if slurm
            else f"set `{option}: false` to compute on the CPU",
        )
    if slurm and len(candidates) == 1:
        return None
    if "torch" in sys.modules and sys.modules["torch"].cuda.is_initialized():
        raise RuntimeError("a GPU is leased before CUDA is used, not after")
    if locks is None:
        locks = "/tmp" if Path("/tmp").is_dir() else tempfile.gettempdir()
    waiting = False
    while True:
        for name in candidates:
            if _lock(Path(locks) / f"phonoscope-gpu-{_key(name, driver)}.lock"):
                if "CUDA_VISIBLE_DEVICES" not in os.environ:
                    # So that a number means the same GPU in every process.
                    os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
                os.environ["CUDA_VISIBLE_DEVICES"] = name
                return name
        if not waiting:
            logging.info("waiting for a GPU: %s leased", ", ".join(candidates))
            waiting = True
        time.sleep(0.5)


def _key(name, driver):
    """One name for a GPU, however it is called: its number, if the driver's list of UUIDs tells."""
    if not name.isdigit():
        for number, place in enumerate(sorted(Path(driver).glob("*/information"))):
            found = re.search(r"GPU UUID:\s*(\S+)", place.read_text(encoding="utf-8", errors="replace"))
            # CUDA understands the beginning of a UUID.
            if found and found[1].startswith(name):
                return str(number)
    return re.sub(r"[^\w-]", "_", name)


def _lock(path):
    """Whether the lock was free; every user of the machine takes the same one."""
    file = _opened(path)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return False
    _held.append(file)
    return True


def _opened(path):
    """The lock file, made if it is not there; of another user's it is enough to read it."""
    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        try:
            number = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
        except FileExistsError:
            return _opened(path)
    return os.fdopen(number, "rb")
