"""The colour of noise from presets and files."""

import pytest
import torch

from difftem.io.errors import InputError
from difftem.io.star import write_mtf_star
from difftem.micrograph.told_noise import noise_transfer


def test_counting_presets_are_white_and_others_have_their_curve():
    assert float(noise_transfer("k3_300kv").value.min()) == 1.0
    assert float(noise_transfer("falcon3ec_300kv").value[-1]) == pytest.approx(0.147, abs=0.003)


def test_a_star_file_is_read_in_cycles_per_pixel_or_fractions_of_nyquist(tmp_path):
    path = tmp_path / "camera.star"
    q = torch.linspace(0, 0.5, 11)
    write_mtf_star(path, q.numpy(), (1 - q).numpy())
    told = noise_transfer(path)
    assert told.source == "curve camera.star"
    assert float(told.frequency[-1]) == 0.5
    assert float(noise_transfer(path, nyquist=1.0).frequency[-1]) == 0.25


def test_unknown_names_and_missing_files_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"k3_300kv.*got 'k4'"):
        noise_transfer("k4")
    with pytest.raises(InputError, match=r"none\.star"):
        noise_transfer(tmp_path / "none.star")
