import math
import sys

import pytest
import torch
import yaml

from difftem.functional.wiener import wiener_estimate
from difftem.io.mrc import write_mrc
from difftem.micrograph.whitened import WhitenedExposures
from difftem.workflows.denoise.choice import chosen_method
from experiments._base.denoisers import NamedDenoiser, baselines
from experiments._base.panels import low_passed
from experiments._base.rows import read_rows, write_rows
from experiments._base.score_cache import ScoreCache
from experiments.denoise_real import run
from experiments.denoise_real.micrographs import RealPair, RealRegion, read_pairs, read_regions
from experiments.denoise_real.paper_settings import paper_settings
from experiments.denoise_real.run import HERE, report
from experiments.denoise_real.score import UMSE, UMSE_LOW, RegionScores, score_region
from experiments.denoise_real.tables import choose, comparison, csv_rows, scores_of

CONFIG = yaml.safe_load((HERE / "config.yaml").read_text("utf-8")) | {"seeds": [0, 1], "block": 64}


@pytest.fixture
def region(generator):
    """A micrograph of our own: a few blobs in unit noise."""
    dots = (torch.rand(256, 256, generator=generator) < 0.0004).float()
    signal = 150 * low_passed(dots, 0.05)
    signal = signal - signal.mean()
    values = signal + torch.randn(256, 256, generator=generator)
    noise = torch.ones(256, 129)
    white = WhitenedExposures(values[None], 20.0, 20.0, noise, 1.0)
    return RealRegion("own", "256²", values, white, "20 e/pixel"), signal


def test_the_truth_scores_above_wieners_filter_and_that_above_the_average(region, tmp_path):
    real, signal = region
    oracle = NamedDenoiser("truth", "truth", lambda x, m, g, p: signal * math.sqrt(0.8))
    denoisers = [*baselines(["average", "wiener"]), oracle]
    cache = ScoreCache(tmp_path / "scores.jsonl")
    scores = score_region(denoisers, real, CONFIG, cache)
    found = {each.method: each.mean() for each in scores}
    above = found["truth"].above(found["wiener"])
    assert above.value("below 0.15") > 2 * above.error("below 0.15") > 0
    assert found["wiener"].value("total") > 0 > found["average"].value("total")
    # What the truth must score: half of its power in the held-out part.
    expected = 1000 * 0.5 * 0.2 * float(signal.square().mean())
    assert found["truth"].value("total") == pytest.approx(expected, rel=0.1)
    text = report(scores, CONFIG | {"ours": ["truth"]})
    assert f"| {found['wiener'].value('total'):.3f}" in text
    assert "own, 256²: **truth** above wiener +" in text
    # The truth has no error, the average that of the noise of what it saw.
    for band in (UMSE, UMSE_LOW):
        limit = 4 * found["truth"].error(band)
        assert found["truth"].value(band) == pytest.approx(0, abs=limit)
    noise = found["average"].value(UMSE)
    assert noise == pytest.approx(1 / 0.8, abs=4 * found["average"].error(UMSE))
    # Nothing agrees with an exposure as well as itself.
    numbers = {each.method: each.numbers for each in scores}
    assert numbers["average"]["paper_mm_mse"] == 0 < numbers["wiener"]["paper_mm_mse"]


def test_tables_are_the_same_from_the_file(region, tmp_path):
    real, _ = region
    denoisers = baselines(["average", "wiener"])
    scores = score_region(denoisers, real, CONFIG, ScoreCache(tmp_path / "scores.jsonl"))
    write_rows(tmp_path / "scores.csv", csv_rows(scores))
    again = scores_of(read_rows(tmp_path / "scores.csv"))
    assert [each.method for each in again] == ["average", "wiener"]
    for one, other in zip(scores, again, strict=True):
        for band in one.blocks:
            assert other.mean().value(band) == pytest.approx(one.mean().value(band), rel=1e-4)
            assert other.mean().error(band) == pytest.approx(one.mean().error(band), rel=1e-3)
        assert other.numbers == pytest.approx(one.numbers, rel=1e-4)
        assert other.numbers["residual_variance"] <= 1.1
    config = CONFIG | {"ours": ["none"]}
    assert report(again, config).count("| wiener") == report(scores, config).count("| wiener") == 3


def test_one_scan_of_a_pair_is_judged_by_the_other(generator, tmp_path):
    signal = low_passed(torch.randn(128, 128, generator=generator), 0.03) * 4
    scans = signal + torch.randn(2, 128, 128, generator=generator)
    whole = scans.sum(0) / math.sqrt(2)
    white = WhitenedExposures(whole[None], 40.0, 0.0, torch.ones(128, 65), None)
    pair = RealPair("pair", "128²", whole, white, "20 e/pixel", (0, 1), scans)
    first, second = pair.split(0.8, 0), pair.split(0.8, 1)
    assert torch.equal(first.kept, second.held_out) and torch.equal(first.held_out, second.kept)
    truth = NamedDenoiser("truth", "truth", lambda x, m, g, p: signal)
    (found,) = score_region([truth], pair, CONFIG, ScoreCache(tmp_path / "scores.jsonl"))
    expected = 1000 * 0.5 * float(signal.square().mean())
    assert found.mean().value("total") == pytest.approx(expected, rel=0.1)
    assert found.mean().value(UMSE) == pytest.approx(0, abs=4 * found.mean().error(UMSE))


def test_pairs_are_read_as_exposures_of_a_field(generator, tmp_path, capsys):
    rate = 30 * (1 + 0.1 * low_passed(torch.randn(256, 256, generator=generator), 0.05))
    counts = torch.poisson(rate.expand(2, -1, -1), generator=generator)
    write_mrc(tmp_path / "own.mrc", (100 * counts).numpy(), 1.5)
    config = CONFIG | {"pairs": {"own": "own.mrc", "absent": "absent.mrc"}, "pair_size": 128}
    (found,) = read_pairs(tmp_path, config)
    assert isinstance(found, RealPair) and found.seeds == (0, 1)
    assert found.scans.shape == (2, 128, 128)
    noise = (found.scans[0] - found.scans[1]) / math.sqrt(2)
    assert float(noise.std()) == pytest.approx(1, abs=0.05)
    assert found.white.electrons == pytest.approx(60, rel=0.1)
    assert "absent.mrc" in capsys.readouterr().out


def test_the_papers_settings_average_the_input_with_what_others_made():
    x = torch.ones(1, 4, 4)
    topaz = NamedDenoiser("topaz", "topaz", lambda *_: torch.zeros(4, 4))
    noise2noise = NamedDenoiser("noise2noise", "n", lambda *_: torch.full((4, 4), 0.5))
    assert [each.name for each in paper_settings([topaz])] == ["paper T"]
    found = {
        each.name: each.run(x, 1.0, None, None) for each in paper_settings([topaz, noise2noise])
    }
    assert float(found["paper T"].mean()) == 0.5
    assert float(found["paper N"].mean()) == 0.75
    assert float(found["paper T+N"].mean()) == 0.5


def test_every_method_sees_the_same_split_and_scores_are_kept(region, tmp_path):
    real, _ = region
    config = CONFIG | {"halves_up_to": 0}
    seen = []

    def watch(exposures, electrons, generator, pixel_size):
        seen.append(exposures)
        assert electrons == pytest.approx(16)
        return wiener_estimate(exposures[0])

    denoisers = [NamedDenoiser(name, name, watch) for name in ("a", "b")]
    cache = ScoreCache(tmp_path / "scores.jsonl")
    score_region(denoisers, real, config, cache)
    score_region(denoisers, real, config, ScoreCache(tmp_path / "scores.jsonl"))
    assert len(seen) == 4
    assert torch.equal(seen[0], seen[1]) and not torch.equal(seen[0], seen[2])


def scored(camera, method, value, scatter=0.1):
    """Scores of known mean; blocks scatter by what all methods share, and a little more."""
    shared = torch.linspace(-1, 1, 16)
    own = scatter * torch.linspace(-1, 1, 16).roll(hash(method) % 7 + 1)
    blocks = value + shared + own - (shared + own).mean()
    return RegionScores(camera, "r", method, {"below 0.15": blocks[None]})


def test_the_default_is_the_best_method_that_is_beaten_nowhere():
    values = {"A": {"wiener": 1.0, "x": 1.5, "y": 1.2}, "B": {"wiener": 1.0, "x": 0.5, "y": 1.1}}
    scores = [scored(camera, m, v) for camera, each in values.items() for m, v in each.items()]
    found = choose(scores, ["wiener", "x", "y"], CONFIG)
    # x is beaten on B, y on A: the mean decides.
    assert found["method"] == "y"
    assert found["nats_per_1000_pixels"]["A, r"]["x"] == pytest.approx(1.5, abs=1e-4)
    assert "+15.0 %" in found["why"]
    assert choose(scores, ["wiener", "y"], CONFIG)["method"] == "y"
    assert choose(scores, ["wiener", "x"], CONFIG)["method"] in {"wiener", "x"}
    said = comparison(scores, ["y"], "below 0.15", ["wiener"])
    assert "A, r: **y** above wiener +0.200 ±" in said


def test_without_micrographs_it_says_so_in_one_line_and_fails(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["run", "--micrographs", str(tmp_path)])
    assert run.main() == 2
    error = capsys.readouterr().err.strip()
    assert "krios_falcon3EC" in error and "--micrographs" in error and "\n" not in error


def test_the_choice_is_written_as_difftem_reads_it(tmp_path, monkeypatch, capsys):
    table = tmp_path / "choice.yaml"
    monkeypatch.setattr(run, "TABLE", table)
    monkeypatch.setattr("difftem.workflows.denoise.choice.TABLE", table)
    values = {"wiener": 1.0, "gaussian": 0.8, "sbd": 1.1, "no method of difftem": 2.0}
    run.write_choice([scored("A", *each) for each in values.items()], CONFIG)
    found = chosen_method()
    assert found.method == "sbd"
    assert "+10.0 % beside Wiener's filter" in found.why
    assert "sbd" in capsys.readouterr().out


def test_micrographs_are_whitened_and_cut_into_regions(tmp_path, generator):
    counts = torch.poisson(torch.full((256, 256), 30.0), generator=generator)
    write_mrc(tmp_path / "own.mrc", (100 * counts).numpy(), 1.5)
    config = CONFIG | {"micrographs": {"own": "own.mrc"}, "regions": {"128²": [128, 64, 32]}}
    (found,) = read_regions(tmp_path, config)
    assert (found.camera, found.name, found.white.pixel_size) == ("own", "128²", 1.5)
    assert found.white.electrons == pytest.approx(30, rel=0.05)
    assert torch.equal(found.values, found.white.values[0, 64:192, 32:160])
    assert float(found.values.std()) == pytest.approx(1, abs=0.03)
    parts = found.split(0.8, 0)
    assert torch.equal(parts.kept, found.split(0.8, 0).kept)


def test_the_default_is_not_chosen_among_a_few(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["run", "--write-choice", "--only", "gaussian"])
    with pytest.raises(SystemExit, match="2"):
        run.main()
    assert "leave out --only" in capsys.readouterr().err
