import pytest
import torch

from difftem.metrics.half_agreement import AgreementOfHalves
from difftem.metrics.held_out_likelihood import BandedLogLikelihood
from difftem.metrics.published_error import ClippedPSNR
from difftem.metrics.unsupervised_error import UnsupervisedError
from difftem.metrics.whiteness import ResidualWhiteness


def flat(values):
    return values if isinstance(values, dict) else {"": values}


@pytest.mark.parametrize(
    ("make", "images"),
    [
        (lambda: AgreementOfHalves(n_rings=6), 4),
        (lambda: BandedLogLikelihood(block=16), 2),
        (lambda: UnsupervisedError(block=16), (1, 3)),
        (lambda: ResidualWhiteness(n_rings=6), 1),
        (ClippedPSNR, 2),
    ],
)
def test_two_processes_find_what_one_does(make, images, generator):
    def draw(size):
        if isinstance(images, int):
            return torch.randn(images, size, size, generator=generator).unbind()
        return [torch.randn(size, size, generator=generator)] + [
            torch.randn(n, size, size, generator=generator) for n in images[1:]
        ]

    together, first, second = make(), make(), make()
    for i, size in enumerate((32, 48, 32)):
        drawn = draw(size)
        together.update(*drawn)
        (first, second)[i % 2].update(*drawn)
    first.merge_state(second)
    expected, found = flat(together.compute()), flat(first.compute())
    assert list(found) == list(expected)
    for name, value in expected.items():
        assert found[name].item() == pytest.approx(value.item(), rel=1e-6, nan_ok=True)
