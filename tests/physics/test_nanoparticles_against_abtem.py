"""Exit waves of cuts of nanoparticles, beside abTEM's.

As in `test_against_abtem`: abTEM spreads atoms bilinearly, so they sit on points of its grid, which
is finer than ours; both programs let waves of the same frequencies through.
"""

from importlib.util import find_spec

import numpy as np
import pytest
import torch

from difftem.atoms import Atoms
from difftem.modules import Beam, Multislice, Potential
from difftem.scene.nanoparticle.nanoparticle import draw_nanoparticle, tilted
from tests.helpers.nanoparticle_set import MODELS
from tests.helpers.specimen import relative_rms
from tests.physics.test_against_abtem import fine_config, parametrization

pytestmark = pytest.mark.skipif(
    None in (find_spec("abtem"), find_spec("ase")), reason="needs difftem[materials,peers]"
)

FIELD, POINTS = 7.9744, 512  # Å; points of abTEM's grid along it
N_SLICES, THICKNESS = 8, 1.0
BEAM = Beam(300.0).double()


def cut(part):
    """Atoms in a cube about a place in a model, on abTEM's points."""
    model = draw_nanoparticle(MODELS, 3)
    seen, columns = tilted(model, 2.0, -1.5), model.columns
    names = columns.region_names
    region = {"surface": "particle"}.get(part, part)
    chosen = torch.tensor([name == region for name in names]) & (columns.atomic_numbers > 20)
    places = seen.columns.positions[chosen]
    # Of a surface, the highest column; else one in the middle.
    order = places[:, 1] if part == "surface" else (places - places.mean(0)).norm(dim=1)
    x, y = places[order.argmin()].tolist()
    positions = seen.atoms.positions.double() - torch.tensor([x, y, 0.0], dtype=torch.float64)
    half = torch.tensor([FIELD / 2 - 0.6, FIELD / 2 - 0.6, 3.9])
    inside = (positions.abs() < half).all(1)
    step = FIELD / POINTS
    positions = positions[inside]
    positions[:, :2] = (positions[:, :2] / step).round() * step
    atoms = seen.atoms.select(inside).to(dtype=torch.float64)
    assert float(atoms.b_factors.min()) >= 0.3
    return Atoms(positions, atoms.atomic_numbers, atoms.b_factors, atoms.occupancies)


def ours(atoms, n):
    potential = Potential(
        atoms, (n, n), FIELD / n, N_SLICES, THICKNESS, table="lobato", band_limit=0.95
    )
    multislice = Multislice(FIELD / n, THICKNESS, limit_transmission=True)
    with torch.no_grad():
        return multislice(potential(), BEAM)


def theirs(atoms, n):
    import abtem
    import ase.data

    sigmas = {
        ase.data.chemical_symbols[number]: (b / 8 / np.pi**2) ** 0.5
        for number, b in zip(atoms.atomic_numbers.tolist(), atoms.b_factors.tolist(), strict=True)
    }
    middle = n // 2 * FIELD / n
    origin = torch.tensor([middle, middle, N_SLICES * THICKNESS / 2], dtype=torch.float64)
    specimen = ase.Atoms(
        numbers=atoms.atomic_numbers.numpy(),
        positions=(atoms.positions + origin).numpy(),
        cell=(FIELD, FIELD, N_SLICES * THICKNESS),
        pbc=True,
    )
    with abtem.config.set(fine_config(POINTS // n)):
        potential = abtem.Potential(
            specimen,
            gpts=POINTS,
            slice_thickness=THICKNESS,
            parametrization=parametrization("lobato", sigmas),
            projection="infinite",
        )
        waves = abtem.PlaneWave(energy=300e3).multislice(potential).compute()
    spectrum = torch.fft.fftshift(torch.fft.fft2(torch.as_tensor(np.asarray(waves.array)).mT))
    low = POINTS // 2 - n // 2
    spectrum = spectrum[low : low + n, low : low + n]
    return torch.fft.ifft2(torch.fft.ifftshift(spectrum)) * (n / POINTS) ** 2


# At 0.125 Å per pixel a few atoms of Pt alone, at the surface, are 3.6e-3 apart.
CASES = [
    *((part, n) for part in ("particle", "interface", "support") for n in (128, 64)),
    ("surface", 128),
]


@pytest.mark.parametrize(("part", "n"), CASES)
def test_exit_wave_of_a_cut_is_that_of_abtem(part, n):
    atoms = cut(part)
    assert len(atoms) >= 8
    got, expected = ours(atoms, n), theirs(atoms, n)
    found = relative_rms(got - 1, expected - 1)
    print(f"{part}, {len(atoms)} atoms, {FIELD / n:.4f} Å/pixel: {found:.1e}")
    assert float((got - 1).abs().max()) > 0.5
    assert found < {128: 2e-4, 64: 3e-3}[n]
