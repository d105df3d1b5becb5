import pytest
import torch

from difftem.functional.pose import rotation_from_vector
from difftem.functional.projection import DEFAULT, FINE, central_slices, template_spectrum
from difftem.ops.projection import extract_slices
from tests.helpers.closeness import assert_agree


@pytest.mark.parametrize("interpolation", [DEFAULT, FINE])
@pytest.mark.parametrize(("n", "own"), [(1, False), (3, False), (3, True)])
def test_central_slices_and_gradients_to_pose_template_and_frequency(
    kernels, poisoned_empty, interpolation, n, own
):
    device, dtype, tolerance = kernels
    volume = torch.randn(9, 11, 10, dtype=dtype)
    vectors = torch.randn(n, 3, dtype=dtype)
    # Up to the highest frequency, exactly on the table's nodes, and DC.
    frequency = (torch.rand(47, 3, dtype=dtype) - 0.5) * 0.34
    frequency[:3] = torch.tensor([[0.3, 0, 0], [0, -0.3, 0], [0, 0, 0]], dtype=dtype)
    frequency = frequency.expand(n, 47, 3).clone() if own else frequency
    results = []
    for extract in (extract_slices, central_slices):
        leaves = [t.to(device).requires_grad_() for t in (volume, vectors, frequency)]
        spectrum = template_spectrum(leaves[0], 1.3, 0.3, interpolation)
        slices = extract(spectrum, rotation_from_vector(leaves[1]), leaves[2])
        grad = torch.linspace(-1, 1, slices.numel(), dtype=dtype, device=device)
        grad = torch.complex(grad, grad.flip(0)).reshape(slices.shape)
        results.append((slices.detach(), *torch.autograd.grad(slices, leaves, grad)))
    assert results[0][0].shape == (n, 47)
    assert_agree(*results, tolerance)


def test_template_alone_or_poses_alone_have_the_same_gradient(kernels):
    device, dtype, tolerance = kernels
    volume = torch.randn(8, 8, 8, dtype=dtype, device=device)
    frequency = (torch.rand(20, 3, dtype=dtype, device=device) - 0.5) * 0.5
    # On nodes of the table, where a rounding decides which cell is read.
    frequency[:8, 0] = torch.arange(8, dtype=dtype, device=device) / 20
    frequency[:8, 1:] = 0
    identity = torch.eye(3, dtype=dtype, device=device)[None]
    for which in (0, 1):
        found = []
        for extract in (extract_slices, central_slices):
            leaves = [volume.clone(), identity.clone()]
            leaves[which].requires_grad_()
            slices = extract(template_spectrum(leaves[0], 1.0, 0.4), leaves[1], frequency)
            found += torch.autograd.grad(slices.abs().square().sum(), leaves[which])
        assert_agree(found[:1], found[1:], tolerance)
