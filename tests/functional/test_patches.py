import torch

from difftem.functional.patches import add_patches


def test_patches_are_added_where_they_belong_and_cut_at_the_edges():
    field = torch.ones(6, 8)
    patches = (
        torch.arange(1.0, 10.0).reshape(1, 3, 3) * torch.tensor([1.0, 10.0, 100.0])[:, None, None]
    )
    corners = torch.tensor([[2, 1], [-1, -2], [7, 5]])
    summed = add_patches(field.clone(), patches, corners)
    expected = field.clone()
    expected[1:4, 2:5] += patches[0]
    expected[0:1, 0:2] += patches[1][2:, 1:]
    expected[5:, 7:] += patches[2][:1, :1]
    assert torch.equal(summed, expected)


def test_patches_outside_leave_the_field_alone():
    field = torch.zeros(4, 4)
    corners = torch.tensor([[4, 0], [0, -2], [-9, 9]])
    assert torch.equal(add_patches(field.clone(), torch.ones(3, 2, 2), corners), field)


def test_overlapping_patches_add_up_and_pass_the_gradient_on(generator):
    field = torch.randn(5, 5, generator=generator, dtype=torch.float64)
    patches = torch.randn(3, 3, 2, generator=generator, dtype=torch.float64)
    corners = torch.tensor([[0, 0], [1, 1], [4, 3]])

    def place(field, patches):
        return add_patches(field * 1.0, patches, corners)

    inputs = (field.requires_grad_(), patches.requires_grad_())
    assert torch.autograd.gradcheck(place, inputs)
