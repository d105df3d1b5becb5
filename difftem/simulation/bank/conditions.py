"""What microscope, ice and sampling an item of a bank gets."""

import math
from dataclasses import dataclass, replace

from difftem.functional.solvent import ice_amplitude_contrast
from difftem.modules import Beam
from difftem.scene.synthetic.draw import Draw
from difftem.simulation.bank.config import BankConfig
from difftem.simulation.config import MicroscopeConfig
from difftem.units import mm_to_angstrom

_VOLTAGES = {300.0: 0.55, 200.0: 0.25, 120.0: 0.1, 100.0: 0.07, 80.0: 0.03}
_CS = {2.7: 0.7, 1.2: 0.15, 0.01: 0.15}
_IN_FOCUS, _OVERFOCUS, _PHASE_PLATE = 0.04, 0.05, 0.05
_ASTIGMATIC = 0.3
_UNDAMPED = 0.15


@dataclass(frozen=True)
class BankConditions:
    """Conditions of one micrograph.

    Attributes
    ----------
    microscope : MicroscopeConfig
        Beam and lens.
    pixel_size : float
        Å.
    ice_nm : float
        Thickness of the ice; 0 in vacuum.
    b_factor : float
        Å²; damps the image by exp(-B q²/4): motion and what else is not in the lens.
    contrast_scale : float
        What the image's contrast is multiplied by.
    full_band : bool
        Whether signal reaches Nyquist.
    """

    microscope: MicroscopeConfig
    pixel_size: float
    ice_nm: float
    b_factor: float
    contrast_scale: float
    full_band: bool

    @property
    def absorbing(self) -> float:
        """Fraction of the potential that absorbs."""
        return self.microscope.amplitude_contrast or 0.0


def draw_conditions(
    config: BankConfig,
    draw: Draw,
    pixel_size: tuple[float, float],  # Å
    thickness: float,  # Å
    *,
    materials: bool = False,
) -> BankConditions:
    """Draw the conditions of one micrograph.

    Parameters
    ----------
    config : BankConfig
        Its limits.
    draw : Draw
        Source of randomness.
    pixel_size : tuple of float
        Limits in Å that suit the specimen, cut to those of the recipe.
    thickness : float
        Least thickness of the ice in Å.
    materials : bool
        Atomic resolution: vacuum, small defocus, little damping.

    Returns
    -------
    BankConditions
        All drawn, whatever is used.
    """
    low, high = config.pixel_size
    pixel = draw.log_uniform(min(max(pixel_size[0], low), high), max(min(pixel_size[1], high), low))
    voltage = draw.weighted(_VOLTAGES)
    least = min(max(thickness / 10, config.ice_nm[0]), config.ice_nm[1])
    ice = draw.log_uniform(least, config.ice_nm[1])
    amplitude = float(ice_amplitude_contrast(Beam(voltage).energy)) * draw.uniform(0.7, 1.3)
    undamped = draw.chance(_UNDAMPED)
    b_factor = 0.0 if undamped else draw.log_uniform(5.0, 150.0)
    microscope = MicroscopeConfig(
        voltage_kv=voltage,
        cs_mm=draw.weighted(_CS),
        cc_mm=draw.uniform(1.4, 2.7),
        energy_spread_ev=draw.log_uniform(0.15, 1.0),
        source_semiangle_mrad=draw.log_uniform(0.003, 0.1),
        amplitude_contrast=amplitude,
        aperture_mrad=draw.uniform(8.0, 20.0) if draw.chance(0.4) else None,
    )
    microscope = _focused(microscope, config.defocus_um, draw)
    conditions = BankConditions(
        microscope,
        pixel,
        ice,
        b_factor,
        draw.log_uniform(0.6, 1.3),
        draw.chance(config.full_band),
    )
    return _at_atomic_resolution(conditions, draw) if materials else conditions


def _focused(
    microscope: MicroscopeConfig, limits: tuple[float, float], draw: Draw
) -> MicroscopeConfig:
    """Defocus, astigmatism and phase plate."""
    defocus, special = draw.uniform(*limits), draw.uniform(0.0, 1.0)
    phase = 0.0
    if special < _IN_FOCUS:
        defocus = draw.uniform(-0.05, 0.1)
    elif special < _IN_FOCUS + _OVERFOCUS:
        defocus = -defocus
    elif special < _IN_FOCUS + _OVERFOCUS + _PHASE_PLATE:
        defocus, phase = draw.uniform(0.0, 1.0), draw.uniform(40.0, 110.0)
    astigmatism = abs(defocus) * draw.log_uniform(0.01, 0.2) * draw.chance(_ASTIGMATIC)
    return replace(
        microscope,
        defocus_um=defocus,
        phase_shift_deg=phase,
        astigmatism_um=astigmatism,
        astigmatism_angle_deg=draw.uniform(0.0, 180.0),
    )


def _at_atomic_resolution(conditions: BankConditions, draw: Draw) -> BankConditions:
    """Conditions under which lattices are imaged."""
    microscope = conditions.microscope
    # Around Scherzer's focus: -1 to 4 times sqrt(Cs λ).
    scherzer = math.sqrt(
        mm_to_angstrom(microscope.cs_mm) * float(Beam(microscope.voltage_kv).wavelength)
    )
    microscope = replace(
        microscope,
        defocus_um=draw.uniform(-1.0, 4.0) * scherzer * 1e-4,
        phase_shift_deg=0.0,
        astigmatism_um=0.0,
        amplitude_contrast=draw.uniform(0.0, 0.1),
        energy_spread_ev=draw.uniform(0.1, 0.5),
        source_semiangle_mrad=draw.log_uniform(0.01, 0.3),
        aperture_mrad=draw.uniform(15.0, 35.0) if draw.chance(0.5) else None,
    )
    return replace(
        conditions,
        microscope=microscope,
        b_factor=conditions.b_factor * 0.05,
        ice_nm=conditions.ice_nm * draw.chance(0.2),
        full_band=True,
    )
