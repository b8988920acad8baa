"""Several processes on one machine with several GPUs."""

import subprocess
import sys
from pathlib import Path

import pytest

from phonoscope.encoders import lease
from phonoscope.errors import InputError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Two GPUs, and no say of Slurm or the user."""
    for name in ("nvidia0", "nvidia1", "nvidiactl"):
        (tmp_path / name).touch()
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    # Set first, so that what the lease sets is taken back after the test.
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    monkeypatch.setattr(lease, "_held", [])
    return tmp_path


def elsewhere(machine):
    """The device that another process is given, which then ends."""
    code = (
        f"from phonoscope.encoders.lease import lease_gpu as f; print(f({str(machine)!r}, {str(machine)!r}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, text=True, capture_output=True, check=True)
    return done.stdout.strip()


def test_processes_get_different_devices_and_give_them_back(machine, monkeypatch):
    assert lease.lease_gpu(machine, machine) == "0"
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert [elsewhere(machine), elsewhere(machine)] == ["1", "1"]


def test_only_devices_the_user_allows(machine, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert lease.lease_gpu(machine, machine) == "1"


def test_a_machine_without_gpu(machine, monkeypatch):
    with pytest.raises(InputError, match="gpu: false"):
        lease.lease_gpu(machine / "none", machine)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(InputError, match="gpu: false"):
        lease.lease_gpu(machine, machine)


def test_slurm_has_the_say(machine, monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    assert lease.lease_gpu(machine, machine) is None
