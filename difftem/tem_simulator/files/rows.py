"""Rows of the text matrices that an input file names."""

from pathlib import Path

from torch import Tensor

from difftem.io.errors import input_error
from difftem.io.text_matrix import read_text_matrix


def read_rows(path: Path, columns: int, rows: int | None = None) -> Tensor:  # (rows, columns)
    """Read the first rows and columns of a text matrix, all rows without their number.

    Raises
    ------
    InputError
        If there are fewer.
    """
    matrix = read_text_matrix(path, min_columns=columns)
    if rows is not None and len(matrix) < rows:
        raise input_error(path, f"expected {rows} rows at least, got {len(matrix)}")
    return matrix[:rows, :columns]
