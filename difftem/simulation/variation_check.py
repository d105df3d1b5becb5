"""Impossible ranges, refused in one line."""

from difftem.simulation.limits import check_common, check_defocus
from difftem.simulation.ranges import USUAL_PATH_NM, check_transmission
from difftem.simulation.scene_config import SceneConfig
from difftem.simulation.variation import amount_of, given_ranges, replaced
from difftem.simulation.variation_config import ALWAYS_DRAWN


def check_variation(config: SceneConfig) -> None:
    """Check ranges: both ends must be values that the key itself may have.

    Parameters
    ----------
    config : SceneConfig
        To check.

    Raises
    ------
    ValueError
        In one line that names the key.
    """
    variation, ice = config.variation, config.ice
    for name, limits in given_ranges(variation).items():
        if not limits[0] <= limits[1]:
            raise ValueError(f"variation.{name} must be [low, high], got {list(limits)}")
        for value in limits if name not in ALWAYS_DRAWN else ():
            try:
                pair = name == "beam_tilt_mrad"
                check_common(replaced(config, name, (value, value) if pair else value))
            except ValueError as error:
                raise ValueError(f"variation.{name}: {error}") from None
    for value in variation.ice_thickness_nm or ():
        check_transmission(
            "variation.ice_thickness_nm", value, ice.mean_free_path_nm or USUAL_PATH_NM
        )
    for value in variation.defocus_um or ():
        check_defocus("variation.defocus_um", value)
    if not ice.present and variation.ice_thickness_nm is not None:
        raise ValueError("variation.ice_thickness_nm does not apply without ice")
    _check_amounts(config)


def _check_amounts(config: SceneConfig) -> None:
    """Check how many particles there may be."""
    known = {each.name: each for each in config.particles}
    for name, (low, high) in config.variation.particles.items():
        key = f"variation.particles.{name}"
        if name not in known:
            raise ValueError(f"{key}: there is no such particle, only {', '.join(known)}")
        if known[name].coordinates is not None:
            raise ValueError(f"{key} does not apply to a particle with coordinates")
        if not 0 < low <= high:
            raise ValueError(f"{key} must be [low, high] with 0 < low, got {[low, high]}")
        whole = float(low).is_integer() and float(high).is_integer()
        if amount_of(config, name) == "count" and not whole:
            raise ValueError(f"{key} must be whole numbers, got {[low, high]}")
