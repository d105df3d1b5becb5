import pytest
import torch

from difftem.functional.pose import rotation_from_euler
from difftem.io.errors import InputError
from difftem.io.text_matrix import read_text_matrix, read_transforms, write_text_matrix


def test_matrix_is_read_back_as_it_was_written(tmp_path, generator):
    path = tmp_path / "matrix.txt"
    matrix = torch.randn(5, 3, generator=generator, dtype=torch.float64) * 1e6
    write_text_matrix(path, matrix, ["x y z (nm)", "two\nlines"])
    lines = path.read_text().splitlines()
    assert lines[:3] == ["# x y z (nm)", "# two lines", "5 3"]
    torch.testing.assert_close(read_text_matrix(path), matrix, rtol=1e-11, atol=0)


def test_whole_numbers_stay_short(tmp_path):
    path = tmp_path / "matrix.txt"
    write_text_matrix(path, torch.tensor([[1.0, -2.5]]))
    assert path.read_text().split() == ["1", "2", "1", "-2.5"]


def test_what_is_no_matrix_is_refused(tmp_path):
    path = tmp_path / "matrix.txt"
    with pytest.raises(ValueError, match=r"\(rows, columns\) and finite, got \(2,\)"):
        write_text_matrix(path, torch.zeros(2))
    with pytest.raises(ValueError, match=r"finite, got \(1, 1\)"):
        write_text_matrix(path, torch.tensor([[torch.nan]]))
    assert list(tmp_path.iterdir()) == []
    write_text_matrix(path, torch.zeros(1, 1))
    with pytest.raises(InputError, match=r"matrix\.txt: exists already"):
        write_text_matrix(path, torch.zeros(1, 1))


def test_spare_rows_and_columns_are_dropped(tmp_path):
    path = tmp_path / "matrix.txt"
    path.write_text("# c\n\n2 2 words\r\n1 2 3\n# c\n4 5 6\n7 8 9\n")
    assert read_text_matrix(path).tolist() == [[1, 2], [4, 5]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a line 'rows columns', got ''"),
        ("3\n", "expected a line 'rows columns', got '3'"),
        ("2 2\n1 2\n", "expected 2 rows, got 1"),
        ("1 2\n1\n", "line 2: expected 2 values, got 1"),
        ("1 1\nx\n", "line 2: could not convert string to float"),
        ("1 1\ninf\n", r"line 2: values must be finite, got \[inf\]"),
    ],
)
def test_bad_matrices_are_named_with_their_line(tmp_path, text, message):
    path = tmp_path / "matrix.txt"
    path.write_text(text)
    with pytest.raises(InputError, match=rf"matrix\.txt: {message}"):
        read_text_matrix(path)


def test_six_columns_and_four_columns_say_the_same(tmp_path):
    angles = torch.tensor([[10.0, 20, 30]]).double()
    rotation = rotation_from_euler(torch.deg2rad(angles))
    shift = torch.tensor([[1.0, 2, 3]]).double()
    write_text_matrix(tmp_path / "six.txt", torch.cat([shift, angles], -1))
    write_text_matrix(tmp_path / "four.txt", torch.cat([rotation[0], shift.T], -1))
    for name in ("six.txt", "four.txt"):
        rotations, shifts = read_transforms(tmp_path / name)
        torch.testing.assert_close(rotations, rotation, rtol=0, atol=1e-11)
        torch.testing.assert_close(shifts, shift, rtol=0, atol=1e-11)
