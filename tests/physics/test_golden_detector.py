"""TEM-simulator's detector, from its own expected counts to its noise-free micrographs."""

import numpy as np
import pytest
import torch

from difftem.modules import Detector, LorentzianMTF, RullgardMTF


@pytest.fixture(scope="module")
def golden(request):
    folder = request.getfixturevalue("shared_data") / "temsim"
    mrcfile = pytest.importorskip("mrcfile")
    counts = np.load(folder / "predetector_nocorr" / "predet.npy").astype(np.float64)
    path = folder / "input_TMV_nocorr" / "tiltseries_nonoise.mrc"
    with mrcfile.open(path, permissive=True) as file:
        images = file.data.astype(np.float64)
    return torch.as_tensor(counts), torch.as_tensor(images)


@pytest.mark.parametrize("mtf", [LorentzianMTF, RullgardMTF])
def test_expected_micrographs_are_those_of_tem_simulator(golden, mtf):
    # The program blurred a field padded by 20 pixels that was not saved; the point spread falls
    # by e per pixel: 3e-5 of the mean at the border, 2e-7 five pixels inside, nothing at ten.
    counts, images = golden
    assert counts.shape == images.shape == (3, 400, 400)
    ours = Detector(mtf(0.7, 0.2, 0.1, 10.0, 40.0), gain=10.0).double().expected(counts)
    inside = (..., slice(10, -10), slice(10, -10))
    difference = (ours - images)[inside]
    # The files hold single precision.
    assert difference.abs().max() < 2e-7 * images.mean()
    assert difference.pow(2).mean().sqrt() < 1e-5 * images[inside].std()
