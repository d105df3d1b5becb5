"""Presets of how a volume looks."""

from dataclasses import dataclass

from difftem.workflows.render.options import Backdrop, Preset

Color = tuple[float, float, float]


@dataclass(frozen=True)
class Look:
    """How densities are coloured and lit.

    Attributes
    ----------
    threshold_sigma : float
        Deviations of the noise above the background at which matter begins.
    colors : tuple of tuple of float
        Red, green, blue from 0 to 1, evenly from threshold to top.
    opacity : float
        Share of the light that a hundredth of the volume's diagonal takes at the top.
    exponent : float
        Of the opacity's rise from threshold to top.
    ambient, diffuse, specular : float
        Of the light.
    backdrop : {"black", "white"}
        Behind the volume.
    surface : tuple of float
        Colour of surfaces.
    """

    threshold_sigma: float
    colors: tuple[Color, ...]
    opacity: float
    exponent: float
    ambient: float
    diffuse: float
    specular: float
    backdrop: Backdrop
    surface: Color


LOOKS: dict[Preset, Look] = {
    "cryo": Look(
        threshold_sigma=3.0,
        colors=((0.10, 0.20, 0.36), (0.25, 0.48, 0.66), (0.66, 0.78, 0.82), (1.0, 0.95, 0.84)),
        opacity=0.5,
        exponent=1.0,
        ambient=0.35,
        diffuse=0.75,
        specular=0.15,
        backdrop="black",
        surface=(0.55, 0.72, 0.86),
    ),
    "dark-field": Look(
        threshold_sigma=3.0,
        colors=(
            (0.16, 0.10, 0.36),
            (0.52, 0.17, 0.50),
            (0.86, 0.36, 0.30),
            (0.98, 0.66, 0.22),
            (1.0, 0.95, 0.70),
        ),
        opacity=0.3,
        exponent=1.0,
        ambient=0.35,
        diffuse=0.75,
        specular=0.2,
        backdrop="black",
        surface=(0.93, 0.70, 0.36),
    ),
}
