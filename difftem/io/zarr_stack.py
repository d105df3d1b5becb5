"""Stacks of images in zarr that are written image by image, each a chunk of its own."""

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from difftem.io.errors import InputError, input_error


class ZarrStack:
    """Images of one size as float16, in zarr's format 2: image i is the chunk ``i.0.0``.

    Parameters
    ----------
    path : Path
        Folder of the array.

    Raises
    ------
    ValueError
        If zarr is not installed.
    """

    def __init__(self, path: Path) -> None:
        if importlib.util.find_spec("zarr") is None:
            raise ValueError(f"{path}: needs the zarr package: pip install 'difftem[zarr]'")
        self.path = path
        self._opened: tuple[str, Any] | None = None

    def make(self, shape: tuple[int, int, int], attributes: Mapping[str, Any]) -> None:
        """Make the array; one that is there gets room for as many images.

        Parameters
        ----------
        shape : tuple of int
            ``(n, ny, nx)``.
        attributes : mapping
            JSON's types, for a new array.

        Raises
        ------
        InputError
            If it cannot be written, or holds images of another size.
        """
        import zarr  # optional, and slow to load

        try:
            if not self.path.exists():
                zarr.create_array(
                    store=str(self.path),
                    shape=shape,
                    dtype=np.float16,
                    chunks=(1, *shape[1:]),
                    fill_value=np.nan,
                    zarr_format=2,
                    attributes={"_ARRAY_DIMENSIONS": ["image", "y", "x"], **attributes},
                )
            elif self.shape[1:] != shape[1:]:
                raise input_error(self.path, f"holds images of {self.shape[1:]}, not {shape[1:]}")
            elif self.shape[0] < shape[0]:
                self._array("r+").resize(shape)
                self._opened = None
        except OSError as error:
            raise input_error(self.path, f"cannot be written: {error}") from error

    @property
    def shape(self) -> tuple[int, ...]:
        """``(n, ny, nx)``."""
        return tuple(int(each) for each in self._array("r").shape)

    def is_there(self, index: int) -> bool:
        """Whether an image has been written."""
        return (self.path / f"{index}.0.0").is_file()

    def write(
        self,
        index: int,
        image: NDArray[np.floating[Any]],  # (y, x)
    ) -> None:
        """Write an image for which there is room."""
        try:
            self._array("r+")[index] = image.astype(np.float16)
        except OSError as error:
            raise input_error(self.path, f"cannot be written: {error}") from error

    def read(self, index: int) -> NDArray[np.float32]:  # (y, x)
        """Read an image.

        Parameters
        ----------
        index : int
            Its number.

        Returns
        -------
        ndarray
            float32.

        Raises
        ------
        InputError
            If it is missing, cut short or not finite.
        """
        if not self.is_there(index):
            raise input_error(self.path, f"image {index} is missing: there is no file {index}.0.0")
        array = self._array("r")
        try:
            image = np.asarray(array[index], dtype=np.float32)
        except Exception as error:  # every codec has errors of its own
            raise input_error(self.path, f"image {index} cannot be read: {error}") from error
        if not np.isfinite(image).all():
            raise input_error(self.path, f"image {index} is not finite")
        return image

    def _array(self, mode: str) -> Any:
        """Open the array, once for reading and once for writing."""
        import zarr  # optional, and slow to load

        if self._opened is None or self._opened[0] != mode:
            try:
                self._opened = mode, zarr.open_array(str(self.path), mode=mode)
            except InputError:
                raise
            except Exception as error:  # as many as there are ways to spoil its header
                raise input_error(self.path, f"not an array of zarr: {error}") from error
        return self._opened[1]
