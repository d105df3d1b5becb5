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
    """How particles are put into slices.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.slabs import Slabs
    >>> slabs = Slabs(torch.tensor(0.0197), "slice", thickness=50.0, radius=100.0)
    >>> slabs.period, slabs.n_planes  # slices that see the particle, and planes for all of them
    (6, 11)
    """

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

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.projection import central_slices, template_spectrum
    >>> from difftem.functional.slabs import Slabs, slab_coefficients
    >>> volume = torch.rand(8, 8, 8, generator=torch.Generator().manual_seed(0)).double()
    >>> spectrum = template_spectrum(volume, voxel_size=2.0, max_frequency=0.2)
    >>> slabs = Slabs(torch.tensor(0.0197), "ignored", thickness=6.0, radius=8.0)
    >>> frequency = torch.tensor([[0.0, 0.0], [0.05, 0.0]]).double()  # 1/Å
    >>> heights = torch.arange(-12.0, 13.0, 6.0).double()  # Å, above the five slices that see it
    >>> turns = torch.eye(3).double().expand(5, 3, 3)
    >>> seen = slab_coefficients(spectrum, turns, heights, frequency, slabs)
    >>> points = torch.nn.functional.pad(frequency, (0, 1))  # at k_z = 0: the projection
    >>> torch.allclose(seen.sum(0), central_slices(spectrum, turns[:1], points)[0])
    True
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

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.projection import template_spectrum
    >>> from difftem.functional.slabs import Slabs, slab_planes
    >>> spectrum = template_spectrum(torch.ones(8, 8, 8), voxel_size=2.0, max_frequency=0.2)
    >>> slabs = Slabs(torch.tensor(0.0197), "particle", thickness=6.0, radius=8.0)
    >>> planes = slab_planes(spectrum, torch.eye(3)[None], torch.zeros(5, 2), slabs)
    >>> tuple(planes.shape), slabs.n_planes  # one particle, its planes, five points
    ((1, 9, 5), 9)
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

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.slabs import Slabs, highest_frequency
    >>> slabs = Slabs(torch.tensor(0.0197), "particle", thickness=None, radius=100.0)
    >>> round(highest_frequency(0.5, slabs), 6)  # 1/Å: the Ewald sphere bends by λ q² / 2
    0.500006
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
    """Second half of `slab_coefficients`: sum the planes' Fourier series at the slab's height.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.slabs import Slabs, slab_from_planes
    >>> slabs = Slabs(torch.tensor(0.02), "slice", thickness=None, radius=8.0)
    >>> frequency = torch.tensor([[0.1, 0.0]])  # 1/Å
    >>> planes = torch.ones(1, 1, 1, dtype=torch.complex64)
    >>> slab = slab_from_planes(planes, torch.tensor([50.0]), frequency, slabs)  # 50 Å above
    >>> round(slab.angle().item(), 4)  # π λ q² z
    0.0314
    """
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
