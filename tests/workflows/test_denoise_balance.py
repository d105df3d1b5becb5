import math

import pytest
import torch

from difftem.analysis.held_out import ICE, band_masks
from difftem.functional.grid import frequency_grid, radius
from difftem.functional.mtf import apply_transfer
from difftem.functional.wiener import wiener_estimate
from difftem.workflows.denoise.balance import balance
from tests.helpers.exposures import ELECTRONS, scene, whitened

SIDE = 160


def oracle(exposures, electrons, generator=None):
    """Halfway from Wiener's estimate to the truth of any number of electrons."""
    truth = (scene(SIDE) - 1) * math.sqrt(electrons)
    return 0.5 * truth + 0.5 * wiener(exposures)


def wiener(exposures):
    root = math.sqrt(len(exposures))
    return wiener_estimate(exposures.mean(0) * root) / root


def copy(exposures, electrons, generator=None):
    """No denoising at all."""
    return exposures.mean(0)


def error(estimate, electrons):
    return float((estimate - (scene(SIDE) - 1) * math.sqrt(electrons)).square().mean())


@pytest.mark.parametrize("n", [1, 3])
def test_what_helps_is_kept_and_what_does_not_is_left_out(n, generator):
    exposures = whitened(n, SIDE)
    base = error(wiener(exposures), ELECTRONS)
    good = balance(oracle)(exposures, ELECTRONS, generator)
    assert error(good, ELECTRONS) < 0.5 * base
    bad = balance(copy, repeats=2)(exposures, ELECTRONS, generator)
    assert error(copy(exposures, ELECTRONS), ELECTRONS) > 5 * base
    assert error(bad, ELECTRONS) < 1.1 * base


def test_the_gain_is_kept_for_the_record_and_the_seed_decides(generator):
    exposures = whitened(1, SIDE)
    method = balance(oracle)
    one = method(exposures, ELECTRONS, torch.Generator().manual_seed(5))
    assert method.gain.shape == (SIDE, SIDE // 2 + 1)
    assert float(method.gain.min()) >= 0 and float(method.gain.max()) < 1.2001
    again = method(exposures, ELECTRONS, torch.Generator().manual_seed(5))
    assert torch.equal(one, again)


def test_ice_that_a_method_takes_out_stays_out():
    # A ring that both sides share, as they share ice, at 1/3.7 Å of 1 Å a pixel.
    ring = band_masks((SIDE, SIDE), 1.0)[ICE].float()
    generator = torch.Generator().manual_seed(3)
    ice = 3 * apply_transfer(torch.randn(SIDE, SIDE, generator=generator), ring)
    exposures = whitened(1, SIDE) + ice

    def without(exposures, electrons, generator=None):
        return apply_transfer(oracle(exposures, electrons), 1 - ring)

    def in_ring(method):
        found = method(exposures, ELECTRONS, torch.Generator().manual_seed(1))
        return float(apply_transfer(found, ring).var())

    assert in_ring(balance(without)) > 0.5 * float(ice.var())
    assert in_ring(balance(without, pixel_size=1.0)) < 0.1 * float(ice.var())


def test_only_the_pixels_that_have_a_say_are_asked():
    exposures = whitened(1, SIDE)
    where = torch.zeros(SIDE, SIDE, dtype=torch.bool)
    where[:, : SIDE // 2] = True

    def cheat(exposures, electrons, generator=None):
        """Right on the left only."""
        return torch.where(where, oracle(exposures, electrons), copy(exposures, electrons))

    def gain(where):
        method = balance(cheat, where=where)
        method(exposures, ELECTRONS, torch.Generator().manual_seed(1))
        return float(method.gain[5, 0:10].mean())

    assert gain(where) > 2 * gain(~where)


def test_a_trained_method_is_believed_unless_the_image_proves_it_wrong(generator):
    exposures = whitened(1, SIDE)
    base = error(wiener_estimate(exposures[0]), ELECTRONS)
    good = balance(oracle, trained=True)(exposures, ELECTRONS, generator)
    doubted = balance(oracle)(exposures, ELECTRONS, generator)
    assert error(good, ELECTRONS) < 1.001 * error(doubted, ELECTRONS) < base
    bad = balance(copy, trained=True)(exposures, ELECTRONS, generator)
    assert error(bad, ELECTRONS) < 1.1 * base


@pytest.mark.parametrize(("pixel_size", "believed"), [(1.0, True), (0.2, False), (None, False)])
def test_ice_that_training_left_out_is_left_out_on_coarse_pixels_only(pixel_size, believed):
    method = balance(copy, trained=True, pixel_size=pixel_size)
    method(whitened(1, SIDE), ELECTRONS, torch.Generator().manual_seed(1))
    q = radius(frequency_grid((SIDE, SIDE), 1.0, half=True))
    band = (q > 1 / 4.4) & (q < 1 / 2.7)
    assert bool((method.gain[band] == 1).all()) == believed
    assert float(method.gain[(q > 0.1) & (q < 0.2)].mean()) < 0.3
