import pytest
import torch

from difftem.functional.projection import central_slices, template_spectrum
from difftem.functional.spread import kernel_coefficients
from difftem.ops.projection import extract_slices

OPS = torch.ops.difftem


@pytest.fixture
def inputs(monkeypatch):
    if torch.cuda.is_available():
        pytest.skip("tested with tensors of a CPU: in the interpreter")
    monkeypatch.setenv("DIFFTEM_KERNELS", "triton")
    spectrum = template_spectrum(torch.randn(3, 3, 3, dtype=torch.float64), 1.0, 0.3)
    size = torch.tensor(spectrum.size[::-1])
    coordinates = 1 + torch.rand(5, 3, dtype=torch.float64) * (size - 3)
    polynomials = kernel_coefficients(1 / 1.5, 4)
    tensors = spectrum.table.requires_grad_(), coordinates.requires_grad_(), polynomials
    return [*tensors, list(spectrum.size)]


def test_interpolation_has_the_gradient_of_finite_differences(inputs):
    table, coordinates, *rest = inputs

    def interpolated(scale, coordinates):
        return OPS.interpolate_spectrum(table.detach() * scale, coordinates, *rest)

    scale = torch.ones(1, 8, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(interpolated, (scale, coordinates), fast_mode=True)


def test_interpolation_is_a_lawful_op_and_so_is_its_backward(inputs):
    torch.library.opcheck(OPS.interpolate_spectrum.default, inputs)
    grad = torch.randn(5, dtype=torch.complex128)
    plain = [t.detach() if isinstance(t, torch.Tensor) else t for t in inputs]
    for wanted in ((True, True), (True, False), (False, True)):
        torch.library.opcheck(OPS.interpolate_spectrum_backward.default, (grad, *plain, *wanted))


def test_reproducible_gradient_of_the_template_is_left_to_pytorch(monkeypatch):
    volume = torch.randn(4, 4, 4, requires_grad=True)
    spectrum = template_spectrum(volume, 1.0, 0.3)
    frequency, identity = torch.zeros(1, 3), torch.eye(3)[None]
    monkeypatch.setenv("DIFFTEM_KERNELS", "triton")
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    monkeypatch.setattr(torch, "are_deterministic_algorithms_enabled", lambda: True)
    found = extract_slices(spectrum, identity, frequency)
    assert torch.equal(found, central_slices(spectrum, identity, frequency))
    assert "Interpolate" not in str(found.grad_fn)
