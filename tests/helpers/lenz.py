"""Angular distributions of the Lenz model, summed as TEM-simulator does it.

Equations: Reimer & Kohl (2008), section 5.2.
"""

import math

import torch
from torch.special import bessel_j0

from difftem.constants.physical import BOHR_RADIUS, ELECTRON_REST_ENERGY_EV
from difftem.functional.beam import wavelength
from difftem.functional.solvent import total_cross_section


def differential_cross_section(z, energy, theta):
    """Elastic plus inelastic, in Å² per steradian."""
    k = 2 * math.pi / wavelength(energy)
    gamma = 1 + energy / ELECTRON_REST_ENERGY_EV
    theta0 = (z ** (1 / 3) / (k * BOHR_RADIUS)) ** 2
    theta_e = (13.5 * z / (4 * energy)) ** 2
    screened = 1 + theta**2 / theta0
    elastic = 4 * z ** (2 / 3) * (BOHR_RADIUS * gamma / screened) ** 2
    slow = gamma / (k**2 * BOHR_RADIUS * (theta**2 + theta_e))
    return elastic + 4 * z * slow**2 * (1 - screened**-2)


def transferred(z, energy, aperture, reach, step):
    """Cross section of what passes the aperture, times its transfer at reach = 2π q |defocus|.

    A sum over angles in steps as coarse as the program's, whose first ones matter: the inelastic
    peak is only a few steps wide.
    """
    theta = step * torch.arange(1, int(aperture / step) + 1, dtype=torch.float64)
    weight = 2 * math.pi * theta * step * differential_cross_section(z, energy, theta)
    # A table as fine as the program's, with its linear interpolation.
    table_at = torch.arange(int(float(reach.max()) * aperture) + 2, dtype=torch.float64) / aperture
    table = (bessel_j0(table_at[:, None] * theta) * weight).sum(-1)
    position = reach / table_at[1]
    left = position.floor().long().clamp(max=len(table) - 2)
    share = position - left
    return table[left] * (1 - share) + table[left + 1] * share


def fraction_within(z, energy, aperture, reach, step):
    """The same as a fraction of all that an atom scatters."""
    return transferred(z, energy, aperture, reach, step) / total_cross_section(z, energy)
