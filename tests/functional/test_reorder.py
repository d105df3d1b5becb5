import torch

from difftem.functional.reorder import reorder


def test_rows_and_gradients_are_those_of_indexing():
    rows = torch.randn(9, 3, dtype=torch.float64, requires_grad=True)
    order = torch.randperm(9)
    weight = torch.randn(9, 3, dtype=torch.float64)
    found, expected = reorder(rows, order), rows[order]
    assert torch.equal(found, expected)
    ours, theirs = (torch.autograd.grad((x * weight).sum(), rows)[0] for x in (found, expected))
    assert torch.equal(ours, theirs)
    assert torch.autograd.gradgradcheck(lambda r: reorder(r, order) ** 2, (rows,))


def test_nothing_is_nothing():
    assert reorder(torch.empty(0, 2), torch.empty(0, dtype=torch.int64)).shape == (0, 2)
