"""Which pixels gradient maps are made of, and what is said of them."""

from dataclasses import dataclass

import torch
from torch import Tensor

from difftem.analysis.atomic_columns import FoundColumns
from difftem.analysis.gradient_map import GradientMap, gradient_maps
from difftem.analysis.vacuum import Vacuum
from difftem.workflows.analyze.counted_frame import CountedFrame

COLUMN_DISTANCE = 2.43  # Å: nearest columns of Pt along [110], and a little
_COLUMN = 0.6  # Å around a column that count as it
_NEIGHBOURS = 3.6  # Å within which columns are neighbours


@dataclass(frozen=True, eq=False)
class NamedGradient:
    """A gradient map, and what it shows.

    Attributes
    ----------
    name : str
        Of the place: ``surface``, ``bulk``, ``vacuum``, or its coordinates.
    gradient : GradientMap
        Row of the Jacobian.
    beyond : float
        Share of the energy beyond one column distance.
    lobes : float
        Mean squared weight on neighbouring columns over that between them; NaN without any.
    """

    name: str
    gradient: GradientMap
    beyond: float
    lobes: float

    def sentence(self) -> str:
        """Say it in one line."""
        y, x = self.gradient.pixel
        lobes = (
            "" if self.lobes != self.lobes else f", {self.lobes:.1f} times as much on neighbours"
        )
        return (
            f"gradient {self.name} (x {x}, y {y} px): f - Jx {self.gradient.net_bias:.1e} of "
            f"{self.gradient.value:.3g}, {100 * self.beyond:.0f} % of the energy beyond "
            f"{COLUMN_DISTANCE:g} Å{lobes}; averages {self.gradient.averaged_pixels:.0f} pixels"
        )

    def record(self) -> dict[str, object]:
        """Numbers for the JSON file."""
        y, x = self.gradient.pixel
        return {
            "name": self.name,
            "x_pixel": x,
            "y_pixel": y,
            "value": self.gradient.value,
            "jacobian_times_input": self.gradient.product,
            "energy_beyond_column_distance": self.beyond,
            "column_distance_angstrom": COLUMN_DISTANCE,
            "on_over_between_neighbours": None if self.lobes != self.lobes else self.lobes,
            "averaged_pixels": self.gradient.averaged_pixels,
        }


def chosen_pixels(
    columns: FoundColumns,
    surface: Tensor,  # (n,) bool
    vacuum: Vacuum | None,
    asked: tuple[tuple[int, int], ...],
) -> dict[str, tuple[int, int]]:
    """Choose pixels to differentiate: a column at a surface, one of the bulk, and vacuum.

    Parameters
    ----------
    columns : FoundColumns
        Of the denoised image.
    surface : Tensor
        Which of them are at a surface, shape ``(n,)``.
    vacuum : Vacuum or None
        Its deepest pixel is taken.
    asked : tuple of tuple of int
        x and y of other pixels, instead of these.

    Returns
    -------
    dict of str to tuple of int
        (y, x) by name.
    """
    if asked:
        return {f"x{x}_y{y}": (y, x) for x, y in asked}
    pixels: dict[str, tuple[int, int]] = {}
    if bool(surface.any()):
        middle = columns.positions[surface].mean(0)
        for name, of in (("surface", surface), ("bulk", ~surface)):
            if bool(of.any()):
                # The highest at the surface; the nearest to the middle of all those in the bulk.
                places = columns.positions[of]
                order = places[:, 1] if name == "surface" else (places - middle).norm(dim=1)
                x, y = places[int(order.argmin())].round().int().tolist()
                pixels[name] = (y, x)
    if vacuum is not None:
        pixels["vacuum"] = vacuum.deepest
    return pixels


def named_gradients(
    frame: CountedFrame, columns: FoundColumns, pixels: dict[str, tuple[int, int]]
) -> list[NamedGradient]:
    """Differentiate the denoiser at chosen pixels.

    Parameters
    ----------
    frame : CountedFrame
        With a function that can be differentiated.
    columns : FoundColumns
        Neighbours.
    pixels : dict of str to tuple of int
        (y, x) by name.

    Returns
    -------
    list of NamedGradient
        Empty where there is no such function.
    """
    if frame.function is None:
        return []
    maps = gradient_maps(frame.function, frame.values, list(pixels.values()))
    size = frame.pixel_size
    return [
        NamedGradient(
            name,
            each,
            each.energy_beyond(COLUMN_DISTANCE / size),
            each.lobes(columns.positions.to(torch.float64), _COLUMN / size, _NEIGHBOURS / size),
        )
        for name, each in zip(pixels, maps, strict=True)
    ]
