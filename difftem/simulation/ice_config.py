"""The ice, in the vocabulary of `simulate` and `generate`."""

from dataclasses import dataclass

from difftem.constants.amorphous import WATER_MOTION


@dataclass(frozen=True)
class IceConfig:
    """Vitreous ice around the particles.

    Parameters
    ----------
    present
        Embed the particles in ice, which they displace; false leaves them in vacuum.
    thickness_nm
        Thickness of the ice in nm, in the centre of a hole if there is one. Default: what the
        particles need, at least 10 nm.
    mean_free_path_nm
        Path in ice, in nm, over which the zero-loss intensity falls by 1/e. Default: that at the
        voltage, 300 at 300 kV and as the squared velocity (241 at 200 kV, 150 at 100 kV).
    density_g_per_cm3
        Density of the ice in g/cm³, which particles displace (0.93: 4.53 V).
    hole_diameter_nm
        Diameter in nm of a hole in a carbon film that holds the ice. Default: no hole, even ice.
    edge_thickness_nm
        Thickness in nm of ice and carbon at the edge of the hole. Default: as in its centre.
    structure
        Give the ice the structure of its molecules, and carbon film that of its atoms: noise of
        known strength with a ring at 3.7 Å, which the beam's electrons blur. Default: ice is even.
    motion
        Mean squared displacement of a water molecule in Å² for every e/Å² (at 300 kV) of an image,
        which blurs the structure; 0 freezes it. Default: 1.1, as measured.
    gap_nm
        Least space in nm between the bounding spheres of two particles.
    cut_at_edges
        Let particles reach over the edges of the field. Default: no for copies of atoms
        (simulate), yes for scenes (generate), as in micrographs.
    """

    present: bool = True
    thickness_nm: float | None = None
    mean_free_path_nm: float | None = None
    density_g_per_cm3: float = 0.93
    hole_diameter_nm: float | None = None
    edge_thickness_nm: float | None = None
    structure: bool = False
    motion: float = WATER_MOTION
    gap_nm: float = 0.5
    cut_at_edges: bool | None = None
