"""The lens against published formulas, over the whole band."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from difftem.modules import Beam, Lens
from experiments.conformance import relion
from experiments.conformance.check import Check
from experiments.conformance.relion import Array, Optics

PIXEL, SIZE, KILOVOLTS, CS_MM, DEFOCUS_UM = 1.0, 128, 300.0, 2.7, 0.6
FAINT = 1e-5  # contrast of the object, so that its square does not count
WITHOUT_ENVELOPES = {"energy_spread_ev": 0.0, "source_semiangle_mrad": 0.0, "cs_mm": CS_MM}


def checks() -> Iterator[Check]:
    """Run all checks."""
    defocus = 1e4 * DEFOCUS_UM
    plain = Optics(KILOVOLTS, CS_MM, 0.0, defocus, defocus, 0.0)
    astigmatic = plain._replace(
        defocus_u=defocus + 900, defocus_v=defocus - 900, defocus_angle=35.0
    )
    cases: dict[str, tuple[Optics, dict[str, Any]]] = {
        "plain": (plain, {}),
        "astigmatism": (
            astigmatic,
            {"astigmatism_um": 0.09, "astigmatism_angle_deg": 35.0},
        ),
        "phase plate 60°": (
            plain._replace(phase_shift=60.0),
            {"phase_shift": math.radians(60), "phase_plate_cut_on": 1e-6},
        ),
    }
    for name, (optics, settings) in cases.items():
        got = _transfer_of(
            Lens(PIXEL, DEFOCUS_UM, **WITHOUT_ENVELOPES, **settings), Beam(KILOVOLTS)
        )
        expected = relion.transfer(optics, *_frequencies())
        yield Check(
            "contrast transfer",
            f"{name}: largest difference",
            "Rohou & Grigorieff, eq. 2-5",
            float(np.abs(got - expected)[_band()].max()),
            0.0,
            1e-3,
        )
    tilt = (1.0, -0.5)
    got = _transfer_of(Lens(PIXEL, DEFOCUS_UM, **WITHOUT_ENVELOPES), Beam(KILOVOLTS, tilt))
    yield Check(
        "contrast transfer",
        "beam tilt (1, -0.5) mrad: largest difference",
        "aberration function about the tilted axis",
        float(np.abs(got - _tilted_transfer(tilt))[_band()].max()),
        0.0,
        1e-3,
    )


def _tilted_transfer(tilt_mrad: tuple[float, float]) -> Array:
    """Contrast transfer of a weak object under a tilted beam, from χ alone."""
    wave, (qy, qx) = relion.wavelength(KILOVOLTS), _frequencies()

    def chi(sign: int) -> Array:
        tx, ty = (1e-3 * each for each in tilt_mrad)
        theta2 = (sign * wave * qx + tx) ** 2 + (sign * wave * qy + ty) ** 2
        total: Array = -1e4 * DEFOCUS_UM * theta2 / 2 + 1e7 * CS_MM * theta2**2 / 4
        return 2 * math.pi / wave * total

    at_rest = (chi(1) * 0)[..., :1, :1] + chi(0)
    plus, minus = np.exp(-1j * (chi(1) - at_rest)), np.exp(1j * (chi(-1) - at_rest))
    transfer: Array = 0.5j * (plus - minus)
    return transfer


def _transfer_of(lens: Lens, beam: Beam) -> Array:
    """Contrast of a faint phase object per twice its phase, at every frequency."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.fft.fft2(torch.randn(SIZE, SIZE, generator=generator, dtype=torch.float64))
    phase = FAINT * torch.fft.ifft2(noise / noise.abs()).real * SIZE  # as much at all frequencies
    with torch.no_grad():
        image = lens.double()(torch.exp(1j * phase), beam.double(), 0.0)
        contrast = torch.fft.fft2(image.abs() ** 2 - 1) / torch.fft.fft2(2 * phase)
    return contrast.numpy()


def _frequencies() -> tuple[Array, Array]:
    q = np.fft.fftfreq(SIZE, PIXEL)
    return q[:, None], q[None, :]


def _band() -> Array:
    """Where waves are not cut: two thirds of the Nyquist frequency, without the origin."""
    qy, qx = _frequencies()
    radius = np.hypot(qy, qx)
    inside: Array = (radius > 0) & (radius < 2 / 3 * 0.5 / PIXEL * 0.95)
    return inside
