import numpy as np
import pytest
import torch

from difftem.analysis.spectrum import power_spectrum
from difftem.micrograph.bad_pixels import find_bad_pixels, replace_bad_pixels
from tests.helpers.rings import radial_average


@pytest.mark.parametrize("dose", [0.02, 0.5, 3.0, 30.0, 3000.0])
def test_counted_electrons_of_any_dose_are_good(generator, dose):
    image = torch.poisson(torch.full((1024, 1024), dose), generator=generator)
    assert int(find_bad_pixels(image).sum()) <= 4  # of a million


def test_hot_dead_and_infinite_pixels_are_found_and_nothing_else(generator):
    image = torch.poisson(torch.full((512, 512), 400.0), generator=generator)
    image += torch.linspace(0, 200, 512)  # illumination
    planted = torch.zeros(512, 512, dtype=torch.bool)
    for (y, x), value in {
        (3, 4): torch.nan,
        (0, 511): torch.inf,
        (100, 100): -torch.inf,
        (200, 77): 5000.0,
        (200, 78): 900.0,
        (511, 0): 0.0,
    }.items():
        image[y, x] = value
        planted[y, x] = True
    planted[300, 40:60] = True
    image[300, 40:60] = 0.0
    torch.testing.assert_close(find_bad_pixels(image), planted)


def test_a_bad_pixel_becomes_the_mean_of_its_good_neighbours():
    image = torch.arange(49.0).reshape(7, 7)
    bad = torch.zeros(7, 7, dtype=torch.bool)
    bad[3, 3] = bad[3, 4] = bad[0, 0] = True
    image[bad] = torch.nan
    good = replace_bad_pixels(image, bad)
    assert float(good[3, 3]) == pytest.approx(float(image[1:6, 1:6].nanmean()))
    assert float(good[0, 0]) == pytest.approx(float(image[:3, :3].nanmean()))
    torch.testing.assert_close(good[~bad], image[~bad])
    assert replace_bad_pixels(good, torch.zeros_like(bad)) is good


def test_a_dead_block_is_filled_from_further_away():
    image = torch.full((128, 128), 5.0)
    bad = torch.zeros(128, 128, dtype=torch.bool)
    bad[20:60, 20:60] = True
    assert np.ptp(replace_bad_pixels(torch.where(bad, torch.nan, image), bad).numpy()) < 1e-5


def test_replacing_a_thousandth_changes_the_spectrum_by_a_thousandth(generator):
    image = torch.poisson(torch.full((512, 512), 100.0), generator=generator).double()
    spoilt = image.clone()
    where = torch.randperm(512 * 512, generator=generator)[:262]
    spoilt.view(-1)[where] = 1e5
    bad = find_bad_pixels(spoilt)
    assert int(bad.sum()) == 262
    mended = replace_bad_pixels(spoilt, bad)
    _, before = radial_average(power_spectrum(image), (512, 512), 8)
    _, after = radial_average(power_spectrum(mended), (512, 512), 8)
    torch.testing.assert_close(after, before, rtol=5e-3, atol=0)


def test_a_dead_block_and_a_dead_column_do_not_hide_themselves(generator):
    image = torch.poisson(torch.full((512, 512), 100.0), generator=generator)
    planted = torch.zeros(512, 512, dtype=torch.bool)
    planted[100:140, 100:140] = planted[:, 300] = True
    image[planted] = 0.0
    torch.testing.assert_close(find_bad_pixels(image), planted)
