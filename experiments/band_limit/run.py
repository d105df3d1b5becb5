"""Compare band limits against a reference on an eight times finer grid.

Run ``python -m experiments.band_limit.run`` (a minute on two CPU cores); it prints the table of
``docs/explanation/physics.md``.
"""

import torch
from torch import Tensor
from tqdm import tqdm

from difftem.atoms import Atoms
from difftem.functional.grid import band_limit_mask
from difftem.modules import Beam, Multislice, Potential

N, PIXEL, N_SLICES, THICKNESS = 256, 0.05, 10, 2.0
FINER = 8
WAVE_BAND = 2 / 3
ATOMS = {"Pt, B = 0": (78, 0.0), "Pt, B = 0.5 Å²": (78, 0.5)}
ATOMS |= {"C, B = 0": (6, 0.0), "C, B = 20 Å²": (6, 20.0)}
CHOICES = {
    "v to 2/3 (default)": (2 / 3, False),
    "v to 2/3, T limited": (2 / 3, True),
    "v to 0.95, T limited": (0.95, True),
    "v to 0.95": (0.95, False),
}


def specimen(atomic_number: int, b_factor: float) -> Atoms:
    """Forty atoms at random in the field."""
    generator = torch.Generator().manual_seed(0)
    n = 40
    box = torch.tensor([N * PIXEL, N * PIXEL, N_SLICES * THICKNESS], dtype=torch.float64)
    positions = (torch.rand(n, 3, generator=generator, dtype=torch.float64) - 0.5) * box
    return Atoms(
        positions,
        torch.full((n,), atomic_number),
        torch.full((n,), b_factor, dtype=torch.float64),
        torch.ones(n, dtype=torch.float64),
    )


def spectrum(atoms: Atoms, finer: int, band: float, wave_band: float, limited: bool) -> Tensor:
    """Fourier transform of the exit wave on an N-pixel grid, inside the common band."""
    n, pixel = N * finer, PIXEL / finer
    beam = Beam(300.0)
    potential = Potential(
        atoms, (n, n), pixel, N_SLICES, THICKNESS, table="lobato", band_limit=band, taper=0.0
    )
    multislice = Multislice(
        pixel, THICKNESS, band_limit=wave_band, taper=0.0, limit_transmission=limited
    )
    with torch.no_grad():
        wave = multislice(potential.slices(), beam)
    centered = torch.fft.fftshift(torch.fft.fft2(wave, norm="forward"))
    start = (n - N) // 2
    cropped = torch.fft.ifftshift(centered[start : start + N, start : start + N])
    return cropped * band_limit_mask((N, N), WAVE_BAND, 0.0, dtype=torch.float64)


def main() -> None:
    """Print the table as Markdown."""
    print("| atoms | " + " | ".join(CHOICES) + " |")
    print("| --- " * (len(CHOICES) + 1) + "|")
    for name, (atomic_number, b_factor) in tqdm(ATOMS.items(), desc="specimens"):
        atoms = specimen(atomic_number, b_factor)
        truth = spectrum(atoms, FINER, 0.9, 0.9, False)
        scattered = truth.clone()
        scattered[0, 0] -= 1
        errors = []
        for band, limited in CHOICES.values():
            wave = spectrum(atoms, 1, band, WAVE_BAND, limited)
            errors.append(float((wave - truth).norm() / scattered.norm()))
        tqdm.write(f"| {name} | " + " | ".join(f"{error:.1e}" for error in errors) + " |")


if __name__ == "__main__":
    main()
