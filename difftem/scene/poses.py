"""Copies of particles, and the scene they make."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from difftem.scene.neighbours import overlaps

_ROTATION_TOLERANCE = 1e-6
_NOT_IN_NAMES = "\"'#,;"  # STAR and CSV files give them a meaning


def is_name(text: str) -> bool:
    """Tell whether a text can stand as a name in every file that holds scenes.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    bool
        Whether it has letters and no blanks, quotes, commas, semicolons or ``#``.

    Examples
    --------
    >>> from difftem.scene.poses import is_name
    >>> is_name("ribosome"), is_name("80S ribosome")
    (True, False)
    """
    return bool(text) and not any(c.isspace() or c in _NOT_IN_NAMES for c in text)


@dataclass(frozen=True, eq=False)
class ParticlePoses:
    """Copies of one particle.

    Attributes
    ----------
    particle : str
        Its name.
    positions : Tensor
        Where its origin is, x, y, z in Å from the middle of the scene, float64, ``(n, 3)``.
    rotations : Tensor
        Active, from the particle's frame to the sample's, x' = R x, float64, ``(n, 3, 3)``.

    Raises
    ------
    ValueError
        If shapes disagree or a value is not possible; the message names the first such copy,
        counted from 0.

    Examples
    --------
    >>> import torch
    >>> from difftem.scene.poses import ParticlePoses
    >>> rotations = torch.eye(3, dtype=torch.float64).expand(2, 3, 3)
    >>> positions = torch.tensor([[0.0, 0.0, 0.0], [300.0, 0.0, 50.0]]).double()  # Å
    >>> poses = ParticlePoses("ribosome", positions, rotations)
    >>> len(poses), len(poses.select(poses.positions[:, 2] > 0))
    (2, 1)
    """

    particle: str
    positions: Tensor
    rotations: Tensor

    def __post_init__(self) -> None:
        """Check name, shapes and values."""
        n = len(self.positions)
        if not is_name(self.particle):
            raise ValueError(
                f"a particle needs a name without blanks, quotes and commas, got {self.particle!r}"
            )
        if self.positions.shape != (n, 3) or self.rotations.shape != (n, 3, 3):
            raise ValueError(
                f"{self.particle}: positions and rotations must have shapes (n, 3) and (n, 3, 3), "
                f"got {tuple(self.positions.shape)} and {tuple(self.rotations.shape)}"
            )
        if self.positions.dtype != torch.float64 or self.rotations.dtype != torch.float64:
            raise ValueError(
                f"{self.particle}: positions and rotations must be float64, "
                f"got {self.positions.dtype} and {self.rotations.dtype}"
            )
        finite = self.positions.isfinite().all(-1)
        if not finite.all():
            first = int((~finite).nonzero()[0])
            raise ValueError(
                f"{self.particle}: positions must be finite, got {self.positions[first].tolist()} "
                f"at copy {first}"
            )
        identity = torch.eye(3, dtype=torch.float64)
        error = (self.rotations @ self.rotations.mT - identity).abs().amax((-2, -1))
        proper = (error < _ROTATION_TOLERANCE) & (torch.linalg.det(self.rotations) > 0)
        if not proper.all():
            first = int((~proper).nonzero()[0])
            raise ValueError(
                f"{self.particle}: rotations must be proper (R Rᵀ = 1, det R = 1), got "
                f"{self.rotations[first].tolist()} at copy {first}"
            )

    def __len__(self) -> int:
        return len(self.positions)

    def select(self, which: Tensor) -> "ParticlePoses":
        """Keep some copies.

        Parameters
        ----------
        which : Tensor
            Boolean, shape ``(n,)``, or integer indices.

        Returns
        -------
        ParticlePoses
            In the order asked for.
        """
        return ParticlePoses(self.particle, self.positions[which], self.rotations[which])

    def moved(self, rotation: Tensor, shift: Tensor) -> "ParticlePoses":
        """Turn all copies about the origin, then shift them: x' = R x + t.

        Parameters
        ----------
        rotation : Tensor
            R, shape ``(3, 3)``.
        shift : Tensor
            t in Å, shape ``(3,)``.

        Returns
        -------
        ParticlePoses
            The same copies, elsewhere.
        """
        turn, move = rotation.to(self.positions), shift.to(self.positions)
        return ParticlePoses(self.particle, self.positions @ turn.mT + move, turn @ self.rotations)


@dataclass(frozen=True, eq=False)
class Scene:
    """Copies of several particles in a box about the origin.

    Attributes
    ----------
    instances : tuple of ParticlePoses
        In any order; one particle may stand in several entries.
    box : tuple of float
        Size along x, y, z in Å.

    Examples
    --------
    >>> import torch
    >>> from difftem.scene.poses import ParticlePoses, Scene
    >>> place, turn = torch.zeros(1, 3).double(), torch.eye(3)[None].double()
    >>> first = ParticlePoses("ribosome", place, turn)
    >>> second = ParticlePoses("apoferritin", place + 300.0, turn)
    >>> Scene((first, second), box=(2000.0, 2000.0, 800.0)).counts()
    {'ribosome': 1, 'apoferritin': 1}
    """

    instances: tuple[ParticlePoses, ...]
    box: tuple[float, float, float]

    def __post_init__(self) -> None:
        """Check the box."""
        if len(self.box) != 3 or not all(0 < side < float("inf") for side in self.box):
            raise ValueError(f"box must be three positive lengths in Å, got {self.box}")

    def __len__(self) -> int:
        return sum(len(each) for each in self.instances)

    def particles(self) -> tuple[str, ...]:
        """Names of the particles, each once, in the order of their first entry."""
        return tuple(dict.fromkeys(each.particle for each in self.instances))

    def counts(self) -> dict[str, int]:
        """Count the copies of each particle."""
        counts = dict.fromkeys(self.particles(), 0)
        for each in self.instances:
            counts[each.particle] += len(each)
        return counts

    def merged(self) -> "Scene":
        """Give each particle one entry."""
        groups = {
            name: [each for each in self.instances if each.particle == name]
            for name in self.particles()
        }
        return Scene(
            tuple(
                ParticlePoses(
                    name,
                    torch.cat([each.positions for each in group]),
                    torch.cat([each.rotations for each in group]),
                )
                for name, group in groups.items()
            ),
            self.box,
        )

    def positions(self) -> Tensor:  # (n, 3)
        """Places of all copies in Å, entry by entry, ``(n, 3)``."""
        empty = torch.zeros(0, 3, dtype=torch.float64)
        return torch.cat([empty, *(each.positions for each in self.instances)])

    def rotations(self) -> Tensor:  # (n, 3, 3)
        """Rotations of all copies, entry by entry, ``(n, 3, 3)``."""
        empty = torch.zeros(0, 3, 3, dtype=torch.float64)
        return torch.cat([empty, *(each.rotations for each in self.instances)])

    def types(self) -> Tensor:  # (n,) int64
        """Particle of every copy as an index, from 0, into `particles`, ``(n,)``."""
        names = self.particles()
        parts = [torch.full((len(each),), names.index(each.particle)) for each in self.instances]
        return torch.cat([torch.zeros(0, dtype=torch.int64), *parts])

    def radii(self, by_particle: Mapping[str, float]) -> Tensor:  # (n,)
        """Radius of every copy.

        Parameters
        ----------
        by_particle : mapping of str to float
            Radius of each particle in Å.

        Returns
        -------
        Tensor
            In Å, shape ``(n,)``.

        Raises
        ------
        ValueError
            If a particle has none.
        """
        missing = [name for name in self.particles() if name not in by_particle]
        if missing:
            raise ValueError(f"no radius for {', '.join(missing)}")
        table = torch.tensor([by_particle[name] for name in self.particles()], dtype=torch.float64)
        return table[self.types()]

    def overlaps(self, by_particle: Mapping[str, float]) -> int:
        """Count the pairs of copies whose bounding spheres overlap.

        Parameters
        ----------
        by_particle : mapping of str to float
            Radius of each particle in Å.

        Returns
        -------
        int
            Number of pairs.
        """
        return overlaps(self.positions(), self.radii(by_particle))
