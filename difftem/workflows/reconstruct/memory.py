"""How much memory a reconstruction will need, before it starts."""

from difftem.simulation.memory import check_memory
from difftem.tomography.slice_weights import ROWS
from difftem.workflows.reconstruct.options import ReconstructOptions

# From above: interpreter and libraries; a pixel of the images with their copies; a voxel with the
# slabs, the volume and the copy that is written; an entry of the weights of one plane, of which
# there are up to 3 for each voxel and tilt, twice; a voxel of a slab with its correction.
BASE_BYTES, IMAGE_BYTES, VOXEL_BYTES, ENTRY_BYTES, SLAB_BYTES = 550e6, 20, 14, 48, 12


def reconstruct_bytes(n_tilts: int, shape: tuple[int, int, int], source_pixels: int) -> float:
    """Peak memory in bytes.

    Parameters
    ----------
    n_tilts : int
        Images.
    shape : tuple of int
        Of the volume (z, y, x).
    source_pixels : int
        Of all images before binning.

    Returns
    -------
    float
        Bytes.
    """
    nz, ny, nx = shape
    images = 4 * source_pixels + IMAGE_BYTES * n_tilts * ny * nx
    weights = ENTRY_BYTES * n_tilts * nz * nx
    return BASE_BYTES + images + weights + nz * nx * (VOXEL_BYTES * ny + SLAB_BYTES * ROWS)


def check_reconstruct_memory(
    n_tilts: int, shape: tuple[int, int, int], source_pixels: int, options: ReconstructOptions
) -> None:
    """Refuse what cannot fit.

    Parameters
    ----------
    n_tilts, shape, source_pixels
        As of `reconstruct_bytes`.
    options : ReconstructOptions
        With the limit.

    Raises
    ------
    ValueError
        If it cannot fit, in one line.
    """
    check_memory(
        reconstruct_bytes(n_tilts, shape, source_pixels),
        limit_gb=options.memory_limit_gb,
        advice="binned images (--bin 2) or a smaller --thickness would do",
    )
