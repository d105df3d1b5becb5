"""IMOD's alignment and SerialEM's mdoc, read back and applied as their manuals say."""

import math

import pytest
import torch

from difftem.functional.pose import tilt_rotation
from difftem.scene.files.imod import aligned, write_tlt, write_xf
from difftem.scene.files.mdoc import SeriesAcquisition, write_mdoc


def about(axis, degrees):
    angle = torch.deg2rad(torch.as_tensor(degrees, dtype=torch.float64))
    c, s, o, i = torch.cos(angle), torch.sin(angle), torch.zeros(()), torch.ones(())
    rows = [c, -s, o, s, c, o, o, o, i] if axis == "z" else [c, o, s, o, i, o, -s, o, c]
    return torch.stack([each.double() for each in rows]).reshape(3, 3)


@pytest.mark.parametrize("shape", [(48, 64), (49, 65)])
@pytest.mark.parametrize("axis", [90.0, 84.3, -5.0])
def test_transforms_and_tilts_bring_every_point_where_a_tilt_about_y_has_it(
    tmp_path, generator, shape, axis
):
    tilts, turns = [-60.0, -3.0, 0.0, 45.5], [0.5, -1.5, 0.0, 2.0]
    radians = torch.deg2rad(torch.tensor(tilts, dtype=torch.float64))
    tilted = tilt_rotation(radians, torch.tensor(math.radians(axis), dtype=torch.float64))
    rotations = torch.stack([about("z", t) @ r for t, r in zip(turns, tilted, strict=True)])
    shifts = torch.tensor([[3.0, -4.5], [0.0, 0.0], [-2.0, 1.25], [7.5, 0.5]], dtype=torch.float64)
    found, image = aligned(rotations, axis)
    assert torch.allclose(found, torch.tensor(tilts).double(), atol=1e-9)
    assert torch.allclose(image - (axis - 90), torch.tensor(turns).double(), atol=1e-9)
    write_xf(tmp_path / "s.xf", image, shifts, shape)
    write_tlt(tmp_path / "s.tlt", found)
    assert [float(each) for each in (tmp_path / "s.tlt").read_text().split()] == tilts
    points = 20 * (torch.rand(10, 3, generator=generator, dtype=torch.float64) - 0.5)
    origin = torch.tensor([shape[1] // 2, shape[0] // 2])
    middle = torch.tensor([shape[1] / 2, shape[0] / 2])
    for row, tilt, rotation, shift in zip(
        (tmp_path / "s.xf").read_text().splitlines(), tilts, rotations, shifts, strict=True
    ):
        a11, a12, a21, a22, dx, dy = map(float, row.split())
        raw = (points @ rotation.T)[:, :2] + shift + origin + 0.5  # from the image's edge
        matrix = torch.tensor([[a11, a12], [a21, a22]], dtype=torch.float64)
        moved = (raw - middle) @ matrix.T + torch.tensor([dx, dy]) + middle
        sample = points @ about("z", 90 - axis).T
        expected = (sample @ about("y", tilt).T)[:, :2] + origin + 0.5
        assert torch.allclose(moved, expected, atol=2e-3)


def test_mdoc_has_a_section_for_each_image_with_tilt_dose_and_angles(tmp_path):
    series = SeriesAcquisition("s.mrcs", (48, 64), 2.5, 300.0, [-20.0, 0.0], 3.0, 4.25, 85.0, 2)
    write_mdoc(tmp_path / "s.mdoc", series)
    head, *sections = (tmp_path / "s.mdoc").read_text().split("[ZValue = ")
    assert "[T =     Tilt axis angle = -5, binning = 1]" in head

    def keys(text):
        pairs = (line.split(" = ") for line in text.splitlines() if " = " in line)
        return {name: value for name, value, *_ in pairs if not name.startswith("[")}

    assert keys(head) == {
        "PixelSpacing": "2.5",
        "Voltage": "300",
        "ImageFile": "s.mrcs",
        "ImageSize": "64 48",
        "DataMode": "2",
    }
    assert [section.split("]")[0] for section in sections] == ["0", "1", "2", "3"]
    read = [keys(section) for section in sections]
    assert [float(each["TiltAngle"]) for each in read] == [-20, -20, 0, 0]
    assert [float(each["ExposureDose"]) for each in read] == [3] * 4
    assert [float(each["PriorRecordDose"]) for each in read] == [0, 3, 6, 9]
    assert {each["Defocus"] for each in read} == {"-4.25"}
    assert {each["RotationAngle"] for each in read} == {"85"}
    assert {each["PixelSpacing"] for each in read} == {"2.5"}
