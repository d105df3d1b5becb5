"""Warnings about sampling that clips or aliases, each with the number that would do."""

import math

import torch

from difftem.atoms import Atoms
from difftem.constants.scattering import PENG_END, TableName
from difftem.simulation.config import MicroscopeConfig, SamplingConfig
from difftem.simulation.sampling import MARGIN, PaddedField, Sampling, optics_limit
from difftem.simulation.simulate_config import SimulateConfig
from difftem.units import angstrom_to_nm, mrad_to_rad, nm_to_angstrom

# Atoms heavier than this have peaks of more than a radian; where they are a tenth of all atoms, the
# Debye-Waller factor must fall below this at the band limit (2 % error of the wave there).
HEAVY_ATOM = 20
HEAVY_SHARE = 0.1
SHARP = 0.6
ROOM_TEMPERATURE_B = 0.5


def sampling_advice(
    atoms: Atoms, config: SimulateConfig, sampling: Sampling, wavelength: float
) -> list[str]:
    """Say what the chosen sampling cannot do.

    Parameters
    ----------
    atoms : Atoms
        The whole specimen.
    config : SimulateConfig
        As given.
    sampling : Sampling
        As chosen.
    wavelength : float
        In Å.

    Returns
    -------
    list of str
        One line each; empty if all is well.
    """
    checks = (
        _field(atoms, sampling),
        padding_advice(sampling),
        _slices(sampling),
        _aperture(config, sampling, wavelength),
        _sharp_atoms(atoms, config, sampling),
        _ice(atoms, config),
        _detector(config),
        table_advice(
            config.sampling.table,
            config.sampling.potential_band_limit / 2 / sampling.wave_pixel_size,
        ),
    )
    return [f"{line}; see difftem docs sampling" for line in checks if line is not None]


def _field(atoms: Atoms, sampling: Sampling) -> str | None:
    """Atoms beyond the edge of the micrograph."""
    half = torch.tensor(sampling.crop[::-1]) * sampling.pixel_size / 2
    reach = atoms.positions[:, :2].abs()
    outside = int((reach > half).any(-1).sum())
    if outside == 0:
        return None
    need = [2 * math.ceil(float(r) / sampling.pixel_size) + 2 for r in reach.amax(0)]
    return (
        f"{outside} of {len(atoms)} atoms lie outside the micrograph; "
        f"sampling.size [{need[0]}, {need[1]}] would hold them all"
    )


def padding_advice(sampling: PaddedField) -> str | None:
    """Say whether fringes wrap around into the micrograph.

    Parameters
    ----------
    sampling : PaddedField
        As chosen.

    Returns
    -------
    str or None
        One line; None if all is well.
    """
    margin = min((s - c) // 2 for s, c in zip(sampling.shape, sampling.crop, strict=True))
    needed = math.ceil(sampling.delocalisation / sampling.pixel_size)
    if margin >= needed:
        return None
    return (
        f"detail is delocalised by {sampling.delocalisation:.0f} Å, more than the {margin} px of "
        f"padding: fringes wrap around; sampling.padding {needed} would do"
    )


def _slices(sampling: Sampling) -> str | None:
    """Slices so thick that the beam spreads inside them."""
    if sampling.slice_thickness <= sampling.thickest_slice * 1.001:
        return None
    return (
        f"slices of {angstrom_to_nm(sampling.slice_thickness):.3g} nm err by more than 0.1 rad at "
        f"{1 / sampling.information_limit:.2g} Å resolution; sampling.slice_thickness_nm "
        f"{angstrom_to_nm(sampling.thickest_slice):.2g} would do"
    )


def band_advice(sampling: SamplingConfig, microscope: MicroscopeConfig) -> str | None:
    """Say where the signal of a fast simulation ends.

    Parameters
    ----------
    sampling, microscope
        As configured.

    Returns
    -------
    str or None
        One line; None if the pixels carry what the optics pass.
    """
    end = 1 / (3 * sampling.pixel_size)
    if sampling.band == "full" or optics_limit(microscope) <= end:
        return None
    return (
        f"sampling.band fast: signal ends at {1 / end:.3g} Å, 1/3 of a cycle per pixel; 'full' "
        f"reaches {2 * sampling.pixel_size:.3g} Å"
    )


def _aperture(config: SimulateConfig, sampling: Sampling, wavelength: float) -> str | None:
    """Tell of an aperture that passes more than the pixels can carry."""
    aperture = config.microscope.aperture_mrad
    if aperture is None:
        return None
    finest = wavelength / mrad_to_rad(aperture)
    if sampling.band_end * finest >= 1 or config.sampling.band == "fast":
        return None
    return (
        f"the aperture passes {finest:.2g} Å detail, {sampling.pixel_size:g} Å pixels end at "
        f"{1 / sampling.band_end:.2g} Å; sampling.pixel_size {finest / 2:.2g} would do"
    )


def _sharp_atoms(atoms: Atoms, config: SimulateConfig, sampling: Sampling) -> str | None:
    """Heavy atoms that vibrate too little for the pixels, so that their phases alias."""
    heavy = atoms.atomic_numbers > HEAVY_ATOM
    if float(heavy.float().mean()) < HEAVY_SHARE:
        return None
    b_factor = float(atoms.b_factors[heavy].median())
    limit = config.sampling.potential_band_limit / 2 / sampling.wave_pixel_size
    if math.exp(-b_factor * limit**2 / 4) < SHARP:
        return None
    finest = math.sqrt(-4 * math.log(SHARP) * 1.05 / max(b_factor, ROOM_TEMPERATURE_B))
    pixel_size = config.sampling.potential_band_limit / 2 / finest
    pixel_size *= sampling.pixel_size / sampling.wave_pixel_size
    need = [f"sampling.pixel_size {pixel_size:.2g}"]
    if b_factor < ROOM_TEMPERATURE_B:
        need.append(f"structure.b_factor {ROOM_TEMPERATURE_B} (room temperature)")
    return (
        f"heavy atoms of B = {b_factor:.2g} Å² are sharper than the band limit of "
        f"{sampling.pixel_size:g} Å pixels; {' with '.join(need)} would do"
    )


def table_advice(
    table: TableName | None,
    limit: float,  # 1/Å
) -> str | None:
    """Tell of scattering factors that were asked for and end before the potential does."""
    if table != "peng" or limit <= PENG_END:
        return None
    return (
        f"Peng's scattering factors end at {PENG_END:g} 1/Å, the potential at {limit:.2g} 1/Å; "
        "sampling.table lobato would do"
    )


def _ice(atoms: Atoms, config: SimulateConfig) -> str | None:
    """Particles that stick out of the ice."""
    thickness = config.ice.thickness_nm
    if not config.ice.present or thickness is None:
        return None
    height = float(atoms.extent()[2])
    if nm_to_angstrom(thickness) >= height:
        return None
    needed = math.ceil((height + 2 * MARGIN) / 10)
    return (
        f"the particles are {height:.0f} Å high and stick out of {thickness:g} nm of ice; "
        f"ice.thickness_nm {needed} would do"
    )


def _detector(config: SimulateConfig) -> str | None:
    """Tell of a detector curve that belongs to another voltage."""
    preset, voltage = config.detector.preset, config.microscope.voltage_kv
    if not preset.endswith("_300kv") or config.detector.mtf is not None or abs(voltage - 300) < 1:
        return None
    return (
        f"the curve of {preset} was measured at 300 kV, not at {voltage:g} kV; detector.mtf with "
        "a curve of your camera would do"
    )
