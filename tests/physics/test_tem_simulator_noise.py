"""Noise of TEM-simulator's detector, from its input file to the images."""

import math

import mrcfile
import numpy as np
import pytest

from difftem.cli.main import main
from tests.helpers.tem_simulator import INPUT, NOISY


def test_noise_of_every_frequency_is_that_of_dose_dqe_gain_and_mtf(tmp_path):
    """An even field, counted: the spectrum is gain² λ / DQE times MTF², ring by ring.

    Poisson counts n have the variance λ; the inverse Gaussian adds (1/DQE - 1) n to it.
    """
    start, end = INPUT.index("=== particle blob"), INPUT.index("=== geometry")
    text = INPUT[:start] + INPUT[end:] + NOISY
    flat = [("thickness_edge = 60", "thickness_edge = 40"), ("padding = 4", "padding = 0")]
    size = [("det_pix_x = 64", "det_pix_x = 128"), ("det_pix_y = 48", "det_pix_y = 96")]
    series = [("ntilts = 2", "ntilts = 12"), ("theta_incr = 10", "theta_incr = 0")]
    for old, new in (*flat, *size, *series):
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "input.txt").write_text(text)
    assert main(["simulate", str(tmp_path / "input.txt")]) == 0
    clean, noisy = (mrcfile.read(tmp_path / f"{n}.mrc").astype(float) for n in ("clean", "noisy"))
    assert clean.std() < 1e-5 * clean.mean()
    gain, dqe, mean = 10.0, 0.4, clean.mean()
    ny, nx = clean.shape[1:]
    power = (np.abs(np.fft.fft2(noisy - mean)) ** 2).mean(0) / (ny * nx)
    qy, qx = np.meshgrid(np.fft.fftfreq(ny), np.fft.fftfreq(nx), indexing="ij")
    q2 = qx**2 + qy**2
    mtf = 0.7 / (1 + 10 * q2) + 0.2 / (1 + 40 * q2) + 0.1
    ratio = power / (gain**2 * (mean / gain) / dqe * mtf**2)
    rings = (np.sqrt(q2) / 0.05).astype(int)
    deviations = []
    for ring in range(rings.max() + 1):
        inside = ratio[rings == ring]
        freedom = len(inside) * len(noisy)  # a real image has every coefficient twice
        deviations.append((inside.mean() - 1) / math.sqrt(2 / freedom))
    assert max(map(abs, deviations)) < 4
    chi2, n = sum(z**2 for z in deviations), len(deviations)
    assert chi2 < n + 4 * math.sqrt(2 * n)
    # And it is not that of counts alone.
    assert np.mean(ratio) == pytest.approx(1, abs=0.02)
