"""What all scripts of `experiments.side_by_side` start from: not counted, the same for all."""

from pathlib import Path

import gemmi
import numpy as np
import torch

from difftem.functional.grid import band_limit_mask
from difftem.io.examples import example_structure
from difftem.io.mrc import write_mrc
from difftem.io.structure import read_structure
from difftem.modules import Beam, Detector, Lens, Multislice, Potential

STRUCTURE, OBSERVED, FLAT = "chain.pdb", "observed.npy", "flat.mrc"
B_FACTOR = 20.0  # Å², of every atom: abTEM has one width per element, so all get the same
SIZE, PIXEL, N_SLICES, THICKNESS = 128, 1.0, 4, 20.0  # pixels, Å, slices, Å
DEFOCUS_UM, CS_MM, DOSE = 1.5, 2.7, 30.0
CAMERA, FLAT_SIZE, FLAT_DOSE = "falcon4ec_300kv", 512, 30.0
BAND = 2 / 3  # of Nyquist: above it, waves of difftem and abTEM are empty


def write_inputs(folder: Path, flat_size: int = FLAT_SIZE) -> None:
    """Write one chain of apoferritin, an image of it with noise, and a flat field.

    Parameters
    ----------
    folder : Path
        Must exist.
    flat_size : int
        Side of the flat field in pixels.
    """
    _write_chain(folder / STRUCTURE)
    generator = torch.Generator().manual_seed(0)
    atoms = read_structure(folder / STRUCTURE)
    beam = Beam(300.0)
    potential = Potential(atoms, (SIZE, SIZE), PIXEL, N_SLICES, THICKNESS)
    lens = Lens(PIXEL, DEFOCUS_UM, CS_MM)
    with torch.no_grad():
        wave = Multislice(PIXEL, THICKNESS)(potential.slices(), beam)
        counts = torch.poisson(lens.intensity(wave, beam) * DOSE * PIXEL**2, generator)
        # Noise where one program has a signal and another none would tell their gradients apart.
        shared = band_limit_mask((SIZE, SIZE), BAND, 0.0)
        spectrum = torch.fft.fft2(counts / counts.mean()) * shared
        np.save(folder / OBSERVED, torch.fft.ifft2(spectrum).real.float().numpy())
        electrons = torch.full((flat_size, flat_size), FLAT_DOSE)
        detector = Detector.from_preset(CAMERA)
        flat = detector(torch.poisson(electrons, generator), electrons, generator)
    write_mrc(folder / FLAT, flat.numpy(), PIXEL)


def true_mtf(frequency: torch.Tensor) -> torch.Tensor:
    """Noise transfer of the camera that took the flat field, at frequencies in cycles/pixel."""
    detector = Detector.from_preset(CAMERA)
    with torch.no_grad():
        return (detector.ntf or detector.mtf)(frequency)


def _write_chain(path: Path) -> None:
    """Write the first chain without hydrogens and waters, its centre of mass at the origin."""
    structure = gemmi.read_structure(str(example_structure()))
    structure.setup_entities()
    structure.remove_hydrogens()
    structure.remove_ligands_and_waters()
    for name in [chain.name for chain in structure[0]][1:]:
        structure[0].remove_chain(name)
    structure.assemblies.clear()
    center = structure[0].calculate_center_of_mass()
    for site in structure[0].all():
        site.atom.pos -= center
        site.atom.b_iso, site.atom.occ = B_FACTOR, 1.0
    structure.write_pdb(str(path))
