"""`difftem.reconstruct` of images of blobs that are known: places, shifts, contrast, files."""

import json
import math

import mrcfile
import numpy as np
import pytest
import torch

import difftem
from difftem.io.mrc import read_mrc, write_mrc, write_rawtlt
from difftem.modules.stage import Stage
from difftem.scene.files.imod import write_xf
from difftem.scene.files.mdoc import SeriesAcquisition, write_mdoc

BLOBS = torch.tensor([[6.0, 4.0, 5.0], [-7.0, 2.0, -4.0], [2.0, -8.0, -6.0]], dtype=torch.float64)
TILTS = torch.arange(-60.0, 61.0, 10.0, dtype=torch.float64)
SHAPE = (28, 32)


def images(stage, shape=SHAPE, width=2.0, sample=BLOBS):
    """Projections of Gaussian blobs, at places in the sample in pixels."""
    y, x = (torch.arange(n, dtype=torch.float64) - n // 2 for n in shape)
    places = stage(sample)  # (tilts, blobs, 3)
    parts = [
        torch.exp(-((at[None, :] - to[..., None, None]) ** 2) / (2 * width**2))
        for at, to in ((x, places[..., 0]), (y, places[..., 1]))
    ]
    seen = parts[0].squeeze(-2)[..., None, :] * parts[1].squeeze(-2)[..., :, None]
    return seen.sum(1)


def places(volume, sample=BLOBS):
    """Centres of mass around where blobs are expected, as x, y, z."""
    found = []
    for at in sample.tolist():
        slices, grids = [], []
        for n, to in zip(volume.shape, reversed(at), strict=True):
            low = round(to) + n // 2 - 3
            slices.append(slice(low, low + 7))
            grids.append(torch.arange(low, low + 7, dtype=torch.float64) - n // 2)
        part = volume[tuple(slices)].double().clamp_min(0)
        z, y, x = torch.meshgrid(*grids, indexing="ij")
        found.append([float((part * each).sum() / part.sum()) for each in (x, y, z)])
    return torch.tensor(found, dtype=torch.float64)


def write(folder, stack, tilts=TILTS, pixel_size=2.0):
    write_mrc(folder / "s.mrc", stack.numpy(), pixel_size)
    write_rawtlt(folder / "s.rawtlt", tilts)
    return folder / "s.mrc"


def reconstructed(path, **options):
    given = {"thickness": 24, "contrast": "bright", "background": "none", "lowest": 0.0}
    return difftem.reconstruct(path, **{**given, "iterations": 12, **options})


def test_an_axis_off_the_middle_turns_and_shifts_are_undone_to_a_tenth_of_a_pixel(
    tmp_path, generator
):
    shifts = 3 * torch.randn(len(TILTS), 2, generator=generator, dtype=torch.float64)
    turns = torch.linspace(2.0, 6.0, len(TILTS)).double()
    angle = torch.deg2rad(turns)
    offset = 2.3 * torch.stack([angle.cos(), angle.sin()], 1)  # across the axis, as it is seen
    path = write(tmp_path, images(Stage(TILTS, in_plane_deg=turns, shift=shifts + offset)))
    write_xf(tmp_path / "s.xf", turns, shifts, SHAPE)
    found = reconstructed(path, transforms=tmp_path / "s.xf", axis_offset=2.3)
    assert float((places(found.volume) - BLOBS)[:, :2].abs().max()) < 0.1
    wrong = reconstructed(path, transforms=tmp_path / "s.xf", axis_offset=-2.3)
    assert wrong.residuals[-1] > 1.3 * found.residuals[-1]


def test_a_horizontal_axis_of_an_mdoc_turns_the_volume_with_it(tmp_path):
    stack = images(Stage(TILTS, 0.0), (32, 28))
    write_mrc(tmp_path / "s.mrc", stack.numpy(), 2.0)
    series = SeriesAcquisition("s.mrc", (32, 28), 2.5, 300.0, TILTS.tolist(), 3.0, 4.0, 0.0)
    write_mdoc(tmp_path / "s.mrc.mdoc", series)
    found = reconstructed(tmp_path / "s.mrc")
    assert found.voxel_size == 2.5
    assert found.volume.shape == (24, 28, 32)
    turned = torch.stack([-BLOBS[:, 1], BLOBS[:, 0], BLOBS[:, 2]], 1)  # the axis x becomes y
    assert float((places(found.volume, turned) - turned)[:, :2].abs().max()) < 0.1


def test_binned_images_give_the_same_places_in_any_order_of_tilts(tmp_path):
    order = torch.randperm(len(TILTS), generator=torch.Generator().manual_seed(1))
    stack = images(Stage(TILTS), (56, 64), 4.0, 2 * BLOBS)[order]
    found = reconstructed(
        write(tmp_path, stack, TILTS[order]), thickness=48, bin=2, tilt_axis_deg=90.0
    )
    assert found.volume.shape == (24, 28, 32)
    assert found.voxel_size == 4.0
    assert float((places(found.volume) - BLOBS)[:, :2].abs().max()) < 0.1
    assert any("in no order" in line for line in found.messages)


def test_dark_matter_is_bright_in_the_volume_and_wbp_shows_it_too(tmp_path):
    path = write(tmp_path, 100 - images(Stage(TILTS)))
    for method in ("sirt", "wbp"):
        found = difftem.reconstruct(path, thickness=24, tilt_axis_deg=90, method=method)
        top = int(found.volume.argmax())
        z, y, x = np.unravel_index(top, found.volume.shape)
        nearest = (torch.tensor([x - 16, y - 14, z - 12]) - BLOBS).abs().amax(1).min()
        assert float(nearest) <= 1.0, method


def test_an_axis_that_is_searched_for_is_used_and_told_with_what_it_leaves_open(tmp_path):
    path = write(tmp_path, images(Stage(TILTS, 84.0), (48, 48)))
    found = reconstructed(path, tilt_axis_deg="search", align="correlate")
    assert found.axis.axis_deg == pytest.approx(84.0, abs=0.7)
    assert any("180° more fits as well, and gives the mirror image" in m for m in found.messages)
    assert found.record()["tilt_axis_found"]["axis_deg"] == found.axis.axis_deg
    turn = torch.deg2rad(
        torch.tensor(6.0, dtype=torch.float64)
    )  # of the sample, until the axis is y
    c, s = turn.cos(), turn.sin()
    turned = BLOBS.clone()
    turned[:, 0] = c * BLOBS[:, 0] - s * BLOBS[:, 1]
    turned[:, 1] = s * BLOBS[:, 0] + c * BLOBS[:, 1]
    assert float((places(found.volume, turned) - turned)[:, :2].abs().max()) < 0.4
    near = reconstructed(path, tilt_axis_deg=260.0, search_axis_deg=10.0)
    assert near.axis.axis_deg == pytest.approx(264.0, abs=0.7)


def test_both_orders_of_the_file_are_turned_and_not_mirrored(tmp_path):
    found = reconstructed(write(tmp_path, images(Stage(TILTS))), tilt_axis_deg=90.0)
    written = found.save(tmp_path)
    assert [each.name for each in written] == ["volume.mrc", "volume.png", "volume.json"]
    found.save(tmp_path / "up.mrc", axes="zyx")
    upright, lying = mrcfile.read(tmp_path / "up.mrc"), mrcfile.read(tmp_path / "volume.mrc")
    assert np.array_equal(upright, found.volume.numpy())
    # Turned by -90 degrees about x, as trimvol -rx does, sections along y become rows.
    assert np.array_equal(np.rot90(lying, 1, axes=(0, 1)), upright)
    for name, order in (("up.mrc", (0, 1, 2)), ("volume.mrc", (0, 2, 1))):
        image = read_mrc(tmp_path / name)
        assert image.voxel_size == (2.0, 2.0, 2.0)
        (x, y, z) = image.header.origin  # in Å, of the first voxel
        top = np.unravel_index(int(image.data.argmax()), image.data.shape)
        at = np.array([x, y, z]) / 2 + top[::-1]
        sample = [at[0], at[order[1]], at[order[2]]]
        sample[2] *= -1 if name == "volume.mrc" else 1
        assert np.abs(np.array(sample) - BLOBS.numpy()).max(1).min() <= 1.5
    record = json.loads((tmp_path / "volume.json").read_text())
    assert record["file_axes"] == "imod"
    assert record["tilts_deg"] == TILTS.tolist()
    assert record["residuals"][0] == 1.0
    assert math.isfinite(record["seconds"])
    with pytest.raises(ValueError, match="exists already"):
        found.save(tmp_path)
