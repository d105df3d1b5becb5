import math

import pytest
import torch

from difftem.baselines.average import average
from difftem.baselines.gaussian import gaussian
from difftem.baselines.pure_let import let_terms, pure_let, surroundings
from difftem.functional.haar import haar_analysis


def phantom():
    """Discs with sharp edges on an even background, mean 0."""
    y, x = torch.meshgrid(torch.arange(128.0), torch.arange(120.0), indexing="ij")
    discs = [(30, 35, 15), (90, 80, 22), (85, 20, 10), (25, 95, 7)]
    shape = sum(((y - a) ** 2 + (x - b) ** 2 < r * r).float() for a, b, r in discs)
    return 0.5 * (shape - shape.mean())


@pytest.mark.parametrize(("electrons", "binning", "share"), [(2.0, 2.0, 0.95), (20.0, 1.0, 0.65)])
def test_it_is_nearer_to_a_phantom_with_edges_than_a_gaussian(electrons, binning, share, generator):
    truth = phantom() * math.sqrt(electrons)
    counts = torch.poisson(electrons + truth * math.sqrt(electrons), generator)
    exposures = (counts[None] - electrons) / math.sqrt(electrons)

    def error(method, **settings):
        return (method(exposures, electrons, **settings) - truth).square().mean().item()

    assert error(pure_let, binning=binning) < share * error(gaussian) < 0.1 * error(average)


def test_a_blank_image_comes_out_flat(generator):
    counts = torch.poisson(torch.full((96, 96), 3.0), generator)
    estimate = pure_let((counts[None] - 3) / math.sqrt(3), 3.0)
    assert estimate.std() < 0.1


@pytest.mark.parametrize("shape", [(4, 4), (8, 5)])
def test_surroundings_and_terms_of_a_square_do_not_know_the_square_itself(shape, generator):
    counts = torch.poisson(torch.full((2 * shape[0], 2 * shape[1]), 5.0), generator)
    changed = counts.clone()
    changed[4, 2] += 7  # of square (2, 1)
    before, after = (surroundings(*haar_analysis(each)) for each in (counts, changed))
    for one, two in zip(before, after, strict=True):
        assert torch.equal(one[:, 2, 1], two[:, 2, 1])
        assert not torch.equal(one, two)


def test_a_vertical_edge_has_a_parent_of_the_sign_of_its_detail():
    image = torch.ones(8, 8)
    image[:, 3:] = 5
    sums, details = haar_analysis(image)
    gate, parent, parent_gate = surroundings(sums, details)
    assert (details[0, :, 1] < 0).all() and (parent[0, :, 1] < 0).all()
    assert (details[1:] == 0).all() and (parent[1, 1:-1] == 0).all()
    terms = let_terms(sums, details[0], gate[0], parent[0], parent_gate[0])
    torch.testing.assert_close(terms[0] + terms[2], details[0])
    torch.testing.assert_close(terms[4] + terms[5], parent[0])
