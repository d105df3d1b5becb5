"""TEM-simulator's text matrices and the transforms written in them."""

import math
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from difftem.functional.pose import rotation_from_euler
from difftem.io.account import counted, give_account
from difftem.io.errors import input_error
from difftem.io.files import replacing
from difftem.io.text import read_text
from difftem.units import deg_to_rad


def read_text_matrix(path: str | Path, min_columns: int = 1) -> Tensor:  # (rows, columns)
    """Read a text matrix: ``#`` comments, a line "rows columns", then the rows.

    Parameters
    ----------
    path : str or Path
        File to read.
    min_columns : int
        Fewest columns that are of use.

    Returns
    -------
    Tensor
        float64, shape ``(rows, columns)``; what follows the stated rows and columns is dropped,
        and said.

    Raises
    ------
    InputError
        If the header or a value is not a number, or rows or columns are missing.
    """
    numbered = enumerate(read_text(path).splitlines(), start=1)
    lines = [(i, line.split()) for i, line in numbered if line.strip() and line[0] != "#"]
    header = lines[0][1] if lines else []
    if len(header) < 2 or not (header[0].isdigit() and header[1].isdigit()):
        raise input_error(path, f"expected a line 'rows columns', got {' '.join(header)!r}")
    n_rows, n_columns = int(header[0]), int(header[1])
    if n_rows < 1 or n_columns < min_columns:
        raise input_error(
            path,
            f"expected at least 1 row and {min_columns} columns, got {n_rows} x {n_columns}",
        )
    body, behind = lines[1 : n_rows + 1], len(lines) - n_rows - 1
    if len(body) < n_rows:
        raise input_error(path, f"expected {n_rows} rows, got {len(body)}")
    rows = []
    for number, words in body:
        try:
            row = [float(word) for word in words[:n_columns]]
        except ValueError as error:
            raise input_error(path, f"line {number}: {error}") from None
        if len(row) < n_columns:
            raise input_error(path, f"line {number}: expected {n_columns} values, got {len(row)}")
        if not all(math.isfinite(value) for value in row):
            raise input_error(path, f"line {number}: values must be finite, got {row}")
        rows.append(row)
    wider = max(len(words) for _, words in body)
    left = [f"{counted(behind, 'row')} behind them"] if behind > 0 else []
    left += [f"columns {n_columns + 1} to {wider}"] if wider > n_columns else []
    if left:
        give_account(
            path, [f"{counted(n_rows, 'row')} of {n_columns} columns, as its first line says"], left
        )
    return torch.tensor(rows, dtype=torch.float64)


def write_text_matrix(
    path: str | Path,
    matrix: Tensor,  # (rows, columns)
    comments: Sequence[str] = (),
    *,
    overwrite: bool = False,
) -> None:
    """Write a text matrix that `read_text_matrix` and TEM-simulator read.

    Parameters
    ----------
    path : str or Path
        File to write, in a folder that exists.
    matrix : Tensor
        Finite numbers, shape ``(rows, columns)``, written with 12 digits.
    comments : sequence of str
        Lines that go above, as what the columns are.
    overwrite : bool
        Replace a file that exists.

    Raises
    ------
    InputError
        If the file exists and `overwrite` is false, or its folder does not exist.
    ValueError
        If the matrix has other dimensions or values that are not finite.
    """
    if matrix.ndim != 2 or not bool(torch.isfinite(matrix).all()):
        raise ValueError(f"matrix must be (rows, columns) and finite, got {tuple(matrix.shape)}")
    lines = [f"# {' '.join(comment.split())}" for comment in comments]
    lines.append(f"{matrix.shape[0]} {matrix.shape[1]}")
    lines += [" ".join(f"{value:15.12g}" for value in row) for row in matrix.tolist()]
    with replacing(Path(path), overwrite) as temporary:
        temporary.write_text("\n".join([*lines, ""]), encoding="utf-8")


def read_transforms(path: str | Path) -> tuple[Tensor, Tensor]:  # (n, 3, 3), (n, 3)
    r"""Read the rotations and shifts, x' = R x + t, that copy a subunit.

    A file of four columns holds three rows [R|t] per copy. One of six holds a row
    t_x t_y t_z φ θ ψ per copy, with :math:`R = R_z(\psi) R_x(\theta) R_z(\phi)` in degrees.

    Parameters
    ----------
    path : str or Path
        Text matrix as TEM-simulator's ``pdb_transf_file_in``.

    Returns
    -------
    rotations : Tensor
        float64, shape ``(n, 3, 3)``.
    shifts : Tensor
        Å, float64, shape ``(n, 3)``.

    Raises
    ------
    InputError
        If the matrix has other columns or R is not a rotation.

    References
    ----------
    Rullgård, Öfverstedt, Masich, Daneholt & Öktem, J. Microsc. 243 (2011) 234.

    Examples
    --------
    >>> from pathlib import Path
    >>> from difftem.io.structure import read_transforms
    >>> _ = Path("copies.txt").write_text("3 4\n0 -1 0 50\n1 0 0 0\n0 0 1 0\n")  # [R|t]
    >>> rotations, shifts = read_transforms("copies.txt")
    >>> tuple(rotations.shape), shifts.tolist()
    ((1, 3, 3), [[50.0, 0.0, 0.0]])
    """
    matrix = read_text_matrix(path, min_columns=4)
    n_rows, n_columns = matrix.shape
    if n_columns == 4:
        if n_rows % 3:
            raise input_error(path, f"expected 3 rows for each transform, got {n_rows} rows")
        copies = matrix.reshape(-1, 3, 4)
        rotations, shifts = copies[..., :3], copies[..., 3]
    elif n_columns == 6:
        rotations, shifts = rotation_from_euler(deg_to_rad(matrix[:, 3:])), matrix[:, :3]
    else:
        raise input_error(path, f"expected 4 or 6 columns, got {n_columns}")
    error = (rotations @ rotations.mT - torch.eye(3, dtype=torch.float64)).abs().amax((-2, -1))
    if error.max() > 1e-2:  # files round to three or more decimals
        worst = int(error.argmax())
        raise input_error(
            path, f"transform {worst + 1} is not a rotation, R Rᵀ - 1 reaches {error.max():.3g}"
        )
    how = "[R|t]" if n_columns == 4 else "x y z, phi theta psi in degrees"
    give_account(path, [f"{len(shifts)} transforms ({how}), shifts in Å"])
    return rotations.contiguous(), shifts.contiguous()
