import weakref

import pytest
import torch

from difftem.functional.multislice import fresnel_propagator, multislice
from difftem.modules import Multislice
from tests.helpers.beam import beam_of
from tests.helpers.specimen import project, random_atoms

ENERGY = torch.tensor(300e3, dtype=torch.float64)
BEAM = beam_of(ENERGY)
LAM, SIGMA = BEAM.wavelength, BEAM.sigma
PIXEL, THICKNESS = 0.6, 2.0


@pytest.fixture
def slices():
    atoms = random_atoms(25, (11.0, 11.0, 15.0), (6, 8, 26), (25.0, 50.0))
    return project(atoms, (20, 22), PIXEL, n_slices=7, slice_thickness=THICKNESS)


def test_module_is_its_function(slices):
    propagator = fresnel_propagator((20, 22), PIXEL, THICKNESS, LAM)
    expected = multislice(slices, SIGMA, propagator)
    assert torch.equal(Multislice(PIXEL, THICKNESS)(slices, BEAM), expected)
    streamed = Multislice(PIXEL, THICKNESS)(iter(slices), BEAM)
    assert torch.equal(streamed, expected)


@pytest.mark.parametrize("given", ["stacked", "listed", "streamed"])
@pytest.mark.parametrize("n_slices", [1, 2, 3, 7])
def test_gradient_is_that_of_plain_autograd(slices, n_slices, given):
    one = Multislice(
        PIXEL, THICKNESS, amplitude_contrast=0.1, learnable=("amplitude_contrast",)
    ).double()
    weight = torch.linspace(0, 1, 22, dtype=torch.float64)
    (contrast,) = one.parameters()
    results = []
    for plain in (False, True):
        leaf = slices[:n_slices].clone().requires_grad_()
        tilt = torch.tensor([1e-3, -2e-3], dtype=torch.float64, requires_grad=True)
        sigma = SIGMA.clone().requires_grad_()
        if plain:
            propagator = fresnel_propagator((20, 22), PIXEL, THICKNESS, LAM, tilt)
            wave = multislice(leaf, sigma, propagator, None, one.amplitude_contrast)
        else:
            put = {"stacked": leaf, "listed": leaf.unbind(-3), "streamed": iter(leaf)}[given]
            wave = one(put, beam_of(ENERGY, tilt, sigma))
        loss = (wave.abs() ** 2 * weight).sum()
        results.append((wave, *torch.autograd.grad(loss, (leaf, tilt, sigma, contrast))))
    for found, expected in zip(*results, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-14)
    assert results[0][1].abs().max() > 0


def test_wave_without_band_limit_has_the_gradient_of_plain_autograd(slices):
    propagator = fresnel_propagator((20, 22), PIXEL, THICKNESS, LAM, band_limit=None)
    weight = torch.linspace(0, 1, 22, dtype=torch.float64)
    gradients = []
    for plain in (False, True):
        leaf = slices.clone().requires_grad_()
        one = Multislice(PIXEL, THICKNESS, band_limit=None)
        wave = multislice(leaf, SIGMA, propagator) if plain else one(leaf, BEAM)
        gradients += torch.autograd.grad((wave.abs() ** 2 * weight).sum(), leaf)
    torch.testing.assert_close(*gradients, rtol=1e-11, atol=1e-14)
    with pytest.raises(ValueError, match="band_limit must be a number for limit_transmission"):
        Multislice(PIXEL, THICKNESS, band_limit=None, limit_transmission=True)


@pytest.mark.parametrize("band_limit", [2 / 3, None])
def test_gradient_keeps_waves_of_few_slices(band_limit):
    # Saved tensors beside the potential: 6 waves of 36, or the exit wave alone.
    leaf = torch.zeros(36, 16, 16, dtype=torch.float64, requires_grad=True)
    saved = []

    def pack(tensor):
        saved.append(tensor.nbytes)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
        Multislice(PIXEL, THICKNESS, band_limit=band_limit)(leaf, BEAM)
    wave = 16 * 16 * 16
    kept = 1 if band_limit is None else 6
    assert sum(saved) == leaf.nbytes + (kept + 1) * wave + SIGMA.nbytes  # and the propagator


def test_stream_is_held_only_from_the_slice_that_needs_a_gradient(slices):
    leaf = slices[5].clone().requires_grad_()
    alive = []

    def stream():
        for i in range(7):
            alive.append(sum(r() is not None for r in made))
            slice_ = leaf * 1 if i == 5 else slices[i].clone()
            made.append(weakref.ref(slice_))
            yield slice_

    made: list = []
    wave = Multislice(PIXEL, THICKNESS)(stream(), BEAM)
    (found,) = torch.autograd.grad((wave.abs() ** 2 * slices[0]).sum(), leaf)
    assert max(alive[:6]) <= 2
    whole = slices.clone().requires_grad_()
    wave = multislice(whole, SIGMA, fresnel_propagator((20, 22), PIXEL, THICKNESS, LAM))
    (expected,) = torch.autograd.grad((wave.abs() ** 2 * slices[0]).sum(), whole)
    torch.testing.assert_close(found, expected[5], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("batch", [(), (2,), (1, 2)])
def test_batch_shape_of_slices_and_tilts_is_that_of_the_wave(slices, batch):
    stacked = slices.expand(*batch, *slices.shape)
    assert Multislice(PIXEL, THICKNESS)(stacked, BEAM).shape == (*batch, 20, 22)
    tilts = torch.zeros(*batch, 2, dtype=torch.float64)
    wave = Multislice(PIXEL, THICKNESS)(slices, beam_of(ENERGY, tilts))
    assert wave.shape == (*batch, 20, 22)
    untilted = Multislice(PIXEL, THICKNESS)(slices, BEAM)
    assert (wave - untilted).abs().max() < 1e-14


def test_absorbing_specimen_loses_intensity(slices):
    contrast = torch.tensor([0.0, 0.1, 0.3], dtype=torch.float64)
    one = Multislice(PIXEL, THICKNESS, amplitude_contrast=contrast)
    wave = one(slices.expand(3, *slices.shape), BEAM)
    intensity = (wave.abs() ** 2).mean((1, 2))
    assert intensity[0] > intensity[1] > intensity[2]
    # To first order 1 - 2 σ a <v>.
    first = 2 * SIGMA * 0.1 * slices.sum(0).mean()
    assert (intensity[0] - intensity[1]).item() == pytest.approx(first.item(), rel=0.05)


def test_contrast_outside_its_interval_is_refused():
    with pytest.raises(ValueError, match="amplitude_contrast must be between 0 and 1"):
        Multislice(PIXEL, THICKNESS, amplitude_contrast=1.5)
