"""Agreement of two computations of the same arrays."""


def assert_agree(found, expected, tolerance):
    """Compare tensors pairwise, to a tolerance relative to the largest number of each pair."""
    assert len(found) == len(expected)
    for ours, truth in zip(found, expected, strict=True):
        assert ours.shape == truth.shape
        assert ours.dtype == truth.dtype
        scale = truth.abs().max()
        assert scale > 0
        assert (ours - truth).abs().max() <= tolerance * scale


def assert_as_exact(found, plain, truth, tolerance):
    """Demand that errors be at most twice those of the plain computation in the same precision.

    For chains that lose digits in single precision; errors are relative to the largest number.
    """
    assert len(found) == len(plain) == len(truth)
    for ours, theirs, exact in zip(found, plain, truth, strict=True):
        assert ours.dtype == theirs.dtype
        scale = exact.abs().max()
        assert scale > 0
        allowed = 2 * (theirs - exact).abs().max() + tolerance * scale
        assert (ours - exact).abs().max() <= allowed
