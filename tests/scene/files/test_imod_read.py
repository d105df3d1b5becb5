"""Angles and transforms of a tilt series, read back."""

import pytest
import torch

from difftem.scene.files.imod import write_tlt, write_xf
from difftem.scene.files.imod_read import read_tilts, read_xf
from difftem.scene.files.mdoc import SeriesAcquisition, write_mdoc


@pytest.mark.parametrize("shape", [(48, 64), (49, 65)])
def test_transforms_are_turned_around(tmp_path, shape):
    turns = torch.tensor([0.0, 12.5, -80.0]).double()
    shifts = torch.tensor([[1.5, -2.0], [0.0, 3.0], [-4.0, 0.25]]).double()
    write_xf(tmp_path / "s.xf", turns, shifts, shape)
    matrices, found = read_xf(tmp_path / "s.xf", shape)
    angle = torch.deg2rad(turns)
    assert torch.allclose(matrices[:, 1, 0], angle.sin(), atol=1e-6)
    assert torch.allclose(matrices[:, 0, 0], angle.cos(), atol=1e-6)
    assert torch.allclose(found, shifts, atol=2e-3)


def test_angles_are_read_in_any_order_from_text_and_mdoc(tmp_path):
    tilts = [0.0, 3.0, -3.0, 6.5]
    write_tlt(tmp_path / "s.tlt", torch.tensor(tilts))
    assert read_tilts(tmp_path / "s.tlt").tilts_deg.tolist() == tilts
    series = SeriesAcquisition("s.mrcs", (48, 64), 2.5, 300.0, tilts, 3.0, 4.25, 85.0)
    write_mdoc(tmp_path / "s.mdoc", series)
    found = read_tilts(tmp_path / "s.mdoc")
    assert found.tilts_deg.tolist() == tilts
    assert (found.tilt_axis_deg, found.pixel_size) == (85.0, 2.5)
    text = (tmp_path / "s.mdoc").read_text().replace("RotationAngle", "Other")
    (tmp_path / "title.mdoc").write_text(text)
    assert read_tilts(tmp_path / "title.mdoc").tilt_axis_deg == 85.0  # of the title, from y


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("s.tlt", "", "is empty, expected a line for each image"),
        ("s.tlt", "0\n200\n", "an angle of 200°"),
        ("s.tlt", "-1.04\n0\n1.04\n", "are they in radians"),
        ("s.tlt", "0 1\n", "line 1: expected a number, got '0 1'"),
        ("s.mdoc", "PixelSpacing = 2\n", r"no \[ZValue = ..\]: not the .mdoc of a tilt series"),
        ("s.mdoc", "[ZValue = 0]\nDefocus = 1\n", r"\[ZValue = 0\] has no TiltAngle"),
        ("s.mdoc", "[ZValue = 0]\nTiltAngle = x\n", "TiltAngle must be a number, got 'x'"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_one_line(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=message):
        read_tilts(tmp_path / name)


def test_a_transform_that_flattens_is_refused(tmp_path):
    (tmp_path / "s.xf").write_text("1 0 0 1 0 0\n0 0 0 1 0 0\n")
    with pytest.raises(ValueError, match="line 2: a transform that flattens the image"):
        read_xf(tmp_path / "s.xf", (8, 8))
