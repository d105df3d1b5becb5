"""The defoci of a simulation: one, or a focus series from one exit wave."""

import dataclasses

from difftem.modules import Lens
from difftem.simulation.microscope import build_lens
from difftem.simulation.simulate_config import SimulateConfig


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
