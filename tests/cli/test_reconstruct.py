"""`difftem reconstruct`: where things are in the volume, from whatever files tell of the series."""

import mrcfile
import numpy as np
import pytest

from difftem.cli.main import main

TILTS = [-60, -45, -30, -15, 0, 15, 30, 45, 60]


@pytest.fixture
def reconstruct(tmp_path, capsys):
    """Call ``difftem reconstruct``: code, output, volume."""

    def call(*arguments):
        path = tmp_path / "volume.mrc"
        code = main(["reconstruct", *map(str, arguments), "--output", str(path), "--overwrite"])
        return code, capsys.readouterr(), path

    return call


def matter(volume, places, size):  # (z, y, x), (n, 3) voxels
    """Mean density where particles are, in standard deviations."""
    sides = np.array(volume.shape[::-1])
    at = (places / size).round().astype(int) + sides // 2
    x, y, z = at[((at >= 3) & (at < sides - 3)).all(1)].T  # others are seen at high tilts only
    assert len(x) > 1
    values = volume[z, y, x]
    return (values.mean() - volume.mean()) / volume.std()


def test_particles_of_generate_come_back_in_their_places_and_not_in_mirrored_ones(
    generate, reconstruct, tmp_path
):
    axis = 86
    given = np.array([[30, 5, 40], [-35, 20, -45], [0, -25, 15], [38, -18, -25]])  # chiral
    lines = ["x,y,z", *(",".join(map(str, row)) for row in given)]
    (tmp_path / "places.csv").write_text("\n".join(lines))
    corners = np.indices((2, 2, 2)).reshape(3, 8).T * 2.5
    atoms = [f"Au {x} {y} {z}" for x, y, z in corners]
    (tmp_path / "cube.xyz").write_text("\n".join(["8", "gold", *atoms]))
    code, _, made = generate(
        "--exposure.tilts_deg", TILTS, "--exposure.tilt_axis_deg", axis,
        "--exposure.dose_e_per_a2", 2000, "--ice.present", "false", "--stage.shift_error", 6,
        "--stage.rotation_error_deg", 1, "--microscope.defocus_um", 0.4,
        "--detector.preset", "ideal",
        particles=f"[{{name: p, source: {tmp_path}/cube.xyz, coordinates: {tmp_path}/places.csv}}]",
    )  # fmt: skip
    assert code == 0
    folder, pixel = made / "000000", 2.0
    stack = folder / "micrograph_000000.mrcs"
    turn = np.deg2rad(90.0 - axis)  # the sample is turned until the axis is y
    places = given @ np.array(
        [[np.cos(turn), np.sin(turn), 0], [-np.sin(turn), np.cos(turn), 0], [0, 0, 1]]
    )
    mirrored = places * [1, 1, -1]
    thick = round(160 / pixel)
    imod = ("--angles", stack.with_suffix(".tlt"), "--transforms", stack.with_suffix(".xf"))
    ways = {
        "difftem's folder": (folder,),
        "RELION's table": (folder / "tomograms.star",),
        "IMOD's files": (stack, *imod),
        "other images": (stack, "--angles", folder / "tomograms.star"),
    }
    volumes = {}
    for name, files in ways.items():
        code, output, path = reconstruct(
            *files, "--thickness", thick, "--iterations", 8, "--axes", "zyx"
        )
        assert code == 0, output.err
        volumes[name] = mrcfile.read(path)
        assert matter(volumes[name], places, pixel) > 5, name
        assert matter(volumes[name], mirrored, pixel) < 0.4 * matter(volumes[name], places, pixel)
    first = volumes["difftem's folder"]
    for name, volume in volumes.items():
        assert np.corrcoef(volume.ravel(), first.ravel())[0, 1] > 0.999, name


BAD = {
    "angles that are not as many": (
        "a.mrc --angles few.tlt --tilt-axis 90",
        "2 angles, but a.mrc has 3",
    ),
    "radians": ("a.mrc --angles radians.tlt --tilt-axis 90", "are they in radians"),
    "no axis": ("a.mrc --angles a.tlt", "no file says how the tilt axis runs: --tilt-axis 90"),
    "no angles": ("b.mrc", "no angles beside it (b.tlt, b.rawtlt, b.mdoc): --angles FILE"),
    "words": ("a.mrc --angles words.tlt", "line 2: expected a number, got 'ten'"),
    "no thickness": ("a.mrc --tilt-axis 90", "--thickness N, in pixels"),
    "zero thickness": ("a.mrc --tilt-axis 90 --thickness 0", "thickness must be at least 1 voxel"),
    "one projection": ("one.mrc --angles a.tlt --tilt-axis 90", "one projection"),
    "one tilt": (
        "a.mrc --angles same.tlt --tilt-axis 90 --thickness 4",
        "3 projections at one tilt",
    ),
    "a volume on its side": ("side.mrc --angles a.tlt --tilt-axis 90", "a volume on its side"),
    "relaxation": ("a.mrc --tilt-axis 90 --relaxation 2", "relaxation must be above 0 and below 2"),
    "transforms": ("a.mrc --transforms short.xf", "line 1: expected 6 numbers, got '1 0 0 1'"),
    "two axes": ("a.mrc --transforms a.xf --tilt-axis 3", "give one"),
    "binning": (
        "a.mrc --tilt-axis 90 --thickness 4 --bin 9",
        "bin 9 leaves nothing of 12 x 8 pixels",
    ),
    "an axis in words": (
        "a.mrc --tilt-axis left --thickness 4",
        "--tilt-axis: must be a number of degrees, or search, got 'left'",
    ),
    "a search of few tilts": (
        "a.mrc --tilt-axis search --thickness 4",
        "searched for in at least 6 tilts",
    ),
    "two searches": (
        "a.mrc --tilt-axis search --search-axis 5",
        "--tilt-axis search looks everywhere; --search-axis looks around a direction",
    ),
    "a search without a middle": ("a.mrc --search-axis 5", "no file says how the tilt axis runs"),
    "an axis outside": (
        "a.mrc --tilt-axis 90 --thickness 4 --axis-offset 6",
        "axis_offset (--axis-offset) must lie in the images, within 6 pixels, got 6",
    ),
    "an offset of tilts": (
        "a.mrc --tilt-axis 90 --tilt-offset 1e9",
        "tilt_offset_deg (--tilt-offset) must be within 90 degrees",
    ),
    "a constant image": ("flat.mrc --angles a.tlt", "flat.mrc: constant image 2 of 3"),
    "an image of NaN": ("void.mrc --angles a.tlt", "void.mrc: image 2 of 3 has no finite value"),
    "one image alone": ("two.mrc --angles a.tlt --tilt-axis 90", "one projection"),
    "pixels that are not square": ("odd.mrc --angles a.tlt", "odd.mrc: pixels are not square"),
    "values beyond single precision": (
        "huge.mrc --angles a.tlt",
        "huge.mrc: image 1 of 3 has one grey value or none",
    ),
    "memory": ("a.mrc --tilt-axis 90 --thickness 4 --memory-limit 0.01", "GB of memory"),
    "a folder": (".", "holds no tomograms.star"),
    "RELION without tilts": ("star.star", "no column rlnMicrographName"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_input_is_one_line_and_leaves_nothing(tmp_path, monkeypatch, capsys, what):
    monkeypatch.chdir(tmp_path)
    images = np.random.default_rng(0).normal(size=(3, 8, 12)).astype(np.float32)
    kinds = {"a": images, "b": images, "one": images[:1], "side": images, "two": images[0]}
    kinds |= {"flat": images.copy(), "void": images.copy(), "odd": images, "huge": images * 1e17}
    kinds["flat"][1] = 7
    for name, data in kinds.items():
        with mrcfile.new(f"{name}.mrc") as mrc:
            mrc.set_data(data)
            mrc.voxel_size = 2.0
            if name == "side":
                mrc.header.mapc, mrc.header.mapr, mrc.header.maps = 1, 3, 2
            if name == "void":
                mrc.data[1] = np.nan
            if name == "odd":
                mrc.header.cella.y = 90.0
    unit = "1 0 0 1 0 0\n" * 3
    texts = {
        "a.tlt": "-10\n0\n10\n", "few.tlt": "0\n10\n", "radians.tlt": "-1.0\n0\n1.0\n",
        "words.tlt": "0\nten\n", "same.tlt": "5\n5\n5\n", "short.xf": "1 0 0 1\n", "a.xf": unit,
        "star.star": "data_\nloop_\n_rlnVoltage\n300\n",
    }  # fmt: skip
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    arguments, expected = BAD[what]
    before = set(tmp_path.iterdir())
    code = main(["reconstruct", *arguments.split(), "--output", "v.mrc"])
    error = capsys.readouterr().err
    assert code == 2
    last = error.strip().splitlines()[-1]
    assert last.startswith("difftem: error: ")
    assert expected in last
    assert "internal error" not in error
    assert set(tmp_path.iterdir()) == before
