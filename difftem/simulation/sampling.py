"""From the configuration to the simulated field: padding and slices."""

import math
from dataclasses import dataclass

import torch

from difftem.atoms import Atoms
from difftem.functional.coherence import focal_spread
from difftem.functional.sampling import (
    delocalisation,
    good_fft_size,
    information_limit,
    thickest_slice,
)
from difftem.modules import Beam, Stage
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

MAX_PADDING = 1.0  # of the longer side
SLICE_THICKNESS_NM = 50.0  # of particles, whose depth in a slice counts besides
# Room above and below the highest and lowest atom, Å.
MARGIN = 2.0
# Pixels of the waves over those of a micrograph whose signal reaches Nyquist: it ends at 1/3 of a
# cycle per pixel of the waves, and a soft edge takes a tenth of that.
FINER = 3, 5


@dataclass(frozen=True)
class PaddedField:
    """Pixels of a simulated field, and what they are chosen from."""

    shape: tuple[int, int]  # (ny, nx) of the padded field
    crop: tuple[int, int]  # (ny, nx) of the micrograph
    pixel_size: float  # Å
    wave_shape: tuple[int, int]  # (ny, nx) of the padded field in the waves' pixels
    wave_pixel_size: float  # Å
    delocalisation: float  # Å
    information_limit: float  # 1/Å

    @property
    def is_finer(self) -> bool:
        """Whether waves have smaller pixels than the micrograph."""
        return self.wave_pixel_size < self.pixel_size

    @property
    def band_end(self) -> float:
        """Highest frequency in 1/Å that the pixels carry."""
        return 1 / ((2 if self.is_finer else 3) * self.pixel_size)


@dataclass(frozen=True)
class Sampling(PaddedField):
    """Pixels and slices of simulated atoms."""

    n_slices: int
    slice_thickness: float  # Å
    thickest_slice: float  # Å


def optics_limit(microscope: MicroscopeConfig) -> float:
    """Highest frequency in 1/Å that aperture and temporal coherence let pass."""
    beam, aperture = Beam(microscope.voltage_kv), microscope.aperture_mrad
    spread = focal_spread(
        beam.energy,
        torch.tensor(mm_to_angstrom(microscope.cc_mm)),
        torch.tensor(microscope.energy_spread_ev),
        torch.zeros(()),
        torch.zeros(()),
    )
    angle = None if aperture is None else mrad_to_rad(aperture)
    return information_limit(float(beam.wavelength), float(spread), angle)


def wave_pixel_size(wanted: SamplingConfig, microscope: MicroscopeConfig) -> float:
    """Pixel size of the waves in Å: smaller than the micrograph's if signal is to reach Nyquist.

    That is not needed where intensities, of twice the frequencies of the waves, end before it.
    """
    if wanted.band == "fast" or 4 * wanted.pixel_size * optics_limit(microscope) <= 1:
        return wanted.pixel_size
    return wanted.pixel_size * FINER[0] / FINER[1]


def particle_slice_thickness(wanted: SamplingConfig) -> float:
    """Thickness in Å of a slice of particles, which are cut between slices or lie in one."""
    thickness = wanted.slice_thickness_nm
    return nm_to_angstrom(SLICE_THICKNESS_NM if thickness is None else thickness)


def choose_field(wanted: SamplingConfig, microscope: MicroscopeConfig) -> PaddedField:
    """Pad the micrograph by the delocalisation, unless the configuration says how much.

    Parameters
    ----------
    wanted : SamplingConfig
        As configured.
    microscope : MicroscopeConfig
        Its voltage, defocus, astigmatism, Cs, Cc, aperture, source and beam tilt count.

    Returns
    -------
    PaddedField
        Sides that FFTs are fast for.
    """
    wave_pixel = wave_pixel_size(wanted, microscope)
    finer = wave_pixel != wanted.pixel_size
    limit = min(1 / ((2 if finer else 3) * wanted.pixel_size), optics_limit(microscope))
    spread = max(
        delocalisation(
            float(Beam(microscope.voltage_kv).wavelength),
            limit,
            um_to_angstrom(microscope.defocus_um + sign * microscope.astigmatism_um),
            mm_to_angstrom(microscope.cs_mm),
            mrad_to_rad(microscope.source_semiangle_mrad),
        )
        for sign in (-1, 1)
    )
    # A tilted beam also moves the image.
    spread += mrad_to_rad(math.hypot(*microscope.beam_tilt_mrad)) * abs(
        um_to_angstrom(microscope.defocus_um)
    )
    nx, ny = wanted.size
    padding = wanted.padding
    if padding is None:
        most = int(MAX_PADDING * max(nx, ny))
        padding = min(math.ceil(spread / wanted.pixel_size), most)
    few, many = FINER if finer else (1, 1)
    shape = tuple(good_fft_size(n + 2 * padding, 2 * few) for n in (ny, nx))
    return PaddedField(
        shape=(shape[0], shape[1]),
        crop=(ny, nx),
        pixel_size=wanted.pixel_size,
        wave_shape=(shape[0] // few * many, shape[1] // few * many),
        wave_pixel_size=wave_pixel,
        delocalisation=spread,
        information_limit=limit,
    )


def choose_sampling(atoms: Atoms | None, config: SimulateConfig, stage: Stage) -> Sampling:
    """Fill in what the configuration leaves open: padding and slices.

    Parameters
    ----------
    atoms : Atoms or None
        The whole specimen; None where there is no particle.
    config : SimulateConfig
        Its `sampling` and `microscope` are used.
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
    field = choose_field(config.sampling, config.microscope)
    thickest = thickest_slice(
        float(Beam(config.microscope.voltage_kv).wavelength), field.information_limit
    )
    height = (0.0 if atoms is None else _height(atoms, stage)) + 2 * MARGIN
    wanted = config.sampling.slice_thickness_nm
    thickness = thickest if wanted is None else nm_to_angstrom(wanted)
    n_slices = 1 if atoms is None else max(1, math.ceil(height / thickness))
    if wanted is None:
        thickness = height / n_slices
    if n_slices > MAX_SLICES:
        raise ValueError(
            f"sampling.slice_thickness_nm of {angstrom_to_nm(thickness):g} cuts "
            f"{angstrom_to_nm(height):.0f} nm into {n_slices} slices, at most {MAX_SLICES} are "
            "allowed; see difftem docs sampling"
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
