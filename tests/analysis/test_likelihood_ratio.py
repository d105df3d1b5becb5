import math

import pytest
import torch

from difftem.analysis.likelihood_ratio import area_under_curve, best_test, poisson_log_ratio
from tests.helpers.synthetic_columns import columns_image


def test_the_ratio_is_that_of_poisson_probabilities():
    counts = torch.tensor([0.0, 1.0, 3.0])
    present, absent = torch.tensor([0.5, 0.6, 0.7]), torch.tensor([0.4, 0.45, 0.5])
    expected = (
        torch.distributions.Poisson(present).log_prob(counts)
        - torch.distributions.Poisson(absent).log_prob(counts)
    ).sum()
    assert poisson_log_ratio(counts, present, absent).item() == pytest.approx(expected.item())


def test_the_ceiling_is_what_the_best_test_reaches_on_drawn_frames(generator):
    absent = columns_image([], 31)
    present = columns_image([(15, 15)], 31)
    best = best_test(present, absent)
    ratios = [
        poisson_log_ratio(
            torch.poisson(each.expand(1500, 31, 31), generator=generator).flatten(1),
            present.flatten(),
            absent.flatten(),
        )
        for each in (present, absent)
    ]
    # Standard error of an AUC near 0.9 from 1500 frames of each kind: 0.006.
    assert best.auc == pytest.approx(area_under_curve(*ratios), abs=0.018)
    cut = ratios[1].quantile(0.95)
    assert best.power == pytest.approx(float((ratios[0] > cut).double().mean()), abs=0.05)
    right = ((ratios[0] > 0).double().mean() + (ratios[1] <= 0).double().mean()) / 2
    assert best.accuracy == pytest.approx(float(right), abs=0.03)
    assert 0.75 < best.auc < 0.99


def test_weak_templates_have_the_closed_form_of_a_gaussian_shift():
    level, height = 1000.0, 1.0
    absent = torch.full((100,), level, dtype=torch.float64)
    present = absent + height
    shift = math.sqrt(100 * height**2 / level)
    auc = 0.5 * (1 + math.erf(shift / math.sqrt(2) / math.sqrt(2)))
    assert best_test(present, absent).auc == pytest.approx(auc, abs=1e-4)


def test_equal_images_cannot_be_told_apart():
    image = torch.full((9,), 0.45)
    assert best_test(image, image).auc == 0.5


def test_ties_count_half():
    assert area_under_curve(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 0.0])) == 0.875
