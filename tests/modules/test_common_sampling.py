import pytest
import torch

from difftem.modules import Detector, Dose, Lens, Multislice, Potential, Simulator
from difftem.modules.common_sampling import common_field
from tests.helpers.specimen import random_atoms

WAVE, PIXEL = 0.6, 1.0


def parts(shape=(20, 20)):
    atoms = random_atoms(2, (8.0, 8.0, 3.0), (6, 8), (20.0, 30.0))
    lens = Lens(WAVE, defocus_um=torch.tensor(0.05, dtype=torch.float64), learnable=["defocus_um"])
    specimen = Potential(atoms, shape, WAVE, 2, 2.0, learnable=["positions"])
    return specimen, Multislice(WAVE, 2.0), lens, Dose(30.0, PIXEL)


def test_the_field_is_counted_in_the_micrographs_pixels():
    assert common_field(*parts(), pixel_size=PIXEL) == (12, 12)
    *stages, _ = parts()
    assert common_field(*stages, Dose(30.0, WAVE)) == (20, 20)


@pytest.mark.parametrize("shape", [(20, 24), (20, 25), (25, 25)])
def test_pixels_that_do_not_fill_the_field_are_refused(shape):
    with pytest.raises(ValueError, match="pixel_size must divide the field"):
        common_field(*parts(shape), pixel_size=PIXEL)
    with pytest.raises(ValueError, match="share one pixel size"):
        common_field(*parts(), pixel_size=1.2)


def test_a_coarser_micrograph_has_the_dose_and_gradients_of_finite_differences():
    *stages, dose = parts()
    simulator = Simulator(*stages, dose, Detector(), shape=(8, 6), pixel_size=PIXEL).double()
    image = simulator.noise_free()
    assert image.shape == (8, 6)
    specimen, lens = simulator.specimen, simulator.lens

    class Expected(torch.nn.Module):
        """Noise-free image as a module's forward."""

        def __init__(self):
            super().__init__()
            self.simulator = simulator

        def forward(self):
            return self.simulator.noise_free()

    module = Expected()

    def expected(positions, defocus):
        values = {"simulator.specimen.positions": positions, "simulator.lens.defocus_um": defocus}
        return torch.func.functional_call(module, values, ())

    inputs = (specimen.positions.detach().clone(), lens.defocus_um.detach().clone())
    assert torch.autograd.gradcheck(expected, tuple(each.requires_grad_() for each in inputs))
    assert float(image.detach().mean()) == pytest.approx(30.0, rel=0.05)
