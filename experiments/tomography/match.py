"""How a known particle is turned, by the correlation of its turned template with a volume."""

import math
from dataclasses import dataclass
from itertools import product
from typing import Any

import torch
from torch import Tensor

from difftem.functional.grid import frequency_grid, radius
from difftem.functional.pose import rotation_from_vector
from difftem.functional.projection import central_slices, template_spectrum
from difftem.scene.poses import ParticlePoses
from difftem.scene.templates.template import Template
from difftem.tomography.wedge import wedge_mask
from experiments.tomography.rotation_grids import axis_grid, rotation_grid

_AT_ONCE = 256  # rotations whose spectra are interpolated together
_SOFT = 2.0  # voxels, of the edge of the ball around a particle


@dataclass(frozen=True)
class MatchSettings:
    """What is looked for.

    Attributes
    ----------
    axis : bool
        Only the direction of the particle's z axis, up or down; else the full rotation.
    low_pass : float
        Å: finer detail has no say.
    radius : float
        Å, of the ball around a particle that is looked at.
    spacing_deg : float
        Between neighbours of the coarse grid over all rotations.
    steps_deg : list of float
        Of the search around a rotation, one after the other.
    symmetry : int
        Order of the symmetry about z.
    """

    axis: bool
    low_pass: float
    radius: float
    spacing_deg: float
    steps_deg: list[float]
    symmetry: int = 1


class Matcher:
    """Correlates turned templates with what lies around known places.

    The score of a rotation is the normalised correlation of both spectra over all frequencies
    that were sampled and are below the low-pass: template and particle have the same missing wedge.

    Parameters
    ----------
    template : Template
        True potential of the particle, real.
    voxel_size : float
        Of the volumes in Å.
    tilts_deg : Tensor
        Of their series.
    settings : MatchSettings
        What is looked for.
    """

    def __init__(
        self, template: Template, voxel_size: float, tilts_deg: Tensor, settings: MatchSettings
    ) -> None:
        self.settings, self.voxel_size = settings, voxel_size
        self.half = math.ceil(settings.radius / voxel_size) + 2
        n = 2 * self.half
        q = frequency_grid((n, n, n), voxel_size, half=True, dtype=torch.float32)
        length = radius(q)
        self.used = wedge_mask((n, n, n), tilts_deg) & (length < 1 / settings.low_pass)
        self.used &= length > 0
        qz, qy, qx = torch.broadcast_tensors(*q)
        self.points = torch.stack([qx, qy, qz], -1)[self.used]
        self.spectrum = template_spectrum(
            template.values, template.voxel_size, 1 / settings.low_pass, center=template.center
        )
        self.grid = (
            axis_grid(settings.spacing_deg)
            if settings.axis
            else rotation_grid(settings.spacing_deg)
        )
        self._library: Tensor | None = None

    def turned(self, rotations: Tensor) -> Tensor:  # (n, n_points) complex
        """Spectra of the template at rotations ``(n, 3, 3)``, each of norm 1."""
        parts = [
            central_slices(self.spectrum, some, self.points)
            for some in rotations.float().split(_AT_ONCE)
        ]
        spectra = torch.cat(parts)
        return spectra / spectra.norm(dim=1, keepdim=True)

    def surroundings(self, volume: Tensor, places: Tensor) -> Tensor:  # (n, n_points) complex
        """Spectra of balls around places in Å from voxel n // 2, as if these were at the middle."""
        steps = torch.arange(-self.half, self.half)
        middle = torch.tensor([n // 2 + self.half for n in reversed(volume.shape)])
        volume = torch.nn.functional.pad(volume, [self.half] * 6)  # corners of cubes, not balls
        spectra = []
        for place in places / self.voxel_size:
            nearest = place.round()
            x, y, z = (nearest.long() + middle).tolist()
            part = volume[z + steps[:, None, None], y + steps[:, None], x + steps]
            off = (place - nearest).float()
            distance = (
                (steps[:, None, None] - off[2]) ** 2
                + (steps[:, None] - off[1]) ** 2
                + (steps - off[0]) ** 2
            ).sqrt()
            ball = torch.sigmoid((self.settings.radius / self.voxel_size - distance) / _SOFT * 4)
            mean = (part * ball).sum() / ball.sum()
            found = torch.fft.rfftn(torch.fft.ifftshift((part - mean) * ball))[self.used]
            phase = 2 * math.pi * self.voxel_size * (self.points @ off)
            spectra.append(found * torch.polar(torch.ones_like(phase), phase))
        stacked = torch.stack(spectra)
        return stacked / stacked.norm(dim=1, keepdim=True)

    def everywhere(self, seen: Tensor) -> Tensor:  # (n, 3, 3)
        """Best rotations of the coarse grid over all, and then around them."""
        if self._library is None:
            self._library = self.turned(self.grid)
        best = (seen @ self._library.mH).real.argmax(1)
        return self.around(seen, self.grid[best])

    def around(self, seen: Tensor, rotations: Tensor) -> Tensor:  # (n, 3, 3)
        """Climb from rotations to the best one nearby, by smaller and smaller steps."""
        free = (0, 1) if self.settings.axis else (0, 1, 2)
        moves = torch.zeros(3 ** len(free), 3, dtype=torch.float64)
        moves[:, list(free)] = torch.tensor(
            list(product((0.0, -1.0, 1.0), repeat=len(free)))
        ).double()
        for step in self.settings.steps_deg:
            tries = rotations[:, None] @ rotation_from_vector(math.radians(step) * moves)
            spectra = self.turned(tries.flatten(0, 1)).unflatten(0, tries.shape[:2])
            best = torch.einsum("np,nkp->nk", seen, spectra.conj()).real.argmax(1)
            rotations = tries[torch.arange(len(tries)), best]
        return rotations


def angular_error(found: Tensor, true: Tensor, settings: MatchSettings) -> Tensor:  # (n,) degrees
    """Angle between rotations, of all that the particle's symmetry makes one the least.

    Parameters
    ----------
    found, true : Tensor
        ``(n, 3, 3)``.
    settings : MatchSettings
        Only the axis, up or down; or the full rotation.
    """
    if settings.axis:
        cosine = (found[:, :, 2] * true[:, :, 2]).sum(1).abs()
        return torch.rad2deg(torch.acos(cosine.clamp(max=1)))
    turns = 2 * math.pi * torch.arange(settings.symmetry).double() / settings.symmetry
    same = rotation_from_vector(torch.stack([0 * turns, 0 * turns, turns], 1))
    between = found.mT[:, None] @ true[:, None] @ same
    cosine = (between.diagonal(dim1=-2, dim2=-1).sum(-1) - 1) / 2
    return torch.rad2deg(torch.acos(cosine.clamp(-1, 1))).amin(1)


def orientation_scores(
    volume: Tensor, particles: ParticlePoses, matcher: Matcher, hit_deg: float
) -> dict[str, Any]:
    """Errors of orientations that a reconstruction gives at known places.

    Returns
    -------
    dict
        Of the search that begins a step away from the truth: median and 90th percentile of the
        error in degrees. Of that over all rotations: share whose error is below `hit_deg`. And how
        many particles there are.
    """
    seen = matcher.surroundings(volume, particles.positions)
    near = angular_error(
        matcher.around(seen, particles.rotations), particles.rotations, matcher.settings
    )
    anywhere = angular_error(matcher.everywhere(seen), particles.rotations, matcher.settings)
    return {
        "error_median": float(near.quantile(0.5)),
        "error_90": float(near.quantile(0.9)),
        "hits": float((anywhere < hit_deg).double().mean()),
        "particles": len(particles),
    }
