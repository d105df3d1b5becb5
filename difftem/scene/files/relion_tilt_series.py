"""RELION 5's tilt series: how the sample stood for each image, and the particles in it."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from difftem.io.files import replacing
from difftem.io.star import StarTable, star_text
from difftem.scene.files.euler import tilt_from_rotation
from difftem.scene.files.relion_write import (
    Defocus,
    RelionOptics,
    check_word,
    decimals,
    defocus_columns,
    optics_table,
    orientation_columns,
    zernike_columns,
)
from difftem.scene.poses import Scene

_TILTS = ("rlnTomoXTilt", "rlnTomoYTilt", "rlnTomoZRot")
_SHIFTS = ("rlnTomoXShiftAngst", "rlnTomoYShiftAngst")
_PIXEL_SIZE = "rlnTomoTiltSeriesPixelSize"
# A copy further down the beam is seen at more underfocus, and RELION's depth is our z.
_HAND = 1.0


@dataclass(frozen=True, eq=False)
class TiltSeries:
    """How the sample stood and where it was for each image.

    A point x of the sample is seen at S x + (shift, 0), its x and y being those of the image.

    Attributes
    ----------
    rotations : Tensor
        S, active, sample to microscope, ``(n_tilts, 3, 3)``.
    shifts : Tensor
        Along x and y in Å, ``(n_tilts, 2)``.
    nominal_tilt_deg : Tensor
        What the stage was set to in degrees, ``(n_tilts,)``.
    pre_exposure : Tensor
        Electrons/Å² that the sample had before each image, ``(n_tilts,)``.
    defocus : tuple of Defocus
        Of each image, for the middle of the sample; empty if unknown.
    """

    rotations: Tensor
    shifts: Tensor
    nominal_tilt_deg: Tensor
    pre_exposure: Tensor
    defocus: tuple[Defocus, ...] = ()

    def __post_init__(self) -> None:
        """Check shapes."""
        n = len(self.rotations)
        shapes = {
            "rotations": (n, 3, 3),
            "shifts": (n, 2),
            "nominal_tilt_deg": (n,),
            "pre_exposure": (n,),
        }
        for name, shape in shapes.items():
            if n == 0 or getattr(self, name).shape != shape:
                found = tuple(getattr(self, name).shape)
                raise ValueError(f"{name} must have shape {shape} with n > 0, got {found}")
        if len(self.defocus) not in (0, n):
            raise ValueError(f"defocus must be given for all {n} tilts, got {len(self.defocus)}")


def write_relion_tilt_series(
    folder: str | Path,
    name: str,
    scene: Scene,
    tilts: TiltSeries,
    optics: RelionOptics,
    shape: tuple[int, int],
    stack: str,
    exposures: int = 1,
    *,
    overwrite: bool = False,
) -> tuple[Path, Path, Path]:
    """Write the ground truth of a tilt series as a project of RELION 5 reads it, all or nothing.

    ``tomograms.star`` names ``<name>.star``, one row per tilt, and ``particles.star`` has the
    copies in Å from the middle of the tomogram. RELION looks for files from the folder of its
    project: this one. The tomogram is as large as the image and as thick as the scene's box.

    Parameters
    ----------
    folder : str or Path
        Where to write; exists.
    name : str
        Of the tomogram.
    scene : Scene
        What is where at no tilt.
    tilts : TiltSeries
        Geometry, exposure and defocus of the images.
    optics : RelionOptics
        Of the images.
    shape : tuple of int
        Rows and columns (y, x) of an image.
    stack : str
        File name of the image stack, without blanks; RELION wants the suffix ``.mrcs``.
    exposures : int
        Images of each tilt in the stack, of which the first is named.
    overwrite : bool
        Replace files that exist.

    Returns
    -------
    tuple of Path
        Of tomograms, tilts and particles.

    Raises
    ------
    InputError
        If a file exists and `overwrite` is false, or the folder does not exist.
    ValueError
        If a name has blanks.

    References
    ----------
    Burt et al., FEBS Open Bio 14 (2024) 1788.
    """
    check_word("name", name)
    check_word("stack", stack)
    folder = Path(folder)
    texts = {
        folder / "tomograms.star": {"global": _tomogram(name, scene, tilts, optics, shape, stack)},
        folder / f"{name}.star": {name: _tilt_rows(tilts, stack, exposures)},
        folder / "particles.star": {
            "optics": optics_table(optics, (_PIXEL_SIZE,)),
            "particles": _particle_rows(name, scene),
        },
    }
    with ExitStack() as pending:  # files take their names once all of them are written
        for path, tables in texts.items():
            temporary = pending.enter_context(replacing(path, overwrite))
            temporary.write_text(star_text(tables), encoding="utf-8")
    tomograms, rows, particles = texts
    return tomograms, rows, particles


def _tomogram(
    name: str,
    scene: Scene,
    tilts: TiltSeries,
    optics: RelionOptics,
    shape: tuple[int, int],
    stack: str,
) -> StarTable:
    """Make the one row of ``tomograms.star``."""
    # RELION takes n // 2 of images but n / 2 of tomograms for the middle: the same if even.
    nz = round(scene.box[2] / optics.pixel_size)
    sizes = {axis: str(n + n % 2) for axis, n in zip("XYZ", (*shape[::-1], nz), strict=True)}
    numbers = {
        "rlnVoltage": optics.voltage_kv,
        "rlnSphericalAberration": optics.cs_mm,
        "rlnAmplitudeContrast": optics.amplitude_contrast,
        "rlnBeamTiltX": optics.beam_tilt_mrad[0],
        "rlnBeamTiltY": optics.beam_tilt_mrad[1],
        "rlnMicrographOriginalPixelSize": optics.pixel_size,
        _PIXEL_SIZE: optics.pixel_size,
        "rlnTomoHand": _HAND,
        "rlnTomoTomogramBinning": 1.0,
    }
    return {
        "rlnTomoName": [name],
        "rlnTomoTiltSeriesStarFile": [f"{name}.star"],
        "rlnTomoTiltSeriesName": [stack],
        "rlnTomoFrameCount": [str(len(tilts.rotations))],
        "rlnOpticsGroupName": [optics.group],
        **{tag: [f"{value:.6f}"] for tag, value in numbers.items()},
        **{f"rlnTomoSize{axis}": [n] for axis, n in sizes.items()},
        **zernike_columns(optics),
    }


def _tilt_rows(tilts: TiltSeries, stack: str, exposures: int) -> StarTable:
    """Make one row per tilt."""
    n = len(tilts.rotations)
    # RELION reads "number@stack", numbers from 1.
    numbers = (i * exposures + 1 for i in range(n))
    rows: StarTable = {"rlnMicrographName": [f"{number}@{stack}" for number in numbers]}
    rows |= dict(zip(_TILTS, map(decimals, tilt_from_rotation(tilts.rotations).T), strict=True))
    rows |= dict(zip(_SHIFTS, map(decimals, tilts.shifts.T), strict=True))
    rows["rlnTomoNominalStageTiltAngle"] = decimals(tilts.nominal_tilt_deg)
    rows["rlnMicrographPreExposure"] = decimals(tilts.pre_exposure)
    rows["rlnCtfScalefactor"] = decimals(tilts.rotations[:, 2, 2].abs())
    if tilts.defocus:
        rows |= defocus_columns(tilts.defocus, [0.0] * n)
    return rows


def _particle_rows(name: str, scene: Scene) -> StarTable:
    """Make one row per copy."""
    n = len(scene)
    places = map(decimals, scene.positions().T)
    rows: StarTable = {"rlnTomoName": [name] * n}
    rows["rlnTomoParticleName"] = [f"{name}/{i + 1}" for i in range(n)]
    rows |= {f"rlnCenteredCoordinate{axis}Angst": c for axis, c in zip("XYZ", places, strict=True)}
    rows |= {f"rlnOrigin{axis}Angst": ["0.000000"] * n for axis in "XYZ"}
    return rows | orientation_columns(scene)
