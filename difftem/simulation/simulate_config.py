"""What atoms add to the vocabulary of `difftem.simulation.config`."""

from dataclasses import dataclass, field
from typing import Literal

from difftem.simulation.config import (
    BUNDLED,
    EDGE,
    VACUUM,
    Accelerator,
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


@dataclass(frozen=True)
class ParticleSourceConfig(StructureConfig):
    """Atoms of the particle, or a field without one.

    Besides the fields of `StructureConfig`:

    Parameters
    ----------
    source
        Structure file, also .gz: mmCIF, PDB, crystal CIF (one unit cell), XYZ (plain, extended or
        Prismatic's) or another format that ASE reads; 'apoferritin', the bundled PDB entry 4V1W;
        'vacuum', nothing at all; or 'edge', the shadow of a knife edge on the camera.
    """

    source: str = file_field(BUNDLED, BUNDLED, VACUUM, EDGE)


@dataclass(frozen=True)
class EdgeConfig:
    """Knife edge of the structure 'edge': an opaque half-plane in front of the camera.

    Parameters
    ----------
    angle_deg
        Direction of the edge's normal, which points to the dark side, in degrees from +x towards
        +y: 1 to 20 off an axis of the pixels.
    """

    angle_deg: float = 5.0


@dataclass(frozen=True)
class CopiesConfig:
    """Copies of the particle.

    Parameters
    ----------
    count
        Number of copies, at random places without overlap in the middle of the ice; a single one
        stands in the centre of the field, and 0 leaves the ice (or, without ice, vacuum) empty.
    orientations
        Orientations of the copies: 'random', 'in_plane' (turned about the beam only), 'fixed' (as
        in the file) or 'preferred'. Default: 'random', and 'fixed' for a single copy.
    preferred
        What 'preferred' orientations are.
    rotation_deg
        Euler angles phi, theta, psi in degrees (about z, x, z) that turn the particle first.
    coordinates
        File that says where the copies are, instead of count and orientations: RELION STAR, CSV
        (x, y, z in Å; phi, theta, psi in degrees) or TEM-simulator's text matrix (nm, degrees).
    image
        Micrograph (rlnMicrographName) or tomogram to take from a STAR file of several.
    coordinates_pixel_size
        Pixel size in Å that the coordinates of a STAR file count: that of the micrograph, where the
        file says none or that of extracted images. Default: that of the file, or of the field.
    tomogram_size
        Size (x, y, z) in those pixels of the tomogram whose coordinates a STAR file has.
    transforms
        File of rotations and shifts instead: a text matrix of 6 columns x, y, z (Å), phi, theta,
        psi (degrees), or of 3 rows of 4 columns [R|t] for each copy.
    """

    count: int = 1
    orientations: Orientations | None = None
    preferred: PreferredConfig = field(default_factory=PreferredConfig)
    rotation_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)
    coordinates: str | None = file_field()
    image: str | None = None
    coordinates_pixel_size: float | None = None
    tomogram_size: tuple[int, int, int] | None = None
    transforms: str | None = file_field()


@dataclass(frozen=True)
class AtomSamplingConfig(SamplingConfig):
    """Pixels, slices and scattering.

    Besides the fields of `SamplingConfig`:

    Parameters
    ----------
    scattering
        'multislice', or all atoms in one plane: 'projection' (phase object) or 'weak_phase'.
    potential_band_limit
        Highest frequency of the potential as a fraction of Nyquist: 2/3, or up to 0.95 for atoms
        at rest.
    """

    scattering: Literal["multislice", "projection", "weak_phase"] = "multislice"
    potential_band_limit: float = 2 / 3


@dataclass(frozen=True)
class AtomFilesConfig(FilesConfig):
    """Files of the images.

    Besides the fields of `FilesConfig`:

    Parameters
    ----------
    exit_wave
        Also write the complex exit wave of every tilt, in the whole simulated field: exit_wave.mrc
        (mode 4), .tif (channels real and imaginary part) or .zarr (complex64).
    """

    exit_wave: bool = False


@dataclass(frozen=True)
class SimulateConfig:
    """Settings of a simulation.

    Parameters
    ----------
    structure
        Atoms of the particle.
    edge
        Knife edge of the structure 'edge'.
    copies
        Copies of the particle.
    ice
        Vitreous ice around the particles.
    sampling
        Pixels, slices and scattering.
    microscope
        Beam and objective lens.
    exposure
        Dose and tilts.
    stage
        Errors of the stage in a tilt series.
    detector
        Camera.
    files
        Files of the images.
    truth
        Files of truth that are written besides the tables and the label images.
    seed
        Seed of all random numbers: the same seed gives the same bytes.
    memory_limit_gb
        Memory in GB that the run may take, of all its processes together, whatever the machine has
        (also --memory-limit). Default: what the machine has free, and its control group and ulimit
        -v allow.
    accelerator
        Device that computes waves and images, 'cpu' or 'cuda'. Noise is drawn on the CPU either
        way; the two may round an expected count differently.
    """

    structure: ParticleSourceConfig = field(default_factory=ParticleSourceConfig)
    edge: EdgeConfig = field(default_factory=EdgeConfig)
    copies: CopiesConfig = field(default_factory=CopiesConfig)
    ice: IceConfig = field(default_factory=IceConfig)
    sampling: AtomSamplingConfig = field(default_factory=AtomSamplingConfig)
    microscope: MicroscopeConfig = field(default_factory=MicroscopeConfig)
    exposure: ExposureConfig = field(default_factory=ExposureConfig)
    stage: StageConfig = field(default_factory=StageConfig)
    detector: DetectorConfig = field(default_factory=DetectorConfig)
    files: AtomFilesConfig = field(default_factory=AtomFilesConfig)
    truth: TruthConfig = field(default_factory=TruthConfig)
    seed: int = 0
    memory_limit_gb: float | None = None
    accelerator: Accelerator = "cpu"
