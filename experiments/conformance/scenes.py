"""A chiral object whose projections are known in closed form, imaged by `difftem generate`."""

import math
from pathlib import Path
from typing import Any, NamedTuple

import mrcfile
import numpy as np

import difftem
from experiments.conformance import relion
from experiments.conformance.relion import Array, Optics

PIXEL, SIZE, VOXELS = 2.0, 192, 48  # Å, pixels, voxels
WIDTH, HEIGHT = 3.5, 0.1  # of each Gaussian: standard deviation in Å, peak in V
# No plane or centre of symmetry; x, y, z in Å.
CENTERS = np.array(
    [
        [0, 0, 0],
        [26, 0, 4],
        [-10, 22, -6],
        [4, -16, 24],
        [-22, -12, -16],
        [12, 12, -26],
        [0, 30, 12],
    ]
)
WEIGHTS = np.array([1.0, 1.2, 0.8, 1.1, 0.9, 1.3, 0.7])
# x, y, z in Å; phi, theta, psi in degrees.
PLACES = np.array(
    [
        [-90.0, -84.0, -30.0, 20.0, 35.0, 50.0],
        [86.0, -92.0, 40.0, -70.0, 110.0, 15.0],
        [-80.0, 88.0, 10.0, 160.0, 75.0, -120.0],
        [94.0, 80.0, -45.0, -35.0, 150.0, 95.0],
    ]
)
MICROSCOPE: dict[str, Any] = {
    "voltage_kv": 300.0,
    "cs_mm": 2.7,
    "energy_spread_ev": 0.0,
    "source_semiangle_mrad": 0.0,
    "defocus_um": 1.2,
    "amplitude_contrast": 0.0,
}
DOSE = 25.0  # e/Å²


class Image(NamedTuple):
    """One image with what its truth file says of it."""

    contrast: Array  # (y, x), relative to the dose
    optics: tuple[Optics, ...]  # of each particle
    places: Array  # (n, 3) Å from the middle of the image; z as the file has it
    rotations: Array  # (n, 3, 3), reference to image


def write_inputs(folder: Path, spread: float) -> tuple[Path, Path]:
    """Write the object as a map, and where its copies are."""
    axis = (np.arange(VOXELS) - VOXELS // 2) * PIXEL
    z, y, x = np.meshgrid(axis, axis, axis, indexing="ij")
    volume = np.zeros((VOXELS,) * 3)
    for weight, (cx, cy, cz) in zip(WEIGHTS, CENTERS, strict=True):
        r2 = (x - cx) ** 2 + (y - cy) ** 2 + (z - cz) ** 2
        volume += HEIGHT * weight * np.exp(-r2 / 2 / WIDTH**2)
    with mrcfile.new(folder / "object.mrc", overwrite=True) as mrc:
        mrc.set_data(volume.astype(np.float32))
        mrc.set_volume()
        mrc.voxel_size = PIXEL
    places = PLACES * [spread, spread, spread, 1, 1, 1]
    rows = "\n".join(",".join(f"{value:g}" for value in row) for row in places)
    (folder / "places.csv").write_text(f"x,y,z,phi,theta,psi\n{rows}\n", "utf-8")
    return folder / "object.mrc", folder / "places.csv"


def take(folder: Path, name: str, spread: float = 1.0, **settings: Any) -> Path:
    """Image the object's copies in vacuum; give the folder of the micrograph.

    Parameters
    ----------
    folder : Path
        For all files.
    name : str
        Of the set.
    spread : float
        Factor of the copies' places.
    **settings
        Of `difftem.generate`, besides those of `MICROSCOPE`.

    Returns
    -------
    Path
        With images and truth files.
    """
    volume, places = write_inputs(folder, spread)
    particle = {
        "name": "object",
        "source": str(volume),
        "coordinates": str(places),
    }
    made = difftem.generate(
        folder / name,
        **{
            "particles": [particle],
            "ice_present": False,
            "size": (SIZE, SIZE),
            "pixel_size": PIXEL,
            "interpolation": "fine",
            "preset": "ideal",
            "dose_e_per_a2": DOSE,
            "cache": str(folder / "cache"),
            "slice_thickness_nm": 2.0,
            **MICROSCOPE,
            **settings,
        },
    )
    return made.items[0]


def read_micrograph(folder: Path) -> Image:
    """Read a micrograph and its ``particles.star``."""
    tables = relion.read_tables(folder / "particles.star")
    group, table = tables["optics"], tables["particles"]
    n = len(table["CoordinateX"])
    pixel = float(group["MicrographPixelSize"][0])
    contrast = read_contrast(folder)[0]
    x, y = (
        (relion.numbers(table, f"Coordinate{axis}") - side // 2) * pixel
        - relion.numbers(table, f"Origin{axis}Angst", 0.0)
        for axis, side in zip("XY", contrast.shape[::-1], strict=True)
    )
    return Image(
        contrast,
        tuple(relion.optics_of(group, table, row) for row in range(n)),
        np.stack([x, y, np.zeros(n)], -1),
        _orientations(table),
    )


def read_tilt_series(folder: Path) -> list[Image]:
    """Read a tilt series and its three STAR files, as RELION 5 understands them."""
    (row,) = relion.read_tables(folder / "tomograms.star").values()
    series = folder / Path(row["TomoTiltSeriesStarFile"][0]).name
    (tilts,) = relion.read_tables(series).values()
    tables = relion.read_tables(folder / "particles.star")
    table, group = tables["particles"], {**tables["optics"], **row}
    places = np.stack(
        [
            relion.numbers(table, f"CenteredCoordinate{axis}Angst")
            - relion.numbers(table, f"Origin{axis}Angst", 0.0)
            for axis in "XYZ"
        ],
        -1,
    )
    rotations = _orientations(table)
    hand = float(row["TomoHand"][0])
    images = []
    for i, contrast in enumerate(read_contrast(folder)):
        sample = relion.tilt_rotation(
            *(relion.numbers(tilts, f"Tomo{each}")[i] for each in ("XTilt", "YTilt", "ZRot"))
        )
        seen = places @ sample.T
        seen[:, :2] += [relion.numbers(tilts, f"Tomo{a}ShiftAngst")[i] for a in "XY"]
        base = relion.optics_of(group, tilts, i)
        optics = tuple(
            base._replace(defocus_u=base.defocus_u + hand * z, defocus_v=base.defocus_v + hand * z)
            for z in seen[:, 2]
        )
        images.append(Image(contrast, optics, seen, sample @ rotations))
    return images


def _orientations(table: relion.Table) -> Array:  # (n, 3, 3)
    """Rotations of the copies, reference to image."""
    angles = np.stack(
        [relion.numbers(table, f"Angle{each}") for each in ("Rot", "Tilt", "Psi")], -1
    )
    return np.stack([relion.particle_rotation(*each) for each in angles])


def read_contrast(folder: Path) -> Array:  # (n, y, x)
    """Read noise-free images relative to the dose, minus 1."""
    path = next(iter(sorted(folder.glob("noise_free*"))))
    with mrcfile.open(path) as mrc:
        images = np.array(mrc.data, dtype=float)
    images = images.reshape(-1, *images.shape[-2:])
    return images / (DOSE * PIXEL**2) - 1


def model(image: Image, centers: Array = CENTERS) -> Array:  # (y, x)
    """RELION's image of the weak object from what its files say."""
    sides = image.contrast.shape
    padded = 2 * max(sides)  # the fringes of one copy do not come in again on the other side
    q = np.fft.fftfreq(padded, PIXEL)
    qy, qx = q[:, None], q[None, :]
    q2 = qx**2 + qy**2
    shape = (2 * math.pi) ** 1.5 * WIDTH**3 * np.exp(-2 * (math.pi * WIDTH) ** 2 * q2) * HEIGHT
    spectrum = np.zeros((padded, padded), dtype=complex)
    middle = padded // 2 * PIXEL
    for optics, place, rotation in zip(image.optics, image.places, image.rotations, strict=True):
        points = (centers @ rotation.T)[:, :2] + place[:2] + middle
        waves = np.zeros_like(spectrum)
        for weight, (x, y) in zip(WEIGHTS, points, strict=True):
            waves += weight * np.exp(-2j * math.pi * qy * y) * np.exp(-2j * math.pi * qx * x)
        constant = 2 * interaction_constant(optics.voltage_kv)
        spectrum += constant * waves * shape * relion.transfer(optics, qy, qx) / PIXEL**2
    full = np.fft.ifft2(spectrum).real
    inside = tuple(slice(padded // 2 - n // 2, padded // 2 - n // 2 + n) for n in sides)
    return full[inside]


def interaction_constant(voltage_kv: float) -> float:
    """σ = 2π/(λE) (mc² + E)/(2mc² + E) in rad/(V Å), Kirkland's eq. 5.6."""
    rest = 510.99895
    ratio = (rest + voltage_kv) / (2 * rest + voltage_kv)
    return 2 * math.pi / (relion.wavelength(voltage_kv) * 1e3 * voltage_kv) * ratio


def correlation(a: Array, b: Array) -> float:
    """Pearson's correlation."""
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def shift(a: Array, b: Array) -> float:
    """Distance in pixels by which b must move to fit a best, by the phases of low frequencies."""
    cross = np.fft.fft2(a) * np.conj(np.fft.fft2(b))
    qy, qx = np.fft.fftfreq(a.shape[0])[:, None], np.fft.fftfreq(a.shape[1])[None, :]
    weight = np.abs(cross) * (np.hypot(qx, qy) < 0.2)
    gram = np.array([[(weight * u * v).sum() for v in (qy, qx)] for u in (qy, qx)])
    phase = np.angle(cross) * weight
    found = np.linalg.solve(gram, [(phase * qy).sum(), (phase * qx).sum()]) / (-2 * math.pi)
    return float(np.hypot(*found))
