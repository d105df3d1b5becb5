"""Impossible wishes for files of truth, refused in one line."""

from difftem.simulation.truth_config import TruthConfig

BOX_SIZES = (2, 8192)  # pixels
MAX_VOXELS, MIN_DEPTH = 1e9, 100.0  # of a volume; Å


def check_truth(
    truth: TruthConfig, tilts_deg: list[float], size: tuple[int, int], pixel_size: float
) -> None:
    """Refuse what cannot be written.

    Parameters
    ----------
    truth : TruthConfig
        To check.
    tilts_deg : list of float
        Of the images.
    size : tuple of int
        Of an image (x, y) in pixels.
    pixel_size : float
        Of an image in Å.

    Raises
    ------
    ValueError
        In one line that names the key.
    """
    series = len(tilts_deg) > 1 or tilts_deg[:1] != [0.0]
    for name in ("pickers", "particle_stacks"):
        if getattr(truth, name) and series:
            raise ValueError(
                f"truth.{name} applies to untilted micrographs only, not to tilt series "
                "(exposure.tilts_deg)"
            )
    if truth.box_size is not None:
        if not (truth.pickers or truth.particle_stacks):
            raise ValueError("truth.box_size applies with truth.pickers or particle_stacks only")
        if not BOX_SIZES[0] <= truth.box_size <= BOX_SIZES[1]:
            raise ValueError(
                f"truth.box_size must be within {BOX_SIZES[0]} and {BOX_SIZES[1]} pixels, "
                f"got {truth.box_size}"
            )
    if truth.volume_voxel_size is not None and not truth.volumes:
        raise ValueError("truth.volume_voxel_size applies with truth.volumes only")
    if truth.volume_voxel_size is not None:
        x, y = (side * pixel_size / truth.volume_voxel_size for side in size)
        voxels = x * y * MIN_DEPTH / truth.volume_voxel_size
        if voxels > MAX_VOXELS:
            raise ValueError(
                f"truth.volume_voxel_size of {truth.volume_voxel_size:g} Å makes {voxels:.3g} "
                f"voxels of the thinnest ice, at most {MAX_VOXELS:.3g} are allowed"
            )
    doubled = {each for each in truth.pickers if truth.pickers.count(each) > 1}
    if doubled:
        raise ValueError(f"truth.pickers names {min(doubled)} twice")
