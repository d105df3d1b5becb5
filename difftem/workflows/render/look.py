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
        colors=((0.20, 0.42, 0.64), (0.42, 0.66, 0.78), (0.84, 0.88, 0.84), (1.0, 0.95, 0.82)),
        opacity=0.6,
        exponent=1.0,
        ambient=0.4,
        diffuse=1.0,
        specular=0.15,
        backdrop="black",
        surface=(0.55, 0.72, 0.86),
    ),
    "dark-field": Look(
        threshold_sigma=3.0,
        colors=(
            (0.22, 0.30, 0.45),
            (0.45, 0.48, 0.55),
            (0.80, 0.62, 0.35),
            (0.98, 0.80, 0.42),
            (1.0, 0.97, 0.85),
        ),
        opacity=0.7,
        exponent=0.8,
        ambient=0.4,
        diffuse=1.0,
        specular=0.2,
        backdrop="black",
        surface=(0.93, 0.74, 0.42),
    ),
}
