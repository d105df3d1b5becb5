"""The projector as a module: its adjoint, its geometry, its gradients."""

import pytest
import torch

from difftem.modules.stage import Stage
from difftem.tomography.projector import TiltProjector

TILTS = torch.tensor([-61.0, -30.5, 1.0, 44.0])
SHIFTS = torch.tensor([[1.3, -0.4], [0.2, 2.1], [-1.7, 0.3], [0.6, -0.9]])


@pytest.mark.parametrize("axis", [90.0, 84.3, -5.0, 270.0])
@pytest.mark.parametrize("shift", [None, SHIFTS])
def test_dot_products_with_the_adjoint_agree(generator, axis, shift):
    lying = axis == -5.0
    projector = TiltProjector(TILTS, (5, 33, 18), (18, 33) if lying else (33, 18), axis, shift, 0.7)
    volume = torch.randn(5, 33, 18, generator=generator)
    images = torch.randn(4, *projector.image_shape, generator=generator)
    seen, summed = projector(volume), projector.adjoint(images)
    assert seen.shape == images.shape
    assert summed.shape == volume.shape
    forward = (seen.double() * images).sum()
    difference = (forward - (volume.double() * summed).sum()).abs()
    assert float(difference) < 1e-5 * float(seen.double().norm() * images.double().norm())


@pytest.mark.parametrize("axis", [90.0, 81.0, -7.0, 250.0])
def test_a_particle_is_seen_where_the_stage_takes_it(axis):
    place = torch.tensor([[4.0, -3.0, 5.0]], dtype=torch.float64)  # x, y, z in the volume
    side = 33
    axes = [torch.arange(side, dtype=torch.float64) - side // 2] * 3
    z, y, x = torch.meshgrid(*axes, indexing="ij")
    squares = [(at - to) ** 2 for at, to in zip((x, y, z), place[0], strict=True)]
    volume = torch.exp(-sum(squares) / 8)
    images = TiltProjector(TILTS, (side,) * 3, (side, side), axis, SHIFTS)(volume)
    total = images.sum((1, 2))
    seen = torch.stack(
        [(images * x[0]).sum((1, 2)), (images * y[0].flatten(0).reshape(side, side)).sum((1, 2))],
        -1,
    )
    seen = torch.stack([(images * at).sum((1, 2)) / total for at in (x[0], y[0])], -1)
    # The volume is the sample, turned until the axis is y.
    sample = Stage(torch.zeros(1), in_plane_deg=axis - 90.0)(place)[0]
    expected = Stage(TILTS.double(), axis, SHIFTS.double())(sample)[:, 0, :2]
    assert torch.allclose(seen, expected, atol=3e-3)


def test_images_have_the_gradients_of_finite_differences_by_volume_and_geometry(generator):
    tilts = torch.tensor([-41.0, 23.0], dtype=torch.float64)
    shape = (2, 3, 4)
    wanted = ("tilt_deg", "tilt_axis_deg", "shift", "axis_offset")
    projector = TiltProjector(tilts, shape, (3, 4), 83.0, SHIFTS[:2], 0.31, learnable=wanted)
    start = torch.rand(shape, generator=generator, dtype=torch.float64, requires_grad=True)
    images = torch.rand(2, 3, 4, generator=generator, dtype=torch.float64, requires_grad=True)
    names = dict(projector.named_parameters())

    def forward(volume, *values):
        given = dict(zip(names, values, strict=True))
        return torch.func.functional_call(projector, given, (volume,))

    assert torch.autograd.gradcheck(forward, (start, *names.values()))
    assert torch.autograd.gradcheck(projector.adjoint, (images,))


def test_sizes_that_do_not_fit_are_named():
    projector = TiltProjector(TILTS, (4, 8, 8), (8, 8))
    with pytest.raises(ValueError, match=r"expected an array of \(4, 8, 8\), got \(5, 8, 8\)"):
        projector(torch.zeros(5, 8, 8))
    with pytest.raises(ValueError, match=r"shift must be \(4, 2\) for 4 tilts, got \(3, 2\)"):
        TiltProjector(TILTS, (4, 8, 8), (8, 8), shift=SHIFTS[:3])
    with pytest.raises(ValueError, match="cannot learn dose"):
        TiltProjector(TILTS, (4, 8, 8), (8, 8), learnable=("dose",))
