"""What `simulate` says of where its copies are."""

import numpy as np
import pytest
import torch

import difftem
from difftem.io.mrc import read_mrc
from difftem.io.star import read_star
from difftem.scene.files.coordinates import read_coordinates
from tests.helpers.relion_tilt_series import read_relion_tilt_series

SIZE = {"size": (96, 80), "pixel_size": 2.0, "padding": 26, "preset": "ideal"}


def atoms(n=60, radius=8.0):
    generator = torch.Generator().manual_seed(1)
    return difftem.Atoms(
        radius * (2 * torch.rand(n, 3, generator=generator, dtype=torch.float64) - 1),
        torch.full((n,), 6),
        torch.full((n,), 40.0, dtype=torch.float64),
        torch.ones(n, dtype=torch.float64),
    )


def test_copies_are_where_the_tables_say_and_the_labels_cover_them(tmp_path):
    settings = {**SIZE, "defocus_um": 0.4, "beam_tilt_mrad": (2.0, -1.0), "ice_thickness_nm": 12.0}
    result = difftem.simulate(atoms(), copies_count=5, copies_orientations="random", **settings)
    folder = result.save(tmp_path / "out")
    (found,) = read_coordinates(folder / "particles.star", shape=(80, 96))
    (again,) = read_coordinates(folder / "particles.csv")
    scene = result.imaged.scene
    for each in (found, again):
        assert each.particle == "atoms"
        assert torch.allclose(each.positions, scene.positions(), atol=1e-5)
        assert torch.allclose(each.rotations, scene.rotations(), atol=1e-6)
    table = read_star(folder / "particles.star")
    assert table["particles"]["rlnMicrographName"] == ["micrograph.mrc"] * 5
    assert table["optics"]["rlnBeamTiltX"] == ["2.000000"]
    # Each copy's shadow has its centroid where RELION's coordinates have it.
    clean = read_mrc(folder / "noise_free.mrc").data.reshape(80, 96).astype(float)
    labels = read_mrc(folder / "labels.mrc").data.reshape(80, 96)
    dark = np.median(clean[labels == 0]) - clean
    for x, y in zip(*(map(float, table["particles"][f"rlnCoordinate{a}"]) for a in "XY"),
                    strict=True):  # fmt: skip
        rows, columns = np.mgrid[:80, :96]
        near = np.hypot(columns - x, rows - y) < 8
        weight = np.clip(dark, 0, None) * near
        centroid = [(each * weight).sum() / weight.sum() for each in (columns, rows)]
        assert centroid == pytest.approx([x, y], abs=0.7)
        assert labels[round(y), round(x)] == 1


def test_a_tilt_series_of_copies_is_a_project_of_relion_5(tmp_path):
    result = difftem.simulate(
        atoms(), copies_count=2, tilts_deg=[-20, 0, 20], exposures=2, dose_e_per_a2=4.0,
        shift_error=3.0, **SIZE,
    )  # fmt: skip
    folder = result.save(tmp_path / "out")
    series = read_relion_tilt_series(folder / "series.star")
    assert torch.allclose(series.shifts, result.imaged.shifts, atol=1e-6)
    assert series.pre_exposure.tolist() == [0, 8, 16]
    (tilts,) = read_star(folder / "series.star").values()
    assert tilts["rlnMicrographName"] == [f"{i}@micrograph.mrcs" for i in (1, 3, 5)]
    assert read_mrc(folder / "micrograph.mrcs").data.shape == (6, 80, 96)
    assert read_mrc(folder / "labels.mrcs").data.shape == (3, 80, 96)
    (found,) = read_coordinates(folder / "particles.star")
    assert torch.allclose(found.positions, result.imaged.scene.positions(), atol=1e-5)


def test_exposures_of_one_field_are_named_as_a_stack(tmp_path):
    folder = difftem.simulate(atoms(), exposures=2, **SIZE).save(tmp_path / "out")
    names = read_star(folder / "micrographs.star")["micrographs"]["rlnMicrographName"]
    assert names == ["1@micrograph.mrc:mrcs"]
    assert read_mrc(folder / "micrograph.mrc").data.shape == (2, 80, 96)


def test_what_truth_asks_for_is_written_and_replaced(tmp_path):
    wanted = {"truth_pickers": ["eman"], "truth_particle_stacks": True, "truth_volumes": True,
              "truth_box_size": 16}  # fmt: skip
    folder = difftem.simulate(atoms(), **wanted, **SIZE).save(tmp_path / "out")
    assert (folder / "micrograph.box").read_text() == "40\t32\t16\t16\n"
    stack = read_star(folder / "particle_stack.star")["particles"]
    assert stack["rlnImageName"] == ["000001@particle_stack.mrcs"]
    box = read_mrc(folder / "particle_stack.mrcs").data.reshape(16, 16)
    image = read_mrc(folder / "micrograph.mrc").data.reshape(80, 96)
    assert (image[32:48, 40:56] == box).all()
    volume = read_mrc(folder / "volume.mrc").data
    # The density's projection is where the image is dark.
    dark = -read_mrc(folder / "noise_free.mrc").data.reshape(80, 96)
    assert np.corrcoef(volume.sum(0).ravel(), dark.ravel())[0, 1] > 0.3
    difftem.simulate(atoms(), **SIZE).save(folder, overwrite=True)
    left = {path.name for path in folder.iterdir()}
    assert not left & {"micrograph.box", "particle_stack.mrcs", "volume.mrc"}
