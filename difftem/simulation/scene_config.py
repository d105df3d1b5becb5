"""What scenes of many particles add to the vocabulary of `difftem.simulation.config`."""

from dataclasses import dataclass, field, fields
from typing import Literal

from difftem.simulation.config import (
    BUNDLED,
    PHANTOM,
    VIRION,
    DetectorConfig,
    ExposureConfig,
    FilesConfig,
    MicroscopeConfig,
    Orientations,
    SamplingConfig,
    StageConfig,
    StructureConfig,
    file_field,
)
from difftem.simulation.ice_config import IceConfig
from difftem.simulation.preferred_config import PreferredConfig
from difftem.simulation.truth_config import TruthConfig
from difftem.simulation.variation_config import VariationConfig


@dataclass(frozen=True)
class PhantomConfig:
    """A random particle: a smooth map in an ellipsoid, without a structure behind it.

    Parameters
    ----------
    size_nm
        Axes (x, y, z) of the ellipsoid in nm.
    contrast
        Mean of the map's absolute value in V beyond ice; a negative one inverts the map.
    smoothness
        Smoothness of the map: 0 is rough, 4 very smooth.
    positive
        Leave out values of the other sign.
    seed
        Seed of the map: another one is another particle.
    """

    size_nm: tuple[float, float, float] = (20.0, 20.0, 20.0)
    contrast: float = 1.0
    smoothness: float = 2.0
    positive: bool = True
    seed: int = 0


@dataclass(frozen=True)
class ParticleConfig(StructureConfig):
    """One kind of particle and how many of it there are.

    Besides the fields of `StructureConfig`:

    Parameters
    ----------
    name
        Name of the particle in tables and labels.
    source
        Structure file (mmCIF, PDB, XYZ, also .gz), map (.mrc, .map, .ccp4, .rec; in V beyond ice),
        'apoferritin' (bundled), 'sars-cov-2' (a virion with the spikes of 'parts') or 'phantom'
        (a random map).
    parts
        Structure file of the spike, PDB 6VXX, for 'sars-cov-2'.
    count
        Copies in each micrograph; of a tilt series in the untilted one, with as many per area
        where tilting brings more into view. Give exactly one of count, per_um3, micromolar,
        fraction and coordinates.
    per_um3
        Copies in each cubic micrometre of ice (1/µm³).
    micromolar
        Concentration in µM.
    fraction
        Share of the ice's volume that bounding spheres fill; random packing ends near 0.38.
    coordinates
        File that says where the copies are: RELION STAR (its own pixel size counts), CSV (x, y, z
        in Å; phi, theta, psi in degrees) or TEM-simulator's text matrix (nm, degrees).
    image
        Micrograph (rlnMicrographName) or tomogram to take from a STAR file of several.
    coordinates_pixel_size
        Pixel size in Å that the coordinates of a STAR file count: that of the micrograph, where the
        file says none or that of extracted images. Default: that of the file, or of the field.
    tomogram_size
        Size (x, y, z) in those pixels of the tomogram whose coordinates a STAR file has.
    orientations
        Orientations of the copies: 'random', 'in_plane' (turned about the beam only), 'fixed' or
        'preferred'.
    preferred
        What 'preferred' orientations are.
    rotation_deg
        Euler angles phi, theta, psi in degrees (about z, x, z) that turn the particle first.
    solvent
        What the particle does to the ice: 'displaced' (each atom takes the place of some),
        'floor' (TEM-simulator's model, with absorption from cross sections) or 'none' (it stands
        in vacuum). Default: 'displaced', and 'none' without ice.
    voxel_size
        Voxel size in Å of a map, instead of what its header says.
    phantom
        Shape of a 'phantom'.
    """

    name: str = "apoferritin"
    source: str = file_field(BUNDLED, BUNDLED, VIRION, PHANTOM)
    parts: str | None = file_field()
    count: int | None = None
    per_um3: float | None = None
    micromolar: float | None = None
    fraction: float | None = None
    coordinates: str | None = file_field()
    image: str | None = None
    coordinates_pixel_size: float | None = None
    tomogram_size: tuple[int, int, int] | None = None
    orientations: Orientations = "random"
    preferred: PreferredConfig = field(default_factory=PreferredConfig)
    rotation_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)
    solvent: Literal["displaced", "floor", "none"] | None = None
    voxel_size: float | None = None
    phantom: PhantomConfig = field(default_factory=PhantomConfig)

    def structure(self, source: str | None = None) -> StructureConfig:
        """Its atoms, in the words of `simulate`; of another file with the same options if given."""
        same = {each.name: getattr(self, each.name) for each in fields(StructureConfig)}
        return StructureConfig(**same | {"source": source or self.source})


@dataclass(frozen=True)
class SceneSamplingConfig(SamplingConfig):
    """Pixels and slices.

    Besides the fields of `SamplingConfig`:

    Parameters
    ----------
    depth
        How height inside a slice is treated: 'slice' propagates every point to the slice's plane
        (to first order), 'particle' only every particle's centre, 'ignored' projects plainly.
    interpolation
        Accuracy of the particles' projections: 'default' (error 1e-3) or 'fine' (1e-5).
    """

    size: tuple[int, int] = (1024, 1024)
    pixel_size: float = 2.0
    depth: Literal["slice", "particle", "ignored"] = "slice"
    interpolation: Literal["default", "fine"] = "default"


@dataclass(frozen=True)
class SceneConfig:
    """Scenes and how they are imaged.

    Parameters
    ----------
    particles
        Kinds of particles, each with the fields that --particles.help lists; [] leaves the ice
        empty. Default: 60 copies of apoferritin.
    ice
        Vitreous ice around the particles.
    sampling
        Pixels and slices of the field.
    microscope
        Beam and objective lens.
    exposure
        Dose and tilts.
    stage
        Errors of the stage in a tilt series.
    detector
        Camera.
    truth
        Files of truth that are written besides the tables and the label images.
    variation
        What changes from micrograph to micrograph.
    files
        Files of the images.
    seed
        Seed of all random numbers: micrograph i is the same whatever else is made.
    memory_limit_gb
        Memory in GB that the run may take, of all its processes together, whatever the machine has
        (also --memory-limit). Default: what the machine has free, and its control group and ulimit
        -v allow.
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
    truth: TruthConfig = field(default_factory=TruthConfig)
    variation: VariationConfig = field(default_factory=VariationConfig)
    files: FilesConfig = field(default_factory=FilesConfig)
    seed: int = 0
    memory_limit_gb: float | None = None
    cache: str | None = None
