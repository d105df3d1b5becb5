"""The TMV example of TEM-simulator 1.3, from its input file to the C program's own tilt series."""

import json

import mrcfile
import numpy as np
import pytest

from difftem.cli.main import main

# Root-mean-square difference over the image's standard deviation. With use_defocus_corr the C
# program's Laplacian takes one neighbour twice, which alone is 0.93 %; the rest, 0.14 %, are its
# projections of piecewise constant voxels, which depend on how voxels and pixels fall together.
LIMITS = {"input_TMV/input_TMV.txt": 0.01, "input_TMV_nocorr/input.txt": 0.002}


@pytest.fixture(scope="module", params=LIMITS)
def run(request, tmp_path_factory):
    """Golden series, our series and our folder."""
    path = request.getfixturevalue("shared_data") / "temsim" / request.param
    folder = tmp_path_factory.mktemp("series")
    assert main(["simulate", str(path), "--output", str(folder)]) == 0
    golden = mrcfile.read(path.parent / "tiltseries_nonoise.mrc").astype(float)
    ours = mrcfile.read(folder / "tiltseries_nonoise.mrc").astype(float)
    return golden, ours, folder, LIMITS[request.param]


@pytest.mark.parametrize("tilt", [0, 1, 2])
def test_every_tilt_is_that_of_the_c_program(run, tilt):
    golden, ours, _, limit = run
    assert ours.shape == golden.shape
    assert ours[tilt].mean() == pytest.approx(golden[tilt].mean(), rel=1e-5)
    difference = np.sqrt(((ours[tilt] - golden[tilt]) ** 2).mean())
    assert difference < limit * golden[tilt].std()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("2OM3_map.mrc", [4.87746, 12.15253, 5.350843, 1.189110]),
        ("2OM3_abs_map.mrc", [0.8244815, 1.480525, 0.8481095, 0.0793524]),
    ],
)
def test_written_maps_have_the_statistics_of_the_c_programs(run, name, expected):
    values = mrcfile.read(run[2] / name).astype(float)
    assert values.shape == (120, 199, 199)
    got = [values.min(), values.max(), values.mean(), values.std()]
    assert got == pytest.approx(expected, rel=2e-5)


def test_header_and_size_are_those_of_the_c_program(run, shared_data):
    theirs = shared_data / "temsim" / "input_TMV" / "tiltseries_nonoise.mrc"
    ours = run[2] / "tiltseries_nonoise.mrc"
    assert ours.stat().st_size == theirs.stat().st_size
    with mrcfile.open(theirs, permissive=True) as golden, mrcfile.open(ours) as made:
        assert float(made.header.cella.x) == pytest.approx(float(golden.header.cella.x))
        extended = [f.extended_header.tobytes()[:6] for f in (golden, made)]
        assert extended[0] == extended[1]


def test_what_is_done_differently_is_said(run):
    notes = json.loads((run[2] / "run.json").read_text())["notes"]
    assert len([note for note in notes if "Laplacian" in note]) == (run[3] > 0.005)
    assert not [note for note in notes if "half a pixel" in note]
