"""Copies of a template summed into one slice, in chunks of bounded memory."""

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from difftem.functional.projection import TemplateSpectrum
from difftem.functional.slabs import Slabs, slab_coefficients, slab_from_planes, slab_planes
from difftem.functional.slice_grid import SliceGrid, patches_from_slices
from difftem.functional.threads import ordered_map
from difftem.ops.patches import add_patches
from difftem.ops.projection import extract_slices

CHUNK_POINTS = 100_000  # Fourier coefficients at a time: some 30 MB of intermediates
# On a GPU, whose launches are to be few. Up to 160 bytes each (counted, with kernels and gradient,
# of particles that are not cut) and what cuFFT needs: some 400 MB.
GPU_CHUNK_POINTS = 2_000_000
KEPT_BYTES = 1_000_000_000  # of one particle's copies that reach through several slices


def project_particles(
    field: Tensor,  # (y, x) complex, V Å
    spectrum: TemplateSpectrum,
    positions: Tensor,  # (n, 3) Å
    rotations: Tensor,  # (n, 3, 3)
    grid: SliceGrid,
    slabs: Slabs,
    store: dict[int, Tensor],
    names: list[int],
) -> Tensor:  # (y, x) complex, V Å
    """Add what a slice sees of some copies to its projected potential.

    Parameters
    ----------
    field : Tensor
        Of the slice; it is changed and returned.
    spectrum : TemplateSpectrum
        Of the particle.
    positions : Tensor
        x, y from the field's pixel ``n // 2`` and height above the slice's plane, in Å.
    rotations : Tensor
        Active rotations from the particle's to the microscope's frame.
    grid : SliceGrid
        Of the particle's patch.
    slabs : Slabs
        How the slice cuts.
    store : dict
        Where Fourier planes of thick copies are kept for further slices, without gradients.
    names : list of int
        Keys of the copies in it.

    Returns
    -------
    Tensor
        The field, differentiable in positions, rotations and the template.
    """
    middle = torch.tensor([n // 2 for n in reversed(field.shape)])
    middle = middle.to(positions, non_blocking=True)
    points = GPU_CHUNK_POINTS if field.is_cuda else CHUNK_POINTS
    # A patch much finer than its template has far more pixels than coefficients.
    chunk = max(1, points // max(len(grid.target) * slabs.n_planes, grid.size**2 // 4))
    portions = [slice(start, start + chunk) for start in range(0, len(names), chunk)]
    pixels = positions[:, :2] / grid.pixel_size + middle
    corners = torch.floor(pixels.detach()).long() - grid.size // 2
    offsets, turned, height = (
        each.to(grid.frequency) for each in (pixels - corners, rotations, positions[:, 2])
    )
    if torch.is_grad_enabled():
        for some in portions:
            arguments = (spectrum, turned[some], height[some], offsets[some], grid, slabs)
            patches = checkpoint(
                _patches, *arguments, use_reentrant=False, preserve_rng_state=False
            )
            field = add_patches(field, patches, corners[some])
        return field

    def make(some: slice) -> tuple[dict[int, Tensor], Tensor]:
        planes, made = _planes(spectrum, turned[some], grid, slabs, names[some], store)
        values = slab_from_planes(planes, height[some], grid.frequency, slabs)
        return made, patches_from_slices(values, grid, offsets[some])

    for some, (made, patches) in zip(
        portions, ordered_map(make, portions, field.device), strict=True
    ):
        _keep(made, store)
        field = add_patches(field, patches, corners[some])
    return field


def _planes(
    spectrum: TemplateSpectrum,
    rotations: Tensor,
    grid: SliceGrid,
    slabs: Slabs,
    copies: list[int],
    store: dict[int, Tensor],
) -> tuple[Tensor, dict[int, Tensor]]:
    """Fourier planes of some copies, and those among them that were not in the store."""
    if slabs.thickness is None:
        return slab_planes(spectrum, rotations, grid.frequency, slabs, extract_slices), {}
    missing = [i for i, copy in enumerate(copies) if copy not in store]
    made = {}
    if missing:
        wanted = torch.tensor(missing).to(rotations.device, non_blocking=True)
        planes = slab_planes(spectrum, rotations[wanted], grid.frequency, slabs, extract_slices)
        made = {copies[i]: each for i, each in zip(missing, planes, strict=True)}
    found = torch.stack([made[copy] if copy in made else store[copy] for copy in copies])
    return found, made


def _keep(made: dict[int, Tensor], store: dict[int, Tensor]) -> None:
    """Keep planes for further slices while there is room; in the order of the copies."""
    for copy, each in made.items():
        if (len(store) + 1) * each.nbytes <= KEPT_BYTES:
            store[copy] = each.clone()


def _patches(
    spectrum: TemplateSpectrum,
    rotations: Tensor,
    height: Tensor,
    positions: Tensor,
    grid: SliceGrid,
    slabs: Slabs,
) -> Tensor:
    """Images of some copies, ready to be added to the field."""
    coefficients = slab_coefficients(
        spectrum, rotations, height, grid.frequency, slabs, extract_slices
    )
    return patches_from_slices(coefficients, grid, positions)
