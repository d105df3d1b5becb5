import gzip

import numpy as np
import pytest

from difftem.io.curve_table import is_curve_file, read_curve_table
from difftem.io.errors import InputError
from difftem.io.star import read_mtf_star


@pytest.mark.parametrize(
    "text",
    [
        "0 1\n0.25 0.8\n0.5 0.4\n",
        "# of the vendor\n0.0,1.0\n\n0.25,0.8\n0.5,0.4\n",
        "frequency;MTF\n0;1\n0.25;0.8\n0.5;0.4\n",
        "0,0;1,0\n0,25;0,8\n0,5;0,4\n",
        "spatial frequency (1/pixel),MTF\n0, 1\n0.25, 0.8\n0.5, 0.4\n",
        "frequency,lower_95,mtf\n0,0.9,1\n0.25,0.7,0.8\n0.5,0.3,0.4\n",
    ],
)
def test_frequency_and_transfer_are_read_however_they_are_separated(tmp_path, text):
    (tmp_path / "camera.csv").write_text(text)
    frequency, value = read_mtf_star(tmp_path / "camera.csv")
    assert frequency.tolist() == [0.0, 0.25, 0.5]
    assert value.tolist() == [1.0, 0.8, 0.4]


def test_of_a_table_with_both_curves_the_one_that_is_asked_for_is_taken(tmp_path):
    path = tmp_path / "dqe.txt.gz"
    path.write_bytes(gzip.compress(b"frequency,mtf,ntf\n0,1,1\n1,0.5,0.9\n"))
    assert is_curve_file(path) and not is_curve_file("k3_300kv")
    curve, left = read_curve_table(path, "NTF")
    np.testing.assert_array_equal(curve, [[0, 1], [1, 0.9]])
    assert left == ["mtf"]
    frequency, value = read_mtf_star(path, 1.0)  # fractions of Nyquist
    assert (frequency[-1], value[-1]) == (0.5, 0.5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty, expected columns of frequency and MTF"),
        ("frequency,mtf\n", "is empty, expected columns"),
        ("0 1\n0.25\n", "line 2: expected a frequency and its MTF, got '0.25'"),
        ("0 1\n0.5 low\n", "line 2: expected a frequency and its MTF, got '0.5 low'"),
        ("0 1\n0.5 0.4\n0.25 0.8\n", "frequency must increase, got 0.25 after 0.5"),
        ("0,0 1,0\n0,25 0,8\n", "line 1: expected a frequency and its MTF, got '0,0 1,0'"),
    ],
)
def test_what_is_no_curve_is_refused_in_one_line(tmp_path, text, message):
    (tmp_path / "camera.dat").write_text(text)
    with pytest.raises(InputError, match=f"camera.dat: {message}"):
        read_mtf_star(tmp_path / "camera.dat")
