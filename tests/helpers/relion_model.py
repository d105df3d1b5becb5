"""RELION's model of an image, typed from its papers: what its tables of particles predict."""

import math
from dataclasses import dataclass

import numpy as np

from difftem.io.star import read_star

# A chiral cloud of Gaussians: places and widths in Å, weights in V Å³.
PLACES = np.array(
    [[0.0, 0, 0], [22, 4, -6], [-8, 26, 10], [12, -18, 20], [-24, -10, -16], [5, 12, 30]]
)
WEIGHTS = np.array([900.0, 600, 500, 700, 400, 800])
WIDTH = 2.0


def cloud_map(n=72, voxel=1.25):
    """The cloud as a map in V, its origin at voxel n // 2."""
    axis = (np.arange(n) - n // 2) * voxel
    z, y, x = np.meshgrid(axis, axis, axis, indexing="ij")
    total = np.zeros((n, n, n))
    for place, weight in zip(PLACES, WEIGHTS, strict=True):
        squared = (x - place[0]) ** 2 + (y - place[1]) ** 2 + (z - place[2]) ** 2
        total += weight * np.exp(-squared / (2 * WIDTH**2)) / (2 * np.pi * WIDTH**2) ** 1.5
    return total


def zernike(name, cell, k, azimuth):
    """Sum of one list; Zivanov, Nakane & Scheres (2020), polynomials of Born & Wolf."""
    values = [float(value) for value in cell.strip("[]").split(",")]
    total, n, i = 0.0, 1 if name == "odd" else 0, 0
    while i < len(values):
        for m in range(-n, n + 1, 2):
            radial = sum(
                (-1) ** s
                * math.factorial(n - s)
                / math.factorial(s)
                / math.factorial((n + abs(m)) // 2 - s)
                / math.factorial((n - abs(m)) // 2 - s)
                * k ** (n - 2 * s)
                for s in range((n - abs(m)) // 2 + 1)
            )
            turn = np.cos(m * azimuth) if m >= 0 else np.sin(-m * azimuth)
            total = total + (values[i] if i < len(values) else 0.0) * radial * turn
            i += 1
        n += 2
    return total


def about(axis, degrees):
    """Right-handed active rotation."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array(
        [[c, -s, 0], [s, c, 0], [0, 0, 1]] if axis == "z" else [[c, 0, s], [0, 1, 0], [-s, 0, c]]
    )


@dataclass
class Row:
    """Numbers of one particle and its optics group, missing ones 0."""

    numbers: dict

    def __getitem__(self, name):
        value = self.numbers.get(name, "0")
        return value if value.startswith("[") else float(value)


def rows(path):
    """Rows of a table of particles, joined with their optics group."""
    tables = read_star(path)
    groups = dict(enumerate(tables["optics"]["rlnOpticsGroup"]))
    particles = tables["particles"]
    for cells in zip(*particles.values(), strict=True):
        row = dict(zip(particles, cells, strict=True))
        (group,) = (i for i, name in groups.items() if name == row["rlnOpticsGroup"])
        optics = {name: column[group] for name, column in tables["optics"].items()}
        yield Row({**optics, **row})


def grid(shape, pixel):
    """Spatial frequencies ky, kx in 1/Å."""
    ky, kx = (np.fft.fftfreq(n, pixel) for n in shape)
    return np.meshgrid(ky, kx, indexing="ij")


def transfer(row, shape):
    """Transfer function exp(iφ) (-sin γ) of a row.

    γ after Rohou & Grigorieff (2015) and Zivanov et al. (2020), negative for black particles.
    """
    ky, kx = grid(shape, row["rlnMicrographPixelSize"])
    k, azimuth = np.hypot(ky, kx), np.arctan2(ky, kx)
    volts = 1e3 * row["rlnVoltage"]
    wavelength = 12.2643247 / math.sqrt(volts * (1 + 0.978466e-6 * volts))
    u, v = row["rlnDefocusU"], row["rlnDefocusV"]
    angle = math.radians(row["rlnDefocusAngle"])
    defocus = (u + v) / 2 + (u - v) / 2 * np.cos(2 * (azimuth - angle))
    cs = 1e7 * row["rlnSphericalAberration"]
    gamma = -np.pi * wavelength * defocus * k**2 + np.pi / 2 * cs * wavelength**3 * k**4
    gamma -= math.radians(row["rlnPhaseShift"]) + math.asin(row["rlnAmplitudeContrast"])
    tilt = [1e-3 * row[f"rlnBeamTilt{axis}"] for axis in "XY"]
    phase = -2 * np.pi * cs * wavelength**2 * k**2 * (kx * tilt[0] + ky * tilt[1])
    for name, column in (("odd", "rlnOddZernike"), ("even", "rlnEvenZernike")):
        if column in row.numbers:
            extra = zernike(name, row[column], k, azimuth)
            phase, gamma = (phase + extra, gamma) if name == "odd" else (phase, gamma + extra)
    return np.exp(1j * phase) * -np.sin(gamma)


def predicted(row, shape):
    """Image of the cloud as a row of a table of particles has it, in the micrograph's pixels."""
    pixel = row["rlnMicrographPixelSize"]
    ky, kx = grid(shape, pixel)
    # Heymann, Chagoyen & Belnap (2005): each angle turns the frame.
    rot, tilt, psi = (row[f"rlnAngle{name}"] for name in ("Rot", "Tilt", "Psi"))
    places = PLACES @ (about("z", -psi) @ about("y", -tilt) @ about("z", -rot)).T
    x = row["rlnCoordinateX"] - row["rlnOriginXAngst"] / pixel
    y = row["rlnCoordinateY"] - row["rlnOriginYAngst"] / pixel
    spectrum = 0.0
    for place, weight in zip(places, WEIGHTS, strict=True):
        ramp = kx * (place[0] + x * pixel) + ky * (place[1] + y * pixel)
        spectrum = spectrum + weight * np.exp(-2j * np.pi * ramp)
    spectrum = spectrum * np.exp(-2 * (np.pi * WIDTH) ** 2 * (kx**2 + ky**2))
    return np.fft.ifft2(-spectrum * transfer(row, shape)).real


def correlation(a, b):
    """Correlation coefficient of two images."""
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def displacement(image, model):
    """How far, in pixels along x and y, an image lies from a model: least squares on its slope."""
    gy, gx = np.gradient(model)
    scale = (image * model).sum() / (model * model).sum()
    difference = (image / scale - model).ravel()
    slope = -np.stack([gx.ravel(), gy.ravel()], 1)
    return np.linalg.lstsq(slope, difference, rcond=None)[0]
