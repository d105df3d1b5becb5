import pytest
import torch

from difftem.scene.files.coordinates import read_coordinates
from difftem.scene.files.relion_stack import write_relion_stack
from difftem.scene.files.relion_write import RelionOptics, write_relion_particles

OPTICS = RelionOptics(300.0, 2.7, 0.1, 1.25)
SHAPE = (801, 1000)


@pytest.mark.parametrize("shift", [None, (7.3, -4.1)])  # Å, of a tilted beam
def test_cut_out_particles_are_read_back_where_they_are_in_the_sample(tmp_path, scene, shift):
    seen = None if shift is None else scene.positions()[:, :2] + torch.tensor(shift)
    particles = tmp_path / "particles.star"
    write_relion_particles(particles, scene, OPTICS, SHAPE, "a.mrc", seen=seen)
    n = write_relion_stack(tmp_path, "stack", "", particles, torch.zeros(SHAPE), 2)
    whole, cut_out = (
        torch.cat([poses.positions for poses in read_coordinates(path, shape=SHAPE)])
        for path in (particles, tmp_path / "stack.star")
    )
    assert n == len(cut_out) > 5
    nearest = torch.cdist(cut_out.double(), whole.double()).min(1).values
    assert nearest.max() < 1e-4
