"""From the configuration to the simulated field: padding and slices."""

import math
from dataclasses import dataclass

from difftem.atoms import Atoms
from difftem.functional.sampling import (
    delocalisation,
    good_fft_size,
    information_limit,
    thickest_slice,
)
from difftem.modules import Beam, Lens, Stage
from difftem.simulation.config import MicroscopeConfig, SamplingConfig
from difftem.simulation.limits import MAX_SLICES
from difftem.simulation.simulate_config import SimulateConfig
from difftem.units import (
    angstrom_to_nm,
    mm_to_angstrom,
    mrad_to_rad,
    nm_to_angstrom,
    um_to_angstrom,
)

MAX_PADDING = 1 / 2  # of the longer side
# Room above and below the highest and lowest atom, Å.
MARGIN = 2.0


@dataclass(frozen=True)
class PaddedField:
    """Pixels of a simulated field, and what they are chosen from."""

    shape: tuple[int, int]  # (ny, nx) of the padded field
    crop: tuple[int, int]  # (ny, nx) of the micrograph
    pixel_size: float  # Å
    delocalisation: float  # Å
    information_limit: float  # 1/Å


@dataclass(frozen=True)
class Sampling(PaddedField):
    """Pixels and slices of simulated atoms."""

    n_slices: int
    slice_thickness: float  # Å
    thickest_slice: float  # Å


def choose_field(
    wanted: SamplingConfig,
    microscope: MicroscopeConfig,
    lens: Lens,
    max_padding: float = MAX_PADDING,
) -> PaddedField:
    """Pad the micrograph by the delocalisation, unless the configuration says how much.

    Parameters
    ----------
    wanted : SamplingConfig
        As configured.
    microscope : MicroscopeConfig
        Its voltage, defocus, Cs and aperture count.
    lens : Lens
        Of that microscope.
    max_padding : float
        Largest padding as a fraction of the longer side.

    Returns
    -------
    PaddedField
        Sides that FFTs are fast for.
    """
    beam = Beam(microscope.voltage_kv)
    wavelength, aperture = float(beam.wavelength), microscope.aperture_mrad
    limit = information_limit(
        wavelength,
        wanted.pixel_size,
        float(lens.focal_spread(beam.energy)),
        None if aperture is None else mrad_to_rad(aperture),
    )
    spread = delocalisation(
        wavelength, limit, um_to_angstrom(microscope.defocus_um), mm_to_angstrom(microscope.cs_mm)
    )
    nx, ny = wanted.size
    padding = wanted.padding
    if padding is None:
        most = int(max_padding * max(nx, ny))
        padding = min(math.ceil(spread / wanted.pixel_size), most)
    return PaddedField(
        shape=(good_fft_size(ny + 2 * padding), good_fft_size(nx + 2 * padding)),
        crop=(ny, nx),
        pixel_size=wanted.pixel_size,
        delocalisation=spread,
        information_limit=limit,
    )


def choose_sampling(atoms: Atoms, config: SimulateConfig, lens: Lens, stage: Stage) -> Sampling:
    """Fill in what the configuration leaves open: padding and slices.

    Parameters
    ----------
    atoms : Atoms
        The whole specimen.
    config : SimulateConfig
        Its `sampling` and `microscope` are used.
    lens : Lens
        Of that microscope.
    stage : Stage
        All its positions must fit into the slices.

    Returns
    -------
    Sampling
        Of the field.

    Raises
    ------
    ValueError
        If there would be too many slices.
    """
    field = choose_field(config.sampling, config.microscope, lens)
    thickest = thickest_slice(
        float(Beam(config.microscope.voltage_kv).wavelength), field.information_limit
    )
    height = _height(atoms, stage) + 2 * MARGIN
    wanted = config.sampling.slice_thickness_nm
    thickness = thickest if wanted is None else nm_to_angstrom(wanted)
    n_slices = max(1, math.ceil(height / thickness))
    if wanted is None:
        thickness = height / n_slices
    if n_slices > MAX_SLICES:
        raise ValueError(
            f"sampling.slice_thickness_nm of {angstrom_to_nm(thickness):g} cuts "
            f"{angstrom_to_nm(height):.0f} nm into {n_slices} slices, at most {MAX_SLICES} are "
            "allowed"
        )
    return Sampling(
        **vars(field), n_slices=n_slices, slice_thickness=thickness, thickest_slice=thickest
    )


def _height(atoms: Atoms, stage: Stage) -> float:
    """Twice the largest distance of an atom from the middle plane over all tilts, Å."""
    largest = 0.0
    for tilt in range(len(stage)):
        largest = max(largest, float(stage(atoms.positions, tilt)[..., 2].abs().max()))
    return 2 * largest
