"""RELION's model of an image, typed from the papers, in numpy: nothing of difftem is used.

References
----------
Rohou & Grigorieff, J. Struct. Biol. 192 (2015) 216: contrast transfer function.
Heymann, Chagoyen & Belnap, J. Struct. Biol. 151 (2005) 196: Euler angles.
Zivanov, Nakane & Scheres, IUCrJ 7 (2020) 253: beam tilt, Zernike polynomials.
Burt et al., FEBS Open Bio 14 (2024) 1788: tilt series.
"""

import math
from pathlib import Path
from typing import NamedTuple

import gemmi
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Table = dict[str, list[str]]


class Optics(NamedTuple):
    """Of one image, in RELION's units."""

    voltage_kv: float
    cs_mm: float
    amplitude_contrast: float
    defocus_u: float  # Å
    defocus_v: float  # Å
    defocus_angle: float  # degrees
    phase_shift: float = 0.0  # degrees
    beam_tilt_mrad: tuple[float, float] = (0.0, 0.0)
    odd_zernike: tuple[float, ...] = ()
    even_zernike: tuple[float, ...] = ()


def read_tables(path: Path) -> dict[str, Table]:
    """Read every table of a STAR file by its block's name."""
    tables: dict[str, Table] = {}
    for block in gemmi.cif.read(str(path)):
        table: Table = {}
        for item in block:
            if item.pair is not None:
                table[item.pair[0]] = [gemmi.cif.as_string(item.pair[1])]
            elif item.loop is not None:
                for tag in item.loop.tags:
                    table[tag] = [gemmi.cif.as_string(cell) for cell in block.find_loop(tag)]
        tables[block.name] = {tag.removeprefix("_rln"): cells for tag, cells in table.items()}
    return tables


def numbers(table: Table, name: str, default: float | None = None) -> Array:
    """Take a column as numbers; a missing one is its default in every row."""
    if name not in table and default is not None:
        return np.full(len(next(iter(table.values()))), default)
    return np.array(table[name], dtype=float)


def optics_of(group: Table, image: Table, row: int) -> Optics:
    """Optics of one row of particles, micrographs or tilts."""
    both = {name: cells[0] for name, cells in group.items()} | {
        name: cells[row] for name, cells in image.items()
    }

    def value(name: str) -> float:
        return float(both.get(name, 0.0))

    def series(name: str) -> tuple[float, ...]:
        return tuple(float(cell) for cell in both.get(name, "[]").strip("[]").split(",") if cell)

    return Optics(
        value("Voltage"),
        value("SphericalAberration"),
        value("AmplitudeContrast"),
        value("DefocusU"),
        value("DefocusV"),
        value("DefocusAngle"),
        value("PhaseShift"),
        (value("BeamTiltX"), value("BeamTiltY")),
        series("OddZernike"),
        series("EvenZernike"),
    )


def wavelength(voltage_kv: float) -> float:
    """Relativistic wavelength in Å."""
    volts = 1e3 * voltage_kv
    return 12.2642596 / math.sqrt(volts * (1 + 0.978475598e-6 * volts))


def transfer(optics: Optics, qy: Array, qx: Array) -> NDArray[np.complex128]:
    """Contrast of a weak object per contrast of its projection: minus is dark.

    The symmetrical part is -sin(πλΔf q² - ½πCsλ³q⁴ + phase shift + asin(w)); even Zernike
    polynomials take from its argument, beam tilt and odd ones turn the phase of the image.
    """
    wave, q2 = wavelength(optics.voltage_kv), qx**2 + qy**2
    azimuth = np.arctan2(qy, qx)
    mean = (optics.defocus_u + optics.defocus_v) / 2
    half = (optics.defocus_u - optics.defocus_v) / 2
    defocus = mean + half * np.cos(2 * (azimuth - math.radians(optics.defocus_angle)))
    cs = 1e7 * optics.cs_mm
    argument = math.pi * wave * defocus * q2 - math.pi / 2 * cs * wave**3 * q2**2
    argument = argument + math.radians(optics.phase_shift) + math.asin(optics.amplitude_contrast)
    argument = argument - _zernike_sum(optics.even_zernike, 0, q2, azimuth)
    tilt_x, tilt_y = (1e-3 * each for each in optics.beam_tilt_mrad)
    odd = -2 * math.pi * cs * wave**2 * q2 * (qx * tilt_x + qy * tilt_y)
    odd = odd + _zernike_sum(optics.odd_zernike, 1, q2, azimuth)
    turned: NDArray[np.complex128] = -np.sin(argument) * np.exp(1j * odd)
    return turned


def _zernike_sum(coefficients: tuple[float, ...], parity: int, q2: Array, azimuth: Array) -> Array:
    """Sum Zernike polynomials of one parity, in the order of n, then of m; radius q in 1/Å."""
    total = np.zeros(np.broadcast_shapes(q2.shape, azimuth.shape))
    n = m = parity
    m = -n
    for coefficient in coefficients:
        if coefficient:
            angular = np.cos(m * azimuth) if m >= 0 else np.sin(-m * azimuth)
            total = total + coefficient * _zernike_radial(n, abs(m), q2) * angular
        m += 2
        if m > n:
            n += 2
            m = -n
    return total


def _zernike_radial(n: int, m: int, q2: Array) -> Array:
    """Radial polynomial of Zernike."""
    total = np.zeros_like(q2)
    for k in range((n - m) // 2 + 1):
        factorials = (
            math.factorial(k) * math.factorial((n + m) // 2 - k) * math.factorial((n - m) // 2 - k)
        )
        weight = (-1) ** k * math.factorial(n - k) / factorials
        total = total + weight * q2 ** ((n - 2 * k) / 2)
    return total


def particle_rotation(rot: float, tilt: float, psi: float) -> Array:  # (3, 3)
    """Euler matrix, reference to image: about z, the new y, the new z; degrees."""
    a, b, g = (math.radians(angle) for angle in (rot, tilt, psi))
    ca, cb, cg, sa, sb, sg = (*map(math.cos, (a, b, g)), *map(math.sin, (a, b, g)))
    return np.array(
        [
            [cg * cb * ca - sg * sa, cg * cb * sa + sg * ca, -cg * sb],
            [-sg * cb * ca - cg * sa, -sg * cb * sa + cg * ca, sg * sb],
            [sb * ca, sb * sa, cb],
        ]
    )


def tilt_rotation(x_tilt: float, y_tilt: float, z_rot: float) -> Array:  # (3, 3)
    """Rz(ZRot) Ry(YTilt) Rx(XTilt), sample to microscope; degrees."""
    a, b, c = (math.radians(angle) for angle in (x_tilt, y_tilt, z_rot))
    about_x = [[1, 0, 0], [0, math.cos(a), -math.sin(a)], [0, math.sin(a), math.cos(a)]]
    about_y = [[math.cos(b), 0, math.sin(b)], [0, 1, 0], [-math.sin(b), 0, math.cos(b)]]
    about_z = [[math.cos(c), -math.sin(c), 0], [math.sin(c), math.cos(c), 0], [0, 0, 1]]
    turned: Array = np.array(about_z) @ np.array(about_y) @ np.array(about_x)
    return turned
