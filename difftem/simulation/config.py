"""What `difftem simulate` can be told: one dataclass per part of the microscope."""

from dataclasses import dataclass, field
from typing import Literal

from difftem.simulation.device import Accelerator


@dataclass(frozen=True)
class StructureConfig:
    """The particle.

    Parameters
    ----------
    file
        mmCIF or PDB (also .gz), XYZ or anything ASE reads; the bundled apoferritin without it.
        A relative path is looked for beside the configuration file, then in the current folder.
    assembly
        'auto': the first biological assembly if the file has one; 'none'; or an assembly's name.
    hydrogens
        Those of the file, 'implicit' ones on their heavy atoms, or none.
    altlocs
        All conformers with their occupancies, or only the first.
    waters
        Keep water molecules of the file.
    selection
        Part of the structure in gemmi's syntax, e.g. '//A,B' for two chains.
    b_factor
        Å². Replaces the B-factors of the file.
    default_b_factor
        Å². For formats without B-factors (XYZ).
    """

    file: str | None = None
    assembly: str = "auto"
    hydrogens: Literal["file", "implicit", "none"] = "implicit"
    altlocs: Literal["all", "first"] = "all"
    waters: bool = False
    selection: str | None = None
    b_factor: float | None = None
    default_b_factor: float = 0.5


@dataclass(frozen=True)
class SpecimenConfig:
    """How many copies of the particle there are, where, and in what.

    Parameters
    ----------
    copies
        Number of copies at random places without overlap; 1 sits in the centre.
    orientations
        'random' turns every copy at random where there are several, 'as_given' leaves them.
    rotation_deg
        Euler angles phi, theta, psi (z, x, z axes, degrees) that turn the particle first.
    placements
        Text matrix of copies: 6 columns x y z (Å) phi theta psi (degrees), or 3 rows of 4 columns
        [R|t] each. Overrides copies and orientations.
    environment
        'ice': embedded in vitreous ice, which the atoms displace; or 'vacuum'.
    ice_thickness_nm
        nm. Default: what the particles need, and 10 nm at least.
    mean_free_path_nm
        nm. Path in ice over which zero-loss intensity falls by 1/e.
    """

    copies: int = 1
    orientations: Literal["random", "as_given"] = "random"
    rotation_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)
    placements: str | None = None
    environment: Literal["ice", "vacuum"] = "ice"
    ice_thickness_nm: float | None = None
    mean_free_path_nm: float = 300.0


@dataclass(frozen=True)
class SamplingConfig:
    """Sampling.

    Parameters
    ----------
    size
        Width and height of the micrograph in pixels (x, y).
    pixel_size
        Å at the specimen.
    slice_thickness
        Å. Default: the thickest that keeps the Fresnel phase error below 0.1 rad.
    padding
        Pixels simulated around the micrograph on each side. Default: the delocalisation, at most
        half the longer side of the micrograph.
    scattering
        'multislice'; or all atoms in one plane: 'projection' (phase object) or 'weak_phase'.
    table
        Scattering factors.
    potential_band_limit
        Fraction of Nyquist; 2/3, or 0.95 for atoms at rest.
    """

    size: tuple[int, int] = (512, 512)
    pixel_size: float = 1.0
    slice_thickness: float | None = None
    padding: int | None = None
    scattering: Literal["multislice", "projection", "weak_phase"] = "multislice"
    table: Literal["peng", "lobato", "kirkland"] = "peng"
    potential_band_limit: float = 2 / 3


@dataclass(frozen=True)
class MicroscopeConfig:
    """Beam and objective lens.

    Parameters
    ----------
    voltage_kv
        kV.
    defocus_um
        µm, underfocus positive, from the middle of the specimen.
    cs_mm
        mm.
    astigmatism_um
        µm. Half the difference between the two principal defoci.
    astigmatism_angle_deg
        Degrees from x to the larger defocus, counter-clockwise.
    aberrations
        Further Krivanek coefficients in Å, e.g. {C21a: 500, C50: 5.0e+7}.
    beam_tilt_mrad
        mrad (x, y).
    aperture_mrad
        mrad. Semi-angle of the objective aperture; none without it.
    phase_shift_deg
        Degrees. Phase plate.
    cc_mm
        mm. Chromatic aberration.
    energy_spread_ev
        eV, standard deviation.
    source_semiangle_mrad
        mrad, standard deviation of the illumination angle per axis.
    amplitude_contrast
        Fraction of the potential that absorbs. Default: 0.07 in ice, 0 in vacuum.
    """

    voltage_kv: float = 300.0
    defocus_um: float = 1.5
    cs_mm: float = 2.7
    astigmatism_um: float = 0.0
    astigmatism_angle_deg: float = 0.0
    aberrations: dict[str, float] = field(default_factory=dict)
    beam_tilt_mrad: tuple[float, float] = (0.0, 0.0)
    aperture_mrad: float | None = None
    phase_shift_deg: float = 0.0
    cc_mm: float = 2.7
    energy_spread_ev: float = 0.3
    source_semiangle_mrad: float = 0.01
    amplitude_contrast: float | None = None


@dataclass(frozen=True)
class ExposureConfig:
    """Tilts and dose.

    Parameters
    ----------
    dose_e_per_a2
        e/Å² of each micrograph.
    tilts_deg
        Stage tilts in degrees, one micrograph each.
    tilt_axis_deg
        Direction of the tilt axis in the image, counter-clockwise from x; 90 is the y axis.
    exposures
        Micrographs of the same field that differ in noise only.
    """

    dose_e_per_a2: float = 30.0
    tilts_deg: list[float] = field(default_factory=lambda: [0.0])
    tilt_axis_deg: float = 90.0
    exposures: int = 1


@dataclass(frozen=True)
class DetectorConfig:
    """Camera.

    Parameters
    ----------
    preset
        Name in difftem.presets: k2_300kv, k3_300kv, falcon3ec_300kv, falcon4ec_300kv,
        de20_300kv, tem_simulator_ccd, ideal. Some of their DQE values are assumed; see there.
    mtf
        RELION MTF STAR file instead of the preset's curve.
    gain
        Grey values per electron, instead of the preset's.
    dqe
        DQE at zero frequency in (0, 1], instead of the preset's.
    read_noise
        Grey values, instead of the preset's.
    """

    preset: str = "k3_300kv"
    mtf: str | None = None
    gain: float | None = None
    dqe: float | None = None
    read_noise: float | None = None


@dataclass(frozen=True)
class SimulateConfig:
    """Atoms to micrographs.

    Parameters
    ----------
    structure
        The particle.
    specimen
        Copies and ice.
    sampling
        Pixels and slices.
    microscope
        Beam and lens.
    exposure
        Tilts and dose.
    detector
        Camera.
    seed
        Of all random numbers: same seed, same bytes.
    accelerator
        What computes waves and images: 'cpu' or 'cuda'. Noise is drawn on the CPU either way; the
        two may round an expected count differently.
    """

    structure: StructureConfig = field(default_factory=StructureConfig)
    specimen: SpecimenConfig = field(default_factory=SpecimenConfig)
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    microscope: MicroscopeConfig = field(default_factory=MicroscopeConfig)
    exposure: ExposureConfig = field(default_factory=ExposureConfig)
    detector: DetectorConfig = field(default_factory=DetectorConfig)
    seed: int = 0
    accelerator: Accelerator = "cpu"
