import itertools

import pytest
import torch

from difftem.modules import Lens, Multislice, Potential
from tests.helpers.beam import beam_of
from tests.helpers.specimen import make_atoms

ENERGY = torch.tensor(200e3, dtype=torch.float64)


@pytest.fixture(scope="module")
def image():
    """Calculate figure 5.12 of Kirkland (2010): C, Si, Cu, Au, U at 200 kV in projection."""
    x = torch.linspace(-20, 20, 5, dtype=torch.float64)
    atoms = make_atoms(torch.stack([x, 0 * x, 0 * x], -1), [6, 14, 29, 79, 92], 0.0)
    pixel_size = 50 / 512
    potential = Potential(atoms, (512, 512), pixel_size, 1, 8.0, table="kirkland", band_limit=0.95)
    beam = beam_of(ENERGY)
    # One slice without propagation: its band limit does not matter behind the aperture.
    wave = Multislice(pixel_size, 1e-9)(potential(), beam)
    lens = Lens(
        pixel_size,
        defocus_um=0.07,
        cs_mm=1.3,
        cc_mm=0.0,
        aperture_mrad=10.37,
        aperture_softness_mrad=1e-3,
    )
    return lens.intensity(wave, beam)


def test_intensity_of_the_five_atom_image_has_the_published_range(image):
    # 0.72 to 1.03 as printed: two digits. abTEM's tests hold the same numbers.
    assert round(image.min().item(), 2) == 0.72
    assert round(image.max().item(), 2) == 1.03


def test_five_atoms_are_dark_and_the_darker_the_heavier(image):
    centers = [image[256, round((5 + 10 * i) / 50 * 512)].item() for i in range(5)]
    assert centers[0] < 0.99
    assert all(a > b for a, b in itertools.pairwise(centers))
    assert centers[4] == pytest.approx(image.min().item(), abs=1e-4)
