"""What a tilted beam makes of a lens's aberrations: coma, astigmatism, and a shift of the image."""

from collections.abc import Mapping
from math import comb
from typing import NamedTuple

import torch
from torch import Tensor

from difftem.functional.grid import frequency_grid
from difftem.functional.lens import ABERRATIONS, aberration_gradient

_NAMES = {spec: name for name, spec in ABERRATIONS.items()}


def aberrations_about_tilt(
    coefficients: Mapping[str, Tensor],  # each () Å
    tilt: Tensor,  # (2,) rad
) -> tuple[dict[str, Tensor], Tensor]:  # each () Å, (2,) Å
    r"""Aberrations counted from the direction of a tilted beam instead of the optic axis.

    With :math:`w = \theta_x + i \theta_y` and the tilt :math:`t` every coefficient is a term of

    .. math:: \mathrm{Re} \sum c_{ab}\, (w + t)^a\, (\bar w + \bar t)^b,
              \quad a = \tfrac{n + 1 + m}{2}, \; b = \tfrac{n + 1 - m}{2}

    whose powers of w, multiplied out, are coefficients again. So spherical aberration becomes
    coma 3 C_s t, astigmatism and a change of focus, of the order C_s t²; what is linear in w moves
    the image by :math:`\nabla \chi / 2\pi`, which is :math:`(-\Delta f + C_s t^2)\, t`.

    Parameters
    ----------
    coefficients : mapping of str to Tensor
        Of the lens, keys of `difftem.functional.lens.ABERRATIONS`, in Å.
    tilt : Tensor
        Of the beam along x and y in rad, shape ``(2,)``.

    Returns
    -------
    tuple
        Coefficients about the beam in Å, and the shift of the image along x and y in Å.

    References
    ----------
    Krivanek, Dellby & Lupini, Ultramicroscopy 78 (1999) 1 (the coefficients; the rest is algebra).

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.tilted_beam import aberrations_about_tilt
    >>> tilt = torch.tensor([1e-3, 0.0])  # rad
    >>> about, shift = aberrations_about_tilt({"C30": torch.tensor(2.7e7)}, tilt)
    >>> round(about["C21a"].item()), round(shift[0].item(), 4)  # coma 3 Cs t, and Cs t³, in Å
    (81000, 0.027)
    """
    tx, ty = tilt.double().unbind(-1)
    t = torch.complex(tx, ty)
    terms: dict[tuple[int, int], Tensor] = {}
    for name, value in coefficients.items():
        n, m, part = ABERRATIONS[name]
        a, b = (n + 1 + m) // 2, (n + 1 - m) // 2
        weight = value.double() / (n + 1) * (-1j if part == "b" else 1.0)
        for i in range(a + 1):
            for j in range(b + 1):
                factor = comb(a, i) * comb(b, j) * weight * t ** (a - i) * t.conj() ** (b - j)
                # Re z = Re z*: powers with more of w* than of w are turned round.
                key, each = ((i, j), factor) if i >= j else ((j, i), factor.conj())
                terms[key] = terms.get(key, torch.zeros_like(t)) + each
    result: dict[str, Tensor] = {}
    shift = torch.stack([torch.zeros_like(tx), torch.zeros_like(ty)])
    for (i, j), factor in terms.items():
        n, m = i + j - 1, i - j
        if n == 0:
            shift = torch.stack([factor.real, -factor.imag])
        elif n > 0:
            result[_NAMES[n, m, "a" if m else ""]] = (n + 1) * factor.real
            if m:
                result[_NAMES[n, m, "b"]] = -(n + 1) * factor.imag
    return result, shift


class TiltedFrequencies(NamedTuple):
    """Frequencies about a tilted beam: a lens acts on them, the direct beam is one of them.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.tilted_beam import tilted_frequencies
    >>> tilt = torch.tensor([1e-3, 0.0])  # rad along x
    >>> frequencies = tilted_frequencies((8, 8), 2.0, torch.tensor(0.0197), tilt)
    >>> round(frequencies.direct[1].item(), 4)  # 1/Å, where the direct beam passes the lens
    0.0508
    >>> frequencies.squared()[0, 0].item()
    0.0
    """

    qy: Tensor  # (..., ny, 1) 1/Å
    qx: Tensor  # (..., 1, nx) 1/Å
    direct: tuple[Tensor, Tensor] | None  # (..., 1, 1) 1/Å, y and x; None without a tilt

    def squared(self) -> Tensor:  # (..., ny, nx) 1/Å²
        """Squared frequency less that of the direct beam."""
        q2 = self.qx**2 + self.qy**2
        return q2 if self.direct is None else q2 - self.direct[0] ** 2 - self.direct[1] ** 2

    def aberration_gradient(
        self,
        wavelength: Tensor,  # () Å
        coefficients: Mapping[str, Tensor],  # each (...) Å
    ) -> tuple[Tensor, Tensor]:  # 2 x (..., ny, nx) rad Å
        """Gradient of the wave aberration less that at the direct beam."""
        gy, gx = aberration_gradient(self.qy, self.qx, wavelength, coefficients)
        if self.direct is None:
            return gy, gx
        ty, tx = aberration_gradient(*self.direct, wavelength, coefficients)
        return gy - ty, gx - tx


def tilted_frequencies(
    shape: tuple[int, int],
    pixel_size: float,  # Å
    wavelength: Tensor,  # () Å
    tilt: Tensor | None,  # (..., 2) rad
) -> TiltedFrequencies:
    """Frequencies of a field about a tilted beam, counted from the optic axis.

    Parameters
    ----------
    shape : tuple of int
        ``(ny, nx)`` in pixels.
    pixel_size : float
        In Å.
    wavelength : Tensor
        In Å.
    tilt : Tensor or None
        Of the beam along x and y in rad, shape ``(..., 2)``; None for a beam on the axis.

    Returns
    -------
    TiltedFrequencies
        In 1/Å, float64: those of the FFT grid plus tilt / wavelength.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.tilted_beam import tilted_frequencies
    >>> tilt = torch.tensor([1e-3, 0.0])  # rad along x
    >>> qy, qx, direct = tilted_frequencies((4, 4), 2.0, torch.tensor(0.02), tilt)
    >>> qx  # 1/Å, all displaced by tilt / λ
    tensor([[ 0.0500,  0.1750, -0.2000, -0.0750]], dtype=torch.float64)
    """
    qy, qx = frequency_grid(shape, pixel_size, device=wavelength.device)
    if tilt is None:
        return TiltedFrequencies(qy, qx, None)
    angle = tilt.double()[..., None, None] / wavelength
    direct = angle[..., 1, :, :], angle[..., 0, :, :]
    return TiltedFrequencies(qy + direct[0], qx + direct[1], direct)
