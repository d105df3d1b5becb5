"""The vocabulary of `simulate` and `generate`: a key means the same in both."""

from dataclasses import dataclass, field
from typing import Any, Literal

from difftem.constants.scattering import TableName
from difftem.io.image_stack import StackFormat

Accelerator = Literal["cpu", "cuda"]
Orientations = Literal["random", "in_plane", "fixed", "preferred"]
Hydrogens = Literal["file", "implicit", "none"]
BUNDLED, VIRION, PHANTOM = "apoferritin", "sars-cov-2", "phantom"  # instead of a file
VACUUM, EDGE = "vacuum", "edge"  # instead of a particle


def file_field(default: str | None = None, *instead: str) -> Any:
    """Field for the name of an input file, or for a word instead: see `simulation.paths`."""
    return field(default=default, metadata={"file": instead})


@dataclass(frozen=True)
class StructureConfig:
    """Atoms of the particle.

    Parameters
    ----------
    source
        Structure file, also .gz: mmCIF, PDB, crystal CIF (one unit cell), XYZ (plain, extended or
        Prismatic's) or another format that ASE reads; or 'apoferritin', the bundled PDB entry 4V1W.
    assembly
        Biological assembly to build: 'auto' takes the first one of the file, or else the copies
        that strict symmetry (NCS) gives, 'none' the atoms as they stand, and a name that one.
    model
        Model of a file with several: its number, 'all', or 'auto', which takes all where they lie
        side by side or share occupancies out, and else the first (as of NMR).
    hydrogens
        Hydrogen atoms: 'file' keeps those of the file, 'implicit' adds them to the scattering of
        their heavy atoms (of residues it does not know it keeps the file's), 'none' leaves them
        out.
    altlocs
        Alternative conformers: 'all' with their occupancies, or only the 'first'.
    waters
        Keep the water molecules of the file, whatever a program calls them.
    selection
        Part of the structure in gemmi's syntax, such as '//A,B' for two chains. Default: all.
    b_factor
        B-factor of every atom in Å². Default: those of the file.
    default_b_factor
        B-factor in Å² where the file has none (most XYZ), or pLDDT in their place (AlphaFold).
    occupancy
        Occupancy of every atom, up to 1. Default: those of the file.
    """

    source: str = file_field(BUNDLED, BUNDLED)
    assembly: str = "auto"
    model: int | Literal["auto", "all"] = "auto"
    hydrogens: Hydrogens = "implicit"
    altlocs: Literal["all", "first"] = "all"
    waters: bool = False
    selection: str | None = None
    b_factor: float | None = None
    default_b_factor: float = 0.5
    occupancy: float | None = None


@dataclass(frozen=True)
class SamplingConfig:
    """Pixels and slices.

    Parameters
    ----------
    size
        Width and height (x, y) of the micrograph in pixels.
    pixel_size
        Pixel size in Å at the specimen.
    slice_thickness_nm
        Thickness of a slice in nm. Default: the thickest that keeps the Fresnel phase error below
        0.1 rad for atoms (simulate), 50 nm for particles, whose depth counts besides (generate).
    padding
        Pixels simulated around the micrograph on each side. Default: the delocalisation, up to the
        longer side.
    band
        Where the micrograph's signal ends: 'full' at Nyquist, 1/(2 pixel_size), for which waves
        have pixels 3/5 as large and images are cut in Fourier space, unless the optics end before;
        'fast' at 1/(3 pixel_size), in about a third of the time.
    table
        Atomic scattering factors: 'peng', 'lobato' or 'kirkland'. Default: Peng's (1996), or
        Lobato's (2014) where the potential reaches beyond 4 1/Å, where Peng's end.
    """

    size: tuple[int, int] = (512, 512)
    pixel_size: float = 1.0
    slice_thickness_nm: float | None = None
    padding: int | None = None
    band: Literal["full", "fast"] = "full"
    table: TableName | None = None


@dataclass(frozen=True)
class MicroscopeConfig:
    """Beam and objective lens.

    Parameters
    ----------
    voltage_kv
        Acceleration voltage in kV.
    defocus_um
        Defocus in µm from the middle of the specimen; underfocus is positive.
    defocus_nm
        The same in nm, instead of defocus_um. Default: defocus_um counts.
    cs_mm
        Spherical aberration in mm.
    astigmatism_um
        Two-fold astigmatism in µm: half the difference of the two principal defoci.
    astigmatism_angle_deg
        Direction of the larger defocus in degrees, counter-clockwise from x.
    aberrations
        Further Krivanek coefficients in Å, such as {C21a: 500, C50: 5.0e+7}.
    beam_tilt_mrad
        Beam tilt (x, y) in mrad.
    aperture_mrad
        Semi-angle of the objective aperture in mrad. Default: no aperture.
    phase_shift_deg
        Phase shift of a phase plate in degrees.
    cc_mm
        Chromatic aberration in mm.
    energy_spread_ev
        Standard deviation of the beam energy in eV.
    source_semiangle_mrad
        Standard deviation of the illumination angle along each axis in mrad.
    amplitude_contrast
        Fraction of the potential that absorbs. Default: 0 in vacuum; in ice 0.07 at 300 kV, and
        inversely as the velocity (0.078 at 200 kV, 0.099 at 100 kV).
    """

    voltage_kv: float = 300.0
    defocus_um: float = 1.5
    defocus_nm: float | None = None
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
    """Dose and tilts.

    Parameters
    ----------
    dose_e_per_a2
        Dose in e/Å² of each micrograph.
    dose_e_per_pixel
        The same in e/pixel, instead of dose_e_per_a2. Default: dose_e_per_a2 counts.
    tilts_deg
        Stage tilts in degrees; each makes one micrograph of a tilt series.
    tilt_axis_deg
        Direction of the tilt axis in the image in degrees, counter-clockwise from x; 90 is the y
        axis.
    focus_series_um
        Defoci in µm of a focus series, such as [0.5, 1, 2], instead of the one of the microscope:
        every tilt is imaged at each of them, from one exit wave (simulate only). Default: no
        series.
    exposures
        Micrographs of the same field, tilt and defocus that differ in noise only; they follow one
        another in the files.
    radiation_damage
        Let the contrast fade with the exposure, the finest detail first, by the critical exposure
        of proteins (Grant & Grigorieff 2015): over the dose of each image and those before it.
        Default: nothing fades, also along a tilt series.
    """

    dose_e_per_a2: float = 30.0
    dose_e_per_pixel: float | None = None
    tilts_deg: list[float] = field(default_factory=lambda: [0.0])
    tilt_axis_deg: float = 90.0
    focus_series_um: list[float] | None = None
    exposures: int = 1
    radiation_damage: bool = False


@dataclass(frozen=True)
class StageConfig:
    """Errors of the stage in a tilt series.

    Tables of the truth hold what the stage did, the .rawtlt file what it was set to.

    Parameters
    ----------
    shifts
        Shift of each image along x and y in Å, one pair for each tilt. Default: none.
    rotations_deg
        Rotation of each image in its plane in degrees, counter-clockwise, one for each tilt.
        Default: none.
    shift_error
        Standard deviation in Å of a further random shift along each axis.
    rotation_error_deg
        Standard deviation in degrees of a further random rotation in the image plane.
    tilt_error_deg
        Standard deviation in degrees of the tilts about what they are set to.
    """

    shifts: list[tuple[float, float]] | None = None
    rotations_deg: list[float] | None = None
    shift_error: float = 0.0
    rotation_error_deg: float = 0.0
    tilt_error_deg: float = 0.0


@dataclass(frozen=True)
class DetectorConfig:
    """Camera.

    Parameters
    ----------
    preset
        Camera whose measured curves are used: k2_300kv, k3_300kv, falcon3ec_300kv,
        falcon4ec_300kv, de20_300kv, tem_simulator_ccd or ideal.
    mtf
        MTF as a RELION STAR file, or a table (.csv, .txt) of frequency and MTF. Default: that of
        the preset.
    ntf
        Transfer of the noise: 'ideal' (white: each electron is one count in one pixel), 'mtf' (as
        blurred as the signal) or a file as of mtf. Default: that of the preset, also beside an own
        MTF.
    mtf_nyquist
        Frequency that is Nyquist in the files of mtf and ntf: 0.5 where they count cycles/pixel, as
        RELION's, 1 where they count fractions of Nyquist.
    gain
        Grey values per electron. Default: that of the preset.
    dqe
        DQE at zero frequency, in (0, 1]. Default: that of the preset; some of these are assumed.
    read_noise
        Standard deviation of the read-out in grey values. Default: that of the preset.
    """

    preset: str = "k3_300kv"
    mtf: str | None = file_field()
    ntf: str | None = file_field(None, "ideal", "mtf")
    mtf_nyquist: float = 0.5
    gain: float | None = None
    dqe: float | None = None
    read_noise: float | None = None


@dataclass(frozen=True)
class FilesConfig:
    """Files of the images.

    Parameters
    ----------
    format
        Format of the images: 'mrc', 'tiff' (float32, with the pixel size as ImageJ has it) or
        'zarr' (a folder; needs the zarr package, and RELION does not read it).
    """

    format: StackFormat = "mrc"
