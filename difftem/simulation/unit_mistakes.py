"""Numbers that were given in another unit: which one it was, and what they would be."""

from difftem.simulation.config import ExposureConfig, MicroscopeConfig
from difftem.simulation.ice_config import IceConfig

# By the name of a field: its unit, what is usual, and how many of another unit make one.
_LENGTH_MM = ("mm", (0.05, 30.0), {"Å": 1e7, "µm": 1e3, "nm": 1e6, "m": 1e-3})
_LENGTH_NM = ("nm", (1.0, 2e3), {"Å": 10.0, "m": 1e-9, "µm": 1e-3})
_USUAL: dict[str, tuple[str, tuple[float, float], dict[str, float]]] = {
    "voltage_kv": ("kV", (20.0, 3e3), {"V": 1e3, "MV": 1e-3}),
    "cs_mm": _LENGTH_MM,
    "cc_mm": _LENGTH_MM,
    "defocus_um": ("µm", (0.3, 30.0), {"Å": 1e4, "nm": 1e3, "m": 1e-6}),
    "astigmatism_um": ("µm", (0.001, 1.0), {"Å": 1e4, "nm": 1e3, "m": 1e-6}),
    "dose_e_per_a2": ("e/Å²", (0.1, 1e5), {"e/nm²": 100.0, "e/m²": 1e20}),
    "thickness_nm": _LENGTH_NM,
    "ice_thickness_nm": _LENGTH_NM,
    "edge_thickness_nm": _LENGTH_NM,
    "slice_thickness_nm": ("nm", (0.05, 200.0), {"Å": 10.0, "m": 1e-9}),
    "mean_free_path_nm": ("nm", (20.0, 3e3), {"Å": 10.0, "m": 1e-9, "µm": 1e-3}),
    "density_g_per_cm3": ("g/cm³", (0.5, 2.0), {"kg/m³": 1e3}),
    "hole_diameter_nm": ("nm", (100.0, 5e3), {"Å": 10.0, "µm": 1e-3}),
    "pixel_size": ("Å", (0.05, 50.0), {"nm": 0.1, "pm": 100.0, "m": 1e-10}),
    "voxel_size": ("Å", (0.05, 50.0), {"nm": 0.1, "pm": 100.0, "m": 1e-10}),
    "coordinates_pixel_size": ("Å", (0.05, 50.0), {"nm": 0.1, "pm": 100.0, "m": 1e-10}),
    "aperture_mrad": ("mrad", (1.0, 200.0), {"µrad": 1e3, "rad": 1e-3}),
    "source_semiangle_mrad": ("mrad", (1e-3, 5.0), {"µrad": 1e3, "rad": 1e-3}),
    "energy_spread_ev": ("eV", (0.02, 10.0), {"meV": 1e3, "keV": 1e-3}),
}
# Beyond these, in either direction, a value is allowed and most likely a mistake.
_DOUBTFUL_CS_MM = 100.0
_DOUBTFUL_DOSE_IN_ICE = 1e3
_DOUBTFUL_LOW_VOLTAGE_KV = 5.0


def unit_of(name: str) -> str:
    """Name the unit of a field after a blank; nothing where it has none."""
    return f" {_USUAL[name][0]}" if name in _USUAL else ""


def unit_mistake(name: str, value: float) -> str:
    """Say in which other unit a value would be a usual one.

    Parameters
    ----------
    name : str
        Of the field, without its section.
    value : float
        As given.

    Returns
    -------
    str
        Such as ``"; in Å? 2.7e+07 Å are 2.7 mm"``; empty where no unit fits.
    """
    if name not in _USUAL:
        return ""
    unit, (low, high), others = _USUAL[name]
    for other, number in others.items():
        meant = value / number
        if low <= abs(meant) <= high:
            return f"; in {other}? {value:g} {other} are {meant:g} {unit}"
    return ""


def doubtful_units(
    microscope: MicroscopeConfig, exposure: ExposureConfig, ice: IceConfig
) -> list[str]:
    """Name values that are possible and most likely in another unit.

    Parameters
    ----------
    microscope : MicroscopeConfig
        Its Cs and voltage are looked at.
    exposure : ExposureConfig
        Its dose.
    ice : IceConfig
        Whether there is ice, which a high dose destroys.

    Returns
    -------
    list of str
        One line each.
    """
    lines = []
    if abs(microscope.cs_mm) > _DOUBTFUL_CS_MM:
        lines.append(_line("microscope.cs_mm", microscope.cs_mm, "objective lenses have 0 to 8 mm"))
    if microscope.voltage_kv < _DOUBTFUL_LOW_VOLTAGE_KV:
        lines.append(
            _line("microscope.voltage_kv", microscope.voltage_kv, "electrons are much scattered")
        )
    if ice.present and exposure.dose_e_per_a2 > _DOUBTFUL_DOSE_IN_ICE:
        lines.append(
            _line(
                "exposure.dose_e_per_a2", exposure.dose_e_per_a2, "ice does not survive 1000 e/Å²"
            )
        )
    return lines


def _line(key: str, value: float, reason: str) -> str:
    name = key.rpartition(".")[2]
    mistake = unit_mistake(name, value)
    return f"{key} is {value:g}{unit_of(name)}, {reason}{mistake}; see difftem docs units"
