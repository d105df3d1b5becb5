r"""Contrast transfer of tilted samples, turned right: the sign of each frequency, strip by strip.

The defocus of an image is that of the tilt axis. A flat sample that is seen at x from the axis lies
:math:`z' = -x \tan\theta` further down the beam (`difftem.tomography.geometry`), and what lies
further down the beam is seen at more underfocus (docs, "Focus planes"):

.. math:: \Delta f(x) = \Delta f - x \tan\theta
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

from difftem.functional.beam import wavelength
from difftem.functional.grid import frequency_grid
from difftem.functional.lens import aberration_phase
from difftem.scene.files.relion_write import Defocus
from difftem.tomography.geometry import SingleAxis
from difftem.tomography.resample import places
from difftem.units import deg_to_rad, kev_to_ev, mm_to_angstrom

_LEAST_COS = 0.17  # steeper tilts, of which no film is seen, are taken for 80°


@dataclass(frozen=True)
class Transfer:
    """What a contrast transfer function needs besides a defocus.

    Attributes
    ----------
    voltage_kv : float
        kV.
    cs_mm : float
        Spherical aberration in mm.
    amplitude_contrast : float
        Fraction, 0 to below 1.

    Examples
    --------
    >>> from difftem.tomography.phase_flip import Transfer
    >>> Transfer(voltage_kv=300.0, cs_mm=2.7, amplitude_contrast=0.07)
    Transfer(voltage_kv=300.0, cs_mm=2.7, amplitude_contrast=0.07)
    """

    voltage_kv: float
    cs_mm: float
    amplitude_contrast: float

    def __post_init__(self) -> None:
        """Check ranges."""
        if not 1 <= self.voltage_kv <= 3000:
            raise ValueError(f"voltage_kv must be 1 to 3000 kV, got {self.voltage_kv:g}")
        if not 0 <= self.amplitude_contrast < 1:
            raise ValueError(
                f"amplitude_contrast must be 0 to below 1, got {self.amplitude_contrast:g}"
            )
        if not abs(self.cs_mm) <= 100:
            raise ValueError(f"cs_mm must be at most 100 mm, got {self.cs_mm:g}")


def flipped(
    images: Tensor,  # (n_tilts, y, x)
    geometry: SingleAxis,
    defocus: list[Defocus],
    transfer: Transfer,
    pixel_size: float,  # Å
) -> tuple[Tensor, int]:  # (n_tilts, y, x)
    r"""Make matter dark at all frequencies of images that were taken out of focus.

    Each image is multiplied in Fourier space by the sign of

    .. math:: \sin\left(-\chi(q) + \arcsin w + \varphi\right)

    for as many defoci as its strips need: neighbours are p²/λ apart, which is π/4 at Nyquist, and
    between the middles of two strips one fades into the other.

    Parameters
    ----------
    images : Tensor
        As taken, 0 where there is nothing.
    geometry : SingleAxis
        Of these images.
    defocus : list of Defocus
        Of each, on the axis.
    transfer : Transfer
        Of the microscope.
    pixel_size : float
        p.

    Returns
    -------
    images : Tensor
        As large.
    strips : int
        The most that an image had.

    Raises
    ------
    ValueError
        If the defocus is not given for each image.

    References
    ----------
    Xiong et al., J. Struct. Biol. 168 (2009) 378.

    Examples
    --------
    >>> import torch
    >>> from difftem.scene.files.relion_write import Defocus
    >>> from difftem.tomography.geometry import single_axis
    >>> from difftem.tomography.phase_flip import Transfer, flipped
    >>> images = torch.randn(2, 32, 32, generator=torch.Generator().manual_seed(0))
    >>> geometry, defocus = single_axis(torch.tensor([0.0, 60.0])), [Defocus(20e3, 20e3)] * 2  # Å
    >>> _, strips = flipped(images, geometry, defocus, Transfer(300.0, 2.7, 0.07), pixel_size=8.0)
    >>> strips  # 443 Å deep at 60°, and strips may be p²/λ = 3249 Å apart
    2
    """
    if len(defocus) != len(images):
        raise ValueError(f"a defocus for each of {len(images)} images, got {len(defocus)}")
    done, strips = [], 1
    for number, (image, each) in enumerate(zip(images, defocus, strict=True)):
        depth = pixel_size * depths(geometry, number, (image.shape[0], image.shape[1]))
        result, count = _flip_strips(image, depth.to(image), each, transfer, pixel_size)
        done.append(result)
        strips = max(strips, count)
    return torch.stack(done), strips


def depths(
    geometry: SingleAxis,
    number: int,
    shape: tuple[int, int],
) -> Tensor:  # (y, x) pixels
    """How far down the beam a flat sample lies, seen at each pixel of an image.

    Parameters
    ----------
    geometry : SingleAxis
        Of the images.
    number : int
        Of the image.
    shape : tuple of int
        Its rows and columns.

    Returns
    -------
    Tensor
        0 on the tilt axis; tilts are taken for at most 80°.

    Examples
    --------
    >>> import torch
    >>> from difftem.tomography.geometry import single_axis
    >>> from difftem.tomography.phase_flip import depths
    >>> geometry = single_axis(torch.tensor([45.0]))  # degrees, about a vertical axis
    >>> depth = depths(geometry, 0, (1, 5))[0]  # what is right of the axis lies further up
    >>> [round(each) for each in depth.tolist()]  # pixels
    [2, 1, 0, -1, -2]
    """
    back = torch.linalg.inv(geometry.matrices[number])
    at = places(back, -back @ geometry.shifts[number], shape, (0, 0))[..., 0]
    tilt = deg_to_rad(geometry.tilts_deg[number])
    cos = float(tilt.cos())
    return -tilt.sin() * at / math.copysign(max(abs(cos), _LEAST_COS), cos)


def _flip_strips(
    image: Tensor, depth: Tensor, defocus: Defocus, transfer: Transfer, pixel_size: float
) -> tuple[Tensor, int]:
    """Flip one image for the defocus of each strip, and blend."""
    length = wavelength(torch.tensor(kev_to_ev(transfer.voltage_kv), dtype=torch.float64))
    spacing = pixel_size**2 / float(length)
    low, high = float(depth.min()), float(depth.max())
    count = math.ceil((high - low) / spacing) + 1
    step = (high - low) / max(1, count - 1) or 1.0
    # Signal that the lens has spread over the border is looked for in what continues it.
    spread = float(length) * (abs(defocus.u) + max(abs(low), abs(high))) / (2 * pixel_size**2)
    rim = min(math.ceil(spread), min(image.shape) - 1)
    wide = pad(image[None], (rim, rim, rim, rim), "reflect")[0]
    shape = (wide.shape[0], wide.shape[1])
    spectrum = torch.fft.rfft2(wide)
    result = torch.zeros_like(image)
    for strip in range(count):
        level = low + step * strip
        weight = (1 - (depth - level).abs() / step).clamp_min(0)
        sign = _signs(shape, pixel_size, length, defocus, level, transfer).to(image)
        turned = torch.fft.irfft2(spectrum * sign, s=shape)
        result += weight * turned[rim : rim + image.shape[0], rim : rim + image.shape[1]]
    return result, count


def _signs(
    shape: tuple[int, int],
    pixel_size: float,
    length: Tensor,
    defocus: Defocus,
    depth: float,
    transfer: Transfer,
) -> Tensor:  # (y, x // 2 + 1)
    """1 where matter is dark, -1 where it is bright."""
    qy, qx = frequency_grid(shape, pixel_size, half=True)
    astigmatism, twice = (defocus.u - defocus.v) / 2, 2 * math.radians(defocus.angle_deg)
    coefficients = {
        "C10": -((defocus.u + defocus.v) / 2 + depth),
        "C12a": -astigmatism * math.cos(twice),
        "C12b": -astigmatism * math.sin(twice),
        "C30": mm_to_angstrom(transfer.cs_mm),
    }
    tensors = {name: torch.tensor(value).double() for name, value in coefficients.items()}
    phase = math.asin(transfer.amplitude_contrast) + math.radians(defocus.phase_shift_deg)
    chi = aberration_phase(qy.double(), qx.double(), length, tensors)
    return torch.where(torch.sin(phase - chi) >= 0, 1.0, -1.0)
