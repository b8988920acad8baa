"""Several processes on one machine with several GPUs: pretended ones, and real processes."""

import ast
import os
import signal
import subprocess
import sys
import time
import types
from pathlib import Path

import pytest

from phonoscope.encoders import lease
from phonoscope.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
UUIDS = ["GPU-11111111-aaaa-0000-0000-000000000000", "GPU-22222222-bbbb-0000-0000-000000000000"]


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Two GPUs, and no say of Slurm or the user."""
    for name in ("nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm"):
        (tmp_path / name).touch()
    for place, uuid in zip(("0000:17:00.0", "0000:65:00.0"), UUIDS, strict=True):
        (tmp_path / "driver" / place).mkdir(parents=True)
        said = f"Model: \t\t Pretended\nIRQ:   \t\t 24\nGPU UUID: \t {uuid}\nDevice Minor: \t 0\n"
        (tmp_path / "driver" / place / "information").write_text(said)
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    # Set first, so that what the lease sets is taken back after the test.
    for name in ("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setattr(lease, "_held", [])
    return tmp_path


def take(machine):
    return lease.lease_gpu(machine, machine, machine / "driver")


def start(machine, then="", **environment):
    """Another process that leases a GPU, says which, and does what is asked."""
    code = (
        "import os, sys, time\nfrom phonoscope.encoders.lease import lease_gpu\n"
        f"got = lease_gpu({str(machine)!r}, {str(machine)!r}, {str(machine / 'driver')!r})\n"
        f"print(got, os.environ.get('CUDA_VISIBLE_DEVICES'), flush=True)\n{then}"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        env={**os.environ, **environment},
    )


def elsewhere(machine, **environment):
    """The device that another process is given, which then ends."""
    out, _ = start(machine, **environment).communicate(timeout=60)
    return out.split()[0]


def test_processes_get_different_devices_and_give_them_back(machine, monkeypatch):
    assert take(machine) == os.environ["CUDA_VISIBLE_DEVICES"] == "0"
    assert os.environ["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert [elsewhere(machine), elsewhere(machine)] == ["1", "1"]


def test_many_processes_share_a_few_devices(machine, tmp_path):
    """No two hold the same one at a time, and none lies idle."""
    for number in range(2, 11):
        (machine / f"nvidia{number}").touch()
    note = "with open(os.environ['DIARY'], 'a') as file: file.write(f'{time.monotonic()} {got} %s\\n')\n"
    then = note % "+1" + "time.sleep(0.3)\n" + note % "-1"
    running = [start(machine, then, DIARY=str(tmp_path / "diary")) for _ in range(24)]
    for process in running:
        process.communicate(timeout=120)
    lines = [line.split() for line in (tmp_path / "diary").read_text().splitlines()]
    assert len(lines) == 48 and {device for _, device, _ in lines} == {str(number) for number in range(11)}
    held = dict.fromkeys({device for _, device, _ in lines}, 0)
    for _, device, change in sorted(lines, key=lambda line: float(line[0])):
        held[device] += int(change)
        assert held[device] in (0, 1)


@pytest.mark.parametrize("child", ["", "if os.fork() == 0: time.sleep(60); os._exit(0)\n"])
def test_a_holder_that_is_killed_holds_nothing(machine, monkeypatch, child):
    """Nor do the children that it leaves behind."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    holder = start(machine, child + "print('ready', flush=True)\ntime.sleep(60)", CUDA_VISIBLE_DEVICES="1")
    assert holder.stdout.readline().split() == ["1", "1"] and holder.stdout.readline() == "ready\n"
    waiting = start(machine, CUDA_VISIBLE_DEVICES="1")
    time.sleep(1)
    assert waiting.poll() is None
    holder.send_signal(signal.SIGKILL)
    out, _ = waiting.communicate(timeout=30)
    assert out.split() == ["1", "1"]


@pytest.mark.parametrize(
    ("visible", "given"),
    [
        ("1", "1"),
        (" 1 , 0", "1"),
        ("1,1", "1"),
        (UUIDS[1], UUIDS[1]),
        ("GPU-2222", "GPU-2222"),
        ("MIG-33333333-cccc-0000-0000-000000000000", "MIG-33333333-cccc-0000-0000-000000000000"),
        ("MIG-GPU-1/7/0", "MIG-GPU-1/7/0"),
        ("0,-1,1", "0"),
    ],
)
def test_only_devices_the_user_allows(machine, monkeypatch, visible, given):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert take(machine) == os.environ["CUDA_VISIBLE_DEVICES"] == given
    assert "CUDA_DEVICE_ORDER" not in os.environ


@pytest.mark.parametrize("visible", ["1", UUIDS[1], "GPU-2222"])
def test_a_device_is_one_by_any_name(machine, monkeypatch, visible):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    take(machine)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", f"1,{UUIDS[0]}")
    assert elsewhere(machine) == UUIDS[0]


@pytest.mark.parametrize("visible", ["", " ", "-1", "-1,0", "2", "NoDevFiles"])
def test_none_is_allowed(machine, monkeypatch, visible):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert lease.devices(machine) == []
    with pytest.raises(InputError, match="CUDA_VISIBLE_DEVICES allows none.*gpu: false"):
        take(machine)


def test_a_machine_without_gpu(machine, monkeypatch):
    assert lease.devices(machine / "none") == []
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert lease.devices(machine / "none") == []
    with pytest.raises(InputError, match="there is no GPU here.*gpu: false"):
        lease.lease_gpu(machine / "none", machine)


def test_a_container_that_is_given_one_of_many_counts_from_zero(machine):
    for name in ("nvidia0", "nvidia1"):
        (machine / name).unlink()
    (machine / "nvidia12").touch()
    assert take(machine) == "0"


def test_more_than_ten(machine):
    for number in range(2, 12):
        (machine / f"nvidia{number}").touch()
    assert lease.devices(machine) == [str(number) for number in range(12)]


@pytest.mark.parametrize("visible", ["0", "5", UUIDS[0]])
def test_slurm_has_the_say(machine, monkeypatch, visible):
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert take(machine) is None and os.environ["CUDA_VISIBLE_DEVICES"] == visible
    assert not lease._held and not list(machine.glob("*.lock"))


def test_several_gpus_inside_an_allocation_are_shared_out(machine, monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,3")
    assert take(machine) == "2"
    assert elsewhere(machine, CUDA_VISIBLE_DEVICES="2,3") == "3"


@pytest.mark.parametrize("visible", [None, "", "NoDevFiles"])
def test_a_slurm_job_without_a_gpu_takes_none_of_the_nodes(machine, monkeypatch, visible):
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert lease.devices(machine) == []
    with pytest.raises(InputError, match="Slurm gave this job no GPU.*gpu=1"):
        take(machine)


def test_another_users_lock_is_respected(machine, monkeypatch):
    """It can be read and not written; a link in its place is not followed."""
    (machine / "phonoscope-gpu-0.lock").touch(mode=0o444)
    assert take(machine) == "0"
    (machine / "phonoscope-gpu-1.lock").symlink_to(machine / "elsewhere")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    with pytest.raises(OSError):
        take(machine)
    assert not (machine / "elsewhere").exists()


@pytest.fixture
def torch(monkeypatch):
    """A torch that has a GPU or not."""
    cuda = types.SimpleNamespace(
        is_available=lambda: cuda.usable,
        is_initialized=lambda: False,
        get_device_name=lambda: "a GPU",
        usable=True,
    )
    monkeypatch.setitem(sys.modules, "torch", types.SimpleNamespace(cuda=cuda, __version__="2.11.0"))
    return cuda


def test_device_of_a_job(machine, torch, monkeypatch):
    where = {"folder": machine, "locks": machine, "driver": machine / "driver"}
    assert lease.device(0, **where) == "cpu" and "CUDA_VISIBLE_DEVICES" not in os.environ
    assert lease.device(1, **where) == "cuda" and os.environ["CUDA_VISIBLE_DEVICES"] == "0"


def test_a_gpu_that_torch_cannot_use(machine, torch, caplog, monkeypatch):
    torch.usable = False
    where = {"folder": machine, "locks": machine, "driver": machine / "driver"}
    with pytest.raises(InputError, match="torch 2.11.0 cannot use the GPU 0.*install a torch with CUDA"):
        lease.device(1, **where)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    lease._let_go()
    assert lease.device(1, needed=False, **where) == "cpu" and "Going on with the CPU" in caplog.text
    assert not lease._held


def test_too_late(machine, torch):
    torch.is_initialized = lambda: True
    with pytest.raises(RuntimeError, match="before CUDA is used"):
        take(machine)


SCRIPTS = [
    path
    for path in sorted((ROOT / "workflow/scripts").glob("*.py"))
    if "lease" in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_torch_is_imported_after_the_lease(path):
    """Imports at the head of a script run before its first call, which is the lease but for the log."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    heads = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    code = "\n".join(map(ast.unparse, heads)) + "\nimport sys; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)
