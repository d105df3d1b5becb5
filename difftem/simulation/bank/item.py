"""One item of a bank: what is in it, and its image without noise."""

import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from difftem.functional.grid import band_limit_mask, crop_center, frequency_grid, radius
from difftem.functional.mtf import apply_transfer
from difftem.modules import (
    Beam,
    Detector,
    Dose,
    Multislice,
    ParticleSpecimen,
    Simulator,
    Stage,
)
from difftem.modules.specimen import Specimen, View
from difftem.scene.synthetic.draw import Draw
from difftem.simulation.bank.conditions import BankConditions, draw_conditions
from difftem.simulation.bank.config import KINDS, REAL_KINDS, BankConfig
from difftem.simulation.bank.filaments import Filaments
from difftem.simulation.bank.membranes import Vesicles, Virions
from difftem.simulation.bank.molecules import (
    Crystallites,
    Phantoms,
    Proteins,
    add_gold_beads,
    apoferritin,
    real_structure,
)
from difftem.simulation.bank.stage import BankStage
from difftem.simulation.config import SamplingConfig
from difftem.simulation.microscope import build_beam, build_lens
from difftem.simulation.sampling import PaddedField, choose_field
from difftem.simulation.seed import item_seed

_SLICE = 1000.0  # Å: depth within a slice counts, to first order in the potential
_TAPER, _FINER_TAPER = 0.05, 0.03
_MAX_VOXELS = 110.0  # across a template
_GOLD = 0.05  # of the items with molecules have gold beads


class Kind(Protocol):
    """A kind of specimen, decided before pixels are."""

    @property
    def diameter(self) -> float:
        """Of the largest body in Å."""

    @property
    def largest_template(self) -> float:
        """Width in Å of the largest body that is rendered as a whole."""

    def pixel_sizes(self) -> tuple[float, float]:
        """Limits in Å."""

    def fill(self, stage: BankStage) -> None:
        """Put it into the field."""


class BankItem(NamedTuple):
    """A clean micrograph and what is known about it."""

    contrast: Tensor  # (y, x): intensity over its mean, less 1
    facts: dict[str, Any]


class Drawn(nn.Module):
    """Particles with further projected potential in one of their slices.

    Parameters
    ----------
    particles : ParticleSpecimen
        May be without particles.
    layers : Tensor
        ``(y, x)`` in V Å, complex where it absorbs.
    """

    takes_series = False

    def __init__(self, particles: ParticleSpecimen, layers: Tensor) -> None:
        super().__init__()
        self.particles, self.layers = particles, layers
        self.shape, self.pixel_size = particles.shape, particles.pixel_size
        self.slice_thickness = particles.slice_thickness

    def view(self, stage: Stage, beam: Beam, tilt: int | None = None) -> View:
        """Slices of the particles, the drawn potential in the one nearest to the middle."""
        seen = self.particles.view(stage, beam, tilt)
        middle = min(range(len(seen.heights)), key=lambda i: abs(seen.heights[i]))

        def slices() -> Iterator[Tensor]:
            for i, each in enumerate(seen.slices):
                yield each + self.layers if i == middle else each

        return View(slices(), seen.heights)


def make_item(config: BankConfig, index: int) -> BankItem:
    """Make one item.

    Parameters
    ----------
    config : BankConfig
        The recipe.
    index : int
        Number of the item; with the recipe it decides all of it.

    Returns
    -------
    BankItem
        Contrast in float32, and facts that JSON holds.
    """
    draw = Draw(torch.Generator().manual_seed(item_seed(config.seed, index, "bank")))
    shares = {kind: config.shares.get(kind, 0.0) for kind in KINDS}  # in one order
    if config.is_validation(index):
        shares |= dict.fromkeys(REAL_KINDS, 0.0)
    name = draw.weighted(shares)
    kinds = list(_kinds(name, config, draw))
    materials = name == "nanoparticle"
    limits = _common([each.pixel_sizes() for each in kinds])
    thickness = max((each.diameter for each in kinds), default=0.0)
    largest = max((each.largest_template for each in kinds), default=0.0)
    limits = max(limits[0], largest / _MAX_VOXELS), max(limits[1], largest / _MAX_VOXELS)
    conditions = draw_conditions(
        config, draw, limits, min(thickness + 20, 10 * config.ice_nm[1]), materials=materials
    )
    if largest / conditions.pixel_size > _MAX_VOXELS * 2 / 3:  # finer voxels would take too long
        conditions = dataclasses.replace(conditions, full_band=False)
    stage = BankStage(conditions, _field(config, conditions), draw)
    with torch.no_grad():
        for each in kinds:
            each.fill(stage)
        if kinds and not materials and draw.chance(_GOLD):
            add_gold_beads(stage)
        contrast = image(stage)
    return BankItem(contrast, facts_of(name, stage))


def _kinds(name: str, config: BankConfig, draw: Draw) -> Iterator[Kind]:
    """Draw what a kind of item shows."""
    simple: dict[str, Callable[[Draw], Kind]] = {
        "filament": Filaments,
        "vesicle": Vesicles,
        "virion": Virions,
        "nanoparticle": Crystallites,
        "phantom": Phantoms,
        "apoferritin": apoferritin,
    }
    if name == "protein":
        first = Proteins(draw)
        yield first
        # Other species beside it: smaller ones, as fragments and contaminants are.
        for _ in range(draw.weighted({0: 0.55, 1: 0.3, 2: 0.15})):
            yield Proteins(draw, max(40.0, first.mass))
    elif name == "structure":
        yield real_structure(config, draw)
    elif name == "mixed":
        others = ["filament", "vesicle", "virion", "phantom"]
        for _ in range(draw.integer(1, 2)):
            yield simple[draw.choice(others)](draw)
        yield Proteins(draw, 1500.0)
    elif name in simple:
        yield simple[name](draw)


def _common(limits: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Pixel sizes that suit all, or those that suit the largest of them."""
    if not limits:
        return 0.01, 100.0
    low, high = max(each[0] for each in limits), min(each[1] for each in limits)
    return low, max(low, high)


def _field(config: BankConfig, conditions: BankConditions) -> PaddedField:
    """Pixels of an item: the micrograph and some of its surroundings."""
    wanted = SamplingConfig(
        (config.size, config.size),
        conditions.pixel_size,
        padding=config.padding,
        band="full" if conditions.full_band else "fast",
    )
    return choose_field(wanted, conditions.microscope)


def image(
    stage: BankStage,
) -> Tensor:  # (y, x)
    """Image what a stage holds, without noise, as contrast."""
    conditions, field = stage.conditions, stage.field
    microscope, pixel = conditions.microscope, field.wave_pixel_size
    beam = build_beam(microscope)
    particles = ParticleSpecimen(
        stage.particles,
        stage.instances,
        field.wave_shape,
        pixel,
        _SLICE,
        taper=_FINER_TAPER if field.is_finer else _TAPER,
    )
    specimen: Specimen = particles
    if stage.layers is not None:
        specimen = Drawn(particles, _absorbing(stage.layers, conditions.absorbing))
    simulator = Simulator(
        specimen,
        Multislice(pixel, _SLICE),
        build_lens(microscope, pixel),
        Dose(1.0, field.pixel_size),
        Detector(),
        beam=beam,
        shape=field.crop,
        pixel_size=field.pixel_size if field.is_finer else None,
    )
    intensity = simulator.intensity()
    if conditions.b_factor:
        q = radius(frequency_grid(field.shape, field.pixel_size, half=True, dtype=torch.float32))
        intensity = apply_transfer(intensity, torch.exp(-conditions.b_factor / 4 * q**2))
    intensity = crop_center(intensity, field.crop)
    return conditions.contrast_scale * (intensity / intensity.mean() - 1)


def _absorbing(layers: Tensor, share: float) -> Tensor:  # complex
    """Band-limited potential that absorbs as the particles do."""
    ny, nx = layers.shape
    smooth = torch.fft.ifft2(torch.fft.fft2(layers) * band_limit_mask((ny, nx)))
    return smooth.real * complex(math.sqrt(1 - share**2), share)


def facts_of(kind: str, stage: BankStage) -> dict[str, Any]:
    """Say what is known about an item, as JSON holds it."""
    conditions, microscope = stage.conditions, stage.conditions.microscope
    return {
        "kind": kind,
        "pixel_size": conditions.pixel_size,
        "ice_nm": conditions.ice_nm,
        "b_factor": conditions.b_factor,
        "contrast_scale": conditions.contrast_scale,
        "full_band": stage.field.is_finer,
        "copies": sum(len(each.positions) for each in stage.instances),
        "microscope": {**dataclasses.asdict(microscope), "beam_tilt_mrad": [0.0, 0.0]},
    }
