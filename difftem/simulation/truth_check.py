"""Impossible wishes for files of truth, refused in one line."""

from difftem.simulation.truth_config import TruthConfig

BOX_SIZES = (2, 8192)  # pixels


def check_truth(truth: TruthConfig, tilts_deg: list[float]) -> None:
    """Refuse what cannot be written.

    Parameters
    ----------
    truth : TruthConfig
        To check.
    tilts_deg : list of float
        Of the images.

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
    doubled = {each for each in truth.pickers if truth.pickers.count(each) > 1}
    if doubled:
        raise ValueError(f"truth.pickers names {min(doubled)} twice")
