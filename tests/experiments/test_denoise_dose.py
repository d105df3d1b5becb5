"""Scores over dose and projections, their tables, and the data that knows the setting."""

import csv
import math
import re

import pytest
import torch

from difftem.functional.image_error import correlation, peak_signal_to_noise
from experiments import comparison
from experiments._base.denoisers import NamedDenoiser
from experiments._base.rows import pick, read_rows, write_rows
from experiments._base.score_cache import ScoreCache
from experiments._base.truth_scores import score_exposed
from experiments._base.users_methods import users_methods
from experiments.denoise_dose import run
from experiments.denoise_dose.scene_pairs import TRAINING, VALIDATION, SettingItems, SettingPairs
from experiments.denoise_dose.score import all_settings
from experiments.denoise_dose.setting import (
    clean_scene,
    electrons_per_pixel,
    expose,
    fragments,
    setting,
)
from experiments.denoise_dose.tables import grid_table, short_table, summary_table, verdict

CONFIG = run.read_config()
COLUMNS = ["psnr_truth_range_db", "correlation"]


def blob(size=128):
    y, x = torch.meshgrid(*[torch.linspace(-1, 1, size)] * 2, indexing="ij")
    image = 1 - 0.3 * torch.exp(-(x**2 + y**2) / 0.1)
    return image / image.mean()


def test_the_axes_are_those_of_the_paper():
    assert electrons_per_pixel(100) == 25
    settings = all_settings(CONFIG)
    assert len(settings) == len(set(settings)) == 8 * 6 + 1
    assert len(CONFIG["seeds"]) >= 5
    assert (320.0, 1) in settings


def test_projections_share_the_signal_and_nothing_else():
    found = expose(blob(), 50.0, 3, seed=1)
    noise = found.exposures - found.truth
    assert noise.shape == (3, 128, 128)
    assert float(noise.var()) == pytest.approx(1, abs=0.03)
    assert abs(float(correlation(noise[0], noise[1]))) < 0.03
    assert torch.equal(found.exposures, expose(blob(), 50.0, 3, seed=1).exposures)
    assert not torch.equal(found.exposures, expose(blob(), 50.0, 3, seed=2).exposures)
    # Seen through the camera: the published curve at the end of the axis.
    assert float(found.blur[0, -1]) == pytest.approx(0.7 / 3.5 + 0.2 / 11 + 0.1, abs=1e-5)


def test_every_method_gets_the_same_arrays_once_and_too_few_exposures_are_left_out(tmp_path):
    drawn, seen = [], []

    def draw():
        drawn.append(1)
        return expose(blob(), 50.0, 1, seed=0)

    def truth(exposures, electrons, generator, pixel_size):
        seen.append(exposures)
        return expose(blob(), 50.0, 1, seed=0).truth

    methods = [NamedDenoiser(name, name, truth) for name in ("a", "b")]
    methods += [NamedDenoiser("n2n", "n2n", truth), *users_methods(["constant", "wiener"])]
    cache = ScoreCache(tmp_path / "scores.jsonl")
    rows = score_exposed(draw, methods, {"seed": 0}, "key", COLUMNS, cache)
    assert [row["method"] for row in rows] == ["a", "b", "constant", "wiener"]
    assert len(drawn) == 1 and seen[0] is seen[1]
    assert rows[0]["correlation"] == pytest.approx(1)
    assert rows[2]["correlation"] == 0 < rows[3]["correlation"] < 1
    assert rows[2]["psnr_truth_range_db"] < rows[3]["psnr_truth_range_db"]
    assert rows[0]["training_seconds"] == 0
    assert score_exposed(draw, methods, {"seed": 0}, "key", COLUMNS, cache) == rows
    assert len(drawn) == 1


def test_the_shipped_network_is_weighed_as_its_users_get_it():
    (method,) = users_methods(["sbd"])
    exposed = expose(blob(), 50.0, 1, seed=0)
    found = method.run(exposed.exposures, 50.0, torch.Generator().manual_seed(0), 5.0)
    assert correlation(found, exposed.truth) > correlation(exposed.exposures[0], exposed.truth)


def test_weights_that_a_variable_names_are_part_of_a_methods_key(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("DIFFTEM_NOISE2NOISE", raising=False)
    assert users_methods(["noise2noise"]) == []
    assert "$DIFFTEM_NOISE2NOISE names no weights: left out" in capsys.readouterr().err
    keys = []
    for content in (b"one", b"other"):
        (tmp_path / "a.safetensors").write_bytes(content)
        (tmp_path / "a.json").write_text('{"training": {"seconds": 120}}', "utf-8")
        monkeypatch.setenv("DIFFTEM_NOISE2NOISE", str(tmp_path / "a.safetensors"))
        (method,) = users_methods(["noise2noise"])
        keys.append(method.key)
        assert method.training_seconds == 120
    assert keys[0] != keys[1]


def scored():
    return [
        {
            "method": method,
            "dose_e_per_nm2": dose,
            "projections": 1,
            "seed": seed,
            "psnr_truth_range_db": psnr + seed,
            "correlation": round(0.5 + psnr / 100, 4),
            "cpu_seconds": 0.1,
            "training_seconds": 540.0 if method == "tmv alone" else 0.0,
        }
        for dose in (100, 200)
        for method, psnr in (("wiener", 28.0), ("sbd", 29.5), ("tmv alone", 30.0))
        for seed in (0, 1)
    ]


def test_rows_survive_their_file(tmp_path):
    write_rows(tmp_path / "a" / "scores.csv", scored())
    assert read_rows(tmp_path / "a" / "scores.csv") == scored()
    with (tmp_path / "a" / "scores.csv").open() as file:
        assert next(csv.reader(file))[0] == "method"


def test_tables_say_who_is_above_the_default_and_what_is_missed():
    text = verdict(scored(), CONFIG)
    assert "target 30.5 dB, 0.63; best is **tmv alone** with 30.5 dB, 0.800" in text
    assert "**sbd** 30.0 dB, 0.795: within 1.5 dB of the target" in text
    assert "Above it, in dB: tmv alone +0.5" in text
    low = [row | {"psnr_truth_range_db": row["psnr_truth_range_db"] - 3} for row in scored()]
    assert "not within 1.5 dB" in verdict(low, CONFIG)
    assert "| wiener                  | 28.5 ± 0.7" in short_table(scored(), COLUMNS[0], CONFIG)
    assert "| 30.5 ± 0.7, 0.800 | 0.10 | 9 min" in re.sub(
        " +", " ", summary_table(scored(), CONFIG)
    )
    assert "30.0 (+1.5)" in grid_table(scored(), "sbd", COLUMNS[0], "wiener")


def test_tables_and_curves_are_made_again_from_the_file(tmp_path, monkeypatch):
    marks = "before\n<!-- results: written by {} -->\n<!-- end of results -->\nafter\n"
    for name, script in (("README", "run.py"), ("comparison", "denoise_dose")):
        (tmp_path / f"{name}.md").write_text(marks.format(script), "utf-8")
    monkeypatch.setattr(run, "HERE", tmp_path)
    monkeypatch.setattr(run, "SCORES", tmp_path / "scores.csv")
    monkeypatch.setattr(run, "CURVES", tmp_path / "curves.png")
    monkeypatch.setattr(run, "read_config", lambda: CONFIG | {"tables": COLUMNS, "curves": COLUMNS})
    monkeypatch.setattr(comparison, "DOCS", tmp_path / "comparison.md")
    monkeypatch.setattr("sys.argv", ["comparison", "--only", "denoise_dose"])
    write_rows(run.SCORES, scored())
    comparison.main()
    assert "| tmv alone" in (tmp_path / "comparison.md").read_text("utf-8")
    text = (tmp_path / "README.md").read_text("utf-8")
    assert "tmv alone" in text and text.startswith("before") and text.endswith("after\n")
    assert run.CURVES.read_bytes().startswith(b"\x89PNG")


def test_training_on_the_setting_has_noise_of_variance_1_and_other_seeds():
    items = SettingItems(blob()[None], (25.0, 400.0), repeats=2, seed=0)
    first, again, other = items[0, 0], items[0, 0], items[1, 0]
    assert torch.equal(first["noisy"], again["noisy"])
    assert not torch.equal(first["noisy"], other["noisy"])
    assert float((first["noisy"] - first["target"]).var()) == pytest.approx(1, abs=0.05)
    expected = (blob() - 1) * math.sqrt(float(first["electrons"]))
    torch.testing.assert_close(first["target"][0], expected, atol=0.02, rtol=0.02)
    data = SettingPairs()
    assert TRAINING + data.numbers[TRAINING] <= VALIDATION
    assert data.provenance["setting"]["pixel_size"] == 5.0


def test_without_the_structure_it_says_so_in_one_line(tmp_path, monkeypatch, capsys):
    arguments = ["run", "--quick", "--structures", str(tmp_path), "--runs", str(tmp_path / "runs")]
    monkeypatch.setattr("sys.argv", arguments)
    assert run.main() == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith(str(tmp_path)) and "2OM3.pdb" in error and "--structures" in error


def test_fragments_lie_as_the_paper_places_them_and_at_random_whole_and_apart():
    (poses,) = fragments(None).instances
    assert poses.positions[:, 0].tolist() == [-500, 0, 500]
    axes = poses.rotations @ torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64)
    expected = torch.tensor([[0.0, 0, 1], [0, -1, 0], [1, 0, 0]], dtype=torch.float64)
    torch.testing.assert_close(axes.abs(), expected.abs(), atol=1e-9, rtol=0)
    half = setting()["size"] * setting()["pixel_size"] / 2
    for seed in (TRAINING, TRAINING + 1):
        (poses,) = fragments(seed).instances
        assert float(poses.positions[:, :2].abs().max()) <= half - 100
        apart = torch.cdist(poses.positions, poses.positions).fill_diagonal_(math.inf)
        assert float(apart.min()) > 250
    assert not torch.equal(fragments(TRAINING).instances[0].positions, poses.positions)


def test_averages_score_what_they_did_where_the_targets_were_measured(shared_data, tmp_path):
    clean, _ = clean_scene(shared_data / "structures", tmp_path)
    assert clean.shape == (240, 240)
    assert float(clean.mean()) == pytest.approx(1, abs=1e-4)
    for n, psnr, agreed in ((1, 8.0, 0.10), (2, 11.0, 0.13)):
        found = expose(clean, 25.0, n, seed=0)
        seen = found.seen(found.exposures.mean(0)), found.seen(found.truth)
        assert float(peak_signal_to_noise(*seen)) == pytest.approx(psnr, abs=0.2)
        assert float(correlation(*seen)) == pytest.approx(agreed, abs=0.02)


def test_a_method_that_lacks_a_seed_somewhere_is_left_out_there():
    found = run.with_all_seeds(scored()[1:], 2)
    assert len(found) == len(scored()) - 2
    assert not pick(found, method="wiener", dose_e_per_nm2=100)


def test_rows_are_picked_by_their_facts():
    assert len(pick(scored(), method="sbd", seed=1)) == 2
