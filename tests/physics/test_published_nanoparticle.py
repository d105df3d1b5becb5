"""The oxide in the published clean image of Pt on CeO2, against ours."""

import math

import numpy as np
import pytest
import tifffile
import torch
from scipy.ndimage import gaussian_filter, zoom
from skimage.feature import match_template

from difftem.atoms import Atoms
from difftem.functional.pose import rotation_from_vector
from difftem.scene.nanoparticle.support import cut_support
from difftem.scene.synthetic.draw import Draw
from difftem.simulation.nanoparticles.exit_wave import exit_waves
from difftem.simulation.nanoparticles.focus_series import focus_series
from difftem.simulation.nanoparticles.imaging import NanoparticleImaging

IMAGING = NanoparticleImaging(size=256, source_nodes=1)
PIXEL = 0.0489  # Å, of the published image, by the lattice of CeO2
ROWS, COLUMNS = slice(530, 860), slice(60, 560)  # of the oxide, without what is near the surface
OVERFOCUS_UM = [-0.005, -0.0065, -0.008]


def oxide(thickness, tilt_deg):
    """The whole field full of CeO2, tilted about x."""
    sites = cut_support(thickness, 25.0, 50.0, None, Draw(torch.Generator().manual_seed(1)))
    positions = torch.from_numpy(sites.positions - np.array([0.0, 25.0, 0.0])).float()
    numbers = torch.from_numpy(sites.atomic_numbers)
    b_factors = torch.where(numbers == 8, 0.6, 0.4)
    atoms = Atoms(positions, numbers, b_factors, torch.ones(len(numbers)))
    return atoms.rotated(rotation_from_vector(torch.tensor([math.radians(tilt_deg), 0.0, 0.0])))


@pytest.fixture
def correlation(shared_data):
    """Correlation coefficient with the published oxide, at the best place, of a focus series."""
    published = tifffile.imread(shared_data / "nanoparticles" / "ptceo2_clean.tif")
    scale = PIXEL / IMAGING.pixel_size
    # Nothing is lost: the blur is a twentieth of the distance between columns.
    small = zoom(gaussian_filter(published.astype(np.float64), 0.8), scale, order=3)
    rows, columns = (
        slice(int(each.start * scale), int(each.stop * scale)) for each in (ROWS, COLUMNS)
    )

    def of(thickness, tilt_deg, defoci_um, blur=0.5):
        waves = exit_waves(oxide(thickness, tilt_deg), IMAGING)
        blurs = [blur] * len(defoci_um)
        images = focus_series(waves, defoci_um, blurs, IMAGING, thickness / 2)
        return [float(match_template(each, small[rows, columns]).max()) for each in images.numpy()]

    return of


def test_the_published_oxide_is_ours_at_5_to_8_nm_overfocus_and_3_degrees(correlation):
    overfocus = correlation(38.0, 3.0, OVERFOCUS_UM)
    (underfocus,) = correlation(38.0, 3.0, [0.0065])
    assert min(overfocus) > 0.98
    assert max(overfocus) > 0.995
    assert underfocus < 0.8  # the sign of the defocus
    for thickness in (34.0, 42.0):
        (found,) = correlation(thickness, 3.0, OVERFOCUS_UM[1:2])
        assert found > 0.98


def test_the_published_oxide_is_neither_untilted_nor_sharp(correlation):
    (untilted,) = correlation(38.0, 0.0, [-0.0065])
    (sharp,) = correlation(38.0, 3.0, [-0.005], blur=0.0)
    assert untilted < 0.5
    assert sharp < 0.9
