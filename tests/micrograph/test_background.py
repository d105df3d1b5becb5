import math

import pytest
import torch

from difftem.analysis.spectrum import power_spectrum
from difftem.functional.grid import frequency_grid, radius
from difftem.functional.mtf import apply_transfer, lorentzians
from difftem.micrograph.background import pick_windows, score_windows
from tests.helpers.rings import radial_average

SIZE = 128
NONE = torch.zeros(512, 512, dtype=torch.bool)


def camera(rate, generator):
    """Micrograph of a rate, blurred by an MTF that falls to 0.3."""
    frequency = radius(frequency_grid(rate.shape, 1.0, half=True, dtype=torch.float32))
    weights = (torch.tensor(v) for v in (0.7, 0.2, 0.1, 10.0, 40.0))
    transfer = lorentzians(frequency, *weights)
    return 50 * apply_transfer(torch.poisson(rate, generator=generator), transfer)


def thon_rings(generator, shape, rms):
    """Ice under a contrast transfer function with five zeros below 0.15 cycles/pixel."""
    frequency = radius(frequency_grid(shape, 1.0, half=True, dtype=torch.float32))
    ice = torch.fft.rfft2(torch.randn(shape, generator=generator))
    ice = torch.fft.irfft2(ice * torch.sin(700 * frequency**2), s=shape)
    return rms * ice / ice.std()


def score_of(windows, y, x):
    return windows.score[(windows.corner == torch.tensor([y, x])).all(-1)].item()


def test_particles_contamination_and_carbon_are_avoided(generator):
    y, x = torch.meshgrid(torch.arange(512.0), torch.arange(512.0), indexing="ij")
    rate = torch.full((512, 512), 20.0)
    rate[:, 384:] *= 0.7  # carbon, with an edge
    rate *= 1 - 0.6 * (((y - 90) ** 2 + (x - 100) ** 2) < 40**2)  # contamination
    for centre in ((300, 60), (330, 100), (280, 110)):  # particles
        rate *= 1 - 0.2 * (((y - centre[0]) ** 2 + (x - centre[1]) ** 2) < 12**2)
    windows = score_windows(camera(rate, generator), NONE, SIZE)
    assert math.isinf(score_of(windows, 64, 64))
    assert math.isinf(score_of(windows, 256, 64))
    assert math.isinf(score_of(windows, 0, 320))  # across the edge
    assert math.isinf(score_of(windows, 128, 384))  # all carbon: another mean
    boxes = [windows.corner[i].tolist() for i in pick_windows(windows, SIZE, 50)]
    assert len(boxes) >= 4
    assert all(x <= 256 and not (y <= 64 and x <= 128) for y, x in boxes)


def test_windows_do_not_overlap_and_come_best_first(generator):
    windows = score_windows(camera(torch.full((512, 512), 20.0), generator), NONE, SIZE)
    taken = pick_windows(windows, SIZE, 7)
    assert len(taken) == 7
    corner = windows.corner[taken]
    distance = (corner[:, None] - corner).abs().amax(-1) + SIZE * torch.eye(7)
    assert float(distance.min()) >= SIZE
    assert windows.score[taken].diff().min() >= 0


def test_rings_are_seen_where_they_are_and_an_mtf_is_none(generator):
    ripple = {}
    for rms in (0.0, 0.1, 0.15):
        rate = 40 * (1 + thon_rings(generator, (768, 768), rms)).clamp(min=0)
        windows = score_windows(camera(rate, generator), torch.zeros(768, 768).bool(), 256)
        ripple[rms] = float(windows.rings.mean())
    assert ripple[0.0] == pytest.approx(0, abs=5e-3)
    # Counts have power 40 (1 + 40 rms^2 2 sin^2): a sine in the logarithm between 0 and 0.59 has
    # a mean square of 0.043, of which the cubic takes a part and the window's resolution another.
    assert 0.012 < ripple[0.1] < 0.043
    assert 2 < ripple[0.15] / ripple[0.1] < 4  # (ln 2.8 / ln 1.8)^2 = 3.1


def test_windows_with_rings_come_last(generator):
    rate = torch.full((512, 1024), 40.0)
    rate[:, 512:] *= (1 + thon_rings(generator, (512, 512), 0.15)).clamp(min=0)
    windows = score_windows(camera(rate, generator), torch.zeros(512, 1024).bool(), 256)
    taken = pick_windows(windows, 256, 3)
    assert all(windows.corner[i, 1] <= 256 for i in taken)


def test_bad_pixels_beyond_the_limit_refuse_a_window(generator):
    bad = NONE.clone()
    bad[200, 200:220] = True  # 20 of 16384 is above a thousandth
    bad[20, 20:30] = True  # 10 is below
    windows = score_windows(camera(torch.full((512, 512), 20.0), generator), bad, SIZE)
    assert math.isinf(score_of(windows, 128, 128))
    assert math.isfinite(score_of(windows, 0, 0))
    for index in pick_windows(windows, SIZE, 50):
        y, x = windows.corner[index].tolist()
        assert bad[y : y + SIZE, x : x + SIZE].double().mean() <= 1e-3


def test_picking_leaves_the_spectrum_of_noise_as_it_is(generator):
    image = torch.poisson(torch.full((1024, 1024), 20.0), generator=generator)
    windows = score_windows(image, torch.zeros(1024, 1024, dtype=torch.bool), SIZE)
    corners = windows.corner[pick_windows(windows, SIZE, 16)].tolist()
    crops = torch.stack([image[y : y + SIZE, x : x + SIZE] for y, x in corners]).double()
    power = power_spectrum(crops) / crops.mean((-2, -1))[:, None, None]
    _, rings = radial_average(power.mean(0), (SIZE, SIZE), 8)
    # 0.03 and 0.09 cycles/pixel: a quarter of the windows is picked for its low variance.
    assert float(rings[0]) == pytest.approx(0.96, abs=0.06)
    torch.testing.assert_close(rings[1:], torch.ones(7).double(), rtol=0, atol=0.03)
