import pytest
import torch

from difftem.functional import multislice as plain
from difftem.functional.wave_buffers import interaction_constants
from kernels_triton.multislice import propagate_fwd, propagator_bwd, transmit_bwd, transmit_fwd
from tests.helpers.closeness import assert_agree

BATCHES = [(), (2,), (1, 2)]


def draw(shape, dtype, device, **options):
    return torch.randn(shape, dtype=dtype, device=device, **options)


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("absorbs", ["nothing", "contrast", "imaginary", "both"])
def test_transmission_and_its_gradient_are_those_of_autograd(
    kernels, poisoned_empty, batch, shared, absorbs
):
    device, dtype, tolerance = kernels
    is_complex = absorbs in ("imaginary", "both")
    wave = draw((*batch, 17, 23), dtype.to_complex(), device, requires_grad=True)
    kind = dtype.to_complex() if is_complex else dtype
    v = draw((17, 23) if shared else wave.shape, kind, device, requires_grad=True)
    sigma = torch.tensor(0.7, dtype=dtype, device=device, requires_grad=True)
    contrast = torch.tensor(0.3, dtype=dtype, device=device)
    contrast = contrast if absorbs in ("contrast", "both") else None
    elastic, absorbing = interaction_constants(sigma, contrast)
    expected = plain.transmit(wave, v, sigma, contrast)
    grad = draw(wave.shape, wave.dtype, device)
    by_wave, by_v, by_sigma = torch.autograd.grad(expected, (wave, v, sigma), grad)
    with torch.no_grad():
        found = transmit_fwd(wave, v, elastic, absorbing)
        ours = transmit_bwd(grad, wave, v, elastic, absorbing)
        undone = transmit_fwd(grad, v, elastic, absorbing, conjugate=True)
        sums = ours[2] * torch.stack([elastic, elastic * 0 if absorbing is None else absorbing])
        by_constants = sums.sum() / sigma
    assert_agree(
        (found, ours[0], ours[1], by_constants, undone),
        (expected, by_wave, by_v, by_sigma, by_wave),
        tolerance,
    )


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("batch", BATCHES)
def test_propagation_and_its_gradient_are_those_of_autograd(kernels, poisoned_empty, batch, shared):
    device, dtype, tolerance = kernels
    kind = dtype.to_complex()
    wave = draw((*batch, 19, 35), kind, device, requires_grad=True)
    propagator = draw((19, 35) if shared else wave.shape, kind, device, requires_grad=True)
    expected = plain.propagate(wave, propagator)
    grad = draw(wave.shape, kind, device)
    truth = torch.autograd.grad(expected, (wave, propagator), grad)
    with torch.no_grad():
        found = propagate_fwd(wave, propagator)
        by_wave = propagate_fwd(grad, propagator, conjugate=True)
        by_propagator = propagator_bwd(grad, wave, propagator)
    assert_agree((found, by_wave, by_propagator), (expected, *truth), tolerance)


def test_waves_may_be_views_conjugates_and_the_result_itself(kernels):
    device, dtype, tolerance = kernels
    turned = draw((23, 17), dtype.to_complex(), device).T.conj()
    v = draw((23, 34), dtype, device).T[::2]
    sigma = torch.tensor(0.7, dtype=dtype, device=device)
    expected = plain.transmit(turned, v, sigma)
    found = transmit_fwd(turned, v, sigma)
    in_place = turned.resolve_conj().contiguous()
    assert transmit_fwd(in_place, v, sigma, out=in_place) is in_place
    assert_agree((found, in_place), (expected, expected), tolerance)
    negated = torch.view_as_complex(torch.view_as_real(turned.resolve_conj())).conj().imag
    assert negated.is_neg()
    assert_agree(
        [transmit_fwd(turned, negated, sigma)],
        [plain.transmit(turned, negated, sigma)],
        tolerance,
    )


def test_images_of_many_blocks_and_a_rest_are_complete(kernels, poisoned_empty):
    device, dtype, tolerance = kernels
    wave = draw((2, 47, 53), dtype.to_complex(), device)  # 2491 pixels: 2 blocks and a part
    v, sigma = draw((47, 53), dtype, device), torch.tensor(0.7, dtype=dtype, device=device)
    propagator = draw((47, 53), dtype.to_complex(), device)
    assert_agree(
        (transmit_fwd(wave, v, sigma), propagate_fwd(wave, propagator)),
        (plain.transmit(wave, v, sigma), plain.propagate(wave, propagator)),
        tolerance,
    )
