import pytest
import torch

from difftem.functional.haar import SIGNS, haar_analysis, haar_synthesis


def test_synthesis_undoes_analysis_and_energy_is_kept_but_for_the_norm(generator):
    image = torch.randn(2, 6, 10, generator=generator, dtype=torch.float64)
    sums, details = haar_analysis(image)
    assert sums.shape == (2, 3, 5) and details.shape == (2, 3, 3, 5)
    torch.testing.assert_close(haar_synthesis(sums, details), image)
    energy = (sums.square().sum() + details.square().sum()) / 4
    assert energy.item() == pytest.approx(image.square().sum().item())


def test_signs_are_those_of_the_details():
    pixels = torch.eye(4).reshape(4, 2, 2)
    sums, details = haar_analysis(pixels)
    assert (sums == 1).all()
    assert torch.equal(details[..., 0, 0].T, torch.tensor(SIGNS).float())


def test_odd_sides_are_refused():
    with pytest.raises(ValueError, match=r"image must have even sides, got \(4, 5\)"):
        haar_analysis(torch.zeros(4, 5))
