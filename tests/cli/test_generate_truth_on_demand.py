"""What `truth` asks for: pickers, stacks, instances, volumes; what comes with tilt series."""

import mrcfile
import numpy as np
import pytest

from difftem.io.mrc import read_mrc
from difftem.io.star import read_star
from difftem.scene.files.coordinates import read_coordinates


def test_pickers_stacks_and_instances_agree_with_the_image(generate):
    code, _, folder = generate(
        "--truth.pickers", "[relion, eman, topaz, cryolo]", "--truth.particle_stacks", "true",
        "--truth.instances", "true", "--truth.box_size", 16, "--micrographs", 2,
        "--microscope.beam_tilt_mrad", "[2, 1]",
    )  # fmt: skip
    assert code == 0
    item = folder / "000001"
    particles = read_star(item / "particles.star")["particles"]
    at = np.array([[float(c) for c in particles[f"rlnCoordinate{a}"]] for a in "XY"]).T
    inside = ((at >= 0) & (at <= (63, 47))).all(1)
    (picks,) = read_star(item / "micrograph_000001_truth.star").values()
    found = np.array([[float(c) for c in picks[f"rlnCoordinate{a}"]] for a in "XY"]).T
    assert found == pytest.approx(at[inside], abs=1e-5)
    boxes = np.loadtxt(item / "micrograph_000001.box", ndmin=2)
    assert boxes[:, :2] + 8 == pytest.approx(np.round(at[inside]))
    cryolo = read_star(item / "micrograph_000001.cbox")["cryolo"]
    corners = np.array([[float(c) for c in cryolo[f"Coordinate{a}"]] for a in "XY"]).T
    assert corners + 8 == pytest.approx(at[inside], abs=1e-3)
    lines = (folder / "topaz.txt").read_text().splitlines()
    own = [line.split("\t")[1:] for line in lines if line.startswith("micrograph_000001\t")]
    assert np.array(own, dtype=float) == pytest.approx(np.round(at[inside]))
    listed = read_star(folder / "coordinates.star")["coordinate_files"]
    assert all((folder / name).is_file() for cells in listed.values() for name in cells)
    instances = read_mrc(item / "instances.mrc").data
    labels = read_mrc(item / "labels.mrc").data
    assert ((instances > 0) == (labels > 0)).all()
    for number, (x, y) in enumerate(at, start=1):
        if 0 <= round(x) < 64 and 0 <= round(y) < 48:
            assert instances[round(y), round(x)] > 0
        assert (instances == number).sum() <= (labels > 0).sum()
    assert set(np.unique(instances)) <= set(range(len(at) + 1))


def test_cut_out_particles_are_the_micrographs_pixels_and_their_table_says_where(generate):
    code, _, folder = generate(
        "--truth.particle_stacks", "true", "--truth.box_size", 12, "--micrographs", 2
    )
    assert code == 0
    tables = read_star(folder / "particle_stacks.star")
    particles, optics = tables["particles"], tables["optics"]
    assert (optics["rlnImageSize"], optics["rlnImageDimensionality"]) == (["12"], ["2"])
    assert float(optics["rlnImagePixelSize"][0]) == 2.0
    assert len(particles["rlnImageName"]) > 0
    for i, name in enumerate(particles["rlnImageName"]):
        number, _, stack = name.partition("@")
        with mrcfile.open(folder / stack) as mrc:
            box = mrc.data.reshape(-1, 12, 12)[int(number) - 1]
        image = read_mrc(folder / particles["rlnMicrographName"][i]).data
        x, y = (float(particles[f"rlnCoordinate{axis}"][i]) for axis in "XY")
        assert (x % 1, y % 1) == (0, 0)
        left, top = int(x) - 6, int(y) - 6
        assert (image[top : top + 12, left : left + 12] == box).all()
    names = dict.fromkeys(particles["rlnMicrographName"])
    for name in names:
        (cut,) = read_coordinates(folder / "particle_stacks.star", shape=(48, 64), image=name)
        (all_of,) = read_coordinates(folder / "particles.star", shape=(48, 64), image=name)
        distance = (cut.positions[:, None] - all_of.positions).norm(dim=-1)
        assert float(distance.min(1).values.max()) < 1e-4


def test_volumes_have_the_particles_of_the_tables_and_lie_over_the_tomogram(generate):
    code, _, folder = generate(
        "--truth.volumes", "true", "--truth.volume_voxel_size", 4, "--exposure.tilts_deg",
        "[-20, 20]", "--ice.thickness_nm", 12,
    )  # fmt: skip
    assert code == 0
    item = folder / "000000"
    with mrcfile.open(item / "volume.mrc") as mrc:
        density, origin = mrc.data.copy(), [float(mrc.header.origin[axis]) for axis in "xyz"]
        assert mrc.is_volume() and float(mrc.voxel_size.x) == 4
    labels = read_mrc(item / "volume_labels.mrc").data
    assert density.shape == labels.shape == (30, 24, 32)
    assert origin == [-64, -48, -60]
    (copies,) = read_coordinates(item / "particles.star")
    voxels = np.round(copies.positions.numpy() / 4).astype(int) + np.array([16, 12, 15])
    inside = ((voxels >= 1) & (voxels < (31, 23, 29))).all(1)
    assert inside.any()
    for x, y, z in voxels[inside]:
        assert labels[z - 1 : z + 2, y - 1 : y + 2, x - 1 : x + 2].max() == 1
    assert set(np.unique(labels)) == {0.0, 1.0}
    for name in ("micrograph_000000.tlt", "micrograph_000000.xf", "micrograph_000000.mdoc"):
        assert (item / name).is_file()
    assert [float(t) for t in (item / "micrograph_000000.tlt").read_text().split()] == [-20, 20]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--truth.pickers", "[xmipp]"], "truth.pickers"),
        (["--truth.pickers", "[eman, eman]"], "truth.pickers names eman twice"),
        (
            ["--truth.pickers", "[eman]", "--exposure.tilts_deg", "[0, 3]"],
            "truth.pickers applies to untilted micrographs only",
        ),
        (
            ["--truth.particle_stacks", "true", "--exposure.tilts_deg", "[3]"],
            "truth.particle_stacks applies to untilted micrographs only",
        ),
        (["--truth.box_size", "32"], "truth.box_size applies with truth.pickers or particle_st"),
        (
            ["--truth.box_size", "0", "--truth.particle_stacks", "true"],
            "truth.box_size must be within 2 and 8192 pixels, got 0",
        ),
        (
            ["--truth.volumes", "true", "--truth.volume_voxel_size", "0.011"],
            "truth.volume_voxel_size of 0.011 Å makes 9.23e+11 voxels",
        ),
        (["--truth.volume_voxel_size", "8"], "truth.volume_voxel_size applies with truth.volumes"),
    ],
)
def test_wishes_that_cannot_be_met_are_refused_in_one_line(generate, arguments, message):
    code, captured, folder = generate(*arguments)
    assert code == 2
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert not folder.exists()
