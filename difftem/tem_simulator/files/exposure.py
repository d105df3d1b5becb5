"""Dose and defocus of each image."""

import torch
from torch import Tensor

from difftem.io.errors import input_error
from difftem.tem_simulator.files.microscope import ElectronBeam, Optics
from difftem.tem_simulator.files.rows import read_rows
from difftem.tem_simulator.files.rules import needed
from difftem.units import per_nm2_to_per_angstrom2, um_to_angstrom


def tilt_doses(
    beam: ElectronBeam, n_tilts: int, generator: torch.Generator | None = None
) -> Tensor:  # (n_tilts,) electrons/Å²
    """Dose of each image, generated or from a file.

    A generated dose is total_dose / n_tilts, or dose_per_im if there is no total_dose, times
    max(0, N(1, dose_sd)).

    Parameters
    ----------
    beam : ElectronBeam
        The component.
    n_tilts : int
        How many images.
    generator : torch.Generator, optional
        Source of the spread.

    Returns
    -------
    Tensor
        Electrons/Å², float64, shape ``(n_tilts,)``.

    Raises
    ------
    InputError
        If the file is no text matrix, has too few rows or a negative dose.
    """
    if not beam.gen_dose:
        path = needed(beam, "dose_file_in")
        doses = read_rows(path, 1, n_tilts)[:, 0]
        if bool((doses < 0).any()):
            row = int((doses < 0).nonzero()[0]) + 1
            raise input_error(path, f"row {row}: a dose must be from 0, got {doses[row - 1]:g}")
        return per_nm2_to_per_angstrom2(doses)
    if beam.total_dose_per_nm2 is not None:
        mean = beam.total_dose_per_nm2 / n_tilts
    else:
        mean = needed(beam, "dose_per_im_per_nm2")
    doses = torch.full((n_tilts,), mean, dtype=torch.float64)
    if beam.dose_sd > 0:
        normal = torch.randn(n_tilts, generator=generator, dtype=torch.float64)
        doses = doses * (1 + beam.dose_sd * normal).clamp(min=0)
    return per_nm2_to_per_angstrom2(doses)


def tilt_defoci(
    optics: Optics, n_tilts: int, generator: torch.Generator | None = None
) -> Tensor:  # (n_tilts,) Å
    """Defocus of each image, generated or from a file.

    A generated defocus is the nominal one plus an error common to all images,
    N(0, defocus_syst_error), plus one of each image, N(0, defocus_nonsyst_error).

    Parameters
    ----------
    optics : Optics
        The component.
    n_tilts : int
        How many images.
    generator : torch.Generator, optional
        Source of the errors.

    Returns
    -------
    Tensor
        Å, underfocus positive, float64, shape ``(n_tilts,)``.

    Raises
    ------
    InputError
        If the file is no text matrix or has too few rows.
    """
    if not optics.gen_defocus:
        path = needed(optics, "defocus_file_in")
        return um_to_angstrom(read_rows(path, 1, n_tilts)[:, 0])
    defoci = torch.full((n_tilts,), needed(optics, "defocus_nominal_um"), dtype=torch.float64)
    if optics.defocus_syst_error_um > 0:
        common = torch.randn(1, generator=generator, dtype=torch.float64)
        defoci = defoci + optics.defocus_syst_error_um * common
    if optics.defocus_nonsyst_error_um > 0:
        single = torch.randn(n_tilts, generator=generator, dtype=torch.float64)
        defoci = defoci + optics.defocus_nonsyst_error_um * single
    return um_to_angstrom(defoci)
