"""A real Slurm of one node: its own key, ports, folders and two pretend GPUs, as root, without systemd."""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

NEEDED = ["munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol"]
# The executor's job step drops SLURM_CONF, so that the settings have to be where Slurm looks for them.
SETTINGS = Path("/etc/slurm")

CONF = """\
ClusterName=phonoscope
SlurmctldHost={host}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
MinJobAge=3600
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
ReturnToService=2
MpiDefault=none
GresTypes=gpu
NodeName={host} CPUs={cpus} RealMemory={memory} Gres=gpu:2 State=UNKNOWN
PartitionName=debug Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    found = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return found


def start(folder):
    for name in ("state", "spool", "dev", "munge"):
        (folder / name).mkdir()
    Path("/run/munge").mkdir(mode=0o755, exist_ok=True)
    SETTINGS.mkdir(exist_ok=True)
    key = folder / "munge" / "key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    places = {"key": key, "pid": folder / "munged.pid", "log": folder / "munged.log", "seed": folder / "seed"}
    subprocess.run(["munged", "--force", *(f"--{k}-file={v}" for k, v in places.items())], check=True)
    for number in range(2):
        # Character devices, which do nothing: Slurm hands them out and sets CUDA_VISIBLE_DEVICES.
        os.mknod(folder / "dev" / f"nvidia{number}", 0o20666, os.makedev(1, 3))
    host = socket.gethostname().partition(".")[0]
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20
    conf = CONF.format(host=host, ports=free_ports(2), folder=folder, cpus=os.cpu_count(), memory=memory)
    (folder / "slurm.conf").write_text(conf, encoding="utf-8")
    (folder / "gres.conf").write_text(f"Name=gpu File={folder}/dev/nvidia[0-1]\n", encoding="utf-8")
    (folder / "cgroup.conf").write_text("CgroupAutomount=no\n", encoding="utf-8")
    for path in folder.glob("*.conf"):
        (SETTINGS / path.name).symlink_to(path)
    subprocess.run(["slurmctld"], check=True)
    subprocess.run(["slurmd"], check=True)
    for _ in range(300):
        if ask("sinfo", "-h", "-o", "%T") == "idle\n":
            return
        time.sleep(0.1)
    raise RuntimeError(f"Slurm did not come up: {(folder / 'slurmctld.log').read_text()[-2000:]}")


def stop(folder):
    for name in ("slurmd", "slurmctld", "munged"):
        if (folder / f"{name}.pid").is_file():
            os.kill(int((folder / f"{name}.pid").read_text()), 15)
    for path in SETTINGS.glob("*.conf"):
        if path.is_symlink() and path.readlink().is_relative_to(folder):
            path.unlink()


def ask(*command):
    """What a command of Slurm prints."""
    return subprocess.run(command, text=True, stdout=subprocess.PIPE).stdout


@pytest.fixture(scope="session")
def slurm(tmp_path_factory):
    missing = [name for name in NEEDED if not shutil.which(name)]
    if missing or os.getuid():
        pytest.skip(f"a Slurm of one node needs root and {', '.join(missing or NEEDED)}")
    # What a killed run of these tests has left.
    for path in SETTINGS.glob("*.conf"):
        if path.is_symlink() and "pytest-of-" in str(path.readlink()):
            path.unlink()
    if (SETTINGS / "slurm.conf").exists():
        pytest.skip(f"{SETTINGS}/slurm.conf is there: this machine has a Slurm of its own")
    folder = tmp_path_factory.mktemp("slurm")
    try:
        start(folder)
        yield
    finally:
        stop(folder)
