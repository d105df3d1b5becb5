from types import SimpleNamespace

import pytest

from difftem.workflows.denoise.memory import check_denoise_memory, denoise_bytes
from difftem.workflows.denoise.options import DenoiseOptions


def image(side):
    return SimpleNamespace(shape=(side, side), exposures=1, count=1, pixel_size=None)


def more_than_wiener(side, name):
    """GB that a method needs beside those of Wiener's filter."""
    needed, plain = (
        denoise_bytes(image(side), each, False, DenoiseOptions(method=each))
        for each in (name, "wiener")
    )
    return (needed - plain) / 1e9


def test_networks_at_full_resolution_need_what_was_measured_and_no_more_for_large_images():
    # Peaks of whole processes, in GB: 0.25 before a network runs.
    for name, peak in (("noise2noise", 1.97), ("topaz", 1.61), ("topaz_small", 1.61)):
        assert peak < more_than_wiener(1024, name) + 0.25 < 1.6 * peak
        assert more_than_wiener(4096, name) == pytest.approx(more_than_wiener(8192, name))
    assert more_than_wiener(1024, "sbd") == more_than_wiener(4096, "sbd") == 0.5


def test_what_does_not_fit_is_refused_before_it_is_begun():
    options = DenoiseOptions(method="topaz", memory_limit_gb=3.0)
    with pytest.raises(ValueError, match="GB"):
        check_denoise_memory(image(4096), "topaz", False, options)
