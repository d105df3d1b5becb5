"""From the configuration to the stages of the microscope."""

import logging
from pathlib import Path
from typing import Literal

import torch

from difftem.atoms import Atoms
from difftem.constants.scattering import PENG_END
from difftem.functional.lens import ABERRATIONS
from difftem.functional.solvent import ice_amplitude_contrast
from difftem.io.star import read_mtf_star
from difftem.modules import (
    Beam,
    Detector,
    Dose,
    FlatIce,
    HoleyIce,
    Lens,
    Multislice,
    ParticleSpecimen,
    Potential,
    Simulator,
    Stage,
    TabulatedMTF,
)
from difftem.modules.mtf import MTF, IdealMTF
from difftem.simulation.config import DetectorConfig, MicroscopeConfig
from difftem.simulation.ice_config import IceConfig
from difftem.simulation.sampling import MARGIN, Sampling
from difftem.simulation.seed import item_seed
from difftem.simulation.simulate_config import SimulateConfig
from difftem.simulation.structured_ice import in_structured_ice
from difftem.units import angstrom_to_nm, deg_to_rad

logger = logging.getLogger(__name__)

MIN_ICE_NM = 10.0


def build_beam(config: MicroscopeConfig) -> Beam:
    """Beam of the configuration."""
    return Beam(config.voltage_kv, config.beam_tilt_mrad)


def build_lens(config: MicroscopeConfig, pixel_size: float) -> Lens:
    """Objective lens of the configuration."""
    unknown = sorted(set(config.aberrations) - set(ABERRATIONS))
    if unknown:
        raise ValueError(
            f"microscope.aberrations: unknown {', '.join(unknown)}; known are "
            f"{', '.join(ABERRATIONS)}"
        )
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


def build_detector(config: DetectorConfig) -> Detector:
    """Detector of the configuration: a preset, changed where it says so."""
    try:
        preset = Detector.from_preset(config.preset)
    except ValueError as error:
        raise ValueError(str(error).replace("detector preset", "detector.preset")) from error
    curve = preset.mtf if config.mtf is None else _read_curve(config.mtf, config.mtf_nyquist)
    noise = preset.ntf
    if config.ntf is not None:
        noise = None if config.ntf == "mtf" else _noise_curve(config)
    elif config.mtf is not None:
        kind = "white" if noise is not None else "blurred by that MTF, too"
        other = "mtf" if noise is not None else "ideal"
        logger.info(
            f"{Path(config.mtf).name}: the MTF; the noise is {kind}, as of {config.preset} "
            f"(detector.ntf {other} changes that)"
        )

    def chosen(value: float | None, default: torch.Tensor) -> float:
        return float(default) if value is None else value

    return Detector(
        mtf=curve,
        ntf=noise,
        gain=chosen(config.gain, preset.gain),
        dqe0=chosen(config.dqe, preset.dqe0),
        read_noise=chosen(config.read_noise, preset.read_noise),
    )


def _noise_curve(config: DetectorConfig) -> MTF:
    """NTF by its word or file."""
    if config.ntf in (None, "ideal"):
        return IdealMTF()
    return _read_curve(str(config.ntf), config.mtf_nyquist, "NTF")


def _read_curve(path: str, nyquist: float, kind: Literal["MTF", "NTF"] = "MTF") -> MTF:
    """MTF or NTF of a file."""
    frequency, value = read_mtf_star(path, nyquist, kind)
    return TabulatedMTF(torch.as_tensor(frequency), torch.as_tensor(value))


def build_ice(
    config: IceConfig, thickness_nm: float, pixel_size: float
) -> FlatIce | HoleyIce | None:
    """Ice around the particles, or None for vacuum.

    Parameters
    ----------
    config : IceConfig
        As configured.
    thickness_nm : float
        Of the ice in nm, in the centre of a hole if there is one.
    pixel_size : float
        In Å.

    Returns
    -------
    FlatIce, HoleyIce or None
        For `Simulator`.
    """
    if not config.present:
        return None
    path: float | Literal["measured"]
    path = "measured" if config.mean_free_path_nm is None else config.mean_free_path_nm
    if config.hole_diameter_nm is None:
        return FlatIce(thickness_nm, path, density_g_per_cm3=config.density_g_per_cm3)
    edge = config.edge_thickness_nm
    return HoleyIce(
        pixel_size,
        config.hole_diameter_nm,
        thickness_nm,
        thickness_nm if edge is None else edge,
        mean_free_path_nm=path,
    )


def amplitude_contrast(config: MicroscopeConfig, in_ice: bool = True) -> float:
    """Fraction of the potential that absorbs, as configured or as is customary at the voltage."""
    if config.amplitude_contrast is not None:
        return config.amplitude_contrast
    usual = float(ice_amplitude_contrast(Beam(config.voltage_kv).energy)) if in_ice else 0.0
    if usual >= 1:
        raise ValueError(
            "microscope.amplitude_contrast must be given for ice at microscope.voltage_kv "
            f"{config.voltage_kv:g} kV: what is usual at 300 kV would be {usual:.3g} there; see "
            "difftem docs ice"
        )
    return usual


def ice_thickness_nm(atoms: Atoms | None, config: IceConfig) -> float:
    """Thickness of the ice around atoms, as configured or as they need it."""
    if config.thickness_nm is not None:
        return config.thickness_nm
    height = 0.0 if atoms is None else float(atoms.extent()[2])
    return max(angstrom_to_nm(height + 2 * MARGIN), MIN_ICE_NM)


def build_simulator(
    atoms: Atoms | None,
    config: SimulateConfig,
    sampling: Sampling,
    lens: Lens,
    detector: Detector,
    stage: Stage,
) -> Simulator:
    """Compose all stages for a specimen of atoms, or None for a field without a particle."""
    in_ice = config.ice.present
    pixel_size = sampling.wave_pixel_size
    ice = build_ice(config.ice, ice_thickness_nm(atoms, config.ice), sampling.pixel_size)
    return Simulator(
        in_structured_ice(
            _specimen(atoms, config, sampling),
            ice,
            config.ice,
            config.exposure.dose_e_per_a2,
            item_seed(config.seed, 0, "ice"),
        ),
        Multislice(
            pixel_size,
            sampling.slice_thickness,
            scattering=config.sampling.scattering,
            amplitude_contrast=amplitude_contrast(config.microscope, in_ice),
        ),
        lens,
        Dose(config.exposure.dose_e_per_a2, sampling.pixel_size),
        detector,
        beam=build_beam(config.microscope),
        stage=stage,
        ice=ice,
        shape=sampling.crop,
        pixel_size=sampling.pixel_size if sampling.is_finer else None,
    )


def _specimen(
    atoms: Atoms | None, config: SimulateConfig, sampling: Sampling
) -> Potential | ParticleSpecimen:
    """Potential of the atoms, or a specimen of no particles."""
    shape, pixel_size = sampling.wave_shape, sampling.wave_pixel_size
    if atoms is None:
        return ParticleSpecimen({}, (), shape, pixel_size, sampling.slice_thickness)
    potential = Potential(
        atoms,
        shape,
        pixel_size,
        sampling.n_slices,
        sampling.slice_thickness,
        table=config.sampling.table,
        solvated=config.ice.present,
        ice_density_g_per_cm3=config.ice.density_g_per_cm3,
        periodic=False,
        band_limit=config.sampling.potential_band_limit,
    )
    if config.sampling.table is None and potential.table != "peng":
        logger.info(
            f"scattering factors of {potential.table} (sampling.table): the potential reaches "
            f"beyond {PENG_END:g} 1/Å, where those of peng end"
        )
    return potential
