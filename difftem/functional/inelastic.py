"""Inelastically scattered electrons: their angles, and the blurred intensity they leave.

The absorption potential takes them out of the wave. Those that pass the aperture still arrive, as
an intensity blurred by their angle times the distance to the plane in focus.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

import torch
from numpy.polynomial.legendre import leggauss
from torch import Tensor

from difftem.constants.physical import BOHR_RADIUS, ELECTRON_REST_ENERGY_EV
from difftem.functional.beam import wavelength
from difftem.functional.cross_section import INELASTIC_ENERGY_PER_Z_EV, total_cross_section
from difftem.functional.solvent import ICE_MOLECULES_PER_A3

CARBON: Mapping[int, float] = {6: 1.0}
WATER: Mapping[int, float] = {8: 1.0, 1: 2.0}
# Nodes per panel and the phase of the Bessel function across one, rad: error below 1e-7.
PANEL_NODES = 12
PANEL_PHASE = 8.0
TABLE_PHASE = 0.05  # between table entries at the aperture's edge, rad
TABLE_CHUNK = 4_000_000  # Bessel functions at a time
COARSE_MARGIN = 1e4  # Å, beyond the largest defocus, in TEM-simulator's angular step


class AngularTransfer(NamedTuple):
    """Transfer function of the electrons that atoms scatter into an aperture.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.inelastic import AngularTransfer, transferred_fraction
    >>> all_arrive = AngularTransfer(1.0, torch.ones(2), torch.ones(()))  # in place, at any angle
    >>> transferred_fraction(all_arrive, torch.tensor([0.0, 50.0]))
    tensor([1., 1.])
    """

    step: float  # 1/rad, of the reach 2π q |distance| between entries, from 0
    transmitted: Tensor  # (n,) Å², cross section times transfer
    total: Tensor  # () Å², of all that is scattered


def differential_cross_sections(
    atomic_number: int,
    energy: Tensor,  # () eV
    theta: Tensor,  # (...) rad
) -> tuple[Tensor, Tensor]:  # 2 x (...) Å²/sr
    r"""Elastic and inelastic scattering of an atom into a solid angle (Lenz model).

    .. math:: \frac{d\sigma_\mathrm{el}}{d\Omega} = 4 Z^{2/3} \left[
              \frac{a_0 \gamma}{1 + \theta^2/\theta_0^2} \right]^2, \quad
              \frac{d\sigma_\mathrm{in}}{d\Omega} = 4 Z \left[
              \frac{\gamma}{k^2 a_0 (\theta^2 + \theta_E^2)} \right]^2
              \left[ 1 - \left(1 + \frac{\theta^2}{\theta_0^2}\right)^{-2} \right]

    with :math:`\gamma = 1 + E/m_0c^2`, :math:`\theta_0 = Z^{1/3}/k a_0`,
    :math:`\theta_E = 13.5\,\mathrm{eV}\, Z/4E`.

    Parameters
    ----------
    atomic_number : int
        Z.
    energy : Tensor
        Beam energy in eV.
    theta : Tensor
        Scattering angle in rad.

    Returns
    -------
    tuple of Tensor
        Elastic and inelastic, in Å² per steradian.

    References
    ----------
    Reimer & Kohl, Transmission Electron Microscopy (2008), section 5.2.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.inelastic import differential_cross_sections
    >>> theta = torch.tensor([1e-3, 10e-3, 50e-3])  # rad
    >>> elastic, inelastic = differential_cross_sections(6, torch.tensor(300e3), theta)
    >>> inelastic / elastic  # of carbon: inelastic scattering goes forward
    tensor([38.4050,  0.5525,  0.1821])
    """
    z = float(atomic_number)
    k = 2 * math.pi / wavelength(energy)
    gamma = 1 + energy / ELECTRON_REST_ENERGY_EV
    screened = 1 + (theta * k * BOHR_RADIUS) ** 2 / z ** (2 / 3)
    elastic = 4 * z ** (2 / 3) * (BOHR_RADIUS * gamma / screened) ** 2
    theta_e = INELASTIC_ENERGY_PER_Z_EV * z / (4 * energy)
    slow = gamma / (k**2 * BOHR_RADIUS * (theta**2 + theta_e**2))
    return elastic, 4 * z * slow**2 * (1 - screened**-2)


def coarse_angular_step(
    pixel_size: float,  # Å
    max_defocus: float,  # Å
) -> float:  # rad
    """Angular step of TEM-simulator's sums, which is so coarse that it changes the result.

    Examples
    --------
    >>> from difftem.functional.inelastic import coarse_angular_step
    >>> round(1e6 * coarse_angular_step(pixel_size=2.0, max_defocus=15000.0), 1)  # µrad
    25.5
    """
    return pixel_size / (math.pi * (abs(max_defocus) + COARSE_MARGIN))


def angular_transfer(
    composition: Mapping[int, float],
    energy: Tensor,  # () eV
    aperture: float,  # rad
    max_reach: float,  # 1/rad
    angular_step: float | None = None,  # rad
) -> AngularTransfer:
    r"""Transfer function of scattered electrons through an aperture, as a table.

    .. math:: \sigma_A(x) = \int_0^{\theta_A} 2 \pi \theta\,
              \frac{d\sigma}{d\Omega}(\theta)\, J_0(x \theta)\, d\theta,
              \qquad x = 2 \pi q |z|

    Electrons scattered at θ arrive displaced by zθ where the plane at distance z is in focus: this
    is the Fourier transform of their distribution, σ_A(0) what passes at all.

    Parameters
    ----------
    composition : mapping
        Number of atoms by atomic number: `CARBON`, `WATER`.
    energy : Tensor
        Beam energy in eV.
    aperture : float
        Its semi-angle in rad.
    max_reach : float
        Largest x that is needed; beyond it the last value holds.
    angular_step : float, optional
        Sum over angles in these steps and tabulate x in steps of 1/aperture, up to
        1/angular_step, as TEM-simulator does (`coarse_angular_step`). Default: converged.

    Returns
    -------
    AngularTransfer
        Table of float64.

    References
    ----------
    Rullgård et al., J. Microscopy 243 (2011) 234.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.inelastic import CARBON, angular_transfer
    >>> for aperture in (1e-3, 10e-3, 100e-3):
    ...     table = angular_transfer(CARBON, torch.tensor(300e3), aperture, max_reach=1.0)
    ...     print(f"{table.transmitted[0] / table.total:.2f} pass {1e3 * aperture:.0f} mrad")
    0.38 pass 1 mrad
    0.82 pass 10 mrad
    1.00 pass 100 mrad
    """
    if not 0 < aperture < math.pi / 2:
        raise ValueError(f"aperture must be in (0, π/2) rad, got {aperture}")
    energy = energy.double()
    if angular_step is not None:
        if not angular_step > 0:
            raise ValueError(f"angular_step must be positive, got {angular_step} rad")
        step = 1 / aperture
        n_entries = max(2, math.ceil(aperture / angular_step))
        theta = angular_step * torch.arange(1, int(aperture / angular_step) + 1).to(energy)
        weights = torch.full_like(theta, angular_step)
    else:
        step = TABLE_PHASE / aperture
        n_entries = 2 + math.ceil(max_reach / step)
        theta, weights = _angular_nodes(composition, float(energy.detach()), aperture, max_reach)
        theta, weights = theta.to(energy), weights.to(energy)
    density = sum(
        n * torch.stack(differential_cross_sections(z, energy, theta)).sum(0)
        for z, n in composition.items()
    )
    weights = 2 * math.pi * theta * weights * density
    reaches = step * torch.arange(n_entries).to(energy)
    parts = [
        torch.special.bessel_j0(part[:, None] * theta) @ weights
        for part in reaches.split(max(1, TABLE_CHUNK // len(theta)))
    ]
    total = sum(n * total_cross_section(z, energy) for z, n in composition.items())
    return AngularTransfer(step, torch.cat(parts), torch.as_tensor(total))


def _transmitted_cross_section(
    transfer: AngularTransfer,
    reach: Tensor,  # (...) 1/rad
) -> Tensor:  # (...) Å²
    """Look up σ_A(x) by linear interpolation."""
    table = transfer.transmitted.to(reach)
    position = torch.clamp(reach / transfer.step, max=len(table) - 1)
    left = position.detach().long().clamp_(max=len(table) - 2)
    return torch.lerp(table[left], table[left + 1], position - left)


def transferred_fraction(
    transfer: AngularTransfer,
    reach: Tensor,  # (...) 1/rad
) -> Tensor:  # (...)
    """Fraction of all scattered electrons that arrives, times its transfer function: T_C(x).

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.inelastic import CARBON, angular_transfer, transferred_fraction
    >>> transfer = angular_transfer(CARBON, torch.tensor(300e3), aperture=0.01, max_reach=1e4)
    >>> q = torch.tensor([0.0, 1 / 100, 1 / 10])  # 1/Å
    >>> transferred_fraction(transfer, 2 * torch.pi * q * 15000)  # 1.5 µm from focus
    tensor([0.8188, 0.4130, 0.0600])
    """
    return _transmitted_cross_section(transfer, reach) / transfer.total.to(reach)


def ice_attenuation(
    transfer: AngularTransfer,
    reach: Tensor,  # (...) 1/rad
) -> Tensor:  # (...) 1/Å
    r"""Decay per path length in ice of a Fourier component of the intensity.

    .. math:: T_w(x) = n_\mathrm{ice} \left[ \sigma_\mathrm{tot} - \sigma_A(x) \right]

    Parameters
    ----------
    transfer : AngularTransfer
        Of `WATER`.
    reach : Tensor
        ``x = 2π q |defocus|`` in 1/rad.

    Returns
    -------
    Tensor
        In 1/Å; at x = 0 what the aperture stops.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.inelastic import WATER, angular_transfer, ice_attenuation
    >>> transfer = angular_transfer(WATER, torch.tensor(300e3), aperture=0.01, max_reach=1e4)
    >>> lost = ice_attenuation(transfer, 2 * torch.pi * torch.tensor([0.0, 0.1]) * 15000)  # 1/Å
    >>> torch.exp(-300 * lost)  # behind 300 Å of ice: the mean, and detail of 10 Å
    tensor([0.9606, 0.7823])
    """
    lost = transfer.total.to(reach) - _transmitted_cross_section(transfer, reach)
    return ICE_MOLECULES_PER_A3 * lost


def _angular_nodes(
    composition: Mapping[int, float], energy: float, aperture: float, max_reach: float
) -> tuple[Tensor, Tensor]:
    """Gauss-Legendre panels: geometric over the inelastic peak, then as the Bessel function asks.

    The peak of element Z is 13.5 eV Z / 4 E wide; the lightest one's is the narrowest.
    """
    narrow = INELASTIC_ENERGY_PER_Z_EV * min(composition) / (4 * energy)
    edges = [0.0]
    widest = PANEL_PHASE / max(max_reach, 1e-9)
    while edges[-1] < aperture:
        width = min(max(narrow / 2, edges[-1] / 2), widest)
        edges.append(min(edges[-1] + width, aperture))
    border = torch.tensor(edges, dtype=torch.float64)
    x, w = map(torch.from_numpy, leggauss(PANEL_NODES))
    half = (border[1:] - border[:-1])[:, None] / 2
    middle = (border[1:] + border[:-1])[:, None] / 2
    return (middle + half * x).flatten(), (half * w).flatten()
