"""Truth files against the images they belong to, through `difftem generate`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from experiments.conformance import scenes
from experiments.conformance.check import Check
from experiments.conformance.relion import Array
from experiments.conformance.scenes import Image

FORMULA = "RELION's model from the STAR files"
# Each is what the plain microscope is changed by.
MICROSCOPES: dict[str, dict[str, Any]] = {
    "plain": {},
    "astigmatism 0.15 µm at 35°": {"astigmatism_um": 0.15, "astigmatism_angle_deg": 35.0},
    "amplitude contrast 0.1": {"amplitude_contrast": 0.1},
    "phase plate 90°": {"phase_shift_deg": 90.0},
    "beam tilt (1, -0.5) mrad": {"beam_tilt_mrad": (1.0, -0.5)},
    "C12a -1000 Å, C21a 3000 Å": {"aberrations": {"C12a": -1000.0, "C21a": 3000.0}},
    "C10, C23b, C30, C34a": {
        "aberrations": {"C10": -800.0, "C23b": 4000.0, "C30": 5e6, "C34a": 8e6}
    },
}
ALL = {
    "astigmatism_um": 0.1,
    "astigmatism_angle_deg": -20.0,
    "amplitude_contrast": 0.08,
    "phase_shift_deg": 40.0,
    "beam_tilt_mrad": (-0.6, 0.9),
    "aberrations": {"C12b": 700.0, "C21b": -2500.0, "C23a": 3000.0, "C34b": 8e6},
}
SERIES = {"tilts_deg": [-50.0, 0.0, 35.0], "tilt_axis_deg": 85.0}


def checks(folder: Path) -> Iterator[Check]:
    """Run all checks, with files in a folder."""
    together = {
        "all of these together": ALL,
        "the same at 100 kV": {**ALL, "voltage_kv": 100.0},
        "the same in 193 x 161 pixels": {**ALL, "size": (193, 161)},
    }
    for name, changes in {**MICROSCOPES, **together}.items():
        image = scenes.read_micrograph(scenes.take(folder, _word(name), **changes))
        expected = scenes.model(image)
        yield Check(
            "truth files", f"{name}: correlation", FORMULA, _fit(image, expected), 1.0, 1e-3
        )
        yield Check(
            "truth files",
            f"{name}: coordinates off by",
            FORMULA,
            scenes.shift(image.contrast, expected),
            0.0,
            0.05,
            "px",
        )
        if name == "plain":
            yield from _poses(image, expected)
    yield from _series(folder)


def _poses(image: Image, expected: Array) -> Iterator[Check]:
    """Scale and handedness: variants must fail by far."""
    slope = float((image.contrast * expected).sum() / (expected * expected).sum())
    truth = "2σ x projected potential x CTF"
    yield Check("absolute scale", "contrast of a weak object, ratio", truth, slope, 1.0, 5e-3)
    angles = "Euler angles of Heymann et al."
    variants = {
        "mirrored object: correlation must be low": scenes.model(
            image, scenes.CENTERS * [-1, 1, 1]
        ),
        "inverted rotations: correlation must be low": scenes.model(
            image._replace(rotations=image.rotations.transpose(0, 2, 1))
        ),
    }
    for what, variant in variants.items():
        yield Check("poses", what, angles, _fit(image, variant), 0.0, 0.6)


def _series(folder: Path) -> Iterator[Check]:
    """Tilt matrices, shifts and the hand of the defocus."""
    made = scenes.take(folder, "series", shift_error=8.0, rotation_error_deg=1.0, **SERIES)
    images = scenes.read_tilt_series(made)
    truth = "RELION 5's tilt matrices and shifts"
    good = min(_fit(image, scenes.model(image)) for image in images)
    yield Check("tilt series", "correlation, lowest of 3 tilts", truth, good, 1.0, 1e-3)
    mirrored = max(_fit(i, scenes.model(i, scenes.CENTERS * [-1, 1, 1])) for i in images)
    yield Check(
        "tilt series", "mirrored object: correlation must be low", truth, mirrored, 0.0, 0.6
    )
    off = max(scenes.shift(image.contrast, scenes.model(image)) for image in images)
    yield Check("tilt series", "coordinates off by", truth, off, 0.0, 0.05, "px")
    made = scenes.take(folder, "every", shift_error=8.0, tilt_error_deg=0.5, **ALL, **SERIES)
    images = scenes.read_tilt_series(made)
    every = "every aberration, phase plate and beam tilt"
    good = min(_fit(image, scenes.model(image)) for image in images)
    yield Check("tilt series", f"{every}: correlation", truth, good, 1.0, 1e-3)
    off = max(scenes.shift(image.contrast, scenes.model(image)) for image in images)
    yield Check("tilt series", f"{every}: coordinates off by", truth, off, 0.0, 0.05, "px")
    wide = scenes.take(folder, "wide", spread=1.6, size=(320, 320), tilts_deg=[55.0, -55.0])
    hands = [_hand(image) for image in scenes.read_tilt_series(wide)]
    for tilt, hand in zip((55, -55), hands, strict=True):
        what = f"rlnTomoHand that fits best at {tilt}°"
        yield Check("tilt series", what, "depth of each copy added to its defocus", hand, 1.0, 0.1)


def _hand(image: Image) -> float:
    """Factor of the depths with which the model fits best."""
    fits = []
    for factor in (0.5, 1.0, 1.5):
        optics = tuple(
            each._replace(defocus_u=each.defocus_u + change, defocus_v=each.defocus_v + change)
            for each, change in zip(image.optics, (factor - 1) * image.places[:, 2], strict=True)
        )
        fits.append(_fit(image, scenes.model(image._replace(optics=optics))))
    low, middle, high = fits
    return 1 + 0.25 * (low - high) / (low - 2 * middle + high)  # top of the parabola


def _fit(image: Image, expected: Array) -> float:
    return scenes.correlation(image.contrast, expected)


def _word(name: str) -> str:
    return "".join(each if each.isalnum() else "_" for each in name)
