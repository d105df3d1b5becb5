"""Write the Wulff-shaped platinum particle that `pt_nanoparticle.yaml` images.

Run ``python -m experiments.micrographs.make_pt_particle``; it needs the ``materials`` extra.
"""

from pathlib import Path

from ase.build import rotate
from ase.cluster import wulff_construction
from ase.io import write

# Surface energies of Pt in J/m² after Vitos et al., Surf. Sci. 411 (1998) 186; from memory, not
# read off the paper. Only their ratios matter, to the particle's shape.
SURFACE_ENERGIES = {(1, 1, 1): 2.299, (1, 0, 0): 2.734, (1, 1, 0): 2.819}
N_ATOMS = 1500


def main() -> None:
    """Build the particle with [110] along the beam and write it beside this file."""
    particle = wulff_construction(
        "Pt",
        surfaces=list(SURFACE_ENERGIES),
        energies=list(SURFACE_ENERGIES.values()),
        size=N_ATOMS,
        structure="fcc",
    )
    rotate(particle, (1, 1, 0), (0, 0, 1), (0, 0, 1), (0, 1, 0))
    particle.positions -= particle.positions.mean(axis=0)
    write(
        Path(__file__).with_name("pt_particle.xyz"),
        particle,
        format="xyz",
        comment=f"Pt Wulff particle, {len(particle)} atoms, [110] along z",
        fmt="%9.4f",
    )


if __name__ == "__main__":
    main()
