"""What we do otherwise than TEM-simulator, as far as it matters for one input."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from difftem.io.files import read_bytes
from difftem.tem_simulator.files.contents import TemSimulatorInput
from difftem.tem_simulator.files.rules import needed
from difftem.tem_simulator.files.specimen import ParticleInput
from difftem.tem_simulator.outputs import made_particles

ALIGNED = 1e-6  # of a direction cosine
RECORD_LENGTH = 78  # characters that TEM-simulator wants in a line of an atom


@dataclass(frozen=True)
class StructureFacts:
    """What in a PDB file is read in different ways."""

    has_assembly: bool
    has_hydrogens: bool
    short_lines: int


def structure_facts(path: str | Path) -> StructureFacts:
    """Look through a PDB file."""
    operators = 0
    hydrogens, short = False, 0
    for line in read_bytes(path).decode("latin-1").splitlines():
        if line.startswith("REMARK 350   BIOMT1"):
            operators += 1
        elif line.startswith(("ATOM", "HETATM")):
            hydrogens |= line[76:78].strip() in ("H", "D")
            short += len(line) < RECORD_LENGTH
    return StructureFacts(operators > 1, hydrogens, short)


def structure_differences(simulation: TemSimulatorInput) -> list[str]:
    """Differences in the maps of structures, one line each."""
    notes = []
    for name, particle in made_particles(simulation).items():
        where = f"particle {name}"
        if particle.source == "pdb":
            path = needed(particle, "pdb_file_in")
            notes += [f"{where}: {line}" for line in _of_structure(particle, structure_facts(path))]
        if particle.source == "random" and particle.use_imag_pot:
            notes.append(f"{where}: its absorption is drawn independently of its potential")
        outputs = (particle.map_file_re_out, particle.map_file_im_out)
        if particle.source == "map" and any(outputs):
            notes.append(f"{where}: maps that were read from files are not written again")
        elif not particle.use_imag_pot and particle.map_file_im_out:
            notes.append(f"{where}: use_imag_pot = no makes no map_file_im_out")
        if particle.use_defocus_corr:
            notes.append(
                f"{where}: use_defocus_corr bends each projection onto the Ewald sphere; "
                "TEM-simulator's Laplacian takes one neighbour twice, which changes TMV's image "
                "by 0.9 % of its standard deviation"
            )
    return notes


def geometry_differences(
    rotations: Iterable[Tensor],  # (..., 3, 3)
) -> list[str]:
    """Differences in projecting each set's particles, so rotated to the microscope's frame."""
    for each in rotations:
        if bool((~_is_aligned(each.reshape(-1, 3, 3))).any()):
            return [
                "particles turned in the image plane are projected in place; TEM-simulator moves "
                "them by up to half a pixel"
            ]
    return []


def chance_differences(simulation: TemSimulatorInput) -> list[str]:
    """Say that random numbers are others, if there are any."""
    run = simulation.simulation
    drawn = any(each.source == "random" for each in made_particles(simulation).values())
    if run.generate_micrographs:
        _, geometry, beam, optics = simulation.micrograph_parts()
        drawn |= any(each.particle_coords != "file" for each in simulation.particlesets)
        drawn |= geometry.geom_errors == "random" or (beam.gen_dose and beam.dose_sd > 0)
        spread = optics.defocus_syst_error_um + optics.defocus_nonsyst_error_um
        drawn |= optics.gen_defocus and spread > 0
        drawn |= any(each.use_quantization for each in simulation.detectors)
    same = "random numbers are not those that TEM-simulator draws with the same rand_seed"
    return [same] if drawn else []


def _of_structure(particle: ParticleInput, facts: StructureFacts) -> list[str]:
    """Differences in reading one PDB file."""
    notes = []
    if facts.has_assembly and particle.pdb_transf_file_in is None:
        notes.append(
            "REMARK 350 (biological assembly) is not applied, as in TEM-simulator; "
            "give its transforms as pdb_transf_file_in"
        )
    if facts.short_lines:
        notes.append(
            f"{facts.short_lines} atoms in lines shorter than {RECORD_LENGTH} characters are read; "
            "TEM-simulator skips them"
        )
    if particle.add_hydrogen and facts.has_hydrogens:
        notes.append(
            "hydrogens of the file are replaced by those of add_hydrogen; TEM-simulator has both"
        )
    return notes


def _is_aligned(rotations: Tensor) -> Tensor:  # (n,)
    """Whether a projection's axes lie along those of the image."""
    beam = rotations[:, 2].abs()
    long_axis = torch.where(
        (beam[:, 2] > beam[:, 0]) & (beam[:, 2] > beam[:, 1]),
        2,
        torch.where(beam[:, 1] > beam[:, 0], 1, 0),
    )
    rest = torch.tensor([[1, 2], [0, 2], [0, 1]], device=rotations.device)[long_axis]
    block = rotations[:, :2].abs().gather(2, rest[:, None].expand(-1, 2, -1))
    straight = torch.maximum(block[:, 0, 1], block[:, 1, 0]) < ALIGNED
    crossed = torch.maximum(block[:, 0, 0], block[:, 1, 1]) < ALIGNED
    return straight | crossed
