"""Atoms: what the electron beam meets, as tensors."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

MAX_ATOMIC_NUMBER = 103


@dataclass(frozen=True, eq=False)
class Atoms:
    r"""Atoms of a particle or of a batch of conformations of it.

    Positions may require gradients; nothing here breaks the graph.

    Attributes
    ----------
    positions : Tensor
        x, y, z in Å, shape ``(..., n_atoms, 3)``; leading dimensions are conformations.
    atomic_numbers : Tensor
        int64, shape ``(n_atoms,)``, 1 to 103.
    b_factors : Tensor
        Isotropic B = 8π²<u²> in Å², shape ``(n_atoms,)``.
    occupancies : Tensor
        Weights, shape ``(n_atoms,)``; above 1 where one entry stands for several atoms.

    Raises
    ------
    ValueError
        If there are no atoms, shapes disagree, or a value is not possible; the message names the
        first such atom, counted from 0.

    Examples
    --------
    >>> import torch
    >>> from difftem import Atoms
    >>> positions = torch.tensor([[0.0, 0.0, 0.0], [1.13, 0.0, 0.0]])
    >>> monoxide = Atoms(positions, torch.tensor([6, 8]), torch.full((2,), 20.0), torch.ones(2))
    >>> len(monoxide), len(monoxide.select(monoxide.atomic_numbers == 8))
    (2, 1)
    """

    positions: Tensor
    atomic_numbers: Tensor
    b_factors: Tensor
    occupancies: Tensor

    def __post_init__(self) -> None:
        """Check shapes and values."""
        n_atoms = _check_shapes(self)
        if n_atoms == 0:
            raise ValueError("no atoms")
        with torch.no_grad():
            numbers, b, occupancy = self.atomic_numbers, self.b_factors, self.occupancies
            finite = self.positions.isfinite().all(-1).reshape(-1, n_atoms).all(0)
            _check_each("position must be finite", finite, self.positions.movedim(-2, 0))
            known = (numbers >= 1) & (numbers <= MAX_ATOMIC_NUMBER)
            _check_each(f"atomic number must be 1 to {MAX_ATOMIC_NUMBER}", known, numbers)
            _check_each("B-factor must be finite and >= 0 Å²", (b >= 0) & b.isfinite(), b)
            possible = (occupancy > 0) & occupancy.isfinite()
            _check_each("occupancy must be finite and > 0", possible, occupancy)

    def __len__(self) -> int:
        return self.atomic_numbers.shape[0]

    def select(self, mask: Tensor) -> "Atoms":
        """Keep some atoms.

        Parameters
        ----------
        mask : Tensor
            Boolean, shape ``(n_atoms,)``, or integer indices.

        Returns
        -------
        Atoms
            The atoms where `mask` is true, in their order.
        """
        return Atoms(
            self.positions[..., mask, :],
            self.atomic_numbers[mask],
            self.b_factors[mask],
            self.occupancies[mask],
        )

    def bounds(self) -> tuple[Tensor, Tensor]:  # (..., 3), (..., 3)
        """Lowest and highest x, y, z in Å, each ``(..., 3)``."""
        return self.positions.amin(-2), self.positions.amax(-2)

    def extent(self) -> Tensor:  # (..., 3)
        """Size of the bounding box in Å, ``(..., 3)``."""
        low, high = self.bounds()
        return high - low

    def centered(self) -> "Atoms":
        """Move the centre of the bounding box, not of mass, to the origin.

        The box is what a grid is laid around, and it does not depend on the model's hydrogens.
        """
        low, high = self.bounds()
        return self.translated(-(low + high) / 2)

    def translated(self, shift: Tensor) -> "Atoms":
        """Move all atoms by `shift`, Å, shape ``(..., 3)``."""
        return replace(self, positions=self.positions + shift[..., None, :])

    def rotated(self, matrix: Tensor) -> "Atoms":
        """Rotate about the origin: x' = R x.

        Parameters
        ----------
        matrix : Tensor
            R, shape ``(..., 3, 3)``, acting on column vectors.

        Returns
        -------
        Atoms
            Leading dimensions of `matrix` and of the positions are broadcast.
        """
        return replace(self, positions=self.positions @ matrix.transpose(-1, -2))

    def copies(self, rotations: Tensor, shifts: Tensor) -> "Atoms":
        """Put n rotated and shifted copies, x' = R x + t, into one set of atoms.

        Parameters
        ----------
        rotations : Tensor
            Shape ``(n, 3, 3)``.
        shifts : Tensor
            Å, shape ``(n, 3)``.

        Returns
        -------
        Atoms
            ``n * n_atoms`` atoms, copy by copy.
        """
        n = rotations.shape[0]
        if rotations.shape != (n, 3, 3) or shifts.shape != (n, 3):
            raise ValueError(
                "rotations and shifts must have shapes (n, 3, 3) and (n, 3), "
                f"got {tuple(rotations.shape)} and {tuple(shifts.shape)}"
            )
        moved = self.positions[..., None, :, :] @ rotations.to(self.positions).transpose(-1, -2)
        moved = moved + shifts.to(self.positions)[:, None, :]
        return Atoms(
            moved.flatten(-3, -2),
            self.atomic_numbers.repeat(n),
            self.b_factors.repeat(n),
            self.occupancies.repeat(n),
        )

    def to(
        self, device: torch.device | str | None = None, dtype: torch.dtype | None = None
    ) -> "Atoms":
        """Move to a device and cast the real-valued tensors to `dtype`; keep what is None."""
        return Atoms(
            self.positions.to(device=device, dtype=dtype),
            self.atomic_numbers.to(device=device),
            self.b_factors.to(device=device, dtype=dtype),
            self.occupancies.to(device=device, dtype=dtype),
        )


def concatenate(parts: Sequence[Atoms]) -> Atoms:
    """Join sets of atoms into one, in order.

    Parameters
    ----------
    parts : sequence of Atoms
        At least one; the leading dimensions of their positions must agree.

    Returns
    -------
    Atoms
        All atoms.

    Raises
    ------
    ValueError
        If `parts` is empty.
    """
    if not parts:
        raise ValueError("no atoms: nothing to concatenate")
    return Atoms(
        torch.cat([part.positions for part in parts], dim=-2),
        torch.cat([part.atomic_numbers for part in parts]),
        torch.cat([part.b_factors for part in parts]),
        torch.cat([part.occupancies for part in parts]),
    )


def _check_shapes(atoms: Atoms) -> int:
    """Raise unless the four tensors describe the same number of atoms; return it."""
    shape = tuple(atoms.positions.shape)
    if len(shape) < 2 or shape[-1] != 3:
        raise ValueError(f"positions must have shape (..., n_atoms, 3), got {shape}")
    if not atoms.positions.is_floating_point():
        raise ValueError(f"positions must be real numbers, got {atoms.positions.dtype}")
    if atoms.atomic_numbers.dtype != torch.int64:
        raise ValueError(f"atomic_numbers must be int64, got {atoms.atomic_numbers.dtype}")
    for name in ("atomic_numbers", "b_factors", "occupancies"):
        found = tuple(getattr(atoms, name).shape)
        if found != (shape[-2],):
            raise ValueError(f"{name} must have shape ({shape[-2]},) as positions, got {found}")
    return shape[-2]


def _check_each(rule: str, valid: Tensor, values: Tensor) -> None:
    """Raise for the first atom that breaks a rule; valid and values start with the atoms."""
    if not valid.all():
        first = int((~valid).nonzero()[0])
        raise ValueError(f"{rule}, got {values[first].tolist()} at atom {first}")
