"""Instances: where the copies of a particle are and how they are turned."""

from collections.abc import Collection

import torch
from torch import Tensor, nn

from difftem.functional.pose import rotate, rotation_from_vector
from difftem.modules.quantity import check_learnable, register_quantity


class Instances(nn.Module):
    r"""Positions and orientations of the copies of one particle, in the specimen's frame.

    .. math:: x' = e^{[w]_\times} R_0\, x + p

    Parameters
    ----------
    particle : str
        Name of the particle in the specimen.
    positions : Tensor
        p in Å, shape ``(n, 3)``: of the particle's center, from the middle of the field.
    rotations : Tensor, optional
        R₀, active, shape ``(n, 3, 3)``. Default: not turned.
    rotation_vectors : Tensor, optional
        w in rad, shape ``(n, 3)``: small corrections. Default: 0.
    learnable : collection of str
        Any of ``positions``, ``rotation_vectors``.

    Raises
    ------
    ValueError
        If the shapes do not fit or R₀ is not a rotation.

    Examples
    --------
    >>> import torch
    >>> from difftem.modules import Beam, Instances, Particle, ParticleSpecimen, Stage
    >>> cube = Particle(torch.full((4, 4, 4), 5.0), voxel_size=4.0)  # V above the ice
    >>> places = Instances("cube", torch.tensor([[-60.0, 0.0, 0.0], [60.0, 0.0, 0.0]]))  # Å
    >>> specimen = ParticleSpecimen({"cube": cube}, [places], (64, 64), 4.0, 100.0)
    >>> tuple(sum(specimen.view(Stage(), Beam()).slices).shape)  # projected, V Å
    (64, 64)
    """

    positions: Tensor
    rotations: Tensor
    rotation_vectors: Tensor

    def __init__(
        self,
        particle: str,
        positions: Tensor,
        rotations: Tensor | None = None,
        rotation_vectors: Tensor | None = None,
        learnable: Collection[str] = (),
    ) -> None:
        super().__init__()
        check_learnable(learnable, ("positions", "rotation_vectors"))
        if positions.ndim != 2 or positions.shape[1] != 3:
            raise ValueError(f"positions must be (n, 3), got {tuple(positions.shape)}")
        n = len(positions)
        identity = torch.eye(3, dtype=positions.dtype, device=positions.device)
        if rotations is None:
            rotations = identity.repeat(n, 1, 1)
        if rotations.shape != (n, 3, 3):
            raise ValueError(f"rotations must be ({n}, 3, 3), got {tuple(rotations.shape)}")
        rotations = rotations.to(positions)
        if n and float((rotations @ rotations.mT - identity).abs().max()) > 1e-3:
            raise ValueError("rotations must be orthogonal, R Rᵀ = 1")
        if rotation_vectors is None:
            rotation_vectors = torch.zeros_like(positions)
        register_quantity(self, "positions", positions, learnable)
        register_quantity(self, "rotation_vectors", rotation_vectors, learnable)
        self.register_buffer("rotations", rotations)
        self.particle = particle

    def __len__(self) -> int:
        return len(self.positions)

    def forward(
        self,
        stage: Tensor,  # (3, 3)
        shift: Tensor,  # (2,) Å
        *,
        turn_positions: bool = True,
    ) -> tuple[Tensor, Tensor]:  # (n, 3) Å, (n, 3, 3)
        """Positions and rotations in the microscope's frame.

        Parameters
        ----------
        stage : Tensor
            Rotation from the specimen's to the microscope's frame.
        shift : Tensor
            Of the image in Å, as x, y.
        turn_positions : bool
            Turn the specimen with the stage; otherwise every particle turns where it is.

        Returns
        -------
        tuple of Tensor
            Å, shape ``(n, 3)``, and active rotations, shape ``(n, 3, 3)``.
        """
        stage = stage.to(self.positions)
        positions = rotate(self.positions, stage) if turn_positions else self.positions
        positions = positions + torch.nn.functional.pad(shift.to(positions), (0, 1))
        rotations = self.rotations
        if self.rotation_vectors.requires_grad or bool((self.rotation_vectors != 0).any()):
            rotations = rotate(rotations.mT, rotation_from_vector(self.rotation_vectors)).mT
        return positions, rotate(rotations.mT, stage).mT
