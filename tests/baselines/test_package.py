import sys

import pytest
import torch

from difftem.baselines.block_matching import bm3d, bmnd
from difftem.baselines.vst import vst
from difftem.baselines.wavelets import wavelets


@pytest.mark.parametrize(
    ("method", "module", "name", "extra"),
    [
        (vst, "skimage.restoration", "skimage", "baselines"),
        (wavelets, "skimage.restoration", "skimage", "baselines"),
        (bmnd, "bmnd", "bmnd", "baselines"),
        (bm3d, "bm3d", "bm3d", "bm3d"),
    ],
)
def test_a_missing_package_is_named_with_the_command_that_installs_it(
    method, module, name, extra, monkeypatch
):
    for loaded in [key for key in sys.modules if key.split(".")[0] == name]:
        monkeypatch.delitem(sys.modules, loaded)
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ValueError, match=rf"{name}.*: pip install 'difftem\[{extra}\]'$"):
        method(torch.zeros(1, 8, 8), 1.0)
