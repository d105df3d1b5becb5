import numpy as np
import pytest
import torch

from difftem.functional.structured_ice import draw_ice_contrast
from experiments.ice_spectrum.spectra import Spectrum, radial_spectrum, ring_excess

RING, BESIDE = [0.245, 0.295], [[0.205, 0.225], [0.315, 0.335]]


def test_counted_electrons_have_the_power_of_one_over_the_dose(generator):
    image = torch.poisson(torch.full((512, 512), 20.0), generator=generator)
    spectrum = radial_spectrum(image, 0.8, 128)
    excess, level = ring_excess(spectrum, RING, BESIDE)
    assert level == pytest.approx(0.8**2 / 20, rel=0.02)
    assert abs(excess) < 0.03 * level


def test_the_ring_of_drawn_ice_grows_with_its_thickness(generator):
    found = []
    for thickness in (200.0, 600.0):
        contrast = draw_ice_contrast(
            (512, 512), 0.8, thickness=thickness, defocus_um=1.0, exposure=40.0, generator=generator
        )
        found.append(ring_excess(radial_spectrum(1 + contrast, 0.8, 128), RING, BESIDE)[0])
    assert found[1] / found[0] == pytest.approx(3.0, rel=0.1)


def test_a_spectrum_that_ends_before_the_ring_is_refused():
    with pytest.raises(ValueError, match=r"no ring between 0\.315 and 0\.335"):
        ring_excess(Spectrum(np.linspace(0, 0.31, 50), np.ones(50)), RING, BESIDE)
