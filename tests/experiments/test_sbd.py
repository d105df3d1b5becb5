"""Training and scoring of networks for atoms."""

import math

import pytest
import torch
import yaml

from difftem.networks import DnCNN
from difftem.simulation.nanoparticles.make_set import make_set
from difftem.simulation.nanoparticles.nanoparticle_set import NanoparticleSet
from difftem.workflows.denoise.load_network import load_network
from experiments._base.nanoparticle_frames import REGIONS, expose, held_out_frames, region_map
from experiments._base.nanoparticle_scores import classical, difference, score_frames, scores
from experiments._base.score_cache import ScoreCache
from experiments._base.train_leg import Leg, train
from experiments.sbd_field_of_view import tables
from experiments.sbd_field_of_view.run import HERE
from experiments.sbd_generalise import run as generalise
from tests.helpers.nanoparticle_set import SMALL_SET


def test_a_pixel_belongs_to_the_column_next_to_it_and_far_ones_to_vacuum():
    columns = torch.tensor([[10.0, 40.0], [30.0, 40.0], [50.0, 70.0]])  # x, y
    found = region_map(columns, torch.tensor([0, 1, 3]), (80, 100), pixel_size=0.3)
    named = [[REGIONS[i] for i in row] for row in found.tolist()]
    assert named[40][11] == "particle"
    assert named[40][19] == "particle"
    assert named[40][21] == named[43][33] == "surface"
    assert named[70][55] == "support"
    assert named[40][41] == named[29][10] == named[5][5] == "vacuum"
    assert named[31][10] == "particle"


def test_scores_are_those_of_the_definitions():
    clean = torch.ones(64, 64)
    clean[:32] = 1.4
    regions = torch.zeros(64, 64, dtype=torch.int64)
    regions[:32] = 4
    frame = expose(clean, "step", 3, 0, 0.5, regions)
    root = math.sqrt(frame.electrons)
    whole = (0.5 * clean - frame.electrons) / root
    off = scores(frame, whole + 0.5 * 0.1 * regions / 4 / root)  # 0.1 of vacuum too much below
    assert off["support"] == pytest.approx(-20 * math.log10(0.045), abs=1e-3)
    assert off["sbd"] == pytest.approx(off["support"] + 10 * math.log10(2), abs=1e-3)
    assert off["range"] == pytest.approx(10 * math.log10(0.4**2 / (0.1**2 / 2)), abs=1e-3)
    assert math.isnan(off["surface"])
    assert off["vacuum"] > 100
    assert frame.intensity(whole).max() == pytest.approx(1.4, abs=1e-5)
    assert frame.counts.mean() == pytest.approx(0.6, abs=0.05)


def test_differences_are_paired_and_their_errors_those_over_models():
    rows = [
        {"method": method, "model": model, "seed": seed, "sbd": 30.0 + model + gain + 0.1 * seed}
        for model in (1, 2, 3)
        for seed in (0, 1)
        for method, gain in (("a", 0.5 * model), ("b", 0.0))
    ]
    mean, error = difference(rows, "a", "b", "sbd")
    assert mean == pytest.approx(1.0)
    assert error == pytest.approx(0.5 / math.sqrt(3))


CONFIG = """
trainer: {accelerator: cpu, max_epochs: -1}
model:
  class_path: difftem.tasks.denoise.Denoise
  init_args:
    warm_up: 2
    network:
      class_path: difftem.networks.DnCNN
      init_args: {depth: 3, channels: 4, in_channels: 1}
data: {class_path: tests.helpers.blobs.Blobs, init_args: {size: 32, n: 4, n_val: 1}}
"""


def test_a_training_is_made_once_counts_its_steps_and_goes_on(tmp_path, capsys):
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG, "utf-8")
    leg = Leg(tmp_path / "leg", config, {"seed_everything": 1}, 0.004)
    assert leg.done() is None
    done = train(leg)
    assert done["steps"] >= 10
    assert 0 < done["cpu_seconds"] < 30
    assert isinstance(load_network(leg.weights), DnCNN)
    stamp = leg.weights.stat().st_mtime_ns
    assert train(leg) == done
    assert leg.weights.stat().st_mtime_ns == stamp
    assert Leg(leg.folder, config, {"seed_everything": 2}, 0.004).done() is None
    counted = Leg(tmp_path / "counted", config, {"seed_everything": 1}, None, steps=3)
    assert train(counted)["steps"] == 3
    config.write_text(CONFIG.replace("channels: 4", "channels: 5"), "utf-8")
    assert leg.done() is None


def test_frames_of_a_set_are_scored_once(tmp_path):
    make_set(tmp_path / "set", SMALL_SET)
    frames = list(held_out_frames(tmp_path / "set", 1, [0, 1], vacuum=20.0))
    assert len({frame.name for frame in frames}) == len(frames) == 2
    assert not torch.equal(frames[0].counts, frames[1].counts)
    shares = torch.bincount(frames[0].regions.flatten(), minlength=5) / frames[0].clean.numel()
    assert int((shares > 0).sum()) >= 4
    cache = ScoreCache(tmp_path / "scores.jsonl")
    rows = score_frames(classical({"wiener": {}}), frames, cache, "held out")
    assert [row["method"] for row in rows] == ["constant", "wiener"] * 2
    assert difference(rows, "wiener", "constant", "sbd")[0] > 1
    again = score_frames(
        classical({"wiener": {}}), frames, ScoreCache(tmp_path / "scores.jsonl"), "held out"
    )
    assert again == rows


def made_up_rows(kind, methods, vacuum=0.45):
    return [
        {
            "frames": kind,
            "method": method,
            "model": model,
            "seed": seed,
            "vacuum_e_per_pixel": vacuum,
        }
        | {"seconds": 1.0, "sbd": 30 + gain + model, "range": 20.0, "ssim": 0.9}
        | dict.fromkeys(REGIONS, 31 + gain + model * (1 + gain))
        for model in (1, 2)
        for seed in (0, 1)
        for method, gain in methods.items()
    ]


def test_tables_tell_what_is_missing_and_what_the_larger_field_gains():
    config = yaml.safe_load((HERE / "config.yaml").read_text("utf-8"))
    more, less = config["pair"]
    methods = {"constant": -3.0, "wiener": 0.0, f"{more}, seed 0": 3.0, f"{less}, seed 0": -0.5}
    methods |= {"atoms, no balance": 5.0, "atoms": 5.5}
    rows = made_up_rows(tables.HELD_OUT, methods) + made_up_rows(tables.SBD, methods)
    rows += made_up_rows(tables.LEVELS, methods, 0.35)
    known = {"weights": 183424, "field": [376, 408], "steps": 7, "minutes": 4.0}
    facts = {f"{name}, seed 0": {"network": name, **known} for name in (more, less)}
    text = tables.report(rows, facts, config)
    assert "+3.50 ± 0.00 dB" in text
    assert "not trained: a GPU" in text
    assert "42.87" in text
    assert "376 to 408" in text
    beside = text.split("beside the best")[1].split("At other vacuum")[0]
    (line,) = (line for line in beside.splitlines() if "| wiener" in line)
    assert line.count("+5.50") == 2
    table = text.split("one noise each")[1]
    assert [word for word in table.split("\n\n")[1].splitlines()[0].split() if word != "|"] == [
        "0.35"
    ]


def test_what_an_exclusion_costs_is_told_beside_those_not_trained_yet():
    config = yaml.safe_load((generalise.HERE / "config.yaml").read_text("utf-8"))
    methods = {"wiener": 0, "everything, seed 0": 3, "twinned, seed 0": 2}
    methods |= {"everything, seed 1": 4, "twinned, seed 1": 2, "twinned, seed 2": 9}
    rows = made_up_rows("twinned", methods)
    left = dict.fromkeys(config["exclusions"], 12)
    text = generalise.report(rows, config, left)
    assert "-1.50 ± 0.50" in text
    assert "-1.00, -2.00" in text
    assert text.count("not trained yet") == len(config["exclusions"]) - 1


def test_images_that_an_exclusion_leaves_are_counted(tmp_path):
    make_set(tmp_path, SMALL_SET)
    rows = [row for row in NanoparticleSet(tmp_path).rows if row["split"] == "train"]
    shape = str(rows[0]["shape"])
    exclusions = {"one": {"where": {"shape": [shape]}}, "dose": {"vacuum": [1.0, 2.0]}}
    left = generalise.images_left(tmp_path, {"exclusions": exclusions})
    assert left == {"one": sum(row["shape"] != shape for row in rows), "dose": len(rows)}
