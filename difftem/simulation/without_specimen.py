"""Fields without a particle: vacuum, empty ice, and the shadow of a knife edge."""

import dataclasses
import logging

import torch

from difftem.functional.dose import expected_counts
from difftem.micrograph.edge import distance
from difftem.modules import Detector, PoissonLayer
from difftem.simulation.config import EDGE, VACUUM, StructureConfig
from difftem.simulation.focus import defoci_um
from difftem.simulation.limits import changed
from difftem.simulation.run import Series
from difftem.simulation.simulate_config import SimulateConfig

logger = logging.getLogger(__name__)

_MARGIN = 64  # pixels simulated around an edge: the ends of the Fourier transform meet
_ANGLES = 1.0, 20.0  # degrees to an axis of the pixels, for a profile finer than they are


def is_empty(config: SimulateConfig) -> bool:
    """Whether there is no particle in the field."""
    copies = config.copies
    placed = copies.coordinates is not None or copies.transforms is not None
    return config.structure.source in (VACUUM, EDGE) or (copies.count == 0 and not placed)


def emptied(config: SimulateConfig) -> SimulateConfig:
    """Settle what a field without a particle means, and refuse what does not apply to it.

    Parameters
    ----------
    config : SimulateConfig
        As asked for.

    Returns
    -------
    SimulateConfig
        The same where there is a particle; vacuum and edges have no ice and no copies.

    Raises
    ------
    ValueError
        Naming the key.
    """
    source, angle = config.structure.source, config.edge.angle_deg
    if source != EDGE and changed(config.edge):
        raise ValueError(f"edge.angle_deg applies with structure.source {EDGE} only")
    if source not in (VACUUM, EDGE):
        if is_empty(config) and (more := changed(config.copies) - {"count"}):
            raise ValueError(f"copies.{min(more)} does not apply with copies.count 0")
        return config
    ice = changed(config.ice) - {"present"}
    copies = changed(config.copies) - ({"count"} if config.copies.count == 0 else set())
    structure = changed(dataclasses.replace(config.structure, source=StructureConfig().source))
    for section, given in (("ice", ice), ("copies", copies), ("structure", structure)):
        if given:
            raise ValueError(f"{section}.{min(given)} does not apply to structure.source {source}")
    if source == EDGE:
        off = abs((angle + 45) % 90 - 45)
        if not _ANGLES[0] <= off <= _ANGLES[1]:
            raise ValueError(
                f"edge.angle_deg must be {_ANGLES[0]:g} to {_ANGLES[1]:g} degrees off an axis of "
                f"the pixels, got {angle:g}"
            )
        exposure = config.exposure
        if len(defoci_um(config)) > 1:
            raise ValueError("a series of defoci does not apply to a knife edge")
        if len(exposure.tilts_deg) != 1 or exposure.tilts_deg[0] != 0:
            raise ValueError("exposure.tilts_deg does not apply to a knife edge")
        if config.files.exit_wave:
            raise ValueError("files.exit_wave does not apply to a knife edge, which is no specimen")
    return dataclasses.replace(
        config,
        ice=dataclasses.replace(config.ice, present=False),
        copies=dataclasses.replace(config.copies, count=0),
    )


@torch.no_grad()
def take_edge(config: SimulateConfig, detector: Detector, generator: torch.Generator) -> Series:
    """Expose a camera that an opaque half-plane shades.

    The blade lies on the camera: its shadow is sharp, sampled in the middles of the pixels, so
    that the profile across it is the detector's and nothing else. The lens does nothing.

    Parameters
    ----------
    config : SimulateConfig
        Its `edge`, `sampling`, `exposure` and `detector` are used.
    detector : Detector
        Of the configuration.
    generator : torch.Generator
        Source of noise.

    Returns
    -------
    Series
        Of one tilt.
    """
    nx, ny = config.sampling.size
    shape = (ny + 2 * _MARGIN, nx + 2 * _MARGIN)
    bright = (distance(shape, config.edge.angle_deg) < 0).float()
    dose = torch.tensor(config.exposure.dose_e_per_a2)
    expected = expected_counts(bright, dose, config.sampling.pixel_size)
    inside = (slice(_MARGIN, _MARGIN + ny), slice(_MARGIN, _MARGIN + nx))
    draw = PoissonLayer()
    images = [
        detector(draw(detector.rate(expected), generator), expected, generator)[inside]
        for _ in range(config.exposure.exposures)
    ]
    logger.info(
        "a knife edge on the camera: pixels, dose, exposures and detector are used, the lens is not"
    )
    return Series(
        detector.expected(expected)[inside][None],
        torch.stack(images),
        float(expected[inside].double().mean()),
        0,
    )
