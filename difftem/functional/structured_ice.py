"""Structured ice: what the molecules of vitreous ice, each in its place, add to an image."""

import math

import torch
from torch import Tensor

from difftem.constants.amorphous import WATER_MOTION, WATER_STRUCTURE
from difftem.constants.physical import POTENTIAL_CONSTANT
from difftem.constants.scattering import scattering_table
from difftem.functional.beam import interaction_constant, relative_velocity, wavelength
from difftem.functional.form_factor import scattering_factor
from difftem.functional.lens import aberration_phase
from difftem.functional.random_field import on_half_grid, random_field, white_noise
from difftem.functional.solvent import (
    ICE_DENSITY_G_PER_CM3,
    REFERENCE_ENERGY_EV,
    ice_molecules_per_a3,
)
from difftem.functional.structure_factor import structure_factor
from difftem.units import kev_to_ev, mm_to_angstrom, um_to_angstrom

# Of the molecule in ice: Kuhs & Lehmann, J. Phys. Chem. 87 (1983) 4312 have 0.97 Å and 106.6°
# for the molecule in ice Ih after correction; a free one has 0.957 Å and 104.5°.
O_H, H_O_H_DEG = 0.97, 106.6


def water_structure_factor(
    frequency: Tensor,  # (...) 1/Å
) -> Tensor:  # (...)
    """Oxygen-oxygen structure factor of low-density amorphous ice, first peak at 1/3.7 1/Å.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.structured_ice import water_structure_factor
    >>> q = torch.linspace(0.2, 0.35, 1001)  # 1/Å, around the first peak
    >>> round(1 / q[water_structure_factor(q).argmax()].item(), 1)  # Å
    3.7
    """
    return structure_factor(frequency, WATER_STRUCTURE)


def water_form_factors(
    frequency: Tensor,  # (...) 1/Å
) -> tuple[Tensor, Tensor]:  # (...) Å², (...) Å
    r"""Electron scattering of a water molecule, turned in all directions.

    .. math::

        \langle |f|^2 \rangle &= f_O^2 + 2 f_H^2 + 4 f_O f_H\, j(r_{OH}) + 2 f_H^2\, j(r_{HH}) \\
        \langle f \rangle &= f_O + 2 f_H\, j(r_{OH}), \qquad j(r) = \frac{\sin 2\pi q r}{2\pi q r}

    Parameters
    ----------
    frequency : Tensor
        q = 1/d in 1/Å.

    Returns
    -------
    tuple of Tensor
        Mean square of the scattering factor in Å² and mean, counted from the oxygen, in Å:
        9.25 Å² and 3.04 Å at q = 0.

    References
    ----------
    Debye, Ann. Phys. 351 (1915) 809; Peng et al., Acta Cryst. A52 (1996) 257 for the atoms.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.structured_ice import water_form_factors
    >>> square, mean = water_form_factors(torch.zeros(1))
    >>> round(square.item(), 2), round(mean.item(), 2)  # Å², Å
    (9.25, 3.04)
    """
    elements = torch.tensor([8, 1], device=frequency.device)
    atoms = scattering_factor(frequency.flatten(), elements, scattering_table("peng"))
    oxygen, hydrogen = (each.view(frequency.shape) for each in atoms)
    near = torch.sinc(2 * frequency * O_H)
    between = torch.sinc(4 * frequency * O_H * math.sin(math.radians(H_O_H_DEG / 2)))
    square = oxygen**2 + 4 * oxygen * hydrogen * near + 2 * hydrogen**2 * (1 + between)
    return square, oxygen + 2 * hydrogen * near


def ice_power(
    frequency: Tensor,  # (...) 1/Å
    thickness: float | Tensor,  # Å
    density_g_per_cm3: float | Tensor = ICE_DENSITY_G_PER_CM3,
    exposure: float | Tensor = 0.0,  # e/Å²
    energy: Tensor | None = None,  # () eV
    motion: float | Tensor = WATER_MOTION,  # Å² per e/Å²
) -> Tensor:  # (...) V² Å⁴
    r"""Power spectrum of the projected potential of structured ice.

    .. math:: P(q) = n\, t\, K^2 \left[ \langle |f|^2 \rangle
              + \langle f \rangle^2 (S(q) - 1) \right] B(q)

    with K = 47.878 V Å², n molecules per Å³ and thickness t: the molecules' places obey S, they
    are turned at random. The variance of the projected potential is its integral over d²q. B is
    `beam_blurring` of an exposure, 1 for a frozen moment.

    Parameters
    ----------
    frequency : Tensor
        q = 1/d in 1/Å.
    thickness, density_g_per_cm3 : float or Tensor
        t along the beam in Å (slices of a layer add up), and density in g/cm³.
    exposure, energy, motion
        Of the image, as in `beam_blurring`.

    Returns
    -------
    Tensor
        In V² Å² per (1/Å)².

    References
    ----------
    Hansen & McDonald, Theory of Simple Liquids (2013), chapter 4, for the molecular liquid.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.structured_ice import ice_power
    >>> ring, low = ice_power(torch.tensor([1 / 3.7, 1 / 20]), thickness=200.0)
    >>> round((ring / low).item(), 1)  # the ring at 3.7 Å stands out
    12.6
    """
    square, mean = water_form_factors(frequency)
    per_molecule = square + mean**2 * (water_structure_factor(frequency) - 1)
    number = ice_molecules_per_a3(1.0) * density_g_per_cm3 * thickness
    blurring = beam_blurring(frequency, exposure, energy, motion)
    return number * POTENTIAL_CONSTANT**2 * per_molecule * blurring


def beam_blurring(
    frequency: Tensor,  # (...) 1/Å
    exposure: float | Tensor,  # e/Å²
    energy: Tensor | None = None,  # () eV
    motion: float | Tensor = WATER_MOTION,  # Å² per e/Å²
) -> Tensor:  # (...)
    r"""Share of the ice's power that an exposure leaves, while the beam moves the molecules.

    .. math:: B = \frac{2}{x^2} \left(x - 1 + e^{-x}\right), \qquad
              x = \frac{(2 \pi q)^2}{6}\, \frac{d\langle r^2 \rangle}{dN}\, N

    The mean over an exposure N of what diffuses. With the measured motion the ring at 3.7 Å is
    best seen at 4 e/Å² per image, as was found; at 48 e/Å² 8 % of its power are left.

    Parameters
    ----------
    frequency : Tensor
        q = 1/d in 1/Å.
    exposure : float or Tensor
        N in e/Å²; 0 leaves all of it.
    energy : Tensor, optional
        Of the beam in eV: slower electrons move more, as β⁻². Default: 300 keV.
    motion : float or Tensor
        Mean squared displacement in Å² for every e/Å² of 300 keV.

    Returns
    -------
    Tensor
        Between 0 and 1.

    References
    ----------
    McMullan, Vinothkumar & Henderson, Ultramicroscopy 158 (2015) 26.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.structured_ice import beam_blurring
    >>> [round(beam_blurring(torch.tensor(1 / 3.7), dose).item(), 2) for dose in (0.0, 4.0, 48.0)]
    [1.0, 0.55, 0.08]
    """
    if energy is not None:
        reference = relative_velocity(torch.as_tensor(REFERENCE_ENERGY_EV).to(energy))
        motion = motion * (reference / relative_velocity(energy)) ** 2
    x = (2 * math.pi * frequency) ** 2 / 6 * motion * exposure
    small = x < 1e-2
    safe = torch.where(small, torch.ones_like(x), x)
    return torch.where(small, 1 - x / 3 + x**2 / 12, 2 * (safe + torch.expm1(-safe)) / safe**2)


def ice_contrast_power(
    frequency: Tensor,  # (..., ny, nx) 1/Å
    phase: Tensor,  # (..., ny, nx) rad
    energy: Tensor,  # () eV
    thickness: float | Tensor,  # Å
    density_g_per_cm3: float | Tensor = ICE_DENSITY_G_PER_CM3,
    exposure: float | Tensor = 0.0,  # e/Å²
    amplitude_contrast: float = 0.0,
) -> Tensor:  # (..., ny, nx) Å²
    r"""Power spectrum of the image of ice as a weak object, relative to the beam.

    .. math:: P_I = 4 \sigma^2 \left(\sqrt{1 - a^2} \sin\chi - a \cos\chi\right)^2 P(q)

    Parameters
    ----------
    frequency : Tensor
        q in 1/Å.
    phase : Tensor
        Wave aberration χ there, from `difftem.functional.lens.aberration_phase`, less the phase of
        a phase plate.
    energy : Tensor
        Of the beam in eV.
    thickness, density_g_per_cm3, exposure
        As in `ice_power`.
    amplitude_contrast : float
        a, the fraction of the potential that absorbs.

    Returns
    -------
    Tensor
        In Å²: the variance of intensity - 1 is its integral over d²q.

    References
    ----------
    Reimer & Kohl, Transmission Electron Microscopy (2008), section 6.4.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.structured_ice import ice_contrast_power
    >>> q, phase = torch.tensor([0.2, 0.2]), torch.tensor([0.0, torch.pi / 2])  # 1/Å; rad
    >>> [f"{power:.2g}" for power in ice_contrast_power(q, phase, torch.tensor(300e3), 300.0)]  # Å²
    ['0', '0.046']
    """
    power = ice_power(frequency, thickness, density_g_per_cm3, exposure, energy)
    transfer = math.sqrt(1 - amplitude_contrast**2) * torch.sin(phase)
    transfer = transfer - amplitude_contrast * torch.cos(phase)
    return (2 * interaction_constant(energy) * transfer) ** 2 * power


def draw_ice_contrast(
    shape: tuple[int, int],
    pixel_size: float,  # Å
    *,
    thickness: float,  # Å
    defocus_um: float,
    cs_mm: float = 2.7,
    voltage_kv: float = 300.0,
    density_g_per_cm3: float = ICE_DENSITY_G_PER_CM3,
    exposure: float = 0.0,  # e/Å²
    amplitude_contrast: float = 0.0,
    envelope: Tensor | None = None,  # (y, x // 2 + 1)
    generator: torch.Generator | None = None,
) -> Tensor:  # (y, x)
    """Draw the image of structured ice as a weak object: intensity - 1.

    Parameters
    ----------
    shape : tuple of int
        ``(ny, nx)`` in pixels.
    pixel_size : float
        In Å.
    thickness, density_g_per_cm3 : float
        Of the ice along the beam in Å, and in g/cm³.
    defocus_um, cs_mm, voltage_kv : float
        In µm, underfocus positive; spherical aberration in mm; of the beam, in kV.
    exposure : float
        Of the image in e/Å², which blurs the ice (`beam_blurring`); 0 is a frozen moment.
    amplitude_contrast : float
        Fraction of the potential that absorbs.
    envelope : Tensor, optional
        Amplitude that coherence and camera leave, on the half grid of a real transform. Default: 1.
    generator : torch.Generator, optional
        Source of all randomness, whose device the image is on.

    Returns
    -------
    Tensor
        To be added to a clean image over its mean; float32, mean near 0, periodic.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.structured_ice import draw_ice_contrast
    >>> generator, lens = torch.Generator().manual_seed(0), {"thickness": 300.0, "defocus_um": 1.0}
    >>> contrast = draw_ice_contrast((64, 64), 1.0, **lens, generator=generator)
    >>> round(contrast.std().item(), 2)  # of the beam's intensity, in pixels of 1 Å
    0.21
    """
    device = generator.device if generator is not None else None
    energy = torch.tensor(kev_to_ev(voltage_kv), dtype=torch.float64, device=device)
    lens = {"C10": -um_to_angstrom(defocus_um), "C30": mm_to_angstrom(cs_mm)}
    coefficients = {name: torch.tensor(value).to(energy) for name, value in lens.items()}

    def contrast_power(q: Tensor) -> Tensor:
        line = (q.new_zeros(1, 1), q[None])
        phase = aberration_phase(*line, wavelength(energy), coefficients)[0]
        return ice_contrast_power(
            q, phase, energy, thickness, density_g_per_cm3, exposure, amplitude_contrast
        )

    power = on_half_grid(contrast_power, shape, pixel_size, device)
    if envelope is not None:
        power = power * envelope.to(power) ** 2
    return random_field(white_noise(shape, generator), power.float(), pixel_size)
