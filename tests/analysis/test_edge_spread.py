import math

import pytest
import torch

from difftem.analysis.edge_spread import slanted_edge_mtf
from difftem.functional.mtf import apply_transfer
from difftem.modules import LorentzianMTF, RullgardMTF
from difftem.modules.preset_mtf import mtf_from_preset
from difftem.presets import detector_preset

DARK, BRIGHT = 2.0, 40.0


def covered(shape, angle_deg, fine=16):
    """Expected counts of a knife: the exact part of each pixel that is open, to 1 / fine²."""
    ny, nx = shape
    y = (torch.arange(ny * fine).double() + 0.5) / fine - 0.5
    edge = nx / 2 + 0.3 + (y - ny / 2) * math.tan(math.radians(angle_deg))
    x = torch.arange(nx).double()
    # Part of each fine row's pixel to the right of the edge, then the mean over fine rows.
    part = torch.clamp(x + 0.5 - edge[:, None], 0, 1)
    return DARK + (BRIGHT - DARK) * part.view(ny, fine, nx).mean(1)


def detected(mtf, angle_deg, shape=(256, 200)):
    counts = covered(shape, angle_deg)
    # The FFT is periodic: mirrored, the edge meets itself only at the far ends.
    tile = torch.cat([counts, counts.flip(1)], 1)
    tile = torch.cat([tile, tile.flip(0)], 0)
    image = apply_transfer(tile, mtf.double().transfer(tuple(tile.shape), tile))
    return image[40 : shape[0] - 40, 20 : shape[1] - 20]


@pytest.mark.parametrize("angle", [-7.0, 3.5, 11.0])
def test_knife_edge_recovers_a_known_mtf(angle):
    mtf = LorentzianMTF()
    found = slanted_edge_mtf(detected(mtf, angle), divide_pixel=True)
    assert math.degrees(found.angle) == pytest.approx(angle, abs=0.01)
    assert (found.mtf - mtf(found.frequency)).abs().max() < 0.01


def test_curve_of_a_real_camera_is_recovered_along_either_axis_and_from_either_side():
    mtf = mtf_from_preset(detector_preset("falcon4ec_300kv")).double()
    image = detected(mtf, 5.0)
    for turned in (image, image.T, image.flip(1), image.flip(0)):
        found = slanted_edge_mtf(turned, divide_pixel=True)
        # At Nyquist, the periodic curve has a kink that the taper rounds.
        below = found.frequency <= 0.485
        assert (found.mtf - mtf(found.frequency))[below].abs().max() < 0.01


def test_pixel_aperture_is_part_of_the_measured_curve():
    found = slanted_edge_mtf(detected(RullgardMTF(0.0, 0.0, 1.0), 4.0))
    expected = torch.sinc(found.frequency)
    assert (found.mtf - expected).abs().max() < 0.01


def test_knife_edge_of_counted_electrons_agrees_within_its_noise(generator):
    mtf = LorentzianMTF().double()
    counts = covered((600, 200), 6.0) * 20
    counts = torch.poisson(counts, generator=generator)
    tile = torch.cat([counts, counts.flip(1)], 1)
    image = apply_transfer(tile, mtf.transfer(tuple(tile.shape), tile))[30:-30, 20:180]
    found = slanted_edge_mtf(image, half_width=16.0, divide_pixel=True)
    assert (found.mtf - mtf(found.frequency)).abs().max() < 0.03


def test_an_edge_at_the_limits_is_measured_though_its_angle_comes_out_beyond():
    for angle in (0.95, 20.05):
        assert slanted_edge_mtf(detected(LorentzianMTF(), angle)).mtf[0] == pytest.approx(1)


def test_what_is_no_slanted_edge_is_refused():
    with pytest.raises(ValueError, match="inclined by 1 to 20 degrees"):
        slanted_edge_mtf(detected(LorentzianMTF(), 0.1))
    with pytest.raises(ValueError, match="there is no edge"):
        slanted_edge_mtf(torch.ones(100, 100))
    with pytest.raises(ValueError, match="48 pixels or more"):
        slanted_edge_mtf(torch.ones(100, 20))
