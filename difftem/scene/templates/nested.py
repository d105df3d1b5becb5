"""Templates built from parts: shells and blobs drawn on voxels, copies of other templates."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from difftem.functional.grid import frequency_grid, radius
from difftem.functional.projection import central_slices, template_spectrum
from difftem.functional.sampling import good_fft_size
from difftem.scene.assembly import Assembly, Blob, Copies, Shell
from difftem.scene.poses import ParticlePoses
from difftem.scene.templates.render import BAND_LIMIT
from difftem.scene.templates.template import Template

MARGIN_VOXELS = 4
BLOB_REACH = 4.0  # standard deviations


def build_template(
    assembly: Assembly,
    templates: Mapping[str, Template],
    voxel_size: float,  # Å
) -> Template:
    """Draw an assembly on voxels.

    Parameters
    ----------
    assembly : Assembly
        Shells, blobs and copies of other particles about one origin.
    templates : mapping of str to Template
        The particles that are copied, real, with this voxel size.
    voxel_size : float
        In Å.

    Returns
    -------
    Template
        Real, its origin that of the assembly.

    Raises
    ------
    ValueError
        If a copied particle is missing or has other voxels.
    """
    n = good_fft_size(2 * (math.ceil(assembly.radius / voxel_size) + MARGIN_VOXELS))
    volume = torch.zeros(n, n, n)
    for part in assembly.parts:
        if isinstance(part, Shell):
            _draw_shell(volume, part, voxel_size)
        elif isinstance(part, Blob):
            _draw_blobs(volume, part, voxel_size)
        elif isinstance(part, Copies):
            name = part.instances.particle
            if name not in templates:
                raise ValueError(f"{assembly.name} needs a template of {name!r}")
            if templates[name].voxel_size != voxel_size:
                raise ValueError(
                    f"template {name!r} has voxels of {templates[name].voxel_size} Å, "
                    f"{assembly.name} of {voxel_size} Å"
                )
            add_copies(volume, templates[name], part.instances)
    return Template(volume, voxel_size, assembly.radius)


def add_copies(
    volume: Tensor,  # (nz, ny, nx) V
    template: Template,
    instances: ParticlePoses,
) -> None:
    """Add turned copies of a real template to a volume of the same voxels, in place.

    Each copy is made from the template's Fourier transform, up to 0.8 of Nyquist, where a rendered
    template has faded out: a sharp edge below would ring beyond the copy's cube. What reaches
    beyond the volume is cut.
    """
    voxel_size = template.voxel_size
    limit = BAND_LIMIT / 2 / voxel_size
    values = template.values.to(volume)
    spectrum = template_spectrum(values, voxel_size, limit, center=template.center)
    n = good_fft_size(2 * (math.ceil(template.radius / voxel_size) + MARGIN_VOXELS))
    q = frequency_grid((n, n, n), voxel_size, half=True, dtype=torch.float32)
    inside = (radius(q) < limit).flatten()
    qz, qy, qx = torch.broadcast_tensors(*q)
    points = torch.stack([qx, qy, qz], -1).reshape(-1, 3)[inside]
    rotations = instances.rotations.float()
    voxels = instances.positions / voxel_size + torch.tensor(
        [m // 2 for m in reversed(volume.shape)]
    )
    corners = torch.floor(voxels).long() - n // 2
    offsets = (voxels - corners) * voxel_size
    spectra = torch.zeros(len(inside), dtype=torch.complex64)
    for rotation, corner, offset in zip(rotations, corners.tolist(), offsets, strict=True):
        values = central_slices(spectrum, rotation[None], points)[0]
        phase = -2 * math.pi * (points @ offset.float())
        spectra[inside] = values * torch.polar(torch.ones_like(phase), phase) / voxel_size**3
        copy = torch.fft.irfftn(spectra.reshape(n, n, -1), s=(n, n, n))
        _add(volume, copy, corner)


def _add(volume: Tensor, patch: Tensor, corner: list[int]) -> None:
    """Add a cube whose first voxel (x, y, z) may lie outside the volume."""
    inside, within = [], []
    for start, size, patch_size in zip(reversed(corner), volume.shape, patch.shape, strict=True):
        low, high = max(start, 0), min(start + patch_size, size)
        inside.append(slice(low, max(high, low)))
        within.append(slice(low - start, max(high, low) - start))
    volume[tuple(inside)] += patch[tuple(within)]


def _axes(shape: torch.Size, voxel_size: float) -> list[Tensor]:
    """Coordinates z, y, x of the voxels in Å."""
    return [(torch.arange(n, dtype=torch.float32) - n // 2) * voxel_size for n in shape]


def _draw_shell(volume: Tensor, shell: Shell, voxel_size: float) -> None:
    """Add a potential that depends on the distance from the origin, layer by layer."""
    z, y, x = _axes(volume.shape, voxel_size)
    plane_y, plane_x = torch.meshgrid(y, x, indexing="ij")
    for i, height in enumerate(z.tolist()):
        points = torch.stack([plane_x, plane_y, torch.full_like(plane_x, height)], -1)
        volume[i] += shell.potential_at(points)


def _draw_blobs(volume: Tensor, blob: Blob, voxel_size: float) -> None:
    """Add Gaussians, each on the voxels around it."""
    axes = _axes(volume.shape, voxel_size)
    reach = BLOB_REACH * blob.sigma + voxel_size
    for position in blob.positions.flip(-1).tolist():  # z, y, x
        windows, profiles = [], []
        for axis, middle in zip(axes, position, strict=True):
            low, high = torch.searchsorted(axis, torch.tensor([middle - reach, middle + reach]))
            windows.append(slice(int(low), int(high)))
            distance = axis[windows[-1]] - middle
            profiles.append(torch.exp(-(distance**2) / (2 * blob.sigma**2)))
        z, y, x = profiles
        volume[tuple(windows)] += blob.peak * z[:, None, None] * y[:, None] * x
