"""One thing at a time that training never saw."""

import math

import pytest
import torch

from experiments.denoise_generalise import run
from experiments.denoise_generalise.images import (
    all_settings,
    denoised_with_error,
    scene_of,
    with_read_noise,
    wrong_whitening,
)
from experiments.denoise_simulated.images import NoisyImage

CONFIG = run.read_config()


def test_each_axis_holds_its_base_and_something_that_training_never_saw():
    for axis, values in CONFIG["axes"].items():
        assert CONFIG["base"][axis] in values
        unseen = {*CONFIG["unseen"][axis]}
        assert unseen and unseen <= {*values}
        assert CONFIG["units"].keys() == CONFIG["axes"].keys()
    for axis, value, setting in all_settings(CONFIG):
        assert setting[axis] == value
        assert all(setting[k] == v for k, v in CONFIG["base"].items() if k != axis)
    assert len(CONFIG["seeds"]) >= 5


def test_the_field_is_covered_alike_whatever_the_pixel(tmp_path):
    (tmp_path / "6vxx.pdb.gz").touch()
    numbers = {}
    for pixel in (1.0, 1.6, 4.0):
        scene = scene_of(CONFIG["base"] | {"pixel_size": pixel}, CONFIG, tmp_path)
        numbers[pixel] = scene.number
    assert numbers[4.0] / numbers[1.6] == pytest.approx((4 / 1.6) ** 2, rel=0.3)
    assert scene_of(CONFIG["base"] | {"kind": "TMV"}, CONFIG, tmp_path) is None


def test_readout_keeps_the_variance_and_lowers_the_signal(generator):
    truth = torch.randn(256, 256, generator=generator)
    noise = torch.randn(256, 256, generator=generator)
    found = with_read_noise(NoisyImage(truth + noise, truth, truth, 20.0), 2.0, seed=0)
    assert float((found.values - found.truth).var()) == pytest.approx(1, rel=0.02)
    assert found.electrons == pytest.approx(20 / 5)
    torch.testing.assert_close(found.truth, truth / math.sqrt(5))


def test_a_wrong_curve_is_undone_and_its_noise_is_as_strong_as_it_says(generator):
    noise = torch.randn(128, 128, generator=generator)
    image = NoisyImage(noise, torch.zeros(128, 128), torch.zeros(128, 128), 20.0)
    seen = []

    def average(exposures, electrons, generator, pixel_size):
        seen.append(exposures[0])
        return exposures[0]

    found = denoised_with_error(average, image, 0.3, 0, 1.6)
    torch.testing.assert_close(found, noise, atol=1e-4, rtol=1e-4)
    amplitude = wrong_whitening((128, 128), 0.3)
    assert float(amplitude[0, 0]) == 1 and float(amplitude[0, -1]) == pytest.approx(1.3)
    ratio = torch.fft.rfft2(seen[0]).abs()[0, -1] / torch.fft.rfft2(noise).abs()[0, -1]
    assert float(ratio) == pytest.approx(1.3, rel=1e-3)


def scored():
    return [
        {
            "method": method,
            "axis": "dose",
            "value": dose,
            "seed": seed,
            "nmse": error,
            "correlation": 0.5,
            "cpu_seconds": 0.1,
        }
        for dose, worse in ((15, 1.0), (1500, 1.5))
        for method, error in (("wiener", 0.5), ("sbd", 0.4 * worse))
        for seed in (0, 1)
    ]


def test_the_table_names_values_that_are_new_and_losses():
    text = run.report(scored(), CONFIG)
    assert "**1500**" in text and "**15**" not in text
    assert "NMSE 0.500 ± 0.000, 0.50" in text and "0.800 ± 0.000, 0.50" in text
    assert "- dose 1500: wiener 0.83 (sbd's NMSE is 0.60)" in text
    assert "- dose 15:" not in text and "Not scored yet: kind, pixel_size" in text


def test_without_structures_or_with_a_wrong_option_it_says_so(tmp_path, monkeypatch, capsys):
    common = ["run", "--quick", "--runs", str(tmp_path)]
    monkeypatch.setattr("sys.argv", [*common, "--structures", str(tmp_path)])
    assert run.main() == 2
    assert "--structures" in capsys.readouterr().err
    monkeypatch.setattr("sys.argv", [*common, "--exactly", "dose=7:a.safetensors"])
    assert run.main() == 2
    assert "must be AXIS=VALUE:FILE" in capsys.readouterr().err
    monkeypatch.setattr("sys.argv", ["run", "--axes", "dose", "weather"])
    assert run.main() == 2
    assert "--axes must be of kind" in capsys.readouterr().err
