import json

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

import difftem
from difftem.io.mrc import write_mrc
from difftem.workflows.denoise.stack_kind import stack_kind


def counts(n, seed=0, size=96):
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] / size
    truth = 20 * (1 + 0.2 * np.sin(14 * x + 3 * seed) * np.sin(17 * y))
    return rng.poisson(truth, (n, size, size)).astype(np.float32), truth


def test_arrays_and_tensors_are_images_or_exposures_of_one_field():
    stack, truth = counts(4)
    one = difftem.denoise(stack[0], method="wiener", std=False)
    four = difftem.denoise(torch.from_numpy(stack), method="wiener")
    assert one.mean.shape == four.mean.shape == (96, 96)
    assert one.std is None
    assert four.std.shape == (96, 96)
    errors = [float((each.mean - torch.from_numpy(truth)).square().mean()) for each in (one, four)]
    assert errors[1] < 0.75 * errors[0] < 0.75 * 20
    assert float(four.mean.mean()) == pytest.approx(stack.mean(), rel=1e-6)
    torch.testing.assert_close(four.mean + four.residual, torch.from_numpy(stack.mean(0)))
    separate = difftem.denoise(stack, method="wiener", frames="separate")
    assert separate.mean.shape == (4, 96, 96)


def test_what_is_no_image_is_refused():
    with pytest.raises(ValueError, match=r"\(y, x\) or \(n, y, x\)"):
        difftem.denoise(np.zeros(5))
    with pytest.raises(ValueError, match="method must be auto or one of"):
        difftem.denoise(counts(1)[0], method="best")


def test_frames_of_a_movie_make_the_sum_and_images_that_change_stand_alone(tmp_path):
    rng = np.random.default_rng(0)
    truth = 40 * (1 + 0.3 * np.clip(4 * gaussian_filter(rng.standard_normal((256, 256)), 3), -2, 2))
    movie = rng.poisson(truth, (8, 256, 256)).astype(np.float32)
    write_mrc(tmp_path / "movie.mrc", movie, 1.0)
    assert stack_kind(tmp_path / "movie.mrc")[0] == "movie"
    result = difftem.denoise(tmp_path / "movie.mrc", method="wiener")
    assert result.numbers[0].exposures == 2
    assert float(result.mean.mean()) == pytest.approx(8 * truth.mean(), rel=0.01)
    others = np.concatenate([counts(1, seed)[0] for seed in range(3)])
    write_mrc(tmp_path / "others.mrc", others, 1.0)
    (tmp_path / "others.mrc.mdoc").write_text("TiltAngle = -2.0\nTiltAngle = 0.0\nTiltAngle = 2\n")
    assert stack_kind(tmp_path / "others.mrc")[0] == "separate"


def test_images_of_a_simulated_focus_series_stand_alone(tmp_path):
    rng = np.random.default_rng(0)
    truth = 40 * np.exp(0.5 * gaussian_filter(rng.standard_normal((96, 96)), 2))
    write_mrc(tmp_path / "micrograph.mrc", rng.poisson(truth, (3, 96, 96)).astype(np.float32), 1.0)
    assert stack_kind(tmp_path / "micrograph.mrc")[0] == "exposures"
    record = tmp_path / "run.json"
    for images, kind in (
        ([{"defocus_um": 1.0}, {"defocus_um": 2.0}], "separate"),
        ([{"defocus_um": 1.0}] * 3, "exposures"),
        (None, "exposures"),
    ):
        record.write_text(json.dumps({"images": images}), "utf-8")
        assert stack_kind(tmp_path / "micrograph.mrc")[0] == kind
