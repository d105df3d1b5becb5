import pytest
import torch

from difftem.functional import multislice as plain
from difftem.ops.wave import propagate, transmit
from tests.helpers.closeness import assert_agree

OPS = torch.ops.difftem
BATCHES = [((), ()), ((2,), ()), ((), (2,)), ((1, 2), (2,)), ((2,), (2,))]


def draw(*shape, kind=torch.complex128, **options):
    return torch.randn(shape, dtype=kind, **options)


@pytest.fixture
def interpreted(monkeypatch):
    if torch.cuda.is_available():
        pytest.skip("tested with tensors of a CPU: in the interpreter")
    monkeypatch.setenv("DIFFTEM_KERNELS", "triton")


@pytest.mark.parametrize(("waves", "images"), BATCHES)
def test_ops_are_their_functions_for_any_batch(kernels, waves, images):
    device, dtype, tolerance = kernels
    kind = dtype.to_complex()
    inputs = [
        draw(*waves, 5, 7, kind=kind, device=device, requires_grad=True),
        draw(*images, 5, 7, kind=dtype, device=device, requires_grad=True),
        draw(*images, 5, 7, kind=kind, device=device, requires_grad=True),
        torch.tensor(0.6, dtype=dtype, device=device, requires_grad=True),
        torch.tensor(0.2, dtype=dtype, device=device, requires_grad=True),
    ]
    results = []
    for step, go in ((transmit, propagate), (plain.transmit, plain.propagate)):
        wave, v, propagator, sigma, contrast = inputs
        out = go(step(wave, v, sigma, contrast), propagator)
        weight = torch.linspace(0, 1, out.numel(), dtype=dtype, device=device).reshape(out.shape)
        loss = (out.abs().square() * weight).sum()
        results.append((out.detach(), *torch.autograd.grad(loss, inputs)))
    assert_agree(*results, 5 * tolerance)  # two FFTs, and a sum of squares over all pixels


def test_masked_transmission_and_contrast_by_wave_stay_with_pytorch(interpreted):
    wave, v = draw(2, 4, 6), draw(4, 6, kind=torch.float64)
    sigma, mask = torch.tensor(0.6, dtype=torch.float64), torch.ones(4, 6, dtype=torch.float64)
    contrast = torch.tensor([0.1, 0.2], dtype=torch.float64)
    for extra in ((None, mask), (contrast, None)):
        assert torch.equal(transmit(wave, v, sigma, *extra), plain.transmit(wave, v, sigma, *extra))


def test_one_contrast_for_a_batch_of_one_keeps_its_axis(kernels):
    device, dtype, tolerance = kernels
    wave, v = draw(4, 6, kind=dtype.to_complex(), device=device), torch.rand(4, 6).to(device, dtype)
    sigma = torch.tensor(0.6, dtype=dtype, device=device)
    contrast = torch.tensor([0.2], dtype=dtype, device=device, requires_grad=True)
    results = []
    for step in (transmit, plain.transmit):
        out = step(wave, v, sigma, contrast)
        results.append((out.detach(), *torch.autograd.grad(out.real.square().sum(), contrast)))
    assert results[0][0].shape == (1, 4, 6)
    assert_agree(*results, 5 * tolerance)


@pytest.mark.parametrize("kind", [torch.float64, torch.complex128])
@pytest.mark.parametrize("absorbs", [True, False])
def test_transmit_has_the_gradient_of_finite_differences(interpreted, kind, absorbs):
    wave = draw(2, 3, 4, requires_grad=True)
    v = draw(3, 4, kind=kind, requires_grad=True)
    constants = [torch.tensor(0.6, dtype=torch.float64, requires_grad=True)]
    constants += [torch.tensor(0.2, dtype=torch.float64, requires_grad=True)] if absorbs else [None]
    assert torch.autograd.gradcheck(OPS.transmit, (wave, v, *constants), fast_mode=True)


def test_propagate_has_the_gradient_of_finite_differences(interpreted):
    inputs = draw(2, 3, 4, requires_grad=True), draw(3, 4, requires_grad=True)
    assert torch.autograd.gradcheck(OPS.propagate, inputs, fast_mode=True)


@pytest.mark.parametrize("kind", [torch.float64, torch.complex128])
def test_transmit_is_a_lawful_op_and_so_is_its_backward(interpreted, kind):
    wave, v = draw(2, 3, 4, requires_grad=True), draw(3, 4, kind=kind, requires_grad=True)
    elastic = torch.tensor(0.6, dtype=torch.float64, requires_grad=True)
    absorbing = torch.tensor(0.2, dtype=torch.float64, requires_grad=True)
    torch.library.opcheck(OPS.transmit.default, (wave, v, elastic, absorbing))
    torch.library.opcheck(OPS.transmit.default, (wave, v, elastic, None))
    plain_inputs = [t.detach() for t in (draw(2, 3, 4), wave, v, elastic, absorbing)]
    torch.library.opcheck(OPS.transmit_backward.default, (*plain_inputs, True))


@pytest.mark.parametrize("wanted", [True, False])
def test_propagate_is_a_lawful_op_and_so_is_its_backward(interpreted, wanted):
    wave, propagator = draw(2, 3, 4, requires_grad=True), draw(3, 4, requires_grad=wanted)
    torch.library.opcheck(OPS.propagate.default, (wave, propagator))
    inputs = draw(2, 3, 4), wave.detach(), propagator.detach()
    torch.library.opcheck(OPS.propagate_backward.default, (*inputs, wanted))
