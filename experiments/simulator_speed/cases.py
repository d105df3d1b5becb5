"""The specimens that are timed; a new one is a new entry of `CASES`.

Nothing here imports torch or ASE before atoms are asked for: the processes whose memory is
measured read this file too.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

BUILD_ATOMS = Callable[[int, float], Any]


@dataclass(frozen=True)
class Case:
    """One specimen, its sampling and the lens that images it.

    Attributes
    ----------
    title : str
        What it is, for the table.
    build : callable
        Number of atoms and height of the slab in Å to `difftem.atoms.Atoms`, centred.
    n_atoms : int
        How many atoms to build.
    n_pixels, pixel_size : int, float
        Of the square field; the pixel in Å.
    n_slices, slice_thickness : int, float
        Of the slab; the thickness in Å.
    learnable_b : float or None
        B in Å² of all atoms where B is learned, for specimens at rest: a learnable B is positive.
    at_rest : bool
        B = 0 for all atoms; else those of the structure, which abTEM ignores.
    with_gradient : bool
        Time the gradient too.
    defocus_um, cs_mm, cc_mm, energy_spread_ev : float
        Of the lens, as in `difftem.modules.Lens`.
    voltage_kv, dose : float
        Of the beam; the dose in e/Å².
    table : str
        Scattering factors of both programs.
    """

    title: str
    build: BUILD_ATOMS
    n_atoms: int
    n_pixels: int
    pixel_size: float
    n_slices: int
    slice_thickness: float
    learnable_b: float | None
    defocus_um: float
    cs_mm: float
    cc_mm: float
    at_rest: bool = False
    with_gradient: bool = True
    energy_spread_ev: float = 0.3
    voltage_kv: float = 300.0
    dose: float = 30.0
    table: str = "lobato"

    @property
    def shape(self) -> tuple[int, int]:
        """``(ny, nx)`` in pixels."""
        return self.n_pixels, self.n_pixels

    @property
    def width(self) -> float:
        """Of the field in Å."""
        return self.n_pixels * self.pixel_size

    @property
    def thickness(self) -> float:
        """Of the slab in Å."""
        return self.n_slices * self.slice_thickness

    def atoms(self) -> Any:
        """Build the atoms.

        Returns
        -------
        Atoms
            All of them inside the field and the slab.

        Raises
        ------
        ValueError
            If one is outside.
        """
        atoms = self.build(self.n_atoms, self.thickness)
        if self.at_rest:
            atoms = replace(atoms, b_factors=atoms.b_factors * 0)
        half = atoms.positions.new_tensor([self.width, self.width, self.thickness]) / 2
        if bool((atoms.positions.abs() >= half).any()):
            raise ValueError(f"an atom of {self.title!r} is outside the field or the slab")
        return atoms

    def describe(self) -> dict[str, Any]:
        """Every number of the case, for the record."""
        return {name: value for name, value in vars(self).items() if name != "build"}


def platinum_particle(n_atoms: int, height: float) -> Any:
    """Cut platinum at rest into its Wulff shape; an atomic plane lies in no slice's face."""
    import torch
    from ase.cluster import wulff_construction

    from difftem.atoms import Atoms

    del height  # the particle is as high as its number of atoms makes it
    crystal = wulff_construction("Pt", [(1, 1, 1), (1, 0, 0)], [1.0, 1.15], n_atoms, "fcc")
    n = len(crystal)
    positions = torch.tensor(crystal.get_positions(), dtype=torch.float32)
    numbers = torch.tensor(crystal.get_atomic_numbers(), dtype=torch.int64)
    atoms = Atoms(positions, numbers, torch.zeros(n), torch.ones(n))
    return atoms.centered().translated(torch.tensor([0.1, 0.2, 0.5]))


def protein_wall(n_atoms: int, height: float) -> Any:
    """Piece of the apoferritin shell: the atoms of a slab that lie farthest along x.

    Implicit hydrogens count as one atom each, because abTEM has no occupancies.
    """
    import torch

    from difftem.atoms import Atoms
    from difftem.io.examples import example_structure
    from difftem.io.structure import read_structure

    shell = read_structure(example_structure(), hydrogens="implicit").centered()
    slab = shell.select(shell.positions[:, 2].abs() < height / 2 - 0.5)
    chosen = torch.argsort(slab.positions[:, 0], descending=True, stable=True)[:n_atoms]
    wall = slab.select(chosen).centered()
    ones = torch.ones_like(wall.occupancies)
    return Atoms(wall.positions, wall.atomic_numbers, wall.b_factors, ones)


CASES: dict[str, Case] = {
    "platinum": Case(
        title="Pt Wulff particle at rest",
        build=platinum_particle,
        n_atoms=2951,
        n_pixels=1024,
        pixel_size=0.05,
        n_slices=26,
        slice_thickness=2.0,
        learnable_b=0.3,
        defocus_um=0.05,
        cs_mm=-0.01,
        cc_mm=1.2,
        at_rest=True,
    ),
    "protein": Case(
        title="piece of apoferritin with its B-factors",
        build=protein_wall,
        n_atoms=12_800,
        n_pixels=512,
        pixel_size=0.5,
        n_slices=63,
        slice_thickness=1.0,
        learnable_b=None,
        defocus_um=1.5,
        cs_mm=2.7,
        cc_mm=2.7,
    ),
}

CASES["protein_at_rest"] = replace(
    CASES["protein"], title="piece of apoferritin at rest", at_rest=True, with_gradient=False
)

# The same code on sizes that take a second: for the test, not for figures.
SMOKE_CASES: dict[str, Case] = {
    "platinum": replace(CASES["platinum"], n_atoms=55, n_pixels=96, pixel_size=0.2, n_slices=7),
    **{
        name: replace(CASES[name], n_atoms=300, n_pixels=192, n_slices=12)
        for name in ("protein", "protein_at_rest")
    },
}
