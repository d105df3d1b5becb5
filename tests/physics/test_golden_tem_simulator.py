"""The expected counts of TEM-simulator's TMV example, untilted, from our stages.

The golden image is of the C program (version 1.3). With that program's hydrogens of isoleucine and
its cut Gaussians we differ by 5e-6 of its standard deviation; whole Gaussians make 0.04 %, the
right hydrogens 0.14 %. The box averages of its projections are made here: placing a particle in a
scene is another stage's business.
"""

import functools
import math

import numpy as np
import pytest
import torch

from difftem.atoms import Atoms
from difftem.functional.dose import expected_counts
from difftem.functional.grid import frequency_grid, radius
from difftem.functional.inelastic import coarse_angular_step
from difftem.functional.particle_map import fill_with_ice, map_grid, without_border_mean
from difftem.functional.pose import rotation_from_vector
from difftem.functional.soft_potential import copied_positions, soft_potential
from difftem.io.structure import read_structure, read_transforms
from difftem.modules import Beam, Lens
from difftem.modules.holey_ice import HoleyIce
from difftem.modules.inelastic import InelasticMultislice

PIXELS, PIXEL = 440, 5.0  # 400 and 20 of padding on each side, Å
DEFOCUS = 5e4  # Å
APERTURE_MRAD = 50 / 2 / 3  # 50 µm across, focal length 3 mm
STEP_MRAD = 1e3 * coarse_angular_step(PIXEL, DEFOCUS)
BEAM = Beam(torch.tensor(200.0, dtype=torch.float64))
FILM = HoleyIce(
    PIXEL,
    hole_diameter_nm=1000.0,
    center_thickness_nm=50.0,
    edge_thickness_nm=100.0,
    mean_free_path_nm=None,
    aperture_mrad=APERTURE_MRAD,
    angular_step_mrad=STEP_MRAD,
    between_pixels=True,
)


def isoleucine_as_in_c(path, atoms):
    """Three hydrogens on CG1 and two on CG2 of every ILE, which that program has the other way."""
    counts = {}
    for line in path.read_text().splitlines():
        if line.startswith("ATOM") and line[17:20] == "ILE" and line[12:16] in (" CG1", " CG2"):
            xyz = tuple(float(line[i : i + 8]) for i in (30, 38, 46))
            counts[xyz] = (3 if line[15] == "1" else 2) * float(line[54:60])
    occupancies = atoms.occupancies.clone()
    places = [tuple(round(x, 3) for x in p) for p in atoms.positions.double().tolist()]
    for i, (place, z) in enumerate(zip(places, atoms.atomic_numbers.tolist(), strict=True)):
        if z == 1 and place in counts:
            occupancies[i] = counts[place]
    return Atoms(atoms.positions, atoms.atomic_numbers, atoms.b_factors, occupancies)


@pytest.fixture(scope="module")
def folder(request):
    return request.getfixturevalue("shared_data") / "temsim" / "predetector_nocorr"


@pytest.fixture(scope="module")
def atoms(folder):
    path = folder / "2OM3.pdb"
    right = read_structure(path, hydrogens="implicit", assembly="none")
    return right, isoleucine_as_in_c(path, right)


@pytest.fixture(scope="module")
def copies(folder):
    return read_transforms(folder / "2OM3_transf.txt")


@functools.cache
def filled(atoms, copies, cut_exponent):
    """Map of the TMV fragment in ice, 1 Å voxels."""
    shape, center = map_grid(copied_positions(atoms.positions, copies), 1.0)
    assert shape == (120, 199, 199)
    assert center.tolist() == pytest.approx([0.014725, 0.047704, 30.007999], abs=1e-5)
    raw = soft_potential(atoms, 1.0, shape, center, BEAM.energy, copies, cut_exponent)
    return fill_with_ice(raw, BEAM.energy)


def box_average(image, center):
    """Average an image of 1 Å pixels over the field's pixels, its centre at (x, y) in Å."""
    averaged = image
    for axis, middle in ((0, center[1]), (1, center[0])):
        n = image.shape[axis]
        low = torch.arange(n, dtype=torch.float64) - n / 2 + middle
        left = (torch.arange(PIXELS, dtype=torch.float64) - PIXELS / 2)[:, None] * PIXEL
        overlap = torch.minimum(low + 1, left + PIXEL) - torch.maximum(low, left)
        overlap = (overlap.clamp(min=0) / PIXEL).to(image.dtype)
        averaged = torch.tensordot(overlap, averaged, dims=([1], [axis]))
        averaged = averaged if axis == 0 else averaged.T
    return averaged


def projections(volume):
    """Projected potential of the example's three particles in V Å, tilt 0."""
    along_z, along_y = volume.sum(0), volume.sum(1)  # (y, x), (z, x)
    placed = [
        box_average(along_z, (-500.0, 50.0)),
        box_average(along_y.flip(0), (0.0, 50.0)),  # turned by 90° about x: y' = -z
        box_average(along_y.T, (500.0, 50.0)),  # and by 90° about z: x' = z, y' = x
    ]
    return sum(placed)


def counts_of(values):
    """Expected counts of the example with a particle of this map."""
    slices = [projections(values.to(torch.complex128))]
    defocus = torch.tensor(DEFOCUS, dtype=torch.float64)
    inelastic = InelasticMultislice(PIXEL, APERTURE_MRAD, angular_step_mrad=STEP_MRAD)
    wave, scattered = inelastic(slices, [0.0], defocus, BEAM)
    lens = Lens(
        PIXEL,
        defocus_um=DEFOCUS / 1e4,
        cs_mm=2.0,
        cc_mm=2.0,
        energy_spread_ev=1.3 / math.sqrt(2),
        source_semiangle_mrad=0.1 / math.sqrt(2),
        aperture_mrad=APERTURE_MRAD,
        aperture_softness_mrad=1e-6,
    ).double()
    q = radius(frequency_grid((PIXELS, PIXELS), PIXEL))
    transfer = lens.transfer((PIXELS, PIXELS), BEAM) * (q < 0.5 / PIXEL)
    elastic = torch.fft.ifft2(torch.fft.fft2(wave) * transfer).abs() ** 2
    untilted = torch.eye(3, dtype=torch.float64)
    through = FILM(elastic + scattered, BEAM, untilted, defocus)
    counts = expected_counts(through, torch.tensor(1.0, dtype=torch.float64), PIXEL)
    return counts[20:-20, 20:-20].numpy()


def test_the_maps_are_those_of_the_c_program(atoms, copies):
    values = filled(atoms[1], copies, 10.0)
    # Of the written maps; temsim.md section 11.
    real, imaginary = values.real.double(), values.imag.double()
    statistics = [real.min(), real.max(), real.mean(), real.std()]
    assert statistics == pytest.approx([4.87746, 12.15253, 5.350843, 1.189110], rel=5e-6)
    statistics = [imaginary.min(), imaginary.max(), imaginary.mean(), imaginary.std()]
    assert statistics == pytest.approx([0.8244815, 1.480525, 0.8481095, 0.0793524], rel=2e-5)


@pytest.mark.parametrize(
    ("as_in_c", "cut_exponent", "limit"), [(1, 10.0, 2e-5), (1, None, 6e-4), (0, None, 2e-3)]
)
def test_expected_counts_are_those_of_the_c_program(
    folder, atoms, copies, as_in_c, cut_exponent, limit
):
    counts = counts_of(without_border_mean(filled(atoms[as_in_c], copies, cut_exponent)))
    golden = np.load(folder / "predet.npy")[1]
    assert counts.mean() == pytest.approx(golden.mean(), rel=1e-5)
    error = (counts - counts.mean()) - (golden - golden.mean())
    assert error.std() < limit * golden.std()


@pytest.mark.parametrize(("exposure", "tilt_deg"), [(0, -2.0), (1, 0.0), (2, 2.0)])
def test_film_far_from_the_particles_is_that_of_the_c_program_at_every_tilt(
    folder, exposure, tilt_deg
):
    golden = np.load(folder / "predet.npy")
    tilt = rotation_from_vector(torch.tensor([math.radians(tilt_deg), 0.0, 0.0]).double())
    vacuum = torch.ones(PIXELS, PIXELS, dtype=torch.float64)
    film = FILM(vacuum, BEAM, tilt, torch.tensor(DEFOCUS).double())[20:-20, 20:-20]
    edges = [slice(0, 15), slice(-15, None)]  # 90 nm from the particles; their ripples average out
    for rows in edges:
        difference = PIXEL**2 * film.numpy()[rows] - golden[exposure, rows]
        assert abs(difference.mean()) < 2e-5
        if exposure != 1:  # the tilt makes the film thicker: a hundred times that
            assert (golden[exposure, rows] - golden[1, rows]).mean() < -1.8e-3
