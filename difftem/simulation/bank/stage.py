"""What stands in the field of one item while its specimen is put together."""

import dataclasses
import math
from dataclasses import dataclass

import torch
from torch import Tensor

from difftem.atoms import Atoms
from difftem.functional.grid import frequency_grid, radius
from difftem.functional.mtf import apply_transfer
from difftem.functional.pose import random_rotations
from difftem.modules import Instances, Particle
from difftem.scene.packing import PackingRequest, pack
from difftem.scene.regions import BoxRegion
from difftem.scene.synthetic.draw import Draw
from difftem.scene.templates.render import STEEP, TAPER, absorbing, render_template
from difftem.scene.templates.template import Template
from difftem.simulation.bank.conditions import BankConditions
from difftem.simulation.sampling import PaddedField
from difftem.units import nm_to_angstrom

MAX_COPIES = 140  # of one species


@dataclass
class BankStage:
    """Field, conditions and what was put there.

    Attributes
    ----------
    conditions : BankConditions
        Of the item.
    field : PaddedField
        Its pixels; layers are drawn in those of the waves.
    draw : Draw
        Source of randomness.
    """

    conditions: BankConditions
    field: PaddedField
    draw: Draw
    particles: dict[str, Particle] = dataclasses.field(default_factory=dict)
    instances: list[Instances] = dataclasses.field(default_factory=list)
    occupied: list[tuple[Tensor, float]] = dataclasses.field(default_factory=list)
    layers: Tensor | None = None  # (y, x) V Å, in the waves' pixels

    @property
    def thickness(self) -> float:
        """Of the ice in Å; in vacuum, that of what lies on one support."""
        return nm_to_angstrom(self.conditions.ice_nm or 10.0)

    @property
    def width(self) -> float:
        """Side of the padded field in Å."""
        return self.field.wave_shape[1] * self.field.wave_pixel_size

    @property
    def view(self) -> float:
        """Side of the micrograph in Å."""
        return self.field.crop[1] * self.field.pixel_size

    @property
    def has_ice(self) -> bool:
        """Whether matter takes the place of ice."""
        return self.conditions.ice_nm > 0

    def axes(self) -> tuple[Tensor, Tensor]:  # (y, 1), (1, x)
        """Y and x of the waves' pixels in Å."""
        y, x = (
            (torch.arange(n, dtype=torch.float32) - n // 2) * self.field.wave_pixel_size
            for n in self.field.wave_shape
        )
        return y[:, None], x[None]

    def surface(self) -> Tensor:  # (y, x) V Å
        """Projected potential that is drawn rather than made of particles."""
        if self.layers is None:
            self.layers = torch.zeros(self.field.wave_shape)
        return self.layers

    def grains(self, scale: float) -> Tensor:  # (y, x)
        """Draw a Gaussian random field of variance 1 and a correlation length in Å."""
        shape = self.field.wave_shape
        noise = torch.randn(shape, generator=self.draw.generator)
        q = radius(frequency_grid(shape, self.field.wave_pixel_size, half=True, dtype=noise.dtype))
        smooth = apply_transfer(noise, torch.exp(-0.5 * (2 * math.pi * scale / 2 * q) ** 2))
        return smooth / smooth.std()

    def template(self, atoms: Atoms) -> Template:
        """Render atoms for this field."""
        voxel = self.field.wave_pixel_size
        finer = self.field.is_finer
        if finer:  # two thirds of the micrograph's pixels hold all that it shows
            voxel = self.field.pixel_size * 2 / 3
        return render_template(
            atoms,
            voxel,
            solvent="displaced" if self.has_ice else "none",
            amplitude_contrast=self.conditions.absorbing,
            taper=STEEP if finer else TAPER,
        )

    def add(self, template: Template, positions: Tensor, rotations: Tensor) -> None:
        """Put copies of a template at places in Å."""
        if not len(positions):
            return
        name = f"particle{len(self.particles)}"
        values = template.values
        if not values.is_complex():
            values = absorbing(values, self.conditions.absorbing)
        self.particles[name] = Particle(
            values, template.voxel_size, center=template.center, radius=template.radius
        )
        self.instances.append(Instances(name, positions.double(), rotations.double()))

    def add_parts(
        self,
        template: Template,
        positions: Tensor,  # (n, 3) Å
        rotations: Tensor,  # (n, 3, 3)
        symmetry: Tensor,  # (m, 3, 3)
    ) -> None:
        """Put assemblies of parts that are copies of each other by rotations about the origin."""
        turned = (rotations[:, None] @ symmetry).flatten(0, 1)
        self.add(template, positions.repeat_interleave(len(symmetry), 0), turned)

    def places(self, size: float, cover: float, most: int = MAX_COPIES) -> Tensor:  # (n, 3) Å
        """Draw places of spheres that overlap nothing placed before, in depth they may.

        Parameters
        ----------
        size : float
            Their radius in Å.
        cover : float
            Of the field, as seen along the beam, if nothing overlapped.
        most : int
            Copies at most.
        """
        depth = max(self.thickness - 2 * size, 0.0)
        # What lies beyond the micrograph matters for its fringes alone.
        width = min(self.width, self.view + size)
        region = BoxRegion(width, width, depth, whole_xy=False, whole_z=False)
        number = cover * width**2 / (math.pi * size**2)
        number = min(max(1, round(number)), most)
        # Random packing ends at .547 of an area and .384 of a volume.
        limit = 0.42 * width**2 / (math.pi * size**2)
        if depth > size:
            limit = 0.25 * width**2 * depth / (4 / 3 * math.pi * size**3)
        number = max(1, min(number, int(limit)))
        while number:
            request = PackingRequest(region, size, number)
            try:
                (found,) = pack([request], self.draw.generator, obstacles=self.occupied)
            except ValueError:
                number = number // 2
                continue
            self.occupied.append((found, size))
            return found
        return torch.zeros(0, 3, dtype=torch.float64)

    def in_view(self, share: float = 0.5) -> tuple[float, float]:
        """Draw a point of the middle part of the micrograph, x and y in Å."""
        x, y = (float(each) for each in (self.draw.numbers(2) - 0.5) * self.view * share)
        return x, y

    def turns(self, n: int) -> Tensor:  # (n, 3, 3)
        """Draw rotations."""
        return random_rotations(n, self.draw.generator)
