"""What one specimen slice sees of a particle: all of it, or a soft slab across the beam."""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from difftem.functional.projection import TemplateSpectrum, central_slices

ROUNDING = 1e-5  # of a frequency in float32
Extract = Callable[[TemplateSpectrum, Tensor, Tensor], Tensor]


class Slabs(NamedTuple):
    """How particles are put into slices."""

    wavelength: Tensor  # () Å
    depth: str  # "ignored", "particle" or "slice"
    thickness: float | None  # Å of a slice; None: a particle goes whole into its slice
    radius: float  # Å, of the particle

    @property
    def period(self) -> int:
        """Slices after which the window returns: the particle and a slice on either side."""
        return 1 if self.thickness is None else math.ceil(2 * self.radius / self.thickness) + 2

    @property
    def n_planes(self) -> int:
        """Planes of the Fourier volume that a slab needs."""
        return 2 * self.period - 1


def slab_coefficients(
    spectrum: TemplateSpectrum,
    rotations: Tensor,  # (n, 3, 3)
    height: Tensor,  # (n,) Å
    frequency: Tensor,  # (n_points, 2) 1/Å
    slabs: Slabs,
    extract: Extract = central_slices,
) -> Tensor:  # (n, n_points) complex, V Å³
    r"""Fourier coefficients of what a slice sees of particles.

    .. math:: P(\mathbf q) = \int \hat V(\mathbf q, z)\, w(z + z_0)\,
              e^{i \pi \lambda q^2 (z + z_0)}\, dz

    with the particle's height z₀ above the slice's plane. The exponential propagates what each
    height scatters to that plane; in Fourier space it is the Ewald sphere,
    :math:`k_z = -\lambda q^2 / 2`. The window :math:`w(u) = \cos^2(\pi u / 2 \Delta)` is 1
    summed over all slices; its Fourier series turns the slab into a few planes of the volume.

    Parameters
    ----------
    spectrum : TemplateSpectrum
        From `difftem.functional.projection.template_spectrum`.
    rotations : Tensor
        Active rotations from the particle's to the microscope's frame.
    height : Tensor
        z₀ in Å.
    frequency : Tensor
        x, y in 1/Å.
    slabs : Slabs
        Wavelength, depth and thickness.
    extract : callable
        `difftem.functional.projection.central_slices`, or what does the same.

    Returns
    -------
    Tensor
        Differentiable in rotations, height and the template.

    References
    ----------
    DeRosier, Ultramicroscopy 81 (2000) 83 (curvature of the Ewald sphere); Wolf, DeRosier &
    Grigorieff, Ultramicroscopy 106 (2006) 376.
    """
    planes = slab_planes(spectrum, rotations, frequency, slabs, extract)
    return slab_from_planes(planes, height, frequency, slabs)


def slab_planes(
    spectrum: TemplateSpectrum,
    rotations: Tensor,  # (n, 3, 3)
    frequency: Tensor,  # (n_points, 2) 1/Å
    slabs: Slabs,
    extract: Extract = central_slices,
) -> Tensor:  # (n, n_planes, n_points) complex, V Å³
    """Planes of turned templates' Fourier volumes that all slabs are made of.

    Arguments are those of `slab_coefficients`. The planes do not depend on the height: a particle
    that reaches through several slices needs them once.
    """
    bend = torch.zeros_like(frequency[:, 0])
    if slabs.depth != "ignored":
        bend = -slabs.wavelength / 2 * (frequency**2).sum(-1)
    points = torch.cat([frequency, bend[:, None]], -1)
    steps = torch.tensor(_steps(slabs), dtype=torch.float64).to(points, non_blocking=True)
    shifted = points - torch.nn.functional.pad(steps[:, None], (2, 0))[:, None]
    # The template holds nothing beyond its band: there the table has no neighbours.
    inside = (shifted**2).sum(-1) <= (spectrum.max_frequency * (1 + ROUNDING)) ** 2
    if shifted.is_cuda:  # all planes at once, and the host need not know what is inside
        flat = extract(spectrum, rotations, shifted.flatten(0, 1))
        return flat.unflatten(1, inside.shape) * inside
    planes = torch.stack([extract(spectrum, rotations, plane) for plane in shifted], 1)
    return planes if bool(inside.all()) else planes * inside


def highest_frequency(
    max_frequency: float,  # 1/Å
    slabs: Slabs,
) -> float:  # 1/Å
    """Length of the longest vector in Fourier space that slabs ask for, given the image's.

    Planes lie beside the central one, and are bent.
    """
    along = max(map(abs, _steps(slabs)))
    if slabs.depth != "ignored":
        along += float(slabs.wavelength) / 2 * max_frequency**2
    return math.hypot(max_frequency, along)


def slab_from_planes(
    planes: Tensor,  # (n, n_planes, n_points) complex
    height: Tensor,  # (n,) Å
    frequency: Tensor,  # (n_points, 2) 1/Å
    slabs: Slabs,
) -> Tensor:  # (n, n_points) complex, V Å³
    """Second half of `slab_coefficients`: sum the planes' Fourier series at the slab's height."""
    summed = planes[:, 0]
    if slabs.thickness is not None:
        steps = torch.tensor(_steps(slabs), dtype=torch.float64).to(height, non_blocking=True)
        orders = range(1 - slabs.period, slabs.period)
        window = [_window_coefficient(m, slabs.period) for m in orders]
        weights = torch.tensor(window, dtype=torch.float64).to(height, non_blocking=True)
        turns = 2 * math.pi * steps * height[:, None]
        series = torch.complex(weights * torch.cos(turns), weights * torch.sin(turns))
        summed = (series[:, None] @ planes)[:, 0]
    if slabs.depth == "slice":
        phase = math.pi * slabs.wavelength * (frequency**2).sum(-1) * height[:, None]
        summed = summed * torch.complex(torch.cos(phase), torch.sin(phase))
    return summed


def _steps(slabs: Slabs) -> list[float]:
    """Distances of the planes from the Ewald sphere in 1/Å."""
    if slabs.thickness is None:
        return [0.0]
    span = slabs.period * slabs.thickness
    return [m / span for m in range(1 - slabs.period, slabs.period)]


def _window_coefficient(m: int, period: int) -> float:
    """Fourier coefficient of cos²(π u / 2Δ), |u| < Δ, repeated every `period` Δ."""
    x = 2 * m / period
    if abs(abs(x) - 1) < 1e-12:
        return 0.5 / period
    sinc = math.sin(math.pi * x) / (math.pi * x) if m else 1.0
    return sinc / (1 - x**2) / period
