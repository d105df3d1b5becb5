"""Sites with and without their columns."""

import pytest
import torch

from difftem.networks import DnCNN
from difftem.scene.nanoparticle.recipe import NanoparticleRecipe
from difftem.simulation.nanoparticles.config import NanoparticleSetConfig
from difftem.simulation.nanoparticles.imaging import NanoparticleImaging
from experiments._base.score_cache import ScoreCache
from experiments.sbd_analysis.gradients import gradient_rows, network_gradients, pixels_of
from experiments.sbd_analysis.pictures import draw_sites
from experiments.sbd_analysis.run import named_networks, read_config
from experiments.sbd_analysis.scenes import Scene, make_scene
from experiments.sbd_analysis.score import ceilings, count_denoiser, score_null, score_sites
from experiments.sbd_analysis.tables import report
from tests.helpers.synthetic_columns import blur, columns_image

SITES = [(50.0, 90.0), (110.0, 90.0)]
BELOW = [(x, y) for y in (130.0, 165.0) for x in (15.0, 50.0, 85.0, 120.0, 155.0)]
CONFIG = read_config() | {
    "frames": 3,
    "window": 1.2,
    "tested": {"absent": 1, "present": 1, "drawn": 19, "level": 0.05},
}


def scene(height):
    present, absent = (
        columns_image(where, 190, height=height, level=1.0) for where in ([*SITES, *BELOW], BELOW)
    )
    columns = torch.tensor([*SITES, *BELOW], dtype=torch.float64)
    surface = torch.tensor([True] * 2 + [True] * 5 + [False] * 5)
    sites = torch.tensor(SITES, dtype=torch.float64)
    return Scene(7, -0.006, present, absent, sites, torch.tensor([2, 5]), columns, surface)


def test_strong_columns_are_told_apart_and_weak_ones_are_not(tmp_path):
    denoise = blur(4.0, 190)
    cache = ScoreCache(tmp_path / "scores.jsonl")
    rows = {h: score_sites(denoise, [scene(h)], CONFIG, cache, "blur") for h in (0.02, 2.0)}
    assert [row["neighbours_auc"] for row in rows[2.0]] == [1, 1]
    assert [row["denoised_auc"] for row in rows[2.0]] == [1, 1]
    assert [row["atoms"] for row in rows[2.0]] == [2, 5]
    assert all(row["ceiling_auc"] > 0.99 for row in rows[2.0])
    assert all(row["ceiling_auc"] < 0.6 for row in rows[0.02])
    assert ceilings(scene(2.0), CONFIG) > ceilings(scene(1.0), CONFIG)


def test_a_frame_is_scored_once_and_reported(tmp_path):
    calls = []

    def denoise(counts):
        calls.append(1)
        return blur(4.0, 190)(counts)

    cache = ScoreCache(tmp_path / "scores.jsonl")
    scenes = [scene(2.0)]
    null = score_null(denoise, scenes, CONFIG, cache, "blur")
    done = len(calls)
    assert done == 2 * 20  # two frames, each with 19 null frames that its sites share
    assert score_null(denoise, scenes, CONFIG, cache, "blur") == null
    assert len(calls) == done
    assert [row["p_value"] for row in null if row["kind"] == "present"] == [0.05, 0.05]
    sites = score_sites(denoise, scenes, CONFIG, cache, "blur")
    gradients = network_gradients(
        {"small": DnCNN(2, 2, 1).eval(), "wiener": None}, scenes[0], CONFIG
    )
    rows = gradient_rows(gradients)
    assert [row["network"] for row in rows] == ["small"] * 3 + ["wiener"] * 3
    assert all(abs(row["net_bias"]) < 1e-5 for row in rows)
    text = report(sites, null, rows, CONFIG)
    assert "| 3 and more" in text
    assert "| fewer than 3" in text
    assert "| there | 1 | 2 | 100.0 ± 0.0" in " ".join(text.split())
    assert "| small" in text


def test_columns_are_taken_out_of_a_model_and_the_rest_stays():
    imaging = NanoparticleImaging(
        size=176, margin=2.0, slice_thickness=2.0, focus_nodes=1, source_nodes=1
    )
    models = NanoparticleRecipe(field=26.0, headroom=5.0, diameter=(10.0, 12.0), particle_x=(0, 1))
    recipe = NanoparticleSetConfig(models=models, imaging=imaging)
    row = {"model": 3, "seed": 11, "defocus_um": -0.006, "blur": 0.5}
    made = make_scene(recipe, row, CONFIG | {"side": 300, "sites": 1, "window": 2.0})
    assert made.present.shape == (300, 300)
    assert made.atoms.tolist() >= [1]
    changed = (made.present - made.absent).abs()
    y, x = divmod(int(changed.argmax()), 300)
    assert torch.hypot(*(made.sites[0] - torch.tensor([x, y]))) < 6
    far = torch.hypot(
        *torch.meshgrid(
            *(torch.arange(300.0) - float(s) for s in made.sites[0].flip(0)), indexing="ij"
        )
    )
    assert float(changed[far > 70].max()) < 0.05 * float(changed.max())
    assert float(made.present.mean()) == pytest.approx(1, abs=0.1)
    assert int((made.columns - made.sites).norm(dim=1).lt(1e-6).sum()) == 1


def test_gradients_are_of_a_site_the_bulk_and_vacuum():
    found = pixels_of(scene(1.0))
    assert found["surface"] == (90, 50)
    assert found["bulk"] in {(165, 50), (165, 85), (165, 120)}
    assert found["vacuum"][0] < 60


def test_a_picture_says_the_verdicts(tmp_path):
    shown = draw_sites(blur(4.0, 190), [scene(2.0)], CONFIG, tmp_path / "a.png")
    assert shown[0] == "supported"
    assert (tmp_path / "a.png").stat().st_size > 1000


def test_networks_have_names():
    with pytest.raises(ValueError, match=r"--networks must be NAME=FILE.safetensors, got 'x'"):
        named_networks(["x"])


def test_a_whitened_method_works_on_counts():
    counts = torch.poisson(torch.full((32, 32), 0.45))
    assert torch.allclose(count_denoiser(lambda x: x)(counts), counts, atol=1e-5)
