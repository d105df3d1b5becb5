"""From the configuration to the simulator: sampling, stages, detector."""

import math
from dataclasses import dataclass
from pathlib import Path

import torch

from difftem.atoms import Atoms
from difftem.functional.sampling import (
    delocalisation,
    good_fft_size,
    information_limit,
    thickest_slice,
)
from difftem.io.star import read_mtf_star
from difftem.modules import (
    Beam,
    Detector,
    Dose,
    IceSlab,
    Lens,
    Multislice,
    Pose,
    Potential,
    Simulator,
    TabulatedMTF,
)
from difftem.simulation.config import DetectorConfig, MicroscopeConfig, SimulateConfig
from difftem.simulation.particle import locate
from difftem.units import angstrom_to_nm, deg_to_rad, mm_to_angstrom, mrad_to_rad, um_to_angstrom

MAX_PADDING_FRACTION = 0.5
MIN_ICE_NM = 10.0
ICE_AMPLITUDE_CONTRAST = 0.07  # customary for proteins in ice at 300 kV
MAX_DEFOCUS_UM = 1000.0
MAX_SLICES = 100_000
# Room above and below the highest and lowest atom, Å.
MARGIN = 2.0


@dataclass(frozen=True)
class Sampling:
    """Numbers of the simulated field, chosen or given."""

    shape: tuple[int, int]  # (ny, nx) of the padded field
    crop: tuple[int, int]  # (ny, nx) of the micrograph
    pixel_size: float  # Å
    n_slices: int
    slice_thickness: float  # Å
    delocalisation: float  # Å
    information_limit: float  # 1/Å
    thickest_slice: float  # Å


def build_lens(config: MicroscopeConfig, pixel_size: float) -> Lens:
    """Objective lens of the configuration."""
    return Lens(
        pixel_size,
        defocus_um=config.defocus_um,
        cs_mm=config.cs_mm,
        astigmatism_um=config.astigmatism_um,
        astigmatism_angle_deg=config.astigmatism_angle_deg,
        aberrations=config.aberrations,
        phase_shift=deg_to_rad(config.phase_shift_deg),
        aperture_mrad=config.aperture_mrad,
        cc_mm=config.cc_mm,
        energy_spread_ev=config.energy_spread_ev,
        source_semiangle_mrad=config.source_semiangle_mrad,
    )


def build_detector(config: DetectorConfig, folders: list[Path]) -> Detector:
    """Detector of the configuration: a preset, changed where it says so."""
    preset = Detector.from_preset(config.preset)
    curve = preset.mtf
    if config.mtf is not None:
        frequency, value = read_mtf_star(locate(config.mtf, folders))
        curve = TabulatedMTF(torch.as_tensor(frequency), torch.as_tensor(value))

    def chosen(value: float | None, default: torch.Tensor) -> float:
        return float(default) if value is None else value

    dqe = chosen(config.dqe, preset.dqe0)
    if not 0 < dqe <= 1:
        raise ValueError(f"detector.dqe must be in (0, 1], got {dqe}")
    return Detector(
        mtf=curve,
        gain=chosen(config.gain, preset.gain),
        dqe0=dqe,
        read_noise=chosen(config.read_noise, preset.read_noise),
    )


def choose_sampling(atoms: Atoms, config: SimulateConfig, lens: Lens) -> Sampling:
    """Fill in what the configuration leaves open: slices and padding.

    Parameters
    ----------
    atoms : Atoms
        The whole specimen.
    config : SimulateConfig
        Its `sampling`, `microscope` and `exposure` are used.
    lens : Lens
        From `build_lens`.

    Returns
    -------
    Sampling
        Ready for `build_simulator`.
    """
    wanted, microscope = config.sampling, config.microscope
    nx, ny = wanted.size
    if nx < 8 or ny < 8:
        raise ValueError(f"sampling.size must be at least 8 x 8 pixels, got {nx} x {ny}")
    beam = Beam(microscope.voltage_kv)
    wavelength = float(beam.wavelength)
    aperture = microscope.aperture_mrad
    limit = information_limit(
        wavelength,
        wanted.pixel_size,
        float(lens.focal_spread(beam.energy)),
        None if aperture is None else mrad_to_rad(aperture),
    )
    thickest = thickest_slice(wavelength, limit)
    spread = delocalisation(
        wavelength, limit, um_to_angstrom(microscope.defocus_um), mm_to_angstrom(microscope.cs_mm)
    )
    padding = wanted.padding
    if padding is None:
        most = int(MAX_PADDING_FRACTION * max(nx, ny))
        padding = min(math.ceil(spread / wanted.pixel_size), most)
    if padding < 0:
        raise ValueError(f"sampling.padding must not be negative, got {padding} pixels")
    if not abs(microscope.defocus_um) <= MAX_DEFOCUS_UM:
        raise ValueError(
            f"microscope.defocus_um must be within {MAX_DEFOCUS_UM:g} µm, got "
            f"{microscope.defocus_um:g}; 1.5 means 1.5 µm"
        )
    height = _height(atoms, config) + 2 * MARGIN
    thickness = wanted.slice_thickness
    if thickness is None:
        n_slices = max(1, math.ceil(height / thickest))
        thickness = height / n_slices
    elif not thickness > 0:
        raise ValueError(f"sampling.slice_thickness must be positive, got {thickness} Å")
    else:
        n_slices = max(1, math.ceil(height / thickness))
    if n_slices > MAX_SLICES:
        raise ValueError(
            f"sampling.slice_thickness of {thickness:g} Å cuts {height:.0f} Å into {n_slices} "
            f"slices, at most {MAX_SLICES} are allowed"
        )
    return Sampling(
        shape=(good_fft_size(ny + 2 * padding), good_fft_size(nx + 2 * padding)),
        crop=(ny, nx),
        pixel_size=wanted.pixel_size,
        n_slices=n_slices,
        slice_thickness=thickness,
        delocalisation=spread,
        information_limit=limit,
        thickest_slice=thickest,
    )


def build_simulator(
    atoms: Atoms, config: SimulateConfig, sampling: Sampling, lens: Lens, detector: Detector
) -> Simulator:
    """Compose all stages for the specimen at tilt 0; the caller sets ``pose.tilt_deg``."""
    microscope, specimen = config.microscope, config.specimen
    in_ice = specimen.environment == "ice"
    contrast = microscope.amplitude_contrast
    if contrast is None:
        contrast = ICE_AMPLITUDE_CONTRAST if in_ice else 0.0
    potential = Potential(
        atoms,
        sampling.shape,
        sampling.pixel_size,
        sampling.n_slices,
        sampling.slice_thickness,
        table=config.sampling.table,
        solvated=in_ice,
        periodic=False,
        band_limit=config.sampling.potential_band_limit,
    )
    solvent = None
    if in_ice:
        needed = angstrom_to_nm(float(atoms.extent()[2]) + 2 * MARGIN)
        thickness = specimen.ice_thickness_nm
        solvent = IceSlab(
            max(needed, MIN_ICE_NM) if thickness is None else thickness,
            specimen.mean_free_path_nm,
        )
    return Simulator(
        potential,
        Multislice(
            sampling.pixel_size,
            sampling.slice_thickness,
            scattering=config.sampling.scattering,
            amplitude_contrast=contrast,
        ),
        lens,
        Dose(config.exposure.dose_e_per_a2, sampling.pixel_size),
        detector,
        beam=Beam(microscope.voltage_kv, microscope.beam_tilt_mrad),
        pose=Pose(tilt_axis_deg=config.exposure.tilt_axis_deg),
        solvent=solvent,
        shape=sampling.crop,
    )


def _height(atoms: Atoms, config: SimulateConfig) -> float:
    """Twice the largest distance of an atom from the middle plane over all tilts, Å."""
    exposure = config.exposure
    largest = 0.0
    for tilt in exposure.tilts_deg:
        pose = Pose(tilt_deg=tilt, tilt_axis_deg=exposure.tilt_axis_deg)
        largest = max(largest, float(pose(atoms.positions)[..., 2].abs().max()))
    return 2 * largest
