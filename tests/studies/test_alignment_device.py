import numpy as np
import pytest

from phonoscope.errors import InputError
from phonoscope.probes import seqsim
from phonoscope.studies import alignment_device as device


def utterances(rng, lengths, d, dtype=np.float32):
    return [rng.standard_normal((n, d)).astype(dtype) for n in lengths]


@pytest.fixture(params=["cpu", "cuda"])
def where(request):
    import torch

    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("no GPU")
    return request.param


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("memory", [40_000, 2**30])
@pytest.mark.parametrize("frames", [1, 50, 2**13])
def test_the_device_finds_what_the_cpu_finds(monkeypatch, where, dtype, memory, frames):
    monkeypatch.setattr(device, "GROUP_FRAMES", frames)
    rng = np.random.default_rng(0)
    a = utterances(rng, [5, 30, 1, 12, 30, 7, 2], 16, dtype)
    b = utterances(rng, [8, 2, 40, 1], 16, dtype)
    a[1][3:6] = 0
    b[0][:] = 0
    expected = seqsim.precision_recall(a, b)
    found = device.precision_recall(a, b, where, memory_bytes=memory)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert all(x.dtype == np.float32 for x in found)
    np.testing.assert_allclose(device.seqsim_matrix(a, b, where), seqsim.seqsim_matrix(a, b), atol=1e-6)


def test_half_floats_err_by_their_rounding_only(where):
    rng = np.random.default_rng(1)
    a, b = utterances(rng, [50, 200], 128), utterances(rng, [70, 20], 128)
    a.append(b[0].copy())
    found = device.seqsim_matrix(a, b, where, dtype="float16")
    np.testing.assert_allclose(found, seqsim.seqsim_matrix(a, b), atol=1e-3)
    assert found[2, 0] == pytest.approx(1, abs=1e-3)
    assert np.abs(found - device.seqsim_matrix(a, b, where)).max() > 0


def test_where_memory_runs_out_the_blocks_are_halved(monkeypatch):
    import torch

    rng = np.random.default_rng(2)
    a, b = utterances(rng, [10] * 40, 16), utterances(rng, [10] * 30, 16)
    product, sizes = device._product, []

    def small(x, y):
        sizes.append(len(x) * len(y))
        if sizes[-1] > 5000:
            raise torch.OutOfMemoryError("no more")
        return product(x, y)

    monkeypatch.setattr(device, "_product", small)
    np.testing.assert_allclose(device.seqsim_matrix(a, b, "cpu"), seqsim.seqsim_matrix(a, b), atol=1e-6)
    assert sizes[0] == 400 * 300
    assert all(size <= 5000 for size in sizes[-20:])

    def never(*_):
        raise torch.OutOfMemoryError("no more")

    monkeypatch.setattr(device, "_product", never)
    with pytest.raises(InputError, match="too little.*device that has them free"):
        device.seqsim_matrix(a, b, "cpu")


def test_memory_that_holds_no_pair_is_refused_and_the_advice_is_enough():
    rng = np.random.default_rng(3)
    a, b = utterances(rng, [300, 5, 40], 16), utterances(rng, [200, 7], 16)
    with pytest.raises(InputError, match="fi_1 and ru_1") as error:
        device.seqsim_matrix(
            a, b, "cpu", memory_bytes=99_000, names=(["fi_1", "fi_2", "fi_3"], ["ru_1", "ru_2"])
        )
    enough = int(error.value.fix.split(" to ")[1].split()[0])
    found = device.seqsim_matrix(a, b, "cpu", memory_bytes=enough)
    np.testing.assert_allclose(found, seqsim.seqsim_matrix(a, b), atol=1e-6)


@pytest.mark.parametrize("bound", [2**20, 2**22])
def test_plans_hold_to_the_bound(bound):
    rng = np.random.default_rng(4)
    a = [np.empty((n, 64)) for n in rng.integers(20, 60, 1000)]
    plan = device._plan(a, a, 2, bound, None)
    assert bound / 2 < plan.held <= bound
    assert sorted(i for panel in plan.panels_a for group in panel for i in group) == list(range(1000))
    assert sorted(i for group in plan.groups_b for i in group) == list(range(1000))


def test_tensor_float_32_is_off_and_as_it_was_afterwards(monkeypatch):
    import torch

    x, seen, product = [np.ones((3, 4), np.float32)], [], device._product

    def recording(*vectors):
        seen.append(torch.get_float32_matmul_precision())
        return product(*vectors)

    monkeypatch.setattr(device, "_product", recording)
    before = torch.get_float32_matmul_precision()
    try:
        for outside in ("high", "highest"):
            torch.set_float32_matmul_precision(outside)
            for tf32 in (False, True):
                device.seqsim_matrix(x, x, "cpu", tf32=tf32)
                assert torch.get_float32_matmul_precision() == outside
    finally:
        torch.set_float32_matmul_precision(before)
    assert seen == ["highest", "high"] * 2


def test_bad_input_is_named():
    rng = np.random.default_rng(5)
    a, b = utterances(rng, [6, 4], 8), utterances(rng, [5, 3, 2], 8)
    b[1][2, 3] = np.nan
    with pytest.raises(InputError, match=r"ru_8.*NaN or infinite"):
        device.seqsim_matrix(a, b, "cpu", names=(["x", "y"], ["ru_7", "ru_8", "ru_9"]))
    with pytest.raises(InputError, match="float64.*unknown"):
        device.seqsim_matrix(a, a, "cpu", dtype="float64")
    assert device.seqsim_matrix([], a, "cpu").shape == (0, 2)
