"""Exit waves of abTEM, an independent multislice code.

abTEM spreads its atoms bilinearly, so it runs on a grid eight times finer than ours on whose points
the atoms sit, with its anti-aliasing limit lowered to the same physical frequency; the waves are
compared inside it. What is left of abTEM's spreading is its sinc correction, 3e-4 at the limit.
"""

import math
from importlib.util import find_spec

import numpy as np
import pytest
import torch

from difftem.atoms import Atoms
from difftem.modules import Multislice, Potential
from tests.helpers.beam import beam_of
from tests.helpers.specimen import make_atoms, random_atoms, relative_rms

pytestmark = pytest.mark.skipif(
    None in (find_spec("abtem"), find_spec("ase")), reason="needs difftem[materials,peers]"
)

ENERGY = torch.tensor(200e3, dtype=torch.float64)
BEAM = beam_of(ENERGY)
PIXEL, N = 0.25, 64
N_SLICES, THICKNESS = 8, 2.0
FIELD, HEIGHT = N * PIXEL, N_SLICES * THICKNESS


def ours(atoms, table, factor):
    """Exit wave on a grid finer by a factor, its anti-aliasing at the same frequency."""
    shape, pixel_size = (N * factor, N * factor), PIXEL / factor
    potential = Potential(
        atoms, shape, pixel_size, N_SLICES, THICKNESS, table=table, band_limit=0.95
    )
    multislice = Multislice(
        pixel_size,
        THICKNESS,
        band_limit=2 / 3 / factor,
        taper=0.01 / factor,
        limit_transmission=True,
    )
    with torch.no_grad():
        return low_frequencies(multislice(potential(), BEAM), factor)


def low_frequencies(wave, factor):
    """Take the wave on a grid coarser by a factor; it has no higher frequencies."""
    spectrum = torch.fft.fftshift(torch.fft.fft2(wave))
    low = N * factor // 2 - N // 2
    spectrum = spectrum[low : low + N, low : low + N]
    return torch.fft.ifft2(torch.fft.ifftshift(spectrum)) / factor**2


def on_fine_grid(atoms):
    """Move atoms to the nearest point of the grid of abTEM: an eighth of our pixel."""
    positions = atoms.positions.clone()
    positions[:, :2] = (positions[:, :2] * 8 / PIXEL).round() * PIXEL / 8
    return Atoms(positions, atoms.atomic_numbers, atoms.b_factors, atoms.occupancies)


def parametrization(table, sigma):
    from abtem import parametrizations

    name, file = {
        "peng": ("PengParametrization", "peng_low.json"),
        "lobato": ("LobatoParametrization", "lobato.json"),
        "kirkland": ("KirklandParametrization", "kirkland.json"),
    }[table]
    return getattr(parametrizations, name)(file, sigmas=sigma)


def fine_config(factor):
    return {
        "precision": "float64",
        "antialias.cutoff": 2 / 3 / factor,
        "antialias.taper": 0.01 / factor,
        "diagnostics.progress_bar": False,
    }


def theirs(atoms, table, sigma):
    """Exit wave of abTEM on our grid, as (y, x)."""
    import abtem
    import ase

    origin = torch.tensor([N // 2 * PIXEL, N // 2 * PIXEL, HEIGHT / 2], dtype=torch.float64)
    specimen = ase.Atoms(
        numbers=atoms.atomic_numbers.numpy(),
        positions=(atoms.positions + origin).numpy(),
        cell=(FIELD, FIELD, HEIGHT),
        pbc=True,
    )
    with abtem.config.set(fine_config(8)):
        potential = abtem.Potential(
            specimen,
            gpts=N * 8,
            slice_thickness=THICKNESS,
            parametrization=parametrization(table, sigma),
            projection="infinite",
        )
        waves = abtem.PlaneWave(energy=200e3).multislice(potential).compute()
    return low_frequencies(torch.as_tensor(np.asarray(waves.array)).mT, 8)


def light_and_heavy(sigma):
    atoms = random_atoms(30, (FIELD, FIELD, HEIGHT), (1, 6, 7, 8, 16, 26, 79), seed=11)
    b = torch.full((30,), 8 * math.pi**2 * sigma**2, dtype=torch.float64)
    return on_fine_grid(Atoms(atoms.positions, atoms.atomic_numbers, b, atoms.occupancies))


def platinum(sigma):
    """Cut a cuboid from fcc platinum, a little off every grid."""
    a = 3.92
    corners = torch.cartesian_prod(*[torch.arange(3)] * 3)
    basis = torch.tensor([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    sites = (corners[:, None] + basis).reshape(-1, 3).double() - 1.25
    positions = a * sites + torch.tensor([0.07, -0.11, 0.03])
    return on_fine_grid(make_atoms(positions, [78] * len(sites), 8 * math.pi**2 * sigma**2))


@pytest.mark.parametrize("table", ["lobato", "kirkland", "peng"])
def test_exit_wave_of_light_and_heavy_atoms_is_that_of_abtem(table):
    # B = 4.9 Å²: smooth enough for pixels of 0.25 Å.
    sigma = 0.25
    atoms = light_and_heavy(sigma)
    got, expected = ours(atoms, table, 1), theirs(atoms, table, sigma)
    assert (got - 1).abs().max() > 0.5
    assert relative_rms(got - 1, expected - 1) < 2e-4


@pytest.mark.parametrize("table", ["lobato", "kirkland", "peng"])
def test_exit_wave_of_a_platinum_cluster_is_that_of_abtem(table):
    # B = 0.6 Å²: exp(iσv) has frequencies that 0.25 Å pixels fold back; half of that resolves it.
    sigma = 0.09
    atoms = platinum(sigma)
    assert len(atoms) == 108
    got, expected = ours(atoms, table, 2), theirs(atoms, table, sigma)
    assert (got - 1).abs().max() > 1.5
    assert relative_rms(got - 1, expected - 1) < 5e-4
    assert relative_rms(ours(atoms, table, 1) - 1, expected - 1) < 0.04


def test_multislice_of_abtem_makes_the_same_wave_of_our_potential():
    import abtem

    atoms = light_and_heavy(0.1)
    slices = Potential(atoms, (N, N), PIXEL, N_SLICES, THICKNESS, band_limit=0.95)()
    with abtem.config.set(fine_config(1)):
        potential = abtem.PotentialArray(
            slices.mT.numpy(), slice_thickness=THICKNESS, sampling=PIXEL
        )
        waves = abtem.PlaneWave(energy=200e3).multislice(potential).compute()
    expected = torch.as_tensor(np.asarray(waves.array)).mT
    got = Multislice(PIXEL, THICKNESS, limit_transmission=True)(slices, BEAM)
    assert relative_rms(got - 1, expected - 1) < 1e-5


def test_tilted_beam_of_abtem_makes_the_same_wave_of_our_potential():
    import abtem

    atoms = light_and_heavy(0.1)
    slices = Potential(atoms, (N, N), PIXEL, N_SLICES, THICKNESS, band_limit=0.95)()
    tilt = torch.tensor([6e-3, -4e-3], dtype=torch.float64)
    with abtem.config.set(fine_config(1)):
        potential = abtem.PotentialArray(
            slices.mT.numpy(), slice_thickness=THICKNESS, sampling=PIXEL
        )
        wave = abtem.PlaneWave(energy=200e3, tilt=tuple((1e3 * tilt).tolist()))
        waves = wave.multislice(potential).compute()
    expected = torch.as_tensor(np.asarray(waves.array)).mT
    got = Multislice(PIXEL, THICKNESS, limit_transmission=True)(slices, beam_of(ENERGY, tilt))
    straight = Multislice(PIXEL, THICKNESS, limit_transmission=True)(slices, BEAM)
    assert relative_rms(got - 1, straight - 1) > 0.02
    # abTEM takes the tangent of the angle.
    assert relative_rms(got - 1, expected - 1) < 1e-4
