"""A hole in a support film, filled with ice whose surfaces are parabolic."""

import math

import torch
from torch import Tensor

from difftem.functional.cross_section import total_cross_section
from difftem.functional.solvent import ICE_MOLECULES_PER_A3

CARBON_ATOMS_PER_A3 = 0.1  # of the support: 2.0 g/cm³
MIN_PATH = 10.0  # Å: less ice than this makes no difference
MAX_STEPS = 20
GRAZING = 1e-3  # a film seen within this cosine of edge-on is left out


def film_paths(
    x: Tensor,  # (nx,) Å
    y: Tensor,  # (ny,) Å
    rotation: Tensor,  # (..., 3, 3)
    hole_radius: Tensor,  # () Å
    center_thickness: Tensor,  # () Å
    edge_thickness: Tensor,  # () Å
    offset: Tensor | None = None,  # (2,) Å
) -> tuple[Tensor, Tensor]:  # 2 x (..., ny, nx) Å
    r"""Path lengths in ice and support of the rays that meet an image's pixels.

    Inside the hole ice lies between :math:`z = \pm[t_c + (t_e - t_c)\rho^2/r^2]/2`, outside is
    support between :math:`z = \pm t_e/2`, in the frame of the specimen. The ray of pixel (x, y)
    runs along the beam through the point that the rotation brings to (x, y, 0).

    Parameters
    ----------
    x, y : Tensor
        Pixel coordinates in Å, the tilt axis at 0.
    rotation : Tensor
        From specimen to microscope, x' = S x.
    hole_radius, center_thickness, edge_thickness : Tensor
        r, t_c and t_e in Å, scalars.
    offset : Tensor, optional
        x and y of the hole's centre in the specimen, Å. Default: none.

    Returns
    -------
    tuple of Tensor
        Lengths in ice and in support, Å. Both are 0 for a film seen edge-on.

    References
    ----------
    Rullgård et al., J. Microscopy 243 (2011) 234, section 2.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.film import film_paths
    >>> x, y = torch.tensor([0.0, 2500.0, 6000.0]), torch.zeros(1)
    >>> hole, centre, edge = torch.tensor([5000.0, 300.0, 500.0])  # Å
    >>> film_paths(x, y, torch.eye(3), hole, centre, edge)  # ice, support
    (tensor([[300., 350.,   0.]]), tensor([[  0.,   0., 500.]]))
    """
    stage = rotation.to(x)
    along = stage[..., 2, :]  # beam direction in the specimen
    edge_on = along[..., 2].abs() < GRAZING
    slope = along[..., :2] / torch.where(edge_on, 1.0, along[..., 2])[..., None]
    # Where the ray crosses z = 0 in the specimen.
    row = stage[..., :2, :, None, None]
    point = row[..., 0, :, :, :] * x + row[..., 1, :, :, :] * y[:, None]  # (..., 3, ny, nx)
    crossing = point[..., :2, :, :] - point[..., 2:, :, :] * slope[..., None, None]
    if offset is not None:
        crossing = crossing - offset.to(x)[:, None, None]
    s = (slope[..., None, None] * crossing).sum(-3)
    t = (crossing**2).sum(-3)
    k2 = (slope**2).sum(-1)[..., None, None].expand_as(t)
    half, radius2 = edge_thickness / 2, hole_radius**2
    curvature = (edge_thickness - center_thickness) / radius2
    straight = k2 < 1e-6
    ice, support = _upright(t, radius2, center_thickness, edge_thickness, curvature)
    tilted = _tilted(
        s, t, torch.where(straight, 1.0, k2), radius2, half, center_thickness, curvature
    )
    hidden = edge_on[..., None, None]
    ice = torch.where(straight, ice, tilted[0])
    support = torch.where(straight, support, tilted[1])
    return ice.masked_fill(hidden, 0.0), support.masked_fill(hidden, 0.0)


def carbon_per_ice(
    energy: Tensor,  # () eV
) -> Tensor:  # ()
    """How many times more a carbon film scatters than ice of the same thickness.

    Parameters
    ----------
    energy : Tensor
        Beam energy in eV.

    Returns
    -------
    Tensor
        1.33 at 200 kV.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.film import carbon_per_ice
    >>> round(carbon_per_ice(torch.tensor(200e3)).item(), 2)
    1.33
    """
    molecule = total_cross_section(8, energy) + 2 * total_cross_section(1, energy)
    carbon = CARBON_ATOMS_PER_A3 * total_cross_section(6, energy)
    return carbon / (ICE_MOLECULES_PER_A3 * molecule)


def attenuate(
    intensity: Tensor,  # (..., y, x)
    path: Tensor,  # (..., y, x) Å
    mean_free_path: Tensor,  # () Å
) -> Tensor:  # (..., y, x)
    r"""Remove what is scattered on the way through a film: :math:`I e^{-L/\Lambda}`.

    Parameters
    ----------
    intensity : Tensor
        Of the image.
    path : Tensor
        L in Å.
    mean_free_path : Tensor
        Λ in Å.

    Returns
    -------
    Tensor
        Shape of `intensity` and `path` together.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.film import attenuate
    >>> path = torch.tensor([[300.0, 3000.0]])  # Å of ice at 300 kV
    >>> attenuate(torch.ones(1, 2), path, torch.tensor(3000.0))
    tensor([[0.9048, 0.3679]])
    """
    return intensity * torch.exp(-path / mean_free_path)


def scatter_in_film(
    intensity: Tensor,  # (..., y, x)
    ice: Tensor,  # (..., y, x) Å
    support: Tensor,  # (..., y, x) Å
    attenuation: Tensor,  # (..., y, x // 2 + 1) 1/Å
    support_ratio: float | Tensor,
) -> Tensor:  # (..., y, x)
    r"""Blur and attenuate an image as a film of uneven thickness does.

    .. math:: I' = \sum_l h\!\left(\frac{L_l - L}{\Delta L}\right)
              F^{-1}\!\left[ e^{-T(q) L_l} F[I] \right], \qquad
              L = L_\mathrm{ice} + r L_\mathrm{support}

    with the hat function h: for each pixel the two nearest of up to 21 thicknesses are
    interpolated. They span what is free of support; thicker pixels are darkened by
    :math:`e^{-T(0) L}` beyond it.

    Parameters
    ----------
    intensity : Tensor
        Of the image, shape ``(..., y, x)``.
    ice, support : Tensor
        From `film_paths`.
    attenuation : Tensor
        T on the grid of a real FFT, from `difftem.functional.inelastic.ice_attenuation`.
    support_ratio : float or Tensor
        r, how much more the support absorbs than ice.

    Returns
    -------
    Tensor
        Shape ``(..., y, x)``.

    References
    ----------
    Rullgård et al., J. Microscopy 243 (2011) 234.

    Examples
    --------
    >>> import torch
    >>> from difftem.functional.film import scatter_in_film
    >>> attenuation = torch.full((4, 3), 1 / 3000)  # 1/Å at all frequencies: nothing is blurred
    >>> ice, support = torch.full((4, 4), 300.0), torch.zeros(4, 4)
    >>> scatter_in_film(torch.ones(4, 4), ice, support, attenuation, 1.33)[0]
    tensor([0.9048, 0.9048, 0.9048, 0.9048])
    """
    shape = intensity.shape[-2:]
    full = torch.broadcast_tensors(intensity, ice)[0].shape  # broadcast_shapes loads sympy
    half = (*full[:-2], *attenuation.shape[-2:])
    each = zip(
        intensity.expand(full).reshape(-1, *shape),
        ice.expand(full).reshape(-1, *shape),
        support.expand(full).reshape(-1, *shape),
        attenuation.expand(half).reshape(-1, *half[-2:]),
        strict=True,
    )
    images = [_scatter_one(*one, support_ratio) for one in each]
    return torch.stack(images).reshape(full)


def _scatter_one(
    intensity: Tensor,  # (y, x)
    ice: Tensor,
    support: Tensor,
    attenuation: Tensor,  # (y, x // 2 + 1)
    support_ratio: float | Tensor,
) -> Tensor:  # (y, x)
    """One image through its film."""
    path = ice + support * support_ratio
    thinnest = path.amin()
    free = path[support < MIN_PATH]
    thickest = torch.maximum(thinnest, free.amax()) if len(free) else thinnest
    span = thickest - thinnest
    low, high, width = (float(each.detach()) for each in (thinnest, thickest, span))
    if high < MIN_PATH:
        return intensity
    n = 0
    if width >= MIN_PATH:
        n = min(MAX_STEPS, math.ceil(10 * width / max(low, 1e-6)))
    spectrum = torch.fft.rfft2(intensity)
    result = torch.zeros_like(intensity)
    beyond = torch.exp(-(path - thickest).clamp(min=0) * attenuation[0, 0])
    for level in range(n + 1):
        length = thinnest + span * (level / max(n, 1))
        image = torch.fft.irfft2(spectrum * torch.exp(-attenuation * length), s=intensity.shape)
        if n == 0:
            return image * beyond
        share = torch.clamp(1 - (length - path).abs() * (n / span), min=0)
        if level == n:
            share = torch.where(path > thickest, beyond, share)
        result = result + image * share
    return result


def _upright(
    t: Tensor, radius2: Tensor, center: Tensor, edge: Tensor, curvature: Tensor
) -> tuple[Tensor, Tensor]:
    """Path lengths along the film's normal."""
    inside = t < radius2
    zero = torch.zeros_like(t)
    return torch.where(inside, center + curvature * t, zero), torch.where(inside, zero, edge + zero)


def _tilted(
    s: Tensor,
    t: Tensor,
    k2: Tensor,
    radius2: Tensor,
    half: Tensor,
    center: Tensor,
    curvature: Tensor,
) -> tuple[Tensor, Tensor]:
    """Path lengths of rays at (m + κ z, z), with s = κ·m, t = |m|² and k2 = |κ|².

    The ray is in the hole between z1 and z2, in the ice between z3 and z4.
    """
    stretch = torch.sqrt(1 + k2)
    middle = -s / k2
    discriminant = middle**2 - (t - radius2) / k2
    meets = discriminant > 0
    chord = torch.sqrt(torch.where(meets, discriminant, 1.0))
    z1, z2 = middle - chord, middle + chord
    crosses = meets & (z2 > -half) & (z1 < half)
    constant = curvature * t + center
    through_wall = (z1 >= -half, z2 <= half)
    bottom = _root_near_zero(curvature * k2, curvature * s + 1, constant)
    top = _root_near_zero(curvature * k2, curvature * s - 1, constant)
    z3 = torch.where(through_wall[0], z1, bottom)
    z4 = torch.where(through_wall[1], z2, top)
    zero = torch.zeros_like(t)
    support = torch.where(through_wall[0], z1 + half, zero)
    support = support + torch.where(through_wall[1], half - z2, zero)
    ice = torch.where(crosses, stretch * (z4 - z3), zero)
    return ice, stretch * torch.where(crosses, support, 2 * half + zero)


def _root_near_zero(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Root of a z² + 2 b z + c next to 0, without cancellation for a small a."""
    return -c / b / (1 + torch.sqrt(torch.clamp(1 - a * c / b**2, min=1e-12)))
