"""Particle: a template that is rendered once and projected many times."""

from collections.abc import Collection

import torch
from torch import Tensor, nn

from difftem.functional.grid import check_pixel_size
from difftem.functional.projection import (
    DEFAULT,
    Interpolation,
    TemplateSpectrum,
    template_spectrum,
)
from difftem.functional.render import bounding_radius
from difftem.modules.quantity import check_learnable


class Particle(nn.Module):
    """Three-dimensional potential of one kind of particle.

    Parameters
    ----------
    volume : Tensor
        Potential in V above that of the surrounding, shape ``(nz, ny, nx)``, about 0 at its
        border; absorption as imaginary part.
    voxel_size : float
        In Å.
    center : tuple of float
        Point (x, y, z) that is placed and turned about, in Å from voxel ``n // 2``.
    interpolation : Interpolation
        `difftem.functional.projection.DEFAULT` or ``FINE``: the error of a projection is about
        1e-3 or 1e-5 of its rms.
    radius : float, optional
        Of the sphere about the center that holds the particle, in Å. Default: measured.
    learnable : collection of str
        ``volume``.

    Raises
    ------
    ValueError
        If the volume is not finite or not three-dimensional.

    Examples
    --------
    >>> import torch
    >>> from difftem.modules import Particle
    >>> volume = torch.zeros(32, 32, 32)
    >>> volume[12:20, 12:20, 12:20] = 5.0  # V above the ice
    >>> cube = Particle(volume, voxel_size=4.0)
    >>> cube.radius < 40.0, cube.nyquist  # Å, 1/Å
    (True, 0.125)
    """

    volume: Tensor

    def __init__(
        self,
        volume: Tensor,
        voxel_size: float,
        *,
        center: tuple[float, float, float] = (0.0, 0.0, 0.0),
        interpolation: Interpolation = DEFAULT,
        radius: float | None = None,
        learnable: Collection[str] = (),
    ) -> None:
        super().__init__()
        check_pixel_size(voxel_size)
        check_learnable(learnable, ("volume",))
        if volume.ndim != 3 or 0 in volume.shape:
            raise ValueError(f"a volume must be (nz, ny, nx), got {tuple(volume.shape)}")
        if not bool(torch.isfinite(torch.view_as_real(volume.to(torch.complex64))).all()):
            raise ValueError("a volume must be finite")
        if "volume" in learnable:
            self.register_parameter("volume", nn.Parameter(volume.detach().clone()))
        else:
            self.register_buffer("volume", volume)
        self.voxel_size = voxel_size
        self.center = center
        self.interpolation = interpolation
        self.radius = bounding_radius(volume, voxel_size, center) if radius is None else radius
        self._spectrum: tuple[tuple[float, int, Tensor], TemplateSpectrum] | None = None

    @property
    def nyquist(self) -> float:  # 1/Å
        """Highest frequency that the voxels hold."""
        return 0.5 / self.voxel_size

    def spectrum(
        self,
        max_frequency: float,  # 1/Å
    ) -> TemplateSpectrum:
        """Fourier transform up to a frequency in 1/Å; kept until the volume changes."""
        if self.volume.requires_grad and torch.is_grad_enabled():
            return self._transform(max_frequency)
        key = (max_frequency, self.volume._version, self.volume)
        if self._spectrum is not None:
            kept, spectrum = self._spectrum
            if kept[:2] == key[:2] and kept[2] is self.volume:
                return spectrum
        with torch.no_grad():
            made = self._transform(max_frequency)
        self._spectrum = (key, made)
        return made

    def _transform(self, max_frequency: float) -> TemplateSpectrum:
        """Fourier transform about the center."""
        return template_spectrum(
            self.volume, self.voxel_size, max_frequency, self.interpolation, self.center
        )
