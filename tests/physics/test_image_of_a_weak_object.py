import math

import pytest
import torch

from difftem.modules import (
    Beam,
    Detector,
    Dose,
    ExitWave,
    Lens,
    Multislice,
    Potential,
    Simulator,
)
from tests.helpers.specimen import quantities, random_atoms, relative_rms

SHAPE, PIXEL = (48, 45), 0.7


@pytest.mark.parametrize("defocus", [-0.1, 0.05, 0.4])
def test_image_of_a_weak_phase_object_is_the_ctf_times_its_projected_potential(defocus):
    # From the formula of docs/explanation/conventions.md: -2 σ v sin(πλΔf q² - ½πCs λ³ q⁴).
    atoms = random_atoms(30, (28.0, 28.0, 1.0), (6, 7, 8), (40.0, 40.0))
    lens = Lens(PIXEL, **quantities(defocus_um=defocus, cs_mm=1.2, cc_mm=2.0, energy_spread_ev=0.8))
    one = Simulator(
        Potential(atoms, SHAPE, PIXEL, 1, 2.0),
        Multislice(PIXEL, 2.0),
        lens,
        Dose(1.0, PIXEL),
        Detector(),
        Beam(200.0),
    ).double()
    weak = 1e-3
    v = weak * one.specimen()
    with torch.no_grad():
        wave = one.multislice(v, one.beam)
        _, image = one.image(ExitWave(wave, one.multislice.wave_height([0.0]), None))
    lam, sigma = 0.025079340450548, 7.288401041e-4
    qy, qx = (torch.fft.fftfreq(n, PIXEL, dtype=torch.float64) for n in SHAPE)
    q2 = qy[:, None] ** 2 + qx**2
    gamma = math.pi * lam * defocus * 1e4 * q2 - 0.5 * math.pi * 1.2e7 * lam**3 * q2**2
    gamma_ratio = 1 + 200e3 / 510998.95
    spread = 2e7 * 0.8 / (200e3 * (1 + gamma_ratio) / 2 / gamma_ratio)
    envelope = torch.exp(-0.5 * (math.pi * lam * spread * q2) ** 2)
    ctf = -2 * torch.sin(gamma) * envelope
    expected = torch.fft.ifft2(torch.fft.fft2(sigma * v[0]) * ctf).real
    assert expected.abs().max() > 1e-5
    assert relative_rms(image - 1, expected) < 2e-3
