"""How nanoparticles are imaged: what of it is fixed, and the ranges of what is drawn."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class NanoparticleImaging:
    """A microscope with corrected spherical aberration, and the images that it takes.

    Parameters
    ----------
    size
        Side of the stored images in pixels.
    pixel_size
        Of waves and stored images in Å. Waves end at 0.45 of its inverse.
    margin
        Width in Å of what is simulated around the image and cut off.
    slice_thickness
        Of the multislice in Å.
    voltage_kv
        Acceleration voltage in kV.
    cs_mm
        Spherical aberration in mm.
    cc_mm
        Chromatic aberration in mm.
    energy_spread_ev
        Standard deviation of the beam energy in eV; with cc_mm it spreads the focus by 26 Å.
    source_semiangle_mrad
        Standard deviation of the illumination angle along each axis in mrad.
    focus_nodes, source_nodes
        Of the incoherent sum, over focus and, per axis, over the source.
    defocus_um
        Limits of the defocus in µm from the exit surface of the support; underfocus is positive.
    n_defocus
        Images of one exit wave.
    spread_defocus
        Draw one defocus in each of as many equal parts of the range; otherwise the same ones for
        all, in equal steps from the first limit to the last.
    blur
        Limits of the standard deviation of the image's blur along each axis in Å (vibration).
    frozen_phonons
        Displaced configurations whose images are averaged, by the atoms' B-factors; 0 gives the
        atoms the mean potential of their motion instead.

    Raises
    ------
    ValueError
        If a value is not possible.
    """

    size: int = 352
    pixel_size: float = 0.1246
    margin: float = 6.0
    slice_thickness: float = 1.0
    voltage_kv: float = 300.0
    cs_mm: float = -0.013
    cc_mm: float = 1.6
    energy_spread_ev: float = 0.4
    source_semiangle_mrad: float = 0.15
    focus_nodes: int = 9
    source_nodes: int = 2
    defocus_um: tuple[float, float] = (-0.02, 0.0)
    n_defocus: int = 4
    spread_defocus: bool = True
    blur: tuple[float, float] = (0.4, 0.6)
    frozen_phonons: int = 0

    def __post_init__(self) -> None:
        """Check every value."""
        for name in ("size", "focus_nodes", "source_nodes", "n_defocus"):
            _check(name, getattr(self, name), 16 if name == "size" else 1, 4096)
        if self.size % 2:
            raise ValueError(f"size must be even, got {self.size}")
        _check("frozen_phonons", self.frozen_phonons, 0, 1000)
        for name, (low, high) in _LIMITS.items():
            _check(name, getattr(self, name), low, high)
        for name, (least, most) in _RANGES.items():
            values = tuple(getattr(self, name))
            for value in values:
                _check(name, value, least, most)
            if len(values) != 2 or not values[0] <= values[1]:
                raise ValueError(f"{name} must be two numbers, the lower first, got {values}")
            object.__setattr__(self, name, values)

    @property
    def field(self) -> int:
        """Side of the simulated field in pixels, even."""
        return self.size + 2 * math.ceil(self.margin / self.pixel_size - 0.5)

    @property
    def width(self) -> float:
        """Side of the simulated field in Å."""
        return self.field * self.pixel_size


_LIMITS = {
    "pixel_size": (0.02, 0.5),
    "margin": (0.0, 50.0),
    "slice_thickness": (0.1, 10.0),
    "voltage_kv": (20.0, 1000.0),
    "cs_mm": (-10.0, 10.0),
    "cc_mm": (0.0, 10.0),
    "energy_spread_ev": (0.0, 10.0),
    "source_semiangle_mrad": (0.0, 5.0),
}
_RANGES = {"defocus_um": (-1.0, 1.0), "blur": (0.0, 3.0)}


def _check(name: str, value: float, low: float, high: float) -> None:
    """Refuse a number outside its limits."""
    if not low <= value <= high:
        raise ValueError(f"{name} must be from {low:g} to {high:g}, got {value}")
