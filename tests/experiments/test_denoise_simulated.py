import math

import pytest
import torch
import yaml

from difftem.functional.image_error import normalised_error
from difftem.functional.wiener import wiener_estimate
from experiments._base.denoisers import baselines
from experiments._base.score_cache import ScoreCache
from experiments.denoise_simulated.images import NoisyImage, camera_blurred, noisy_image
from experiments.denoise_simulated.run import HERE, report
from experiments.denoise_simulated.scenes import CleanScene, found_kinds, rods, scenes
from experiments.denoise_simulated.score import best_radial, inside_ring, score, score_scenes
from experiments.denoise_simulated.tables import verdict, with_ratios

CONFIG = yaml.safe_load((HERE / "config.yaml").read_text("utf-8"))


def scene(camera="k2_300kv", size=64, kind="nanodisc", source="phantom", pixel_size=3.0):
    return CleanScene(kind, source, pixel_size, 1.5, 30.0, 3, size, 5, camera)


def blob(size=128):
    y, x = torch.meshgrid(*[torch.linspace(-1, 1, size)] * 2, indexing="ij")
    image = 1 - 0.3 * torch.exp(-(x**2 + y**2) / 0.1)
    return image / image.mean()


def test_missing_structures_are_replaced_by_a_random_map(tmp_path):
    assert list(found_kinds(CONFIG, tmp_path)) == ["nanodisc"]
    (tmp_path / "2OM3.pdb").touch()
    assert list(found_kinds(CONFIG, tmp_path)) == ["TMV", "nanodisc"]
    (tmp_path / "6vxx.pdb.gz").touch()
    assert list(found_kinds(CONFIG, tmp_path)) == ["spike", "TMV"]
    made = scenes(CONFIG, tmp_path)
    assert len(made) == 8 and len({each.name for each in made}) == 8
    # Either camera sees either kind.
    assert {(each.kind, each.camera) for each in made} == {
        (kind, camera) for kind in ("spike", "TMV") for camera in CONFIG["cameras"]
    }


def test_rods_are_straight_whole_and_apart():
    field = CleanScene("TMV", "2OM3.pdb", 2.6, 1.4, 60.0, 4, 512, 3, "k2_300kv")
    (poses,) = rods(field, CONFIG).instances
    axes = poses.rotations @ torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64)
    assert axes[:, 2].abs().max() < 1e-6  # in the plane of the image
    distance = torch.cdist(poses.positions, poses.positions).fill_diagonal_(math.inf)
    same = (axes @ axes.T) > 1 - 1e-9
    assert distance[~same].min() > 2 * CONFIG["rod_radius"]
    steps = torch.where(same, distance, math.inf).min(1).values
    assert steps.tolist() == pytest.approx([CONFIG["rod_period"]] * len(steps), abs=1e-3)
    # A neighbour lies along the axis of its rod.
    along = poses.positions[1] - poses.positions[0]
    assert abs(float(along @ axes[0]) / float(along.norm())) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("camera", CONFIG["cameras"])
def test_noise_has_variance_1_and_the_truth_is_what_is_left_without_it(camera):
    image = noisy_image(blob(), scene(camera, 128), 50.0, 0)
    noise = image.values - image.with_ice
    assert float(noise.var()) == pytest.approx(1, abs=0.05)
    assert float(image.truth.mean()) == pytest.approx(0, abs=1e-4)
    ice = image.with_ice - image.truth
    assert 0 < float(ice.var()) < 1
    # The same seed gives the same image, another one another image.
    again = noisy_image(blob(), scene(camera, 128), 50.0, 0)
    assert torch.equal(image.values, again.values)
    assert not torch.equal(image.values, noisy_image(blob(), scene(camera, 128), 50.0, 1).values)


def test_the_camera_of_the_paper_blurs_by_its_curve():
    image, blur = camera_blurred(blob(), CONFIG["tmv_setting"]["mtf"], 25.0, 0)
    assert torch.equal(image.truth, image.with_ice)
    assert float(blur[0, 0]) == pytest.approx(1)
    at_nyquist = (0.7 / (1 + 10 / 4) + 0.2 / (1 + 40 / 4) + 0.1) / 1.0
    assert float(blur[0, -1]) == pytest.approx(at_nyquist, abs=1e-5)


def test_no_radial_filter_is_better_than_the_best_and_the_truth_has_no_error():
    image = noisy_image(blob(), scene(size=128), 20.0, 0)
    perfect = score(image.truth, image, 3.0, CONFIG)
    assert perfect["nmse"] == 0 and perfect["correlation"] == pytest.approx(1)
    inner = inside_ring(image.values, 3.0, CONFIG)
    wiener = wiener_estimate(image.values)
    found = score(wiener, image, 3.0, CONFIG)
    assert best_radial(image, inner) < found["nmse"] < 1
    assert found["nmse_all"] == pytest.approx(float(normalised_error(wiener, image.truth)))


def test_a_run_is_resumed_and_scores_are_made_once(tmp_path):
    config = CONFIG | {"size": 64, "doses": [10], "seeds": [0, 1], "n_rings": 16}
    denoisers = baselines(["average", "wiener"])
    path = tmp_path / "scores.jsonl"
    first = score_scenes(denoisers, [scene()], config, tmp_path, ScoreCache(path))
    lines = path.read_text("utf-8").splitlines()
    assert len(lines) == 6  # two seeds of two methods and the best radial filter
    path.write_text("\n".join(lines[:-1]) + '\n{"key": "bro', "utf-8")
    again = score_scenes(denoisers, [scene()], config, tmp_path, ScoreCache(path))
    assert again == first
    assert len(path.read_text("utf-8").splitlines()) == 7  # the broken one, and the missing again
    text = report(first, [], config)
    found = {row["method"]: row for row in with_ratios(first, "wiener") if row["seed"] == 0}
    assert found["wiener"]["nmse_ratio"] == 1
    assert found["average"]["nmse_ratio"] > 1
    assert "| 10        | wiener" in text


def test_the_verdict_names_what_is_missed_and_where():
    rows = [
        {
            "scene": scene,
            "dose": dose,
            "seed": 0,
            "method": method,
            "best": 0.3,
            **dict.fromkeys(("nmse", "nmse_all", "nmse_ice"), error),
        }
        for scene, dose, wiener, sbd in (
            ("a", 1, 1.0, 0.9),
            ("a", 15, 0.5, 0.4),
            ("b", 15, 0.5, 0.6),
        )
        for method, error in (("wiener", wiener), ("sbd", sbd))
    ]
    text = verdict(rows, ["sbd"], "wiener", CONFIG["targets"])
    assert "from 15 e/pixel on 1.000 (above 0.85)" in text
    assert "of the worst image 1.200 (above 1.05)" in text
    assert "b at 15 e/pixel, seed 0; 1 of 3 images" in text


def test_an_image_without_ice_in_the_truth_punishes_its_drawing():
    truth = blob()
    ice = 0.1 * torch.randn(128, 128, generator=torch.Generator().manual_seed(0))
    image = NoisyImage(truth + ice, truth, truth + ice, 1.0)
    found = score(truth + ice, image, 3.0, CONFIG)
    assert found["nmse_ice"] < 1e-10 < found["nmse_all"]
