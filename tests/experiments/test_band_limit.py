import pytest

from experiments.band_limit import run


def test_vibrating_atoms_need_no_wider_band_and_atoms_at_rest_do(monkeypatch):
    monkeypatch.setattr(run, "N", 64)
    monkeypatch.setattr(run, "FINER", 4)
    errors = {}
    for b_factor in (0.0, 20.0):
        atoms = run.specimen(6, b_factor)
        truth = run.spectrum(atoms, 4, 0.9, 0.9, False)
        scattered = truth.clone()
        scattered[0, 0] -= 1
        for band in (2 / 3, 0.95):
            wave = run.spectrum(atoms, 1, band, run.WAVE_BAND, False)
            errors[b_factor, band] = float((wave - truth).norm() / scattered.norm())
    assert errors[20.0, 2 / 3] < 1e-4
    assert errors[0.0, 0.95] < errors[0.0, 2 / 3]
    assert errors[0.0, 2 / 3] == pytest.approx(4e-3, rel=0.9)
