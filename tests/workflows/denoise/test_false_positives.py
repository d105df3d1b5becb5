"""Blank windows, thresholds and what is marked."""

import math

import pytest
import torch
from scipy import ndimage

from difftem.functional.grid import frequency_grid, radius
from difftem.functional.mtf import apply_transfer
from difftem.workflows.denoise.false_positives import FalsePositives, find_false_positives
from difftem.workflows.denoise.mark import mark
from difftem.workflows.denoise.scales import on_scales, surface


def blurred(exposures, electrons, generator):
    """A denoiser that cannot be fooled about what it does: a Gaussian of 2 pixels."""
    q = radius(frequency_grid(tuple(exposures.shape[-2:]), 1.0, half=True)).float()
    return apply_transfer(exposures.mean(0), torch.exp(-2 * (2 * math.pi * q) ** 2))


def disc(shape, y, x, r):
    rows, columns = torch.arange(shape)[:, None], torch.arange(shape)
    return (((rows - y) ** 2 + (columns - x) ** 2) < r**2).float()


def test_fresh_blanks_exceed_the_thresholds_less_than_once_in_a_megapixel(generator):
    exposures = torch.randn(1, 512, 512, generator=generator)
    found = find_false_positives(blurred, exposures, 20.0, generator, area_mpx=0.4)
    thresholds = found.thresholds()
    regions, area = 0, 0.0
    for _ in range(12):
        fresh = blurred(torch.randn(1, 512, 512, generator=generator), 20.0, None)
        regions, area = regions + mark(fresh, thresholds).n_regions, area + fresh.numel() / 1e6
    assert regions / area < 1


def test_thresholds_are_not_far_above_what_noise_reaches(generator):
    exposures = torch.randn(1, 512, 512, generator=generator)
    found = find_false_positives(blurred, exposures, 20.0, generator, area_mpx=0.4)
    sharp = found.thresholds()[0.0]
    highest = max(
        float(blurred(torch.randn(1, 512, 512, generator=generator), 1.0, None).abs().max())
        for _ in range(10)
    )
    assert 0.9 * highest < sharp < 1.3 * highest


def test_a_particle_is_marked_and_its_surroundings_are_not(generator):
    n = 512
    truth = 0.4 * disc(n, 200, 300, 30)
    noisy = truth + torch.randn(1, n, n, generator=generator)
    found = find_false_positives(blurred, noisy, 20.0, generator, area_mpx=0.1)
    marked = mark(blurred(noisy, 20.0, None), found.thresholds())
    inside = disc(n, 200, 300, 25).bool()
    assert marked.mask[inside].float().mean() > 0.8
    assert marked.mask[disc(n, 200, 300, 80) == 0].float().mean() < 0.001
    assert marked.n_regions == ndimage.label(marked.mask.numpy(), torch.ones(3, 3).numpy())[1]


def test_windows_hold_no_specimen(generator):
    values = 3 * torch.randn(1, 512, 512, generator=generator)
    found = find_false_positives(
        lambda exposures, m, g: exposures[0], values, 50.0, generator, with_background=False
    )
    assert 0.15 < found.windows.float().mean() < 0.35
    assert abs(found.blank[found.windows].std() - 1) < 0.2  # of 3, softly at the edges
    assert found.blank[~found.windows].std() > 2


def test_the_background_is_in_the_windows(generator):
    q = radius(frequency_grid((512, 512), 1.0, half=True)).float()
    ice = apply_transfer(torch.randn(512, 512, generator=generator), 2.0 * (q < 0.1))
    values = (ice + torch.randn(512, 512, generator=generator))[None]
    found = find_false_positives(lambda e, m, g: e[0], values, 50.0, generator, area_mpx=0.05)
    assert abs(found.blank[found.windows].std() / values.std() - 1) < 0.05


def test_exposures_are_blank_in_the_same_places(generator):
    values = torch.randn(4, 256, 256, generator=generator)
    found = find_false_positives(
        lambda e, m, g: e.mean(0), values, 50.0, generator, area_mpx=0.02, with_background=False
    )
    assert abs(found.blank[found.windows].std() - 0.5) < 0.05


def test_a_tail_is_continued_where_the_area_is_small():
    heights = -torch.log((torch.arange(1000) + 0.5) / 1000)  # an exponential's quantiles
    found = FalsePositives({0.0: heights}, 1.0, torch.zeros(2, 2), torch.zeros(2, 2).bool())
    assert found.thresholds(0.1)[0.0] == pytest.approx(math.log(1000 / 0.1), rel=0.1)
    assert found.thresholds(100.0)[0.0] == pytest.approx(math.log(1000 / 100), rel=0.02)


def test_a_method_that_leaves_nothing_has_thresholds_of_zero():
    found = FalsePositives({0.0: torch.zeros(0)}, 1.0, torch.zeros(2, 2), torch.zeros(2, 2).bool())
    assert found.thresholds() == {0.0: 0.0}
    assert mark(torch.zeros(64, 64), found.thresholds()).n_regions == 0


def test_uneven_light_is_taken_off_before_heights_are_compared():
    y, x = torch.linspace(-1, 1, 300)[:, None], torch.linspace(-1, 1, 200)
    light = 0.3 + 0.5 * y - 0.2 * x + 0.4 * x * y + 0.1 * y**2 + 0 * x
    assert (surface(light) - light).abs().max() < 1e-5
    particle = 5 * disc(300, 100, 100, 10)[:, :200]
    assert (surface(light + particle) - light).abs().max() < 0.02


def test_blurs_wider_than_a_twentieth_of_the_side_are_left_out():
    assert [sigma for sigma, _ in on_scales(torch.zeros(100, 400))] == [0.0, 2.0, 4.0]
