"""STAR files, CSV files, lists of boxes and text matrices that are almost right."""

import pytest

from difftem.io.box_list import read_boxes
from difftem.io.star import read_mtf_star, read_star
from difftem.io.text_matrix import read_text_matrix, read_transforms
from difftem.scene.files.coordinates import read_coordinates
from difftem.scene.files.imod_read import read_tilts, read_xf
from difftem.scene.files.relion_tilts import read_relion_tilts
from tests.properties.mutations import for_each, text_of

PARTICLES = """data_optics

loop_
_rlnOpticsGroup #1
_rlnMicrographPixelSize #2
_rlnImageSize #3
1 2.0 64

data_particles

loop_
_rlnCoordinateX #1
_rlnCoordinateY #2
_rlnAngleRot #3
_rlnAngleTilt #4
_rlnAnglePsi #5
_rlnMicrographName #6
_rlnOpticsGroup #7
10.0 20.0 10.0 20.0 30.0 a.mrc 1
30.0 40.0 40.0 50.0 60.0 a.mrc 1
"""
MTF = """data_mtf

loop_
_rlnResolutionInversePixel #1
_rlnMtfValue #2
0.0 1.0
0.1 0.9
0.25 0.7
0.5 0.4
"""
CSV = "particle,x,y,z,phi,theta,psi\nblob,1.0,2.0,3.0,10,20,30\nblob,-5,-6,0,0,0,0\n"
BOXES = "x,y,width,height,pixel_size,micrograph\n2,3,32,32,2.0,a.mrc\n20,13,32,32,2.0,a.mrc\n"
EMAN = "2\t3\t32\t32\n20 13 32 32\n"
TILTS = "-30.5\n0\n 30\n"
MDOC = """PixelSpacing = 2.5
[ZValue = 0]
TiltAngle = -30
RotationAngle = 85
[ZValue = 1]
TiltAngle = 30
"""
TRANSFORMS = "1 0 0 1 2 3\n0.99 -0.1 0.1 0.99 0 -4\n"
TOMOGRAMS = """data_global

loop_
_rlnTomoName #1
_rlnTomoTiltSeriesStarFile #2
_rlnVoltage #3
_rlnSphericalAberration #4
_rlnAmplitudeContrast #5
_rlnTomoTiltSeriesPixelSize #6
_rlnTomoSizeZ #7
TS series.star 300 2.7 0.07 2.5 64
"""
SERIES = """data_TS

loop_
_rlnMicrographName #1
_rlnTomoXTilt #2
_rlnTomoYTilt #3
_rlnTomoZRot #4
_rlnTomoXShiftAngst #5
_rlnTomoYShiftAngst #6
_rlnDefocusU #7
_rlnDefocusV #8
_rlnDefocusAngle #9
1@series.mrcs 0 -30 85 1 -2 20000 19000 30
2@series.mrcs 0 30 85 0 3 21000 20000 31
"""
MATRIX = "# x y z phi theta psi\n2 6\n0 0 0 10 20 30\n10 0 0 40 50 60\n"


def coordinates(path):
    for each in read_coordinates(path, particle="blob", pixel_size=2.0, shape=(64, 64)):
        assert bool(each.positions.isfinite().all()) and bool(each.rotations.isfinite().all())


def boxes(path):
    for corner in read_boxes(path, "a.mrc", 2.0, 16, (64, 64)):
        assert min(corner) >= 0 and max(corner) <= 48


def mtf(path):
    frequency, value = read_mtf_star(path)
    assert len(frequency) == len(value) >= 2


def tilts(path):
    assert bool(read_tilts(path).tilts_deg.isfinite().all())


def series(path):
    found = read_relion_tilts(path)
    assert len(found.images) == len(found.rotations) == len(found.shifts) > 0
    for each in (found.rotations, found.shifts):
        assert bool(each.isfinite().all())


def transforms(path):
    for each in read_xf(path, (48, 64)):
        assert bool(each.isfinite().all())


@pytest.mark.parametrize(
    ("name", "text", "read"),
    [
        ("a.star", PARTICLES, coordinates),
        ("b.star", PARTICLES, boxes),
        ("c.star", PARTICLES, lambda path: read_star(path) and None),
        ("mtf.star", MTF, mtf),
        ("a.csv", CSV, coordinates),
        ("boxes.csv", BOXES, boxes),
        ("a.box", EMAN, boxes),
        ("s.tlt", TILTS, tilts),
        ("s.mdoc", MDOC, tilts),
        ("s.xf", TRANSFORMS, transforms),
        ("tomograms.star", TOMOGRAMS, series),
        ("series.star", SERIES, series),
        ("a.txt", MATRIX, coordinates),
        ("b.txt", MATRIX, lambda path: read_transforms(path) and None),
        ("c.txt", MATRIX, lambda path: read_text_matrix(path).tolist() and None),
    ],
)
def test_a_mutated_table_is_numbers_or_one_line(attempt, times, tmp_path, name, text, read):
    if read is series:  # files that it names; what it says of their content is not read here
        for other, content in (("series.star", SERIES), ("series.mrcs", "")):
            if other != name:
                attempt.allowed.add(other)
                (tmp_path / other).write_text(content)
    assert attempt(name, text.encode(), read) == 0
    for_each(text_of(text), 10 * times, lambda content: attempt(name, content, read))
