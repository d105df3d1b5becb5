"""What `difftem generate` can be told about a scene: particles, ice, field, microscope."""

from dataclasses import dataclass, field
from typing import Literal

from difftem.simulation.config import DetectorConfig, ExposureConfig, MicroscopeConfig


@dataclass(frozen=True)
class PhantomConfig:
    """A random particle: a smooth map in an ellipsoid, without a structure behind it.

    Parameters
    ----------
    size_nm
        nm. Axes of the ellipsoid (x, y, z).
    contrast
        V beyond ice, the mean of the absolute value; negative inverts the map.
    smoothness
        0 is rough, large is smooth.
    positive
        No value of the other sign.
    seed
        Another one is another particle.
    """

    size_nm: tuple[float, float, float] = (20.0, 20.0, 20.0)
    contrast: float = 1.0
    smoothness: float = 2.0
    positive: bool = True
    seed: int = 0


@dataclass(frozen=True)
class ParticleConfig:
    """One kind of particle and how many of it there are.

    Parameters
    ----------
    name
        How files call it.
    source
        Structure file (mmCIF, PDB, XYZ, also .gz), map (.mrc, .map; in V beyond ice), 'apoferritin'
        (bundled), 'sars-cov-2': a virion built around the spike in 'parts', or 'phantom': a random
        map as 'phantom' describes it.
    parts
        Structure of the spike, PDB 6VXX, for 'sars-cov-2'.
    count
        Copies in each micrograph; of a tilt series in the untilted one, with as many per area
        where tilting brings more into view. Exactly one of count, per_um3, micromolar, fraction and
        coordinates is needed.
    per_um3
        1/µm³. Copies in each cubic micrometre of ice.
    micromolar
        µM. The same as a concentration.
    fraction
        Of the ice's volume that their bounding spheres fill; random packing ends near 0.38.
    coordinates
        STAR (RELION), CSV (x, y, z in Å, phi, theta, psi in degrees) or TEM-simulator's text
        matrix (nm, degrees): where the copies are. A STAR file's own pixel size counts.
    image
        Micrograph (rlnMicrographName) or tomogram of a STAR file of coordinates that has several.
    orientations
        'random', 'in_plane' (about the beam only) or 'fixed'.
    solvent
        'displaced': each atom takes the place of some ice; 'floor': TEM-simulator's model, with
        absorption from cross sections; 'none': vacuum.
    assembly
        'auto': the first biological assembly if the file has one; 'none'; or an assembly's name.
    hydrogens
        Those of the file, 'implicit' ones on their heavy atoms, or none.
    voxel_size
        Å. Of a map whose header does not say.
    phantom
        Shape of a 'phantom'.
    """

    name: str = "apoferritin"
    source: str = "apoferritin"
    parts: str | None = None
    count: int | None = None
    per_um3: float | None = None
    micromolar: float | None = None
    fraction: float | None = None
    coordinates: str | None = None
    image: str | None = None
    orientations: Literal["random", "in_plane", "fixed"] = "random"
    solvent: Literal["displaced", "floor", "none"] = "displaced"
    assembly: str = "auto"
    hydrogens: Literal["file", "implicit", "none"] = "implicit"
    voxel_size: float | None = None
    phantom: PhantomConfig = field(default_factory=PhantomConfig)


@dataclass(frozen=True)
class IceConfig:
    """The ice that holds the particles.

    Parameters
    ----------
    thickness_nm
        nm. Of the film; in its centre if there is a hole. Default: that of the thickest particle
        and 10 nm.
    mean_free_path_nm
        nm. Path in ice over which zero-loss intensity falls by 1/e.
    hole_diameter_nm
        nm. Hole in a carbon film; without it the ice is even and fills the field.
    edge_thickness_nm
        nm. Of ice and carbon at the edge of the hole; as thick as the centre without it.
    gap_nm
        nm. Least space between the bounding spheres of two particles.
    cut_at_edges
        Let particles reach over the edges of the field, as they do in micrographs.
    """

    thickness_nm: float | None = None
    mean_free_path_nm: float = 300.0
    hole_diameter_nm: float | None = None
    edge_thickness_nm: float | None = None
    gap_nm: float = 0.5
    cut_at_edges: bool = True


@dataclass(frozen=True)
class SceneSamplingConfig:
    """Sampling of the field.

    Parameters
    ----------
    size
        Width and height of a micrograph in pixels (x, y).
    pixel_size
        Å at the specimen; also the templates' voxel.
    slice_thickness_nm
        nm. Of the specimen's slices; thicker particles are cut softly between them.
    padding
        Pixels simulated around the micrograph on each side. Default: the delocalisation, at most
        an eighth of the longer side.
    depth
        What the height of matter inside a slice does: 'slice': it is propagated to the slice's
        plane (to first order); 'particle': only to its particle's center; 'ignored': nothing.
    interpolation
        Of the particles' projections: 'default' (error 1e-3) or 'fine' (1e-5).
    """

    size: tuple[int, int] = (1024, 1024)
    pixel_size: float = 2.0
    slice_thickness_nm: float = 50.0
    padding: int | None = None
    depth: Literal["slice", "particle", "ignored"] = "slice"
    interpolation: Literal["default", "fine"] = "default"


@dataclass(frozen=True)
class StageConfig:
    """How far the stage is off in each image of a tilt series.

    The tables of the truth hold what the stage did; the .rawtlt file what it was set to.

    Parameters
    ----------
    shifts
        Å. Of each image along x and y, one pair for each tilt.
    rotations_deg
        Degrees. Of each image in its plane, counter-clockwise, one for each tilt.
    shift_error
        Å. Standard deviation of a random shift along x and along y, besides.
    rotation_error_deg
        Degrees. Standard deviation of a random rotation in the image's plane, besides.
    tilt_error_deg
        Degrees. Standard deviation of the tilts about what they are set to.
    """

    shifts: list[tuple[float, float]] | None = None
    rotations_deg: list[float] | None = None
    shift_error: float = 0.0
    rotation_error_deg: float = 0.0
    tilt_error_deg: float = 0.0


@dataclass(frozen=True)
class VariationConfig:
    """What changes from micrograph to micrograph, drawn evenly between two values.

    Parameters
    ----------
    defocus_um
        µm. Instead of microscope.defocus_um.
    dose_e_per_a2
        e/Å². Instead of exposure.dose_e_per_a2.
    ice_thickness_nm
        nm. Instead of ice.thickness_nm.
    """

    defocus_um: tuple[float, float] | None = None
    dose_e_per_a2: tuple[float, float] | None = None
    ice_thickness_nm: tuple[float, float] | None = None


@dataclass(frozen=True)
class SceneConfig:
    """Scenes and how they are imaged.

    Parameters
    ----------
    particles
        Kinds of particles.
    ice
        Around them.
    sampling
        Pixels and slices.
    microscope
        Beam and lens.
    exposure
        Tilts and dose; the dose is that of each tilt.
    stage
        Errors of the tilts.
    detector
        Camera.
    variation
        What differs between micrographs.
    seed
        Of all random numbers: micrograph i is the same whatever else is made.
    cache
        Folder for particle templates. Default: $DIFFTEM_CACHE or ~/.cache/difftem.
    """

    particles: list[ParticleConfig] = field(default_factory=lambda: [ParticleConfig(count=60)])
    ice: IceConfig = field(default_factory=IceConfig)
    sampling: SceneSamplingConfig = field(default_factory=SceneSamplingConfig)
    microscope: MicroscopeConfig = field(default_factory=MicroscopeConfig)
    exposure: ExposureConfig = field(default_factory=ExposureConfig)
    stage: StageConfig = field(default_factory=StageConfig)
    detector: DetectorConfig = field(default_factory=DetectorConfig)
    variation: VariationConfig = field(default_factory=VariationConfig)
    seed: int = 0
    cache: str | None = None
