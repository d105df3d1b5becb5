"""Ice with the structure of its molecules, where a configuration asks for it."""

from difftem.modules import FlatIce, HoleyIce, ParticleSpecimen, Potential, StructuredIce
from difftem.modules.displaced_ice import DisplacedIce
from difftem.modules.specimen import Specimen
from difftem.simulation.ice_config import IceConfig


def in_structured_ice(
    specimen: Potential | ParticleSpecimen,
    ice: FlatIce | HoleyIce | None,
    config: IceConfig,
    dose_e_per_a2: float,
    seed: int,
    displaced: Specimen | None = None,
) -> Specimen:
    """Put a specimen into ice of molecules, if it is asked for.

    Parameters
    ----------
    specimen : Potential or ParticleSpecimen
        That a simulator would image.
    ice : FlatIce, HoleyIce or None
        Of the same simulator.
    config : IceConfig
        As configured.
    dose_e_per_a2 : float
        Of each image, which blurs the ice.
    seed : int
        Of the ice's random numbers.
    displaced : Specimen, optional
        Room that the particles take. Default: what the atoms of a `Potential` displace.

    Returns
    -------
    Specimen
        The same where the ice is even.
    """
    if ice is None or not config.structure:
        return specimen
    if displaced is None and isinstance(specimen, Potential):
        displaced = DisplacedIce(specimen)
    return StructuredIce(
        specimen,
        ice,
        config.density_g_per_cm3,
        exposure=dose_e_per_a2,
        motion=config.motion,
        displaced=displaced,
        seed=seed,
    )
