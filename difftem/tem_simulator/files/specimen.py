"""Components of an input file that say what is simulated: run, sample, particles, volumes."""

# ruff: noqa: RUF009  # the calls make fields, as `dataclasses.field` does

from dataclasses import dataclass, field
from pathlib import Path

from difftem.tem_simulator.files.parameter import (
    choice,
    input_file,
    number,
    output_file,
    switch,
    text,
    whole,
)

MAP_FORMATS = ("mrc", "mrc-int", "raw")
BYTE_ORDERS = ("native", "be", "le")
MAP_AXIS_ORDERS = ("xyz", "xzy", "yxz", "yzx", "zxy", "zyx")
MAX_SIDE = 1000  # voxels


@dataclass(frozen=True, kw_only=True)
class Component:
    """What every component has.

    Attributes
    ----------
    name : str
        Second word of its headline; only a particle needs one.
    origin : str
        File, line and type, for messages.
    """

    name: str = ""
    origin: str = field(default="", compare=False)


@dataclass(frozen=True, kw_only=True)
class Simulation(Component):
    """What is computed.

    Attributes
    ----------
    generate_micrographs : bool
        Images of all detectors.
    generate_volumes : bool
        Maps of the sample in the boxes of the volume components.
    generate_particle_maps : bool
        Maps of the particles.
    log_file : Path or None
        Where the parameters are written.
    rand_seed : int or None
        Seed of all random numbers.
    """

    generate_micrographs: bool = switch("generate_micrographs", False)
    generate_volumes: bool = switch("generate_volumes", False)
    generate_particle_maps: bool = switch("generate_particle_maps", False)
    log_file: Path | None = output_file("log_file")
    rand_seed: int | None = whole("rand_seed", "", None, least=-(2**63), most=2**63 - 1)


@dataclass(frozen=True, kw_only=True)
class Sample(Component):
    """Ice in a round hole of a carbon film.

    Attributes
    ----------
    diameter_nm : float
        Of the hole, nm.
    thickness_center_nm, thickness_edge_nm : float
        Of the ice in the middle of the hole and at its edge, nm.
    offset_x_nm, offset_y_nm : float
        Centre of the hole, nm.
    """

    diameter_nm: float = number("diameter", "nm", above=0)
    thickness_center_nm: float = number("thickness_center", "nm", least=0)
    thickness_edge_nm: float = number("thickness_edge", "nm", least=0)
    offset_x_nm: float = number("offset_x", "nm", 0.0)
    offset_y_nm: float = number("offset_y", "nm", 0.0)


@dataclass(frozen=True, kw_only=True)
class ParticleInput(Component):
    """One kind of particle, as maps of its potential.

    Attributes
    ----------
    source : str
        Where the maps come from: ``pdb``, ``map`` (files) or ``random``.
    nx, ny, nz : int or None
        Size of the maps, voxels. None: what a PDB structure needs or a map file says.
    voxel_size_nm : float or None
        nm. None: what a map file says.
    pdb_file_in, pdb_transf_file_in : Path or None
        Structure, and the transforms that copy it (Å).
    add_hydrogen : bool
        Add the hydrogens that a PDB structure lacks to their heavy atoms.
    use_imag_pot : bool
        Absorption has a map of its own. No: it is the fraction `famp` of the potential.
    famp : float or None
        Amplitude contrast, 0 to 1.
    use_defocus_corr : bool
        Correct for the height of each voxel inside the particle.
    map_file_re_in, map_file_im_in, map_file_re_out, map_file_im_out : Path or None
        Maps of the potential and of the absorption potential, V (mV where integer).
    map_file_format, map_file_byte_order, map_axis_order : str
        ``mrc``, ``mrc-int`` or ``raw``; ``native``, ``be`` or ``le``; the fastest axis first.
    contrast_re, contrast_im : float or None
        Strength of a random map, V.
    smoothness : float or None
        Of a random map.
    make_positive : bool
        Make a random map positive.
    """

    source: str = choice("source", ("pdb", "map", "random"))
    nx: int | None = whole("nx", "voxels", None, least=1, most=MAX_SIDE)
    ny: int | None = whole("ny", "voxels", None, least=1, most=MAX_SIDE)
    nz: int | None = whole("nz", "voxels", None, least=1, most=MAX_SIDE)
    voxel_size_nm: float | None = number("voxel_size", "nm", None, least=0.01, most=10)
    pdb_file_in: Path | None = input_file("pdb_file_in")
    pdb_transf_file_in: Path | None = input_file("pdb_transf_file_in")
    add_hydrogen: bool = switch("add_hydrogen", True)
    use_imag_pot: bool = switch("use_imag_pot", True)
    famp: float | None = number("famp", "", None, least=0, most=1)
    use_defocus_corr: bool = switch("use_defocus_corr", False)
    map_file_re_in: Path | None = input_file("map_file_re_in")
    map_file_im_in: Path | None = input_file("map_file_im_in")
    map_file_re_out: Path | None = output_file("map_file_re_out")
    map_file_im_out: Path | None = output_file("map_file_im_out")
    map_file_format: str = choice("map_file_format", MAP_FORMATS, "mrc")
    map_file_byte_order: str = choice("map_file_byte_order", BYTE_ORDERS, "native")
    map_axis_order: str = choice("map_axis_order", MAP_AXIS_ORDERS, "xyz")
    contrast_re: float | None = number("contrast_re", "V", None)
    contrast_im: float | None = number("contrast_im", "V", None)
    smoothness: float | None = number("smoothness", "", None, least=0)
    make_positive: bool = switch("make_positive", False)


@dataclass(frozen=True, kw_only=True)
class ParticleSet(Component):
    """Copies of one kind of particle, and where they are.

    Attributes
    ----------
    particle_type : str
        Name of the particle.
    particle_coords : str
        ``file``, ``random`` or ``grid``.
    coord_file_in, coord_file_out : Path or None
        Text matrix, 6 columns: x y z (nm) φ θ ψ (degrees).
    num_particles : int or None
        How many; or else
    particle_conc : float or None
        how many per µm³ (in the volume) or µm² (on surfaces); or else
    occupancy : float or None
        which fraction of the volume or of the surface they cover.
    where : str
        Random places: in the ``volume`` of the ice or on its ``surface``, the ``top`` or the
        ``bottom``.
    nx, ny, nz : int or None
        Copies of a grid along each axis.
    particle_dist_nm : float or None
        Distance between the copies of a grid, nm.
    offset_x_nm, offset_y_nm, offset_z_nm : float
        Centre of a grid, nm.
    """

    particle_type: str = text("particle_type")
    particle_coords: str = choice("particle_coords", ("file", "random", "grid"), rand="random")
    coord_file_in: Path | None = input_file("coord_file_in")
    coord_file_out: Path | None = output_file("coord_file_out")
    num_particles: int | None = whole("num_particles", "", None, least=0)
    particle_conc: float | None = number("particle_conc", "per µm³ or µm²", None, least=0)
    occupancy: float | None = number("occupancy", "", None, least=0, most=1)
    where: str = choice("where", ("volume", "surface", "top", "bottom"), "volume")
    nx: int | None = whole("nx", "copies", None, least=1, most=MAX_SIDE)
    ny: int | None = whole("ny", "copies", None, least=1, most=MAX_SIDE)
    nz: int | None = whole("nz", "copies", None, least=1, most=MAX_SIDE)
    particle_dist_nm: float | None = number("particle_dist", "nm", None, above=0)
    offset_x_nm: float = number("offset_x", "nm", 0.0)
    offset_y_nm: float = number("offset_y", "nm", 0.0)
    offset_z_nm: float = number("offset_z", "nm", 0.0)


@dataclass(frozen=True, kw_only=True)
class Volume(Component):
    """Box of the sample whose potential is written as maps.

    Attributes
    ----------
    voxel_size_nm : float
        nm.
    nx, ny, nz : int
        Voxels along each axis.
    offset_x_nm, offset_y_nm, offset_z_nm : float
        Centre of the box, nm.
    map_file_re_out, map_file_im_out : Path or None
        Maps of the potential and of the absorption potential, V (mV where integer).
    map_file_format, map_file_byte_order, map_axis_order : str
        As of a particle.
    """

    voxel_size_nm: float = number("voxel_size", "nm", least=0.01, most=10)
    nx: int = whole("nx", "voxels", least=1, most=MAX_SIDE)
    ny: int = whole("ny", "voxels", least=1, most=MAX_SIDE)
    nz: int = whole("nz", "voxels", least=1, most=MAX_SIDE)
    offset_x_nm: float = number("offset_x", "nm", 0.0)
    offset_y_nm: float = number("offset_y", "nm", 0.0)
    offset_z_nm: float = number("offset_z", "nm", 0.0)
    map_file_re_out: Path | None = output_file("map_file_re_out")
    map_file_im_out: Path | None = output_file("map_file_im_out")
    map_file_format: str = choice("map_file_format", MAP_FORMATS, "mrc")
    map_file_byte_order: str = choice("map_file_byte_order", BYTE_ORDERS, "native")
    map_axis_order: str = choice("map_axis_order", MAP_AXIS_ORDERS, "xyz")
