"""The defoci of a simulation: one, or a focus series from one exit wave."""

import dataclasses

from difftem.modules import Lens
from difftem.simulation.alternatives import NM_PER_UM
from difftem.simulation.microscope import build_lens
from difftem.simulation.simulate_config import SimulateConfig

SMALL_UM = 0.1


def defoci_um(config: SimulateConfig) -> list[float]:
    """Underfocus in µm of each image of a tilt: those of the focus series, or the microscope's."""
    series = config.exposure.focus_series_um
    return [config.microscope.defocus_um] if series is None else list(series)


def at_largest_defocus(config: SimulateConfig) -> SimulateConfig:
    """Put the defocus that delocalises most into the microscope: the sampling must hold it."""
    largest = max(defoci_um(config), key=abs)
    microscope = dataclasses.replace(config.microscope, defocus_um=largest)
    return dataclasses.replace(config, microscope=microscope)


def focus_lenses(config: SimulateConfig, pixel_size: float) -> list[Lens]:
    """One lens for each defocus; `pixel_size` is that of the exit wave in Å."""
    microscopes = (
        dataclasses.replace(config.microscope, defocus_um=each) for each in defoci_um(config)
    )
    return [build_lens(each, pixel_size) for each in microscopes]


def defocus_in_words(*defoci_um: float) -> str:
    """Write a defocus, or the range of several, in nm where that is the usual unit.

    Parameters
    ----------
    *defoci_um : float
        Underfocus in µm, one at least.

    Returns
    -------
    str
        For a title.

    Examples
    --------
    >>> defocus_in_words(1.5), defocus_in_words(-0.0045), defocus_in_words(0.5, 2.0)
    ('1.5 µm', '-4.5 nm', '0.5 to 2 µm')
    """
    low, high = min(defoci_um), max(defoci_um)
    in_nm = 0 < max(abs(low), abs(high)) < SMALL_UM
    scale, unit = (NM_PER_UM, "nm") if in_nm else (1.0, "µm")
    values = f"{scale * low:.4g}" + ("" if low == high else f" to {scale * high:.4g}")
    return f"{values} {unit}"
