"""Scenes on a GPU that is not there: `tests.helpers.pretend_gpu`."""

import pytest
import torch

from difftem.simulation.config import ExposureConfig
from difftem.simulation.scene_config import ParticleConfig, PhantomConfig
from tests.helpers.pretend_gpu import pretend_gpu


@pytest.mark.skipif(
    torch.cuda.is_available(), reason="kernels are interpreted only where there is no CUDA device"
)
def test_micrograph_of_a_gpu_is_that_of_the_cpu(microscope):
    particle = ParticleConfig(
        name="p", source="phantom", count=3, phantom=PhantomConfig((4.0, 3.0, 3.0), 8.0)
    )
    exposure = ExposureConfig(dose_e_per_a2=3.0, tilts_deg=[-20.0, 0.0])
    made = microscope(particle, exposure=exposure)
    expected = made.take(0)
    with pretend_gpu() as traffic:
        made.device = torch.device("cuda")
        found = made.take(0)
        launched = {name for name in traffic if name.endswith("_kernel")}
    assert {"interpolate_fwd_kernel", "transmit_fwd_kernel", "propagate_kernel"} <= launched
    contrast = float(expected.noise_free.std())
    assert contrast > 0
    assert float((found.noise_free - expected.noise_free).abs().max()) < 1e-3 * contrast
    assert torch.equal(found.rotations, expected.rotations)
    assert found.micrographs.device.type == "cpu"
