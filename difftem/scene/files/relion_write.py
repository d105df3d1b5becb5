"""Copies of a scene as RELION's table of particles, with the optics they were seen under."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from difftem.io.files import replacing
from difftem.io.star import StarTable, star_text
from difftem.scene.files.euler import relion_from_rotation
from difftem.scene.poses import Scene, is_name

# Columns of ours: RELION ignores unknown labels, but keeps them.
PARTICLE = "difftemParticle"
HEIGHT = "difftemCoordinateZAngst"
SAMPLE = ("difftemSampleXAngst", "difftemSampleYAngst")

ANGLES = ("rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi")


@dataclass(frozen=True)
class RelionOptics:
    """What RELION's optics table says of a microscope.

    Attributes
    ----------
    voltage_kv : float
        Acceleration voltage in kV.
    cs_mm : float
        Spherical aberration in mm.
    amplitude_contrast : float
        Fraction, 0 to 1.
    pixel_size : float
        Of the image in Å.
    group : str
        Name of the optics group.
    beam_tilt_mrad : tuple of float
        Along x and y in mrad; RELION makes coma of it and cs_mm.
    odd_zernike, even_zernike : tuple of float
        Further aberrations in rad, from `difftem.scene.files.zernike`; empty if there are none.
    """

    voltage_kv: float
    cs_mm: float
    amplitude_contrast: float
    pixel_size: float
    group: str = "opticsGroup1"
    beam_tilt_mrad: tuple[float, float] = (0.0, 0.0)
    odd_zernike: tuple[float, ...] = ()
    even_zernike: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Check the pixel size."""
        if not (math.isfinite(self.pixel_size) and self.pixel_size > 0):
            raise ValueError(f"pixel_size must be positive, got {self.pixel_size} Å")


@dataclass(frozen=True)
class Defocus:
    """Defocus of an image as RELION and CTFFIND have it, underfocus positive.

    Attributes
    ----------
    u, v : float
        Largest and smallest in Å, for what lies at z = 0.
    angle_deg : float
        Of u from the x axis, in degrees.
    phase_shift_deg : float
        Of a phase plate in degrees.
    """

    u: float
    v: float
    angle_deg: float = 0.0
    phase_shift_deg: float = 0.0


def optics_table(optics: RelionOptics, pixel_size_columns: Sequence[str]) -> StarTable:
    """Optics table of one group, its pixel size under each of some names."""
    numbers = {
        **dict.fromkeys(pixel_size_columns, optics.pixel_size),
        "rlnVoltage": optics.voltage_kv,
        "rlnSphericalAberration": optics.cs_mm,
        "rlnAmplitudeContrast": optics.amplitude_contrast,
        "rlnBeamTiltX": optics.beam_tilt_mrad[0],
        "rlnBeamTiltY": optics.beam_tilt_mrad[1],
    }
    return {
        "rlnOpticsGroupName": [optics.group],
        "rlnOpticsGroup": ["1"],
        **{name: [f"{value:.6f}"] for name, value in numbers.items()},
        **zernike_columns(optics),
    }


def zernike_columns(optics: RelionOptics) -> StarTable:
    """Write each list of Zernike coefficients into one cell; none where all are 0."""
    lists = {"rlnOddZernike": optics.odd_zernike, "rlnEvenZernike": optics.even_zernike}
    return {
        name: [f"[{','.join(f'{value:.9g}' for value in values)}]"]
        for name, values in lists.items()
        if any(values)
    }


def defocus_columns(defocus: Sequence[Defocus], height: Sequence[float]) -> StarTable:
    """Columns of the defocus that things at some heights z (Å, down the beam) are seen with."""
    pairs = list(zip(defocus, height, strict=True))
    return {
        "rlnDefocusU": [f"{each.u + z:.6f}" for each, z in pairs],
        "rlnDefocusV": [f"{each.v + z:.6f}" for each, z in pairs],
        "rlnDefocusAngle": [f"{each.angle_deg:.6f}" for each in defocus],
        "rlnPhaseShift": [f"{each.phase_shift_deg:.6f}" for each in defocus],
    }


def orientation_columns(scene: Scene) -> StarTable:
    """Columns that do not depend on where the coordinates start: angles, names, classes."""
    angles = relion_from_rotation(scene.rotations()).T
    names, types = scene.particles(), scene.types().tolist()
    return {
        **dict(zip(ANGLES, map(decimals, angles), strict=True)),
        "rlnClassNumber": [str(i + 1) for i in types],
        PARTICLE: [names[i] for i in types],
        "rlnOpticsGroup": ["1"] * len(scene),
    }


def decimals(values: Tensor) -> list[str]:  # (n,)
    """Six decimals of each number, as RELION writes them."""
    # Adding 0 turns a rounded -0 into 0.
    return [f"{value:.6f}" for value in (np.round(values.double().numpy(), 6) + 0.0).tolist()]


def write_relion_particles(
    path: str | Path,
    scene: Scene,
    optics: RelionOptics,
    shape: tuple[int, int],
    micrograph: str,
    defocus: Defocus | None = None,
    seen: Tensor | None = None,  # (n, 2) Å
    *,
    overwrite: bool = False,
) -> None:
    """Write the copies of a scene as RELION's ``particles.star`` (version 3.1 to 5).

    Coordinates are pixels of the micrograph, 0 being the first one; the origin of the scene lies
    on pixel n // 2. A copy at z, down the beam, has its own defocus: that of the image plus z.
    Class numbers count the particles from 1 in the order of ``scene.particles()``.

    Parameters
    ----------
    path : str or Path
        File to write, in a folder that exists.
    scene : Scene
        What is where.
    optics : RelionOptics
        Of the micrograph.
    shape : tuple of int
        Rows and columns (y, x) of the micrograph.
    micrograph : str
        Its file name, without blanks.
    defocus : Defocus, optional
        Of the micrograph. Default: the file says nothing about defocus.
    seen : Tensor, optional
        Where the image shows the copies, x and y in Å, if a tilted beam has moved it: those are
        RELION's coordinates then, and two columns of ours keep the places in the sample.
    overwrite : bool
        Replace a file that exists.

    Raises
    ------
    InputError
        If the file exists and `overwrite` is false, or its folder does not exist.
    ValueError
        If a name has blanks.

    References
    ----------
    Zivanov, Nakane & Scheres, IUCrJ 7 (2020) 253 (optics groups).
    """
    check_word("micrograph", micrograph)
    x, y, z = scene.positions().T
    own: StarTable = {HEIGHT: decimals(z)}
    if seen is not None:
        own |= dict(zip(SAMPLE, (decimals(x), decimals(y)), strict=True))
        x, y = seen.T
    ny, nx = shape
    table: StarTable = {
        "rlnMicrographName": [micrograph] * len(scene),
        "rlnCoordinateX": decimals(x / optics.pixel_size + nx // 2),
        "rlnCoordinateY": decimals(y / optics.pixel_size + ny // 2),
        **orientation_columns(scene),
        **{f"rlnOrigin{axis}Angst": ["0.000000"] * len(scene) for axis in "XY"},
        **own,
    }
    if defocus is not None:
        table |= defocus_columns([defocus] * len(scene), z.tolist())
    sizes = ("rlnMicrographPixelSize", "rlnMicrographOriginalPixelSize")
    text = star_text({"optics": optics_table(optics, sizes), "particles": table})
    with replacing(Path(path), overwrite) as temporary:
        temporary.write_text(text, encoding="utf-8")


def check_word(what: str, word: str) -> None:
    """Raise unless a name can stand in a STAR file without quotes."""
    if not is_name(word):
        raise ValueError(f"{what} must be a name without blanks and quotes, got {word!r}")
