"""Reader of a set of images of nanoparticles."""

from pathlib import Path

import torch
from torch import Tensor

from difftem.io.delimited import read_delimited
from difftem.io.errors import input_error
from difftem.io.zarr_stack import ZarrStack
from difftem.simulation.nanoparticles.columns import ProjectedColumns, read_columns
from difftem.simulation.nanoparticles.config import Split
from difftem.simulation.nanoparticles.item import Row
from difftem.simulation.nanoparticles.make_set import IMAGES, MANIFEST, columns_path
from difftem.simulation.nanoparticles.record import read_record

_NEEDED = ("image", "model", "split", "contrast", "defocus_um")
_AGAIN = "difftem generate with the set's nanoparticles.yaml makes what is missing"


class NanoparticleSet:
    """Images of nanoparticles in a folder, with what decided them.

    Parameters
    ----------
    folder : str or Path
        That ``difftem generate`` filled.

    Raises
    ------
    InputError
        If it holds no set, or one that is not complete.

    Attributes
    ----------
    config : NanoparticleSetConfig
        Its recipe.
    rows : list of dict
        The manifest: a dictionary for each image.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.config = read_record(self.folder)
        self._images = ZarrStack(self.folder / IMAGES)
        self.rows = _read_manifest(self.folder / MANIFEST)
        self._check()

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def pixel_size(self) -> float:
        """Of the stored images in Å."""
        return self.config.imaging.pixel_size

    def image(self, index: int) -> Tensor:  # (size, size)
        """Intensity of an image, 1 in vacuum, float32.

        Raises
        ------
        InputError
            If it is missing or cannot be read.
        """
        return 1 + torch.from_numpy(self._images.read(self._number(index)))

    def columns(self, index: int) -> ProjectedColumns:
        """Columns of an image, in its pixels."""
        return read_columns(columns_path(self.folder, int(self.rows[self._number(index)]["model"])))

    def split(self, name: Split) -> list[int]:
        """Images of a split: train, validation or test."""
        return [i for i, row in enumerate(self.rows) if row["split"] == name]

    def _number(self, index: int) -> int:
        """Check a number."""
        if not 0 <= index < len(self.rows):
            raise IndexError(f"{self.folder} has images 0 to {len(self.rows) - 1}, got {index}")
        return index

    def _check(self) -> None:
        """Compare manifest, images, columns and recipe."""
        manifest, imaging = self.folder / MANIFEST, self.config.imaging
        expected = self.config.n_models * imaging.n_defocus
        if len(self.rows) != expected:
            raise input_error(
                manifest,
                f"has {len(self.rows)} images, {self.config.n_models} models with "
                f"{imaging.n_defocus} each make {expected}; {_AGAIN}",
            )
        if self._images.shape[1:] != (imaging.size, imaging.size):
            raise input_error(
                self.folder / IMAGES,
                f"holds images of {self._images.shape[1:]} pixels, the recipe says {imaging.size}",
            )
        for i, row in enumerate(self.rows):
            model = i // imaging.n_defocus
            if row["image"] != i or row["model"] != model:
                raise input_error(
                    manifest,
                    f"line {i + 2}: expected image {i} of model {model}, got image "
                    f"{row['image']} of model {row['model']}",
                )
            if row["split"] != self.config.split(model):
                raise input_error(
                    manifest,
                    f"line {i + 2}: split of model {model} must be "
                    f"{self.config.split(model)}, got {row['split']}",
                )
        missing = [i for i in range(expected) if not self._images.is_there(i)]
        if missing:
            raise input_error(
                self.folder / IMAGES,
                f"{len(missing)} images of the manifest are missing, the first is {missing[0]}; "
                f"{_AGAIN}",
            )
        for model in range(self.config.n_models):
            if not columns_path(self.folder, model).is_file():
                raise input_error(columns_path(self.folder, model), f"is missing; {_AGAIN}")


def _read_manifest(path: Path) -> list[Row]:
    """Read the lines of a manifest, numbers as numbers."""
    if not path.exists():
        raise input_error(path, f"is missing, the set is not complete; {_AGAIN}")
    table = read_delimited(path, ", ".join(_NEEDED))
    lacking = [name for name in _NEEDED if name not in table.names]
    if lacking:
        raise input_error(path, f"has no column {lacking[0]}")
    return [dict(zip(table.names, map(_value, cells), strict=True)) for _, cells in table.rows]


def _value(cell: str) -> float | int | str:
    """Take a cell as a number where it is one."""
    for kind in (int, float):
        try:
            return kind(cell)
        except ValueError:
            continue
    return cell
