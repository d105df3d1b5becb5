"""The objective lens: aberrations, aperture, phase plate."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from difftem.functional.wave import phase_factor

# Krivanek's C_{n,m} up to fifth order: name -> (order n, multiplicity m, part of e^{i m phi}).
ABERRATIONS: dict[str, tuple[int, int, str]] = {
    f"C{n}{m}{part}": (n, m, part)
    for n in range(1, 6)
    for m in range(n + 1, -1, -2)
    for part in (("a", "b") if m > 0 else ("",))
}


def aberration_phase(
    qy: Tensor,  # (..., ny, 1) 1/Å
    qx: Tensor,  # (..., 1, nx) 1/Å
    wavelength: Tensor,  # () Å
    coefficients: Mapping[str, Tensor],  # each (...) Å
) -> Tensor:  # (..., ny, nx) rad
    r"""Wave aberration of Krivanek's coefficients.

    .. math:: \chi(\theta, \phi) = \frac{2\pi}{\lambda} \sum_{n,m} \frac{\theta^{n+1}}{n+1}
              \left( C_{nma} \cos m\phi + C_{nmb} \sin m\phi \right), \quad \theta = \lambda q

    An image wave is the exit wave times :math:`e^{-i\chi}` in Fourier space;
    :math:`C_{10} = -\Delta f` with the defocus positive at underfocus, :math:`C_{30} = C_s`.

    Parameters
    ----------
    qy, qx : Tensor
        Open frequency grid in 1/Å.
    wavelength : Tensor
        In Å.
    coefficients : mapping of str to Tensor
        Keys of `ABERRATIONS` (``C10``, ``C12a``, ``C12b``, ``C21a``, ... ``C56b``), values in Å
        whose shape is the batch shape of the result.

    Returns
    -------
    Tensor
        In rad, float64 inputs give float64.

    Raises
    ------
    ValueError
        If a coefficient has no such name.

    References
    ----------
    Krivanek, Dellby & Lupini, Ultramicroscopy 78 (1999) 1.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.lens import aberration_phase
    >>> wavelength, underfocus = torch.tensor(0.0197), torch.tensor(15000.0)  # Å
    >>> qx = (wavelength * underfocus).rsqrt().view(1, 1)  # 1/Å, first zero of sin χ
    >>> chi = aberration_phase(torch.zeros(1, 1), qx, wavelength, {"C10": -underfocus})
    >>> round(chi.item() / torch.pi, 4), round(1 / qx.item(), 1)  # -π, at 17.2 Å
    (-1.0, 17.2)
    """
    theta_x, theta_y = wavelength * qx, wavelength * qy
    squared = theta_x**2 + theta_y**2
    powers = _AngularPowers(theta_x, theta_y)
    # By multiplicity, Horner's scheme in theta²: {(m, part): {k: coefficient of theta^(2k)}}
    series: dict[tuple[int, str], dict[int, Tensor]] = {}
    for name, value in coefficients.items():
        if name not in ABERRATIONS:
            raise ValueError(f"unknown aberration {name!r}, known are {', '.join(ABERRATIONS)}")
        n, m, part = ABERRATIONS[name]
        weight = (2 * math.pi / wavelength / (n + 1) * value)[..., None, None]
        series.setdefault((m, part), {})[(n + 1 - m) // 2] = weight
    phase: Tensor | None = None
    for (m, part), terms in series.items():
        radial = terms[max(terms)]
        for k in range(max(terms) - 1, -1, -1):
            radial = radial * squared
            if k in terms:
                radial = radial + terms[k]
        term = radial * powers.get(m, part) if m > 0 else radial
        phase = term if phase is None else phase + term
    return torch.zeros_like(squared) if phase is None else phase


class _AngularPowers:
    """Real and imaginary parts of (theta_x + i theta_y)^m, each computed once."""

    def __init__(self, theta_x: Tensor, theta_y: Tensor) -> None:
        x, y = torch.broadcast_tensors(theta_x, theta_y)
        self._parts: list[tuple[Tensor, Tensor]] = [(x, y)]

    def get(self, m: int, part: str) -> Tensor:
        """Real (a) or imaginary (b) part of the m-th power, m >= 1."""
        while len(self._parts) < m:
            (x, y), (u, v) = self._parts[0], self._parts[-1]
            self._parts.append((u * x - v * y, u * y + v * x))
        return self._parts[m - 1][0 if part == "a" else 1]


def aberration_gradient(
    qy: Tensor,  # (ny, 1) 1/Å
    qx: Tensor,  # (1, nx) 1/Å
    wavelength: Tensor,  # () Å
    coefficients: Mapping[str, Tensor],  # each (...) Å
) -> tuple[Tensor, Tensor]:  # 2 x (..., ny, nx) rad Å
    r"""Gradient of the wave aberration with respect to the spatial frequency.

    Term by term, with :math:`w = \theta_x + i \theta_y` and :math:`k = (n + 1 - m) / 2`:

    .. math:: \nabla |w|^{2k} w^m = 2k\, |w|^{2k-2} w^m (\theta_x, \theta_y)
              + m\, |w|^{2k} w^{m-1} (1, i)

    Parameters
    ----------
    qy, qx, wavelength, coefficients
        As in `aberration_phase`.

    Returns
    -------
    tuple of Tensor
        :math:`\partial\chi/\partial q_y` and :math:`\partial\chi/\partial q_x` in rad Å.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.lens import aberration_gradient
    >>> qy, qx = torch.zeros(1, 1), torch.full((1, 1), 1 / 4)  # 1/Å
    >>> defocus = {"C10": torch.tensor(-10000.0)}
    >>> along_y, along_x = aberration_gradient(qy, qx, torch.tensor(0.0197), defocus)
    >>> round(along_x.abs().item() / (2 * torch.pi), 2)  # Å: 4 Å detail is displaced by λ Δf q
    49.25
    """
    theta_x, theta_y = torch.broadcast_tensors(wavelength * qx, wavelength * qy)
    squared = theta_x**2 + theta_y**2
    powers = _AngularPowers(theta_x, theta_y)
    grad_x, grad_y = torch.zeros_like(squared), torch.zeros_like(squared)
    for name, value in coefficients.items():
        n, m, part = ABERRATIONS[name]
        k = (n + 1 - m) // 2
        chosen = powers.get(m, part) if m > 0 else torch.ones_like(squared)
        # d|w|^2k = 2k |w|^(2k-2) (theta_x, theta_y)
        radial = 2 * k * squared ** (k - 1) if k > 0 else torch.zeros_like(squared)
        dx, dy = radial * theta_x * chosen, radial * theta_y * chosen
        if m > 0:
            # d(w^m)/dx = m w^(m-1), d(w^m)/dy = i m w^(m-1)
            if m > 1:
                lower_u, lower_v = powers.get(m - 1, "a"), powers.get(m - 1, "b")
            else:
                lower_u, lower_v = torch.ones_like(squared), torch.zeros_like(squared)
            mix_x, mix_y = (lower_u, -lower_v) if part == "a" else (lower_v, lower_u)
            dx = dx + m * squared**k * mix_x
            dy = dy + m * squared**k * mix_y
        weight = (value / (n + 1))[..., None, None]
        grad_x, grad_y = grad_x + weight * dx, grad_y + weight * dy
    # chi = 2 pi / lambda * W(theta) and d theta / dq = lambda
    return 2 * math.pi * grad_y, 2 * math.pi * grad_x


def defocus_factors(
    qy: Tensor,  # (ny, 1) 1/Å
    qx: Tensor,  # (1, nx) 1/Å
    wavelength: Tensor,  # () Å
    defocus: Tensor,  # (...) Å
) -> tuple[Tensor, Tensor]:  # (..., ny, 1), (..., 1, nx) complex
    r"""Transfer by an underfocus Δf alone, a factor for each axis of the plane.

    .. math:: e^{i \pi \lambda \Delta f q^2} = e^{i \pi \lambda \Delta f q_y^2}
              \, e^{i \pi \lambda \Delta f q_x^2}

    Parameters
    ----------
    qy, qx : Tensor
        Open frequency grid in 1/Å.
    wavelength : Tensor
        In Å.
    defocus : Tensor
        Δf in Å.

    Returns
    -------
    tuple of Tensor
        Along y and along x.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.grid import frequency_grid
    >>> from difftem.functional.lens import aberration_phase, defocus_factors
    >>> qy, qx = frequency_grid((8, 8), 2.0)
    >>> wavelength, underfocus = torch.tensor([0.0197, 15000.0], dtype=torch.float64)
    >>> along_y, along_x = defocus_factors(qy, qx, wavelength, underfocus)
    >>> chi = aberration_phase(qy, qx, wavelength, {"C10": -underfocus})
    >>> torch.allclose(along_y * along_x, torch.exp(-1j * chi))
    True
    """
    scale = math.pi * wavelength * defocus[..., None, None]
    return phase_factor(scale * qy**2), phase_factor(scale * qx**2)


def aperture(
    qy: Tensor,  # (ny, 1) 1/Å
    qx: Tensor,  # (1, nx) 1/Å
    wavelength: Tensor,  # () Å
    semiangle: Tensor,  # (...) rad
    softness: Tensor,  # () rad
) -> Tensor:  # (..., ny, nx)
    r"""Objective aperture with a soft edge, so that its radius has a gradient.

    .. math:: A(q) = \tfrac12 \operatorname{erfc}\left((\lambda q - \alpha) / s\right)

    Parameters
    ----------
    qy, qx : Tensor
        Open frequency grid in 1/Å.
    wavelength : Tensor
        In Å.
    semiangle : Tensor
        Aperture semi-angle α in rad.
    softness : Tensor
        Width s of the edge in rad.

    Returns
    -------
    Tensor
        Transmission between 0 and 1.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.lens import aperture
    >>> wavelength = torch.tensor(0.0197)
    >>> qx = torch.tensor([[9e-3, 10e-3, 11e-3]]) / wavelength
    >>> aperture(torch.zeros(1, 1), qx, wavelength, torch.tensor(10e-3), torch.tensor(1e-4))
    tensor([[1.0000, 0.5000, 0.0000]])
    """
    # The clamp keeps the gradient of |q| finite on the axis.
    theta = wavelength * torch.sqrt(torch.clamp(qx**2 + qy**2, min=1e-30))
    return 0.5 * torch.erfc((theta - semiangle[..., None, None]) / softness)


def phase_plate(
    qy: Tensor,  # (ny, 1) 1/Å
    qx: Tensor,  # (1, nx) 1/Å
    phase_shift: Tensor,  # (...) rad
    cut_on: Tensor,  # () 1/Å
) -> Tensor:  # (..., ny, nx) rad
    r"""Phase that a (Zernike or Volta) phase plate adds to the scattered beam.

    .. math:: \varphi(q) = \varphi_0 \left(1 - e^{-q^2 / 2 q_c^2}\right)

    Parameters
    ----------
    qy, qx : Tensor
        Open frequency grid in 1/Å.
    phase_shift : Tensor
        φ0 in rad; π/2 turns atoms dark in focus, as underfocus does.
    cut_on : Tensor
        Radius of the unscattered spot in 1/Å.

    Returns
    -------
    Tensor
        Phase in rad, zero at DC; it enters the image wave as :math:`e^{+i\varphi}`.

    References
    ----------
    Danev & Nagayama, Ultramicroscopy 88 (2001) 243.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.lens import phase_plate
    >>> qx = torch.tensor([[0.0, 0.001, 0.1]])  # 1/Å
    >>> shift = phase_plate(torch.zeros(1, 1), qx, torch.tensor(torch.pi / 2), torch.tensor(0.001))
    >>> shift / torch.pi  # none for the direct beam
    tensor([[0.0000, 0.1967, 0.5000]])
    """
    q2 = qx**2 + qy**2
    return phase_shift[..., None, None] * (1 - torch.exp(-q2 / (2 * cut_on**2)))
