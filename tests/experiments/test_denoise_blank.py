"""Blank images, and the specks that are counted in them."""

import pytest
import torch

from experiments.denoise_blank.run import blank, table, visible_specks

CONFIG = {
    "cameras": {"k2_300kv": [34.7, 0.854]},
    "size": 64,
    "defocus_um": 1.5,
    "ice_thickness_nm": 20,
    "methods": ["wiener"],
}


def test_regions_that_stand_out_are_counted_and_noise_is_not(generator):
    image = torch.randn(128, 128, generator=generator).clamp(-3, 3)
    assert visible_specks(image, 4.0) == 0
    image[20:24, 30:34], image[90, 7] = 6.0, -6.0
    assert visible_specks(image, 4.0) == 2


def test_a_vacuum_has_the_noise_of_its_electrons_and_ice_takes_some_away():
    vacuum, ice = (blank(what, "k2_300kv", 0, CONFIG) for what in ("vacuum", "ice"))
    assert float(vacuum.var()) == pytest.approx(float(vacuum.mean()), rel=0.1)
    assert float(vacuum.mean()) < 34.7
    assert 0.9 < float(ice.mean() / vacuum.mean()) < 0.98


def test_the_table_has_means_over_seeds():
    rows = [
        {"camera": "k2_300kv", "blank": what, "method": "wiener", "before": n, "after": n / 10}
        for what in ("vacuum", "ice")
        for n in (2.0, 4.0)
    ]
    assert "| wiener   | k2_300kv | vacuum  | 3.0 ± 1.4" in table(rows, CONFIG)
